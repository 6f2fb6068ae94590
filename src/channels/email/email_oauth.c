/* email_oauth.c - credentials of a mailbox: unsealed for use, access tokens renewed before they end. */
#include "channels/email/email_internal.h"

#define RENEW_BEFORE_US (2 * US_PER_MINUTE)

enum err_code email_oauth_read(struct cx *cx, const struct email *email, struct str sealed, struct oauth_settings *ret)
{
    struct str plain;
    struct json_value value;
    *ret = (struct oauth_settings){ 0 };
    if (sealed.len == 0)
        return E_OK;
    TRY(secrets_unseal(cx, email->secrets, sealed, &plain));
    TRY(json_parse(cx, plain, &value));
    ret->token_url = json_text(&value, "token_url");
    ret->client_id = json_text(&value, "client_id");
    ret->client_secret = json_text(&value, "client_secret");
    ret->refresh_token = json_text(&value, "refresh_token");
    ret->access_token = json_text(&value, "access_token");
    ret->expires_us = json_int(&value, "expires_us", 0);
    return E_OK;
}

struct str email_oauth_seal(struct arena *arena, const struct email *email, const struct oauth_settings *settings)
{
    struct buf out = buf_new(arena, 0);
    struct json_writer w = json_writer(&out);
    json_open_object(&w, NULL);
    json_put_text(&w, "token_url", settings->token_url);
    json_put_text(&w, "client_id", settings->client_id);
    json_put_text(&w, "client_secret", settings->client_secret);
    json_put_text(&w, "refresh_token", settings->refresh_token);
    json_put_text(&w, "access_token", settings->access_token);
    json_put_int(&w, "expires_us", settings->expires_us);
    json_close_object(&w);
    return secrets_seal(arena, email->secrets, buf_str(&out));
}

struct mailbox_oauth { int64_t mailbox_id; struct str sealed; };

static enum err_code oauth_load(struct cx *cx, struct db *db, void *arg)
{
    struct mailbox_oauth *m = arg;
    struct em_mailbox box;
    TRY(em_mailbox_by_id(cx, db, (struct em_mailbox_by_id_in){ cx->account_id, m->mailbox_id }, &box));
    m->sealed = box.oauth;
    return E_OK;
}

static enum err_code oauth_save(struct cx *cx, struct db *db, void *arg)
{
    const struct mailbox_oauth *m = arg;
    return em_mailbox_set_oauth(cx, db, (struct em_mailbox_set_oauth_in){ cx->account_id, m->mailbox_id, m->sealed }, NULL);
}

static enum err_code renew(struct cx *cx, struct email *email, int64_t mailbox_id, struct oauth_settings *settings)
{
    struct oauth_token token;
    struct oauth_client client = { settings->token_url, settings->client_id, settings->client_secret, settings->refresh_token, email->ca_file };
    TRY(oauth_refresh(cx, &client, &token));
    settings->access_token = token.access_token;
    settings->refresh_token = token.refresh_token.len > 0 ? token.refresh_token : settings->refresh_token;
    settings->expires_us = token.expires_us;
    if (mailbox_id == 0)        /* settings under test, not stored */
        return E_OK;
    struct mailbox_oauth save = { mailbox_id, email_oauth_seal(cx->arena, email, settings) };
    return store_write(email->store, cx, oauth_save, &save);
}

static enum err_code current(struct cx *cx, struct email *email, const struct em_mailbox *mailbox, bool fresh, struct str used, struct str *ret)
{
    struct oauth_settings settings;
    struct mailbox_oauth load = { mailbox->id, mailbox->oauth };
    if (mailbox->id > 0)        /* another thread may have renewed it meanwhile */
        TRY(store_read(email->store, cx, oauth_load, &load));
    TRY(email_oauth_read(cx, email, load.sealed, &settings));
    if (settings.token_url.len == 0 || settings.refresh_token.len == 0)
        return fail_field(cx, "oauth", "The mailbox has no OAuth settings");
    bool good = settings.access_token.len > 0 && settings.expires_us > cx->now_us + RENEW_BEFORE_US;
    if (!good || (fresh && str_eq(settings.access_token, used)))
        TRY(renew(cx, email, mailbox->id, &settings));
    *ret = settings.access_token;
    return E_OK;
}

static enum err_code access_token(struct cx *cx, struct email *email, const struct em_mailbox *mailbox, bool fresh, struct str *ret)
{
    struct oauth_settings before;
    TRY(email_oauth_read(cx, email, mailbox->oauth, &before));
    pthread_mutex_lock(&email->oauth_lock);
    enum err_code code = current(cx, email, mailbox, fresh, before.access_token, ret);
    pthread_mutex_unlock(&email->oauth_lock);
    return code;
}

static enum err_code unseal(struct cx *cx, const struct email *email, struct str sealed, struct str *ret)
{
    *ret = STR("");
    return sealed.len == 0 ? E_OK : secrets_unseal(cx, email->secrets, sealed, ret);
}

enum err_code email_incoming_server(struct cx *cx, struct email *email, const struct em_mailbox *mailbox, bool fresh, struct mailbox_server *ret)
{
    *ret = (struct mailbox_server){
        .kind = str_is(mailbox->in_kind, "pop3") ? MAILBOX_POP3 : MAILBOX_IMAP,
        .security = str_is(mailbox->in_security, "tls")        ? MAILBOX_TLS
                    : str_is(mailbox->in_security, "starttls") ? MAILBOX_STARTTLS
                                                               : MAILBOX_PLAIN,
        .host = mailbox->in_host, .user = mailbox->in_user, .port = (int)mailbox->in_port, .password = STR(""), .access_token = STR(""),
        .ca_file = email->ca_file,
    };
    return str_is(mailbox->in_auth, "xoauth2") ? access_token(cx, email, mailbox, fresh, &ret->access_token)
                                               : unseal(cx, email, mailbox->in_secret, &ret->password);
}

enum err_code email_outgoing_server(struct cx *cx, struct email *email, const struct em_mailbox *mailbox, bool fresh, struct smtp_server *ret)
{
    *ret = (struct smtp_server){
        .host = mailbox->out_host, .user = STR(""), .password = STR(""), .access_token = STR(""), .port = (int)mailbox->out_port,
        .security = str_is(mailbox->out_security, "tls")        ? SMTP_TLS
                    : str_is(mailbox->out_security, "starttls") ? SMTP_STARTTLS
                                                                : SMTP_PLAIN,
        .ca_file = email->ca_file, .helo = STR(""),
    };
    if (str_is(mailbox->out_auth, "none"))
        return E_OK;
    ret->user = mailbox->out_user;
    return str_is(mailbox->out_auth, "xoauth2") ? access_token(cx, email, mailbox, fresh, &ret->access_token)
                                                : unseal(cx, email, mailbox->out_secret, &ret->password);
}
