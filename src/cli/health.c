/* health.c - what /readyz and /metrics tell about an installation. */
#include "cli/cli.h"

#include <inttypes.h>
#include <stdatomic.h>

static _Atomic int64_t last_lag;

static enum err_code empty_unit(struct cx *cx, struct db *db, void *arg)
{
    return accounts_is_empty(cx, db, arg);
}

enum err_code installation_is_empty(struct cx *cx, struct installation *in, bool *ret)
{
    return store_read(in->store, cx, empty_unit, ret);
}

bool installation_ready(struct installation *in, struct arena *arena, struct str *ret_reason)
{
    struct cx cx = { .arena = arena, .now_us = clock_now_us() };
    bool empty = false;
    if (installation_is_empty(&cx, in, &empty) == E_OK)
        return true;
    *ret_reason = cx.failure.message;
    return false;
}

static enum err_code count_jobs(struct cx *cx, struct db *db, void *arg)
{
    return jobs_count(cx, db, arg);
}

static void metric(struct buf *out, const char *type, const char *name, const char *labels, int64_t value)
{
    if (type)
        buf_printf(out, "# TYPE %s %s\n", name, type);
    buf_printf(out, "%s%s %" PRId64 "\n", name, labels, value);
}

void installation_metrics(struct installation *in, struct buf *out)
{
    struct cx cx = { .arena = out->arena, .now_us = clock_now_us() };
    struct store_stats store = store_stats(in->store);
    struct jobs_counts jobs = { 0 };
    int64_t lag = 0;
    metric(out, "counter", "cairn_store_units_total", "", store.units);
    metric(out, "counter", "cairn_store_groups_total", "", store.groups);
    metric(out, "counter", "cairn_store_failures_total", "", store.failures);
    metric(out, "counter", "cairn_store_retries_total", "", store.retries);
    metric(out, "gauge", "cairn_store_queue", "", store.queue_length);
    if (store_read(in->store, &cx, count_jobs, &jobs) == E_OK) {
        metric(out, "gauge", "cairn_jobs", "{state=\"waiting\"}", jobs.waiting);
        metric(out, NULL, "cairn_jobs", "{state=\"running\"}", jobs.running);
        metric(out, NULL, "cairn_jobs", "{state=\"dead\"}", jobs.dead);
    }
    /* While the index is too busy to be asked, the last answer stands: a gauge that vanishes looks like a fault. */
    if (search_lag(&cx, in->search, &lag) == E_OK)
        atomic_store(&last_lag, lag);
    metric(out, "gauge", "cairn_search_lag_events", "", atomic_load(&last_lag));
    email_metrics(in->email, out);
}
