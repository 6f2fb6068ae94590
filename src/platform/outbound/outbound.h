/*
 * outbound.h - what leaves for other servers: SMTP and HTTP (libcurl).
 */
#ifndef CAIRN_OUTBOUND_H
#define CAIRN_OUTBOUND_H

#include "base/base.h"

/* Once per process, before threads. */
void outbound_init(void);

enum smtp_security { SMTP_TLS, SMTP_STARTTLS, SMTP_PLAIN };

struct smtp_server {
    struct str host, user, password, access_token;  /* user "" = no sign-in; access_token not "" = XOAUTH2 */
    int port;
    enum smtp_security security;    /* STARTTLS is required, never opportunistic */
    const char *ca_file;            /* NULL: the system's */
    struct str helo;                /* our name; "" the host name */
    int64_t timeout_us;             /* whole transfer; 0: 120 s */
};

enum smtp_outcome {
    SMTP_SENT,          /* 2xx to the final dot */
    SMTP_TEMPORARY,     /* 4xx, no connection, refused before DATA: certainly not accepted; try again */
    SMTP_PERMANENT,     /* 5xx to this message; refused sign-in and greetings are TEMPORARY: the settings' fault */
    SMTP_UNKNOWN,       /* broke after the final dot was sent: may have been accepted */
};

struct smtp_result {
    enum smtp_outcome outcome;
    int code;                       /* last SMTP code, 0 none */
    struct str answer;              /* the server's words or our description */
    struct str *refused;            /* recipients the server refused while it took others */
    int *refused_codes;             /* its code for each: 4xx may be tried again */
    size_t nrefused;
};

/*
 * E_OK with the outcome; fails (E_INVALID at "out_host", "envelope_from", "recipients" or "raw") only when the
 * settings are unusable.  Every line of raw must end in CR LF: a bare CR or LF is refused, because servers
 * read it in different ways.
 */
enum err_code smtp_send(struct cx *cx, const struct smtp_server *server, struct str envelope_from /* "" = null path */,
                        const struct str *recipients, size_t nrecipients, struct str raw, struct smtp_result *ret) MUST_CHECK;
/* Connects and signs in without sending: the connection test of the wizard.  Failures as mailbox_open, at
 * "out_host", "out_security", "out_user". */
enum err_code smtp_check(struct cx *cx, const struct smtp_server *server) MUST_CHECK;

struct http_call {
    const char *method;             /* "GET", "POST" */
    struct str url;
    const struct str *headers;      /* "Name: value" */
    size_t nheaders;
    struct str body;
    size_t max_bytes;               /* of the answer; 0: 1 MiB */
    int64_t timeout_us;             /* 0: 30 s */
    bool public_only;               /* refuse private and loopback addresses, also after redirects (proxying pictures) */
    const char *ca_file;
};
struct http_answer {
    int status;
    struct str content_type, body;
};
/*
 * E_BUSY: network; E_LIMIT: larger than max_bytes; E_FORBIDDEN: address not allowed; E_INVALID at "url", "headers".
 * Any HTTP status is E_OK.  Only http and https; up to three redirects are followed for GET.  No proxy is used.
 */
enum err_code http_fetch(struct cx *cx, const struct http_call *call, struct http_answer *ret) MUST_CHECK;

struct oauth_client {
    struct str token_url, client_id, client_secret, refresh_token;
    const char *ca_file;
};
struct oauth_token {
    struct str access_token, refresh_token;     /* refresh_token: the new one when it was rotated, else as before */
    int64_t expires_us;
};
/* RFC 6749 section 6.  E_UNAUTHENTICATED when the grant is no longer valid; E_INVALID at "oauth_client_id" when
 * the client is refused, at "oauth_token_url" when the answer is no token. */
enum err_code oauth_refresh(struct cx *cx, const struct oauth_client *client, struct oauth_token *ret) MUST_CHECK;

#endif
