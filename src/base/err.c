/* err.c - failures, recorded once and passed on. */
#define CAIRN_BASE_INTERNAL
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
    int status;
    const char *name, *title;
} table[] = {
#define X(name, status, code, title) [E_##name] = { status, code, title },
    ERR_CODES(X)
#undef X
};

int err_status(enum err_code code)
{
    return table[code].status;
}

const char *err_name(enum err_code code)
{
    return table[code].name;
}

const char *err_title(enum err_code code)
{
    return table[code].title;
}

void assert_failed(const char *cond, const char *file, int line)
{
    fprintf(stderr, "cairn: broken invariant %s at %s:%d\n", cond, file, line);
    abort();
}

#define MESSAGE(cx, fmt)                                       \
    do {                                                       \
        va_list ap;                                            \
        va_start(ap, fmt);                                     \
        (cx)->failure.message = arena_vprintf((cx)->arena, fmt, ap); \
        va_end(ap);                                            \
    } while (0)

enum err_code fail(struct cx *cx, enum err_code code, const char *fmt, ...)
{
    failure_clear(cx);
    MESSAGE(cx, fmt);
    return cx->failure.code = code;
}

enum err_code fail_field(struct cx *cx, const char *field, const char *fmt, ...)
{
    failure_clear(cx);
    MESSAGE(cx, fmt);
    cx->failure.field = field;
    return cx->failure.code = E_INVALID;
}

enum err_code fail_busy(struct cx *cx, const char *fmt, ...)
{
    failure_clear(cx);
    MESSAGE(cx, fmt);
    cx->failure.detail = cx->failure.message;
    return cx->failure.code = E_BUSY;
}

enum err_code fail_internal(struct cx *cx, const char *fmt, ...)
{
    failure_clear(cx);
    MESSAGE(cx, fmt);
    cx->failure.detail = cx->failure.message;
    cx->failure.message = STR("Something broke on our side; the log has the details under this request id");
    return cx->failure.code = E_INTERNAL;
}

void failure_clear(struct cx *cx)
{
    cx->failure = (struct failure){ .code = E_OK };
}
