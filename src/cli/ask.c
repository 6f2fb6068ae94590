/* ask.c - an operation runs here under the lock, or in the server that holds it. */
#include "cli/cli_priv.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

static enum err_code code_of(struct str name)
{
    for (int code = E_OK; code <= E_INTERNAL; code++)
        if (str_is(name, err_name((enum err_code)code)))
            return (enum err_code)code;
    return E_INTERNAL;
}

static enum err_code run_here(struct cx *cx, struct installation *in, const struct operation *operation,
                              const struct call *call, struct json_value *ret)
{
    struct buf out = buf_new(cx->arena, 0);
    struct json_writer w = json_writer(&out);
    json_open_object(&w, NULL);
    TRY(operation->run(cx, in, call, &w));
    json_close_object(&w);
    return json_parse(cx, buf_str(&out), ret);
}

static struct str request_json(struct cx *cx, const struct operation *operation, const struct call *call)
{
    struct buf out = buf_new(cx->arena, 0);
    struct json_writer w = json_writer(&out);
    json_open_object(&w, NULL);
    json_put_text(&w, "operation", str_of(operation->name));
    for (size_t i = 0; i < call->args.n; i++)
        json_put_value(&w, arena_cstr(cx->arena, call->args.members[i].name), &call->args.members[i].value);
    json_close_object(&w);
    return buf_str(&out);
}

static enum err_code read_answer(struct cx *cx, int fd, const struct call *call, struct json_value *ret)
{
    struct str json = STR_NONE, body = STR_NONE;
    for (;;) {
        if (!frame_receive(fd, cx->arena, &json, &body))
            return fail(cx, E_BUSY, "the server ended before it answered");
        TRY(json_parse(cx, json, ret));
        const struct json_value *progress = json_get(ret, "progress");
        if (!progress)
            break;
        if (call->progress) {
            struct buf out = buf_new(cx->arena, 0);
            struct json_writer w = json_writer(&out);
            json_put_value(&w, NULL, progress);
            call->progress(call, buf_str(&out));
        }
    }
    enum err_code code = code_of(json_text(ret, "code"));
    if (code == E_OK)
        return E_OK;
    struct str field = json_text(ret, "field"), message = json_text(ret, "message");
    (void)fail(cx, code, "%.*s", STR_ARG(message));
    cx->failure.field = field.ptr ? arena_cstr(cx->arena, field) : NULL;
    return code;
}

static enum err_code run_there(struct cx *cx, int fd, const struct operation *operation, const struct call *call,
                               struct json_value *ret)
{
    if (!frame_send(fd, request_json(cx, operation, call), call->body))
        return fail(cx, E_BUSY, "the server did not take the request: %s", strerror(errno));
    return read_answer(cx, fd, call, ret);
}

enum err_code operation_ask(struct cx *cx, const struct config *config, const struct operation *operation,
                            const struct call *call, int64_t wait_us, struct json_value *ret)
{
    int64_t deadline = clock_monotonic_us() + wait_us;
    for (;;) {
        struct installation in;
        enum err_code code = installation_open(cx, config, operation->use, 0, &in);
        bool locked = code == E_CONFLICT && in.lock_fd >= 0 && !in.store;
        if (code == E_OK)
            code = run_here(cx, &in, operation, call, ret);
        installation_close(&in);
        if (!locked)
            return code;
        CLEANUP(fd_close) int fd = control_connect(config->data);
        if (fd >= 0)
            return run_there(cx, fd, operation, call, ret);
        /* A server that starts or ends, or another command: one of both ways opens soon. */
        if (clock_monotonic_us() >= deadline)
            return fail(cx, E_CONFLICT, "another process works in %s", config->data);
        nanosleep(&(struct timespec){ .tv_nsec = 20 * 1000 * 1000 }, NULL);
    }
}
