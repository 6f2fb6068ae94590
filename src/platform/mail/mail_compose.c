#include "platform/mail/mail_internal.h"

/* Fold before this column (RFC 5322 section 2.1.1); base64 and quoted-printable lines are at most 76. */
#define FOLD_AT 76
#define MAX_WORD_BYTES 42       /* of UTF-8 in one encoded word: 42 bytes of base64 input make 68 characters with the frame */

struct composer {
    struct cx *cx;
    struct buf out;
    const struct mail_out *mail;
};

/* ---- checks ---- */

static bool is_line_safe(struct str s)
{
    return str_chr(s, '\r') < 0 && str_chr(s, '\n') < 0 && str_chr(s, 0) < 0;
}

static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] >= 0x80)
            return false;
    }
    return true;
}

static bool is_field_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] <= ' ' || name.ptr[i] >= 0x7f || name.ptr[i] == ':')
            return false;
    }
    return name.len > 0 && name.len < 70;
}

static enum err_code check_address(struct cx *cx, const char *field, const struct mail_address *a)
{
    if (!is_line_safe(a->name) || !is_line_safe(a->address))
        return fail_field(cx, field, "A name or address must be one line");
    if (!mail_address_valid(a->address))
        return fail_field(cx, field, "\"%.*s\" is not an e-mail address", STR_ARG(a->address));
    ptrdiff_t at = str_rchr(a->address, '@');
    if (!is_ascii(str_sub(a->address, 0, (size_t)at)))
        return fail_field(cx, field, "\"%.*s\" has other letters than ASCII before the @", STR_ARG(a->address));
    return E_OK;
}

static enum err_code check_list(struct cx *cx, const char *field, struct mail_addresses list)
{
    for (size_t i = 0; i < list.n; i++)
        TRY(check_address(cx, field, &list.items[i]));
    return E_OK;
}

static enum err_code check_mail(struct cx *cx, const struct mail_out *m)
{
    TRY(check_address(cx, "from", &m->from));
    if (m->reply_to.address.len > 0)
        TRY(check_address(cx, "reply_to", &m->reply_to));
    if (m->sender.address.len > 0)
        TRY(check_address(cx, "sender", &m->sender));
    TRY(check_list(cx, "to", m->to));
    TRY(check_list(cx, "cc", m->cc));
    if (!is_line_safe(m->subject))
        return fail_field(cx, "subject", "The subject must be one line");
    if (!is_line_safe(m->message_id) || !is_line_safe(m->in_reply_to))
        return fail_field(cx, "message_id", "A message id must be one line");
    for (size_t i = 0; i < m->nreferences; i++) {
        if (!is_line_safe(m->references[i]))
            return fail_field(cx, "references", "A message id must be one line");
    }
    for (size_t i = 0; i < m->nextra; i++) {
        if (!is_field_name(m->extra[i].name) || !is_line_safe(m->extra[i].value))
            return fail_field(cx, "extra", "\"%.*s\" is not a header field", STR_ARG(m->extra[i].name));
    }
    for (size_t i = 0; i < m->nparts; i++) {
        const struct mail_part *p = &m->parts[i];
        if (!is_line_safe(p->file_name) || !is_line_safe(p->content_type) || !is_line_safe(p->content_id))
            return fail_field(cx, "parts", "The name and type of an attachment must be one line");
    }
    return E_OK;
}

/* ---- header fields ---- */

static size_t column(const struct buf *out)
{
    size_t n = 0;
    while (n < out->len && out->ptr[out->len - 1 - n] != '\n')
        n++;
    return n;
}

/* A blank, or a fold where the next word would stick out. */
static void put_gap(struct buf *out, size_t next)
{
    if (column(out) + 1 + next > FOLD_AT)
        buf_lit(out, "\r\n ");
    else
        buf_char(out, ' ');
}

/* RFC 2047 words, cut between characters. */
static void put_encoded_words(struct composer *c, struct str text)
{
    bool first = true;
    while (text.len > 0) {
        struct str piece = utf8_cut(text, MAX_WORD_BYTES);
        if (piece.len == 0)
            piece = str_sub(text, 0, MAX_WORD_BYTES);
        text = str_skip(text, piece.len);
        struct str word = base64_encode(c->cx->arena, piece);
        if (first && column(&c->out) + word.len + 12 <= FOLD_AT)
            buf_lit(&c->out, "=?utf-8?B?");
        else
            buf_lit(&c->out, "\r\n =?utf-8?B?");
        buf_add(&c->out, word);
        buf_lit(&c->out, "?=");
        first = false;
    }
}

static bool needs_encoding(struct str text)
{
    return !is_ascii(text) || str_find(text, STR("=?")) >= 0;
}

/* Unstructured text: words kept whole, folded at blanks; a word longer than a line may be is encoded. */
static void put_unstructured(struct composer *c, struct str text)
{
    struct str rest = text, word;
    bool long_word = false;
    while (str_split(&rest, ' ', &word))
        long_word = long_word || word.len > 900;
    if (needs_encoding(text) || long_word) {
        buf_char(&c->out, ' ');
        put_encoded_words(c, text);
        return;
    }
    rest = text;
    while (str_split(&rest, ' ', &word)) {
        /* An empty word must not make a line of white space only. */
        if (word.len == 0)
            buf_char(&c->out, ' ');
        else
            put_gap(&c->out, word.len);
        buf_add(&c->out, word);
    }
}

static void put_text_field(struct composer *c, const char *name, struct str text)
{
    buf_printf(&c->out, "%s:", name);
    put_unstructured(c, text);
    buf_lit(&c->out, "\r\n");
}

static struct str ascii_address(struct arena *arena, struct str address)
{
    if (is_ascii(address))
        return address;
    CLEANUP(mail_gobject_unref) InternetAddress *ia = internet_address_mailbox_new(NULL, arena_cstr(arena, address));
    return arena_copy(arena, str_of(internet_address_mailbox_get_idn_addr(INTERNET_ADDRESS_MAILBOX(ia))));
}

static bool is_phrase(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr(" !#$%&'*+-/=?^_{|}~", c);
        if (!ok)
            return false;
    }
    return true;
}

static struct str quoted(struct arena *arena, struct str text)
{
    struct buf out = buf_new(arena, 0);
    buf_char(&out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            buf_char(&out, '\\');
        buf_char(&out, text.ptr[i]);
    }
    buf_char(&out, '"');
    return buf_str(&out);
}

static void put_address(struct composer *c, const struct mail_address *a)
{
    struct str address = ascii_address(c->cx->arena, a->address);
    if (a->name.len == 0) {
        put_gap(&c->out, address.len + 2);
        buf_add(&c->out, address);
        return;
    }
    if (needs_encoding(a->name) || a->name.len > 200) {
        buf_char(&c->out, ' ');
        put_encoded_words(c, a->name);
    } else {
        struct str name = is_phrase(a->name) ? a->name : quoted(c->cx->arena, a->name);
        put_gap(&c->out, name.len);
        buf_add(&c->out, name);
    }
    put_gap(&c->out, address.len + 3);
    buf_printf(&c->out, "<%.*s>", STR_ARG(address));
}

static void put_address_field(struct composer *c, const char *name, struct mail_addresses list)
{
    if (list.n == 0)
        return;
    buf_printf(&c->out, "%s:", name);
    for (size_t i = 0; i < list.n; i++) {
        if (i > 0)
            buf_char(&c->out, ',');
        put_address(c, &list.items[i]);
    }
    buf_lit(&c->out, "\r\n");
}

static void put_one_address(struct composer *c, const char *name, const struct mail_address *a)
{
    if (a->address.len > 0)
        put_address_field(c, name, (struct mail_addresses){ (struct mail_address *)(uintptr_t)a, 1 });
}

static void put_id_field(struct composer *c, const char *name, const struct str *ids, size_t n)
{
    if (n == 0 || ids[0].len == 0)
        return;
    buf_printf(&c->out, "%s:", name);
    for (size_t i = 0; i < n; i++) {
        put_gap(&c->out, ids[i].len + 2);
        buf_printf(&c->out, "<%.*s>", STR_ARG(ids[i]));
    }
    buf_lit(&c->out, "\r\n");
}

static void put_header(struct composer *c)
{
    const struct mail_out *m = c->mail;
    buf_printf(&c->out, "Date: %.*s\r\n", STR_ARG(clock_rfc5322(c->cx->arena, m->date_us)));
    put_one_address(c, "From", &m->from);
    put_one_address(c, "Sender", &m->sender);
    put_one_address(c, "Reply-To", &m->reply_to);
    put_address_field(c, "To", m->to);
    put_address_field(c, "Cc", m->cc);
    put_text_field(c, "Subject", m->subject);
    put_id_field(c, "Message-ID", &m->message_id, 1);
    put_id_field(c, "In-Reply-To", &m->in_reply_to, 1);
    put_id_field(c, "References", m->references, m->nreferences);
    for (size_t i = 0; i < m->nextra; i++)
        put_text_field(c, arena_cstr(c->cx->arena, m->extra[i].name), m->extra[i].value);
    buf_lit(&c->out, "MIME-Version: 1.0\r\n");
}

/* ---- content ---- */

static void put_base64(struct composer *c, struct str bytes)
{
    struct str text = base64_encode(c->cx->arena, bytes);
    for (size_t i = 0; i < text.len; i += FOLD_AT) {
        buf_add(&c->out, str_sub(text, i, FOLD_AT));
        buf_lit(&c->out, "\r\n");
    }
}

/* Quoted-printable of one line (RFC 2045 section 6.7). */
static void put_quoted_line(struct buf *out, struct str line)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t width = 0;
    for (size_t i = 0; i < line.len; i++) {
        unsigned char ch = (unsigned char)line.ptr[i];
        bool last = i + 1 == line.len;
        bool plain = (ch > ' ' && ch < 0x7f && ch != '=') || ((ch == ' ' || ch == '\t') && !last);
        /* "." and "From " alone at a line's start are touched by some relays. */
        if (width == 0 && (ch == '.' || (ch == 'F' && str_starts(str_skip(line, i), STR("From ")))))
            plain = false;
        size_t need = plain ? 1 : 3;
        if (width + need > FOLD_AT - 1) {
            buf_lit(out, "=\r\n");
            width = 0;
        }
        if (plain)
            buf_char(out, (char)ch);
        else
            buf_add(out, (struct str){ (char[]){ '=', hex[ch >> 4], hex[ch & 15] }, 3 });
        width += need;
    }
    buf_lit(out, "\r\n");
}

static bool is_7bit(struct str text)
{
    struct str line;
    if (!is_ascii(text) || str_chr(text, 0) >= 0)
        return false;
    while (str_line(&text, &line)) {
        bool from = str_starts(line, STR("From ")), dot = str_is(line, ".");
        if (line.len > 900 || from || dot || str_chr(line, '\r') >= 0)
            return false;
    }
    return true;
}

static bool is_mostly_8bit(struct str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += (unsigned char)text.ptr[i] >= 0x80;
    return n > text.len / 4;
}

static void put_text_part(struct composer *c, const char *subtype, struct str text)
{
    struct str line;
    text = utf8_repair(c->cx->arena, text, true);
    buf_printf(&c->out, "Content-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: ", subtype);
    if (is_7bit(text)) {
        buf_lit(&c->out, "7bit\r\n\r\n");
        while (str_line(&text, &line)) {
            buf_add(&c->out, line);
            buf_lit(&c->out, "\r\n");
        }
    } else if (is_mostly_8bit(text)) {
        struct str crlf = str_replace(c->cx->arena, text, STR("\r\n"), STR("\n"));
        buf_lit(&c->out, "base64\r\n\r\n");
        put_base64(c, str_replace(c->cx->arena, crlf, STR("\n"), STR("\r\n")));
    } else {
        buf_lit(&c->out, "quoted-printable\r\n\r\n");
        while (str_line(&text, &line))
            put_quoted_line(&c->out, line);
    }
}

/* RFC 2231 for other letters than ASCII, in pieces that fit a line. */
static void put_file_name(struct composer *c, struct str name)
{
    if (is_ascii(name) && name.len < 60) {
        buf_printf(&c->out, ";\r\n filename=%.*s", STR_ARG(quoted(c->cx->arena, name)));
        return;
    }
    for (int i = 0; name.len > 0; i++) {
        struct str piece = utf8_cut(name, 16);
        name = str_skip(name, piece.len);
        buf_printf(&c->out, ";\r\n filename*%d*=%s%.*s", i, i == 0 ? "utf-8''" : "",
                   STR_ARG(percent_encode(c->cx->arena, piece)));
    }
}

static bool is_media_type(struct str type)
{
    ptrdiff_t slash = str_chr(type, '/');
    for (size_t i = 0; i < type.len; i++) {
        char ch = type.ptr[i];
        bool ok = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || strchr("/.+-_", ch);
        if (!ok)
            return false;
    }
    return slash > 0 && (size_t)slash + 1 < type.len && type.len < 128;
}

static void put_file_part(struct composer *c, const struct mail_part *p)
{
    struct str type = is_media_type(p->content_type) ? p->content_type : STR("application/octet-stream");
    bool composite = str_istarts(type, STR("message/")) || str_istarts(type, STR("multipart/"));
    bool plain = composite && is_7bit(p->content);
    /* A message part must not be encoded (RFC 2046 section 5.2.1): what is not 7-bit travels as a file. */
    if (composite && !plain)
        type = STR("application/octet-stream");
    struct str name = mail_clean_file_name(c->cx->arena, p->file_name, type);
    buf_printf(&c->out, "Content-Type: %.*s\r\nContent-Transfer-Encoding: %s\r\n", STR_ARG(type), plain ? "7bit" : "base64");
    if (p->content_id.len > 0)
        buf_printf(&c->out, "Content-ID: <%.*s>\r\n", STR_ARG(p->content_id));
    buf_printf(&c->out, "Content-Disposition: %s", p->inline_part ? "inline" : "attachment");
    put_file_name(c, name);
    buf_lit(&c->out, "\r\n\r\n");
    if (!plain) {
        put_base64(c, p->content);
        return;
    }
    struct str rest = p->content, line;
    while (str_line(&rest, &line)) {
        buf_add(&c->out, line);
        buf_lit(&c->out, "\r\n");
    }
}

/* ---- structure ---- */

static struct str open_multipart(struct composer *c, const char *subtype)
{
    struct str boundary = arena_printf(c->cx->arena, "=_%.*s", STR_ARG(rand_token(c->cx->arena, 18)));
    buf_printf(&c->out, "Content-Type: multipart/%s; boundary=\"%.*s\"\r\n\r\n", subtype, STR_ARG(boundary));
    return boundary;
}

static void put_delimiter(struct composer *c, struct str boundary, bool last)
{
    buf_printf(&c->out, "\r\n--%.*s%s\r\n", STR_ARG(boundary), last ? "--" : "");
}

static size_t count_parts(const struct mail_out *m, bool inline_part)
{
    size_t n = 0;
    for (size_t i = 0; i < m->nparts; i++)
        n += m->parts[i].inline_part == inline_part;
    return n;
}

static void put_files(struct composer *c, struct str boundary, bool inline_part)
{
    for (size_t i = 0; i < c->mail->nparts; i++) {
        if (c->mail->parts[i].inline_part != inline_part)
            continue;
        put_delimiter(c, boundary, false);
        put_file_part(c, &c->mail->parts[i]);
    }
    put_delimiter(c, boundary, true);
}

static void put_html(struct composer *c)
{
    if (count_parts(c->mail, true) == 0) {
        put_text_part(c, "html", c->mail->html);
        return;
    }
    struct str boundary = open_multipart(c, "related");
    put_delimiter(c, boundary, false);
    put_text_part(c, "html", c->mail->html);
    put_files(c, boundary, true);
}

static void put_body(struct composer *c)
{
    if (c->mail->html.len == 0) {
        put_text_part(c, "plain", c->mail->text);
        return;
    }
    struct str boundary = open_multipart(c, "alternative");
    put_delimiter(c, boundary, false);
    put_text_part(c, "plain", c->mail->text);
    put_delimiter(c, boundary, false);
    put_html(c);
    put_delimiter(c, boundary, true);
}

enum err_code mail_compose(struct cx *cx, const struct mail_out *mail, struct str *ret_raw)
{
    mail_gmime_init();
    TRY(check_mail(cx, mail));
    struct mail_out m = *mail;
    /* Without HTML nothing can refer to an inline part: it is an ordinary attachment. */
    if (m.html.len == 0 && count_parts(mail, true) > 0) {
        m.parts = NEWN(cx->arena, struct mail_part, m.nparts);
        for (size_t i = 0; i < m.nparts; i++) {
            m.parts[i] = mail->parts[i];
            m.parts[i].inline_part = false;
        }
    }
    struct composer c = { .cx = cx, .out = buf_new(cx->arena, 0), .mail = &m };
    put_header(&c);
    if (count_parts(&m, false) == 0) {
        put_body(&c);
    } else {
        struct str boundary = open_multipart(&c, "mixed");
        put_delimiter(&c, boundary, false);
        put_body(&c);
        put_files(&c, boundary, false);
    }
    *ret_raw = buf_str(&c.out);
    return E_OK;
}
