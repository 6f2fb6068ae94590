#include "platform/mail/mail_internal.h"
#include "platform/text/text.h"

/* ---- RFC 2047 ---- */

struct word {
    struct str charset, text;
    char encoding;          /* 'B' or 'Q' */
    size_t length;          /* of the whole word in the source */
};

static bool read_word(struct str s, struct word *ret)
{
    if (!str_starts(s, STR("=?")))
        return false;
    struct str rest = str_skip(s, 2), charset;
    ptrdiff_t mark = str_chr(rest, '?');
    if (mark <= 0 || mark > 60)
        return false;
    charset = str_sub(rest, 0, (size_t)mark);
    rest = str_skip(rest, (size_t)mark + 1);
    if (rest.len < 2 || rest.ptr[1] != '?' || !strchr("BbQq", rest.ptr[0]))
        return false;
    ret->encoding = (char)(rest.ptr[0] & ~0x20);
    rest = str_skip(rest, 2);
    ptrdiff_t end = str_find(rest, STR("?="));
    /* "=?utf-8?Q?=3F?=": the first "?=" after an empty text is the text's own escape. */
    if (end == 0 && ret->encoding == 'Q' && rest.len > 4)
        end = str_find(str_skip(rest, 1), STR("?=")) < 0 ? 0 : 1 + str_find(str_skip(rest, 1), STR("?="));
    if (end < 0)
        return false;
    ret->text = str_sub(rest, 0, (size_t)end);
    ret->length = (size_t)(rest.ptr - s.ptr) + (size_t)end + 2;
    ptrdiff_t language = str_chr(charset, '*');     /* RFC 2231 section 5 */
    ret->charset = language > 0 ? str_sub(charset, 0, (size_t)language) : charset;
    return true;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void put_q(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        int high = c == '=' && i + 2 < text.len ? hex_value(text.ptr[i + 1]) : -1;
        int low = high >= 0 ? hex_value(text.ptr[i + 2]) : -1;
        if (low >= 0) {
            buf_char(out, (char)(high * 16 + low));
            i += 2;
        } else {
            buf_char(out, c == '_' ? ' ' : c);
        }
    }
}

static void put_b(struct buf *out, struct arena *scratch, struct str text)
{
    int state = 0;
    guint32 save = 0;
    unsigned char *bytes = arena_alloc(scratch, text.len + 4);
    size_t n = g_mime_encoding_base64_decode_step((const unsigned char *)text.ptr, text.len, bytes, &state, &save);
    buf_add(out, (struct str){ (const char *)bytes, n });
}

static void flush_words(struct buf *out, struct arena *arena, struct buf *bytes, struct str charset)
{
    struct str used;
    if (bytes->len > 0)
        buf_add(out, text_decode(arena, arena_copy(arena, buf_str(bytes)), charset, &used));
    buf_clear(bytes);
}

static size_t count_blanks(struct str s)
{
    size_t n = 0;
    while (n < s.len && (s.ptr[n] == ' ' || s.ptr[n] == '\t'))
        n++;
    return n;
}

/* Neighbouring words of one charset are joined before decoding: senders cut characters in two. */
static struct str decode_words(struct arena *arena, struct str text)
{
    struct buf out = buf_new(arena, 0), bytes = buf_new(arena, 0);
    struct str charset = STR_NONE;
    bool after_word = false;
    while (text.len > 0) {
        struct word word;
        size_t blanks = after_word ? count_blanks(text) : 0;
        if (read_word(str_skip(text, blanks), &word)) {
            if (!str_ieq(charset, word.charset))
                flush_words(&out, arena, &bytes, charset);
            charset = word.charset;
            if (word.encoding == 'Q')
                put_q(&bytes, word.text);
            else
                put_b(&bytes, arena, word.text);
            text = str_skip(text, blanks + word.length);
            after_word = true;
            continue;
        }
        flush_words(&out, arena, &bytes, charset);
        charset = STR_NONE;
        after_word = false;
        ptrdiff_t next = str_find(str_skip(text, 1), STR("=?"));
        size_t plain = next < 0 ? text.len : (size_t)next + 1;
        buf_add(&out, str_sub(text, 0, plain));
        text = str_skip(text, plain);
    }
    flush_words(&out, arena, &bytes, charset);
    return buf_str(&out);
}

/* Bytes of the encoded words that follow each other from the start of s; 0 when there is none. */
static size_t word_run(struct str s)
{
    size_t length = 0;
    for (;;) {
        struct word word;
        size_t blanks = length > 0 ? count_blanks(str_skip(s, length)) : 0;
        if (!read_word(str_skip(s, length + blanks), &word))
            return length;
        length += blanks + word.length;
    }
}

static void put_quoted(struct buf *out, struct str text, bool in_quotes)
{
    if (!in_quotes)
        buf_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            buf_char(out, '\\');
        buf_char(out, text.ptr[i]);
    }
    if (!in_quotes)
        buf_char(out, '"');
}

struct str mail_quote_words(struct arena *arena, struct str text)
{
    if (str_find(text, STR("=?")) < 0)
        return text;
    struct buf out = buf_new(arena, 0);
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        size_t run = text.ptr[i] == '=' ? word_run(str_skip(text, i)) : 0;
        if (run > 0) {
            put_quoted(&out, decode_words(arena, str_sub(text, i, run)), quoted);
            i += run - 1;
            continue;
        }
        quoted = quoted != (text.ptr[i] == '"');
        buf_char(&out, text.ptr[i]);
    }
    return buf_str(&out);
}

/* A fold is CR LF before white space; control characters never belong into a header value. */
struct str mail_unfold(struct arena *arena, struct str raw)
{
    char *out = arena_alloc(arena, raw.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.ptr[i];
        if (c != '\r' && c != '\n')
            out[n++] = c == '\t' || c == 0 ? ' ' : c;
    }
    return str_trim((struct str){ out, n });
}

static struct str without_controls(struct arena *arena, struct str text)
{
    struct buf out = buf_new(arena, 0);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c >= ' ' && c != 0x7f)
            buf_char(&out, (char)c);
        else if (out.len > 0 && out.ptr[out.len - 1] != ' ')
            buf_char(&out, ' ');
    }
    return str_trim(buf_str(&out));
}

static bool is_plain(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < ' ' || c >= 0x7f || (c == '=' && i + 1 < text.len && text.ptr[i + 1] == '?'))
            return false;
    }
    return true;
}

struct str mail_decode_header(struct arena *arena, struct str raw)
{
    struct str charset;
    raw = mail_unfold(arena, raw);
    if (is_plain(raw))
        return raw;
    struct str text = text_decode(arena, raw, STR_NONE, &charset);
    if (str_find(text, STR("=?")) >= 0)
        text = decode_words(arena, text);
    return utf8_repair(arena, without_controls(arena, text), true);
}

/* ---- the message's own fields ---- */

struct str mail_bare_id(struct arena *arena, struct str value)
{
    ptrdiff_t open = str_chr(value, '<');
    if (open >= 0) {
        value = str_skip(value, (size_t)open + 1);
        ptrdiff_t close = str_chr(value, '>');
        if (close >= 0)
            value = str_sub(value, 0, (size_t)close);
    }
    struct buf out = buf_new(arena, 0);
    for (size_t i = 0; i < value.len; i++) {
        if ((unsigned char)value.ptr[i] > ' ')
            buf_char(&out, value.ptr[i]);
        else if (open < 0 && out.len > 0)
            break;
    }
    return buf_str(&out);
}

struct id_list {
    struct str *items;
    size_t n, room;
};

#define MAX_REFERENCES 1000

static void add_id(struct arena *arena, struct id_list *list, struct str id)
{
    if (id.len == 0 || list->n >= MAX_REFERENCES)
        return;
    for (size_t i = 0; i < list->n; i++) {
        if (str_eq(list->items[i], id))
            return;
    }
    list->items = mail_grow(arena, list->items, list->n, &list->room, sizeof(*list->items));
    list->items[list->n++] = id;
}

/* Ids in angle brackets; without any, the words that look like one ("In-Reply-To: Your message of …" has none). */
static void add_ids(struct arena *arena, struct id_list *list, struct str value)
{
    bool bracketed = false;
    struct str rest = value, word;
    for (;;) {
        ptrdiff_t open = str_chr(rest, '<');
        ptrdiff_t close = open < 0 ? -1 : str_chr(str_skip(rest, (size_t)open), '>');
        if (close < 0)
            break;
        struct str id = str_sub(rest, (size_t)open, (size_t)close + 1);
        ptrdiff_t inner = str_rchr(id, '<');
        add_id(arena, list, mail_bare_id(arena, str_skip(id, (size_t)inner)));
        rest = str_skip(rest, (size_t)open + (size_t)close + 1);
        bracketed = true;
    }
    while (!bracketed && str_split(&value, ' ', &word)) {
        if (str_chr(word, '@') > 0)
            add_id(arena, list, mail_bare_id(arena, word));
    }
}

static int64_t read_date(struct arena *arena, struct str value)
{
    GDateTime *date = g_mime_utils_header_decode_date(arena_cstr(arena, value));
    if (!date)
        return 0;
    int64_t us = g_date_time_to_unix(date) * US_PER_SECOND;
    g_date_time_unref(date);
    return us;
}

#define CONVERSATION_BYTES 22

static struct str read_thread_index(struct arena *arena, struct str value)
{
    struct str compact = str_replace(arena, value, STR(" "), STR("")), bytes;
    if (!base64_decode(arena, compact, &bytes) || bytes.len < CONVERSATION_BYTES)
        return STR("");
    return hex_encode(arena, str_sub(bytes, 0, CONVERSATION_BYTES));
}

static void append_addresses(struct arena *arena, struct mail_addresses *to, struct str raw)
{
    struct mail_addresses more = mail_parse_addresses(arena, raw);
    if (to->n == 0) {
        *to = more;
        return;
    }
    struct mail_address *items = NEWN(arena, struct mail_address, to->n + more.n);
    memcpy(items, to->items, to->n * sizeof(*items));
    if (more.n > 0)
        memcpy(items + to->n, more.items, more.n * sizeof(*items));
    *to = (struct mail_addresses){ items, to->n + more.n };
}

static struct mail_addresses *address_field(struct mail *m, struct str name)
{
    const struct {
        const char *name;
        struct mail_addresses *to;
    } fields[] = {
        { "From", &m->from }, { "Sender", &m->sender }, { "Reply-To", &m->reply_to }, { "To", &m->to },
        { "Cc", &m->cc }, { "Bcc", &m->bcc }, { "Delivered-To", &m->delivered_to },
        { "X-Original-To", &m->delivered_to }, { "Envelope-To", &m->delivered_to },
    };
    for (size_t i = 0; i < COUNT(fields); i++) {
        if (str_iis(name, fields[i].name))
            return fields[i].to;
    }
    return NULL;
}

static void read_field(struct reader *r, struct str name, struct str raw, struct str value, struct id_list *replied)
{
    struct arena *arena = r->cx->arena;
    struct mail *m = r->mail;
    struct mail_addresses *addresses = address_field(m, name);
    if (addresses)
        append_addresses(arena, addresses, raw);
    else if (str_iis(name, "Subject") && !m->subject.ptr)
        m->subject = value;
    else if (str_iis(name, "Message-ID") && m->message_id.len == 0)
        m->message_id = mail_bare_id(arena, value);
    else if (str_iis(name, "In-Reply-To"))
        add_ids(arena, replied, value);
    else if (str_iis(name, "Thread-Index"))
        m->thread_index = read_thread_index(arena, value);
    else if (str_iis(name, "Date") && m->date_us == 0)
        m->date_us = read_date(arena, value);
}

void mail_read_headers(struct reader *r, GMimeHeaderList *list)
{
    struct arena *arena = r->cx->arena;
    struct mail *m = r->mail;
    int n = g_mime_header_list_get_count(list);
    struct id_list references = { 0 }, replied = { 0 };
    m->headers = NEWN(arena, struct mail_header, (size_t)n + 1);
    for (int i = 0; i < n; i++) {
        GMimeHeader *header = g_mime_header_list_get_header_at(list, i);
        struct str raw = str_of(g_mime_header_get_raw_value(header));
        struct str name = arena_copy(arena, str_trim(str_of(g_mime_header_get_name(header))));
        name = utf8_repair(arena, name, true);
        struct str value = mail_decode_header(arena, raw);
        m->headers[m->nheaders++] = (struct mail_header){ name, value };
        if (str_iis(name, "References"))
            add_ids(arena, &references, value);
        else
            read_field(r, name, raw, value, &replied);
    }
    for (size_t i = 0; i < replied.n; i++)
        add_id(arena, &references, replied.items[i]);
    m->references = references.items;
    m->nreferences = references.n;
}
