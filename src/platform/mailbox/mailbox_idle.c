/*
 * mailbox_idle.c - waiting for news.
 *
 * libetpan's IDLE drops an EXISTS that comes before the "+", and its SASL
 * needs a library of its own; the few lines of these exchanges are ours.
 */
#include "platform/mailbox/mailbox_session.h"

static const int64_t IDLE_AGAIN_US = 28 * US_PER_MINUTE;    /* servers may hang up after 30 (RFC 2177) */
static const int64_t POLL_US = US_PER_MINUTE;

enum err_code mailbox_imap_send(struct cx *cx, struct mailbox_session *s, struct str line, struct str *ret_tag)
{
    struct str text = arena_printf(cx->arena, "%.*s\r\n", STR_ARG(line));
    if (!ret_tag->ptr) {
        *ret_tag = arena_printf(cx->arena, "c%u", ++s->ntags);
        text = arena_printf(cx->arena, "%.*s %.*s\r\n", STR_ARG(*ret_tag), STR_ARG(line));
    }
    return mailbox_wire_write(&s->wire, text.ptr, text.len) ? E_OK : mailbox_wire_failure(cx, &s->wire);
}

enum err_code mailbox_imap_line(struct cx *cx, struct mailbox_session *s, struct str *ret)
{
    MMAPString *line = mmap_string_new("");
    ASSERT(line);
    bool ok = mailstream_read_line_remove_eol(s->imap->imap_stream, line) && s->wire.state == WIRE_OPEN;
    *ret = ok ? arena_copy(cx->arena, (struct str){ line->str, line->len }) : STR_NONE;
    mmap_string_free(line);
    return ok ? E_OK : mailbox_wire_failure(cx, &s->wire);
}

/* "* 23 EXISTS" or "* 1 RECENT" */
bool mailbox_imap_is_news(struct str line)
{
    struct str word;
    uint64_t n;
    return str_split(&line, ' ', &word) && str_is(word, "*") && str_split(&line, ' ', &word) && num_parse_uint(word, &n) && n > 0 &&
           (str_iis(str_trim(line), "EXISTS") || str_iis(str_trim(line), "RECENT"));
}

enum err_code mailbox_imap_await(struct cx *cx, struct mailbox_session *s, struct str tag, enum imap_answer *ret,
                                 struct str *ret_text, bool *ret_news)
{
    for (;;) {
        struct str line, word;
        TRY(mailbox_imap_line(cx, s, &line));
        if (ret_news)
            *ret_news |= mailbox_imap_is_news(line);
        struct str rest = line;
        if (!str_split(&rest, ' ', &word))
            continue;
        if (str_is(word, "+")) {
            *ret = IMAP_CONTINUE;
            *ret_text = rest;
            return E_OK;
        }
        if (str_eq(word, tag)) {
            *ret_text = rest;
            *ret = str_split(&rest, ' ', &word) && str_iis(word, "OK") ? IMAP_OK : IMAP_REFUSED;
            return E_OK;
        }
    }
}

/* One command that has no literal in it and no continuation. */
static enum err_code finish(struct cx *cx, struct mailbox_session *s, struct str tag, bool *ret_news)
{
    enum imap_answer answer;
    struct str words;
    TRY(mailbox_imap_await(cx, s, tag, &answer, &words, ret_news));
    return answer == IMAP_OK ? E_OK : fail_busy(cx, "The mail server stopped the wait: %.*s", STR_ARG(words));
}

static enum err_code poll_once(struct cx *cx, struct mailbox_session *s, bool *ret_news)
{
    struct str tag = STR_NONE;
    mailbox_wire_begin(&s->wire, SMALL_ANSWER_BYTES);
    TRY(mailbox_imap_send(cx, s, STR("NOOP"), &tag));
    return finish(cx, s, tag, ret_news);
}

/* The wait itself: news, the moment, or the end of the connection. */
static enum err_code listen_until(struct cx *cx, struct mailbox_session *s, int64_t until_us, bool *ret_news)
{
    while (!*ret_news && (s->imap->imap_stream->read_buffer_len || mailbox_wire_wait(&s->wire, until_us))) {
        struct str line;
        mailbox_wire_begin(&s->wire, SMALL_ANSWER_BYTES);
        TRY(mailbox_imap_line(cx, s, &line));
        *ret_news = mailbox_imap_is_news(line);
    }
    return s->wire.state == WIRE_OPEN ? E_OK : mailbox_wire_failure(cx, &s->wire);
}

static enum err_code idle_once(struct cx *cx, struct mailbox_session *s, int64_t until_us, bool *ret_news)
{
    struct str tag = STR_NONE, words;
    enum imap_answer answer;
    mailbox_wire_begin(&s->wire, SMALL_ANSWER_BYTES);
    TRY(mailbox_imap_send(cx, s, STR("IDLE"), &tag));
    TRY(mailbox_imap_await(cx, s, tag, &answer, &words, ret_news));
    if (answer != IMAP_CONTINUE)
        return fail_busy(cx, "The mail server refused IDLE: %.*s", STR_ARG(words));
    TRY(listen_until(cx, s, until_us, ret_news));
    mailbox_wire_begin(&s->wire, SMALL_ANSWER_BYTES);
    TRY(mailbox_imap_send(cx, s, STR("DONE"), &tag));
    return finish(cx, s, tag, ret_news);
}

enum err_code mailbox_idle(struct cx *cx, struct mailbox_session *s, int64_t wait_us, bool *ret_news)
{
    int64_t end_us = clock_monotonic_us() + wait_us;
    bool can_idle = s->wire.state == WIRE_OPEN && mailimap_has_extension(s->imap, "IDLE");
    *ret_news = false;
    do {
        int64_t round_us = MIN(end_us, clock_monotonic_us() + (can_idle ? IDLE_AGAIN_US : POLL_US));
        if (can_idle)
            TRY(idle_once(cx, s, round_us, ret_news));
        else {
            TRY(poll_once(cx, s, ret_news));
            TRY(*ret_news ? E_OK : listen_until(cx, s, round_us, ret_news));
        }
    } while (!*ret_news && clock_monotonic_us() < end_us);
    return E_OK;
}
