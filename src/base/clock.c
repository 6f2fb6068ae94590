/* clock.c - civil time by the proleptic Gregorian calendar, no time zones. */
#define CAIRN_BASE_INTERNAL
#include "base/base.h"

#include <time.h>

static int64_t read_clock(clockid_t which)
{
    struct timespec ts;
    clock_gettime(which, &ts);
    return (int64_t)ts.tv_sec * US_PER_SECOND + ts.tv_nsec / 1000;
}

int64_t clock_now_us(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_monotonic_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Days since 1970-01-01; years are counted from March so that the leap day ends one. */
static int64_t days_from_civil(int64_t y, int m, int d)
{
    y -= m <= 2;
    int64_t era = floor_div(y, 400);
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

struct civil_time clock_civil(int64_t us)
{
    int64_t days = floor_div(us, US_PER_DAY);
    int64_t rest = us - days * US_PER_DAY;
    int64_t z = days + 719468;
    int64_t era = floor_div(z, 146097);
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int month = (int)(mp < 10 ? mp + 3 : mp - 9);
    return (struct civil_time){
        .year = (int)(yoe + era * 400 + (month <= 2)),
        .month = month,
        .day = (int)(doy - (153 * mp + 2) / 5 + 1),
        .hour = (int)(rest / US_PER_HOUR),
        .minute = (int)(rest / US_PER_MINUTE % 60),
        .second = (int)(rest / US_PER_SECOND % 60),
        .microsecond = (int)(rest % US_PER_SECOND),
        .weekday = (int)(((days + 3) % 7 + 7) % 7),
    };
}

int64_t clock_from_civil(struct civil_time c)
{
    return days_from_civil(c.year, c.month, c.day) * US_PER_DAY + c.hour * US_PER_HOUR +
           c.minute * US_PER_MINUTE + c.second * US_PER_SECOND + c.microsecond;
}

static char *put_number(char *at, int value, int digits)
{
    for (int i = digits; i-- > 0; value /= 10)
        at[i] = (char)('0' + value % 10);
    return at + digits;
}

/* By hand: an answer has many times, and printf(3) is slow. */
struct str clock_rfc3339(struct arena *arena, int64_t us)
{
    struct civil_time c = clock_civil(us);
    const int parts[] = { c.month, c.day, c.hour, c.minute, c.second };
    char *text = arena_alloc(arena, sizeof "2026-01-01T00:00:00.000000Z"), *at;
    if (c.year < 0 || c.year > 9999)
        return arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year, c.month, c.day, c.hour, c.minute, c.second);
    at = put_number(text, c.year, 4);
    for (size_t i = 0; i < COUNT(parts); i++) {
        *at++ = "--T::"[i];
        at = put_number(at, parts[i], 2);
    }
    if (c.microsecond) {
        *at++ = '.';
        at = put_number(at, c.microsecond, 6);
    }
    *at++ = 'Z';
    return (struct str){ text, (size_t)(at - text) };
}

static bool digits(struct str *s, size_t n, int *ret)
{
    int v = 0;
    if (s->len < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s->ptr[i] < '0' || s->ptr[i] > '9')
            return false;
        v = v * 10 + (s->ptr[i] - '0');
    }
    *s = str_skip(*s, n);
    *ret = v;
    return true;
}

static bool eat(struct str *s, char c)
{
    if (!s->len || s->ptr[0] != c)
        return false;
    *s = str_skip(*s, 1);
    return true;
}

static bool parse_offset(struct str *s, int64_t *ret_us)
{
    int hour = 0, minute = 0;
    if (eat(s, 'Z') || eat(s, 'z')) {
        *ret_us = 0;
        return true;
    }
    bool minus = s->len && s->ptr[0] == '-';
    if (!eat(s, '+') && !eat(s, '-'))
        return false;
    if (!digits(s, 2, &hour) || !eat(s, ':') || !digits(s, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *ret_us = (hour * US_PER_HOUR + minute * US_PER_MINUTE) * (minus ? -1 : 1);
    return true;
}

static bool parse_fraction(struct str *s, int *ret_us)
{
    int scale = 100000;
    if (!s->len || s->ptr[0] < '0' || s->ptr[0] > '9')
        return false;
    for (int d = 0; digits(s, 1, &d); scale /= 10)
        *ret_us += d * scale;
    return true;
}

static bool in_month(struct civil_time c)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (c.year % 4 == 0 && c.year % 100 != 0) || c.year % 400 == 0;
    return c.month >= 1 && c.month <= 12 && c.day >= 1 &&
           c.day <= lengths[c.month - 1] + (c.month == 2 && leap);
}

bool clock_parse(struct str s, int64_t *ret_us)
{
    struct civil_time c = { 0 };
    int64_t offset_us = 0;
    if (!digits(&s, 4, &c.year) || !eat(&s, '-') || !digits(&s, 2, &c.month) || !eat(&s, '-') ||
        !digits(&s, 2, &c.day) || !in_month(c))
        return false;
    if (s.len) {
        if (!eat(&s, 'T') && !eat(&s, 't') && !eat(&s, ' '))
            return false;
        if (!digits(&s, 2, &c.hour) || !eat(&s, ':') || !digits(&s, 2, &c.minute) || !eat(&s, ':') ||
            !digits(&s, 2, &c.second) || c.hour > 23 || c.minute > 59 || c.second > 60)
            return false;
        if (eat(&s, '.') && !parse_fraction(&s, &c.microsecond))
            return false;
        if (!parse_offset(&s, &offset_us) || s.len)
            return false;
    }
    *ret_us = clock_from_civil(c) - offset_us;
    return true;
}

struct str clock_rfc5322(struct arena *arena, int64_t us)
{
    static const char days[] = "MonTueWedThuFriSatSun";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct civil_time c = clock_civil(us);
    return arena_printf(arena, "%.3s, %d %.3s %04d %02d:%02d:%02d +0000", days + 3 * c.weekday, c.day,
                        months + 3 * (c.month - 1), c.year, c.hour, c.minute, c.second);
}
