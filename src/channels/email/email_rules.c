/* email_rules.c - who gets no mail, and how much of it machines may send. */
#include "channels/email/email_internal.h"

enum {
    SOFT_BOUNCES_MAX = 5,
    SOFT_WINDOW_DAYS = 30,
    SOFT_PAUSE_DAYS = 7,
    HARD_DAYS = 90,
    RATE_ADDRESS = 5,       /* automatic mails an hour */
    RATE_TICKET = 5,
    RATE_ALL = 500,
};

bool email_suppressed(struct cx *cx, struct db *db, struct str folded, struct em_suppression *ret)
{
    struct em_suppression *rows = NULL;
    size_t n = 0;
    if (em_suppression_get(cx, db, (struct em_suppression_get_in){ cx->account_id, folded }, &rows, &n) != E_OK || n == 0)
        return false;
    *ret = rows[0];
    return rows[0].active && (rows[0].expires_us == 0 || rows[0].expires_us > cx->now_us);
}

static enum err_code put(struct cx *cx, struct db *db, struct em_suppression_put_in in)
{
    in.account_id = cx->account_id;
    in.now = cx->now_us;
    TRY(em_suppression_put(cx, db, in, NULL));
    if (!in.active)
        return E_OK;
    return email_emit(cx, db, STR("suppression.created"), 0, 0,
                      arena_printf(cx->arena, "{\"address\":%s,\"reason\":%s}", json_quote(cx->arena, in.address).ptr,
                                   json_quote(cx->arena, in.reason).ptr));
}

enum err_code email_suppress_hard(struct cx *cx, struct db *db, struct str folded, struct str reason, struct str detail, int64_t mail_id)
{
    /* A complaint is the person's own wish: it does not run out. */
    int64_t expires = str_is(reason, "complaint") ? 0 : cx->now_us + HARD_DAYS * US_PER_DAY;
    return put(cx, db, (struct em_suppression_put_in){ .address = folded, .reason = reason, .detail = detail, .mail_id = mail_id,
                                                        .active = true, .expires = expires });
}

enum err_code email_suppress_soft(struct cx *cx, struct db *db, struct str folded, struct str detail, int64_t mail_id)
{
    struct em_suppression *rows = NULL;
    size_t n = 0;
    TRY(em_suppression_get(cx, db, (struct em_suppression_get_in){ cx->account_id, folded }, &rows, &n));
    bool active = n > 0 && rows[0].active && (rows[0].expires_us == 0 || rows[0].expires_us > cx->now_us);
    if (active)
        return E_OK;
    bool recent = n > 0 && rows[0].created_us > cx->now_us - SOFT_WINDOW_DAYS * US_PER_DAY;
    int64_t count = (recent ? rows[0].soft_count : 0) + 1;
    bool enough = count >= SOFT_BOUNCES_MAX;
    return put(cx, db, (struct em_suppression_put_in){
        .address = folded, .reason = STR("soft_bounces"), .detail = detail, .mail_id = mail_id, .soft_count = count,
        .active = enough, .expires = cx->now_us + (enough ? SOFT_PAUSE_DAYS : SOFT_WINDOW_DAYS) * US_PER_DAY });
}

enum err_code email_rate_take(struct cx *cx, struct db *db, struct str folded, int64_t ticket_id)
{
    int64_t window = cx->now_us - cx->now_us % US_PER_HOUR;
    const struct { struct str key; int64_t most; const char *what; } rules[] = {
        { arena_printf(cx->arena, "address:%.*s", STR_ARG(folded)), RATE_ADDRESS, "this address" },
        { arena_printf(cx->arena, "ticket:%lld", (long long)ticket_id), RATE_TICKET, "this ticket" },
        { STR("all"), RATE_ALL, "this account" },
    };
    TRY(em_rate_forget(cx, db, (struct em_rate_forget_in){ cx->account_id, window - US_PER_DAY }, NULL));
    for (size_t i = 0; i < COUNT(rules); i++) {
        struct em_count count;
        TRY(em_rate_add(cx, db, (struct em_rate_add_in){ cx->account_id, rules[i].key, window }, &count));
        if (count.n > rules[i].most) {
            enum err_code code = fail(cx, E_RATE, "%s had its %lld automatic mails of this hour", rules[i].what, (long long)rules[i].most);
            cx->failure.retry_after_us = window + US_PER_HOUR - cx->now_us;
            return code;
        }
    }
    return E_OK;
}

bool email_may_answer(struct str verdict)
{
    return str_is(verdict, "human");
}

size_t email_auto_headers(struct mail_header *ret, bool reply)
{
    size_t n = 0;
    ret[n++] = (struct mail_header){ STR("Auto-Submitted"), reply ? STR("auto-replied") : STR("auto-generated") };
    ret[n++] = (struct mail_header){ STR("X-Auto-Response-Suppress"), STR("All") };
    ret[n++] = (struct mail_header){ STR("Precedence"), STR("bulk") };
    return n;
}
