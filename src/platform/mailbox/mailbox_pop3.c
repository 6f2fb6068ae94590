/*
 * mailbox_pop3.c - POP3 (RFC 1939, STLS: RFC 2595, UIDL).
 *
 * Not libetpan's: its messages end at the first NUL byte and it has no
 * XOAUTH2.  What is needed of POP3 is a handful of lines.
 */
#include "platform/mailbox/mailbox_session.h"

#include <stdlib.h>

enum { STATUS_LINE_BYTES = 8192 };
enum pop3_answer { POP3_REFUSED, POP3_OK, POP3_CONTINUE };

/* Appends the next line with its end; lines have no length limit but the command's own budget and buf's maximum. */
static enum err_code read_line(struct cx *cx, struct mailbox_session *s, struct buf *out)
{
    for (;;) {
        char *from = s->in + s->in_at;
        size_t have = s->in_end - s->in_at;
        char *end = have ? memchr(from, '\n', have) : NULL;
        size_t take = end ? (size_t)(end - from) + 1 : have;
        buf_add(out, (struct str){ from, take });
        s->in_at += take;
        if (out->overflow) {
            s->wire.state = WIRE_TOO_MUCH;
            return mailbox_wire_failure(cx, &s->wire);
        }
        if (end)
            return E_OK;
        ssize_t n = mailbox_wire_read(&s->wire, s->in, sizeof s->in);
        if (n < 0)
            return mailbox_wire_failure(cx, &s->wire);
        s->in_at = 0;
        s->in_end = (size_t)n;
    }
}

/* Sends the line (NULL: only listens) and reads the status and the words after it. */
static enum err_code exchange(struct cx *cx, struct mailbox_session *s, size_t max_bytes, const char *line,
                              enum pop3_answer *ret, struct str *ret_words)
{
    struct buf answer = buf_new(cx->arena, STATUS_LINE_BYTES);
    mailbox_wire_begin(&s->wire, max_bytes);
    if (line) {
        struct str text = arena_printf(cx->arena, "%s\r\n", line);
        if (!mailbox_wire_write(&s->wire, text.ptr, text.len))
            return mailbox_wire_failure(cx, &s->wire);
    }
    TRY(read_line(cx, s, &answer));
    struct str text = str_trim(buf_str(&answer));
    *ret = str_istarts(text, STR("+OK")) ? POP3_OK : str_starts(text, STR("+")) ? POP3_CONTINUE : POP3_REFUSED;
    if (*ret == POP3_REFUSED && !str_istarts(text, STR("-ERR"))) {
        s->wire.state = WIRE_NONSENSE;
        return mailbox_wire_failure(cx, &s->wire);
    }
    ptrdiff_t space = str_chr(text, ' ');
    *ret_words = space < 0 ? STR("") : str_trim(str_skip(text, (size_t)space));
    return E_OK;
}

/* The next line of a multi-line answer, dot taken off; false at its end. */
static enum err_code next_line(struct cx *cx, struct mailbox_session *s, struct buf *out, bool *ret_more)
{
    size_t at = out->len;
    TRY(read_line(cx, s, out));
    struct str line = { out->ptr + at, out->len - at };
    *ret_more = !str_is(line, ".\r\n") && !str_is(line, ".\n");
    if (!*ret_more)
        out->len = at;
    else if (str_has_prefix_char(line, '.')) {
        memmove(out->ptr + at, line.ptr + 1, line.len - 1);
        out->len--;
    }
    return E_OK;
}

static enum err_code start_tls(struct cx *cx, struct mailbox_session *s, const struct mailbox_server *server)
{
    enum pop3_answer answer;
    struct str words;
    TRY(exchange(cx, s, SMALL_ANSWER_BYTES, "STLS", &answer, &words));
    if (answer != POP3_OK)
        return fail_field(cx, "in_security", "The server does not offer STARTTLS on port %d: %.*s", server->port, STR_ARG(words));
    if (s->in_at < s->in_end)       /* plain text after the answer: somebody in the middle wrote it */
        return fail_field(cx, "in_security", "The server sent text before the encryption began.");
    return mailbox_wire_secure(cx, &s->wire, server->host, server->ca_file);
}

/* RFC 2449 and RFC 3206: some refusals are about the moment, not the password. */
static bool is_for_now(struct str words)
{
    static const char *const codes[] = { "[IN-USE]", "[LOGIN-DELAY]", "[SYS/TEMP]" };
    for (size_t i = 0; i < COUNT(codes); i++)
        if (str_ifind(words, str_of(codes[i])) >= 0)
            return true;
    return false;
}

static enum err_code sign_in(struct cx *cx, struct mailbox_session *s, const struct mailbox_server *server)
{
    enum pop3_answer answer;
    struct str words;
    if (server->access_token.len) {
        TRY(exchange(cx, s, SMALL_ANSWER_BYTES, "AUTH XOAUTH2", &answer, &words));
        if (answer == POP3_CONTINUE)
            TRY(exchange(cx, s, SMALL_ANSWER_BYTES, mailbox_xoauth2(cx->arena, server).ptr, &answer, &words));
        if (answer == POP3_CONTINUE)    /* the error in base64; an empty line gets the refusal */
            TRY(exchange(cx, s, SMALL_ANSWER_BYTES, "", &answer, &words));
    } else {
        TRY(exchange(cx, s, SMALL_ANSWER_BYTES, arena_printf(cx->arena, "USER %.*s", STR_ARG(server->user)).ptr, &answer, &words));
        if (answer == POP3_OK)
            TRY(exchange(cx, s, SMALL_ANSWER_BYTES, arena_printf(cx->arena, "PASS %.*s", STR_ARG(server->password)).ptr, &answer, &words));
    }
    if (answer == POP3_OK)
        return E_OK;
    enum err_code e = is_for_now(words) ? fail_busy(cx, "The mail server cannot sign in now: %.*s", STR_ARG(words))
                                        : fail(cx, E_UNAUTHENTICATED, "The mail server refused to sign %.*s in: %.*s",
                                               STR_ARG(server->user), STR_ARG(words));
    cx->failure.field = "in_user";
    return e;
}

enum err_code mailbox_pop3_open(struct cx *cx, struct mailbox_session *s, const struct mailbox_server *server)
{
    enum pop3_answer answer;
    struct str words;
    enum err_code e = exchange(cx, s, SMALL_ANSWER_BYTES, NULL, &answer, &words);
    if (e == E_OK && answer != POP3_OK)
        e = fail_busy(cx, "The mail server does not serve: %.*s", STR_ARG(words));
    if (e != E_OK)
        cx->failure.field = "in_host";
    TRY(e);
    if (server->security == MAILBOX_STARTTLS)
        TRY(start_tls(cx, s, server));
    return sign_in(cx, s, server);
}

void mailbox_pop3_close(struct mailbox_session *s)
{
    static const char quit[] = "QUIT\r\n";
    mailbox_wire_begin(&s->wire, SMALL_ANSWER_BYTES);
    (void)mailbox_wire_write(&s->wire, quit, sizeof quit - 1);      /* nothing was deleted: nobody waits for the answer */
}

static int cmp_item(const void *a, const void *b)
{
    const struct mailbox_pop3_item *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

/* "12 text" */
static bool split_entry(struct str line, uint32_t *ret_number, struct str *ret_rest)
{
    struct str word;
    uint64_t n;
    *ret_rest = str_trim(line);
    if (!str_split(ret_rest, ' ', &word) || !num_parse_uint(word, &n) || !n || n > UINT32_MAX)
        return false;
    *ret_number = (uint32_t)n;
    *ret_rest = str_trim(*ret_rest);
    return ret_rest->len > 0;
}

/* UIDL into items, ascending. */
static enum err_code list_uidls(struct cx *cx, struct mailbox_session *s, struct mailbox_pop3_item **ret, size_t *ret_n)
{
    struct buf line = buf_new(cx->arena, STATUS_LINE_BYTES), items = buf_new(cx->arena, 0);
    struct str words;
    bool more;
    enum pop3_answer answer;
    TRY(exchange(cx, s, LIST_ANSWER_BYTES, "UIDL", &answer, &words));
    if (answer != POP3_OK)
        return fail_field(cx, "in_kind", "The server has no UIDL, without which POP3 cannot tell old mail from new: %.*s", STR_ARG(words));
    for (;;) {
        struct mailbox_pop3_item item = { 0 };
        buf_clear(&line);
        TRY(next_line(cx, s, &line, &more));
        if (!more)
            break;
        if (split_entry(buf_str(&line), &item.number, &item.uidl)) {
            item.uidl = arena_copy(cx->arena, item.uidl);
            buf_add(&items, (struct str){ (const char *)&item, sizeof item });
        }
    }
    *ret_n = items.len / sizeof **ret;
    *ret = (struct mailbox_pop3_item *)(void *)items.ptr;
    qsort(*ret, *ret_n, sizeof **ret, cmp_item);
    return E_OK;
}

enum err_code mailbox_pop3_list(struct cx *cx, struct mailbox_session *s, struct mailbox_pop3_item **ret, size_t *ret_n)
{
    struct buf line = buf_new(cx->arena, STATUS_LINE_BYTES);
    struct str words;
    bool more;
    enum pop3_answer answer;
    TRY(list_uidls(cx, s, ret, ret_n));
    TRY(exchange(cx, s, LIST_ANSWER_BYTES, "LIST", &answer, &words));
    if (answer != POP3_OK)
        return fail_busy(cx, "The mail server refused LIST: %.*s", STR_ARG(words));
    for (;;) {
        struct mailbox_pop3_item key = { 0 }, *item = NULL;
        buf_clear(&line);
        TRY(next_line(cx, s, &line, &more));
        if (!more)
            return E_OK;
        if (split_entry(buf_str(&line), &key.number, &words) && *ret_n)
            item = bsearch(&key, *ret, *ret_n, sizeof key, cmp_item);
        if (item && !num_parse_int(words, &item->size_bytes))
            item->size_bytes = 0;
    }
}

enum err_code mailbox_pop3_fetch(struct cx *cx, struct mailbox_session *s, uint32_t number, size_t max_bytes, struct str *ret)
{
    struct buf out = buf_new(cx->arena, max_bytes);
    struct str words;
    bool more = true;
    enum pop3_answer answer;
    TRY(exchange(cx, s, max_bytes + SMALL_ANSWER_BYTES, arena_printf(cx->arena, "RETR %u", number).ptr, &answer, &words));
    if (answer != POP3_OK)
        return fail(cx, E_NOT_FOUND, "The message %u cannot be fetched: %.*s", number, STR_ARG(words));
    while (more) {
        enum err_code e = next_line(cx, s, &out, &more);
        if (e != E_OK && s->wire.state == WIRE_TOO_MUCH)
            return fail(cx, E_LIMIT, "The message is larger than the %zu bytes allowed.", max_bytes);
        TRY(e);
    }
    *ret = buf_str(&out);
    return E_OK;
}
