/* search.c - the index: opened, followed, rebuilt. */
#include "search_internal.h"

#include <unistd.h>

enum {
    BATCH_EVENTS = 400,
    MAX_TICKETS_OF_TAG = 10000,
    BATCH_ARENA_BYTES = 512 << 20,
};

/* ---- from events to documents ---- */

struct batch {
    struct search *search;
    int64_t seen, upto;         /* the cursor when it was read; the last event of the batch */
    size_t nevents;
    struct search_doc *docs;
    size_t ndocs;
};

static void want(int64_t *list, size_t *n, int64_t id)
{
    for (size_t i = *n; i-- > 0;)
        if (list[i] == id)
            return;
    if (id)
        list[(*n)++] = id;
}

static enum err_code sort_events(struct cx *cx, struct db *db, const struct event *events, size_t n, struct search_wants *w)
{
    size_t room = n, ntagged = 0;
    struct search_id_row *tagged = NULL;
    for (size_t i = 0; i < n; i++)
        if (str_is(events[i].type, "tag.changed"))
            room += MAX_TICKETS_OF_TAG;
    *w = (struct search_wants){ .messages = NEWN(cx->arena, int64_t, room), .tickets = NEWN(cx->arena, int64_t, room),
                                .contacts = NEWN(cx->arena, int64_t, room) };
    for (size_t i = 0; i < n; i++) {
        const struct event *e = &events[i];
        if (str_is(e->type, "message.created"))
            want(w->messages, &w->nmessages, e->subject_id);
        else if (str_is(e->type, "ticket.created") || str_is(e->type, "ticket.changed"))
            want(w->tickets, &w->ntickets, e->ticket_id);
        else if (str_starts(e->type, STR("contact.")))
            want(w->contacts, &w->ncontacts, e->subject_id);
        else if (str_is(e->type, "tag.changed")) {
            TRY(search_tickets_of_tag(cx, db, (struct search_tickets_of_tag_in){ cx->account_id, e->subject_id, MAX_TICKETS_OF_TAG }, &tagged, &ntagged));
            for (size_t k = 0; k < ntagged; k++)
                want(w->tickets, &w->ntickets, tagged[k].id);
        }
    }
    return E_OK;
}

static enum err_code read_batch(struct cx *cx, struct db *db, void *arg)
{
    struct batch *b = arg;
    struct event *events = NULL;
    struct search_wants wants;
    TRY(journal_read(cx, db, cx->account_id, b->seen, BATCH_EVENTS, &events, &b->nevents));
    if (!b->nevents)
        return E_OK;
    b->upto = events[b->nevents - 1].seq;
    TRY(sort_events(cx, db, events, b->nevents, &wants));
    return search_load(cx, db, b->search->blobs, &wants, &b->docs, &b->ndocs);
}

static enum err_code read_cursor(struct cx *cx, struct db *db, void *arg)
{
    struct index_seq_row row = { 0 };
    enum err_code e = index_cursor(cx, db, (struct index_cursor_in){ cx->account_id }, &row);
    if (e == E_NOT_FOUND)
        failure_clear(cx);
    else
        TRY(e);
    *(int64_t *)arg = row.seq;
    return E_OK;
}

static enum err_code write_batch(struct cx *cx, struct db *db, void *arg)
{
    struct batch *b = arg;
    int64_t moved = 0;
    struct str scope = search_scope(cx->arena, cx->account_id);
    TRY(index_cursor_make(cx, db, (struct index_cursor_make_in){ cx->account_id }, NULL));
    TRY(index_cursor_move(cx, db, (struct index_cursor_move_in){ .account_id = cx->account_id, .seen = b->seen, .seq = b->upto }, &moved));
    if (!moved)
        return E_OK;    /* another node was faster: its documents are as new as these */
    for (size_t i = 0; i < b->ndocs; i++) {
        const struct search_doc *d = &b->docs[i];
        TRY(index_put(cx, db, (struct index_put_in){
            .account_id = cx->account_id, .scope = scope, .kind = d->kind, .ref_id = d->ref_id, .at_us = d->at_us,
            .title = d->title, .author = d->author, .recipients = d->recipients, .body = d->body }, NULL));
    }
    return E_OK;
}

static enum err_code index_account(struct cx *cx, struct search *s, size_t *did)
{
    for (;;) {
        struct batch b = { .search = s };
        TRY(store_read(s->index, cx, read_cursor, &b.seen));
        TRY(store_read(s->store, cx, read_batch, &b));
        if (!b.nevents)
            return E_OK;
        TRY(store_write_bulk(s->index, cx, write_batch, &b));
        *did += b.nevents;
        arena_reset(cx->arena);
    }
}

struct accounts {
    struct search_account_row *rows;
    size_t n;
};

static enum err_code read_accounts(struct cx *cx, struct db *db, void *arg)
{
    struct accounts *a = arg;
    return search_accounts(cx, db, (struct search_accounts_in){ 0 }, &a->rows, &a->n);
}

enum err_code search_run_once(struct cx *cx, struct search *s, size_t *ret_events)
{
    struct accounts a = { 0 };
    struct arena *arena = arena_new("search", BATCH_ARENA_BYTES);
    enum err_code e = store_read(s->store, cx, read_accounts, &a);
    *ret_events = 0;
    for (size_t i = 0; e == E_OK && i < a.n; i++) {
        struct cx inner = *cx;
        arena_reset(arena);
        inner.arena = arena;
        inner.account_id = a.rows[i].account_id;
        e = index_account(&inner, s, ret_events);
        if (e != E_OK) {
            cx->failure = inner.failure;
            cx->failure.message = arena_copy(cx->arena, inner.failure.message);
            cx->failure.detail = arena_copy(cx->arena, inner.failure.detail);
        }
    }
    arena_free(&arena);
    return e;
}

enum err_code search_lag(struct cx *cx, struct search *s, int64_t *ret_events)
{
    struct accounts a = { 0 };
    int64_t account_id = cx->account_id, seq = 0;
    TRY(store_read(s->store, cx, read_accounts, &a));
    *ret_events = 0;
    for (size_t i = 0; i < a.n; i++) {
        cx->account_id = a.rows[i].account_id;
        enum err_code e = store_read(s->index, cx, read_cursor, &seq);
        cx->account_id = account_id;
        TRY(e);
        *ret_events += a.rows[i].head - seq;
    }
    return E_OK;
}

static enum err_code reset(struct cx *cx, struct db *db, void *arg)
{
    (void)arg;
    TRY(index_docs_reset(cx, db, (struct index_docs_reset_in){ 0 }, NULL));
    return index_cursors_reset(cx, db, (struct index_cursors_reset_in){ 0 }, NULL);
}

enum err_code search_rebuild(struct cx *cx, struct search *s)
{
    size_t did = 0;
    TRY(store_write(s->index, cx, reset, NULL));
    return search_run_once(cx, s, &did);
}

/* ---- open, follow, close ---- */

static void remove_index(struct arena *arena, const char *path)
{
    static const char *const tails[] = { "", "-wal", "-shm" };
    for (size_t i = 0; i < COUNT(tails); i++)
        unlink(arena_printf(arena, "%s%s", path, tails[i]).ptr);
}

static enum err_code open_index(struct cx *cx, const char *path, struct store **ret)
{
    int applied = 0;
    struct store *index = NULL;
    TRY(store_open(cx, &(struct store_options){ .sqlite_path = path, .relaxed = true }, &index));
    enum err_code e = store_migrate(index, cx, &search_migrations, &applied);
    if (e != E_OK)
        store_close(&index);
    *ret = index;
    return e;
}

enum err_code search_open(struct cx *cx, struct store *store, struct blobs *blobs, const char *sqlite_path, struct search **ret)
{
    struct search *s = heap_new(sizeof *s);
    enum err_code e = E_OK;
    int applied = 0;
    s->store = s->index = store;
    s->blobs = blobs;
    if (store_kind(store) == STORE_POSTGRES) {
        e = store_migrate(store, cx, &search_migrations, &applied);
    } else {
        e = open_index(cx, sqlite_path, &s->index);
        if (e == E_INTERNAL || e == E_INVALID) {
            log_event(LOG_WARN, "search.index_rebuilt", F_TXT("path", sqlite_path), F_STR("why", cx->failure.message));
            remove_index(cx->arena, sqlite_path);
            e = open_index(cx, sqlite_path, &s->index);
        }
    }
    *ret = s;
    if (e != E_OK)
        search_close(ret);
    return e;
}

static void *follow(void *arg)
{
    struct search *s = arg;
    uint64_t heard = 0;
    struct arena *arena = arena_new("search-follow", 0);
    do {
        size_t did = 0;
        arena_reset(arena);
        struct cx cx = { .arena = arena, .now_us = clock_now_us(), .actor = STR("system") };
        if (search_run_once(&cx, s, &did) != E_OK)
            log_event(LOG_WARN, "search.behind", F_STR("why", cx.failure.detail.len ? cx.failure.detail : cx.failure.message));
    } while (store_bell_wait(s->bell, &heard, clock_now_us() + US_PER_SECOND));
    arena_free(&arena);
    return NULL;
}

void search_start(struct search *s)
{
    s->bell = store_bell_new(s->store);
    ASSERT(pthread_create(&s->thread, NULL, follow, s) == 0);
}

void search_close(struct search **search)
{
    struct search *s = *search;
    if (!s)
        return;
    if (s->bell) {
        store_bell_stop(s->bell);
        pthread_join(s->thread, NULL);
        store_bell_free(&s->bell);
    }
    if (s->index != s->store)
        store_close(&s->index);
    heap_free(s);
    *search = NULL;
}
