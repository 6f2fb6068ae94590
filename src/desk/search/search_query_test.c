/* search_query_test.c - what people type, and what the two indexes are asked. */
#include "search_query.h"
#include "testing/testing.h"

static void queries_become_index_queries(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *text, *fts5, *tsquery;
    } cases[] = {
        { "Refund", "(scope : \"a1\" AND \"refund\")", "('refund')" },
        { "refund shipping", "(scope : \"a1\" AND \"refund\" AND \"shipping\")", "('refund') & ('shipping')" },
        { "pay*", "(scope : \"a1\" AND \"pay\" *)", "('pay':*)" },
        { "\"wrong colour\"", "(scope : \"a1\" AND \"wrong colour\")", "('wrong' <-> 'colour')" },
        { "refund -test", "(scope : \"a1\" AND \"refund\") NOT \"test\"", "('refund') & !('test')" },
        { "from:ann", "(scope : \"a1\" AND author : \"ann\" *)", "('ann':*B)" },
        { "to:billing", "(scope : \"a1\" AND recipients : \"billing\" *)", "('billing':*C)" },
        { "Gebühr", "(scope : \"a1\" AND \"gebuhr\")", "('gebuhr')" },
        { "東京都", "(scope : \"a1\" AND \"東京 京都\")", "('東京' <-> '京都')" },
        { "re: invoice", "(scope : \"a1\" AND \"re\" AND \"invoice\")", "('re') & ('invoice')" },
        { "O'Brien) OR NEAR(", NULL, NULL },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct search_query q;
        CHECK_OK(&w->cx, search_query_parse(&w->cx, str_of(cases[i].text), &q));
        if (!cases[i].fts5)
            continue;   /* must only be harmless: search_test runs it on both indexes */
        CHECK_STR(search_query_fts5(w->arena, &q, STR("a1")), cases[i].fts5);
        CHECK_STR(search_query_tsquery(w->arena, &q), cases[i].tsquery);
    }
}

static void operators_set_filters(void **state)
{
    struct world *w = *state;
    struct search_query q;
    CHECK_OK(&w->cx, search_query_parse(&w->cx, STR("status:Open,pending tag:\"VIP gold\" before:2026-10-01 has:attachment #12 assignee:me team:none priority:high"), &q));
    CHECK_STR(q.status, "open,pending");
    CHECK_STR(q.tag, "vip gold");
    CHECK_INT(q.number, 12);
    CHECK(q.has_attachment);
    CHECK_STR(q.assignee, "me");
    CHECK_STR(q.team, "none");
    CHECK_STR(q.priority, "high");
    CHECK_STR(clock_rfc3339(w->arena, q.before_us), "2026-10-01T00:00:00Z");
    CHECK(!search_query_has_words(&q));
    CHECK(search_query_fts5(w->arena, &q, STR("a1")).ptr == NULL);
}

static void bad_queries_name_the_word(void **state)
{
    struct world *w = *state;
    static const char *const bad[] = { "\"never closed", "status:happy", "before:yesterday", "has:cheese", "priority:", "-status:open", "priority:huge" };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct search_query q;
        CHECK_CASE(bad[i], search_query_parse(&w->cx, str_of(bad[i]), &q) == E_INVALID);
        CHECK_STR(str_of(w->cx.failure.field), "q");
    }
    struct buf many = buf_new(w->arena, 0);
    for (int i = 0; i <= SEARCH_MAX_TERMS; i++)
        buf_printf(&many, "w%d ", i);
    struct search_query q;
    CHECK_ERR(search_query_parse(&w->cx, buf_str(&many), &q), E_INVALID);
    CHECK_OK(&w->cx, search_query_parse(&w->cx, STR("  ... !!! "), &q));
    CHECK_INT(q.nterms, 0);
}

TESTS(UNIT(queries_become_index_queries), UNIT(operators_set_filters), UNIT(bad_queries_name_the_word))
