/* lmtp_session.c - one connection: commands, the message, the answers (RFC 2033, RFC 5321). */
#include "platform/lmtp/lmtp.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

enum {
    LINE_MAX_BYTES = 4096,
    INPUT_BYTES = 64 * 1024,
    OUTPUT_BYTES = 16 * 1024,
    KEPT_BODY_BYTES = 1 << 20,      /* a larger message buffer is given back after the transaction */
    MAX_RECIPIENTS = 1000,
    MAX_ADDRESS_BYTES = 320,
    MAX_ERRORS = 20,                /* a peer that talks nonsense is sent away */
};
static const size_t DEFAULT_MESSAGE_BYTES = 50u << 20;
static const int64_t DEFAULT_IDLE_US = 5 * US_PER_MINUTE;
static const int64_t STOP_GRACE_US = 10 * US_PER_SECOND;

struct session {
    const struct lmtp_options *options;
    int fd, stop_fd;
    struct str client;
    size_t max_bytes;
    int64_t idle_us;
    struct arena *arena;            /* of the transaction */

    bool greeted, closing, stopping;
    int64_t stop_deadline_us;
    unsigned errors;

    bool has_from, utf8;
    struct str from;
    struct lmtp_recipient *recipients;
    size_t nrecipients;

    char *body;
    size_t body_len, body_cap;
    bool too_large;

    char in[INPUT_BYTES];
    size_t in_at, in_end;
    char out[OUTPUT_BYTES];
    size_t out_len;
};

static void flush(struct session *s)
{
    size_t done = 0;
    while (done < s->out_len && !s->closing) {
        struct pollfd p = { .fd = s->fd, .events = POLLOUT };
        ssize_t n = send(s->fd, s->out + done, s->out_len - done, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0)
            done += (size_t)n;
        else if (errno == EINTR)
            continue;
        else if (errno != EAGAIN || poll(&p, 1, (int)(s->idle_us / US_PER_MS)) == 0)
            s->closing = true;
    }
    s->out_len = 0;
}

static void reply(struct session *s, const char *text)
{
    size_t len = strlen(text);
    if (s->out_len + len + 2 > sizeof s->out)
        flush(s);
    memcpy(s->out + s->out_len, text, len);
    memcpy(s->out + s->out_len + len, "\r\n", 2);
    s->out_len += len + 2;
}

static void reply_error(struct session *s, const char *text)
{
    reply(s, text);
    if (++s->errors == MAX_ERRORS) {
        reply(s, "421 4.7.0 Too many errors");
        flush(s);
        s->closing = true;
    }
}

/* Milliseconds that the next wait may last; 0 when its time is over. */
static int wait_ms(const struct session *s, int64_t idle_deadline_us)
{
    int64_t until_us = s->stopping ? MIN(s->stop_deadline_us, idle_deadline_us) : idle_deadline_us;
    int64_t left_us = until_us - clock_monotonic_us();
    return left_us <= 0 ? 0 : (int)MIN(left_us / US_PER_MS + 1, (int64_t)INT32_MAX);
}

static void say_goodbye(struct session *s, const char *text)
{
    reply(s, text);
    flush(s);
    s->closing = true;
}

/* Waits for input or the end; false (and closing) when there will be none. */
static bool wait_input(struct session *s)
{
    int64_t deadline_us = clock_monotonic_us() + s->idle_us;
    for (;;) {
        int ms = wait_ms(s, deadline_us);
        struct pollfd p[] = { { .fd = s->fd, .events = POLLIN }, { .fd = s->stopping ? -1 : s->stop_fd, .events = POLLIN } };
        int n = ms ? poll(p, 2, ms) : 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            say_goodbye(s, s->stopping ? "421 4.3.2 Shutting down" : "421 4.4.2 Idle for too long");
            return false;
        }
        if (p[1].revents) {
            s->stopping = true;
            s->stop_deadline_us = clock_monotonic_us() + STOP_GRACE_US;
        }
        if (s->stopping && !s->has_from) {
            say_goodbye(s, "421 4.3.2 Shutting down");
            return false;
        }
        if (p[0].revents)
            return true;
    }
}

/* Answers leave before we wait, and only then: pipelined commands share one write. */
static bool fill(struct session *s)
{
    if (s->in_at == s->in_end)
        s->in_at = s->in_end = 0;
    flush(s);
    while (!s->closing && wait_input(s)) {
        ssize_t n = recv(s->fd, s->in + s->in_end, sizeof s->in - s->in_end, MSG_DONTWAIT);
        if (n > 0) {
            s->in_end += (size_t)n;
            return true;
        }
        if (n == 0 || (errno != EINTR && errno != EAGAIN))
            s->closing = true;
    }
    return false;
}

/* The next command without its line end.  A longer line than allowed is dropped and answered. */
static bool read_command(struct session *s, struct str *ret)
{
    bool dropping = false;
    while (!s->closing) {
        char *from = s->in + s->in_at;
        size_t have = s->in_end - s->in_at;
        char *end = memchr(from, '\n', have);
        if (end) {
            s->in_at += (size_t)(end - from) + 1;
            *ret = (struct str){ from, (size_t)(end - from) };
            if (ret->len && ret->ptr[ret->len - 1] == '\r')
                ret->len--;
            if (!dropping && ret->len <= LINE_MAX_BYTES)
                return true;
            dropping = false;
            reply_error(s, "500 5.5.6 Line too long");
            continue;
        }
        if (have > LINE_MAX_BYTES) {
            dropping = true;
            s->in_at = s->in_end;
        } else if (s->in_at) {
            memmove(s->in, from, have);
            s->in_at = 0;
            s->in_end = have;
        }
        if (!fill(s))
            return false;
    }
    return false;
}

static void reset_transaction(struct session *s)
{
    arena_reset(s->arena);
    s->has_from = s->utf8 = s->too_large = false;
    s->from = STR_NONE;
    s->recipients = NULL;
    s->nrecipients = s->body_len = 0;
    if (s->body_cap > KEPT_BODY_BYTES) {
        heap_free(s->body);
        s->body = NULL;
        s->body_cap = 0;
    }
}

/* Takes "<path>" off *rest; quoted local parts may hold ">" and a source route is skipped (RFC 5321 appendix C). */
static bool take_path(struct str *rest, struct str *ret)
{
    bool quoted = false;
    if (!str_has_prefix_char(*rest, '<'))
        return false;
    for (size_t i = 1; i < rest->len; i++) {
        unsigned char c = (unsigned char)rest->ptr[i];
        if (c < 32 || c == 127)
            return false;
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && c == '>') {
            struct str path = str_sub(*rest, 1, i - 1);
            ptrdiff_t colon = str_has_prefix_char(path, '@') ? str_chr(path, ':') : -1;
            *ret = str_skip(path, (size_t)(colon + 1));
            *rest = str_skip(*rest, i + 1);
            return ret->len <= MAX_ADDRESS_BYTES && (!rest->len || rest->ptr[0] == ' ');
        }
    }
    return false;
}

static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] > 126)
            return false;
    return true;
}

static const char *read_parameter(struct session *s, struct str word)
{
    uint64_t size = 0;
    if (str_istarts(word, STR("SIZE="))) {
        if (!num_parse_uint(str_skip(word, 5), &size))
            return "501 5.5.4 SIZE is not a number";
        return size > s->max_bytes ? "552 5.3.4 Message too large" : NULL;
    }
    if (str_iis(word, "BODY=7BIT") || str_iis(word, "BODY=8BITMIME"))
        return NULL;
    if (!str_iis(word, "SMTPUTF8"))
        return "555 5.5.4 Unknown parameter";
    s->utf8 = true;
    return NULL;
}

static void command_mail(struct session *s, struct str args)
{
    struct str path, word;
    if (!s->greeted)
        return reply_error(s, "503 5.5.1 LHLO first");
    if (s->has_from)
        return reply_error(s, "503 5.5.1 MAIL was given already");
    if (!str_istarts(args, STR("FROM:")))
        return reply_error(s, "501 5.5.4 MAIL FROM:<address> expected");
    args = str_trim(str_skip(args, 5));
    if (!take_path(&args, &path))
        return reply_error(s, "501 5.1.7 Bad sender address");
    s->utf8 = false;
    while (str_split(&args, ' ', &word)) {
        const char *wrong = word.len ? read_parameter(s, word) : NULL;
        if (wrong)
            return reply_error(s, wrong);
    }
    if (!is_ascii(path) && (!s->utf8 || !utf8_valid(path)))
        return reply_error(s, "553 5.6.7 Address needs SMTPUTF8");
    s->from = arena_copy(s->arena, path);
    s->has_from = true;
    reply(s, "250 2.1.0 Ok");
}

static struct cx unit_cx(struct session *s)
{
    return (struct cx){ .arena = s->arena, .now_us = clock_now_us(), .actor = STR("system") };
}

static void command_rcpt(struct session *s, struct str args)
{
    struct str path;
    if (!s->has_from)
        return reply_error(s, "503 5.5.1 MAIL first");
    if (!str_istarts(args, STR("TO:")))
        return reply_error(s, "501 5.5.4 RCPT TO:<address> expected");
    args = str_trim(str_skip(args, 3));
    if (!take_path(&args, &path) || !path.len)
        return reply_error(s, "501 5.1.3 Bad recipient address");
    if (str_trim(args).len)
        return reply_error(s, "555 5.5.4 Unknown parameter");
    if (!is_ascii(path) && (!s->utf8 || !utf8_valid(path)))
        return reply_error(s, "553 5.6.7 Address needs SMTPUTF8");
    if (s->nrecipients == MAX_RECIPIENTS)
        return reply(s, "452 4.5.3 Too many recipients");
    struct cx cx = unit_cx(s);
    struct lmtp_recipient found = { .address = arena_copy(s->arena, path) };
    switch (s->options->recipient(&cx, found.address, s->options->arg, &found)) {
    case E_OK:
        break;
    case E_NOT_FOUND:
        return reply(s, "550 5.1.1 No such recipient here");
    default:
        log_event(LOG_WARN, "lmtp.recipient", F_STR("message", cx.failure.message), F_STR("detail", cx.failure.detail));
        return reply(s, "451 4.3.0 Try again later");
    }
    if (!s->recipients)
        s->recipients = NEWN(s->arena, struct lmtp_recipient, MAX_RECIPIENTS);
    s->recipients[s->nrecipients++] = found;
    reply(s, "250 2.1.5 Ok");
}

static void keep(struct session *s, const char *from, size_t n)
{
    if (s->too_large || s->body_len + n > s->max_bytes) {
        s->too_large = true;
        return;
    }
    if (s->body_len + n > s->body_cap) {
        s->body_cap = MAX(MAX(s->body_cap * 2, s->body_len + n), (size_t)INPUT_BYTES);
        s->body = heap_grow(s->body, s->body_cap);
    }
    memcpy(s->body + s->body_len, from, n);
    s->body_len += n;
}

/*
 * Only CR LF . CR LF ends a message: a bare CR or LF is content, so that no
 * other reading of line ends can smuggle a second message in.
 */
enum body_state { LINE_START, AFTER_DOT, AFTER_DOT_CR, IN_LINE, AFTER_CR, BODY_END };

static enum body_state scan_body(struct session *s, enum body_state state)
{
    const char *p = s->in + s->in_at, *end = s->in + s->in_end;
    while (p < end && state != BODY_END) {
        const char *cr;
        switch (state) {
        case LINE_START:
            state = *p == '.' ? AFTER_DOT : IN_LINE;
            p += *p == '.';
            break;
        case AFTER_DOT:
            state = *p == '\r' ? AFTER_DOT_CR : IN_LINE;
            p += *p == '\r';
            break;
        case AFTER_DOT_CR:
            if (*p == '\n') {
                state = BODY_END;
                p++;
            } else {
                keep(s, "\r", 1);
                state = AFTER_CR;
            }
            break;
        case AFTER_CR:
            state = *p == '\n' ? LINE_START : IN_LINE;
            if (*p == '\n')
                keep(s, p++, 1);
            break;
        default:
            cr = memchr(p, '\r', (size_t)(end - p));
            state = cr ? AFTER_CR : IN_LINE;
            cr = cr ? cr + 1 : end;
            keep(s, p, (size_t)(cr - p));
            p = cr;
        }
    }
    s->in_at = (size_t)(p - s->in);
    return state;
}

static void deliver(struct session *s, struct lmtp_recipient recipient)
{
    struct cx cx = unit_cx(s);
    struct lmtp_mail mail = { s->from, recipient, { s->body ? s->body : "", s->body_len }, s->client };
    enum err_code code = s->too_large ? E_LIMIT : s->options->deliver(&cx, &mail, s->options->arg);
    switch (code) {
    case E_OK:
        return reply(s, "250 2.0.0 Stored");
    case E_LIMIT:
        return reply(s, "552 5.3.4 Message too large");
    case E_INVALID:
        return reply(s, "554 5.6.0 Message refused");
    default:
        log_event(LOG_WARN, "lmtp.deliver", F_TXT("error", err_name(code)), F_STR("recipient", recipient.address),
                  F_STR("message", cx.failure.message), F_STR("detail", cx.failure.detail));
        return reply(s, "451 4.3.0 Not stored, try again later");
    }
}

static void command_data(struct session *s)
{
    if (!s->nrecipients)
        return reply_error(s, "503 5.5.1 No recipient was accepted");
    reply(s, "354 End with a dot on a line of its own");
    enum body_state state = LINE_START;
    while ((state = scan_body(s, state)) != BODY_END)
        if (!fill(s))
            return;
    for (size_t i = 0; i < s->nrecipients; i++)
        deliver(s, s->recipients[i]);
    reset_transaction(s);
}

static void command_lhlo(struct session *s, struct str args)
{
    char size[48];
    if (!args.len)
        return reply_error(s, "501 5.5.4 LHLO needs a name");
    reset_transaction(s);
    s->greeted = true;
    snprintf(size, sizeof size, "250 SIZE %zu", s->max_bytes);
    reply(s, "250-Cairn");
    reply(s, "250-PIPELINING");
    reply(s, "250-8BITMIME");
    reply(s, "250-SMTPUTF8");
    reply(s, "250-ENHANCEDSTATUSCODES");
    reply(s, size);
}

static void command(struct session *s, struct str line)
{
    struct str args = line, verb = STR_NONE;
    str_split(&args, ' ', &verb);
    args = str_trim(args);
    if (str_iis(verb, "MAIL"))
        command_mail(s, args);
    else if (str_iis(verb, "RCPT"))
        command_rcpt(s, args);
    else if (str_iis(verb, "DATA"))
        command_data(s);
    else if (str_iis(verb, "LHLO"))
        command_lhlo(s, args);
    else if (str_iis(verb, "RSET")) {
        reset_transaction(s);
        reply(s, "250 2.0.0 Ok");
    } else if (str_iis(verb, "NOOP"))
        reply(s, "250 2.0.0 Ok");
    else if (str_iis(verb, "VRFY"))
        reply(s, "252 2.5.2 Send and see");
    else if (str_iis(verb, "QUIT"))
        say_goodbye(s, "221 2.0.0 Goodbye");
    else if (str_iis(verb, "HELO") || str_iis(verb, "EHLO"))
        reply_error(s, "500 5.5.1 This is LMTP: LHLO expected");
    else
        reply_error(s, "500 5.5.2 Unknown command");
}

static void session_free(struct session **session)
{
    struct session *s = *session;
    arena_free(&s->arena);
    heap_free(s->body);
    heap_free(s);
}

void lmtp_serve(const struct lmtp_options *options, int fd, int stop_fd, struct str client)
{
    CLEANUP(session_free) struct session *s = heap_new(sizeof *s);
    struct str line;
    s->options = options;
    s->fd = fd;
    s->stop_fd = stop_fd;
    s->client = client;
    s->max_bytes = options->max_message_bytes ? options->max_message_bytes : DEFAULT_MESSAGE_BYTES;
    s->idle_us = options->idle_us ? options->idle_us : DEFAULT_IDLE_US;
    s->arena = arena_new("lmtp", 0);
    reply(s, "220 Cairn LMTP");
    while (read_command(s, &line))
        command(s, line);
}
