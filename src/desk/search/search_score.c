/* search_score.c - how well a document fits, and the piece of it that shows why. */
#include "search_internal.h"

#include <math.h>

#include "platform/text/text.h"

enum { SNIPPET_BYTES = 220, SNIPPET_LEAD_BYTES = 60, MAX_MARKS = 20, MAX_MARKED_WORDS = 64 };

/* Occurrences of the folded words at word starts; whole words unless prefix. */
static int count(struct str folded, const struct search_term *t, int most)
{
    int n = 0;
    for (struct str rest = folded; n < most;) {
        ptrdiff_t at = str_find(rest, t->folded);
        if (at < 0)
            break;
        size_t end = (size_t)at + t->folded.len;
        bool starts = at == 0 || rest.ptr[at - 1] == ' ';
        bool ends = t->prefix || end == rest.len || rest.ptr[end] == ' ';
        n += starts && ends;
        rest = str_skip(rest, end);
    }
    return n;
}

double search_score(const struct search_query *q, const struct index_hit_row *doc, int64_t now_us)
{
    double score = 0;
    size_t in_title = 0, words = 0;
    for (size_t i = 0; i < q->nterms; i++) {
        const struct search_term *t = &q->terms[i];
        if (t->negated)
            continue;
        words++;
        bool title = count(doc->title, t, 1) > 0;
        in_title += title;
        score += title ? 10 : 0;
        score += 2 * count(doc->body, t, 5);
        score += t->phrase && count(doc->body, t, 1) ? 8 : 0;
        score += count(doc->author, t, 1) ? 5 : 0;
    }
    if (words > 1 && in_title == words)
        score += 20;
    double age_days = (double)MAX(now_us - doc->at_us, (int64_t)0) / (double)US_PER_DAY;
    return score + 15 * exp(-age_days / 30);
}

static size_t utf16_length(struct str s)
{
    size_t n = 0;
    uint32_t cp;
    while (utf8_next(&s, &cp))
        n += cp > 0xFFFF ? 2 : 1;
    return n;
}

/* The words to mark; those of a phrase one by one.  Only the last word of a term can be a prefix. */
static size_t terms_of(struct arena *arena, const struct search_query *q, struct str *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < q->nterms; i++) {
        const struct search_term *t = &q->terms[i];
        struct str rest = t->folded, word;
        if (t->negated || t->where != IN_ANY)
            continue;
        while (n < MAX_MARKED_WORDS && str_split(&rest, ' ', &word))
            ret[n++] = t->prefix && !rest.len ? arena_printf(arena, "%.*s*", STR_ARG(word)) : word;
    }
    return n;
}

void search_snippet(struct arena *arena, struct str text, const struct search_query *q, struct search_hit *hit)
{
    struct str terms[MAX_MARKED_WORDS];
    struct text_range marks[MAX_MARKS];
    size_t nterms = terms_of(arena, q, terms);
    size_t first = nterms ? text_find_terms(arena, text, terms, nterms, marks, 1) : 0;
    size_t start = first && marks[0].from > SNIPPET_LEAD_BYTES ? marks[0].from - SNIPPET_LEAD_BYTES : 0;
    while (start && ((unsigned char)text.ptr[start] & 0xC0) == 0x80)
        start--;
    /* From a word's beginning when one is near. */
    for (size_t i = start; start && i < start + 20 && i < text.len; i++)
        if (text.ptr[i] == ' ' || text.ptr[i] == '\n') {
            start = i + 1;
            break;
        }
    struct str piece = text_preview(arena, str_skip(text, start), SNIPPET_BYTES);
    hit->snippet = start ? arena_printf(arena, "…%.*s", STR_ARG(piece)) : piece;
    struct buf json = buf_new(arena, 0);
    size_t n = nterms ? text_find_terms(arena, hit->snippet, terms, nterms, marks, MAX_MARKS) : 0;
    buf_lit(&json, "[");
    for (size_t i = 0; i < n; i++)
        buf_printf(&json, "%s[%zu,%zu]", i ? "," : "", utf16_length(str_sub(hit->snippet, 0, marks[i].from)),
                   utf16_length(str_sub(hit->snippet, 0, marks[i].to)));
    buf_lit(&json, "]");
    hit->marks = buf_str(&json);
}
