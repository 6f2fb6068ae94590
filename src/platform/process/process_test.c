/* process_test.c - other programs: success, failure, absence. */
#include "platform/process/process.h"
#include "testing/testing.h"

#include <unistd.h>

static const char *const nothing[] = { NULL };

static void runs_with_additions(void **state)
{
    struct world *w = *state;
    const char *const argv[] = { "sh", "-c", "test \"$COLOUR\" = blue", NULL };
    const char *const extra[] = { "COLOUR=blue", NULL };
    CHECK_OK(&w->cx, process_run(&w->cx, argv, extra));
    CHECK_ERR(process_run(&w->cx, argv, nothing), E_BUSY);
}

static void tells_the_complaint(void **state)
{
    struct world *w = *state;
    const char *const argv[] = { "sh", "-c", "i=0; while [ $i -lt 2000 ]; do echo line $i >&2; i=$((i+1)); done; exit 3", NULL };
    CHECK_ERR(process_run(&w->cx, argv, nothing), E_BUSY);
    CHECK(str_ends(w->cx.failure.message, STR("line 1999")));
    CHECK(w->cx.failure.message.len < 5000);
}

static void absent_program(void **state)
{
    struct world *w = *state;
    const char *const argv[] = { "no-such-program-here", NULL };
    CHECK_ERR(process_run(&w->cx, argv, nothing), E_INVALID);
}

TESTS(UNIT(runs_with_additions), UNIT(tells_the_complaint), UNIT(absent_program))
