/* email.c - starts and stops the e-mail channel. */
#include "channels/email/email_internal.h"

static struct email *running;

struct email *email_running(void)
{
    return running;
}

enum err_code email_emit(struct cx *cx, struct db *db, struct str type, int64_t ticket_id, int64_t subject_id, struct str data)
{
    struct event event = { .account_id = cx->account_id, .type = type, .ticket_id = ticket_id, .subject_id = subject_id,
                           .data = data.len > 0 ? data : STR("{}") };
    struct ticket_brief ticket;
    if (ticket_id > 0 && tickets_get(cx, db, ticket_id, &ticket) == E_OK) {
        event.team_id = ticket.team_id;
        event.assignee_id = ticket.assignee_id;
    }
    return journal_append(cx, db, &event);
}

struct str email_note(struct arena *arena, const char *name, struct str text)
{
    return arena_printf(arena, "{\"%s\":%.*s}", name, STR_ARG(json_quote(arena, text)));
}

static void set_up(struct cx *cx, struct email *email, const struct email_options *options)
{
    email->store = options->store;
    email->blobs = options->blobs;
    email->secrets = options->secrets;
    email->ca_file = options->ca_file ? heap_copy(str_of(options->ca_file)) : NULL;
    email->public_url = options->public_url ? heap_copy(str_of(options->public_url)) : NULL;
    struct str key = secrets_key(cx->arena, options->secrets, "mail-token");
    ASSERT(key.len == sizeof(email->token_key));
    memcpy(email->token_key, key.ptr, sizeof(email->token_key));
    struct str owner = rand_token(cx->arena, 24);
    memcpy(email->owner, owner.ptr, MIN(owner.len, sizeof(email->owner) - 1));
    pthread_mutex_init(&email->oauth_lock, NULL);
    pthread_mutex_init(&email->intake.lock, NULL);
    pthread_cond_init(&email->intake.news, NULL);
}

enum err_code email_start(struct cx *cx, const struct email_options *options, struct email **ret)
{
    struct email *email = heap_new(sizeof(*email));
    set_up(cx, email, options);
    running = email;
    tickets_register_channel(&(struct channel){
        .name = "email", .preview = email_preview, .prepare = email_prepare, .enqueue = email_enqueue, .cancel = email_cancel,
        .resend = email_resend, .arg = email });
    if (options->lmtp_listen) {
        enum err_code code = email_lmtp_begin(cx, email, options->lmtp_listen);
        if (code != E_OK) {
            email_stop(&email);
            return code;
        }
    }
    if (options->run_intake)
        email_intake_start(email);
    if (options->poll_mailboxes)
        email->followers = followers_start(email);
    *ret = email;
    return E_OK;
}

void email_stop(struct email **email)
{
    struct email *e = *email;
    if (!e)
        return;
    lmtp_stop(&e->lmtp);
    followers_stop(&e->followers);
    email_intake_stop(e);
    pthread_cond_destroy(&e->intake.news);
    pthread_mutex_destroy(&e->intake.lock);
    pthread_mutex_destroy(&e->oauth_lock);
    heap_free(e->ca_file);
    heap_free(e->public_url);
    memset(e->token_key, 0, sizeof(e->token_key));
    if (running == e)
        running = NULL;
    heap_free(e);
    *email = NULL;
}

size_t email_job_kinds(struct email *email, struct job_kind *ret)
{
    /* The SMTP talk is bounded well below the lease: no second worker takes a mail that is still leaving. */
    ret[0] = (struct job_kind){ .kind = "email.send", .run = email_outbox_run, .arg = email, .max_attempts = 24,
                                .lease_us = 15 * US_PER_MINUTE, .threads = 4 };
    return 1;
}

void email_metrics(struct email *email, struct buf *out)
{
    const struct { const char *name, *help; atomic_int_fast64_t *value; } counters[] = {
        { "received", "Mails taken over", &email->counters.received },
        { "stored", "Mails that became a message", &email->counters.stored },
        { "duplicate", "Mails that were there already", &email->counters.duplicates },
        { "swallowed", "Own mails that came back, foreign reports", &email->counters.swallowed },
        { "quarantined", "Mails set aside", &email->counters.quarantined },
        { "sent", "Mails accepted by a server", &email->counters.sent },
        { "failed", "Mails given up", &email->counters.failed },
        { "unknown", "Mails of unknown fate", &email->counters.unknown },
        { "bounced", "Mails reported as undeliverable", &email->counters.bounced },
        { "retried", "Sending attempts put off", &email->counters.retried },
    };
    for (size_t i = 0; i < COUNT(counters); i++)
        buf_printf(out, "# HELP cairn_mail_%s_total %s.\n# TYPE cairn_mail_%s_total counter\ncairn_mail_%s_total %lld\n", counters[i].name,
                   counters[i].help, counters[i].name, counters[i].name, (long long)atomic_load(counters[i].value));
}
