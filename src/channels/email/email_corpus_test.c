/* email_corpus_test.c - thousands of real and hostile mails through the whole intake; threads of real lists. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "testing/testing.h"

#include "channels/email/email_desk_test.h"

enum { FILES_MAX = 12000 };

struct corpus { struct str paths[FILES_MAX]; size_t n; };

static void walk(struct arena *arena, struct corpus *c, const char *path)
{
    struct stat st;
    struct dirent **entries = NULL;
    CHECK(stat(path, &st) == 0);
    if (S_ISREG(st.st_mode)) {
        if (st.st_size > 0 && st.st_size < 8 * 1024 * 1024 && c->n < FILES_MAX)
            c->paths[c->n++] = arena_copy(arena, str_of(path));
        return;
    }
    int n = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        if (strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0)
            walk(arena, c, arena_printf(arena, "%s/%s", path, entries[i]->d_name).ptr);
        free(entries[i]);
    }
    free(entries);
}

/* The set's archive, unpacked; NULL when it is not here. */
static const char *unpack(struct world *w, const char *archive)
{
    const char *from = shared_data(w, archive);
    if (!from)
        return NULL;
    const char *to = arena_printf(w->arena, "%s/%08llx", w->dir, (unsigned long long)rand_u64()).ptr;
    CHECK(fd_make_dirs(to, 0700));
    CHECK_INT(system(arena_printf(w->arena, "tar -xzf %s -C %s", from, to).ptr), 0);
    return to;
}

struct feed { struct desk *d; const struct str *paths; size_t n; struct arena *arena; int64_t ids[EMAIL_BATCH]; };

static enum err_code feed_unit(struct cx *cx, struct db *db, void *arg)
{
    struct feed *f = arg;
    for (size_t i = 0; i < f->n; i++) {
        struct str raw;
        CHECK(fd_read_file(f->arena, f->paths[i].ptr, 16 << 20, &raw));
        TRY(email_receive_in(cx, db, f->d->email, &(struct email_arrival){ .raw = raw, .source = STR("lmtp"), .source_ref = f->paths[i],
                             .recipient = STR("help@example.com") }, &f->ids[i]));
    }
    return E_OK;
}

/* Receives and processes everything; *ret_ids the log's ids in the order of the paths. */
static void feed(struct desk *d, const struct str *paths, size_t n, int64_t *ret_ids)
{
    for (size_t at = 0; at < n; at += EMAIL_BATCH) {
        struct arena *arena = arena_new("feed", 0);
        struct feed f = { .d = d, .paths = paths + at, .n = MIN(n - at, (size_t)EMAIL_BATCH), .arena = arena };
        struct cx cx = *d->cx;
        cx.arena = arena;
        CHECK_OK(&cx, store_write(d->w->store, &cx, feed_unit, &f));
        memcpy(ret_ids + at, f.ids, f.n * sizeof(f.ids[0]));
        arena_free(&arena);
    }
    size_t did = 1;
    while (did > 0)
        CHECK_OK(d->cx, email_process_waiting(d->cx, d->email, &did));
}

static void every_mail_ends_somewhere(void **state)
{
    static const char *const archives[] = {
        "email-bounces-sisimai/bounces.tar.gz", "email-charset-filters/gmime.tar.gz", "email-mailcore2/mailcore2.tar.gz",
        "email-mime-torture/torture.tar.gz", "email-mime4j/mime4j.tar.gz", "email-mimekit/mimekit.tar.gz",
        "email-php-mime-mail-parser/mails.tar.gz", "email-spamassassin/spamassassin.tar.gz", "email-stalwart-mime/stalwart.tar.gz",
        "email-stalwart-mime/maildir.tar.gz", "email-zammad/email-zammad.tar.gz", "email-zbateson-mime/zbateson.tar.gz" };
    struct desk d = desk_open(*state);
    struct corpus *all = heap_new(sizeof(*all));
    for (size_t i = 0; i < COUNT(archives); i++) {
        const char *folder = unpack(d.w, archives[i]);
        if (folder)
            walk(d.w->arena, all, folder);
    }
    int64_t *ids = heap_new((all->n + 1) * sizeof(*ids));
    int64_t began = clock_monotonic_us();
    feed(&d, all->paths, all->n, ids);
    int64_t took_us = clock_monotonic_us() - began + 1;
    size_t stored = 0, duplicates = 0, swallowed = 0, quarantined = 0;
    for (size_t i = 0; i < all->n; i++) {
        struct em_mail row = desk_row(&d, ids[i]);
        const char *path = all->paths[i].ptr;
        stored += str_is(row.state, "stored");
        duplicates += str_is(row.state, "duplicate");
        swallowed += str_is(row.state, "swallowed");
        quarantined += str_is(row.state, "quarantined");
        CHECK_CASE(path, !str_is(row.state, "received"));
        CHECK_CASE(path, !str_is(row.state, "stored") || (row.ticket_id > 0 && row.message_id > 0));
        CHECK_CASE(path, !str_is(row.state, "quarantined") || row.detail.len > 0);
        if (str_is(row.state, "quarantined") && str_starts(row.detail, STR("It could not be stored")))
            print_error("%s: %.*s\n", path, STR_ARG(row.detail));
        CHECK_CASE(path, !str_starts(row.detail, STR("It could not be stored")));
    }
    print_message("%zu mails in %lld ms (%lld/s): %zu stored, %zu duplicates, %zu swallowed, %zu quarantined\n", all->n,
                  (long long)(took_us / 1000), (long long)((int64_t)all->n * US_PER_SECOND / took_us), stored, duplicates, swallowed, quarantined);
    CHECK_INT(stored + duplicates + swallowed + quarantined, all->n);
    heap_free(ids);
    heap_free(all);
    desk_close(&d);
}

/* ---- threads ---- */

struct threaded { struct str corpus; int64_t thread, ticket; };

static struct json_value line_of(struct desk *d, struct str line)
{
    struct json_value value;
    CHECK_OK(d->cx, json_parse(d->cx, line, &value));
    return value;
}

static void threads_of_real_lists_stay_together(void **state)
{
    struct desk d = desk_open(*state);
    const char *folder = unpack(d.w, "email-threads-notmuch/threads.tar.gz"), *truth = shared_data(d.w, "email-threads-notmuch/threads.jsonl");
    if (!folder || !truth) {
        desk_close(&d);
        return;
    }
    struct str rest, line, paths[400];
    struct threaded mails[400];
    int64_t ids[400], thread = 0;
    size_t n = 0;
    CHECK(fd_read_file(d.w->arena, truth, 1 << 20, &rest));
    while (str_line(&rest, &line)) {
        struct json_value row = line_of(&d, line);
        const struct json_value *files = json_get(&row, "files");
        thread++;
        for (size_t i = 0; i < files->n && n < COUNT(paths); i++) {
            paths[n] = arena_printf(d.w->arena, "%s/%.*s", folder, STR_ARG(files->items[i].text));
            mails[n++] = (struct threaded){ json_text(&row, "corpus"), thread, 0 };
        }
    }
    feed(&d, paths, n, ids);
    for (size_t i = 0; i < n; i++)
        mails[i].ticket = desk_row(&d, ids[i]).ticket_id;
    int64_t both = 0, only_ours = 0, only_truth = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = i + 1; k < n; k++) {
            if (!str_eq(mails[i].corpus, mails[k].corpus))
                continue;
            bool ours = mails[i].ticket > 0 && mails[i].ticket == mails[k].ticket, real = mails[i].thread == mails[k].thread;
            both += ours && real;
            only_ours += ours && !real;
            only_truth += !ours && real;
            if (ours != real)
                print_message("%s %s: %s\n", real ? "apart:" : "together:", strrchr(paths[i].ptr, '/') + 1, strrchr(paths[k].ptr, '/') + 1);
        }
    }
    double f1 = 2.0 * (double)both / (double)(2 * both + only_ours + only_truth);
    print_message("threads: %zu mails, pairwise F1 %.4f (%lld right, %lld too many, %lld missed)\n", n, f1, (long long)both,
                  (long long)only_ours, (long long)only_truth);
    CHECK(f1 >= 0.95);
    desk_close(&d);
}

TESTS(SQLITE(every_mail_ends_somewhere), BOTH(threads_of_real_lists_stay_together))
