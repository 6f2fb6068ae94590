/* email_fetch.c - one round of one mailbox: what is new on the server is stored, and the place in the folder moves with it. */
#include "channels/email/email_internal.h"

enum { FETCH_BATCH = 32, FETCH_BYTES = 24 * 1024 * 1024 };

/* What one unit stores: mails, and how far the folder is read afterwards. */
struct fetched {
    struct email *email;
    const struct em_mailbox *mailbox;
    struct email_arrival items[FETCH_BATCH];
    struct str uidls[FETCH_BATCH];          /* POP3 */
    struct str refused[FETCH_BATCH];        /* why the mail itself was not taken over; ptr NULL: it was */
    size_t n, bytes;
    struct em_folder_put_in folder;
};

static enum err_code fetched_unit(struct cx *cx, struct db *db, void *arg)
{
    struct fetched *f = arg;
    for (size_t i = 0; i < f->n; i++) {
        int64_t mail_id = 0;
        if (f->refused[i].ptr)
            TRY(email_receive_refused(cx, db, &f->items[i], 0, f->refused[i]));
        else
            TRY(email_receive_in(cx, db, f->email, &f->items[i], &mail_id));
        if (f->uidls[i].len > 0)
            TRY(em_seen_put(cx, db, (struct em_seen_put_in){ cx->account_id, f->mailbox->id, f->uidls[i], cx->now_us }, NULL));
    }
    return f->folder.folder.len > 0 ? em_folder_put(cx, db, f->folder, NULL) : E_OK;
}

static enum err_code store(struct cx *cx, struct fetched *f)
{
    TRY(store_write(f->email->store, cx, fetched_unit, f));
    atomic_fetch_add_explicit(&f->email->counters.received, (int_fast64_t)f->n, memory_order_relaxed);
    if (f->n > 0)
        email_intake_wake(f->email);
    return E_OK;
}

static void keep(struct fetched *f, struct str raw, struct str uidl, struct str source_ref, bool historic, struct str refused)
{
    f->items[f->n] = (struct email_arrival){
        .raw = raw, .source = str_is(f->mailbox->in_kind, "pop3") ? STR("pop3") : STR("imap"), .source_ref = source_ref,
        .mailbox_id = f->mailbox->id, .recipient = f->mailbox->address, .historic = historic };
    f->uidls[f->n] = uidl;
    f->refused[f->n++] = refused;
    f->bytes += raw.len;
}

/* What a fetch said: a mail that is gone is no news, one that is too large is noted. */
static enum err_code take(struct cx *cx, struct fetched *f, enum err_code code, struct str raw, struct str uidl, struct str ref, bool historic)
{
    if (code == E_OK && raw.len > 0)
        keep(f, raw, uidl, ref, historic, STR_NONE);
    else if (code == E_LIMIT)
        keep(f, STR(""), uidl, ref, historic, arena_printf(cx->arena, "Larger than %d MiB: left on the server", EMAIL_MAX_BYTES >> 20));
    else if (code != E_OK && code != E_NOT_FOUND)
        return code;
    failure_clear(cx);
    return E_OK;
}

/* ---- IMAP ---- */

struct folder_read {
    const struct em_mailbox *mailbox;
    struct str folder;
    struct em_folder row;
    bool found;
};

static enum err_code folder_read(struct cx *cx, struct db *db, void *arg)
{
    struct folder_read *r = arg;
    struct em_folder *rows = NULL;
    size_t n = 0;
    TRY(em_folder_get(cx, db, (struct em_folder_get_in){ cx->account_id, r->mailbox->id, r->folder }, &rows, &n));
    r->found = n > 0;
    if (n > 0)
        r->row = rows[0];
    return E_OK;
}

static struct em_folder_put_in folder_row(struct cx *cx, const struct folder_read *r)
{
    return (struct em_folder_put_in){ cx->account_id, r->mailbox->id, r->folder, r->row.uid_validity, r->row.next_uid, r->row.mod_seq,
                                      r->row.backfill_uid, r->row.backfill_next };
}

static enum err_code first_uid_after(struct cx *cx, struct mailbox_session *session, const struct mailbox_folder_status *status, int64_t *ret)
{
    uint32_t *uids = NULL;
    size_t n = 0;
    *ret = status->uid_next;
    if (status->uid_next > 0)
        return E_OK;
    TRY(mailbox_uids(cx, session, 1, 0, &uids, &n));
    *ret = n > 0 ? (int64_t)uids[n - 1] + 1 : 1;
    return E_OK;
}

/* The first visit starts at the end; with renumbered UIDs all is read again from when the mailbox was connected, and what is
 * stored already is recognised by its content. */
static enum err_code place_in_folder(struct cx *cx, struct mailbox_session *session, const struct mailbox_folder_status *status,
                                     struct folder_read *r)
{
    bool renumbered = r->found && r->row.uid_validity != status->uid_validity;
    if (r->found && !renumbered)
        return E_OK;
    int64_t next = 0;
    TRY(first_uid_after(cx, session, status, &next));
    bool back = renumbered || r->mailbox->backfill_since_us > 0;
    r->row = (struct em_folder){ .uid_validity = status->uid_validity, .next_uid = next, .mod_seq = (int64_t)status->mod_seq,
                                 .backfill_uid = back ? next - 1 : 0, .backfill_next = 1 };
    return E_OK;
}

static enum err_code fetch_uids(struct cx *cx, struct mailbox_session *session, struct fetched *f, const uint32_t *uids, size_t n,
                                bool historic, int64_t *ret_last)
{
    for (size_t i = 0; i < n && f->n < FETCH_BATCH && f->bytes < FETCH_BYTES; i++) {
        struct str raw = STR("");
        enum err_code code = mailbox_fetch(cx, session, uids[i], EMAIL_MAX_BYTES, &raw);
        TRY(take(cx, f, code, raw, STR(""), arena_printf(cx->arena, "%.*s UID %u", STR_ARG(f->folder.folder), uids[i]), historic));
        *ret_last = uids[i];
    }
    return E_OK;
}

static enum err_code fetch_new(struct cx *cx, struct mailbox_session *session, struct fetched *f)
{
    uint32_t *uids = NULL;
    size_t n = 0, skip = 0;
    int64_t last = 0;
    TRY(mailbox_uids(cx, session, (uint32_t)f->folder.next_uid, 0, &uids, &n));
    while (skip < n && uids[skip] < f->folder.next_uid)     /* "n:*" always names the last one */
        skip++;
    TRY(fetch_uids(cx, session, f, uids + skip, n - skip, false, &last));
    f->folder.next_uid = MAX(f->folder.next_uid, last + 1);
    return E_OK;
}

/* Oldest first, so that a reply comes after what it answers. */
static enum err_code fetch_older(struct cx *cx, struct mailbox_session *session, struct fetched *f)
{
    int64_t since = f->mailbox->backfill_since_us > 0 ? f->mailbox->backfill_since_us : f->mailbox->created_us;
    uint32_t *uids = NULL;
    size_t n = 0, from = 0;
    int64_t last = 0;
    TRY(mailbox_uids_since(cx, session, since, &uids, &n));
    while (from < n && uids[from] < f->folder.backfill_next)
        from++;
    size_t to = from;
    while (to < n && uids[to] <= f->folder.backfill_uid)
        to++;
    TRY(fetch_uids(cx, session, f, uids + from, to - from, true, &last));
    if (last == 0)
        f->folder.backfill_uid = 0;     /* done */
    else
        f->folder.backfill_next = last + 1;
    return E_OK;
}

static enum err_code imap_round(struct cx *cx, struct email *email, const struct em_mailbox *mailbox, struct mailbox_session *session,
                                size_t *ret_stored, bool *ret_more)
{
    struct folder_read r = { .mailbox = mailbox, .folder = mailbox->in_folder.len > 0 ? mailbox->in_folder : STR("INBOX") };
    struct mailbox_folder_status status;
    TRY(mailbox_select(cx, session, r.folder, &status));
    TRY(store_read(email->store, cx, folder_read, &r));
    bool known = r.found && r.row.uid_validity == status.uid_validity;
    TRY(place_in_folder(cx, session, &status, &r));
    struct fetched *f = NEW(cx->arena, struct fetched);
    f->email = email;
    f->mailbox = mailbox;
    f->folder = folder_row(cx, &r);
    TRY(fetch_new(cx, session, f));
    bool back = f->n == 0 && f->folder.backfill_uid > 0;
    if (back)
        TRY(fetch_older(cx, session, f));
    *ret_stored += f->n;
    *ret_more = f->n > 0 || back || (!known && f->folder.backfill_uid > 0);
    return known && !*ret_more ? E_OK : store(cx, f);
}

/* ---- POP3 ---- */

struct seen_read { const struct em_mailbox *mailbox; struct em_uidl *rows; size_t n; };

static enum err_code seen_read(struct cx *cx, struct db *db, void *arg)
{
    struct seen_read *r = arg;
    return em_seen_list(cx, db, (struct em_seen_list_in){ cx->account_id, r->mailbox->id }, &r->rows, &r->n);
}

struct seen_all { const struct em_mailbox *mailbox; const struct mailbox_pop3_item *items; size_t n; struct em_folder_put_in folder; };

static enum err_code seen_all_unit(struct cx *cx, struct db *db, void *arg)
{
    const struct seen_all *s = arg;
    for (size_t i = 0; i < s->n; i++)
        TRY(em_seen_put(cx, db, (struct em_seen_put_in){ cx->account_id, s->mailbox->id, s->items[i].uidl, cx->now_us }, NULL));
    return em_folder_put(cx, db, s->folder, NULL);
}

/* POP3 has no dates: without back-fill the first visit takes what lies there as known. */
static enum err_code pop3_first_visit(struct cx *cx, struct email *email, const struct em_mailbox *mailbox,
                                      const struct mailbox_pop3_item *items, size_t n, bool *ret_all_known)
{
    struct folder_read r = { .mailbox = mailbox, .folder = STR("POP3") };
    TRY(store_read(email->store, cx, folder_read, &r));
    *ret_all_known = !r.found && mailbox->backfill_since_us == 0;
    if (r.found)
        return E_OK;
    struct seen_all all = { mailbox, items, *ret_all_known ? n : 0, folder_row(cx, &r) };
    return store_write(email->store, cx, seen_all_unit, &all);
}

static enum err_code pop3_round(struct cx *cx, struct email *email, const struct em_mailbox *mailbox, struct mailbox_session *session,
                                size_t *ret_stored, bool *ret_more)
{
    struct mailbox_pop3_item *items = NULL;
    size_t n = 0;
    bool all_known = false;
    struct seen_read seen = { .mailbox = mailbox };
    TRY(mailbox_pop3_list(cx, session, &items, &n));
    TRY(pop3_first_visit(cx, email, mailbox, items, n, &all_known));
    *ret_more = false;
    if (all_known)
        return E_OK;
    TRY(store_read(email->store, cx, seen_read, &seen));
    struct map *known = map_new(cx->arena);
    for (size_t i = 0; i < seen.n; i++)
        map_put(known, seen.rows[i].uidl, known);
    struct fetched *f = NEW(cx->arena, struct fetched);
    f->email = email;
    f->mailbox = mailbox;
    for (size_t i = 0; i < n; i++) {
        struct str raw = STR("");
        if (map_get(known, items[i].uidl))
            continue;
        if (f->n >= FETCH_BATCH || f->bytes >= FETCH_BYTES) {
            *ret_more = true;
            break;
        }
        enum err_code code = mailbox_pop3_fetch(cx, session, items[i].number, EMAIL_MAX_BYTES, &raw);
        TRY(take(cx, f, code, raw, items[i].uidl, arena_printf(cx->arena, "UIDL %.*s", STR_ARG(items[i].uidl)), false));
    }
    *ret_stored += f->n;
    return f->n > 0 ? store(cx, f) : E_OK;
}

enum err_code email_fetch_round(struct cx *cx, struct email *email, const struct em_mailbox *mailbox, struct mailbox_session *session,
                                size_t *ret_stored, bool *ret_more)
{
    return str_is(mailbox->in_kind, "pop3") ? pop3_round(cx, email, mailbox, session, ret_stored, ret_more)
                                            : imap_round(cx, email, mailbox, session, ret_stored, ret_more);
}

/* ---- a whole visit, for tests ---- */

struct mailbox_read { int64_t id; struct em_mailbox row; };

static enum err_code mailbox_read(struct cx *cx, struct db *db, void *arg)
{
    struct mailbox_read *r = arg;
    return em_mailbox_by_id(cx, db, (struct em_mailbox_by_id_in){ cx->account_id, r->id }, &r->row);
}

enum err_code email_mailbox_load(struct cx *cx, struct email *email, int64_t id, struct em_mailbox *ret)
{
    struct mailbox_read read = { .id = id };
    TRY(store_read(email->store, cx, mailbox_read, &read));
    *ret = read.row;
    return E_OK;
}

enum err_code email_follow_once(struct cx *cx, struct email *email, int64_t mailbox_id, size_t *ret_stored)
{
    struct em_mailbox mailbox;
    struct mailbox_server server;
    *ret_stored = 0;
    TRY(email_mailbox_load(cx, email, mailbox_id, &mailbox));
    TRY(email_incoming_server(cx, email, &mailbox, false, &server));
    struct mailbox_session *session = NULL;
    TRY(mailbox_open(cx, &server, &session));
    enum err_code code = E_OK;
    for (bool more = true; more && code == E_OK;)
        code = email_fetch_round(cx, email, &mailbox, session, ret_stored, &more);
    mailbox_close(&session);
    return code;
}
