/* search_query.c - from what people type to terms, filters and index queries. */
#include "search_query.h"

#include "platform/text/text.h"

struct reader {
    struct cx *cx;
    struct str rest;
    struct search_query *q;
};

static enum err_code bad(struct cx *cx, const char *why, struct str word)
{
    return fail_field(cx, "q", "%s: \"%.*s\"", why, STR_ARG(utf8_cut(word, 60)));
}

static enum err_code add_term(struct reader *r, struct str text, struct search_term t)
{
    t.folded = text_fold(r->cx->arena, text);
    if (!t.folded.len)
        return E_OK;    /* only punctuation: nothing to look for */
    if (r->q->nterms == SEARCH_MAX_TERMS)
        return fail_field(r->cx, "q", "has more than %d words", SEARCH_MAX_TERMS);
    t.phrase = t.phrase || str_chr(t.folded, ' ') >= 0;     /* one word may fold into several: "东京都", "e-mail" */
    r->q->terms[r->q->nterms++] = t;
    return E_OK;
}

/* A quoted text without its quotes, or the word up to the next space. */
static enum err_code take_value(struct reader *r, struct str *ret, bool *ret_quoted)
{
    *ret_quoted = r->rest.len && r->rest.ptr[0] == '"';
    if (*ret_quoted) {
        struct str after = str_skip(r->rest, 1);
        ptrdiff_t end = str_chr(after, '"');
        if (end < 0)
            return bad(r->cx, "a quotation mark is not closed", r->rest);
        *ret = str_sub(after, 0, (size_t)end);
        r->rest = str_skip(after, (size_t)end + 1);
        return E_OK;
    }
    size_t n = 0;
    while (n < r->rest.len && r->rest.ptr[n] != ' ')
        n++;
    *ret = str_sub(r->rest, 0, n);
    r->rest = str_skip(r->rest, n);
    return E_OK;
}

static enum err_code set_time(struct cx *cx, struct str value, int64_t *ret)
{
    return clock_parse(value, ret) ? E_OK : bad(cx, "is not a date like 2026-10-01", value);
}

static bool all_among(struct str list, const char *const *choices)
{
    struct str part;
    while (str_split(&list, ',', &part)) {
        const char *const *c = choices;
        while (*c && !str_is(part, *c))
            c++;
        if (!*c)
            return false;
    }
    return true;
}

static enum err_code set_filter(struct reader *r, struct str name, struct str value)
{
    static const char *const statuses[] = { "new", "open", "pending", "on_hold", "resolved", "closed", "unresolved", NULL };
    static const char *const priorities[] = { "urgent", "high", "normal", "low", NULL };
    struct search_query *q = r->q;
    struct cx *cx = r->cx;
    struct str lower = str_lower(cx->arena, value);
    if (str_is(name, "status")) {
        q->status = lower;
        return all_among(lower, statuses) ? E_OK : bad(cx, "is not a status", value);
    }
    if (str_is(name, "priority")) {
        q->priority = lower;
        return all_among(lower, priorities) ? E_OK : bad(cx, "is not a priority", value);
    }
    if (str_is(name, "has")) {
        q->has_attachment = true;
        return str_is(lower, "attachment") ? E_OK : bad(cx, "has: knows only attachment", value);
    }
    if (str_is(name, "before"))
        return set_time(cx, value, &q->before_us);
    if (str_is(name, "after"))
        return set_time(cx, value, &q->after_us);
    if (str_is(name, "tag"))
        q->tag = text_lower(cx->arena, value);
    else if (str_is(name, "assignee"))
        q->assignee = lower;
    else
        q->team = lower;
    return E_OK;
}

static bool is_operator(struct str name)
{
    static const char *const names[] = { "status", "priority", "from", "to", "assignee", "team", "tag", "has", "before", "after" };
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_is(name, names[i]))
            return true;
    return false;
}

/* "name:" at the start of the rest; only known names count, so that "re: invoice" and URLs stay words. */
static bool take_operator(struct reader *r, struct str *ret)
{
    size_t n = 0;
    while (n < r->rest.len && r->rest.ptr[n] >= 'a' && r->rest.ptr[n] <= 'z')
        n++;
    if (n == 0 || n >= r->rest.len || r->rest.ptr[n] != ':' || !is_operator(str_sub(r->rest, 0, n)))
        return false;
    *ret = str_sub(r->rest, 0, n);
    r->rest = str_skip(r->rest, n + 1);
    return true;
}

static enum err_code take_one(struct reader *r)
{
    struct str name = STR_NONE, value = STR_NONE;
    bool quoted = false;
    struct search_term t = { 0 };
    if (r->rest.len > 1 && r->rest.ptr[0] == '-' && r->rest.ptr[1] != ' ') {
        t.negated = true;
        r->rest = str_skip(r->rest, 1);
    }
    bool is_op = take_operator(r, &name);
    TRY(take_value(r, &value, &quoted));
    if (is_op && !value.len)
        return bad(r->cx, "nothing follows the operator", name);
    if (is_op && !str_is(name, "from") && !str_is(name, "to"))
        return t.negated ? bad(r->cx, "only words can be excluded with -", name) : set_filter(r, name, value);
    if (is_op)
        t.where = str_is(name, "from") ? IN_AUTHOR : IN_RECIPIENTS;
    if (!quoted && !is_op && value.len > 1 && value.ptr[0] == '#' && num_parse_int(str_skip(value, 1), &r->q->number))
        return E_OK;
    t.phrase = quoted;
    t.prefix = (!quoted && str_ends(value, STR("*"))) || is_op;
    return add_term(r, value, t);
}

enum err_code search_query_parse(struct cx *cx, struct str text, struct search_query *ret)
{
    struct reader r = { .cx = cx, .rest = text, .q = ret };
    *ret = (struct search_query){ 0 };
    for (;;) {
        while (r.rest.len && (unsigned char)r.rest.ptr[0] <= ' ')
            r.rest = str_skip(r.rest, 1);
        if (!r.rest.len)
            return E_OK;
        TRY(take_one(&r));
    }
}

bool search_query_has_words(const struct search_query *q)
{
    for (size_t i = 0; i < q->nterms; i++)
        if (!q->terms[i].negated)
            return true;
    return false;
}

/* Folded words hold no quotation marks or operators: text_fold leaves letters, digits and single spaces. */
static void fts5_term(struct buf *out, const struct search_term *t)
{
    static const char *const columns[] = { "", "author : ", "recipients : " };
    buf_printf(out, "%s\"%.*s\"%s", columns[t->where], STR_ARG(t->folded), t->prefix ? " *" : "");
}

struct str search_query_fts5(struct arena *arena, const struct search_query *q, struct str scope)
{
    struct buf out = buf_new(arena, 0);
    if (!search_query_has_words(q))
        return STR_NONE;
    buf_printf(&out, "(scope : \"%.*s\"", STR_ARG(scope));
    for (size_t i = 0; i < q->nterms; i++)
        if (!q->terms[i].negated) {
            buf_lit(&out, " AND ");
            fts5_term(&out, &q->terms[i]);
        }
    buf_lit(&out, ")");
    for (size_t i = 0; i < q->nterms; i++)
        if (q->terms[i].negated) {
            buf_lit(&out, " NOT ");
            fts5_term(&out, &q->terms[i]);
        }
    return buf_str(&out);
}

static void tsquery_term(struct buf *out, const struct search_term *t)
{
    static const char *const weights[] = { "", "B", "C" };
    struct str rest = t->folded, word;
    bool first = true;
    buf_lit(out, "(");
    while (str_split(&rest, ' ', &word)) {
        if (!first)
            buf_lit(out, " <-> ");
        first = false;
        buf_printf(out, "'%.*s'", STR_ARG(word));
        if (t->where != IN_ANY || (t->prefix && !rest.ptr))
            buf_printf(out, ":%s%s", t->prefix && !rest.ptr ? "*" : "", weights[t->where]);
    }
    buf_lit(out, ")");
}

struct str search_query_tsquery(struct arena *arena, const struct search_query *q)
{
    struct buf out = buf_new(arena, 0);
    if (!search_query_has_words(q))
        return STR_NONE;
    for (size_t i = 0; i < q->nterms; i++) {
        if (i)
            buf_lit(&out, " & ");
        if (q->terms[i].negated)
            buf_lit(&out, "!");
        tsquery_term(&out, &q->terms[i]);
    }
    return buf_str(&out);
}
