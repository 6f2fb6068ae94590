/* mailbox.c - opening and closing, whatever the protocol. */
#include "platform/mailbox/mailbox_session.h"

#include <sys/eventfd.h>

static const int64_t DEFAULT_TIMEOUT_US = 30 * US_PER_SECOND;
static const int64_t GOODBYE_US = 2 * US_PER_SECOND;

struct str mailbox_xoauth2(struct arena *arena, const struct mailbox_server *server)
{
    struct str plain = arena_printf(arena, "user=%.*s\1auth=Bearer %.*s\1\1", STR_ARG(server->user), STR_ARG(server->access_token));
    return base64_encode(arena, plain);
}

static bool one_line(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 32 || s.ptr[i] == 127)
            return false;
    return true;
}

static enum err_code check_settings(struct cx *cx, const struct mailbox_server *server)
{
    if (!server->host.len || !one_line(server->host) || server->host.len > 255)
        return fail_field(cx, "in_host", "\"%.*s\" is not a host name.", STR_ARG(server->host));
    if (server->port < 1 || server->port > 65535)
        return fail_field(cx, "in_port", "The port is from 1 to 65535.");
    if (!server->user.len || !one_line(server->user))
        return fail_field(cx, "in_user", "The user name is one line of text.");
    if (!one_line(server->password) || !one_line(server->access_token))
        return fail_field(cx, "in_password", "The password is one line of text.");
    return E_OK;
}

enum err_code mailbox_open(struct cx *cx, const struct mailbox_server *server, struct mailbox_session **ret)
{
    TRY(check_settings(cx, server));
    CLEANUP(mailbox_close) struct mailbox_session *s = heap_new(sizeof *s);
    s->kind = server->kind;
    s->wire.fd = -1;
    s->wire.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    TRY(mailbox_wire_open(cx, &s->wire, server->host, server->port, server->timeout_us ? server->timeout_us : DEFAULT_TIMEOUT_US));
    if (server->security == MAILBOX_TLS)
        TRY(mailbox_wire_secure(cx, &s->wire, server->host, server->ca_file));
    TRY(server->kind == MAILBOX_IMAP ? mailbox_imap_open(cx, s, server) : mailbox_pop3_open(cx, s, server));
    *ret = s;
    s = NULL;
    return E_OK;
}

void mailbox_close(struct mailbox_session **session)
{
    struct mailbox_session *s = *session;
    if (!s)
        return;
    s->wire.timeout_us = MIN(s->wire.timeout_us, GOODBYE_US);
    if (s->kind == MAILBOX_IMAP)
        mailbox_imap_close(s);
    else
        mailbox_pop3_close(s);
    mailbox_wire_close(&s->wire);
    heap_free(s);
    *session = NULL;
}

void mailbox_interrupt(struct mailbox_session *session)
{
    mailbox_wire_interrupt(&session->wire);
}
