#include "platform/mail/mail_internal.h"

/* Comments in brackets carry no verdict and could fake one (RFC 8601 section 2.2). */
static struct str without_comments(struct arena *arena, struct str value)
{
    struct buf out = buf_new(arena, 0);
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == '"' && depth == 0)
            quoted = !quoted;
        if (!quoted && c == '(')
            depth++;
        else if (!quoted && c == ')' && depth > 0)
            depth--;
        else if (depth == 0)
            buf_char(&out, c);
    }
    return buf_str(&out);
}

static enum mail_auth verdict_of(struct str result)
{
    if (str_iis(result, "pass"))
        return MAIL_AUTH_PASS;
    if (str_iis(result, "fail") || str_iis(result, "softfail") || str_iis(result, "hardfail") ||
        str_iis(result, "permerror") || str_iis(result, "policy"))
        return MAIL_AUTH_FAIL;
    return MAIL_AUTH_NONE;
}

/* "dkim=pass header.d=example.org …": method, '=', result. */
static void read_method(struct str statement, struct mail_auth_results *ret)
{
    struct str s = str_trim(statement), method, result;
    ptrdiff_t equals = str_chr(s, '=');
    if (equals <= 0)
        return;
    method = str_trim(str_sub(s, 0, (size_t)equals));
    result = str_trim(str_skip(s, (size_t)equals + 1));
    size_t n = 0;
    while (n < result.len && result.ptr[n] != ' ' && result.ptr[n] != '\t')
        n++;
    enum mail_auth verdict = verdict_of(str_sub(result, 0, n));
    ptrdiff_t version = str_chr(method, '/');
    if (version > 0)
        method = str_trim(str_sub(method, 0, (size_t)version));
    /* Several signatures: one that passes is enough. */
    if (str_iis(method, "dkim") && ret->dkim != MAIL_AUTH_PASS)
        ret->dkim = verdict != MAIL_AUTH_NONE ? verdict : ret->dkim;
    else if (str_iis(method, "spf"))
        ret->spf = verdict;
    else if (str_iis(method, "dmarc"))
        ret->dmarc = verdict;
}

struct mail_auth_results mail_auth_results(const struct mail *mail, struct str trusted_host)
{
    struct mail_auth_results ret = { MAIL_AUTH_NONE, MAIL_AUTH_NONE, MAIL_AUTH_NONE };
    struct arena *scratch = arena_new("mail_auth", 0);
    for (size_t i = 0; i < mail->nheaders && trusted_host.len > 0; i++) {
        if (!str_iis(mail->headers[i].name, "Authentication-Results"))
            continue;
        struct str rest = without_comments(scratch, mail->headers[i].value), first, statement;
        if (!str_split(&rest, ';', &first))
            continue;
        first = str_trim(first);
        ptrdiff_t blank = str_chr(first, ' ');      /* an optional version follows the host */
        if (!str_ieq(blank > 0 ? str_sub(first, 0, (size_t)blank) : first, trusted_host))
            continue;
        while (str_split(&rest, ';', &statement))
            read_method(statement, &ret);
        break;
    }
    arena_free(&scratch);
    return ret;
}
