/*
 * email_outbox.c - mail leaves once.
 *
 * Before the SMTP talk the finished mail is stored and its row says `sending`;
 * after it the row says how it ended.  A row that is found in `sending` belongs
 * to a process that died in between: nobody knows whether the server took the
 * mail, so it is not sent again by itself but shown as failed, and an agent
 * decides.  The same holds when the connection broke after the final dot.
 *
 * A row is moved by the job that it names and by no other; a row that leaves
 * but names no living job gets a new one when the program starts.
 */
#include <time.h>

#include "channels/email/email_internal.h"
#include "platform/dkim/dkim.h"

enum { RECORD_TRIES = 5 };
#define BACKOFF_FIRST_US (1 * US_PER_MINUTE)
#define BACKOFF_MOST_US  (4 * US_PER_HOUR)
#define MAY_HAVE_ARRIVED "It may have been delivered: "

/* ---- in the unit of the reply ---- */

/* Without a key: the job of the attempt before may still be ending when a mail is sent again. */
static enum err_code add_job(struct cx *cx, struct db *db, int64_t mail_id, int64_t run_at_us, int64_t *ret_job)
{
    return jobs_add(cx, db, &(struct job){
        .account_id = cx->account_id, .kind = STR("email.send"),
        .payload = arena_printf(cx->arena, "{\"mail_id\":\"%lld\"}", (long long)mail_id), .run_at_us = run_at_us }, ret_job);
}

enum err_code email_enqueue(struct cx *cx, struct db *db, const struct reply_request *request, int64_t message_id, void *arg)
{
    const struct email *email = arg;
    int64_t mail_id = request->message->mail_id, job_id = 0;
    struct str address = email_addresses_read(cx, request->message->addresses, "from").items[0].address;
    struct str domain = str_skip(address, (size_t)str_rchr(address, '@') + 1);
    struct message_full message;
    TRY(tickets_message(cx, db, message_id, &message));     /* its ticket: the target when that was merged */
    struct ticket_brief ticket;
    TRY(tickets_get(cx, db, message.ticket_id, &ticket));
    struct str header = email_message_id_make(cx->arena, email, cx->account_id, (struct email_token){ ticket.id, ticket.requester_id },
                                              mail_id, domain);
    TRY(add_job(cx, db, mail_id, request->message->send_at_us, &job_id));
    TRY(em_mail_enqueue(cx, db, (struct em_mail_enqueue_in){ cx->account_id, mail_id, header, ticket.id, message_id, job_id, cx->now_us }, NULL));
    return em_reference_put(cx, db, (struct em_reference_put_in){ cx->account_id, STR("message_id"), header, ticket.id, message_id, cx->now_us },
                            NULL);
}

static enum err_code mail_of_message(struct cx *cx, struct db *db, int64_t message_id, struct em_mail *ret)
{
    struct message_full message;
    TRY(tickets_message(cx, db, message_id, &message));
    if (message.mail_id == 0)
        return fail(cx, E_CONFLICT, "This message was never a mail");
    TRY(em_mail_by_id(cx, db, (struct em_mail_by_id_in){ cx->account_id, message.mail_id }, ret));
    return str_is(ret->direction, "out") ? E_OK : fail(cx, E_CONFLICT, "This message came in by mail");
}

enum err_code email_cancel(struct cx *cx, struct db *db, int64_t message_id, bool *ret_cancelled, void *arg)
{
    struct em_mail mail;
    int64_t changed = 0;
    *ret_cancelled = false;
    TRY(mail_of_message(cx, db, message_id, &mail));
    TRY(em_mail_cancel(cx, db, (struct em_mail_cancel_in){ cx->account_id, mail.id, cx->now_us }, &changed));
    if (changed == 0)
        return E_OK;
    *ret_cancelled = true;
    bool job_done = false;      /* a job that runs already finds the row cancelled and ends */
    return jobs_cancel(cx, db, cx->account_id, mail.job_id, &job_done);
}

enum err_code email_resend(struct cx *cx, struct db *db, int64_t message_id, void *arg)
{
    struct em_mail mail;
    int64_t job_id = 0, changed = 0;
    TRY(mail_of_message(cx, db, message_id, &mail));
    TRY(add_job(cx, db, mail.id, 0, &job_id));
    TRY(em_mail_again(cx, db, (struct em_mail_again_in){ cx->account_id, mail.id, job_id, cx->now_us }, &changed));
    if (changed == 0)
        return fail(cx, E_CONFLICT, "Only a failed mail can be sent again; this one is %.*s", STR_ARG(mail.state));
    return tickets_set_delivery(cx, db, message_id, STR("queued"), STR(""));
}

/* ---- how it ended ---- */

struct outcome {
    const struct em_mail *row;
    const char *was, *state;        /* of the mail row; "queued" again after a temporary failure */
    struct str detail;
};

static enum err_code outcome_unit(struct cx *cx, struct db *db, void *arg)
{
    const struct outcome *o = arg;
    bool sent = str_is(str_of(o->state), "sent");
    /* What was accepted is sent, even when another process gave us up meanwhile, or an agent wants it sent again. */
    const char *const was[] = { o->was, "failed", "queued" };
    int64_t changed = 0;
    for (size_t i = 0; i < (sent ? COUNT(was) : 1) && changed == 0; i++)
        TRY(em_mail_outcome(cx, db, (struct em_mail_outcome_in){ cx->account_id, o->row->id, str_of(was[i]), str_of(o->state), o->detail,
                            cx->now_us }, &changed));
    if (changed == 0)       /* a report or an answer was faster than we are */
        return E_OK;
    TRY(tickets_set_delivery(cx, db, o->row->message_id, str_of(o->state), o->detail));
    if (str_is(str_of(o->state), "queued"))
        return E_OK;
    return email_emit(cx, db, sent ? STR("mail.sent") : STR("mail.failed"), o->row->ticket_id, o->row->message_id, email_note(cx->arena, "detail", o->detail));
}

/* What a server accepted must be written down: a short trouble of the database is waited out. */
static enum err_code record(struct cx *cx, struct email *email, const struct outcome *outcome)
{
    enum err_code code = E_OK;
    for (int i = 0; i < RECORD_TRIES; i++) {
        failure_clear(cx);
        code = store_write(email->store, cx, outcome_unit, (void *)(uintptr_t)outcome);
        if (code != E_BUSY)
            break;
        nanosleep(&(struct timespec){ .tv_nsec = 200 * 1000 * 1000 }, NULL);
    }
    return code;
}

static int64_t backoff_us(int64_t attempt)
{
    int64_t wait = BACKOFF_FIRST_US;
    for (int64_t i = 1; i < attempt && wait < BACKOFF_MOST_US; i++)
        wait *= 2;
    wait = MIN(wait, BACKOFF_MOST_US);
    return wait + (int64_t)(rand_u64() % (uint64_t)(wait / 5));
}

/* Certainly not accepted: try later, or give up after the last attempt. */
static enum err_code try_later(struct cx *cx, struct email *email, const struct em_mail *row, const char *was, struct str why, const struct job *job)
{
    if (job->attempt >= job->max_attempts && job->max_attempts > 0) {
        atomic_fetch_add_explicit(&email->counters.failed, 1, memory_order_relaxed);
        struct str text = arena_printf(cx->arena, "Given up after %lld attempts: %.*s", (long long)job->attempt, STR_ARG(why));
        return record(cx, email, &(struct outcome){ row, was, "failed", text });
    }
    atomic_fetch_add_explicit(&email->counters.retried, 1, memory_order_relaxed);
    TRY(record(cx, email, &(struct outcome){ row, was, "queued", arena_printf(cx->arena, "Will be tried again: %.*s", STR_ARG(why)) }));
    enum err_code code = fail_busy(cx, "%.*s", STR_ARG(why));
    cx->failure.retry_after_us = backoff_us(job->attempt);
    return code;
}

static enum err_code give_up(struct cx *cx, struct email *email, const struct em_mail *row, const char *was, struct str why)
{
    atomic_fetch_add_explicit(&email->counters.failed, 1, memory_order_relaxed);
    return record(cx, email, &(struct outcome){ row, was, "failed", why });
}

/* ---- the job ---- */

struct compose_read { struct email *email; int64_t mail_id; struct outgoing *out; };

static bool leaves(struct str state)
{
    return str_is(state, "held") || str_is(state, "queued");
}

static enum err_code compose_read(struct cx *cx, struct db *db, void *arg)
{
    struct compose_read *read = arg;
    struct em_mail *row = &read->out->row;
    TRY(em_mail_by_id(cx, db, (struct em_mail_by_id_in){ cx->account_id, read->mail_id }, row));
    return leaves(row->state) ? email_compose(cx, db, read->email, read->out) : E_OK;
}

struct begin_unit { struct email *email; const struct outgoing *out; int64_t began; };

static enum err_code begin_unit(struct cx *cx, struct db *db, void *arg)
{
    struct begin_unit *begin = arg;
    const struct em_mail *row = &begin->out->row;
    struct str hash;
    TRY(blob_put(cx, db, begin->email->blobs, begin->out->raw, &hash));
    TRY(em_mail_sending(cx, db, (struct em_mail_sending_in){ cx->account_id, row->id, row->job_id, hash, (int64_t)begin->out->raw.len,
                        cx->now_us }, &begin->began));
    if (begin->began == 0 || !str_is(row->state, "held"))
        return E_OK;
    return tickets_set_delivery(cx, db, row->message_id, STR("queued"), STR(""));
}

/* Signed once; a mail that is tried again stays the same to the byte. */
static enum err_code sign(struct cx *cx, const struct email *email, struct outgoing *out)
{
    const struct em_mailbox *box = &out->mailbox;
    if (out->row.raw_hash.len > 0 || box->dkim_key.len == 0 || box->dkim_domain.len == 0)
        return E_OK;
    struct str key;
    TRY(secrets_unseal(cx, email->secrets, box->dkim_key, &key));
    return dkim_sign_mail(cx, box->dkim_domain, box->dkim_selector, key, out->raw, cx->now_us, &out->raw);
}

static struct str sent_detail(struct cx *cx, const struct outgoing *out, const struct smtp_result *result)
{
    struct buf text = buf_new(cx->arena, 0);
    buf_add(&text, utf8_repair(cx->arena, utf8_cut(result->answer, 300), true));
    for (size_t i = 0; i < result->nrefused; i++)
        buf_printf(&text, "%s%.*s", i == 0 ? "; refused for " : ", ", STR_ARG(result->refused[i]));
    if (out->withheld.len > 0)
        buf_printf(&text, "; not sent to %.*s", STR_ARG(out->withheld));
    return buf_str(&text);
}

static enum err_code talk(struct cx *cx, struct email *email, const struct outgoing *out, const struct smtp_server *server, const struct job *job)
{
    struct smtp_result result = { 0 };
    enum err_code code = smtp_send(cx, server, out->envelope_from, out->recipients, out->nrecipients, out->raw, &result);
    if (code != E_OK)
        return give_up(cx, email, &out->row, "sending", arena_copy(cx->arena, cx->failure.message));
    struct str detail = sent_detail(cx, out, &result);
    bool sign_in = result.code == 530 || result.code == 534 || result.code == 535;    /* our settings, not this mail */
    switch (result.outcome) {
    case SMTP_SENT:
        atomic_fetch_add_explicit(&email->counters.sent, 1, memory_order_relaxed);
        return record(cx, email, &(struct outcome){ &out->row, "sending", "sent", detail });
    case SMTP_TEMPORARY:
        return try_later(cx, email, &out->row, "sending", detail, job);
    case SMTP_PERMANENT:
        return sign_in ? try_later(cx, email, &out->row, "sending", detail, job) : give_up(cx, email, &out->row, "sending", detail);
    case SMTP_UNKNOWN:
        break;
    }
    atomic_fetch_add_explicit(&email->counters.unknown, 1, memory_order_relaxed);
    return give_up(cx, email, &out->row, "sending", arena_printf(cx->arena, MAY_HAVE_ARRIVED "%.*s", STR_ARG(detail)));
}

static enum err_code dispatch(struct cx *cx, struct email *email, struct outgoing *out, const struct job *job)
{
    struct smtp_server server;
    if (out->nrecipients == 0)
        return give_up(cx, email, &out->row, out->row.state.ptr, arena_printf(cx->arena, "Nobody left to send to: %.*s", STR_ARG(out->withheld)));
    enum err_code code = email_outgoing_server(cx, email, &out->mailbox, job->attempt > 1, &server);
    if (code == E_BUSY || code == E_UNAUTHENTICATED)
        return try_later(cx, email, &out->row, out->row.state.ptr, arena_copy(cx->arena, cx->failure.message), job);
    if (code == E_OK)
        code = sign(cx, email, out);
    if (code != E_OK)
        return give_up(cx, email, &out->row, out->row.state.ptr, arena_copy(cx->arena, cx->failure.message));
    struct begin_unit begin = { email, out, 0 };
    TRY(store_write(email->store, cx, begin_unit, &begin));
    return begin.began == 0 ? E_OK : talk(cx, email, out, &server, job);    /* 0: taken back in time */
}

enum err_code email_outbox_run(struct cx *cx, struct store *store, const struct job *job, void *arg)
{
    struct email *email = arg;
    struct json_value payload;
    cx->account_id = job->account_id;
    cx->actor = STR("system");
    TRY(json_parse(cx, job->payload, &payload));
    struct outgoing out = { 0 };
    struct compose_read read = { email, json_int(&payload, "mail_id", 0), &out };
    enum err_code code = store_read(store, cx, compose_read, &read);
    if (code != E_OK && code != E_BUSY && leaves(out.row.state) && out.row.job_id == job->id)
        return give_up(cx, email, &out.row, out.row.state.ptr, arena_copy(cx->arena, cx->failure.message));
    TRY(code);
    if (out.row.job_id != job->id)
        return E_OK;
    if (str_is(out.row.state, "sending")) {
        atomic_fetch_add_explicit(&email->counters.unknown, 1, memory_order_relaxed);
        return give_up(cx, email, &out.row, "sending", STR(MAY_HAVE_ARRIVED "the program ended while the mail was leaving"));
    }
    return leaves(out.row.state) ? dispatch(cx, email, &out, job) : E_OK;
}

/* ---- after a start ---- */

static enum err_code recover_unit(struct cx *cx, struct db *db, void *arg)
{
    const char *const states[] = { "held", "queued", "sending" };
    for (size_t s = 0; s < COUNT(states); s++) {
        struct em_leaving *rows = NULL;
        size_t n = 0;
        int64_t after_id = 0, job_id = 0;
        do {
            TRY(em_mail_leaving(cx, db, (struct em_mail_leaving_in){ cx->account_id, after_id, str_of(states[s]), 500 }, &rows, &n));
            for (size_t i = 0; i < n; i++) {
                bool alive = false;
                after_id = rows[i].id;
                TRY(jobs_alive(cx, db, cx->account_id, rows[i].job_id, &alive));
                if (alive)
                    continue;
                TRY(add_job(cx, db, rows[i].id, 0, &job_id));
                TRY(em_mail_set_job(cx, db, (struct em_mail_set_job_in){ cx->account_id, rows[i].id, job_id }, NULL));
                log_event(LOG_WARN, "mail.recovered", F_INT("account_id", cx->account_id), F_INT("mail_id", rows[i].id));
            }
        } while (n > 0);
    }
    return E_OK;
}

enum err_code email_outbox_recover(struct cx *cx, struct email *email)
{
    return store_write(email->store, cx, recover_unit, NULL);
}
