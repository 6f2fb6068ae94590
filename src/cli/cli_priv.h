/* cli_priv.h - what the files of the command line share. */
#ifndef CAIRN_CLI_PRIV_H
#define CAIRN_CLI_PRIV_H

#include "cli/cli.h"
#include "platform/json/json.h"

enum { EXIT_DONE = 0, EXIT_TROUBLE = 1, EXIT_USAGE = 2, EXIT_TRY_AGAIN = 75 };

/* ---- operations: what a command asks for, here or in the server ---- */

struct call {
    struct json_value args;             /* JSON object */
    struct str body;                    /* raw bytes that go with it */
    void (*progress)(const struct call *call, struct str json);   /* may be NULL */
    void *arg;
};

struct operation {
    const char *name;
    enum installation_use use;
    /* Adds members of the result to `ret`. */
    enum err_code (*run)(struct cx *cx, struct installation *in, const struct call *call, struct json_writer *ret);
};
const struct operation *operation_find(struct str name);

enum err_code operation_setup(struct cx *cx, struct installation *in, const struct call *call, struct json_writer *ret);
enum err_code operation_check(struct cx *cx, struct installation *in, const struct call *call, struct json_writer *ret);
enum err_code operation_backup(struct cx *cx, struct installation *in, const struct call *call, struct json_writer *ret);
enum err_code restore(struct cx *cx, const struct config *config, const char *file) MUST_CHECK;

/* Runs the operation under the lock, or in the server that holds it.  wait_us: how long to try either way. */
enum err_code operation_ask(struct cx *cx, const struct config *config, const struct operation *operation,
                            const struct call *call, int64_t wait_us, struct json_value *ret) MUST_CHECK;

/* ---- frames of the control socket ---- */

enum { FRAME_HEADER_MAX_BYTES = 1024 * 1024, FRAME_BODY_MAX_BYTES = 64 * 1024 * 1024 };

/* Both give false with errno set; the reader also at a clean end (errno 0). */
bool frame_send(int fd, struct str json, struct str body);
bool frame_receive(int fd, struct arena *arena, struct str *ret_json, struct str *ret_body);

/* Connects to the server of this data folder; -1 with errno set. */
int control_connect(const char *dir);

/* ---- commands ---- */

struct cli {
    struct cx *cx;
    struct config config;
    const struct command *command;
    serve_fn *serve;
    struct str args[4];                 /* positional */
    size_t nargs;
    struct str given[4];                /* values of command->options, ptr NULL: not given */
};

struct command_option {
    const char *name, *placeholder, *doc;   /* placeholder NULL: a switch */
};

struct command {
    const char *name, *usage, *summary, *doc;
    struct command_option options[4];
    size_t min_args, max_args;
    bool needs_config;
    /* Exit status; on failure E_… is in *ret_code and cx->failure says why. */
    int (*run)(struct cli *cli, enum err_code *ret_code);
};
extern const struct command commands[];
extern const size_t commands_count;

/* Value of the command's own option, or STR_NONE. */
struct str cli_option(const struct cli *cli, const char *name);
void cli_print_help(struct arena *arena, struct str topic, bool *ret_found);

#endif
