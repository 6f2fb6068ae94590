/* outbound_http.c - one HTTP call, bounded in size and time, and kept out of private networks when asked. */
#include "platform/outbound/outbound_curl.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

static const int64_t DEFAULT_TIMEOUT_US = 30 * US_PER_SECOND;
static const size_t DEFAULT_MAX_BYTES = 1u << 20;
static const long MAX_REDIRECTS = 3;

struct gate {
    bool public_only, blocked;
};

struct ipv4_range { uint32_t net; int bits; };

static bool ipv4_is_public(uint32_t a)
{
    /* IANA special-purpose registry, and multicast and reserved space */
    static const struct ipv4_range special[] = {
        { 0x00000000, 8 }, { 0x0A000000, 8 }, { 0x64400000, 10 }, { 0x7F000000, 8 }, { 0xA9FE0000, 16 }, { 0xAC100000, 12 },
        { 0xC0000000, 24 }, { 0xC0000200, 24 }, { 0xC0586300, 24 }, { 0xC0A80000, 16 }, { 0xC6120000, 15 }, { 0xC6336400, 24 },
        { 0xCB007100, 24 }, { 0xE0000000, 3 },
    };
    for (size_t i = 0; i < COUNT(special); i++)
        if (a >> (32 - special[i].bits) == special[i].net >> (32 - special[i].bits))
            return false;
    return true;
}

static uint32_t ipv4_in(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static bool ipv6_is_public(const uint8_t b[16])
{
    static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
    if (memcmp(b, nat64, sizeof nat64) == 0)
        return ipv4_is_public(ipv4_in(b + 12));
    if (b[0] >> 5 != 1)                                     /* global unicast is 2000::/3; mapped addresses are not in it */
        return false;
    if (b[0] == 0x20 && b[1] == 0x02)                       /* 6to4 */
        return ipv4_is_public(ipv4_in(b + 2));
    bool teredo_to_orchid = b[0] == 0x20 && b[1] == 0x01 && b[2] < 0x02;        /* 2001::/23 */
    bool documentation = b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x0d && b[3] == 0xb8;
    return !teredo_to_orchid && !documentation && !(b[0] == 0x3f && b[1] == 0xff);
}

static bool is_public(const struct sockaddr *a)
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
    if (a->sa_family == AF_INET)
        return ipv4_is_public(ntohl(((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr));
    if (a->sa_family != AF_INET6)
        return false;
    const uint8_t *b = ((const struct sockaddr_in6 *)(const void *)a)->sin6_addr.s6_addr;
    return memcmp(b, mapped, sizeof mapped) == 0 ? ipv4_is_public(ipv4_in(b + 12)) : ipv6_is_public(b);
}

/* The address that is really dialled is judged, so neither a name that resolves anew nor a redirect gets around it. */
static curl_socket_t on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct gate *gate = arg;
    (void)purpose;
    if (gate->public_only && !is_public(&address->addr)) {
        gate->blocked = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t on_write(char *data, size_t size, size_t n, void *arg)
{
    struct buf *body = arg;
    buf_add(body, (struct str){ data, size * n });
    return body->overflow ? 0 : size * n;
}

static bool one_line(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 32 || s.ptr[i] == 127)
            return false;
    return true;
}

static enum err_code explain(struct cx *cx, CURLcode code, const char *error, const struct gate *gate, bool too_large)
{
    struct str reason = outbound_reason(cx->arena, code, error);
    if (gate->blocked && code == CURLE_COULDNT_CONNECT)
        return fail(cx, E_FORBIDDEN, "This address is not on the public internet.");
    if (too_large || code == CURLE_FILESIZE_EXCEEDED)
        return fail(cx, E_LIMIT, "The answer is larger than allowed.");
    switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return fail_field(cx, "url", "Not a URL that can be fetched: %.*s", STR_ARG(reason));
    default:
        return fail_busy(cx, "The call failed: %.*s", STR_ARG(reason));
    }
}

static enum err_code set_headers(struct cx *cx, const struct http_call *call, struct curl_slist **list)
{
    *list = curl_slist_append(NULL, "Expect:");     /* no 100-continue pause */
    ASSERT(*list);
    for (size_t i = 0; i < call->nheaders; i++) {
        if (!one_line(call->headers[i]) || str_chr(call->headers[i], ':') < 1)
            return fail_field(cx, "headers", "A header is not one line \"Name: value\".");
        *list = curl_slist_append(*list, arena_cstr(cx->arena, call->headers[i]));
        ASSERT(*list);
    }
    return E_OK;
}

static void set_method(CURL *h, const struct http_call *call)
{
    struct str method = str_of(call->method);
    bool get = str_is(method, "GET");
    if (str_is(method, "HEAD"))
        curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
    else if (!get) {
        curl_easy_setopt(h, CURLOPT_POST, 1L);
        curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
        curl_easy_setopt(h, CURLOPT_POSTFIELDS, call->body.ptr ? call->body.ptr : "");
        curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, call->method);
    }
    curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, get ? 1L : 0L);
    curl_easy_setopt(h, CURLOPT_MAXREDIRS, MAX_REDIRECTS);
}

enum err_code http_fetch(struct cx *cx, const struct http_call *call, struct http_answer *ret)
{
    char error[CURL_ERROR_SIZE];
    size_t max = call->max_bytes ? call->max_bytes : DEFAULT_MAX_BYTES;
    struct gate gate = { .public_only = call->public_only };
    struct buf body = buf_new(cx->arena, max);
    CLEANUP(outbound_slist_free) struct curl_slist *headers = NULL;
    CLEANUP(outbound_handle_free) CURL *h = outbound_handle(call->ca_file, call->timeout_us ? call->timeout_us : DEFAULT_TIMEOUT_US, error);
    if (!one_line(call->url))
        return fail_field(cx, "url", "The URL has characters that no URL has.");
    TRY(set_headers(cx, call, &headers));
    set_method(h, call);
    curl_easy_setopt(h, CURLOPT_URL, arena_cstr(cx->arena, call->url));
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(h, CURLOPT_USERAGENT, "Cairn/" CAIRN_VERSION);
    curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    curl_easy_setopt(h, CURLOPT_OPENSOCKETDATA, &gate);
    curl_easy_setopt(h, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)max);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, &body);
    CURLcode code = curl_easy_perform(h);
    if (code != CURLE_OK)
        return explain(cx, code, error, &gate, body.overflow);
    long status = 0;
    const char *content_type = NULL;
    curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(h, CURLINFO_CONTENT_TYPE, &content_type);
    *ret = (struct http_answer){ (int)status, arena_copy(cx->arena, str_of(content_type)), buf_str(&body) };
    return E_OK;
}
