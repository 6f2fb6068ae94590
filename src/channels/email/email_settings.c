/* email_settings.c - the settings of a mailbox: what was given over what is there, checked as a whole. */
#include "channels/email/email_settings.h"
#include "platform/dkim/dkim.h"

struct em_mailbox email_mailbox_defaults(void)
{
    return (struct em_mailbox){
        .active = true, .in_kind = STR("none"), .in_security = STR("tls"), .in_auth = STR("password"), .in_folder = STR("INBOX"),
        .out_kind = STR("none"), .out_security = STR("tls"), .out_auth = STR("password"), .undo_seconds = 10, .in_host = STR(""),
        .in_user = STR(""), .in_trusted_host = STR(""), .out_host = STR(""), .out_user = STR(""), .dkim_domain = STR(""),
        .dkim_selector = STR(""), .signature = STR(""), .from_name = STR(""), .name = STR(""), .address = STR(""),
    };
}

static void set(struct str *value, struct str given)
{
    if (given.ptr)
        *value = str_trim(given);
}

/* An empty password takes the stored one away. */
static void set_secret(struct cx *cx, const struct email *email, struct str *sealed, struct str given)
{
    if (given.ptr)
        *sealed = given.len > 0 ? secrets_seal(cx->arena, email->secrets, given) : STR_NONE;
}

static bool host_ok(struct str host)
{
    for (size_t i = 0; i < host.len; i++)
        if ((unsigned char)host.ptr[i] <= ' ' || strchr("/@\"'<>\\", host.ptr[i]))
            return false;
    return host.len > 0;
}

static void apply_incoming(struct cx *cx, const struct email *email, const struct incoming_in *in, struct em_mailbox *box)
{
    set(&box->in_kind, in->kind);
    set(&box->in_host, in->host);
    set(&box->in_security, in->security);
    set(&box->in_auth, in->auth);
    set(&box->in_user, in->user);
    set(&box->in_folder, in->folder);
    set(&box->in_trusted_host, in->trusted_host);
    set_secret(cx, email, &box->in_secret, in->password);
    if (in->port > 0 || in->kind.ptr || in->security.ptr)
        box->in_port = in->port;        /* 0: the usual one */
}

static enum err_code check_incoming(struct cx *cx, struct em_mailbox *box)
{
    bool tls = str_is(box->in_security, "tls"), pop3 = str_is(box->in_kind, "pop3");
    if (box->in_folder.len == 0)
        box->in_folder = STR("INBOX");
    if (str_is(box->in_kind, "none"))
        return E_OK;
    if (box->in_port == 0)
        box->in_port = pop3 ? (tls ? 995 : 110) : (tls ? 993 : 143);
    if (!host_ok(box->in_host))
        return fail_field(cx, "incoming.host", "Name the server that holds the mailbox");
    if (box->in_user.len == 0)
        return fail_field(cx, "incoming.user", "Name the user of the mailbox");
    if (str_is(box->in_auth, "password") && box->in_secret.len == 0)
        return fail_field(cx, "incoming.password", "Give the password of the mailbox");
    if (str_is(box->in_auth, "xoauth2") && box->oauth.len == 0)
        return fail_field(cx, "oauth", "xoauth2 needs the OAuth settings");
    return E_OK;
}

static void apply_outgoing(struct cx *cx, const struct email *email, const struct outgoing_in *in, struct em_mailbox *box)
{
    set(&box->out_kind, in->kind);
    set(&box->out_host, in->host);
    set(&box->out_security, in->security);
    set(&box->out_auth, in->auth);
    set(&box->out_user, in->user);
    set_secret(cx, email, &box->out_secret, in->password);
    if (in->port > 0 || in->kind.ptr || in->security.ptr)
        box->out_port = in->port;
}

static enum err_code check_outgoing(struct cx *cx, struct em_mailbox *box)
{
    if (str_is(box->out_kind, "none"))
        return E_OK;
    if (box->out_port == 0)
        box->out_port = str_is(box->out_security, "tls") ? 465 : str_is(box->out_security, "starttls") ? 587 : 25;
    if (!host_ok(box->out_host))
        return fail_field(cx, "outgoing.host", "Name the server that sends the mail");
    if (str_is(box->out_auth, "none"))
        return E_OK;
    if (box->out_user.len == 0)
        return fail_field(cx, "outgoing.user", "Name the user, or choose no sign-in");
    if (str_is(box->out_auth, "password") && box->out_secret.len == 0)
        return fail_field(cx, "outgoing.password", "Give the password, or choose no sign-in");
    if (str_is(box->out_auth, "xoauth2") && box->oauth.len == 0)
        return fail_field(cx, "oauth", "xoauth2 needs the OAuth settings");
    return E_OK;
}

/* A token must not travel in the clear, except to a server on this machine. */
static bool token_url_ok(struct str url)
{
    return str_starts(url, STR("https://")) || str_starts(url, STR("http://127.0.0.1:")) || str_starts(url, STR("http://[::1]:"));
}

static enum err_code apply_oauth(struct cx *cx, const struct email *email, const struct oauth_in *in, struct em_mailbox *box)
{
    struct oauth_settings settings;
    if (!in) {
        box->oauth = STR_NONE;
        return E_OK;
    }
    TRY(email_oauth_read(cx, email, box->oauth, &settings));
    struct oauth_settings before = settings;
    set(&settings.token_url, in->token_url);
    set(&settings.client_id, in->client_id);
    set(&settings.client_secret, in->client_secret);
    set(&settings.refresh_token, in->refresh_token);
    if (!token_url_ok(settings.token_url))
        return fail_field(cx, "oauth.token_url", "Give the https address of the token endpoint");
    if (settings.client_id.len == 0)
        return fail_field(cx, "oauth.client_id", "Give the client id");
    if (settings.refresh_token.len == 0)
        return fail_field(cx, "oauth.refresh_token", "Give the refresh token");
    bool same = str_eq(before.token_url, settings.token_url) && str_eq(before.client_id, settings.client_id)
                && str_eq(before.refresh_token, settings.refresh_token);
    if (!same) {    /* the access token belonged to the old grant */
        settings.access_token = STR("");
        settings.expires_us = 0;
    }
    box->oauth = email_oauth_seal(cx->arena, email, &settings);
    return E_OK;
}

/* The key must sign a mail now, not fail at the first reply. */
static enum err_code check_dkim(struct cx *cx, const struct em_mailbox *box, struct str key)
{
    struct str sample = arena_printf(cx->arena, "From: <%.*s>\r\nSubject: test\r\n\r\ntest\r\n", STR_ARG(box->address)), signed_mail;
    enum err_code code = dkim_sign_mail(cx, box->dkim_domain, box->dkim_selector, key, sample, cx->now_us, &signed_mail);
    if (code == E_INVALID)
        cx->failure.field = "dkim.key";
    return code;
}

static enum err_code apply_dkim(struct cx *cx, const struct email *email, const struct dkim_in *in, struct em_mailbox *box)
{
    if (!in) {
        box->dkim_domain = box->dkim_selector = STR("");
        box->dkim_key = STR_NONE;
        return E_OK;
    }
    set(&box->dkim_domain, in->domain);
    set(&box->dkim_selector, in->selector);
    set_secret(cx, email, &box->dkim_key, in->key);
    if (box->dkim_key.len == 0)
        return E_OK;
    struct str key;
    if (!host_ok(box->dkim_domain))
        return fail_field(cx, "dkim.domain", "Give the domain that signs");
    if (!host_ok(box->dkim_selector))
        return fail_field(cx, "dkim.selector", "Give the selector under which the public key stands in DNS");
    TRY(secrets_unseal(cx, email->secrets, box->dkim_key, &key));
    return check_dkim(cx, box, key);
}

static enum err_code apply_plain(struct cx *cx, struct db *db, const struct mailbox_in *in, struct em_mailbox *box)
{
    set(&box->address, in->address);
    set(&box->name, in->name);
    set(&box->from_name, in->from_name);
    if (in->signature.ptr)
        box->signature = in->signature;
    if (in->has_team_id) {
        box->team_id = in->team_id;
        if (in->team_id > 0)
            TRY(accounts_check_team(cx, db, in->team_id, "team_id"));
    }
    if (in->has_active)
        box->active = in->active;
    if (in->has_quote_history)
        box->quote_history = in->quote_history;
    if (in->has_undo_seconds)
        box->undo_seconds = in->undo_seconds;
    bool tested_without = in->mailbox_id == 0 && in->address.ptr == NULL && box->address.len == 0;
    if (!tested_without && !mail_address_valid(box->address))
        return fail_field(cx, "address", "This is not an e-mail address");
    box->address_folded = mail_fold_address(cx->arena, box->address);
    if (!str_eq(email_without_tag(cx->arena, box->address_folded), box->address_folded))
        return fail_field(cx, "address", "Leave out the part from '+': it is used to find the ticket of an answer");
    if (box->name.len == 0)
        box->name = box->address;
    return E_OK;
}

enum err_code email_mailbox_apply(struct cx *cx, struct db *db, const struct email *email, const struct mailbox_in *in, struct em_mailbox *box)
{
    TRY(apply_plain(cx, db, in, box));
    if (in->has_oauth)
        TRY(apply_oauth(cx, email, in->oauth, box));
    if (in->incoming)
        apply_incoming(cx, email, in->incoming, box);
    if (in->outgoing)
        apply_outgoing(cx, email, in->outgoing, box);
    if (in->has_dkim)
        TRY(apply_dkim(cx, email, in->dkim, box));
    TRY(check_incoming(cx, box));
    return check_outgoing(cx, box);
}
