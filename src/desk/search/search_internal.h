/* search_internal.h - shared by the files of this module. */
#ifndef CAIRN_SEARCH_INTERNAL_H
#define CAIRN_SEARCH_INTERNAL_H

#include <pthread.h>

#include "desk/search/search.h"

#include "search_index_sql.h"
#include "search_query.h"
#include "search_sql.h"

struct search {
    struct store *store;        /* the data */
    struct store *index;        /* where the index lies: a file of its own, or `store` on PostgreSQL */
    struct blobs *blobs;
    pthread_t thread;
    struct store_bell *bell;    /* NULL: not started */
};

/* One text of the index, folded. */
struct search_doc {
    struct str kind, title, author, recipients, body;
    int64_t ref_id, at_us;
};

/* What some events say must be indexed: ids without doubles. */
struct search_wants {
    int64_t *messages, *tickets, *contacts;
    size_t nmessages, ntickets, ncontacts;
};

/* The documents of the wanted things as they are now; inside a read of the data. */
enum err_code search_load(struct cx *cx, struct db *db, struct blobs *blobs, const struct search_wants *wants,
                          struct search_doc **ret, size_t *ret_n) MUST_CHECK;
/* [1,2,3] */
struct str search_id_list(struct arena *arena, const int64_t *ids, size_t n);
/* The word that marks the documents of an account. */
struct str search_scope(struct arena *arena, int64_t account_id);

struct search_hit {
    struct str kind;            /* "ticket", "message", "contact" */
    struct search_result_row ticket;
    struct search_contact_row contact;
    int64_t at_us;
    struct str title, snippet;
    struct str marks;           /* JSON: [[from, to], …] in UTF-16 code units of the snippet */
    double score;
};

struct search_request {
    struct str text;
    int64_t limit;
    int64_t before_id, skip;    /* from the cursor; 0: the start */
};

struct search_answer {
    struct search_hit *hits;
    size_t n;
    int64_t before_id, skip;    /* where the next page starts */
    bool more;
};

/* db is a read of the data; the index is read beside it. */
enum err_code search_find(struct cx *cx, struct db *db, struct search *search, const struct search_request *request,
                          struct search_answer *ret) MUST_CHECK;

/* A piece of the text around the first match, with its marks. */
void search_snippet(struct arena *arena, struct str text, const struct search_query *q, struct search_hit *hit);
/* How well a document fits: title, phrase, frequency, age. */
double search_score(const struct search_query *q, const struct index_hit_row *doc, int64_t now_us);

#endif
