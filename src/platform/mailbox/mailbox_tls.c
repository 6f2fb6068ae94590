/* mailbox_tls.c - TLS by GnuTLS, with the certificate chain and the host name verified. */
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "platform/mailbox/mailbox_wire.h"

#include <arpa/inet.h>
#include <poll.h>

struct tls {
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
    char *host;     /* GnuTLS keeps the pointer */
};

void mailbox_tls_free(struct tls **tls)
{
    struct tls *t = *tls;
    if (!t)
        return;
    if (t->session)
        gnutls_deinit(t->session);
    if (t->credentials)
        gnutls_certificate_free_credentials(t->credentials);
    heap_free(t->host);
    heap_free(t);
    *tls = NULL;
}

static bool is_address(const char *host)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static struct tls *tls_new(int fd, struct str host, const char *ca_file, int *ret_trusted)
{
    struct tls *t = heap_new(sizeof *t);
    t->host = heap_copy(host);
    ASSERT(gnutls_certificate_allocate_credentials(&t->credentials) == 0);
    *ret_trusted = ca_file ? gnutls_certificate_set_x509_trust_file(t->credentials, ca_file, GNUTLS_X509_FMT_PEM)
                           : gnutls_certificate_set_x509_system_trust(t->credentials);
    ASSERT(gnutls_init(&t->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) == 0);
    ASSERT(gnutls_priority_set_direct(t->session, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2", NULL) == 0);
    ASSERT(gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, t->credentials) == 0);
    if (!is_address(t->host))
        gnutls_server_name_set(t->session, GNUTLS_NAME_DNS, t->host, strlen(t->host));
    gnutls_session_set_verify_cert(t->session, t->host, 0);
    gnutls_transport_set_int(t->session, fd);
    return t;
}

static enum err_code explain(struct cx *cx, struct wire *w, struct str host, int e)
{
    gnutls_datum_t words = { 0 };
    if (w->state != WIRE_OPEN) {
        enum err_code code = mailbox_wire_failure(cx, w);
        cx->failure.field = "in_host";
        return code;
    }
    w->state = WIRE_CLOSED;
    if (e != GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR)
        return fail_field(cx, "in_security", "No TLS with %.*s: %s", STR_ARG(host), gnutls_strerror(e));
    unsigned status = gnutls_session_get_verify_cert_status(w->tls->session);
    gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &words, 0);
    enum err_code code = fail_field(cx, "in_host", "The certificate of %.*s is not valid: %.*s", STR_ARG(host), (int)words.size,
                                    words.data ? (const char *)words.data : "");
    gnutls_free(words.data);
    return code;
}

enum err_code mailbox_wire_secure(struct cx *cx, struct wire *w, struct str host, const char *ca_file)
{
    int trusted, e;
    w->tls = tls_new(w->fd, host, ca_file, &trusted);
    if (trusted <= 0)
        return fail_field(cx, "in_host", "There are no certificate authorities to trust in %s.", ca_file ? ca_file : "the system's store");
    mailbox_wire_begin(w, 0);
    while ((e = gnutls_handshake(w->tls->session)) != 0) {
        bool again = e == GNUTLS_E_AGAIN || e == GNUTLS_E_INTERRUPTED;
        if (gnutls_error_is_fatal(e) || (again && !mailbox_wire_ready(w, gnutls_record_get_direction(w->tls->session) ? POLLOUT : POLLIN)))
            return explain(cx, w, host, e);
    }
    return E_OK;
}

/* 0 when it must wait, and then for what. */
static ssize_t outcome(struct tls *t, ssize_t n, short *ret_events)
{
    *ret_events = gnutls_record_get_direction(t->session) ? POLLOUT : POLLIN;
    if (n > 0)
        return n;
    return n < 0 && !gnutls_error_is_fatal((int)n) ? 0 : -1;
}

ssize_t mailbox_tls_read(struct tls *t, void *to, size_t n, short *ret_events)
{
    return outcome(t, gnutls_record_recv(t->session, to, n), ret_events);
}

ssize_t mailbox_tls_write(struct tls *t, const void *data, size_t n, short *ret_events)
{
    return outcome(t, gnutls_record_send(t->session, data, n), ret_events);
}

bool mailbox_tls_has_pending(const struct tls *t)
{
    return gnutls_record_check_pending(t->session) > 0;
}
