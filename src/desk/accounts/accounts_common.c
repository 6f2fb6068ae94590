/* accounts_common.c - what every module of desk/ does alike: events, changes, versions, look-ups. */
#include "desk/accounts/accounts.h"

#include "platform/json/json.h"
#include "platform/text/text.h"

enum err_code emit_event(struct cx *cx, struct db *db, struct str type, int64_t subject_id, struct str data)
{
    struct event event = { .account_id = cx->account_id, .type = type, .subject_id = subject_id,
                           .data = data.len ? data : STR("{}") };
    return journal_append(cx, db, &event);
}

struct changes changes_begin(struct cx *cx)
{
    struct changes c = { .buf = buf_new(cx->arena, 0) };
    buf_char(&c.buf, '{');
    return c;
}

void change_raw(struct changes *c, const char *field, struct str old, struct str new)
{
    if (str_eq(old, new))
        return;
    buf_printf(&c->buf, "%s\"%s\":[%.*s,%.*s]", c->n++ ? "," : "", field, STR_ARG(old), STR_ARG(new));
}

static struct str quoted(struct arena *arena, struct str text)
{
    return text.ptr ? json_quote(arena, text) : STR("null");
}

void change_text(struct changes *c, const char *field, struct str old, struct str new)
{
    change_raw(c, field, quoted(c->buf.arena, old), quoted(c->buf.arena, new));
}

static struct str id_text(struct arena *arena, int64_t id)
{
    return id ? arena_printf(arena, "\"%lld\"", (long long)id) : STR("null");
}

void change_id(struct changes *c, const char *field, int64_t old, int64_t new)
{
    change_raw(c, field, id_text(c->buf.arena, old), id_text(c->buf.arena, new));
}

void change_bool(struct changes *c, const char *field, bool old, bool new)
{
    change_raw(c, field, old ? STR("true") : STR("false"), new ? STR("true") : STR("false"));
}

struct str changes_end(struct changes *c)
{
    buf_char(&c->buf, '}');
    return buf_str(&c->buf);
}

enum err_code if_found(struct cx *cx, enum err_code code, bool *ret_found)
{
    *ret_found = code == E_OK;
    if (code != E_NOT_FOUND)
        return code;
    failure_clear(cx);
    return E_OK;
}

enum err_code need_found(struct cx *cx, enum err_code code, const char *what)
{
    return code == E_NOT_FOUND ? fail(cx, E_NOT_FOUND, "There is no such %s", what) : code;
}

bool version_differs(const struct cx *cx, int64_t expected_version, int64_t current)
{
    if (!expected_version && cx->reply)
        expected_version = request_if_match(cx);
    return expected_version && expected_version != current;
}

enum err_code fail_version(struct cx *cx, const struct shape *shape, const void *current)
{
    struct buf extra = buf_new(cx->arena, 0);
    buf_lit(&extra, "\"current\":");
    shape_write(cx->arena, &extra, shape, current);
    enum err_code code = fail(cx, E_CONFLICT, "It was changed by someone else meanwhile");
    cx->failure.extra = buf_str(&extra);
    return code;
}

struct str like_pattern(struct arena *arena, struct str text)
{
    struct str folded = text_lower(arena, str_trim(text));
    if (!folded.len)
        return STR_NONE;
    struct buf b = buf_new(arena, 0);
    buf_char(&b, '%');
    for (size_t i = 0; i < folded.len; i++) {
        if (strchr("%_!", folded.ptr[i]))
            buf_char(&b, '!');
        buf_char(&b, folded.ptr[i]);
    }
    buf_char(&b, '%');
    return buf_str(&b);
}

struct str ids_param(struct arena *arena, const int64_t *ids, size_t n)
{
    struct buf b = buf_new(arena, 0);
    buf_char(&b, '[');
    for (size_t i = 0; i < n; i++)
        buf_printf(&b, "%s%lld", i ? "," : "", (long long)ids[i]);
    buf_char(&b, ']');
    return buf_str(&b);
}
