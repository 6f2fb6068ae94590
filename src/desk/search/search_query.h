/*
 * search_query.h - the query language: words, "phrases", prefix*, -not and operators.
 *
 *   refund "wrong colour" pay* -test status:open,pending from:ann to:billing assignee:me
 *   team:none tag:vip priority:high has:attachment before:2026-10-01 after:2026-01-01 #1234
 */
#ifndef CAIRN_SEARCH_QUERY_H
#define CAIRN_SEARCH_QUERY_H

#include "base/base.h"

enum search_where { IN_ANY, IN_AUTHOR, IN_RECIPIENTS };

struct search_term {
    struct str folded;          /* one word, or the words of a phrase with single spaces */
    enum search_where where;
    bool prefix, negated, phrase;
};

enum { SEARCH_MAX_TERMS = 20 };

struct search_query {
    struct search_term terms[SEARCH_MAX_TERMS];
    size_t nterms;
    struct str status;          /* comma list as written, "open" meaning new and open; ptr NULL: any */
    struct str priority, tag, assignee, team;
    int64_t before_us, after_us, number;
    bool has_attachment;
};

/* E_INVALID at "q" names the word that cannot be understood. */
enum err_code search_query_parse(struct cx *cx, struct str text, struct search_query *ret) MUST_CHECK;
/* The same for FTS5's MATCH and PostgreSQL's to_tsquery; ptr NULL when the query has no positive word.  scope: a token
 * that every wanted document carries. */
struct str search_query_fts5(struct arena *arena, const struct search_query *q, struct str scope);
struct str search_query_tsquery(struct arena *arena, const struct search_query *q);
bool search_query_has_words(const struct search_query *q);

#endif
