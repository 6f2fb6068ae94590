/* json_test.c - strictness, limits, round trips, JSONTestSuite. */
#include "testing/testing.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "platform/json/json.h"

static void reads_every_kind(void **state)
{
    struct world *w = *state;
    struct json_value v;
    CHECK_OK(&w->cx, json_parse(&w->cx, STR(" {\"a\":1,\"b\":[true,null,-2.5],\"c\":\"\\u00e9\\ud83d\\ude00\",\"id\":\"12\"} "), &v));
    CHECK_INT(v.kind, JSON_OBJECT);
    CHECK_INT(v.n, 4);
    CHECK_INT(json_int(&v, "a", 0), 1);
    CHECK_INT(json_int(&v, "id", 0), 12);
    CHECK_INT(json_int(&v, "c", 7), 7);
    CHECK_INT(json_int(&v, "none", 9), 9);
    CHECK_STR(json_text(&v, "c"), "é😀");
    CHECK(!json_text(&v, "a").ptr);
    const struct json_value *b = json_get(&v, "b");
    CHECK_INT(b->n, 3);
    CHECK(b->items[0].boolean && b->items[1].kind == JSON_NULL);
    CHECK(b->items[2].kind == JSON_REAL && b->items[2].real == -2.5);
    CHECK(!json_get(b, "x") && !json_get(NULL, "x"));
    CHECK(json_bool(&v, "b", true));
}

static void refuses_what_is_not_strict(void **state)
{
    struct world *w = *state;
    static const char *const bad[] = { "", "{\"a\":1,\"a\":2}", "\"\\u0000\"", "\"\xff\"", "1 2", "[1,]", "{'a':1}",
                                       "9223372036854775808", "NaN", "[\"\\ud800\"]", "\"a\nb\"", "[1]\x01" };
    struct json_value v;
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK_CASE(bad[i], json_parse(&w->cx, str_of(bad[i]), &v) == E_BAD_REQUEST && w->cx.failure.message.len);
    CHECK_ERR(json_parse(&w->cx, STR("[1,\n 2,}"), &v), E_BAD_REQUEST);
    CHECK(str_find(w->cx.failure.message, STR("line 2")) >= 0);
    CHECK_ERR(json_parse(&w->cx, STR("[1]\0x"), &v), E_BAD_REQUEST);
}

static void stops_at_64_levels(void **state)
{
    struct world *w = *state;
    struct json_value v;
    for (size_t depth = 64; depth <= 65; depth++) {
        struct buf b = buf_new(w->arena, 0);
        for (size_t i = 0; i < depth; i++)
            buf_char(&b, '[');
        for (size_t i = 0; i < depth; i++)
            buf_char(&b, ']');
        CHECK_INT(json_parse(&w->cx, buf_str(&b), &v), depth == 64 ? E_OK : E_BAD_REQUEST);
    }
    CHECK_OK(&w->cx, json_parse(&w->cx, STR("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[\""), &v));
}

static void writes_what_it_reads(void **state)
{
    struct world *w = *state;
    struct buf out = buf_new(w->arena, 0);
    struct json_writer j = json_writer(&out);
    json_open_object(&j, NULL);
    json_put_text(&j, "text", STR("a\"\\\n\x01/é\xff"));
    json_put_text(&j, "none", STR_NONE);
    json_put_id(&j, "id", 7);
    json_put_id(&j, "no_id", 0);
    json_put_int(&j, "int", INT64_MIN);
    json_put_real(&j, "real", 0.1);
    json_put_real(&j, "third", 1.0 / 3);
    json_put_real(&j, "inf", 1e308 * 10);
    json_put_time(&j, "at", w->cx.now_us);
    json_put_time(&j, "never", 0);
    json_open_list(&j, "list");
    json_put_bool(&j, NULL, true);
    json_open_object(&j, NULL);
    json_close_object(&j);
    json_put_raw(&j, NULL, STR("[1]"));
    json_close_list(&j);
    json_close_object(&j);
    const char *want = "{\"text\":\"a\\\"\\\\\\n\\u0001/é\xef\xbf\xbd\",\"none\":null,\"id\":\"7\",\"no_id\":null,"
                       "\"int\":-9223372036854775808,\"real\":0.1,\"third\":0.33333333333333331,\"inf\":null,"
                       "\"at\":\"2026-01-05T09:00:00Z\",\"never\":null,\"list\":[true,{},[1]]}";
    CHECK_STR(buf_str(&out), want);
    struct json_value v;
    CHECK_OK(&w->cx, json_parse(&w->cx, buf_str(&out), &v));
    struct buf again = buf_new(w->arena, 0);
    j = json_writer(&again);
    json_put_value(&j, NULL, &v);
    CHECK_STR(buf_str(&again), want);
    CHECK_STR(json_quote(w->arena, STR("a\tb")), "\"a\\tb\"");
}

static void agrees_with_json_test_suite(void **state)
{
    struct world *w = *state;
    const char *archive = shared_data(w, "json-testsuite/json.tar.gz");
    if (!archive) {
        print_message("JSONTestSuite is not there: skipped\n");
        skip();
    }
    CHECK_INT(system(arena_printf(w->arena, "tar -C '%s' -xzf '%s'", w->dir, archive).ptr), 0);
    const char *folder = arena_printf(w->arena, "%s/test_parsing", w->dir).ptr;
    DIR *dir = opendir(folder);
    CHECK(dir);
    size_t n = 0;
    for (struct dirent *e; (e = readdir(dir));) {
        struct str text;
        struct json_value v;
        if (e->d_name[0] == '.')
            continue;
        CHECK(fd_read_file(w->arena, arena_printf(w->arena, "%s/%s", folder, e->d_name).ptr, 10 << 20, &text));
        enum err_code code = json_parse(&w->cx, text, &v);
        bool stricter = str_find(str_of(e->d_name), STR("duplicated_key")) >= 0 || strcmp(e->d_name, "y_string_null_escape.json") == 0;
        if (e->d_name[0] != 'i')
            CHECK_CASE(e->d_name, (code == E_OK) == (e->d_name[0] == 'y' && !stricter));
        n++;
    }
    closedir(dir);
    CHECK(n > 180);
}

TESTS(UNIT(reads_every_kind), UNIT(refuses_what_is_not_strict), UNIT(stops_at_64_levels), UNIT(writes_what_it_reads),
      UNIT(agrees_with_json_test_suite))
