/* log.c - JSON lines, one write(2) each. */
#define CAIRN_BASE_INTERNAL
#include "base/base.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <unistd.h>

static _Atomic int least_level = LOG_INFO;
static _Atomic int out_fd = 2;

enum { LINE_MAX_BYTES = 16384 };

void log_setup(enum log_level least, int fd)
{
    atomic_store(&least_level, (int)least);
    atomic_store(&out_fd, fd);
}

bool log_wants(enum log_level level)
{
    return (int)level >= atomic_load(&least_level);
}

static void quote(struct buf *b, struct str s)
{
    uint32_t cp;
    buf_char(b, '"');
    while (utf8_next(&s, &cp)) {
        if (cp == '"' || cp == '\\')
            buf_printf(b, "\\%c", (int)cp);
        else if (cp < 0x20)
            buf_printf(b, "\\u%04x", (unsigned)cp);
        else
            utf8_put(b, cp);
    }
    buf_char(b, '"');
}

void log_fields(enum log_level level, const char *event, const struct log_field *fields, size_t n)
{
    static const char *const names[] = { "debug", "info", "warn", "error" };
    if (!log_wants(level))
        return;
    struct arena *arena = arena_new("log", 0);
    struct buf line = buf_new(arena, LINE_MAX_BYTES);
    buf_printf(&line, "{\"at\":\"%s\",\"level\":\"%s\",\"event\":", clock_rfc3339(arena, clock_now_us()).ptr,
               names[level]);
    quote(&line, str_of(event));
    for (size_t i = 0; i < n; i++) {
        struct str text = utf8_cut(fields[i].text, 4000);
        buf_char(&line, ',');
        quote(&line, str_of(fields[i].name));
        buf_char(&line, ':');
        if (text.ptr)
            quote(&line, text);
        else
            buf_printf(&line, "%" PRId64, fields[i].number);
    }
    buf_lit(&line, "}\n");
    struct str s = buf_str(&line);
    ssize_t wrote = write(atomic_load(&out_fd), s.ptr, s.len);
    (void)wrote; /* a log that cannot be written has nowhere to complain */
    arena_free(&arena);
}
