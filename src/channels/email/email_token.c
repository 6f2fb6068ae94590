/* email_token.c - the signed tokens by which our own mail is known again. */
#include "channels/email/email_internal.h"

enum { MAC_CHARS = 20 };    /* of 5 bits: 100 bits */

#define MESSAGE_ID_PREFIX "cairn."
#define MARKER_PREFIX     "cairn.ref."
#define TAG_PREFIX        "t."

static void put_base36(struct buf *out, int64_t id)
{
    char digits[16];
    size_t n = 0;
    uint64_t rest = (uint64_t)id;
    do {
        digits[n++] = "0123456789abcdefghijklmnopqrstuvwxyz"[rest % 36];
        rest /= 36;
    } while (rest > 0);
    while (n > 0)
        buf_char(out, digits[--n]);
}

static bool read_base36(struct str text, int64_t *ret)
{
    if (text.len == 0 || text.len > 12)
        return false;
    int64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'z' ? c - 'a' + 10 : c >= 'A' && c <= 'Z' ? c - 'A' + 10 : -1;
        if (digit < 0)
            return false;
        value = value * 36 + digit;
    }
    *ret = value;
    return value > 0;
}

static struct str mac_text(struct arena *arena, const struct email *email, int64_t account_id, struct email_token token)
{
    struct str data = arena_printf(arena, "%lld/%lld/%lld", (long long)account_id, (long long)token.ticket_id,
                                   (long long)token.contact_id);
    struct str mac = crypto_hmac_sha256(arena, (struct str){ email->token_key, sizeof(email->token_key) }, data);
    struct buf out = buf_new(arena, 0);
    uint32_t bits = 0, have = 0;
    for (size_t i = 0, n = 0; n < MAC_CHARS; n++) {
        if (have < 5) {
            bits = bits << 8 | (unsigned char)mac.ptr[i++];
            have += 8;
        }
        have -= 5;
        buf_char(&out, "abcdefghijkmnpqrstuvwxyz23456789"[bits >> have & 31]);
    }
    return buf_str(&out);
}

struct str email_token_make(struct arena *arena, const struct email *email, int64_t account_id, struct email_token token)
{
    struct buf out = buf_new(arena, 0);
    put_base36(&out, token.ticket_id);
    buf_char(&out, '-');
    put_base36(&out, token.contact_id > 0 ? token.contact_id : 0);
    buf_char(&out, '-');
    buf_add(&out, mac_text(arena, email, account_id, token));
    return buf_str(&out);
}

bool email_token_read(struct arena *arena, const struct email *email, int64_t account_id, struct str text, struct email_token *ret)
{
    if (text.len < MAC_CHARS + 4 || text.len > MAC_CHARS + 26)
        return false;
    struct str rest = text, ticket, contact, mac;
    if (!str_split(&rest, '-', &ticket) || !str_split(&rest, '-', &contact) || !str_split(&rest, '-', &mac) || rest.len > 0)
        return false;
    struct email_token token = { 0 };
    if (!read_base36(ticket, &token.ticket_id) || mac.len != MAC_CHARS)
        return false;
    if (!str_is(contact, "0") && !read_base36(contact, &token.contact_id))
        return false;
    if (!crypto_equal(str_lower(arena, mac), mac_text(arena, email, account_id, token)))
        return false;
    *ret = token;
    return true;
}

struct str email_message_id_make(struct arena *arena, const struct email *email, int64_t account_id, struct email_token token,
                                 int64_t mail_id, struct str domain)
{
    struct buf out = buf_new(arena, 0);
    buf_lit(&out, MESSAGE_ID_PREFIX);
    buf_add(&out, email_token_make(arena, email, account_id, token));
    buf_char(&out, '.');
    put_base36(&out, mail_id);
    buf_char(&out, '@');
    buf_add(&out, domain);
    return buf_str(&out);
}

bool email_message_id_read(struct arena *arena, const struct email *email, int64_t account_id, struct str message_id,
                           struct email_token *ret)
{
    if (!str_istarts(message_id, STR(MESSAGE_ID_PREFIX)))
        return false;
    struct str token = str_skip(message_id, sizeof(MESSAGE_ID_PREFIX) - 1);
    ptrdiff_t dot = str_chr(token, '.');
    return dot > 0 && email_token_read(arena, email, account_id, str_sub(token, 0, (size_t)dot), ret);
}

/* local part, tag and domain of "local+tag@domain"; the tag is empty when there is none. */
static bool split_address(struct str address, struct str *ret_local, struct str *ret_tag, struct str *ret_domain)
{
    ptrdiff_t at = str_rchr(address, '@');
    if (at <= 0)
        return false;
    struct str local = str_sub(address, 0, (size_t)at);
    ptrdiff_t plus = str_chr(local, '+');
    *ret_local = plus > 0 ? str_sub(local, 0, (size_t)plus) : local;
    *ret_tag = plus > 0 ? str_skip(local, (size_t)plus + 1) : STR("");
    *ret_domain = str_skip(address, (size_t)at + 1);
    return true;
}

bool email_plus_read(struct arena *arena, const struct email *email, int64_t account_id, struct str address, struct email_token *ret)
{
    struct str local, tag, domain;
    return split_address(address, &local, &tag, &domain) && str_istarts(tag, STR(TAG_PREFIX))
           && email_token_read(arena, email, account_id, str_skip(tag, sizeof(TAG_PREFIX) - 1), ret);
}

struct str email_plus_make(struct arena *arena, struct str address, struct str token)
{
    struct str local, tag, domain;
    if (!split_address(address, &local, &tag, &domain))
        return address;
    return arena_printf(arena, "%.*s+" TAG_PREFIX "%.*s@%.*s", STR_ARG(local), STR_ARG(token), STR_ARG(domain));
}

struct str email_without_tag(struct arena *arena, struct str address)
{
    struct str local, tag, domain;
    if (!split_address(address, &local, &tag, &domain) || tag.len == 0)
        return address;
    return arena_printf(arena, "%.*s@%.*s", STR_ARG(local), STR_ARG(domain));
}

struct str email_marker_make(struct arena *arena, struct str token)
{
    return arena_printf(arena, MARKER_PREFIX "%.*s", STR_ARG(token));
}

static size_t token_length(struct str text)
{
    size_t n = 0;
    while (n < text.len && ((text.ptr[n] >= 'a' && text.ptr[n] <= 'z') || (text.ptr[n] >= 'A' && text.ptr[n] <= 'Z')
                            || (text.ptr[n] >= '0' && text.ptr[n] <= '9') || text.ptr[n] == '-'))
        n++;
    return n;
}

bool email_marker_find(struct arena *arena, const struct email *email, int64_t account_id, struct str body, struct email_token *ret)
{
    ptrdiff_t at;
    while ((at = str_ifind(body, STR(MARKER_PREFIX))) >= 0) {
        body = str_skip(body, (size_t)at + sizeof(MARKER_PREFIX) - 1);
        if (email_token_read(arena, email, account_id, str_sub(body, 0, token_length(body)), ret))
            return true;
    }
    return false;
}

struct str email_marker_strip(struct arena *arena, struct str body)
{
    ptrdiff_t at = str_ifind(body, STR(MARKER_PREFIX));
    if (at < 0)
        return body;
    struct buf out = buf_new(arena, 0);
    while (at >= 0) {
        buf_add(&out, str_sub(body, 0, (size_t)at));
        body = str_skip(body, (size_t)at + sizeof(MARKER_PREFIX) - 1);
        body = str_skip(body, token_length(body));
        at = str_ifind(body, STR(MARKER_PREFIX));
    }
    buf_add(&out, body);
    return buf_str(&out);
}

bool email_message_id_scan(struct arena *arena, const struct email *email, int64_t account_id, struct str text, size_t *at,
                           struct str *ret_message_id)
{
    ptrdiff_t found;
    while ((found = str_ifind(str_skip(text, *at), STR(MESSAGE_ID_PREFIX))) >= 0) {
        size_t start = *at + (size_t)found;
        *at = start + sizeof(MESSAGE_ID_PREFIX) - 1;
        struct str rest = str_skip(text, start);
        size_t n = 0;
        while (n < rest.len && n < 400 && (unsigned char)rest.ptr[n] > ' ' && !strchr("<>()[]\";,", rest.ptr[n]))
            n++;
        struct email_token token;
        if (email_message_id_read(arena, email, account_id, str_sub(rest, 0, n), &token)) {
            *ret_message_id = str_sub(rest, 0, n);
            return true;
        }
    }
    return false;
}
