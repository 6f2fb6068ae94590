/* base_encode_test.c - UTF-8, times as text, byte encodings, files. */
#include "testing/testing.h"

#include <errno.h>
#include <sys/stat.h>

static void utf8_is_shortest_form_only(void **state)
{
    struct world *w = *state;
    static const struct { const char *text; bool valid; } cases[] = {
        { "", true }, { "plain ascii of more than sixteen bytes", true }, { "more than eight bytes, then é€😀", true },
        { "\xf4\x8f\xbf\xbf", true }, { "\xf4\x90\x80\x80", false }, { "\xed\xa0\x80", false }, { "\xed\x9f\xbf", true },
        { "\xc0\x80", false }, { "\xc1\xbf", false }, { "\xe0\x80\x80", false }, { "\xe0\xa0\x80", true }, { "\xf0\x80\x80\x80", false },
        { "\x80", false }, { "\xff", false }, { "abcdefgh\xe2\x82", false }, { "abcdefghijklmno\xff", false }, { "\xf8\x88\x80\x80\x80", false },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_CASE(cases[i].text, utf8_valid(str_of(cases[i].text)) == cases[i].valid);
    for (size_t at = 0; at < 24; at++) {    /* a bad byte is found at any place */
        char text[24];
        memset(text, 'a', sizeof text);
        CHECK(utf8_valid((struct str){ text, sizeof text }));
        text[at] = (char)0xbf;
        CHECK(!utf8_valid((struct str){ text, sizeof text }));
    }
    CHECK_STR(utf8_repair(w->arena, STR("a\xff\xe2\x82z"), false), "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz");
    CHECK_STR(utf8_repair(w->arena, STR("a\0b"), true), "a\xef\xbf\xbd" "b");
    CHECK_INT(utf8_length(STR("aé😀")), 3);
    CHECK_STR(utf8_cut(STR("aé"), 2), "a");
    CHECK_STR(utf8_cut(STR("aé"), 3), "aé");
    CHECK_STR(utf8_cut(STR("😀"), 3), "");
    struct buf b = buf_new(w->arena, 0);
    struct str rest = STR("aé€😀");
    for (uint32_t cp; utf8_next(&rest, &cp);)
        utf8_put(&b, cp);
    CHECK_STR(buf_str(&b), "aé€😀");
}

static void civil_time_round_trips(void **state)
{
    for (int64_t day = -800000; day < 800000; day += 137) {
        int64_t us = day * US_PER_DAY + 86399 * US_PER_SECOND + 999999;
        struct civil_time c = clock_civil(us);
        CHECK_INT(clock_from_civil(c), us);
        CHECK(c.month >= 1 && c.month <= 12 && c.day >= 1 && c.day <= 31 && c.hour == 23 && c.microsecond == 999999);
        CHECK_INT(c.weekday, ((day + 3) % 7 + 7) % 7);
    }
    struct civil_time leap = clock_civil(951782400 * US_PER_SECOND);
    CHECK(leap.year == 2000 && leap.month == 2 && leap.day == 29 && leap.weekday == 1);
}

static void times_are_read_and_written(void **state)
{
    struct world *w = *state;
    static const struct { const char *text; bool ok; int64_t us; } cases[] = {
        { "1970-01-01T00:00:00Z", true, 0 }, { "1970-01-01", true, 0 }, { "1969-12-31T23:59:59.5Z", true, -500000 },
        { "2026-11-24T14:52:49+02:00", true, 1795524769000000 }, { "2026-11-24t14:52:49.000001z", true, 1795531969000001 },
        { "2024-02-29", true, 1709164800000000 }, { "2023-02-29", false, 0 }, { "2026-13-01", false, 0 }, { "2026-1-01", false, 0 },
        { "2026-01-01T24:00:00Z", false, 0 }, { "2026-01-01T10:00:00", false, 0 }, { "2026-01-01T10:00:00Zx", false, 0 },
        { "2026-01-01T10:00:00.Z", false, 0 }, { "2026-01-01T10:00Z", false, 0 }, { "", false, 0 }, { "2026-01-01T10:00:00+2:00", false, 0 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t us = 0;
        CHECK_CASE(cases[i].text, clock_parse(str_of(cases[i].text), &us) == cases[i].ok && us == cases[i].us);
    }
    CHECK_STR(clock_rfc3339(w->arena, 0), "1970-01-01T00:00:00Z");
    CHECK_STR(clock_rfc3339(w->arena, -1), "1969-12-31T23:59:59.999999Z");
    CHECK_STR(clock_rfc5322(w->arena, INT64_C(1795531969000000)), "Tue, 24 Nov 2026 14:52:49 +0000");
}

static void bytes_become_text_and_come_back(void **state)
{
    struct world *w = *state;
    struct arena *a = w->arena;
    struct str back;
    /* RFC 4648 section 10 */
    static const char *const plain[] = { "", "f", "fo", "foo", "foob", "fooba", "foobar" };
    static const char *const coded[] = { "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };
    for (size_t i = 0; i < COUNT(plain); i++) {
        CHECK_STR(base64_encode(a, str_of(plain[i])), coded[i]);
        CHECK(base64_decode(a, str_of(coded[i]), &back));
        CHECK_STR(back, plain[i]);
        CHECK(base64_decode(a, base64url_encode(a, str_of(plain[i])), &back));
        CHECK_STR(back, plain[i]);
    }
    CHECK_STR(base64url_encode(a, STR("\xfb\xff")), "-_8");
    CHECK(!base64_decode(a, STR("Z"), &back) && !base64_decode(a, STR("Zm 9"), &back) && !base64_decode(a, STR("Zg=a"), &back));
    CHECK_STR(hex_encode(a, STR("\x00\xff")), "00ff");
    CHECK(hex_decode(a, STR("00fF"), &back) && str_eq(back, STR("\x00\xff")));
    CHECK(!hex_decode(a, STR("0"), &back) && !hex_decode(a, STR("0g"), &back));
    CHECK_STR(percent_encode(a, STR("a b/é~")), "a%20b%2F%C3%A9~");
    CHECK(percent_decode(a, STR("a+b%2f"), true, &back));
    CHECK_STR(back, "a b/");
    CHECK(percent_decode(a, STR("a+b"), false, &back));
    CHECK_STR(back, "a+b");
    CHECK(!percent_decode(a, STR("%2"), true, &back) && !percent_decode(a, STR("%zz"), true, &back));
    CHECK_STR(html_escape(a, STR("<a href=\"x\">'&'</a>")), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
    CHECK(!str_eq(rand_token(a, 16), rand_token(a, 16)));
    CHECK_INT(rand_token(a, 16).len, 22);
}

static void files_are_replaced_whole(void **state)
{
    struct world *w = *state;
    const char *dir = arena_printf(w->arena, "%s/a/b", w->dir).ptr, *path = arena_printf(w->arena, "%s/f", dir).ptr;
    struct str content;
    struct stat st;
    CHECK(fd_make_dirs(dir, 0700) && fd_make_dirs(dir, 0700));
    CHECK(fd_replace_file(w->arena, path, STR("one"), 0600));
    CHECK(fd_replace_file(w->arena, path, STR("two"), 0600));
    CHECK(fd_read_file(w->arena, path, 3, &content));
    CHECK_STR(content, "two");
    CHECK(!fd_read_file(w->arena, path, 2, &content) && errno == EFBIG);
    CHECK(!fd_read_file(w->arena, arena_printf(w->arena, "%s/none", dir).ptr, 9, &content) && errno == ENOENT);
    CHECK_INT(stat(path, &st), 0);
    CHECK_INT(st.st_mode & 0777, 0600);
    CHECK(!fd_replace_file(w->arena, "/nonexistent/f", STR("x"), 0600));
}

TESTS(UNIT(utf8_is_shortest_form_only), UNIT(civil_time_round_trips), UNIT(times_are_read_and_written),
      UNIT(bytes_become_text_and_come_back), UNIT(files_are_replaced_whole))
