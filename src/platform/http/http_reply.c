/* http_reply.c - what a handler may say beyond its output: status, headers, files, ranges. */
#include "platform/http/http_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { INLINE_BLOB_MAX = 256 * 1024 };

void reply_reset(struct reply *reply)
{
    fd_close(&reply->fd);
    *reply = (struct reply){ .fd = -1 };
}

void reply_status(struct cx *cx, int status)
{
    cx->reply->status = status;
}

void reply_header(struct cx *cx, const char *name, struct str value)
{
    struct header *h = NEW(cx->arena, struct header);
    *h = (struct header){ .name = name, .value = arena_copy(cx->arena, value) };
    if (cx->reply->last_header)
        cx->reply->last_header->next = h;
    else
        cx->reply->headers = h;
    cx->reply->last_header = h;
}

void reply_cookie(struct cx *cx, const char *name, struct str value, int64_t max_age_s)
{
    struct exchange *x = exchange_of(cx);
    const struct http_options *o = &x->server->options;
    bool secure = o->public_url && str_istarts(str_of(o->public_url), STR("https://"));
    if (o->trusted_proxy && str_iis(exchange_header(x, "X-Forwarded-Proto"), "https"))
        secure = true;
    reply_header(cx, "Set-Cookie",
                 arena_printf(cx->arena, "%s=%.*s; Path=/; HttpOnly; SameSite=Lax; Max-Age=%lld%s", name, STR_ARG(value),
                              (long long)max_age_s, secure ? "; Secure" : ""));
}

void reply_bytes(struct cx *cx, struct str content_type, struct str body)
{
    cx->reply->kind = REPLY_RAW;
    cx->reply->content_type = content_type;
    cx->reply->body = body;
}

/* What a browser may show in place: nothing that can run or refer. */
static bool may_show(struct str type)
{
    static const char *const shown[] = { "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp",
                                         "text/plain", "application/pdf", "audio/mpeg", "audio/ogg", "audio/wav",
                                         "audio/mp4", "audio/webm", "video/mp4", "video/webm", "video/ogg" };
    ptrdiff_t semicolon = str_chr(type, ';');
    struct str bare = str_trim(semicolon < 0 ? type : str_sub(type, 0, (size_t)semicolon));
    for (size_t i = 0; i < COUNT(shown); i++)
        if (str_iis(bare, shown[i]))
            return true;
    return false;
}

/* RFC 6266: an ASCII name for the old, the true one by RFC 8187. */
static struct str disposition(struct arena *arena, struct str file_name, bool attachment)
{
    struct buf ascii = buf_new(arena, 0);
    for (size_t i = 0; i < file_name.len; i++) {
        char c = file_name.ptr[i];
        bool plain = c >= 0x20 && c < 0x7f && !strchr("\"\\/%;", c);
        buf_char(&ascii, plain ? c : '_');
    }
    struct str kind = attachment ? STR("attachment") : STR("inline");
    if (!file_name.len)
        return kind;
    return arena_printf(arena, "%.*s; filename=\"%.*s\"; filename*=UTF-8''%.*s", STR_ARG(kind), STR_ARG(buf_str(&ascii)),
                        STR_ARG(percent_encode(arena, file_name)));
}

static bool type_is_clean(struct str type)
{
    bool clean = type.len > 2 && type.len < 200 && str_chr(type, '/') > 0;
    for (size_t i = 0; clean && i < type.len; i++)
        clean = type.ptr[i] >= 0x20 && type.ptr[i] < 0x7f;
    return clean;
}

void reply_blob(struct cx *cx, struct str hash, struct str content_type, struct str file_name, bool download)
{
    struct reply *reply = cx->reply;
    reply->kind = REPLY_RAW;
    reply->blob_hash = arena_copy(cx->arena, hash);
    reply->blob_download = download || !may_show(content_type);
    reply->content_type = type_is_clean(content_type) ? arena_copy(cx->arena, content_type) : STR("application/octet-stream");
    reply->sandbox = true;
    reply->cacheable = true;
    reply_header(cx, "Content-Disposition", disposition(cx->arena, file_name, reply->blob_download));
    reply_header(cx, "Cache-Control", STR("private, max-age=86400, immutable"));
}

/* ---- conditions and ranges (RFC 9110 sections 13 and 14) ---- */

bool etag_matches(struct str header, struct str etag)
{
    struct str part;
    while (str_split(&header, ',', &part)) {
        part = str_trim(part);
        if (str_starts(part, STR("W/")))
            part = str_skip(part, 2);
        if (str_is(part, "*") || str_eq(part, etag))
            return true;
    }
    return false;
}

enum range { RANGE_WHOLE, RANGE_PART, RANGE_BAD };

/* One range of bytes; several, or another unit, give the whole. */
static enum range parse_range(struct str header, int64_t size, int64_t *ret_from, int64_t *ret_length)
{
    if (!str_istarts(header, STR("bytes=")) || str_chr(header, ',') >= 0)
        return RANGE_WHOLE;
    struct str spec = str_trim(str_skip(header, 6));
    ptrdiff_t dash = str_chr(spec, '-');
    if (dash < 0)
        return RANGE_WHOLE;
    struct str first = str_sub(spec, 0, (size_t)dash), last = str_skip(spec, (size_t)dash + 1);
    int64_t from = 0, to = size - 1;
    if (first.len) {
        if (!num_parse_int(first, &from) || (last.len && (!num_parse_int(last, &to) || to < from)))
            return RANGE_WHOLE;
    } else {
        int64_t tail = 0;
        if (!num_parse_int(last, &tail) || tail < 0)
            return RANGE_WHOLE;
        if (tail == 0)
            return RANGE_BAD;
        from = MAX((int64_t)0, size - tail);
    }
    if (from < 0 || from >= size)
        return RANGE_BAD;
    *ret_from = from;
    *ret_length = MIN(to, size - 1) - from + 1;
    return RANGE_PART;
}

/* Sets status and part; returns false when no content is to follow. */
static bool apply_conditions(struct exchange *x, struct str etag, int64_t size)
{
    struct cx *cx = &x->cx;
    struct reply *reply = &x->reply;
    reply->length = size;
    reply_header(cx, "ETag", etag);
    reply_header(cx, "Accept-Ranges", STR("bytes"));
    if (etag_matches(exchange_header(x, "If-None-Match"), etag)) {
        reply->status = 304;
        return false;
    }
    struct str range = exchange_header(x, "Range"), if_range = exchange_header(x, "If-Range");
    if (!range.ptr || (if_range.ptr && !str_eq(if_range, etag)))
        return true;
    switch (parse_range(range, size, &reply->from, &reply->length)) {
    case RANGE_WHOLE:
        return true;
    case RANGE_PART:
        reply->status = 206;
        reply_header(cx, "Content-Range",
                     arena_printf(x->arena, "bytes %lld-%lld/%lld", (long long)reply->from,
                                  (long long)(reply->from + reply->length - 1), (long long)size));
        return true;
    case RANGE_BAD:
        reply->status = 416;
        reply_header(cx, "Content-Range", arena_printf(x->arena, "bytes */%lld", (long long)size));
        return false;
    }
    return true;
}

enum err_code reply_file(struct exchange *x, int fd, int64_t size, struct str etag)
{
    if (!apply_conditions(x, etag, size)) {
        fd_close(&fd);
        x->reply.kind = REPLY_RAW;
        return E_OK;
    }
    x->reply.kind = REPLY_FILE;
    x->reply.fd = fd;
    return E_OK;
}

enum err_code reply_resolve_blob(struct exchange *x, struct db *db)
{
    struct reply *reply = &x->reply;
    struct cx *cx = &x->cx;
    if (!reply->blob_hash.ptr)
        return E_OK;
    struct blobs *blobs = x->server->options.blobs;
    struct str etag = arena_printf(x->arena, "\"%.*s\"", STR_ARG(reply->blob_hash)), path;
    if (blob_file_path(cx, blobs, reply->blob_hash, &path)) {
        struct stat st;
        int fd = open(path.ptr, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) != 0) {
            int error = errno;
            fd_close(&fd);
            return fail_internal(cx, "blob %s: %s", path.ptr, strerror(error));
        }
        return reply_file(x, fd, st.st_size, etag);
    }
    struct str content;
    TRY(blob_get(cx, db, blobs, reply->blob_hash, INLINE_BLOB_MAX, &content));
    if (apply_conditions(x, etag, (int64_t)content.len))
        reply->body = str_sub(content, (size_t)reply->from, (size_t)reply->length);
    return E_OK;
}

void reply_write_json(struct exchange *x)
{
    const struct route *route = x->entry->route;
    struct buf out = buf_new(x->arena, 0);
    if (route->page) {
        const struct page_out *page = x->out;
        struct json_writer w = json_writer(&out);
        json_open_object(&w, NULL);
        json_open_list(&w, "items");
        const char *item = page->items.items;
        for (size_t i = 0; i < page->items.n; i++, item += route->shape->size) {
            if (i)
                buf_char(&out, ',');
            shape_write(x->arena, &out, route->shape, item);
        }
        json_close_list(&w);
        json_put_text(&w, "next_cursor", page->next_cursor);
        json_close_object(&w);
    } else if (route->shape) {
        shape_write(x->arena, &out, route->shape, x->out);
    }
    x->reply.body = buf_str(&out);
}
