/* http_rate.c - token buckets in memory, by address and by user. */
#include "platform/http/http_internal.h"

/* Sets of four; the one that would be fullest by now makes room, so an attacker's many keys push out the idle first. */
enum { RATE_SETS = 8192, RATE_WAYS = 4 };

static const struct {
    double per_s, burst;
    double ip_share;            /* an address may stand for many users; 0: the address alone counts */
} limits[] = {
    [RATE_DEFAULT] = { 100, 400, 10 },
    [RATE_LOGIN] = { 10.0 / 60, 10, 0 },
    [RATE_SEARCH] = { 10, 40, 10 },
    [RATE_UPLOAD] = { 10, 60, 10 },
};

void rates_init(struct rates *rates, double factor)
{
    pthread_mutex_init(&rates->lock, NULL);
    rates->factor = factor == 0 ? 1.0 : factor;
    rates->slots = heap_new(sizeof(struct rate_slot) * RATE_SETS * RATE_WAYS);
}

void rates_done(struct rates *rates)
{
    heap_free(rates->slots);
    pthread_mutex_destroy(&rates->lock);
}

int64_t rate_take(struct rates *rates, uint64_t key, double per_s, double burst)
{
    int64_t now = clock_monotonic_us(), wait = 0;
    pthread_mutex_lock(&rates->lock);
    struct rate_slot *set = &rates->slots[(key % RATE_SETS) * RATE_WAYS], *slot = NULL, *oldest = set;
    for (int i = 0; i < RATE_WAYS; i++) {
        if (set[i].at_us && set[i].key == key)
            slot = &set[i];
        if (set[i].at_us < oldest->at_us)
            oldest = &set[i];
    }
    if (!slot) {
        slot = oldest;
        *slot = (struct rate_slot){ .key = key, .tokens = burst, .at_us = now };
    }
    slot->tokens = MIN(burst, slot->tokens + per_s * (double)(now - slot->at_us) / 1e6);
    slot->at_us = now;
    if (slot->tokens >= 1)
        slot->tokens -= 1;
    else
        wait = (int64_t)((1 - slot->tokens) / per_s * 1e6) + 1;
    pthread_mutex_unlock(&rates->lock);
    return wait;
}

static enum err_code check(struct exchange *x, struct str who, double share)
{
    enum rate_class class = x->entry->route->rate;
    struct rates *rates = &x->server->rates;
    double factor = rates->factor * share;
    uint64_t key = str_hash(who) * 31 + (uint64_t)class + 1;
    int64_t wait = rate_take(rates, key, limits[class].per_s * factor, MAX(1.0, limits[class].burst * factor));
    if (!wait)
        return E_OK;
    int64_t seconds = (wait + US_PER_SECOND - 1) / US_PER_SECOND;
    fail(&x->cx, E_RATE, "Too many requests; try again in %lld s", (long long)seconds);
    x->cx.failure.retry_after_us = wait;
    return E_RATE;
}

static bool unlimited(const struct exchange *x)
{
    return x->server->rates.factor < 0 || x->entry->route->rate == RATE_NONE;
}

enum err_code rate_check_ip(struct exchange *x)
{
    double share = unlimited(x) ? 0 : limits[x->entry->route->rate].ip_share;
    return unlimited(x) ? E_OK : check(x, x->ip, share > 0 ? share : 1);
}

enum err_code rate_check_user(struct exchange *x)
{
    if (unlimited(x) || !x->cx.user_id || limits[x->entry->route->rate].ip_share <= 0)
        return E_OK;
    return check(x, arena_printf(x->arena, "user %lld", (long long)x->cx.user_id), 1);
}
