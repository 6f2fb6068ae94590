/* http_head.c - is a request head canonical by RFC 9112?  Anything doubtful is refused. */
#include "platform/http/http_wire.h"

static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_token_char(s.ptr[i]))
            return false;
    return s.len > 0;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool target_is_clean(struct str t)
{
    for (size_t i = 0; i < t.len; i++) {
        char c = t.ptr[i];
        if (c <= 0x20 || c >= 0x7f || strchr("\"<>\\^`{|}#", c))
            return false;
        if (c == '%') {
            if (i + 2 >= t.len || !is_hex(t.ptr[i + 1]) || !is_hex(t.ptr[i + 2]))
                return false;
            if (t.ptr[i + 1] == '0' && t.ptr[i + 2] == '0')
                return false;
        }
    }
    return true;
}

static int check_request_line(struct str line, bool *ret_1_1, const char **why)
{
    ptrdiff_t first = str_chr(line, ' '), last = str_rchr(line, ' ');
    *why = "The request line must be METHOD TARGET HTTP/1.1 with single spaces";
    if (first < 1 || last <= first)
        return 400;
    struct str method = str_sub(line, 0, (size_t)first);
    struct str target = str_sub(line, (size_t)first + 1, (size_t)(last - first - 1));
    struct str version = str_skip(line, (size_t)last + 1);
    if (!is_token(method) || method.len > 20)
        return *why = "The method is not a token", 400;
    if (!str_starts(target, STR("/")) && !str_starts(target, STR("http://")) && !str_starts(target, STR("https://")) &&
        !(str_is(method, "OPTIONS") && str_is(target, "*")))
        return *why = "The request target must be a path", 400;
    if (!target_is_clean(target))
        return *why = "The request target has characters that must be percent-encoded", 400;
    *ret_1_1 = str_is(version, "HTTP/1.1");
    if (!*ret_1_1 && !str_is(version, "HTTP/1.0")) {
        bool other = version.len == 8 && str_starts(version, STR("HTTP/")) && version.ptr[6] == '.' &&
                     version.ptr[5] >= '0' && version.ptr[5] <= '9' && version.ptr[7] >= '0' && version.ptr[7] <= '9';
        return *why = "Only HTTP/1.1 and HTTP/1.0 are spoken here", other ? 505 : 400;
    }
    return 0;
}

/* "Transfer_Encoding" is the same field to some servers behind or before us. */
static bool is_name(struct str name, const char *known)
{
    if (name.len != strlen(known))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i] == '_' ? '-' : name.ptr[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c + 32);
        if (c != known[i])
            return false;
    }
    return true;
}

static bool value_is_clean(struct str v)
{
    for (size_t i = 0; i < v.len; i++) {
        unsigned char c = (unsigned char)v.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

struct seen {
    struct wire_head *head;
    unsigned hosts, lengths, encodings, upgrades;
    bool connection_upgrade, is_1_1;
};

static bool host_is_clean(struct str v)
{
    for (size_t i = 0; i < v.len; i++) {
        char c = v.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr(".-_:[]%~", c))))
            return false;
    }
    return v.len > 0;
}

static bool list_has(struct str list, const char *word)
{
    struct str part;
    while (str_split(&list, ',', &part))
        if (str_iis(str_trim(part), word))
            return true;
    return false;
}

static int note_length(struct seen *seen, struct str value, const char **why)
{
    if (++seen->lengths > 1)
        return *why = "Content-Length is there twice", 400;
    uint64_t n = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9')
            return *why = "Content-Length is not a number", 400;
        n = n * 10 + (uint64_t)(value.ptr[i] - '0');
    }
    if (value.len == 0 || value.len > 18)
        return *why = "Content-Length is not a number", 400;
    seen->head->content_length = n;
    return 0;
}

static int note_header(struct seen *seen, struct str name, struct str value, const char **why)
{
    bool dashed = str_chr(name, '_') < 0;
    if (is_name(name, "host")) {
        if (!dashed || ++seen->hosts > 1 || !host_is_clean(value))
            return *why = "Host must be there once, as a host name", 400;
    } else if (is_name(name, "content-length")) {
        if (!dashed)
            return *why = "Content_Length is not a header", 400;
        return note_length(seen, value, why);
    } else if (is_name(name, "transfer-encoding")) {
        if (!dashed || ++seen->encodings > 1 || !str_iis(value, "chunked") || !seen->is_1_1)
            return *why = "Transfer-Encoding may only be chunked, once, in HTTP/1.1", 400;
        seen->head->chunked = true;
    } else if (is_name(name, "expect")) {
        if (!str_iis(value, "100-continue"))
            return *why = "Only Expect: 100-continue is understood", 417;
    } else if (is_name(name, "upgrade")) {
        seen->upgrades++;
    } else if (is_name(name, "connection")) {
        seen->connection_upgrade |= list_has(value, "upgrade");
    }
    return 0;
}

static int check_header_line(struct seen *seen, struct str line, const char **why)
{
    if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
        return *why = "A header may not be folded over lines", 400;
    ptrdiff_t colon = str_chr(line, ':');
    if (colon < 1 || !is_token(str_sub(line, 0, (size_t)colon)))
        return *why = "A header name must be a token directly before its colon", 400;
    struct str value = str_skip(line, (size_t)colon + 1);
    if (!value_is_clean(value))
        return *why = "A header value has control characters", 400;
    return note_header(seen, str_sub(line, 0, (size_t)colon), str_trim(value), why);
}

int wire_head_check(struct str head, struct wire_head *ret, const char **ret_why)
{
    *ret = (struct wire_head){ 0 };
    struct seen seen = { .head = ret };
    struct str line;
    str_line(&head, &line);
    int status = check_request_line(line, &seen.is_1_1, ret_why);
    for (unsigned n = 0; !status && str_line(&head, &line) && line.len; n++) {
        if (n >= WIRE_MAX_HEADERS)
            return *ret_why = "There are too many headers", 431;
        status = check_header_line(&seen, line, ret_why);
    }
    if (status)
        return status;
    if (seen.is_1_1 && !seen.hosts)
        return *ret_why = "Host is missing", 400;
    if (seen.lengths && seen.encodings)
        return *ret_why = "Content-Length and Transfer-Encoding exclude each other", 400;
    ret->upgrade = seen.upgrades && seen.connection_upgrade;
    if (ret->upgrade && (ret->chunked || ret->content_length))
        return *ret_why = "A request that asks for an upgrade may not have a body", 400;
    return 0;
}
