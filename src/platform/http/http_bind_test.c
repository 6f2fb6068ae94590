/* http_bind_test.c - what a JSON body may be, and the exact field that is wrong when it is not. */
#include "platform/http/http.h"
#include "testing/testing.h"

struct file {
    int64_t id;
};
static const struct field file_fields[] = { ID_FIELD(struct file, id, .doc = "Id") };
static SHAPE(file_shape, "File", struct file, file_fields);

struct message {
    struct str text;
    struct list attachments, files;
};
static const struct field message_fields[] = {
    TEXT_FIELD(struct message, text, .doc = "Text", .min = 1, .max = 20, .multiline = true),
    IDS_FIELD(struct message, attachments, .doc = "Ids", .max = 2, .optional = true),
    LIST_FIELD(struct message, files, &file_shape, .doc = "Files", .max = 2, .optional = true),
};
static SHAPE(message_shape, "Message", struct message, message_fields);

static const char *const colours[] = { "red", "green", NULL };
struct body {
    const struct message *message;
    int64_t count, team_id, at;
    bool has_team_id, flag;
    double real;
    struct str colour, any;
    struct list tags;
};
static const struct field body_fields[] = {
    OBJECT_FIELD(struct body, message, &message_shape, .doc = "Message", .optional = true, .nullable = true),
    INT_FIELD(struct body, count, .doc = "Count", .min = 1, .max = 9, .optional = true, .otherwise = 4),
    ID_FIELD(struct body, team_id, .doc = "Team", .nullable = true, HAS(struct body, has_team_id)),
    TIME_FIELD(struct body, at, .doc = "At", .optional = true, .nullable = true),
    BOOL_FIELD(struct body, flag, .doc = "Flag", .optional = true),
    REAL_FIELD(struct body, real, .doc = "Real", .optional = true),
    TEXT_FIELD(struct body, colour, .doc = "Colour", .choices = colours, .optional = true),
    JSON_FIELD(struct body, any, .doc = "Any", .max = 30, .optional = true),
    TEXTS_FIELD(struct body, tags, .doc = "Tags", .min = 1, .max = 2, .optional = true),
};

static void binds_every_type(void **state)
{
    struct world *w = *state;
    struct body b = { 0 };
    CHECK_OK(&w->cx, shape_read(&w->cx, body_fields, COUNT(body_fields),
        STR("{\"message\":{\"text\":\"a\\nb\",\"attachments\":[\"7\",\"8\"],\"files\":[{\"id\":\"9\"}]},\"team_id\":\"12\",\"at\":\"2026-01-01T00:00:01Z\","
            "\"flag\":true,\"real\":2,\"colour\":\"green\",\"any\":{\"x\":[1,null]},\"tags\":[\"one\"]}"), &b));
    CHECK_STR(b.message->text, "a\nb");
    CHECK_INT(b.message->attachments.n, 2);
    CHECK_INT(((const int64_t *)b.message->attachments.items)[1], 8);
    CHECK_INT(((const struct file *)b.message->files.items)[0].id, 9);
    CHECK_INT(b.count, 4);
    CHECK_INT(b.team_id, 12);
    CHECK(b.has_team_id && b.flag && b.real == 2.0 && b.tags.given);
    CHECK_STR(b.any, "{\"x\":[1,null]}");
    struct body cleared = { 0 };
    CHECK_OK(&w->cx, shape_read(&w->cx, body_fields, COUNT(body_fields), STR("{\"team_id\":null}"), &cleared));
    CHECK(cleared.has_team_id && cleared.team_id == 0 && !cleared.tags.given);
    struct body empty = { 0 };
    CHECK_OK(&w->cx, shape_read(&w->cx, body_fields, COUNT(body_fields), STR("{}"), &empty));
    CHECK(!empty.has_team_id && !empty.message && !empty.colour.ptr);
}

static void names_the_field_that_is_wrong(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *json, *field, *message;
    } cases[] = {
        { "{\"message\":{\"text\":\"a\",\"attachments\":[\"x\"]}}", "message.attachments[0]", "must be an id: digits" },
        { "{\"message\":{\"text\":\"a\",\"attachments\":[\"1\",2]}}", "message.attachments[1]", "must be a string" },
        { "{\"message\":{\"text\":\"a\",\"attachments\":[\"1\",\"2\",\"3\"]}}", "message.attachments", "may have at most 2 items" },
        { "{\"message\":{\"text\":\"a\",\"files\":[{\"id\":\"1\"},{}]}}", "message.files[1].id", "is required" },
        { "{\"message\":{\"text\":\"a\",\"files\":[{\"id\":\"1\",\"no\":1}]}}", "message.files[0].no", "is not known here" },
        { "{\"message\":{}}", "message.text", "is required" },
        { "{\"message\":{\"text\":null}}", "message.text", "may not be null" },
        { "{\"message\":{\"text\":\"\"}}", "message.text", "may not be empty" },
        { "{\"message\":{\"text\":\"123456789012345678901\"}}", "message.text", "may have at most 20 bytes" },
        { "{\"message\":{\"text\":\"a\\u0007\"}}", "message.text", "may not have control characters other than line breaks and tabs" },
        { "{\"message\":[]}", "message", "must be an object" },
        { "{\"nope\":1}", "nope", "is not known here" },
        { "{\"count\":0}", "count", "must be at least 1" },
        { "{\"count\":10}", "count", "may be at most 9" },
        { "{\"count\":1.5}", "count", "must be an integer" },
        { "{\"count\":\"1\"}", "count", "must be an integer" },
        { "{\"team_id\":12}", "team_id", "must be a string" },
        { "{\"team_id\":\"012\"}", "team_id", "must be an id: digits" },
        { "{\"team_id\":\"99999999999999999999\"}", "team_id", "must be an id: digits" },
        { "{\"at\":\"yesterday\"}", "at", "must be a time such as \"2026-11-24T14:52:49Z\"" },
        { "{\"flag\":1}", "flag", "must be true or false" },
        { "{\"real\":\"1\"}", "real", "must be a number" },
        { "{\"colour\":\"blue\"}", "colour", "must be one of \"red\", \"green\"" },
        { "{\"any\":\"123456789012345678901234567890\"}", "any", "may have at most 30 bytes" },
        { "{\"tags\":[]}", "tags", "must have at least 1 items" },
        { "{\"tags\":[\"a\\nb\"]}", "tags[0]", "may not have control characters or line breaks" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct body b = { 0 };
        enum err_code code = shape_read(&w->cx, body_fields, COUNT(body_fields), str_of(cases[i].json), &b);
        CHECK_CASE(cases[i].json, code == E_INVALID);
        CHECK_CASE(cases[i].json, str_is(str_of(w->cx.failure.field), cases[i].field));
        CHECK_CASE(cases[i].json, str_is(w->cx.failure.message, cases[i].message));
    }
}

static void refuses_what_is_not_an_object(void **state)
{
    struct world *w = *state;
    static const char *const texts[] = { "", "[]", "1", "{", "{\"count\":1,\"count\":2}", "{\"colour\":\"\xff\"}", "{} x" };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct body b = { 0 };
        CHECK_CASE(texts[i], shape_read(&w->cx, body_fields, COUNT(body_fields), str_of(texts[i]), &b) == E_BAD_REQUEST);
        CHECK(w->cx.failure.message.len > 0);
    }
}

static void cursors_come_back_or_are_refused(void **state)
{
    struct world *w = *state;
    int64_t keys[2] = { INT64_MIN, 42 }, back[3] = { 0 };
    struct str cursor = page_cursor(w->arena, keys, 2);
    CHECK_OK(&w->cx, page_cursor_read(&w->cx, cursor, back, 2));
    CHECK(back[0] == keys[0] && back[1] == keys[1]);
    CHECK_ERR(page_cursor_read(&w->cx, cursor, back, 3), E_INVALID);
    char *forged = arena_cstr(w->arena, cursor);
    forged[5] = forged[5] == 'A' ? 'B' : 'A';
    CHECK_ERR(page_cursor_read(&w->cx, str_of(forged), back, 2), E_INVALID);
    CHECK_STR(str_of(w->cx.failure.field), "cursor");
}

TESTS(UNIT(binds_every_type), UNIT(names_the_field_that_is_wrong), UNIT(refuses_what_is_not_an_object),
      UNIT(cursors_come_back_or_are_refused))
