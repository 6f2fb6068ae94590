/* config.c - the table of settings and how values are found. */
#include "platform/config/config.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

enum { CONFIG_FILE_MAX_BYTES = 1024 * 1024 };

static const char *const log_levels[] = { "debug", "info", "warn", "error", NULL };

#define AT(member) offsetof(struct config, member)

/* clang-format off */
const struct config_key config_keys[] = {
    { "data", "DIR", CONFIG_PATH, "./data", AT(data), .not_in_file = true,
      .doc = "Folder of this installation: database, blobs, key, settings. Made when absent." },
    { "listen", "HOST:PORT", CONFIG_TEXT, "127.0.0.1:8080", AT(listen),
      .doc = "Address of the web server. Port 0 takes any free one. IPv6 as [::1]:8080." },
    { "database", "URL", CONFIG_TEXT, NULL, AT(database),
      .doc = "postgresql://… to use PostgreSQL; without it SQLite in DIR/cairn.db." },
    { "public_url", "URL", CONFIG_TEXT, NULL, AT(public_url),
      .doc = "Address that browsers use, such as https://desk.example.com. Without it http://LISTEN." },
    { "trusted_proxy", "ADDRESS", CONFIG_TEXT, NULL, AT(trusted_proxy),
      .doc = "Address of the reverse proxy whose X-Forwarded-For and X-Forwarded-Proto are believed." },
    { "lmtp_listen", "HOST:PORT|PATH", CONFIG_TEXT, NULL, AT(lmtp_listen),
      .doc = "Where a mail server delivers by LMTP; without it there is no listener." },
    { "blobs", "DIR", CONFIG_PATH, NULL, AT(blobs),
      .doc = "Folder of attachments and mails over 64 KiB; without it DIR/blobs. Several nodes share one." },
    { "web_dir", "DIR", CONFIG_PATH, NULL, AT(web_dir),
      .doc = "Built pages of the workspace; without it they are looked for beside the program." },
    { "ca_file", "FILE", CONFIG_PATH, NULL, AT(ca_file),
      .doc = "Certificates (PEM) that mail servers may be signed by, beside the system's." },
    { "log_level", "LEVEL", CONFIG_CHOICE, "info", AT(log_level), .choices = log_levels,
      .doc = "Least level that is logged, as JSON lines on standard error." },
    { "access_log", "FILE", CONFIG_TEXT, "-", AT(access_log),
      .doc = "Where a JSON line for each request goes: a file, - for standard error, or off." },
    { "workers", "N", CONFIG_INT, "4", AT(workers), .min = 1, .max = 256,
      .doc = "Threads that answer ordinary requests." },
    { "slow_workers", "N", CONFIG_INT, "2", AT(slow_workers), .min = 1, .max = 64,
      .doc = "Threads for searches, exports and connection tests." },
    { "database_readers", "N", CONFIG_INT, "8", AT(database_readers), .min = 1, .max = 256,
      .doc = "PostgreSQL: most connections for reading." },
    { "max_body_bytes", "N", CONFIG_INT, "8388608", AT(max_body_bytes), .min = 65536, .max = 268435456,
      .doc = "Largest JSON body of a request." },
    { "max_upload_bytes", "N", CONFIG_INT, "52428800", AT(max_upload_bytes), .min = 65536, .max = 4294967296,
      .doc = "Largest uploaded file." },
    { "drain_seconds", "N", CONFIG_INT, "10", AT(drain_seconds), .min = 0, .max = 600,
      .doc = "How long running requests may go on after SIGTERM." },
    { "rate_limits", "yes|no", CONFIG_BOOL, "yes", AT(rate_limits),
      .doc = "Limit requests per address and token. Switch off behind a proxy that does it, and for measuring." },
    { "poll_mailboxes", "yes|no", CONFIG_BOOL, "yes", AT(poll_mailboxes),
      .doc = "Fetch mail by IMAP and POP3 on this node." },
};
/* clang-format on */
const size_t config_keys_count = COUNT(config_keys);

/* One value that was found, and where. */
struct found {
    struct str value;
    const char *place;
};

static struct str key_name(struct arena *arena, struct str s)
{
    return str_replace(arena, s, STR("-"), STR("_"));
}

const struct config_key *config_find(struct str name)
{
    for (size_t i = 0; i < config_keys_count; i++) {
        const char *want = config_keys[i].name;
        size_t at = 0;
        while (at < name.len && want[at] && (name.ptr[at] == '-' ? '_' : name.ptr[at]) == want[at])
            at++;
        if (at == name.len && !want[at])
            return &config_keys[i];
    }
    return NULL;
}

static enum err_code unknown_key(struct cx *cx, struct str name, const char *place)
{
    return fail_field(cx, arena_cstr(cx->arena, name), "%s: unknown key \"%.*s\" (see: cairn help configuration)",
                      place, STR_ARG(name));
}

static enum err_code read_environment(struct cx *cx, const char *const *environment, struct found *found)
{
    for (; *environment; environment++) {
        struct str value = str_of(*environment), name;
        if (!str_starts(value, STR("CAIRN_")) || str_starts(value, STR("CAIRN_TEST_")))
            continue;
        (void)str_split(&value, '=', &name);
        const struct config_key *key = config_find(str_lower(cx->arena, str_skip(name, 6)));
        if (!key)
            return unknown_key(cx, name, "environment");
        const char *place = arena_cstr(cx->arena, arena_printf(cx->arena, "variable %.*s", STR_ARG(name)));
        found[key - config_keys] = (struct found){ value.ptr ? value : STR(""), place };
    }
    return E_OK;
}

static enum err_code read_line(struct cx *cx, struct str line, const char *place, struct found *found)
{
    line = str_trim(line);
    if (line.len == 0 || line.ptr[0] == '#')
        return E_OK;
    ptrdiff_t eq = str_chr(line, '=');
    if (eq < 0)
        return fail(cx, E_INVALID, "%s: expected \"key = value\", found \"%.*s\"", place, STR_ARG(line));
    struct str name = key_name(cx->arena, str_trim(str_sub(line, 0, (size_t)eq)));
    const struct config_key *key = config_find(name);
    if (!key)
        return unknown_key(cx, name, place);
    if (key->not_in_file)
        return fail_field(cx, key->name, "%s: \"%s\" says where this file is and cannot stand in it", place, key->name);
    struct found *f = &found[key - config_keys];
    if (f->place)
        return fail_field(cx, key->name, "%s: \"%s\" stands here a second time", place, key->name);
    *f = (struct found){ str_trim(str_skip(line, (size_t)eq + 1)), place };
    return E_OK;
}

static enum err_code read_file(struct cx *cx, const char *dir, struct found *found)
{
    const char *path = arena_printf(cx->arena, "%s/cairn.conf", dir).ptr;
    struct str rest, line;
    if (!fd_read_file(cx->arena, path, CONFIG_FILE_MAX_BYTES, &rest)) {
        if (errno == ENOENT || errno == ENOTDIR)
            return E_OK;
        return fail(cx, E_INVALID, "%s: %s", path, strerror(errno));
    }
    for (int number = 1; str_line(&rest, &line); number++)
        TRY(read_line(cx, line, arena_printf(cx->arena, "%s:%d", path, number).ptr, found));
    return E_OK;
}

static bool parse_bool(struct str s, bool *ret)
{
    static const char *const yes[] = { "yes", "true", "on", "1" }, *const no[] = { "no", "false", "off", "0" };
    for (size_t i = 0; i < COUNT(yes); i++) {
        if (str_iis(s, yes[i]) || str_iis(s, no[i])) {
            *ret = str_iis(s, yes[i]);
            return true;
        }
    }
    return false;
}

static enum err_code set_choice(struct cx *cx, const struct config_key *key, struct found f, int *ret)
{
    struct buf all = buf_new(cx->arena, 0);
    for (int i = 0; key->choices[i]; i++) {
        if (str_is(f.value, key->choices[i])) {
            *ret = i;
            return E_OK;
        }
        buf_printf(&all, "%s%s", i ? ", " : "", key->choices[i]);
    }
    return fail_field(cx, key->name, "%s: %s must be one of %s, not \"%.*s\"", f.place, key->name, buf_str(&all).ptr,
                      STR_ARG(f.value));
}

static enum err_code set_value(struct cx *cx, const struct config_key *key, struct found f, struct config *ret)
{
    char *at = (char *)ret + key->offset;
    switch (key->type) {
    case CONFIG_TEXT:
    case CONFIG_PATH:
        *(const char **)(void *)at = f.value.len ? arena_cstr(cx->arena, f.value) : NULL;
        return E_OK;
    case CONFIG_INT: {
        int64_t n = 0;
        if (!num_parse_int(f.value, &n) || n < key->min || n > key->max)
            return fail_field(cx, key->name, "%s: %s must be a number from %" PRId64 " to %" PRId64 ", not \"%.*s\"",
                              f.place, key->name, key->min, key->max, STR_ARG(f.value));
        *(int64_t *)(void *)at = n;
        return E_OK;
    }
    case CONFIG_BOOL:
        if (!parse_bool(f.value, (bool *)at))
            return fail_field(cx, key->name, "%s: %s must be yes or no, not \"%.*s\"", f.place, key->name,
                              STR_ARG(f.value));
        return E_OK;
    case CONFIG_CHOICE: {
        int choice = 0;
        TRY(set_choice(cx, key, f, &choice));
        ret->log_level = (enum log_level)choice;
        return E_OK;
    }
    }
    return E_OK;
}

static enum err_code split_listen(struct cx *cx, struct config *c, const char *place)
{
    struct str listen = str_of(c->listen);
    ptrdiff_t colon = str_rchr(listen, ':');
    struct str host = colon > 0 ? str_sub(listen, 0, (size_t)colon) : STR_NONE;
    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = str_sub(host, 1, host.len - 2);
    if (!host.len || !num_parse_int(str_skip(listen, (size_t)colon + 1), &c->port) || c->port < 0 || c->port > 65535)
        return fail_field(cx, "listen", "%s: listen must be HOST:PORT, not \"%.*s\"", place, STR_ARG(listen));
    c->host = arena_cstr(cx->arena, host);
    return E_OK;
}

/* Pages lie in web/dist of the source tree, or in share/cairn/web of an installation. */
static const char *find_web_dir(struct arena *arena)
{
    static const char *const places[] = { "../web/dist", "../share/cairn/web" };
    char exe[4096];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    ptrdiff_t slash = n > 0 ? str_rchr((struct str){ exe, (size_t)n }, '/') : -1;
    for (size_t i = 0; slash > 0 && i < COUNT(places); i++) {
        const char *dir = arena_printf(arena, "%.*s/%s", (int)slash, exe, places[i]).ptr;
        if (access(arena_printf(arena, "%s/index.html", dir).ptr, R_OK) == 0)
            return dir;
    }
    return NULL;
}

static enum err_code settle(struct cx *cx, struct config *c, const struct found *found)
{
    TRY(split_listen(cx, c, found[config_find(STR("listen")) - config_keys].place));
    if (c->database && !str_starts(str_of(c->database), STR("postgresql://")) &&
        !str_starts(str_of(c->database), STR("postgres://")))
        return fail_field(cx, "database", "%s: database must begin with postgresql://",
                          found[config_find(STR("database")) - config_keys].place);
    if (c->public_url && !str_starts(str_of(c->public_url), STR("http://")) &&
        !str_starts(str_of(c->public_url), STR("https://")))
        return fail_field(cx, "public_url", "%s: public_url must begin with http:// or https://",
                          found[config_find(STR("public_url")) - config_keys].place);
    if (!c->blobs)
        c->blobs = arena_printf(cx->arena, "%s/blobs", c->data).ptr;
    if (!c->web_dir)
        c->web_dir = find_web_dir(cx->arena);
    return E_OK;
}

enum err_code config_load(struct cx *cx, const struct config_option *options, size_t n, const char *const *environment,
                          struct config *ret)
{
    struct found *given = NEWN(cx->arena, struct found, config_keys_count);
    struct found *in_file = NEWN(cx->arena, struct found, config_keys_count);
    TRY(read_environment(cx, environment, given));
    for (size_t i = 0; i < n; i++) {
        const char *place = arena_printf(cx->arena, "option --%s", options[i].key->name).ptr;
        given[options[i].key - config_keys] = (struct found){ options[i].value, place };
    }
    const struct found *data = &given[0];
    const char *dir = data->value.len ? arena_cstr(cx->arena, data->value) : config_keys[0].otherwise;
    TRY(read_file(cx, dir, in_file));
    *ret = (struct config){ 0 };
    for (size_t i = 0; i < config_keys_count; i++) {
        if (!given[i].place)
            given[i] = in_file[i];
        if (!given[i].place)
            given[i] = (struct found){ str_of(config_keys[i].otherwise), "default" };
        if (given[i].value.ptr)
            TRY(set_value(cx, &config_keys[i], given[i], ret));
    }
    ret->data = dir;
    if (!ret->listen)
        return fail_field(cx, "listen", "%s: listen must be HOST:PORT",
                          given[config_find(STR("listen")) - config_keys].place);
    return settle(cx, ret, given);
}

struct str config_markdown(struct arena *arena)
{
    struct buf b = buf_new(arena, 0);
    buf_lit(&b, "# Configuration\n\n"
                "Made from the table in `src/platform/config/config.c` by `make docs`.\n\n"
                "Each key is an option (`--public-url URL`), a variable (`CAIRN_PUBLIC_URL=URL`) and a line of\n"
                "`DIR/cairn.conf` (`public_url = URL`). The option counts before the variable, the variable before the\n"
                "file. Lines that begin with `#` are comments. An unknown key stops the command and names it.\n\n"
                "| key | value | default | meaning |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < config_keys_count; i++) {
        const struct config_key *k = &config_keys[i];
        struct str placeholder = str_replace(arena, str_of(k->placeholder), STR("|"), STR(" or "));
        buf_printf(&b, "| `%s` | %.*s | %s%s%s | %s%s |\n", k->name, STR_ARG(placeholder), k->otherwise ? "`" : "",
                   k->otherwise ? k->otherwise : "–", k->otherwise ? "`" : "", k->doc,
                   k->not_in_file ? " Not in the file." : "");
    }
    return buf_str(&b);
}

struct str config_help(struct arena *arena)
{
    struct buf b = buf_new(arena, 0);
    for (size_t i = 0; i < config_keys_count; i++) {
        const struct config_key *k = &config_keys[i];
        struct str option = str_replace(arena, arena_printf(arena, "--%s %s", k->name, k->placeholder), STR("_"),
                                        STR("-"));
        buf_printf(&b, "  %-30.*s %s%s%s%s\n", STR_ARG(option), k->doc, k->otherwise ? " [" : "",
                   k->otherwise ? k->otherwise : "", k->otherwise ? "]" : "");
    }
    return buf_str(&b);
}
