/* email_api.c - routes of mailboxes.  Secrets go in and never out. */
#include "channels/email/email_settings.h"
#include "platform/dkim/dkim.h"

/* ---- what goes out ---- */

struct incoming_out { struct str kind, host, security, auth, user, folder, trusted_host; int64_t port; bool has_password; };
struct outgoing_out { struct str kind, host, security, auth, user; int64_t port; bool has_password; };
struct oauth_out { struct str token_url, client_id; bool has_secret, has_refresh_token; };
struct dkim_out { struct str domain, selector; bool has_key; };
struct mailbox_out {
    int64_t id, team_id, undo_seconds, backfill_since, state_at, created_at, updated_at, version;
    struct str name, address, from_name, signature, state, state_detail;
    bool active, quote_history;
    const void *incoming, *outgoing, *oauth, *dkim;
};

static const struct field incoming_out_fields[] = {
    TEXT_FIELD(struct incoming_out, kind, .doc = "imap, pop3 or none (mail arrives by LMTP, pipe or forwarding)"),
    TEXT_FIELD(struct incoming_out, host, .doc = "Server name"),
    INT_FIELD(struct incoming_out, port, .doc = "Port"),
    TEXT_FIELD(struct incoming_out, security, .doc = "tls, starttls or none"),
    TEXT_FIELD(struct incoming_out, auth, .doc = "password or xoauth2"),
    TEXT_FIELD(struct incoming_out, user, .doc = "User name on the server"),
    TEXT_FIELD(struct incoming_out, folder, .doc = "Folder that is followed (IMAP)"),
    TEXT_FIELD(struct incoming_out, trusted_host, .doc = "Name whose Authentication-Results are believed; empty: none"),
    BOOL_FIELD(struct incoming_out, has_password, .doc = "A password is stored"),
};
static SHAPE(incoming_out_shape, "MailboxIncoming", struct incoming_out, incoming_out_fields);

static const struct field outgoing_out_fields[] = {
    TEXT_FIELD(struct outgoing_out, kind, .doc = "smtp, or none: it only receives"),
    TEXT_FIELD(struct outgoing_out, host, .doc = "Server name"),
    INT_FIELD(struct outgoing_out, port, .doc = "Port"),
    TEXT_FIELD(struct outgoing_out, security, .doc = "tls, starttls or none"),
    TEXT_FIELD(struct outgoing_out, auth, .doc = "password, xoauth2 or none"),
    TEXT_FIELD(struct outgoing_out, user, .doc = "User name on the server"),
    BOOL_FIELD(struct outgoing_out, has_password, .doc = "A password is stored"),
};
static SHAPE(outgoing_out_shape, "MailboxOutgoing", struct outgoing_out, outgoing_out_fields);

static const struct field oauth_out_fields[] = {
    TEXT_FIELD(struct oauth_out, token_url, .doc = "Where access tokens come from"),
    TEXT_FIELD(struct oauth_out, client_id, .doc = "Our id at the provider"),
    BOOL_FIELD(struct oauth_out, has_secret, .doc = "A client secret is stored"),
    BOOL_FIELD(struct oauth_out, has_refresh_token, .doc = "A refresh token is stored"),
};
static SHAPE(oauth_out_shape, "MailboxOauth", struct oauth_out, oauth_out_fields);

static const struct field dkim_out_fields[] = {
    TEXT_FIELD(struct dkim_out, domain, .doc = "Signing domain"),
    TEXT_FIELD(struct dkim_out, selector, .doc = "Selector of the public key in DNS"),
    BOOL_FIELD(struct dkim_out, has_key, .doc = "A private key is stored"),
};
static SHAPE(dkim_out_shape, "MailboxDkim", struct dkim_out, dkim_out_fields);

static const struct field mailbox_out_fields[] = {
    ID_FIELD(struct mailbox_out, id, .doc = "Id of the mailbox"),
    TEXT_FIELD(struct mailbox_out, name, .doc = "Shown to agents"),
    TEXT_FIELD(struct mailbox_out, address, .doc = "Public address; replies leave from it"),
    TEXT_FIELD(struct mailbox_out, from_name, .doc = "Display name of outgoing mail; empty: the account's name"),
    ID_FIELD(struct mailbox_out, team_id, .nullable = true, .doc = "New tickets go to this team"),
    BOOL_FIELD(struct mailbox_out, active, .doc = "False: neither followed nor used for sending"),
    OBJECT_FIELD(struct mailbox_out, incoming, &incoming_out_shape, .doc = "How mail arrives"),
    OBJECT_FIELD(struct mailbox_out, outgoing, &outgoing_out_shape, .doc = "How mail leaves"),
    OBJECT_FIELD(struct mailbox_out, oauth, &oauth_out_shape, .nullable = true, .doc = "For xoauth2"),
    OBJECT_FIELD(struct mailbox_out, dkim, &dkim_out_shape, .nullable = true, .doc = "Signing of outgoing mail"),
    TEXT_FIELD(struct mailbox_out, signature, .doc = "Markdown under every reply; placeholders as in the documentation"),
    BOOL_FIELD(struct mailbox_out, quote_history, .doc = "Replies carry the message before"),
    INT_FIELD(struct mailbox_out, undo_seconds, .doc = "A reply leaves after this long"),
    TIME_FIELD(struct mailbox_out, backfill_since, .nullable = true, .doc = "Older mail is fetched from here on"),
    TEXT_FIELD(struct mailbox_out, state, .doc = "unknown, ok or failing"),
    TEXT_FIELD(struct mailbox_out, state_detail, .doc = "The last trouble, readable"),
    TIME_FIELD(struct mailbox_out, state_at, .nullable = true, .doc = "Since when"),
    TIME_FIELD(struct mailbox_out, created_at, .doc = "When it was made"),
    TIME_FIELD(struct mailbox_out, updated_at, .doc = "Last change of its settings"),
    INT_FIELD(struct mailbox_out, version, .doc = "Grows with every change"),
};
static SHAPE(mailbox_shape, "Mailbox", struct mailbox_out, mailbox_out_fields);

static enum err_code need_email(struct cx *cx, struct email **ret)
{
    *ret = email_running();
    return *ret ? E_OK : fail_busy(cx, "The e-mail channel is not running");
}

static enum err_code oauth_of(struct cx *cx, const struct email *email, const struct em_mailbox *box, const void **ret)
{
    struct oauth_settings settings;
    *ret = NULL;
    if (box->oauth.len == 0)
        return E_OK;
    TRY(email_oauth_read(cx, email, box->oauth, &settings));
    struct oauth_out *out = NEW(cx->arena, struct oauth_out);
    *out = (struct oauth_out){ settings.token_url, settings.client_id, settings.client_secret.len > 0, settings.refresh_token.len > 0 };
    *ret = out;
    return E_OK;
}

static enum err_code out_of(struct cx *cx, const struct em_mailbox *box, struct mailbox_out *out)
{
    struct email *email;
    TRY(need_email(cx, &email));
    struct incoming_out *incoming = NEW(cx->arena, struct incoming_out);
    struct outgoing_out *outgoing = NEW(cx->arena, struct outgoing_out);
    *incoming = (struct incoming_out){ box->in_kind, box->in_host, box->in_security, box->in_auth, box->in_user, box->in_folder,
                                       box->in_trusted_host, box->in_port, box->in_secret.len > 0 };
    *outgoing = (struct outgoing_out){ box->out_kind, box->out_host, box->out_security, box->out_auth, box->out_user, box->out_port,
                                       box->out_secret.len > 0 };
    *out = (struct mailbox_out){
        .id = box->id, .team_id = box->team_id, .undo_seconds = box->undo_seconds, .backfill_since = box->backfill_since_us,
        .state_at = box->state_us, .created_at = box->created_us, .updated_at = box->updated_us, .version = box->version,
        .name = box->name, .address = box->address, .from_name = box->from_name, .signature = box->signature, .state = box->state,
        .state_detail = box->state_detail, .active = box->active, .quote_history = box->quote_history, .incoming = incoming,
        .outgoing = outgoing };
    if (box->dkim_domain.len > 0 || box->dkim_key.len > 0) {
        struct dkim_out *dkim = NEW(cx->arena, struct dkim_out);
        *dkim = (struct dkim_out){ box->dkim_domain, box->dkim_selector, box->dkim_key.len > 0 };
        out->dkim = dkim;
    }
    return oauth_of(cx, email, box, &out->oauth);
}

/* ---- what comes in ---- */

static const struct field incoming_in_fields[] = {
    TEXT_FIELD(struct incoming_in, kind, .optional = true, .choices = (const char *const[]){ "imap", "pop3", "none", NULL }, .max = 8,
               .doc = "none: mail arrives by LMTP, pipe or forwarding"),
    TEXT_FIELD(struct incoming_in, host, .optional = true, .max = 253, .doc = "Server name"),
    INT_FIELD(struct incoming_in, port, .optional = true, .min = 1, .max = 65535, .doc = "The usual one when absent"),
    TEXT_FIELD(struct incoming_in, security, .optional = true, .choices = (const char *const[]){ "tls", "starttls", "none", NULL },
               .max = 8, .doc = "tls when absent"),
    TEXT_FIELD(struct incoming_in, auth, .optional = true, .choices = (const char *const[]){ "password", "xoauth2", NULL }, .max = 8,
               .doc = "password when absent"),
    TEXT_FIELD(struct incoming_in, user, .optional = true, .max = 320, .doc = "User name on the server"),
    TEXT_FIELD(struct incoming_in, password, .optional = true, .max = 1000, .doc = "Stored sealed; never shown again"),
    TEXT_FIELD(struct incoming_in, folder, .optional = true, .max = 500, .doc = "INBOX when absent"),
    TEXT_FIELD(struct incoming_in, trusted_host, .optional = true, .max = 253,
               .doc = "authserv-id whose Authentication-Results are believed (RFC 8601)"),
};
static SHAPE(incoming_in_shape, "MailboxIncomingInput", struct incoming_in, incoming_in_fields);

static const struct field outgoing_in_fields[] = {
    TEXT_FIELD(struct outgoing_in, kind, .optional = true, .choices = (const char *const[]){ "smtp", "none", NULL }, .max = 8,
               .doc = "none: it only receives"),
    TEXT_FIELD(struct outgoing_in, host, .optional = true, .max = 253, .doc = "Server name"),
    INT_FIELD(struct outgoing_in, port, .optional = true, .min = 1, .max = 65535, .doc = "The usual one when absent"),
    TEXT_FIELD(struct outgoing_in, security, .optional = true, .choices = (const char *const[]){ "tls", "starttls", "none", NULL },
               .max = 8, .doc = "tls when absent"),
    TEXT_FIELD(struct outgoing_in, auth, .optional = true, .choices = (const char *const[]){ "password", "xoauth2", "none", NULL },
               .max = 8, .doc = "password when absent"),
    TEXT_FIELD(struct outgoing_in, user, .optional = true, .max = 320, .doc = "User name on the server"),
    TEXT_FIELD(struct outgoing_in, password, .optional = true, .max = 1000, .doc = "Stored sealed; never shown again"),
};
static SHAPE(outgoing_in_shape, "MailboxOutgoingInput", struct outgoing_in, outgoing_in_fields);

static const struct field oauth_in_fields[] = {
    TEXT_FIELD(struct oauth_in, token_url, .optional = true, .max = 2000, .doc = "https address of the provider's token endpoint"),
    TEXT_FIELD(struct oauth_in, client_id, .optional = true, .max = 500, .doc = "Our id at the provider"),
    TEXT_FIELD(struct oauth_in, client_secret, .optional = true, .max = 4000, .doc = "Stored sealed; never shown again"),
    TEXT_FIELD(struct oauth_in, refresh_token, .optional = true, .max = 8000, .doc = "Stored sealed; never shown again"),
};
static SHAPE(oauth_in_shape, "MailboxOauthInput", struct oauth_in, oauth_in_fields);

static const struct field dkim_in_fields[] = {
    TEXT_FIELD(struct dkim_in, domain, .optional = true, .max = 253, .doc = "Signing domain"),
    TEXT_FIELD(struct dkim_in, selector, .optional = true, .max = 63, .doc = "Selector of the public key in DNS"),
    TEXT_FIELD(struct dkim_in, key, .optional = true, .max = 16000, .multiline = true, .doc = "Private key (PEM); stored sealed, never shown again"),
};
static SHAPE(dkim_in_shape, "MailboxDkimInput", struct dkim_in, dkim_in_fields);

#define MAILBOX_SETTINGS                                                                                                        \
    TEXT_FIELD(struct mailbox_in, name, .optional = true, .min = 1, .max = 100, .doc = "Shown to agents; the address when absent"), \
    TEXT_FIELD(struct mailbox_in, from_name, .optional = true, .max = 100, .doc = "Display name of outgoing mail"),             \
    ID_FIELD(struct mailbox_in, team_id, .nullable = true, HAS(struct mailbox_in, has_team_id), .doc = "New tickets go to this team"), \
    BOOL_FIELD(struct mailbox_in, active, HAS(struct mailbox_in, has_active), .doc = "True when absent"),                       \
    OBJECT_FIELD(struct mailbox_in, incoming, &incoming_in_shape, .optional = true, .doc = "How mail arrives"),                 \
    OBJECT_FIELD(struct mailbox_in, outgoing, &outgoing_in_shape, .optional = true, .doc = "How mail leaves"),                  \
    OBJECT_FIELD(struct mailbox_in, oauth, &oauth_in_shape, .nullable = true, HAS(struct mailbox_in, has_oauth), .doc = "For xoauth2"), \
    OBJECT_FIELD(struct mailbox_in, dkim, &dkim_in_shape, .nullable = true, HAS(struct mailbox_in, has_dkim),                   \
                 .doc = "Signing of outgoing mail"),                                                                            \
    TEXT_FIELD(struct mailbox_in, signature, .optional = true, .max = 10000, .multiline = true, .doc = "Markdown under every reply"), \
    BOOL_FIELD(struct mailbox_in, quote_history, HAS(struct mailbox_in, has_quote_history), .doc = "Replies carry the message before"), \
    INT_FIELD(struct mailbox_in, undo_seconds, HAS(struct mailbox_in, has_undo_seconds), .min = 0, .max = 3600,                 \
              .doc = "A reply leaves after this long; absent: as the account says, else 10")

static const struct field mailbox_new_fields[] = {
    TEXT_FIELD(struct mailbox_in, address, .min = 3, .max = 254, .doc = "Public address"),
    TIME_FIELD(struct mailbox_in, backfill_since, .optional = true, .doc = "Fetch older mail from here on; absent: only new mail"),
    MAILBOX_SETTINGS,
};
static const struct field mailbox_patch_fields[] = {
    ID_FIELD(struct mailbox_in, id, .place = IN_PATH, .doc = "Id of the mailbox"),
    TEXT_FIELD(struct mailbox_in, address, .optional = true, .min = 3, .max = 254, .doc = "Public address"),
    MAILBOX_SETTINGS,
    INT_FIELD(struct mailbox_in, expected_version, .optional = true, .doc = "Refuse when it has another version"),
};
static const struct field mailbox_test_fields[] = {
    ID_FIELD(struct mailbox_in, mailbox_id, .optional = true, .doc = "Use the stored settings and secrets of this one where none are given"),
    TEXT_FIELD(struct mailbox_in, address, .optional = true, .min = 3, .max = 254, .doc = "Public address"),
    MAILBOX_SETTINGS,
};
static const struct field mailbox_path_fields[] = {
    ID_FIELD(struct mailbox_in, id, .place = IN_PATH, .doc = "Id of the mailbox"),
};
static const struct field backfill_fields[] = {
    ID_FIELD(struct mailbox_in, id, .place = IN_PATH, .doc = "Id of the mailbox"),
    { .name = "since", .type = F_TIME, .offset = FIELD_OFFSET(struct mailbox_in, backfill_since, int64_t),
      .doc = "Fetch mail of this age and newer; what is here already is recognised" },
};

/* ---- handlers ---- */

static enum err_code load(struct cx *cx, struct db *db, int64_t id, struct em_mailbox *ret)
{
    return need_found(cx, em_mailbox_by_id(cx, db, (struct em_mailbox_by_id_in){ cx->account_id, id }, ret), "mailbox");
}

struct mailboxes_in { struct page_in page; };
static const struct field mailboxes_in_fields[] = { PAGE_FIELDS(struct mailboxes_in, page) };

HANDLER(mailbox_page, struct mailboxes_in, struct page_out)
{
    int64_t after = 0;
    struct em_mailbox *rows = NULL;
    size_t n = 0;
    if (in->page.cursor.ptr)
        TRY(page_cursor_read(cx, in->page.cursor, &after, 1));
    TRY(em_mailbox_list(cx, db, (struct em_mailbox_list_in){ cx->account_id, after, in->page.limit + 1 }, &rows, &n));
    size_t shown = MIN(n, (size_t)in->page.limit);
    struct mailbox_out *items = NEWN(cx->arena, struct mailbox_out, shown + 1);
    for (size_t i = 0; i < shown; i++)
        TRY(out_of(cx, &rows[i], &items[i]));
    out->items = (struct list){ .items = items, .n = shown };
    if (n > shown)
        out->next_cursor = page_cursor(cx->arena, &rows[shown - 1].id, 1);
    return E_OK;
}

HANDLER(mailbox_read, struct mailbox_in, struct mailbox_out)
{
    struct em_mailbox box;
    TRY(load(cx, db, in->id, &box));
    return out_of(cx, &box, out);
}

static enum err_code address_taken(struct cx *cx, enum err_code code)
{
    return code == E_CONFLICT ? fail_field(cx, "address", "There is a mailbox with this address already") : code;
}

/* The account's own wishes for what a new mailbox does not say. */
static enum err_code account_defaults(struct cx *cx, struct db *db, struct em_mailbox *box)
{
    struct account account;
    struct json_value settings;
    TRY(accounts_account(cx, db, cx->account_id, &account));
    if (account.settings.len == 0)
        return E_OK;
    TRY(json_parse(cx, account.settings, &settings));
    box->undo_seconds = json_int(&settings, "undo_seconds", box->undo_seconds);
    box->quote_history = json_bool(&settings, "quote_history", box->quote_history);
    return E_OK;
}

HANDLER(mailbox_create, struct mailbox_in, struct mailbox_out)
{
    struct email *email;
    struct em_id id;
    struct em_mailbox box = email_mailbox_defaults();
    TRY(need_email(cx, &email));
    TRY(account_defaults(cx, db, &box));
    TRY(email_mailbox_apply(cx, db, email, in, &box));
    TRY(address_taken(cx, em_mailbox_insert(cx, db, (struct em_mailbox_insert_in){
        cx->account_id, box.name, box.address, box.address_folded, box.from_name, box.team_id, box.active, box.in_kind, box.in_host,
        box.in_port, box.in_security, box.in_auth, box.in_user, box.in_secret, box.in_folder, box.in_trusted_host, box.out_kind,
        box.out_host, box.out_port, box.out_security, box.out_auth, box.out_user, box.out_secret, box.oauth, box.dkim_domain,
        box.dkim_selector, box.dkim_key, box.signature, box.quote_history, box.undo_seconds, in->backfill_since, cx->now_us }, &id)));
    TRY(email_emit(cx, db, STR("mailbox.created"), 0, id.id, email_note(cx->arena, "address", box.address)));
    TRY(load(cx, db, id.id, &box));
    return out_of(cx, &box, out);
}

HANDLER(mailbox_change, struct mailbox_in, struct mailbox_out)
{
    struct email *email;
    struct em_mailbox box;
    int64_t changed = 0;
    TRY(need_email(cx, &email));
    TRY(load(cx, db, in->id, &box));
    if (version_differs(cx, in->expected_version, box.version)) {
        TRY(out_of(cx, &box, out));
        return fail_version(cx, &mailbox_shape, out);
    }
    TRY(email_mailbox_apply(cx, db, email, in, &box));
    TRY(address_taken(cx, em_mailbox_update(cx, db, (struct em_mailbox_update_in){
        cx->account_id, box.id, box.name, box.address, box.address_folded, box.from_name, box.team_id, box.active, box.in_kind,
        box.in_host, box.in_port, box.in_security, box.in_auth, box.in_user, box.in_secret, box.in_folder, box.in_trusted_host,
        box.out_kind, box.out_host, box.out_port, box.out_security, box.out_auth, box.out_user, box.out_secret, box.oauth,
        box.dkim_domain, box.dkim_selector, box.dkim_key, box.signature, box.quote_history, box.undo_seconds, box.backfill_since_us,
        cx->now_us, box.version }, &changed)));
    if (changed == 0)
        return fail(cx, E_CONFLICT, "It changed meanwhile");
    TRY(email_emit(cx, db, STR("mailbox.changed"), 0, box.id, email_note(cx->arena, "address", box.address)));
    TRY(load(cx, db, box.id, &box));
    return out_of(cx, &box, out);
}

HANDLER(mailbox_delete, struct mailbox_in, struct nothing)
{
    struct em_mailbox box;
    TRY(load(cx, db, in->id, &box));
    TRY(em_mailbox_delete_folders(cx, db, (struct em_mailbox_delete_folders_in){ cx->account_id, in->id }, NULL));
    TRY(em_mailbox_delete_seen(cx, db, (struct em_mailbox_delete_seen_in){ cx->account_id, in->id }, NULL));
    TRY(em_mailbox_delete(cx, db, (struct em_mailbox_delete_in){ cx->account_id, in->id }, NULL));
    return email_emit(cx, db, STR("mailbox.deleted"), 0, in->id, email_note(cx->arena, "address", box.address));
}

HANDLER(mailbox_backfill, struct mailbox_in, struct mailbox_out)
{
    struct em_mailbox box;
    TRY(load(cx, db, in->id, &box));
    if (in->backfill_since > cx->now_us)
        return fail_field(cx, "since", "This time lies in the future");
    TRY(em_mailbox_set_backfill(cx, db, (struct em_mailbox_set_backfill_in){ cx->account_id, box.id, in->backfill_since, cx->now_us }, NULL));
    TRY(em_folder_restart_backfill(cx, db, (struct em_folder_restart_backfill_in){ cx->account_id, box.id }, NULL));
    TRY(email_emit(cx, db, STR("mailbox.changed"), 0, box.id, email_note(cx->arena, "backfill_since", clock_rfc3339(cx->arena, in->backfill_since))));
    TRY(load(cx, db, box.id, &box));
    return out_of(cx, &box, out);
}

/* ---- the connection test ---- */

struct test_half { bool ok; struct str detail, field; };
struct test_out { const void *incoming, *outgoing; };
static const struct field test_half_fields[] = {
    BOOL_FIELD(struct test_half, ok, .doc = "The connection works"),
    TEXT_FIELD(struct test_half, detail, .doc = "What was found, readable"),
    TEXT_FIELD(struct test_half, field, .nullable = true, .doc = "The setting at fault"),
};
static SHAPE(test_half_shape, "MailboxTestResult", struct test_half, test_half_fields);
static const struct field test_out_fields[] = {
    OBJECT_FIELD(struct test_out, incoming, &test_half_shape, .nullable = true, .doc = "Fetching; null when it does not fetch"),
    OBJECT_FIELD(struct test_out, outgoing, &test_half_shape, .nullable = true, .doc = "Sending; null when it does not send"),
};
static SHAPE(test_out_shape, "MailboxTest", struct test_out, test_out_fields);

static const void *half(struct cx *cx, const char *which, enum err_code code, struct str good)
{
    struct test_half *half = NEW(cx->arena, struct test_half);
    *half = (struct test_half){ .ok = code == E_OK, .detail = code == E_OK ? good : arena_copy(cx->arena, cx->failure.message) };
    const char *field = cx->failure.field;
    if (code == E_UNAUTHENTICATED)
        half->field = arena_printf(cx->arena, "%s.password", which);
    else if (code != E_OK && field)     /* "in_host" of the lower module is "incoming.host" here */
        half->field = strchr(field, '_') ? arena_printf(cx->arena, "%s.%s", which, strchr(field, '_') + 1) : str_of(field);
    failure_clear(cx);
    return half;
}

static enum err_code try_incoming(struct cx *cx, struct email *email, const struct em_mailbox *box, struct str *ret_found)
{
    struct mailbox_server server;
    struct mailbox_session *session = NULL;
    TRY(email_incoming_server(cx, email, box, false, &server));
    TRY(mailbox_open(cx, &server, &session));
    enum err_code code = E_OK;
    struct mailbox_folder_status status = { 0 };
    if (server.kind == MAILBOX_IMAP)
        code = mailbox_select(cx, session, box->in_folder, &status);
    *ret_found = server.kind == MAILBOX_IMAP
                     ? arena_printf(cx->arena, "Connected: %u mails in %.*s", status.exists, STR_ARG(box->in_folder))
                     : STR("Connected");
    mailbox_close(&session);
    return code;
}

static enum err_code try_outgoing(struct cx *cx, struct email *email, const struct em_mailbox *box)
{
    struct smtp_server server;
    TRY(email_outgoing_server(cx, email, box, false, &server));
    return smtp_check(cx, &server);
}

struct test_read { const struct mailbox_in *in; struct em_mailbox *box; };

static enum err_code test_read(struct cx *cx, struct db *db, void *arg)
{
    struct test_read *t = arg;
    struct email *email;
    TRY(need_email(cx, &email));
    if (t->in->mailbox_id > 0)
        TRY(load(cx, db, t->in->mailbox_id, t->box));
    return email_mailbox_apply(cx, db, email, t->in, t->box);
}

HANDLER(mailbox_test, struct mailbox_in, struct test_out)
{
    struct email *email;
    struct str found = STR("");
    struct em_mailbox box = email_mailbox_defaults();
    TRY(need_email(cx, &email));
    TRY(store_read(http_store(cx), cx, test_read, &(struct test_read){ in, &box }));
    if (!str_is(box.in_kind, "none")) {
        enum err_code code = try_incoming(cx, email, &box, &found);
        out->incoming = half(cx, "incoming", code, found);
    }
    if (str_is(box.out_kind, "smtp")) {
        enum err_code code = try_outgoing(cx, email, &box);
        out->outgoing = half(cx, "outgoing", code, STR("Connected and signed in"));
    }
    return E_OK;
}

static const struct route routes[] = {
    { .method = METHOD_GET, .path = "/api/v1/mailboxes", .summary = "List mailboxes", .permission = PERM_MAILBOX_READ,
      FIELDS(mailboxes_in_fields, struct mailboxes_in), RETURNS_PAGE(&mailbox_shape), .handler = mailbox_page },
    { .method = METHOD_POST, .path = "/api/v1/mailboxes", .summary = "Connect a mailbox", .permission = PERM_MAILBOX_WRITE, .creates = true,
      FIELDS(mailbox_new_fields, struct mailbox_in), RETURNS(&mailbox_shape, struct mailbox_out), ETAG(struct mailbox_out, version),
      .handler = mailbox_create },
    { .method = METHOD_POST, .path = "/api/v1/mailboxes/test", .summary = "Try the settings of a mailbox", .permission = PERM_MAILBOX_WRITE,
      .doc = "Connects and signs in; nothing is stored, fetched or sent.", .lane = LANE_SLOW, .work = WORK_NONE,
      FIELDS(mailbox_test_fields, struct mailbox_in), RETURNS(&test_out_shape, struct test_out), .handler = mailbox_test },
    { .method = METHOD_GET, .path = "/api/v1/mailboxes/{id}", .summary = "Read a mailbox", .permission = PERM_MAILBOX_READ,
      FIELDS(mailbox_path_fields, struct mailbox_in), RETURNS(&mailbox_shape, struct mailbox_out), ETAG(struct mailbox_out, version),
      .handler = mailbox_read },
    { .method = METHOD_PATCH, .path = "/api/v1/mailboxes/{id}", .summary = "Change a mailbox", .permission = PERM_MAILBOX_WRITE,
      FIELDS(mailbox_patch_fields, struct mailbox_in), RETURNS(&mailbox_shape, struct mailbox_out), ETAG(struct mailbox_out, version),
      .handler = mailbox_change },
    { .method = METHOD_DELETE, .path = "/api/v1/mailboxes/{id}", .summary = "Disconnect a mailbox", .permission = PERM_MAILBOX_WRITE,
      .doc = "Its tickets and mail stay.", .no_content = true, FIELDS(mailbox_path_fields, struct mailbox_in), .handler = mailbox_delete },
    { .method = METHOD_POST, .path = "/api/v1/mailboxes/{id}/backfill", .summary = "Fetch older mail", .permission = PERM_MAILBOX_WRITE,
      FIELDS(backfill_fields, struct mailbox_in), RETURNS(&mailbox_shape, struct mailbox_out), ETAG(struct mailbox_out, version),
      .handler = mailbox_backfill },
};
const struct route_table email_routes = { .tag = "mailboxes", .routes = routes, .n = COUNT(routes) };
