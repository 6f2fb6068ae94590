/*
 * outbound_smtp.c - sending a message, and knowing what became of it.
 *
 * curl tells whether a transfer failed, not whether the server may have the
 * message.  The conversation is therefore followed through curl's debug
 * callback: which command was answered how, and whether the final dot was due.
 */
#include "platform/outbound/outbound_curl.h"

#include <sys/socket.h>
#include <unistd.h>

static const int64_t DEFAULT_TIMEOUT_US = 120 * US_PER_SECOND;
enum { MAX_ANSWER_BYTES = 2000, MAX_SOCKETS = 4 };  /* curl tries two addresses at a time */

enum stage { STAGE_HELLO, STAGE_AUTH, STAGE_MAIL, STAGE_RCPT, STAGE_DATA, STAGE_DOT };

struct talk {
    struct str raw;
    size_t at;
    enum stage stage;
    int code;                   /* the last answer of this stage; 0: none yet */
    struct buf answer;          /* its words */
    bool answered, signing_in, quitting;
    size_t ncommands;           /* RCPT commands so far */
    int *recipient_codes;
    size_t nrecipients;
    int sockets[MAX_SOCKETS];   /* open ones */
    size_t nsockets;
};

static void sent_command(struct talk *t, struct str line)
{
    static const struct { const char *start; enum stage stage; } starts[] = {
        { "AUTH ", STAGE_AUTH }, { "MAIL ", STAGE_MAIL }, { "RCPT ", STAGE_RCPT }, { "DATA", STAGE_DATA },
    };
    t->quitting |= str_starts(line, STR("QUIT"));
    for (size_t i = 0; i < COUNT(starts); i++)
        if (str_starts(line, str_of(starts[i].start))) {
            t->stage = starts[i].stage;
            t->signing_in |= t->stage == STAGE_AUTH;
            t->ncommands += t->stage == STAGE_RCPT;
            t->code = 0;
            return;
        }
}

static void got_answer(struct talk *t, struct str line)
{
    int64_t code;
    line = str_trim(line);
    if (t->quitting || line.len < 3 || !num_parse_int(str_sub(line, 0, 3), &code))
        return;
    if (t->answered)
        buf_clear(&t->answer);
    if (t->answer.len)
        buf_char(&t->answer, ' ');
    buf_add(&t->answer, str_trim(str_skip(line, 4)));
    t->answered = line.len == 3 || line.ptr[3] != '-';
    if (!t->answered)
        return;
    t->code = (int)code;
    if (t->stage == STAGE_RCPT && t->ncommands <= t->nrecipients)
        t->recipient_codes[t->ncommands - 1] = t->code;
}

static int on_debug(CURL *handle, curl_infotype type, char *data, size_t size, void *arg)
{
    struct str text = { data, size }, line;
    (void)handle;
    if (type == CURLINFO_HEADER_OUT)
        sent_command(arg, text);
    else if (type == CURLINFO_HEADER_IN)
        while (str_line(&text, &line))
            got_answer(arg, line);
    return 0;
}

static curl_socket_t on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct talk *t = arg;
    (void)purpose;
    int fd = t->nsockets < MAX_SOCKETS ? socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol) : CURL_SOCKET_BAD;
    if (fd >= 0)
        t->sockets[t->nsockets++] = fd;
    return fd;
}

static int on_close_socket(void *arg, curl_socket_t fd)
{
    struct talk *t = arg;
    for (size_t i = 0; i < t->nsockets; i++)
        if (t->sockets[i] == fd) {
            t->sockets[i] = t->sockets[--t->nsockets];
            break;
        }
    return close(fd);
}

/* The transfer, and no more reading: curl would wait two minutes for the answer to QUIT, past every deadline. */
static CURLcode converse(CURL *h, struct talk *t)
{
    CURLcode code = curl_easy_perform(h);
    for (size_t i = 0; i < t->nsockets; i++)
        shutdown(t->sockets[i], SHUT_RD);
    return code;
}

/* curl asks again only when everything before has been written; at the end the final dot is the next thing to leave. */
static size_t on_read(char *to, size_t size, size_t n, void *arg)
{
    struct talk *t = arg;
    size_t part = MIN(size * n, t->raw.len - t->at);
    if (!part) {
        t->stage = STAGE_DOT;
        t->code = 0;
        return 0;
    }
    memcpy(to, t->raw.ptr + t->at, part);
    t->at += part;
    return part;
}

static enum err_code open_handle(struct cx *cx, const struct smtp_server *server, struct talk *t, char *error, CURL **ret)
{
    struct str host;
    if (!outbound_host(cx->arena, server->host, &host))
        return fail_field(cx, "out_host", "\"%.*s\" is not a host name.", STR_ARG(server->host));
    if (server->port < 1 || server->port > 65535)
        return fail_field(cx, "out_port", "The port is from 1 to 65535.");
    CURL *h = outbound_handle(server->ca_file, server->timeout_us ? server->timeout_us : DEFAULT_TIMEOUT_US, error);
    struct str url = arena_printf(cx->arena, "%s://%.*s:%d/%.*s", server->security == SMTP_TLS ? "smtps" : "smtp", STR_ARG(host),
                                  server->port, STR_ARG(percent_encode(cx->arena, server->helo)));
    curl_easy_setopt(h, CURLOPT_URL, url.ptr);
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(h, CURLOPT_USE_SSL, (long)(server->security == SMTP_PLAIN ? CURLUSESSL_NONE : CURLUSESSL_ALL));
    if (server->user.len) {
        bool token = server->access_token.len > 0;
        curl_easy_setopt(h, CURLOPT_USERNAME, arena_cstr(cx->arena, server->user));
        curl_easy_setopt(h, token ? CURLOPT_XOAUTH2_BEARER : CURLOPT_PASSWORD,
                         arena_cstr(cx->arena, token ? server->access_token : server->password));
        curl_easy_setopt(h, CURLOPT_LOGIN_OPTIONS, token ? "AUTH=XOAUTH2" : "AUTH=PLAIN;AUTH=LOGIN");
    }
    t->answer = buf_new(cx->arena, MAX_ANSWER_BYTES);
    curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    curl_easy_setopt(h, CURLOPT_OPENSOCKETDATA, t);
    curl_easy_setopt(h, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
    curl_easy_setopt(h, CURLOPT_CLOSESOCKETDATA, t);
    curl_easy_setopt(h, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(h, CURLOPT_DEBUGFUNCTION, on_debug);
    curl_easy_setopt(h, CURLOPT_DEBUGDATA, t);
    *ret = h;
    return E_OK;
}

static bool address_ok(struct str address)
{
    for (size_t i = 0; i < address.len; i++) {
        unsigned char c = (unsigned char)address.ptr[i];
        if (c < 32 || c == 127 || c == '<' || c == '>')
            return false;
    }
    return address.len < 512;
}

static bool lines_end_well(struct str raw)
{
    const char *p = raw.ptr, *end = raw.ptr + raw.len;
    size_t returns = 0;
    for (const char *q = p; q < end && (q = memchr(q, '\r', (size_t)(end - q))); q++)
        returns++;
    for (; p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++, returns--)
        if (p == raw.ptr || p[-1] != '\r')
            return false;
    return returns == 0 && raw.len >= 2 && raw.ptr[raw.len - 1] == '\n';
}

static enum err_code check_message(struct cx *cx, struct str envelope_from, const struct str *recipients, size_t n, struct str raw)
{
    if (!address_ok(envelope_from))
        return fail_field(cx, "envelope_from", "\"%.*s\" is not an address.", STR_ARG(envelope_from));
    if (!n)
        return fail_field(cx, "recipients", "There is no recipient.");
    for (size_t i = 0; i < n; i++)
        if (!recipients[i].len || !address_ok(recipients[i]))
            return fail_field(cx, "recipients", "\"%.*s\" is not an address.", STR_ARG(recipients[i]));
    if (!lines_end_well(raw))
        return fail_field(cx, "raw", "Every line of a message ends in CR LF, and none has another CR or LF.");
    return E_OK;
}

/* What a code to this very message means; signing in is asked for by some servers only at MAIL (RFC 4954 section 6). */
static enum smtp_outcome outcome_of(int code)
{
    bool sign_in = code == 530 || code == 534 || code == 535 || code == 538;
    return code >= 200 && code < 300 ? SMTP_SENT : code >= 500 && !sign_in ? SMTP_PERMANENT : SMTP_TEMPORARY;
}

/* Refused recipients, when others were taken; and whether any was taken. */
static bool sort_recipients(struct cx *cx, const struct talk *t, const struct str *recipients, struct smtp_result *ret)
{
    bool any = false;
    for (size_t i = 0; i < t->nrecipients; i++)
        any |= outcome_of(t->recipient_codes[i]) == SMTP_SENT;
    if (!any)
        return false;
    ret->refused = NEWN(cx->arena, struct str, t->nrecipients);
    ret->refused_codes = NEWN(cx->arena, int, t->nrecipients);
    for (size_t i = 0; i < t->nrecipients; i++)
        if (t->recipient_codes[i] >= 400) {
            ret->refused[ret->nrefused] = arena_copy(cx->arena, recipients[i]);
            ret->refused_codes[ret->nrefused++] = t->recipient_codes[i];
        }
    return true;
}

static enum smtp_outcome judge(const struct talk *t, bool any_taken)
{
    switch (t->stage) {
    case STAGE_DOT:
        return t->code ? outcome_of(t->code) : SMTP_UNKNOWN;
    case STAGE_RCPT:
        /* all refused: worth another try when one of them may be taken later */
        for (size_t i = 0; i < t->nrecipients; i++)
            if (outcome_of(t->recipient_codes[i]) != SMTP_PERMANENT)
                return SMTP_TEMPORARY;
        return any_taken ? SMTP_TEMPORARY : SMTP_PERMANENT;
    case STAGE_MAIL:
    case STAGE_DATA:
        return outcome_of(t->code) == SMTP_PERMANENT ? SMTP_PERMANENT : SMTP_TEMPORARY;
    default:
        return SMTP_TEMPORARY;
    }
}

enum err_code smtp_send(struct cx *cx, const struct smtp_server *server, struct str envelope_from,
                        const struct str *recipients, size_t nrecipients, struct str raw, struct smtp_result *ret)
{
    char error[CURL_ERROR_SIZE];
    struct talk t = { .raw = raw, .nrecipients = nrecipients, .recipient_codes = NEWN(cx->arena, int, nrecipients) };
    CLEANUP(outbound_slist_free) struct curl_slist *to = NULL;
    CLEANUP(outbound_handle_free) CURL *h = NULL;
    *ret = (struct smtp_result){ 0 };
    TRY(check_message(cx, envelope_from, recipients, nrecipients, raw));
    TRY(open_handle(cx, server, &t, error, &h));
    struct str from = arena_printf(cx->arena, "<%.*s>", STR_ARG(envelope_from));
    for (size_t i = 0; i < nrecipients; i++) {
        struct str address = arena_printf(cx->arena, "<%.*s>", STR_ARG(recipients[i]));
        to = curl_slist_append(to, address.ptr);
        ASSERT(to);
    }
    curl_easy_setopt(h, CURLOPT_MAIL_FROM, from.ptr);
    curl_easy_setopt(h, CURLOPT_MAIL_RCPT, to);
    curl_easy_setopt(h, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
    /* No size is announced: curl 7.88 counts stuffed dots against it and could end a message early. */
    curl_easy_setopt(h, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(h, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(h, CURLOPT_READDATA, &t);
    CURLcode code = converse(h, &t);
    bool any_taken = sort_recipients(cx, &t, recipients, ret);
    ret->outcome = judge(&t, any_taken);
    ret->code = t.code;
    if (ret->outcome == SMTP_UNKNOWN)
        ret->answer = arena_printf(cx->arena, "The connection broke after the message was sent, before the server's answer: %.*s",
                                   STR_ARG(outbound_reason(cx->arena, code, error)));
    else
        ret->answer = t.code && t.answer.len ? buf_str(&t.answer) : outbound_reason(cx->arena, code, error);
    return E_OK;
}

/* The same failures, the same words as opening a mailbox gives: see mailbox.h. */
static enum err_code explain(struct cx *cx, const struct smtp_server *server, struct talk *t, CURLcode code, const char *error)
{
    struct str reason = outbound_reason(cx->arena, code, error);
    struct str answer = t->code >= 400 && t->answer.len ? buf_str(&t->answer) : reason;
    enum err_code e;
    switch (code) {
    case CURLE_LOGIN_DENIED:
        e = fail(cx, E_UNAUTHENTICATED, "The server refused to sign %.*s in: %.*s", STR_ARG(server->user), STR_ARG(answer));
        cx->failure.field = "out_user";
        return e;
    case CURLE_PEER_FAILED_VERIFICATION:
        return fail_field(cx, "out_host", "The certificate of %.*s is not trusted: %.*s", STR_ARG(server->host), STR_ARG(reason));
    case CURLE_SSL_CACERT_BADFILE:
        return fail_field(cx, "out_host", "The CA file cannot be used: %.*s", STR_ARG(reason));
    case CURLE_USE_SSL_FAILED:
        return fail_field(cx, "out_security", "The server does not offer STARTTLS on port %d.", server->port);
    case CURLE_SSL_CONNECT_ERROR:
        return fail_field(cx, "out_security", "No TLS on port %d: %.*s", server->port, STR_ARG(reason));
    default:
        e = fail_busy(cx, "%.*s:%d: %.*s", STR_ARG(server->host), server->port, STR_ARG(answer));
        cx->failure.field = "out_host";
        return e;
    }
}

enum err_code smtp_check(struct cx *cx, const struct smtp_server *server)
{
    char error[CURL_ERROR_SIZE];
    struct talk t = { 0 };
    CLEANUP(outbound_handle_free) CURL *h = NULL;
    TRY(open_handle(cx, server, &t, error, &h));
    curl_easy_setopt(h, CURLOPT_CONNECT_ONLY, 1L);
    CURLcode code = converse(h, &t);
    if (code != CURLE_OK)
        return explain(cx, server, &t, code, error);
    if (server->user.len && !t.signing_in)
        return fail_field(cx, "out_user", "The server does not offer to sign in with this security.");
    return E_OK;
}
