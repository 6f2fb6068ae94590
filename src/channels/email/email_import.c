/* email_import.c - old mail from files: mbox, maildir, single messages.  May be run again: what is there is recognised. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "channels/email/email_internal.h"

enum { PATH_DEPTH_MAX = 16 };

struct import {
    struct cx *cx;
    struct email *email;
    struct str recipient;
    bool dry_run;
    void (*progress)(const struct email_import_progress *p, void *arg);
    void *arg;
    struct email_import_progress done;
    int64_t ids[EMAIL_BATCH];       /* received, not yet processed */
    size_t nids;
};

/* ---- one mail ---- */

struct known_read { struct str message_id, content_hash; bool found; };

static enum err_code known_read(struct cx *cx, struct db *db, void *arg)
{
    struct known_read *k = arg;
    struct em_same *rows = NULL;
    size_t n = 0;
    TRY(em_mail_same(cx, db, (struct em_mail_same_in){ cx->account_id, 0, k->message_id, k->content_hash }, &rows, &n));
    k->found = n > 0;
    return E_OK;
}

/* Is it here already?  Then it leaves no second row in the mail log, however often the import runs. */
static enum err_code is_known(struct cx *cx, struct email *email, struct str raw, bool *ret_known, bool *ret_readable)
{
    struct mail mail;
    *ret_known = false;
    *ret_readable = mail_parse(cx, raw, (struct mail_limits){ 0 }, &mail) == E_OK;
    failure_clear(cx);
    if (!*ret_readable)
        return E_OK;
    struct known_read known = { mail.message_id, mail_content_hash(cx->arena, &mail, raw), false };
    if (known.message_id.len == 0)
        known.message_id = arena_printf(cx->arena, "%.*s@no-message-id.invalid", STR_ARG(known.content_hash));
    TRY(store_read(email->store, cx, known_read, &known));
    *ret_known = known.found;
    return E_OK;
}

struct state_read { int64_t id; struct em_mail row; };

static enum err_code state_read(struct cx *cx, struct db *db, void *arg)
{
    struct state_read *s = arg;
    return em_mail_by_id(cx, db, (struct em_mail_by_id_in){ cx->account_id, s->id }, &s->row);
}

/* The intake of what was received so far; a running server may have been faster. */
static enum err_code settle(struct import *im)
{
    for (size_t i = 0; i < im->nids; i++) {
        struct arena *arena = arena_new("import.intake", 0);
        struct cx cx = *im->cx;
        cx.arena = arena;
        struct state_read state = { .id = im->ids[i] };
        enum err_code code = email_process(&cx, im->email, im->ids[i]);
        if (code == E_OK || code == E_CONFLICT)
            code = store_read(im->email->store, &cx, state_read, &state);
        if (code != E_OK)
            im->cx->failure.message = arena_copy(im->cx->arena, cx.failure.message);
        bool quarantined = str_is(state.row.state, "quarantined"), duplicate = str_is(state.row.state, "duplicate");
        arena_free(&arena);
        TRY(code);
        im->done.quarantined += quarantined;
        im->done.duplicates += duplicate;
        im->done.stored += !quarantined && !duplicate;
    }
    im->nids = 0;
    if (im->progress)
        im->progress(&im->done, im->arg);
    return E_OK;
}

static enum err_code import_raw(struct cx *cx, struct import *im, struct str raw, struct str source_ref)
{
    bool known = false, readable = false;
    TRY(is_known(cx, im->email, raw, &known, &readable));
    if (known || im->dry_run) {
        im->done.duplicates += known;
        im->done.stored += !known && readable;
        im->done.quarantined += !known && !readable;
        return E_OK;
    }
    int64_t mail_id = 0;
    enum err_code code = email_receive(cx, im->email, &(struct email_arrival){
        .raw = raw, .source = STR("import"), .source_ref = source_ref, .recipient = im->recipient, .historic = true }, &mail_id);
    if (code == E_LIMIT || code == E_INVALID) {
        im->done.failed++;
        failure_clear(cx);
        return E_OK;
    }
    TRY(code);
    im->ids[im->nids++] = mail_id;
    return E_OK;
}

static enum err_code import_one(struct import *im, struct str raw, struct str source_ref)
{
    struct arena *arena = arena_new("import", 0);
    struct cx cx = *im->cx;
    cx.arena = arena;
    im->done.seen++;
    enum err_code code = import_raw(&cx, im, raw, source_ref);
    if (code != E_OK) {
        im->cx->failure = cx.failure;
        im->cx->failure.message = arena_copy(im->cx->arena, cx.failure.message);
        im->cx->failure.detail = arena_copy(im->cx->arena, cx.failure.detail);
    }
    arena_free(&arena);
    im->done.bytes_done += (int64_t)raw.len;
    TRY(code);
    return im->nids == EMAIL_BATCH ? settle(im) : E_OK;
}

/* ---- files ---- */

struct mapped { char *data; size_t len; };

static void unmap(struct mapped *m)
{
    if (m->data)
        munmap(m->data, m->len);
}

static enum err_code map_file(struct cx *cx, const char *path, struct mapped *ret)
{
    struct stat st;
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    *ret = (struct mapped){ 0 };
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return fail_field(cx, "path", "%s cannot be read as a file", path);
    if (st.st_size == 0)
        return E_OK;
    void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        return fail_field(cx, "path", "%s cannot be read", path);
    *ret = (struct mapped){ data, (size_t)st.st_size };
    return E_OK;
}

static enum err_code import_file(struct import *im, const char *path)
{
    CLEANUP(unmap) struct mapped file = { 0 };
    TRY(map_file(im->cx, path, &file));
    return file.len == 0 ? E_OK : import_one(im, (struct str){ file.data, file.len }, str_of(path));
}

/* "From sender Mon Jan  5 09:00:00 2026" after an empty line; a sentence that begins with From has no time of day. */
static bool is_separator(struct str line)
{
    if (!str_starts(line, STR("From ")))
        return false;
    for (size_t i = 6; i + 1 < line.len; i++)
        if (line.ptr[i] == ':' && line.ptr[i - 1] >= '0' && line.ptr[i - 1] <= '9' && line.ptr[i + 1] >= '0' && line.ptr[i + 1] <= '9')
            return true;
    return false;
}

/* mboxrd: ">From " was "From ", ">>From " was ">From ". */
static bool is_escaped(struct str line)
{
    size_t n = 0;
    while (n < line.len && line.ptr[n] == '>')
        n++;
    return n > 0 && str_starts(str_skip(line, n), STR("From "));
}

static struct str unescape(struct arena *arena, struct str body)
{
    if (str_find(body, STR(">From ")) < 0)
        return body;
    struct buf out = buf_new(arena, 0);
    while (body.len > 0) {
        ptrdiff_t end = str_chr(body, '\n');
        struct str line = end < 0 ? body : str_sub(body, 0, (size_t)end + 1);
        buf_add(&out, is_escaped(line) ? str_skip(line, 1) : line);
        body = str_skip(body, line.len);
    }
    return buf_str(&out);
}

static enum err_code import_mbox_mail(struct import *im, struct str body, const char *path, int64_t number)
{
    struct arena *arena = arena_new("import.mbox", 0);
    while (str_ends(body, STR("\n\n")))     /* the empty line belongs to the format */
        body.len--;
    enum err_code code = body.len == 0 ? E_OK : import_one(im, unescape(arena, body), arena_printf(arena, "%s #%lld", path, (long long)number));
    arena_free(&arena);
    return code;
}

static enum err_code import_mbox(struct import *im, const char *path)
{
    CLEANUP(unmap) struct mapped file = { 0 };
    TRY(map_file(im->cx, path, &file));
    struct str rest = { file.data, file.len };
    size_t start = 0, at = 0;
    int64_t number = 0;
    bool inside = false, empty_before = true;
    if (file.len > 0 && !str_starts(rest, STR("From ")))
        return fail_field(im->cx, "path", "%s is not an mbox: it does not begin with \"From \"", path);
    while (at < file.len) {
        struct str tail = str_skip(rest, at);
        ptrdiff_t end = str_chr(tail, '\n');
        size_t len = end < 0 ? tail.len : (size_t)end + 1;
        struct str line = str_sub(tail, 0, len);
        if (empty_before && is_separator(line)) {
            if (inside)
                TRY(import_mbox_mail(im, str_sub(rest, start, at - start), path, ++number));
            inside = true;
            start = at + len;
        }
        empty_before = str_trim(line).len == 0;
        at += len;
    }
    return inside ? import_mbox_mail(im, str_sub(rest, start, file.len - start), path, ++number) : E_OK;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Every file below: a maildir's cur/ and new/, or a folder of .eml files; names in order, so that a second run goes the same way. */
static enum err_code import_folder(struct import *im, const char *path, bool only_eml, int depth)
{
    struct dirent **entries = NULL;
    struct stat st;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
        return import_file(im, path);
    int n = depth > PATH_DEPTH_MAX ? -1 : scandir(path, &entries, not_hidden, by_name);
    if (n < 0)
        return fail_field(im->cx, "path", "%s cannot be read as a folder", path);
    enum err_code code = E_OK;
    for (int i = 0; i < n; i++) {
        struct str name = str_of(entries[i]->d_name);
        struct str full = arena_printf(im->cx->arena, "%s/%.*s", path, STR_ARG(name));
        bool folder = stat(full.ptr, &st) == 0 && S_ISDIR(st.st_mode);
        bool wanted = folder ? !str_is(name, "tmp") : !only_eml || str_ends(name, STR(".eml"));
        if (code == E_OK && wanted)
            code = import_folder(im, full.ptr, only_eml, depth + 1);
        heap_free(entries[i]);
    }
    heap_free(entries);
    return code;
}

static int64_t size_of(const char *path, int depth)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return 0;
    if (!S_ISDIR(st.st_mode) || depth > PATH_DEPTH_MAX)
        return st.st_size;
    struct dirent **entries = NULL;
    int64_t sum = 0;
    int n = scandir(path, &entries, not_hidden, by_name);
    for (int i = 0; i < n; i++) {
        struct arena *arena = arena_new("import.size", 0);
        sum += size_of(arena_printf(arena, "%s/%s", path, entries[i]->d_name).ptr, depth + 1);
        arena_free(&arena);
        heap_free(entries[i]);
    }
    heap_free(entries);
    return sum;
}

enum err_code email_import(struct cx *cx, struct email *email, struct str format, const char *path, struct str recipient, bool dry_run,
                           void (*progress)(const struct email_import_progress *p, void *arg), void *arg, struct email_import_progress *ret)
{
    struct import im = { .cx = cx, .email = email, .recipient = recipient, .dry_run = dry_run, .progress = progress, .arg = arg };
    im.done.bytes_all = size_of(path, 0);
    enum err_code code;
    if (str_is(format, "mbox"))
        code = import_mbox(&im, path);
    else if (str_is(format, "maildir") || str_is(format, "eml"))
        code = import_folder(&im, path, str_is(format, "eml"), 0);
    else
        code = fail_field(cx, "format", "The format is mbox, maildir or eml");
    if (code == E_OK)
        code = settle(&im);
    *ret = im.done;
    return code;
}
