#include "platform/mail/mail_internal.h"
#include "platform/text/text.h"

#include <pthread.h>
#include <time.h>

/* ---- shared helpers ---- */

static pthread_once_t gmime_ready = PTHREAD_ONCE_INIT;

void mail_gmime_init(void)
{
    pthread_once(&gmime_ready, g_mime_init);
}

void *mail_grow(struct arena *arena, void *items, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return items;
    *room = *room * 2 + 8;
    char *more = arena_alloc(arena, *room * size);
    if (n > 0)
        memcpy(more, items, n * size);
    return more;
}

enum err_code mail_over_limit(struct cx *cx, const char *field, size_t limit)
{
    enum err_code code = fail(cx, E_LIMIT, "The message is over the limit %s = %zu", field, limit);
    cx->failure.field = field;
    return code;
}

static int64_t cpu_now_us(void)
{
    struct timespec ts = { 0 };
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * US_PER_SECOND + ts.tv_nsec / 1000;
}

enum err_code mail_check_cpu(const struct reader *r)
{
    if (cpu_now_us() > r->cpu_end_us)
        return mail_over_limit(r->cx, "max_cpu_us", (size_t)r->limits.max_cpu_us);
    return E_OK;
}

void mail_defect(struct reader *r, const char *fmt, ...)
{
    va_list ap;
    if (r->mail->ndefects >= 50)
        return;
    va_start(ap, fmt);
    struct str text = arena_vprintf(r->cx->arena, fmt, ap);
    va_end(ap);
    struct mail *m = r->mail;
    m->defects = mail_grow(r->cx->arena, m->defects, m->ndefects, &r->defects_room, sizeof(*m->defects));
    m->defects[m->ndefects++] = utf8_repair(r->cx->arena, text, true);
}

struct mail_part *mail_add_part(struct reader *r)
{
    struct mail *m = r->mail;
    m->parts = mail_grow(r->cx->arena, m->parts, m->nparts, &r->parts_room, sizeof(*m->parts));
    m->parts[m->nparts] = (struct mail_part){ 0 };
    return &m->parts[m->nparts++];
}

/* ---- before the parser ---- */

static struct mail_limits with_defaults(struct mail_limits l)
{
    l.max_bytes = l.max_bytes ? l.max_bytes : (size_t)50 << 20;
    l.max_parts = l.max_parts ? l.max_parts : 1000;
    l.max_depth = l.max_depth ? l.max_depth : 50;
    l.max_header_bytes = l.max_header_bytes ? l.max_header_bytes : (size_t)1 << 20;
    l.max_decoded_bytes = l.max_decoded_bytes ? l.max_decoded_bytes : (size_t)200 << 20;
    l.max_cpu_us = l.max_cpu_us ? l.max_cpu_us : 20 * US_PER_SECOND;
    return l;
}

/* An mbox line in front is not part of the message; old Mac mail ends lines with CR alone. */
static struct str prepare(struct reader *r, struct str raw)
{
    struct str line, rest = raw;
    struct str behind = raw;
    while (str_line(&behind, &line) && str_trim(line).len == 0)
        rest = behind;
    if (rest.len > 0)
        raw = rest;
    if (str_starts(raw, STR("From ")) || str_starts(raw, STR(">From "))) {
        if (str_line(&rest, &line))
            raw = rest;
    }
    if (str_chr(raw, '\r') >= 0 && str_chr(raw, '\n') < 0) {
        mail_defect(r, "lines ended with CR alone");
        raw = str_replace(r->cx->arena, raw, STR("\r"), STR("\n"));
    }
    return raw;
}

static void note_boundaries(struct map *known, struct str line)
{
    ptrdiff_t at = str_ifind(line, STR("boundary="));
    if (at < 0)
        return;
    struct str value = str_skip(line, (size_t)at + 9);
    bool quoted = str_has_prefix_char(value, '"');
    value = quoted ? str_skip(value, 1) : value;
    size_t n = 0;
    while (n < value.len && value.ptr[n] != '"' && (quoted || (value.ptr[n] != ';' && value.ptr[n] != ' ')))
        n++;
    map_put(known, str_sub(value, 0, n), known);
}

static bool is_delimiter(const struct map *known, struct str line)
{
    struct str name = str_trim(str_skip(line, 2));
    if (map_get(known, name))
        return true;
    return str_ends(name, STR("--")) && map_get(known, str_sub(name, 0, name.len - 2));
}

/* Each part costs the parser a few kilobytes: a flood of delimiters must not get that far. */
static enum err_code check_flood(struct reader *r, struct str raw)
{
    size_t dashes = 0;
    for (struct str rest = raw, line; str_line(&rest, &line);)
        dashes += str_starts(line, STR("--"));
    if (dashes <= r->limits.max_parts)
        return E_OK;
    struct arena *scratch = arena_new("mail_flood", 0);
    struct map *known = map_new(scratch);
    size_t delimiters = 0;
    for (struct str rest = raw, line; str_line(&rest, &line);) {
        if (str_starts(line, STR("--")))
            delimiters += is_delimiter(known, line);
        else
            note_boundaries(known, line);
    }
    arena_free(&scratch);
    /* One closing delimiter for each multipart is fair. */
    if (delimiters > 2 * r->limits.max_parts)
        return mail_over_limit(r->cx, "max_parts", r->limits.max_parts);
    return mail_check_cpu(r);
}

static enum err_code check_header_block(struct reader *r, struct str raw)
{
    struct str rest = raw, line;
    size_t bytes = 0;
    while (str_line(&rest, &line) && line.len > 0) {
        bytes += line.len + 1;
        if (bytes > r->limits.max_header_bytes)
            return mail_over_limit(r->cx, "max_header_bytes", r->limits.max_header_bytes);
    }
    return E_OK;
}

/* ---- parsing ---- */

static enum err_code read_without_header(struct reader *r, struct str raw)
{
    struct str charset, text = text_decode(r->cx->arena, raw, STR_NONE, &charset);
    mail_defect(r, "there is no header: read as plain text");
    r->mail->text = str_replace(r->cx->arena, text, STR("\r\n"), STR("\n"));
    return E_OK;
}

static enum err_code read_message(struct reader *r, struct str raw)
{
    /* The stream reads the caller's bytes in place. */
    GByteArray bytes = { (guint8 *)(uintptr_t)raw.ptr, (guint)raw.len };
    CLEANUP(mail_gobject_unref) GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(&bytes);
    g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
    CLEANUP(mail_gobject_unref) GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    CLEANUP(mail_gobject_unref) GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
    TRY(mail_check_cpu(r));
    if (!message)
        return read_without_header(r, raw);
    mail_read_headers(r, g_mime_object_get_header_list(GMIME_OBJECT(message)));
    GMimeObject *top = g_mime_message_get_mime_part(message);
    return top ? mail_read_body(r, top) : E_OK;
}

static void fill_absent(struct mail *m)
{
    struct str *texts[] = { &m->subject, &m->message_id, &m->thread_index, &m->text, &m->html };
    for (size_t i = 0; i < COUNT(texts); i++) {
        if (!texts[i]->ptr)
            *texts[i] = STR("");
    }
}

enum err_code mail_parse(struct cx *cx, struct str raw, struct mail_limits limits, struct mail *ret)
{
    mail_gmime_init();
    *ret = (struct mail){ 0 };
    struct reader r = { .cx = cx, .limits = with_defaults(limits), .mail = ret };
    r.cpu_end_us = cpu_now_us() + r.limits.max_cpu_us;
    if (raw.len > r.limits.max_bytes)
        return mail_over_limit(cx, "max_bytes", r.limits.max_bytes);
    raw = prepare(&r, raw);
    TRY(check_header_block(&r, raw));
    TRY(check_flood(&r, raw));
    if (raw.len > 0)
        TRY(read_message(&r, raw));
    fill_absent(ret);
    return E_OK;
}

struct str mail_header_value(const struct mail *mail, const char *name)
{
    for (size_t i = 0; i < mail->nheaders; i++) {
        if (str_iis(mail->headers[i].name, name))
            return mail->headers[i].value;
    }
    return STR_NONE;
}

struct str mail_content_hash(struct arena *arena, const struct mail *mail, struct str raw)
{
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    const char *names[] = { "Message-ID", "From", "Date", "Subject" };
    for (size_t i = 0; i < COUNT(names); i++) {
        struct str value = mail_header_value(mail, names[i]);
        g_checksum_update(sum, (const guchar *)(value.ptr ? value.ptr : ""), (gssize)value.len);
        g_checksum_update(sum, (const guchar *)"\n", 1);
    }
    struct str line;
    while (str_line(&raw, &line) && line.len > 0)
        continue;
    /* Line ends and blank lines at the end differ between relays and stores. */
    raw = str_trim(raw);
    while (str_line(&raw, &line)) {
        g_checksum_update(sum, (const guchar *)line.ptr, (gssize)line.len);
        g_checksum_update(sum, (const guchar *)"\n", 1);
    }
    struct str hex = arena_copy(arena, str_of(g_checksum_get_string(sum)));
    g_checksum_free(sum);
    return hex;
}
