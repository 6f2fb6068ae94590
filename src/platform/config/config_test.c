/* config_test.c - where values come from, and what is refused. */
#include "platform/config/config.h"
#include "testing/testing.h"

static const char *const no_environment[] = { NULL };

static void write_file(struct world *w, const char *text)
{
    const char *path = arena_printf(w->arena, "%s/cairn.conf", w->dir).ptr;
    CHECK(fd_replace_file(w->arena, path, str_of(text), 0600));
}

static struct config_option option(const char *name, const char *value)
{
    return (struct config_option){ config_find(str_of(name)), str_of(value) };
}

static void option_beats_variable_beats_file(void **state)
{
    struct world *w = *state;
    struct config c;
    const char *const environment[] = { "CAIRN_WORKERS=8", "CAIRN_PUBLIC_URL=https://desk.example.com", "HOME=/", NULL };
    write_file(w, "# comment\n\nworkers = 2\nslow_workers=3\npublic-url = http://file.example.com\n");
    struct config_option options[] = { option("data", w->dir), option("workers", "16") };
    CHECK_OK(&w->cx, config_load(&w->cx, options, 2, environment, &c));
    CHECK_INT(c.workers, 16);
    CHECK_INT(c.slow_workers, 3);
    CHECK_STR(str_of(c.public_url), "https://desk.example.com");
    CHECK_STR(str_of(c.listen), "127.0.0.1:8080");
    CHECK_STR(str_of(c.host), "127.0.0.1");
    CHECK_INT(c.port, 8080);
    CHECK_STR(str_of(c.blobs), arena_printf(w->arena, "%s/blobs", w->dir).ptr);
    CHECK(c.rate_limits && c.poll_mailboxes && !c.database);
}

static void bad_values_name_key_and_place(void **state)
{
    static const struct { const char *file, *complaint; } cases[] = {
        { "workers = many\n", "/cairn.conf:1: workers must be a number from 1 to 256" },
        { "workers = 257\n", "/cairn.conf:1: workers must be" },
        { "workers = 0\n", "/cairn.conf:1: workers must be" },
        { "\ncolour = blue\n", "/cairn.conf:2: unknown key \"colour\"" },
        { "workers\n", "/cairn.conf:1: expected \"key = value\"" },
        { "workers = 1\nworkers = 2\n", "/cairn.conf:2: \"workers\" stands here a second time" },
        { "data = /elsewhere\n", "cannot stand in it" },
        { "rate_limits = perhaps\n", "rate_limits must be yes or no" },
        { "log_level = loud\n", "log_level must be one of debug, info, warn, error" },
        { "listen = 8080\n", "listen must be HOST:PORT" },
        { "listen = localhost:65536\n", "listen must be HOST:PORT" },
        { "listen =\n", "listen must be HOST:PORT" },
        { "database = mysql://x\n", "database must begin with postgresql://" },
        { "public_url = desk.example.com\n", "public_url must begin with http" },
    };
    struct world *w = *state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct config c;
        struct config_option options[] = { option("data", w->dir) };
        write_file(w, cases[i].file);
        CHECK_ERR(config_load(&w->cx, options, 1, no_environment, &c), E_INVALID);
        CHECK_CASE(cases[i].file, str_find(w->cx.failure.message, str_of(cases[i].complaint)) >= 0);
    }
}

static void unknown_variable_is_named(void **state)
{
    struct world *w = *state;
    struct config c;
    const char *const environment[] = { "CAIRN_COLOUR=blue", NULL };
    const char *const of_tests[] = { "CAIRN_TEST_POSTGRES=postgresql://x", NULL };
    CHECK_ERR(config_load(&w->cx, NULL, 0, environment, &c), E_INVALID);
    CHECK(str_find(w->cx.failure.message, STR("CAIRN_COLOUR")) >= 0);
    CHECK_OK(&w->cx, config_load(&w->cx, NULL, 0, of_tests, &c));
}

static void listens_on_ipv6(void **state)
{
    struct world *w = *state;
    struct config c;
    struct config_option options[] = { option("data", w->dir), option("listen", "[::1]:0") };
    CHECK_OK(&w->cx, config_load(&w->cx, options, 2, no_environment, &c));
    CHECK_STR(str_of(c.host), "::1");
    CHECK_INT(c.port, 0);
}

static void every_key_is_documented(void **state)
{
    struct world *w = *state;
    struct str page = config_markdown(w->arena), help = config_help(w->arena);
    for (size_t i = 0; i < config_keys_count; i++) {
        const char *row = arena_printf(w->arena, "| `%s` |", config_keys[i].name).ptr;
        CHECK_CASE(config_keys[i].name, str_find(page, str_of(row)) >= 0);
        CHECK_CASE(config_keys[i].name, str_find(help, str_of(config_keys[i].doc)) >= 0);
        CHECK(config_find(str_of(config_keys[i].name)) == &config_keys[i]);
    }
    CHECK(config_find(STR("public-url")) == config_find(STR("public_url")));
    CHECK(!config_find(STR("publi")) && !config_find(STR("public_urls")));
}

TESTS(UNIT(option_beats_variable_beats_file), UNIT(bad_values_name_key_and_place), UNIT(unknown_variable_is_named),
      UNIT(listens_on_ipv6), UNIT(every_key_is_documented))
