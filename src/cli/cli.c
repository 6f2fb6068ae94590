/* cli.c - from argv to a command: options, help, exit status. */
#include "cli/cli_priv.h"

#include "api/api.h"

#include <stdio.h>
#include <unistd.h>

struct parsed {
    struct config_option options[64];
    size_t noptions;
};

struct str cli_option(const struct cli *cli, const char *name)
{
    for (size_t i = 0; i < COUNT(cli->command->options) && cli->command->options[i].name; i++)
        if (strcmp(cli->command->options[i].name, name) == 0)
            return cli->given[i];
    return STR_NONE;
}

static const struct command *find_command(struct str name)
{
    for (size_t i = 0; i < commands_count; i++)
        if (str_is(name, commands[i].name))
            return &commands[i];
    return NULL;
}

static void print_overview(struct arena *arena)
{
    puts("Cairn: customer support from first message to resolution.\n\nUsage:");
    for (size_t i = 0; i < commands_count; i++)
        printf("  %-9s %s\n", commands[i].name, commands[i].summary);
    puts("\nSettings, for every command; also CAIRN_KEY variables and DIR/cairn.conf [default]:");
    fputs(config_help(arena).ptr, stdout);
    puts("\ncairn help COMMAND says more about one.");
}

static void print_command(const struct command *c)
{
    printf("%s\n\n%s\n", c->usage, c->summary);
    if (c->doc)
        printf("%s\n", c->doc);
    if (c->options[0].name)
        puts("");
    for (size_t i = 0; i < COUNT(c->options) && c->options[i].name; i++)
        printf("  --%s %-*s %s\n", c->options[i].name, 20 - (int)strlen(c->options[i].name),
               c->options[i].placeholder ? c->options[i].placeholder : "", c->options[i].doc);
    if (c->needs_config)
        puts("\nSettings such as --data and --database are listed by: cairn help");
}

void cli_print_help(struct arena *arena, struct str topic, bool *ret_found)
{
    const struct command *c = find_command(topic);
    if (!topic.ptr)
        print_overview(arena);
    else if (c)
        print_command(c);
    else if (str_is(topic, "configuration"))
        fputs(config_markdown(arena).ptr, stdout);
    else if (str_is(topic, "openapi"))
        puts(routes_openapi(arena, api_tables, api_tables_count).ptr);
    else if (str_is(topic, "permissions"))
        fputs(api_permissions(arena).ptr, stdout);
    else
        *ret_found = false;
}

/* Takes the value from "--name=value" or the next word. */
static enum err_code option_value(struct cx *cx, struct str name, bool has_inline, struct str inline_value, char **argv,
                                  int argc, int *at, struct str *ret)
{
    if (has_inline) {
        *ret = inline_value;
        return E_OK;
    }
    if (*at + 1 >= argc)
        return fail(cx, E_BAD_REQUEST, "--%.*s needs a value", STR_ARG(name));
    *ret = str_of(argv[++*at]);
    return E_OK;
}

static enum err_code parse_option(struct cli *cli, struct parsed *p, char **argv, int argc, int *at)
{
    struct cx *cx = cli->cx;
    struct str name = str_skip(str_of(argv[*at]), 2), value = STR_NONE;
    ptrdiff_t eq = str_chr(name, '=');
    struct str inline_value = eq >= 0 ? str_skip(name, (size_t)eq + 1) : STR_NONE;
    if (eq >= 0)
        name = str_sub(name, 0, (size_t)eq);
    for (size_t i = 0; i < COUNT(cli->given) && cli->command->options[i].name; i++) {
        const struct command_option *o = &cli->command->options[i];
        if (!str_is(name, o->name))
            continue;
        if (!o->placeholder && eq >= 0)
            return fail(cx, E_BAD_REQUEST, "--%s takes no value", o->name);
        if (!o->placeholder) {
            cli->given[i] = STR("");
            return E_OK;
        }
        return option_value(cx, name, eq >= 0, inline_value, argv, argc, at, &cli->given[i]);
    }
    const struct config_key *key = config_find(name);
    if (!key || !cli->command->needs_config)
        return fail(cx, E_BAD_REQUEST, "unknown option --%.*s (see: cairn help %s)", STR_ARG(name), cli->command->name);
    if (p->noptions == COUNT(p->options))
        return fail(cx, E_BAD_REQUEST, "too many options");
    TRY(option_value(cx, name, eq >= 0, inline_value, argv, argc, at, &value));
    p->options[p->noptions++] = (struct config_option){ key, value };
    return E_OK;
}

static enum err_code parse(struct cli *cli, struct parsed *p, int argc, char **argv)
{
    bool only_words = false;
    for (int at = 2; at < argc; at++) {
        struct str word = str_of(argv[at]);
        if (!only_words && str_is(word, "--")) {
            only_words = true;
        } else if (!only_words && str_starts(word, STR("--"))) {
            TRY(parse_option(cli, p, argv, argc, &at));
        } else {
            if (cli->nargs == cli->command->max_args)
                return fail(cli->cx, E_BAD_REQUEST, "\"%.*s\" is one word too many (see: cairn help %s)", STR_ARG(word),
                            cli->command->name);
            cli->args[cli->nargs++] = word;
        }
    }
    if (cli->nargs < cli->command->min_args)
        return fail(cli->cx, E_BAD_REQUEST, "usage: %s", cli->command->usage);
    return E_OK;
}

static int complain(struct cx *cx, int status)
{
    struct str text = cx->failure.detail.len && cx->failure.code == E_INTERNAL ? cx->failure.detail
                                                                              : cx->failure.message;
    fprintf(stderr, "cairn: %.*s\n", STR_ARG(text));
    return status;
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct parsed *p = NEW(cli->cx->arena, struct parsed);
    enum err_code code = E_OK;
    bool deliver = strcmp(cli->command->name, "deliver") == 0; /* whose caller must keep the message */
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_command(cli->command);
            return EXIT_DONE;
        }
    }
    if (parse(cli, p, argc, argv) != E_OK)
        return complain(cli->cx, deliver ? EXIT_TRY_AGAIN : EXIT_USAGE);
    if (cli->command->needs_config) {
        if (config_load(cli->cx, p->options, p->noptions, (const char *const *)environ, &cli->config) != E_OK)
            return complain(cli->cx, deliver ? EXIT_TRY_AGAIN : EXIT_USAGE);
        log_setup(strcmp(cli->command->name, "serve") == 0 ? cli->config.log_level : LOG_WARN, STDERR_FILENO);
    }
    int status = cli->command->run(cli, &code);
    return code == E_OK ? status : complain(cli->cx, status);
}

int cli_main(int argc, char **argv, serve_fn *serve)
{
    CLEANUP(arena_free) struct arena *arena = arena_new("command", 0);
    struct cx cx = { .arena = arena, .now_us = clock_now_us(), .actor = STR("system") };
    struct str name = argc > 1 ? str_of(argv[1]) : STR_NONE;
    if (!name.ptr || str_is(name, "--help") || str_is(name, "-h"))
        name = STR("help");
    if (str_is(name, "--version"))
        name = STR("version");
    struct cli cli = { .cx = &cx, .serve = serve, .command = find_command(name) };
    if (!cli.command) {
        (void)fail(&cx, E_BAD_REQUEST, "there is no command \"%.*s\" (see: cairn help)", STR_ARG(name));
        return complain(&cx, EXIT_USAGE);
    }
    return run(&cli, argc, argv);
}
