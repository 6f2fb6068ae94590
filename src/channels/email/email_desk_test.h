/* email_desk_test.h - an account with a mailbox, for the tests of this folder; they include testing.h before. */
#ifndef CAIRN_EMAIL_DESK_TEST_H
#define CAIRN_EMAIL_DESK_TEST_H

#include <stdio.h>

#include "channels/email/email_settings.h"

struct desk {
    struct world *w;
    struct cx *cx;
    struct blobs *blobs;
    struct secrets *secrets;
    struct email *email;
    int64_t account_id, user_id, mailbox_id;
    /* of the unit that runs: */
    const void *arg;
    int64_t ret;
};

typedef enum err_code desk_fn(struct cx *cx, struct db *db, struct desk *d);
struct desk_unit { desk_fn *fn; struct desk *d; };

static inline enum err_code desk_unit_run(struct cx *cx, struct db *db, void *arg)
{
    struct desk_unit *u = arg;
    return u->fn(cx, db, u->d);
}

static inline enum err_code desk_try(struct desk *d, desk_fn *fn, const void *arg)
{
    struct desk_unit u = { fn, d };
    d->arg = arg;
    return store_write(d->w->store, d->cx, desk_unit_run, &u);
}

/* In a unit that must go well. */
static inline int64_t desk_do(struct desk *d, desk_fn *fn, const void *arg)
{
    CHECK_OK(d->cx, desk_try(d, fn, arg));
    return d->ret;
}

static inline enum err_code desk_set_up(struct cx *cx, struct db *db, struct desk *d)
{
    struct accounts_setup setup = { .account_name = STR("Example Desk"), .admin_email = STR("agent@example.com"),
                                    .admin_name = STR("Alex Agent"), .password_hash = STR("x") };
    TRY(accounts_setup(cx, db, &setup));
    d->account_id = setup.account_id;
    d->user_id = setup.user_id;
    return E_OK;
}

struct desk_mailbox { const char *address, *trusted_host, *signature; int smtp_port; int64_t undo_seconds; bool quote; };

static inline enum err_code desk_add_mailbox(struct cx *cx, struct db *db, struct desk *d)
{
    const struct desk_mailbox *m = d->arg;
    struct em_mailbox box = email_mailbox_defaults();
    struct em_id id;
    TRY(em_mailbox_insert(cx, db, (struct em_mailbox_insert_in){
        .account_id = cx->account_id, .name = str_of(m->address), .address = str_of(m->address), .address_folded = str_of(m->address),
        .active = true, .in_kind = box.in_kind, .in_security = box.in_security, .in_auth = box.in_auth, .in_folder = box.in_folder,
        .in_trusted_host = str_of(m->trusted_host ? m->trusted_host : ""), .out_kind = STR("smtp"), .out_host = STR("127.0.0.1"),
        .out_port = m->smtp_port > 0 ? m->smtp_port : 9, .out_security = STR("none"), .out_auth = STR("none"),
        .signature = str_of(m->signature ? m->signature : ""), .quote_history = m->quote, .undo_seconds = m->undo_seconds,
        .now = cx->now_us }, &id));
    d->ret = id.id;
    return E_OK;
}

static inline int64_t desk_mailbox(struct desk *d, struct desk_mailbox m)
{
    return desk_do(d, desk_add_mailbox, &m);
}

static inline struct desk desk_open_with(struct world *w, struct desk_mailbox m, const char *lmtp_listen)
{
    struct desk d = { .w = w, .cx = &w->cx };
    CHECK_OK(d.cx, secrets_open(d.cx, w->dir, &d.secrets));
    d.blobs = blobs_new(w->dir);
    struct desk_unit u = { desk_set_up, &d };
    CHECK_OK(d.cx, store_write(w->store, d.cx, desk_unit_run, &u));
    d.cx->account_id = d.account_id;
    struct email_options options = { .store = w->store, .blobs = d.blobs, .secrets = d.secrets, .lmtp_listen = lmtp_listen };
    CHECK_OK(d.cx, email_start(d.cx, &options, &d.email));
    d.mailbox_id = desk_mailbox(&d, m);
    return d;
}

static inline struct desk desk_open(struct world *w)
{
    return desk_open_with(w, (struct desk_mailbox){ .address = "help@example.com", .trusted_host = "mx.example.com" }, NULL);
}

static inline void desk_close(struct desk *d)
{
    email_stop(&d->email);
    blobs_free(&d->blobs);
    secrets_free(&d->secrets);
}

/* ---- mail in ---- */

/* Line ends as in the mail. */
static inline struct str crlf(struct desk *d, struct str text)
{
    return str_replace(d->w->arena, text, STR("\n"), STR("\r\n"));
}

struct desk_row { int64_t id; struct em_mail row; };

static inline enum err_code desk_read_row(struct cx *cx, struct db *db, void *arg)
{
    struct desk_row *r = arg;
    return em_mail_by_id(cx, db, (struct em_mail_by_id_in){ cx->account_id, r->id }, &r->row);
}

static inline struct em_mail desk_row(struct desk *d, int64_t mail_id)
{
    struct desk_row r = { .id = mail_id };
    CHECK_OK(d->cx, store_read(d->w->store, d->cx, desk_read_row, &r));
    return r.row;
}

static inline int64_t desk_receive(struct desk *d, struct email_arrival arrival)
{
    int64_t id = 0;
    CHECK_OK(d->cx, email_receive(d->cx, d->email, &arrival, &id));
    return id;
}

static inline struct em_mail desk_deliver_to(struct desk *d, const char *recipient, struct str raw)
{
    int64_t id = desk_receive(d, (struct email_arrival){ .raw = raw, .source = STR("lmtp"), .source_ref = STR("127.0.0.1"),
                                                         .recipient = str_of(recipient), .envelope_from = STR("ann@example.org") });
    CHECK_OK(d->cx, email_process(d->cx, d->email, id));
    return desk_row(d, id);
}

static inline struct em_mail desk_deliver(struct desk *d, struct str text)
{
    return desk_deliver_to(d, "help@example.com", crlf(d, text));
}

/* "From: x, Subject: y, Message-ID: z" and more headers, with a body. */
static inline struct em_mail desk_mail(struct desk *d, const char *from, const char *subject, const char *id, const char *headers, const char *body)
{
    return desk_deliver(d, arena_printf(d->w->arena, "From: %s\nTo: help@example.com\nSubject: %s\nMessage-ID: <%s>\n"
                                        "Date: Mon, 5 Jan 2026 08:59:00 +0000\n%s\n%s\n", from, subject, id, headers, body));
}

/* ---- what there is ---- */

struct desk_ticket { int64_t id; struct ticket_brief row; struct message_full *messages; size_t n; };

static inline enum err_code desk_read_ticket(struct cx *cx, struct db *db, void *arg)
{
    struct desk_ticket *t = arg;
    TRY(tickets_get(cx, db, t->id, &t->row));
    return tickets_recent_messages(cx, db, t->id, 50, &t->messages, &t->n);
}

static inline struct desk_ticket desk_ticket(struct desk *d, int64_t id)
{
    struct desk_ticket t = { .id = id };
    CHECK_OK(d->cx, store_read(d->w->store, d->cx, desk_read_ticket, &t));
    return t;
}

struct desk_message { int64_t id; struct message_full row; };

static inline enum err_code desk_read_message(struct cx *cx, struct db *db, void *arg)
{
    struct desk_message *m = arg;
    return tickets_message(cx, db, m->id, &m->row);
}

static inline struct message_full desk_message(struct desk *d, int64_t id)
{
    struct desk_message m = { .id = id };
    CHECK_OK(d->cx, store_read(d->w->store, d->cx, desk_read_message, &m));
    return m.row;
}

static inline bool desk_evidence(const struct em_mail *row, const char *kind)
{
    char key[64];
    snprintf(key, sizeof key, "\"kind\":\"%s\"", kind);
    return str_find(row->evidence, str_of(key)) >= 0;
}

/* ---- replies ---- */

struct desk_reply { int64_t ticket_id; const char *text; const char *to[4], *cc[4], *bcc[4]; bool automatic; int64_t send_at_us; };

static inline size_t desk_list(struct arena *arena, const char *const *texts, struct str **ret)
{
    size_t n = 0;
    *ret = NEWN(arena, struct str, 4);
    for (; n < 4 && texts[n]; n++)
        (*ret)[n] = str_of(texts[n]);
    return n;
}

/* What tickets does for POST …/messages. */
static inline enum err_code desk_write_reply(struct cx *cx, struct db *db, struct desk *d)
{
    const struct desk_reply *r = d->arg;
    struct new_message message = { .author_kind = r->automatic ? STR("system") : STR("user"), .author_id = r->automatic ? 0 : d->user_id,
                                   .channel = STR("email"), .text = str_of(r->text), .html = STR_NONE, .quoted_text = STR_NONE,
                                   .quoted_html = STR_NONE, .automatic = r->automatic };
    struct reply_request request = { .message = &message, .send_at_us = r->send_at_us };
    struct str *to, *cc, *bcc;
    request.nto = desk_list(cx->arena, r->to, &to);
    request.ncc = desk_list(cx->arena, r->cc, &cc);
    request.nbcc = desk_list(cx->arena, r->bcc, &bcc);
    request.to = to;
    request.cc = cc;
    request.bcc = bcc;
    request.cc_given = request.ncc > 0;
    struct ticket_made made;
    TRY(tickets_get(cx, db, r->ticket_id, &request.ticket));
    TRY(email_prepare(cx, db, &request, d->email));
    TRY(tickets_add_message(cx, db, r->ticket_id, &message, &made));
    TRY(email_enqueue(cx, db, &request, made.message_id, d->email));
    d->ret = made.message_id;
    return E_OK;
}

static inline struct message_full desk_reply(struct desk *d, struct desk_reply reply)
{
    return desk_message(d, desk_do(d, desk_write_reply, &reply));
}

/* Runs what is due of the outbox; how many jobs ran. */
static inline size_t desk_run_outbox(struct desk *d)
{
    struct job_kind kinds[4];
    size_t n = email_job_kinds(d->email, kinds), ran = 0;
    int64_t account_id = d->cx->account_id;
    CHECK_OK(d->cx, jobs_run_due(d->w->store, d->cx, kinds, n, &ran));
    d->cx->account_id = account_id;
    return ran;
}

#endif
