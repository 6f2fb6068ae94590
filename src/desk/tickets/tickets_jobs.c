/* tickets_jobs.c - uploads that no message used go after a day. */
#include "desk/tickets/tickets_internal.h"

#include "platform/json/json.h"

#define UNUSED_LIFE_US US_PER_DAY

enum err_code attachment_expire_later(struct cx *cx, struct db *db, int64_t attachment_id)
{
    struct job job = { .account_id = cx->account_id, .kind = STR("attachment.expire"),
                       .payload = arena_printf(cx->arena, "{\"id\":\"%lld\"}", (long long)attachment_id),
                       .run_at_us = cx->now_us + UNUSED_LIFE_US };
    return jobs_add(cx, db, &job, NULL);
}

static enum err_code expire_unit(struct cx *cx, struct db *db, void *arg)
{
    const struct job *job = arg;
    struct json_value payload;
    TRY(json_parse(cx, job->payload, &payload));
    return attachment_delete_unused(cx, db, (struct attachment_delete_unused_in){ job->account_id, json_int(&payload, "id", 0) }, NULL);
}

static enum err_code expire(struct cx *cx, struct store *store, const struct job *job, void *arg)
{
    struct job copy = *job;
    (void)arg;
    return store_write_bulk(store, cx, expire_unit, &copy);
}

size_t tickets_job_kinds(struct job_kind *ret)
{
    ret[0] = (struct job_kind){ .kind = "attachment.expire", .run = expire };
    return 1;
}
