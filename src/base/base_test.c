/* base_test.c - slices, arenas, buffers, maps, numbers. */
#include "testing/testing.h"

static void arenas_give_zeroed_memory(void **state)
{
    struct arena *a = arena_new("test", 100000);
    for (int round = 0; round < 2; round++) {
        for (size_t n = 1; n < 40000; n = n * 3 + 1) {
            unsigned char *p = arena_alloc(a, n);
            for (size_t i = 0; i < n; i++)
                CHECK(p[i] == 0);
            memset(p, 0xff, n);
            CHECK_INT((uintptr_t)p % _Alignof(max_align_t), 0);
        }
        arena_reset(a);
        CHECK_INT(arena_used(a), 0);
    }
    CHECK(!arena_over_limit(a));
    arena_alloc(a, 100001);
    CHECK(arena_over_limit(a));
    CHECK_STR(arena_copy(a, STR_NONE), "");
    CHECK(arena_copy(a, STR_NONE).ptr != NULL);
    CHECK_STR(arena_printf(a, "%d-%s", 7, "x"), "7-x");
    arena_free(&a);
    CHECK(!a);
    arena_free(&a);
}

static void buffers_stop_at_their_maximum(void **state)
{
    struct world *w = *state;
    struct buf b = buf_new(w->arena, 5);
    buf_lit(&b, "abc");
    buf_printf(&b, "%d", 12);
    CHECK_STR(buf_str(&b), "abc12");
    buf_char(&b, 'x');
    CHECK(b.overflow);
    buf_lit(&b, "");
    CHECK_STR(buf_str(&b), "abc12");
    buf_clear(&b);
    buf_char(&b, 'y');
    CHECK(!b.overflow);
    CHECK_STR(buf_str(&b), "y");
    struct buf empty = buf_new(w->arena, 0);
    CHECK_STR(buf_str(&empty), "");
}

static void slices_search_and_split(void **state)
{
    struct world *w = *state;
    CHECK_INT(str_find(STR("abcabc"), STR("ca")), 2);
    CHECK_INT(str_find(STR("ab"), STR("abc")), -1);
    CHECK_INT(str_ifind(STR("Re: RE:"), STR("re:")), 0);
    CHECK_INT(str_ifind(STR("x"), STR("yy")), -1);
    CHECK_INT(str_chr(STR_NONE, 'a'), -1);
    CHECK_INT(str_rchr(STR("a/b/c"), '/'), 3);
    CHECK(str_eq(STR_NONE, STR("")) && str_is(STR("a"), "a") && !str_is(STR("ab"), "a"));
    CHECK(str_iis(STR("ABC"), "abc") && str_istarts(STR("ABC"), STR("ab")) && str_ends(STR("abc"), STR("bc")));
    CHECK(!str_ends(STR("c"), STR("bc")) && !str_starts(STR("b"), STR("bc")));
    CHECK(str_cmp(STR("a"), STR("b")) < 0 && str_cmp(STR("ab"), STR("a")) > 0 && str_cmp(STR(""), STR_NONE) == 0);
    CHECK_STR(str_sub(STR("abc"), 1, 100), "bc");
    CHECK_STR(str_sub(STR("abc"), 9, 1), "");
    CHECK_STR(str_trim(STR(" \t a b\r\n")), "a b");
    CHECK_STR(str_trim(STR("  ")), "");
    CHECK_STR(str_lower(w->arena, STR("AbÉ")), "abÉ");
    CHECK_STR(str_replace(w->arena, STR("a.b.c"), STR("."), STR("--")), "a--b--c");
    CHECK_STR(str_replace(w->arena, STR("abc"), STR(""), STR("x")), "abc");
    static const char *const want[] = { "a", "", "b", "" };
    struct str rest = STR("a,,b,"), part;
    for (size_t i = 0; i < COUNT(want); i++) {
        CHECK(str_split(&rest, ',', &part));
        CHECK_STR(part, want[i]);
    }
    CHECK(!str_split(&rest, ',', &part));
    rest = STR("one\r\ntwo\nthree");
    CHECK(str_line(&rest, &part));
    CHECK_STR(part, "one");
    CHECK(str_line(&rest, &part) && str_line(&rest, &part));
    CHECK_STR(part, "three");
    CHECK(!str_line(&rest, &part));
}

static void maps_keep_and_forget(void **state)
{
    struct world *w = *state;
    static int values[2000];
    for (int heap = 0; heap < 2; heap++) {
        struct map *m = map_new(heap ? NULL : w->arena);
        for (int i = 0; i < 2000; i++)
            map_put(m, arena_printf(w->arena, "key%d", i), &values[i]);
        CHECK_INT(map_count(m), 2000);
        for (int i = 0; i < 2000; i += 2)
            map_put(m, arena_printf(w->arena, "key%d", i), NULL);
        map_put(m, STR("key1"), &values[0]);
        map_put(m, STR("absent"), NULL);
        CHECK_INT(map_count(m), 1000);
        CHECK(map_get(m, STR("key1")) == &values[0]);
        for (int i = 2; i < 2000; i++)
            CHECK(map_get(m, arena_printf(w->arena, "key%d", i)) == (i % 2 ? &values[i] : NULL));
        size_t at = 0, n = 0;
        struct str key;
        void *value;
        while (map_next(m, &at, &key, &value))
            n += map_get(m, key) == value;
        CHECK_INT(n, 1000);
        if (heap)
            map_free(&m);
    }
}

static void numbers_are_whole_or_refused(void **state)
{
    static const struct { const char *text; bool ok; int64_t value; } ints[] = {
        { "0", true, 0 }, { "-0", true, 0 }, { "007", true, 7 }, { "9223372036854775807", true, INT64_MAX },
        { "-9223372036854775808", true, INT64_MIN }, { "9223372036854775808", false, 0 }, { "-9223372036854775809", false, 0 },
        { "", false, 0 }, { "-", false, 0 }, { "+1", false, 0 }, { " 1", false, 0 }, { "1 ", false, 0 }, { "1.0", false, 0 },
        { "--1", false, 0 }, { "99999999999999999999", false, 0 },
    };
    for (size_t i = 0; i < COUNT(ints); i++) {
        int64_t v = 0;
        CHECK_CASE(ints[i].text, num_parse_int(str_of(ints[i].text), &v) == ints[i].ok && v == ints[i].value);
    }
    uint64_t u;
    CHECK(num_parse_uint(STR("18446744073709551615"), &u) && u == UINT64_MAX);
    CHECK(!num_parse_uint(STR("18446744073709551616"), &u) && !num_parse_uint(STR("-1"), &u));
    CHECK(num_parse_hex(STR("fFfFfFfFfFfFfFfF"), &u) && u == UINT64_MAX);
    CHECK(!num_parse_hex(STR("g"), &u) && !num_parse_hex(STR(""), &u) && !num_parse_hex(STR("00000000000000000"), &u));
}

static void failures_tell_the_caller_only_what_is_safe(void **state)
{
    struct world *w = *state;
    CHECK_ERR(fail_field(&w->cx, "subject", "too %s", "long"), E_INVALID);
    CHECK_STR(str_of(w->cx.failure.field), "subject");
    CHECK_STR(w->cx.failure.message, "too long");
    CHECK_ERR(fail_internal(&w->cx, "secret %d", 7), E_INTERNAL);
    CHECK(!w->cx.failure.field);
    CHECK(str_find(w->cx.failure.message, STR("secret")) < 0);
    CHECK_STR(w->cx.failure.detail, "secret 7");
    CHECK_INT(err_status(E_CONFLICT), 409);
    CHECK_STR(str_of(err_name(E_LIMIT)), "too_large");
}

TESTS(UNIT(arenas_give_zeroed_memory), UNIT(buffers_stop_at_their_maximum), UNIT(slices_search_and_split),
      UNIT(maps_keep_and_forget), UNIT(numbers_are_whole_or_refused), UNIT(failures_tell_the_caller_only_what_is_safe))
