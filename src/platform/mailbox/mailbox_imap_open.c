/* mailbox_imap_open.c - greeting, STARTTLS, signing in; libetpan's stream over our wire. */
#include "platform/mailbox/mailbox_session.h"

enum { STREAM_BUFFER_BYTES = 32 * 1024 };
/* libetpan would put larger texts into files in /tmp */
static const size_t IN_MEMORY_BYTES = (size_t)1 << 40;

static ssize_t low_read(mailstream_low *low, void *to, size_t n)
{
    return mailbox_wire_read(low->data, to, n);
}

static ssize_t low_write(mailstream_low *low, const void *data, size_t n)
{
    return mailbox_wire_write(low->data, data, n) ? (ssize_t)n : -1;
}

static int low_close(mailstream_low *low)
{
    (void)low;      /* the session closes its wire */
    return 0;
}

static int low_fd(mailstream_low *low)
{
    return ((struct wire *)low->data)->fd;
}

static void low_free(mailstream_low *low)
{
    heap_free(low->identifier);
    heap_free(low);
}

static mailstream_low_driver driver = {
    .mailstream_read = low_read,
    .mailstream_write = low_write,
    .mailstream_close = low_close,
    .mailstream_get_fd = low_fd,
    .mailstream_free = low_free,
};

enum err_code mailbox_imap_failure(struct cx *cx, struct mailbox_session *s, int r)
{
    switch (r) {
    case MAILIMAP_ERROR_STREAM:
    case MAILIMAP_ERROR_PARSE:
    case MAILIMAP_ERROR_FATAL:
    case MAILIMAP_ERROR_PROTOCOL:
    case MAILIMAP_ERROR_BAD_STATE:
    case MAILIMAP_ERROR_MEMORY:
    case MAILIMAP_ERROR_INVAL:
    case MAILIMAP_ERROR_NEEDS_MORE_DATA:
    case MAILIMAP_ERROR_DONT_ACCEPT_CONNECTION:
        if (s->wire.state == WIRE_OPEN)
            s->wire.state = WIRE_NONSENSE;
        return mailbox_wire_failure(cx, &s->wire);
    default:
        return fail_busy(cx, "The mail server refused: %s", s->imap->imap_response ? s->imap->imap_response : "no reason given");
    }
}

/* RFC 3501 section 6.1.1; libetpan keeps the answer for its has_… functions. */
static enum err_code ask_capabilities(struct cx *cx, struct mailbox_session *s)
{
    struct mailimap_capability_data *all = NULL;
    mailbox_wire_begin(&s->wire, SMALL_ANSWER_BYTES);
    int r = mailimap_capability(s->imap, &all);
    if (r != MAILIMAP_NO_ERROR)
        return mailbox_imap_failure(cx, s, r);
    mailimap_capability_data_free(all);
    return E_OK;
}

static enum err_code start_tls(struct cx *cx, struct mailbox_session *s, const struct mailbox_server *server)
{
    if (!mailimap_has_extension(s->imap, "STARTTLS"))
        return fail_field(cx, "in_security", "The server does not offer STARTTLS on port %d.", server->port);
    mailbox_wire_begin(&s->wire, SMALL_ANSWER_BYTES);
    int r = mailimap_starttls(s->imap);
    if (s->wire.state != WIRE_OPEN)
        return mailbox_imap_failure(cx, s, r);
    if (r != MAILIMAP_NO_ERROR)
        return fail_field(cx, "in_security", "The server refused STARTTLS on port %d.", server->port);
    if (s->imap->imap_stream->read_buffer_len)      /* plain text after the answer: somebody in the middle wrote it */
        return fail_field(cx, "in_security", "The server sent text before the encryption began.");
    TRY(mailbox_wire_secure(cx, &s->wire, server->host, server->ca_file));
    return ask_capabilities(cx, s);
}

static enum err_code login_refused(struct cx *cx, const struct mailbox_server *server, struct str words, bool for_now)
{
    enum err_code e = for_now ? fail_busy(cx, "The mail server cannot sign in now: %.*s", STR_ARG(words))
                              : fail(cx, E_UNAUTHENTICATED, "The mail server refused to sign %.*s in: %.*s", STR_ARG(server->user), STR_ARG(words));
    cx->failure.field = "in_user";
    return e;
}

/* AUTHENTICATE with what we have to say in the first answer to "+": needs no SASL library. */
static enum err_code authenticate(struct cx *cx, struct mailbox_session *s, const struct mailbox_server *server, const char *mechanism, struct str secret)
{
    struct str tag = STR_NONE, words = STR_NONE, line = arena_printf(cx->arena, "AUTHENTICATE %s", mechanism);
    enum imap_answer answer;
    mailbox_wire_begin(&s->wire, SMALL_ANSWER_BYTES);
    TRY(mailbox_imap_send(cx, s, line, &tag));
    TRY(mailbox_imap_await(cx, s, tag, &answer, &words, NULL));
    for (int step = 0; step < 2 && answer == IMAP_CONTINUE; step++) {   /* XOAUTH2 tells errors in a second "+", answered by nothing */
        TRY(mailbox_imap_send(cx, s, step ? STR("") : secret, &tag));
        TRY(mailbox_imap_await(cx, s, tag, &answer, &words, NULL));
    }
    if (answer != IMAP_OK)
        return login_refused(cx, server, words, str_ifind(words, STR("[UNAVAILABLE]")) >= 0);
    s->imap->imap_state = MAILIMAP_STATE_AUTHENTICATED;
    return E_OK;
}

static enum err_code sign_in(struct cx *cx, struct mailbox_session *s, const struct mailbox_server *server)
{
    if (server->access_token.len) {
        if (!mailimap_has_authentication(s->imap, "XOAUTH2"))
            return fail_field(cx, "in_auth", "The mail server does not offer XOAUTH2.");
        return authenticate(cx, s, server, "XOAUTH2", mailbox_xoauth2(cx->arena, server));
    }
    if (mailimap_has_authentication(s->imap, "PLAIN")) {
        size_t n = server->user.len + server->password.len + 2;
        char *plain = NEWN(cx->arena, char, n);
        memcpy(plain + 1, server->user.ptr, server->user.len);
        if (server->password.len)
            memcpy(plain + 2 + server->user.len, server->password.ptr, server->password.len);
        return authenticate(cx, s, server, "PLAIN", base64_encode(cx->arena, (struct str){ plain, n }));
    }
    if (mailimap_has_extension(s->imap, "LOGINDISABLED"))
        return fail_field(cx, "in_security", "The mail server does not accept passwords with this security.");
    mailbox_wire_begin(&s->wire, SMALL_ANSWER_BYTES);
    int r = mailimap_login(s->imap, arena_cstr(cx->arena, server->user), arena_cstr(cx->arena, server->password));
    if (r == MAILIMAP_ERROR_LOGIN) {
        const char *code = s->imap->imap_response_info ? s->imap->imap_response_info->rsp_atom : NULL;
        return login_refused(cx, server, str_of(s->imap->imap_response), str_iis(str_of(code), "UNAVAILABLE"));
    }
    return r == MAILIMAP_NO_ERROR ? E_OK : mailbox_imap_failure(cx, s, r);
}

enum err_code mailbox_imap_open(struct cx *cx, struct mailbox_session *s, const struct mailbox_server *server)
{
    mmap_string_set_ceil(IN_MEMORY_BYTES);
    s->wire.guard.on = true;
    s->imap = mailimap_new(0, NULL);
    mailstream_low *low = mailstream_low_new(&s->wire, &driver);
    ASSERT(s->imap && low);
    mailstream *stream = mailstream_new(low, STREAM_BUFFER_BYTES);
    ASSERT(stream);
    mailbox_wire_begin(&s->wire, SMALL_ANSWER_BYTES);
    int r = mailimap_connect(s->imap, stream);
    if (r != MAILIMAP_NO_ERROR_AUTHENTICATED && r != MAILIMAP_NO_ERROR_NON_AUTHENTICATED) {
        enum err_code e = mailbox_imap_failure(cx, s, r);
        cx->failure.field = "in_host";
        return e;
    }
    TRY(ask_capabilities(cx, s));
    if (server->security == MAILBOX_STARTTLS) {
        if (r == MAILIMAP_NO_ERROR_AUTHENTICATED)
            return fail_field(cx, "in_security", "The server skips STARTTLS.");
        TRY(start_tls(cx, s, server));
    }
    if (r == MAILIMAP_NO_ERROR_NON_AUTHENTICATED) {
        TRY(sign_in(cx, s, server));
        return ask_capabilities(cx, s);     /* IDLE and CONDSTORE are often told only now */
    }
    return E_OK;
}

void mailbox_imap_close(struct mailbox_session *s)
{
    if (!s->imap)
        return;
    mailbox_wire_begin(&s->wire, SMALL_ANSWER_BYTES);
    mailimap_free(s->imap);     /* says LOGOUT while there is a stream */
    s->imap = NULL;
}
