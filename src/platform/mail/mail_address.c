#include "platform/mail/mail_internal.h"
#include "platform/text/text.h"

/* ---- lists of addresses ---- */

struct gathered {
    struct arena *arena;
    struct mail_addresses list;
    size_t room;
};

static struct str decoded_name(struct arena *arena, const char *name)
{
    struct str s = arena_copy(arena, str_of(name));
    struct str text = mail_decode_header(arena, s);
    /* Quotes left inside come from senders that quoted twice. */
    while (text.len >= 2 && strchr("\"'", text.ptr[0]) && text.ptr[text.len - 1] == text.ptr[0])
        text = str_trim(str_sub(text, 1, text.len - 2));
    return text;
}

static void gather(struct gathered *g, InternetAddressList *list)
{
    int n = internet_address_list_length(list);
    for (int i = 0; i < n; i++) {
        InternetAddress *ia = internet_address_list_get_address(list, i);
        if (INTERNET_ADDRESS_IS_GROUP(ia)) {
            gather(g, internet_address_group_get_members(INTERNET_ADDRESS_GROUP(ia)));
            continue;
        }
        const char *address = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(ia));
        struct mail_address item = {
            decoded_name(g->arena, internet_address_get_name(ia)),
            utf8_repair(g->arena, arena_copy(g->arena, str_trim(str_of(address))), true),
        };
        /* A word alone is a name, as in "From: MAILER-DAEMON". */
        if (str_chr(item.address, '@') < 0) {
            item.name = item.name.len > 0 && item.address.len == 0 ? item.name : item.address;
            item.address = STR("");
        }
        if (item.address.len == 0 && item.name.len == 0)
            continue;
        g->list.items = mail_grow(g->arena, g->list.items, g->list.n, &g->room, sizeof(*g->list.items));
        g->list.items[g->list.n++] = item;
    }
}

struct mail_addresses mail_parse_addresses(struct arena *arena, struct str value)
{
    mail_gmime_init();
    struct str charset;
    struct gathered g = { .arena = arena };
    GMimeParserOptions *options = g_mime_parser_options_new();
    g_mime_parser_options_set_allow_addresses_without_domain(options, TRUE);
    struct str text = text_decode(arena, mail_unfold(arena, value), STR_NONE, &charset);
    text = mail_quote_words(arena, text);
    CLEANUP(mail_gobject_unref) InternetAddressList *list = internet_address_list_parse(options, arena_cstr(arena, text));
    g_mime_parser_options_free(options);
    if (list)
        gather(&g, list);
    return g.list;
}

struct str mail_fold_address(struct arena *arena, struct str address)
{
    address = str_trim(address);
    ptrdiff_t open = str_rchr(address, '<');
    if (open >= 0 && str_ends(address, STR(">")))
        address = str_sub(address, (size_t)open + 1, address.len - (size_t)open - 2);
    if (!mail_address_valid(address))
        return STR("");
    return text_lower(arena, address);
}

/* ---- one address ---- */

static bool is_atom_char(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80 ||
           (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool is_dot_atom(struct str s)
{
    bool dot = true;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c == '.' ? dot : !is_atom_char(c))
            return false;
        dot = c == '.';
    }
    return !dot;
}

static bool is_quoted(struct str s)
{
    if (s.len < 3 || s.ptr[0] != '"' || s.ptr[s.len - 1] != '"')
        return false;
    for (size_t i = 1; i + 1 < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c == '\\') {
            if (++i + 1 >= s.len)
                return false;
        } else if (c == '"' || c < ' ' || c == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool is_label(struct str s)
{
    if (s.len == 0 || s.len > 63 || s.ptr[0] == '-' || s.ptr[s.len - 1] == '-')
        return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '_' || c >= 0x80;
        if (!ok)
            return false;
    }
    return true;
}

static bool is_literal(struct str s)
{
    if (s.len < 3 || s.ptr[0] != '[' || s.ptr[s.len - 1] != ']')
        return false;
    for (size_t i = 1; i + 1 < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c <= ' ' || c >= 0x7f || c == '[' || c == ']' || c == '\\')
            return false;
    }
    return true;
}

static bool is_domain(struct str s)
{
    if (is_literal(s))
        return true;
    if (s.len == 0 || s.len > 253 || s.ptr[s.len - 1] == '.')
        return false;
    struct str label;
    while (str_split(&s, '.', &label)) {
        if (!is_label(label))
            return false;
    }
    return true;
}

bool mail_address_valid(struct str address)
{
    ptrdiff_t at = str_rchr(address, '@');
    if (at <= 0 || address.len > 320 || !utf8_valid(address))
        return false;
    struct str local = str_sub(address, 0, (size_t)at), domain = str_skip(address, (size_t)at + 1);
    return local.len <= 64 && (is_dot_atom(local) || is_quoted(local)) && is_domain(domain);
}
