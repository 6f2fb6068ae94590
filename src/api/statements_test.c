/* statements_test.c - every statement of the program is valid on both databases. */
#include "testing/testing.h"

struct statement_list { const struct stmt *const *list; size_t n; };
extern const struct statement_list statement_lists[];
extern const size_t statement_lists_count;

static enum err_code check_unit(struct cx *cx, struct db *db, void *arg)
{
    int *bad = arg;
    for (size_t i = 0; i < statement_lists_count; i++)
        for (size_t k = 0; k < statement_lists[i].n; k++)
            if (stmt_check(cx, db, statement_lists[i].list[k]) != E_OK) {
                print_error("%s: %.*s %.*s\n", statement_lists[i].list[k]->name, STR_ARG(cx->failure.message), STR_ARG(cx->failure.detail));
                ++*bad;
            }
    return E_OK;
}

static void statements_are_valid(void **state)
{
    struct world *w = *state;
    int bad = 0;
    CHECK_OK(&w->cx, store_read(w->store, &w->cx, check_unit, &bad));
    CHECK_INT(bad, 0);
}

TESTS(BOTH(statements_are_valid))
