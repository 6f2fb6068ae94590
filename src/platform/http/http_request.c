/* http_request.c - what a request says about itself: headers, cookies, who sent it and from where. */
#include "platform/crypto/crypto.h"
#include "platform/http/http_internal.h"

#include <arpa/inet.h>
#include <microhttpd.h>

struct exchange *exchange_of(const struct cx *cx)
{
    ASSERT(cx->reply);
    return (struct exchange *)((char *)cx->reply - offsetof(struct exchange, reply));
}

struct str exchange_header(const struct exchange *x, const char *name)
{
    return str_of(MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name));
}

static struct str cookie(const struct exchange *x, const char *name)
{
    struct str rest = exchange_header(x, "Cookie"), part;
    while (str_split(&rest, ';', &part)) {
        part = str_trim(part);
        ptrdiff_t equals = str_chr(part, '=');
        if (equals > 0 && str_is(str_sub(part, 0, (size_t)equals), name))
            return str_skip(part, (size_t)equals + 1);
    }
    return STR_NONE;
}

static struct str peer_address(struct exchange *x)
{
    const struct sockaddr *a = MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    char text[INET6_ADDRSTRLEN] = "";
    if (a->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a)->sin_addr, text, sizeof text);
    else if (a->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, text, sizeof text);
    struct str ip = arena_copy(x->arena, str_of(text));
    return str_starts(ip, STR("::ffff:")) ? str_skip(ip, 7) : ip;
}

/* The last entry is the one that the trusted proxy itself wrote. */
static struct str forwarded_address(struct exchange *x, struct str peer)
{
    struct str list = exchange_header(x, "X-Forwarded-For");
    ptrdiff_t comma = str_rchr(list, ',');
    struct str last = str_trim(comma < 0 ? list : str_skip(list, (size_t)comma + 1));
    unsigned char unused[16];
    char *text = arena_cstr(x->arena, last);
    bool address = inet_pton(AF_INET, text, unused) == 1 || inet_pton(AF_INET6, text, unused) == 1;
    return address ? str_of(text) : peer;
}

/* Up to 100 harmless characters, or a new one. */
struct str clean_request_id(struct arena *arena, struct str given)
{
    bool clean = given.len >= 1 && given.len <= 100;
    for (size_t i = 0; clean && i < given.len; i++) {
        char c = given.ptr[i];
        clean = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    }
    return clean ? arena_copy(arena, given) : arena_printf(arena, "%016llx", (unsigned long long)rand_u64());
}

void exchange_read_peer(struct exchange *x)
{
    if (x->cx.request_id.ptr)
        return;
    x->cx.request_id = clean_request_id(x->arena, exchange_header(x, "X-Request-Id"));
    x->ip = peer_address(x);
    const char *proxy = x->server->options.trusted_proxy;
    if (proxy && str_is(x->ip, proxy))
        x->ip = forwarded_address(x, x->ip);
    struct str authorization = exchange_header(x, "Authorization");
    if (str_istarts(authorization, STR("Bearer ")))
        x->token = str_trim(str_skip(authorization, 7));
    else
        x->session = cookie(x, SESSION_COOKIE);
}

/* "https://desk.example.com" of the page that sends must be ours. */
static bool origin_is_ours(struct exchange *x, struct str origin)
{
    if (x->server->public_origin.ptr) {
        struct str ours = x->server->public_origin;
        while (ours.len && ours.ptr[ours.len - 1] == '/')
            ours.len--;
        if (str_ieq(origin, ours))
            return true;
    }
    ptrdiff_t scheme = str_find(origin, STR("://"));
    struct str host = exchange_header(x, "Host");
    return scheme > 0 && host.len && str_ieq(str_skip(origin, (size_t)scheme + 3), host);
}

enum err_code check_same_site(struct exchange *x)
{
    struct str site = exchange_header(x, "Sec-Fetch-Site"), origin = exchange_header(x, "Origin");
    bool foreign = site.ptr && !str_iis(site, "same-origin") && !str_iis(site, "none");
    if (foreign || (origin.ptr && !origin_is_ours(x, origin)))
        return fail(&x->cx, E_FORBIDDEN, "Requests from other sites are not accepted");
    return E_OK;
}

enum err_code check_csrf(struct exchange *x)
{
    TRY(check_same_site(x));
    struct str given = exchange_header(x, "X-CSRF-Token");
    if (given.len && x->csrf.len && crypto_equal(given, x->csrf))
        return E_OK;
    fail(&x->cx, E_FORBIDDEN, "The header X-CSRF-Token must carry the csrf_token of the session");
    x->cx.failure.field = "X-CSRF-Token";
    return E_FORBIDDEN;
}

/* ---- for handlers ---- */

int64_t request_if_match(const struct cx *cx)
{
    struct str tag = exchange_header(exchange_of(cx), "If-Match");
    int64_t version = 0;
    if (tag.len < 4 || !str_starts(tag, STR("\"v")) || tag.ptr[tag.len - 1] != '"')
        return 0;
    return num_parse_int(str_sub(tag, 2, tag.len - 3), &version) ? version : 0;
}

struct str request_ip(const struct cx *cx)
{
    return exchange_of(cx)->ip;
}

struct str request_header(const struct cx *cx, const char *name)
{
    return exchange_header(exchange_of(cx), name);
}

struct str request_cookie(const struct cx *cx, const char *name)
{
    return cookie(exchange_of(cx), name);
}

struct blob_writer *request_upload(const struct cx *cx, struct str *ret_hash, int64_t *ret_size, struct str *ret_type)
{
    struct exchange *x = exchange_of(cx);
    *ret_hash = x->upload_hash;
    *ret_size = x->upload_size;
    *ret_type = exchange_header(x, "Content-Type");
    return x->upload;
}

struct store *http_store(const struct cx *cx)
{
    return exchange_of(cx)->server->options.store;
}
