#include "platform/mail/mail_internal.h"
#include "platform/text/text.h"

/* ---- format=flowed ---- */

static size_t quote_depth(struct str *line)
{
    size_t n = 0;
    while (n < line->len && line->ptr[n] == '>')
        n++;
    *line = str_skip(*line, n);
    return n;
}

struct str mail_unflow(struct arena *arena, struct str text, bool delsp)
{
    struct buf out = buf_new(arena, 0);
    struct str line;
    bool flowing = false;
    size_t depth_before = 0;
    while (str_line(&text, &line)) {
        size_t depth = quote_depth(&line);
        if (str_starts(line, STR(" ")))
            line = str_skip(line, 1);
        bool joins = flowing && depth == depth_before && !str_is(line, "-- ");
        if (!joins) {
            if (out.len > 0 || flowing)
                buf_char(&out, '\n');
            for (size_t i = 0; i < depth; i++)
                buf_char(&out, '>');
            if (depth > 0)
                buf_char(&out, ' ');
        }
        /* "-- " starts a signature, its blank is no soft break (section 4.3). */
        flowing = str_ends(line, STR(" ")) && !str_is(line, "-- ");
        depth_before = depth;
        if (flowing && delsp)
            line.len--;
        buf_add(&out, line);
    }
    buf_char(&out, '\n');
    return buf_str(&out);
}

/* ---- files inside plain text ---- */

struct found_file {
    struct str name, encoded;
    bool yenc;
    struct str rest;        /* behind the end line */
};

static bool is_mode(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '7')
            return false;
    }
    return s.len == 3 || s.len == 4;
}

/* "begin 644 name" with an "end" line behind whole uuencoded lines. */
static bool find_uu(struct str line, struct str rest, struct found_file *ret)
{
    struct str words = line, begin, mode;
    if (!str_split(&words, ' ', &begin) || !str_is(begin, "begin") || !str_split(&words, ' ', &mode) || !is_mode(mode))
        return false;
    ret->name = str_trim(words);
    ret->yenc = false;
    ret->encoded = rest;
    struct str data;
    size_t n = 0;
    while (str_line(&rest, &data)) {
        if (str_is(str_trim(data), "end")) {
            ret->encoded.len = (size_t)(data.ptr - ret->encoded.ptr);
            ret->rest = rest;
            return n > 0 && ret->name.len > 0;
        }
        unsigned char first = data.len > 0 ? (unsigned char)data.ptr[0] : 0;
        if (first < ' ' || first > '`' || data.len > 90)
            return false;
        n++;
    }
    return false;
}

static bool find_yenc(struct str line, struct str rest, struct found_file *ret)
{
    ptrdiff_t name = str_find(line, STR(" name="));
    if (!str_starts(line, STR("=ybegin ")) || name < 0)
        return false;
    ret->name = str_trim(str_skip(line, (size_t)name + 6));
    ret->yenc = true;
    ret->encoded = rest;
    struct str data;
    while (str_line(&rest, &data)) {
        if (str_starts(data, STR("=ypart ")))
            ret->encoded = rest;
        if (!str_starts(data, STR("=yend ")))
            continue;
        ret->encoded.len = (size_t)(data.ptr - ret->encoded.ptr);
        ret->rest = rest;
        return true;
    }
    return false;
}

static struct str decode_file(struct arena *arena, const struct found_file *f)
{
    unsigned char *out = arena_alloc(arena, f->encoded.len + 4);
    size_t n;
    guint32 save = 0;
    if (f->yenc) {
        int state = GMIME_YDECODE_STATE_PART;
        guint32 part_crc = UINT32_MAX, crc = UINT32_MAX;
        n = g_mime_ydecode_step((const unsigned char *)f->encoded.ptr, f->encoded.len, out, &state, &part_crc, &crc);
    } else {
        int state = GMIME_UUDECODE_STATE_INIT;
        n = g_mime_encoding_uudecode_step((const unsigned char *)f->encoded.ptr, f->encoded.len, out, &state, &save);
    }
    return (struct str){ (const char *)out, n };
}

static void add_file(struct reader *r, const struct found_file *f)
{
    struct mail_part *part = mail_add_part(r);
    struct str charset, name = text_decode(r->cx->arena, f->name, STR_NONE, &charset);
    part->content_type = STR("application/octet-stream");
    part->file_name = mail_clean_file_name(r->cx->arena, name, part->content_type);
    part->content_id = STR("");
    part->content = decode_file(r->cx->arena, f);
}

struct str mail_take_inline_files(struct reader *r, struct str text)
{
    if (str_find(text, STR("begin ")) < 0 && str_find(text, STR("=ybegin ")) < 0)
        return text;
    struct buf out = buf_new(r->cx->arena, 0);
    struct str rest = text, line;
    while (str_line(&rest, &line)) {
        struct found_file f;
        bool room = r->mail->nparts < r->limits.max_parts;
        if (room && (find_uu(line, rest, &f) || find_yenc(line, rest, &f))) {
            add_file(r, &f);
            rest = f.rest;
            continue;
        }
        buf_add(&out, line);
        buf_char(&out, '\n');
    }
    return buf_str(&out);
}
