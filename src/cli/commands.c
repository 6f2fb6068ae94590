/* commands.c - the table of commands and what each prints. */
#include "cli/cli_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LOCK_PATIENCE_US    (10 * US_PER_SECOND)
#define DELIVER_PATIENCE_US (30 * US_PER_SECOND)

/* All of standard input; E_LIMIT beyond max_bytes. */
static enum err_code read_stdin(struct cx *cx, size_t max_bytes, struct str *ret)
{
    struct buf b = buf_new(cx->arena, max_bytes);
    char *block = arena_alloc(cx->arena, 65536);
    for (ssize_t n; (n = read(STDIN_FILENO, block, 65536)) != 0;) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_busy(cx, "standard input: %s", strerror(errno));
        buf_add(&b, (struct str){ block, (size_t)n });
        if (b.overflow)
            return fail(cx, E_LIMIT, "standard input is larger than %zu bytes", max_bytes);
    }
    *ret = buf_str(&b);
    return E_OK;
}

static enum err_code absolute_path(struct cx *cx, struct str path, bool must_exist, struct str *ret)
{
    char *full = NEWN(cx->arena, char, PATH_MAX);
    const char *text = arena_cstr(cx->arena, path);
    ptrdiff_t slash = str_rchr(path, '/');
    if (must_exist) {
        if (!realpath(text, full))
            return fail(cx, E_INVALID, "%s: %s", text, strerror(errno));
        *ret = str_of(full);
        return E_OK;
    }
    const char *folder = slash < 0 ? "." : slash == 0 ? "/" : arena_cstr(cx->arena, str_sub(path, 0, (size_t)slash));
    if (!realpath(folder, full))
        return fail(cx, E_INVALID, "%s: %s", folder, strerror(errno));
    *ret = arena_printf(cx->arena, "%s/%.*s", full, STR_ARG(str_skip(path, (size_t)(slash + 1))));
    return E_OK;
}

struct argument {
    const char *name;
    struct str value;           /* ptr NULL: left out */
};

/* An operation with text arguments. */
static enum err_code ask(struct cli *cli, const char *name, const struct argument *arguments, size_t n, struct str body,
                         int64_t wait_us, struct json_value *ret)
{
    struct buf out = buf_new(cli->cx->arena, 0);
    struct json_writer w = json_writer(&out);
    struct call call = { .body = body };
    json_open_object(&w, NULL);
    for (size_t i = 0; i < n; i++)
        if (arguments[i].value.ptr)
            json_put_text(&w, arguments[i].name, arguments[i].value);
    json_close_object(&w);
    TRY(json_parse(cli->cx, buf_str(&out), &call.args));
    return operation_ask(cli->cx, &cli->config, operation_find(str_of(name)), &call, wait_us, ret);
}

/* ---- serve ---- */

static enum err_code serve_here(struct cli *cli)
{
    struct installation in;
    enum err_code code = installation_open(cli->cx, &cli->config, USE_SERVE, LOCK_PATIENCE_US, &in);
    if (code == E_OK)
        code = cli->serve(cli->cx, &in);
    installation_close(&in);
    return code;
}

static int run_serve(struct cli *cli, enum err_code *ret_code)
{
    *ret_code = serve_here(cli);
    return *ret_code == E_OK ? EXIT_DONE : EXIT_TROUBLE;
}

/* ---- setup, token ---- */

static enum err_code need_option(struct cli *cli, const char *name, struct str *ret)
{
    *ret = cli_option(cli, name);
    if (ret->ptr && ret->len)
        return E_OK;
    return fail_field(cli->cx, name, "--%s is needed", name);
}

static enum err_code setup(struct cli *cli)
{
    struct str name, email, password;
    struct json_value answer;
    TRY(need_option(cli, "name", &name));
    TRY(need_option(cli, "email", &email));
    if (!cli_option(cli, "password-stdin").ptr)
        return fail_field(cli->cx, "password-stdin", "--password-stdin is needed: the password is read from there");
    TRY(read_stdin(cli->cx, 4096, &password));
    while (password.len && (password.ptr[password.len - 1] == '\n' || password.ptr[password.len - 1] == '\r'))
        password.len--;
    if (password.len < 8 || !utf8_valid(password))
        return fail_field(cli->cx, "password", "the password must have at least 8 characters, in UTF-8");
    struct argument arguments[] = { { "name", name }, { "email", email } };
    TRY(ask(cli, "setup", arguments, 2, password, LOCK_PATIENCE_US, &answer));
    printf("%.*s is set up. Sign in as %.*s.\n", STR_ARG(name), STR_ARG(email));
    return E_OK;
}

static int run_setup(struct cli *cli, enum err_code *ret_code)
{
    *ret_code = setup(cli);
    return *ret_code == E_OK ? EXIT_DONE : EXIT_TROUBLE;
}

static enum err_code token_create(struct cli *cli)
{
    struct json_value answer;
    struct argument arguments[2] = { { .name = "user" }, { .name = "name" } };
    if (!str_is(cli->args[0], "create"))
        return fail(cli->cx, E_BAD_REQUEST, "say: cairn token create");
    TRY(need_option(cli, "user", &arguments[0].value));
    TRY(need_option(cli, "name", &arguments[1].value));
    TRY(ask(cli, "token create", arguments, 2, STR(""), LOCK_PATIENCE_US, &answer));
    printf("%.*s\n", STR_ARG(json_text(&answer, "token")));
    return E_OK;
}

static int run_token(struct cli *cli, enum err_code *ret_code)
{
    *ret_code = token_create(cli);
    return *ret_code == E_OK ? EXIT_DONE : *ret_code == E_BAD_REQUEST ? EXIT_USAGE : EXIT_TROUBLE;
}

/* ---- mail ---- */

static enum err_code deliver(struct cli *cli)
{
    struct str raw;
    struct json_value answer;
    struct argument to = { "to", cli_option(cli, "to") };
    TRY(read_stdin(cli->cx, FRAME_BODY_MAX_BYTES, &raw));
    if (str_trim(raw).len == 0)
        return fail(cli->cx, E_INVALID, "standard input is empty: expected one message");
    return ask(cli, "deliver", &to, 1, raw, DELIVER_PATIENCE_US, &answer);
}

/* A mail server keeps the message on 75 whatever went wrong, also when the command itself was wrong. */
static int run_deliver(struct cli *cli, enum err_code *ret_code)
{
    *ret_code = deliver(cli);
    return *ret_code == E_OK ? EXIT_DONE : EXIT_TRY_AGAIN;
}

static void draw_progress(const struct call *call, struct str json)
{
    enum { WIDTH = 40 };
    static const char bar[] = "########################################";
    struct arena *arena = arena_new("progress", 0);
    struct cx cx = { .arena = arena };
    struct json_value p;
    if (json_parse(&cx, json, &p) == E_OK) {
        int64_t done = json_int(&p, "bytes_done", 0), all = MAX(json_int(&p, "bytes_all", 0), 1);
        int filled = (int)(MIN(done, all) * WIDTH / all);
        fprintf(stderr, "\r[%.*s%*s] %3d%%  %" PRId64 " messages", filled, bar, WIDTH - filled, "",
                (int)(MIN(done, all) * 100 / all), json_int(&p, "seen", 0));
    }
    arena_free(&arena);
}

static enum err_code import(struct cli *cli, int64_t *ret_failed)
{
    struct cx *cx = cli->cx;
    struct str path, to = cli_option(cli, "to");
    struct json_value answer;
    bool dry_run = cli_option(cli, "dry-run").ptr != NULL, show = isatty(STDERR_FILENO);
    if (!str_is(cli->args[0], "mbox") && !str_is(cli->args[0], "maildir") && !str_is(cli->args[0], "eml"))
        return fail(cx, E_BAD_REQUEST, "the format must be mbox, maildir or eml, not \"%.*s\"", STR_ARG(cli->args[0]));
    TRY(absolute_path(cx, cli->args[1], true, &path));
    struct buf out = buf_new(cx->arena, 0);
    struct json_writer w = json_writer(&out);
    struct call call = { .progress = show ? draw_progress : NULL };
    json_open_object(&w, NULL);
    json_put_text(&w, "format", cli->args[0]);
    json_put_text(&w, "path", path);
    json_put_text(&w, "to", to);
    json_put_bool(&w, "dry_run", dry_run);
    json_close_object(&w);
    TRY(json_parse(cx, buf_str(&out), &call.args));
    enum err_code code = operation_ask(cx, &cli->config, operation_find(STR("import")), &call, LOCK_PATIENCE_US, &answer);
    if (show)
        fputs("\r\033[K", stderr);
    TRY(code);
    *ret_failed = json_int(&answer, "failed", 0);
    printf("%s%" PRId64 " messages: %" PRId64 " stored, %" PRId64 " there already, %" PRId64 " quarantined, %" PRId64
           " failed\n",
           dry_run ? "Would import " : "", json_int(&answer, "seen", 0), json_int(&answer, "stored", 0),
           json_int(&answer, "duplicates", 0), json_int(&answer, "quarantined", 0), *ret_failed);
    return E_OK;
}

static int run_import(struct cli *cli, enum err_code *ret_code)
{
    int64_t failed = 0;
    *ret_code = import(cli, &failed);
    if (*ret_code == E_BAD_REQUEST)
        return EXIT_USAGE;
    return *ret_code == E_OK && failed == 0 ? EXIT_DONE : EXIT_TROUBLE;
}

/* ---- backup, restore, check, migrate ---- */

static enum err_code backup(struct cli *cli)
{
    struct json_value answer;
    struct argument file = { .name = "file" };
    TRY(absolute_path(cli->cx, cli->args[0], false, &file.value));
    TRY(ask(cli, "backup", &file, 1, STR(""), LOCK_PATIENCE_US, &answer));
    printf("%.*s: %" PRId64 " files, %" PRId64 " bytes, read back and compared\n", STR_ARG(cli->args[0]),
           json_int(&answer, "files", 0), json_int(&answer, "bytes", 0));
    return E_OK;
}

static int run_backup(struct cli *cli, enum err_code *ret_code)
{
    *ret_code = backup(cli);
    return *ret_code == E_OK ? EXIT_DONE : EXIT_TROUBLE;
}

static int run_restore(struct cli *cli, enum err_code *ret_code)
{
    *ret_code = restore(cli->cx, &cli->config, arena_cstr(cli->cx->arena, cli->args[0]));
    if (*ret_code != E_OK)
        return EXIT_TROUBLE;
    printf("Restored to %s\n", cli->config.data);
    return EXIT_DONE;
}

static int run_check(struct cli *cli, enum err_code *ret_code)
{
    struct json_value answer;
    *ret_code = ask(cli, "check", NULL, 0, STR(""), LOCK_PATIENCE_US, &answer);
    if (*ret_code != E_OK)
        return EXIT_TROUBLE;
    const struct json_value *trouble = json_get(&answer, "trouble");
    size_t n = trouble ? trouble->n : 0;
    for (size_t i = 0; i < n; i++)
        printf("TROUBLE %.*s\n", STR_ARG(trouble->items[i].text));
    printf("%s, %s: %" PRId64 " blobs compared, search %" PRId64 " events behind, %s\n", cli->config.data,
           json_bool(&answer, "postgresql", false) ? "PostgreSQL" : "SQLite", json_int(&answer, "blobs", 0),
           json_int(&answer, "search_lag_events", 0), n ? "NOT WELL" : "all well");
    return n ? EXIT_TROUBLE : EXIT_DONE;
}

static int run_migrate(struct cli *cli, enum err_code *ret_code)
{
    struct json_value answer;
    *ret_code = ask(cli, "migrate", NULL, 0, STR(""), LOCK_PATIENCE_US, &answer);
    if (*ret_code != E_OK)
        return EXIT_TROUBLE;
    printf("%" PRId64 " migrations applied\n", json_int(&answer, "applied", 0));
    return EXIT_DONE;
}

static int run_version(struct cli *cli, enum err_code *ret_code)
{
    puts("cairn " CAIRN_VERSION);
    return EXIT_DONE;
}

static int run_help(struct cli *cli, enum err_code *ret_code)
{
    bool known = true;
    cli_print_help(cli->cx->arena, cli->nargs ? cli->args[0] : STR_NONE, &known);
    if (known)
        return EXIT_DONE;
    *ret_code = fail(cli->cx, E_BAD_REQUEST, "there is no command \"%.*s\"", STR_ARG(cli->args[0]));
    return EXIT_USAGE;
}

#define TO_OPTION { "to", "ADDRESS", "The recipient, when the message does not say which mailbox is meant." }

/* clang-format off */
const struct command commands[] = {
    { "serve", "cairn serve [--data DIR] [--listen HOST:PORT] [--database URL]",
      "Run the server.",
      "Prints its address and, while there is no account, a link to set up the first one.\n"
      "SIGTERM and SIGINT end it after running requests are answered.",
      .needs_config = true, .run = run_serve },
    { "setup", "cairn setup --data DIR --name NAME --email ADDRESS --password-stdin",
      "Make the first account and its administrator.",
      "Refuses when there is an account already.",
      .options = { { "name", "NAME", "Name of the account, such as the company's." },
                   { "email", "ADDRESS", "The administrator signs in with it." },
                   { "password-stdin", NULL, "Read the password from standard input." } },
      .needs_config = true, .run = run_setup },
    { "token", "cairn token create --data DIR --user ADDRESS --name NAME",
      "Make an API token; it is printed this once.", NULL,
      .options = { { "user", "ADDRESS", "Whose rights the token has." },
                   { "name", "NAME", "What it is for; shown in the list of tokens." } },
      .min_args = 1, .max_args = 1, .needs_config = true, .run = run_token },
    { "deliver", "cairn deliver --data DIR [--to ADDRESS]",
      "Store one message from standard input, for a mail server's pipe.",
      "Exit status 0: stored durably. 75: not stored, try again.",
      .options = { TO_OPTION }, .needs_config = true, .run = run_deliver },
    { "import", "cairn import mbox|maildir|eml PATH --data DIR [--to ADDRESS] [--dry-run]",
      "Take over old mail.",
      "Sends nothing. Can be repeated and resumed: what is stored already is skipped.",
      .options = { TO_OPTION, { "dry-run", NULL, "Only say what would be imported." } },
      .min_args = 2, .max_args = 2, .needs_config = true, .run = run_import },
    { "backup", "cairn backup --data DIR FILE",
      "Write everything into one file, also while the server runs.",
      "Database, blobs, key and settings; read back and compared. On PostgreSQL it runs pg_dump.",
      .min_args = 1, .max_args = 1, .needs_config = true, .run = run_backup },
    { "restore", "cairn restore FILE --data DIR",
      "Make a new data folder from a backup.",
      "Refuses a folder that is not empty. On PostgreSQL it runs pg_restore into an empty database.",
      .min_args = 1, .max_args = 1, .needs_config = true, .run = run_restore },
    { "check", "cairn check --data DIR",
      "Look for trouble in database, blobs, migrations and configuration.",
      "Exit status 1 when there is any.", .needs_config = true, .run = run_check },
    { "migrate", "cairn migrate --data DIR",
      "Bring the database to this version; serve does it by itself.", NULL,
      .needs_config = true, .run = run_migrate },
    { "version", "cairn version", "Print the version.", NULL, .run = run_version },
    { "help", "cairn help [COMMAND|configuration|openapi|permissions]",
      "Explain a command, or print the table of settings, the API's description or the permissions.", NULL,
      .max_args = 1, .run = run_help },
};
/* clang-format on */
const size_t commands_count = COUNT(commands);
