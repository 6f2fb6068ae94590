/* operations.c - what commands do in a data folder, here or inside the server. */
#include "cli/cli_priv.h"

static enum err_code first_account(struct cx *cx, struct db *db, void *arg)
{
    struct account *account = arg;
    TRY(accounts_first(cx, db, account));
    cx->account_id = account->id;
    return E_OK;
}

static enum err_code use_first_account(struct cx *cx, struct installation *in)
{
    struct account account = { 0 };
    enum err_code code = store_read(in->store, cx, first_account, &account);
    if (code == E_NOT_FOUND)
        return fail(cx, E_NOT_FOUND, "there is no account yet: set it up first (see: cairn help setup)");
    return code;
}

/* ---- setup ---- */

static enum err_code setup_unit(struct cx *cx, struct db *db, void *arg)
{
    return accounts_setup(cx, db, arg);
}

enum err_code operation_setup(struct cx *cx, struct installation *in, const struct call *call, struct json_writer *ret)
{
    bool empty = false;
    struct str email = json_text(&call->args, "email");
    struct accounts_setup setup = {
        .account_name = json_text(&call->args, "name"),
        .admin_email = email,
        .admin_name = str_sub(email, 0, (size_t)MAX(str_chr(email, '@'), 0)),
    };
    TRY(installation_is_empty(cx, in, &empty));
    if (!empty)
        return fail(cx, E_CONFLICT, "this installation is set up already");
    TRY(crypto_password_hash(cx, call->body, &setup.password_hash));
    TRY(store_write(in->store, cx, setup_unit, &setup));
    json_put_id(ret, "account_id", setup.account_id);
    json_put_id(ret, "user_id", setup.user_id);
    return E_OK;
}

/* ---- token ---- */

struct token_wish {
    struct str user, name, token;
};

static enum err_code token_unit(struct cx *cx, struct db *db, void *arg)
{
    struct token_wish *wish = arg;
    return accounts_token_create(cx, db, wish->user, wish->name, &wish->token);
}

static enum err_code operation_token(struct cx *cx, struct installation *in, const struct call *call, struct json_writer *ret)
{
    struct token_wish wish = { .user = json_text(&call->args, "user"), .name = json_text(&call->args, "name") };
    TRY(use_first_account(cx, in));
    TRY(store_write(in->store, cx, token_unit, &wish));
    json_put_text(ret, "token", wish.token);
    return E_OK;
}

/* ---- mail ---- */

static enum err_code operation_deliver(struct cx *cx, struct installation *in, const struct call *call, struct json_writer *ret)
{
    int64_t mail_id = 0;
    struct email_arrival arrival = {
        .raw = call->body,
        .source = STR("pipe"),
        .source_ref = STR("stdin"),
        .recipient = json_text(&call->args, "to"),
    };
    if (!arrival.recipient.ptr)
        arrival.recipient = STR("");
    TRY(use_first_account(cx, in));
    int64_t account_id = 0;
    TRY(email_account_of(cx, in->email, arrival.recipient, &account_id));
    cx->account_id = account_id ? account_id : cx->account_id;
    TRY(email_receive(cx, in->email, &arrival, &mail_id));
    json_put_id(ret, "mail_id", mail_id);   /* the server's intake reads it: now, or when it starts */
    return E_OK;
}

static void put_progress(struct json_writer *w, const struct email_import_progress *p)
{
    json_put_int(w, "seen", p->seen);
    json_put_int(w, "stored", p->stored);
    json_put_int(w, "duplicates", p->duplicates);
    json_put_int(w, "quarantined", p->quarantined);
    json_put_int(w, "failed", p->failed);
    json_put_int(w, "bytes_done", p->bytes_done);
    json_put_int(w, "bytes_all", p->bytes_all);
}

struct import_view {
    const struct call *call;
    int64_t next_us;            /* progress goes out ten times a second at most */
};

static void import_progress(const struct email_import_progress *p, void *arg)
{
    struct import_view *view = arg;
    int64_t now = clock_monotonic_us();
    if (!view->call->progress || now < view->next_us)
        return;
    view->next_us = now + 100 * US_PER_MS;
    CLEANUP(arena_free) struct arena *arena = arena_new("import progress", 0);
    struct buf out = buf_new(arena, 0);
    struct json_writer w = json_writer(&out);
    json_open_object(&w, NULL);
    put_progress(&w, p);
    json_close_object(&w);
    view->call->progress(view->call, buf_str(&out));
}

static enum err_code operation_import(struct cx *cx, struct installation *in, const struct call *call, struct json_writer *ret)
{
    struct import_view view = { .call = call };
    struct email_import_progress done = { 0 };
    struct str to = json_text(&call->args, "to");
    const char *path = arena_cstr(cx->arena, json_text(&call->args, "path"));
    TRY(use_first_account(cx, in));
    TRY(email_import(cx, in->email, json_text(&call->args, "format"), path, to.ptr ? to : STR(""),
                     json_bool(&call->args, "dry_run", false), import_progress, &view, &done));
    put_progress(ret, &done);
    return E_OK;
}

/* ---- migrate ---- */

static enum err_code operation_migrate(struct cx *cx, struct installation *in, const struct call *call, struct json_writer *ret)
{
    int applied = 0;
    TRY(store_migrate(in->store, cx, &main_migrations, &applied));
    json_put_int(ret, "applied", applied);
    return E_OK;
}

static const struct operation operations[] = {
    { "setup", USE_OR_CREATE, operation_setup },
    { "token create", USE_EXISTING, operation_token },
    { "deliver", USE_EXISTING, operation_deliver },
    { "import", USE_EXISTING, operation_import },
    { "backup", USE_EXISTING, operation_backup },
    { "check", USE_UNCHANGED, operation_check },
    { "migrate", USE_UNCHANGED, operation_migrate },
};

const struct operation *operation_find(struct str name)
{
    for (size_t i = 0; i < COUNT(operations); i++)
        if (str_is(name, operations[i].name))
            return &operations[i];
    return NULL;
}
