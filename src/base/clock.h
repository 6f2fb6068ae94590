/*
 * clock.h - reading the clock, and time as text.
 *
 * Times are UTC microseconds since 1970 in int64_t.  Only runners call
 * clock_now_us(); domain code reads cx->now_us.
 */
#ifndef CAIRN_BASE_CLOCK_H
#define CAIRN_BASE_CLOCK_H

#include "base/base.h"
#include "base/str.h"

#define US_PER_MS     INT64_C(1000)
#define US_PER_SECOND INT64_C(1000000)
#define US_PER_MINUTE (60 * US_PER_SECOND)
#define US_PER_HOUR   (60 * US_PER_MINUTE)
#define US_PER_DAY    (24 * US_PER_HOUR)

struct civil_time {
    int year, month, day;    /* month 1-12, day 1-31 */
    int hour, minute, second;
    int microsecond;
    int weekday;             /* 0 = Monday */
};

int64_t clock_now_us(void);
/* Never goes back; for measuring durations and deadlines. */
int64_t clock_monotonic_us(void);
struct civil_time clock_civil(int64_t us);
/* Out-of-range members are not checked; see clock_parse. */
int64_t clock_from_civil(struct civil_time c);

/* RFC 3339 in UTC: "2026-11-24T14:52:49Z", with ".123456" when not whole seconds. */
struct str clock_rfc3339(struct arena *arena, int64_t us);
/* Accepts RFC 3339 with any offset, and a bare date as its midnight in UTC. */
bool clock_parse(struct str text, int64_t *ret_us);
/* RFC 5322 date in UTC: "Tue, 24 Nov 2026 14:52:49 +0000". */
struct str clock_rfc5322(struct arena *arena, int64_t us);

#endif
