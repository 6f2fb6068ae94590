/*
 * json.h - reading (jansson) and writing JSON.
 *
 * Reading is strict (RFC 8259): duplicate members, bad UTF-8, NUL in text,
 * trailing bytes and more than 64 levels are errors.  No jansson type leaves
 * this module: a parsed document is a tree of struct json_value in the arena.
 */
#ifndef CAIRN_JSON_H
#define CAIRN_JSON_H

#include "base/base.h"

enum json_kind { JSON_NULL, JSON_BOOL, JSON_INT, JSON_REAL, JSON_TEXT, JSON_LIST, JSON_OBJECT };

struct json_value {
    enum json_kind kind;
    bool boolean;
    int64_t integer;
    double real;                    /* JSON_REAL; of JSON_INT the same number */
    struct str text;
    struct json_member *members;    /* JSON_OBJECT */
    struct json_value *items;       /* JSON_LIST */
    size_t n;                       /* of members or items */
};

struct json_member {
    struct str name;
    struct json_value value;
};

/* E_BAD_REQUEST with line and column in the message. */
enum err_code json_parse(struct cx *cx, struct str text, struct json_value *ret) MUST_CHECK;
/* NULL when it is not an object or has no such member. */
const struct json_value *json_get(const struct json_value *object, const char *name);
/* The member's text, or STR_NONE. */
struct str json_text(const struct json_value *object, const char *name);
/* The member's integer, or `otherwise`.  An id given as text ("12") counts. */
int64_t json_int(const struct json_value *object, const char *name, int64_t otherwise);
bool json_bool(const struct json_value *object, const char *name, bool otherwise);

/*
 * Writing: commas are placed by the writer.  `name` NULL inside a list or at
 * the top.  Text must be valid UTF-8; bad bytes become U+FFFD.
 */
struct json_writer {
    struct buf *out;
    bool comma;
};
struct json_writer json_writer(struct buf *out);
void json_open_object(struct json_writer *w, const char *name);
void json_close_object(struct json_writer *w);
void json_open_list(struct json_writer *w, const char *name);
void json_close_list(struct json_writer *w);
void json_put_text(struct json_writer *w, const char *name, struct str text);  /* ptr NULL writes null */
void json_put_int(struct json_writer *w, const char *name, int64_t value);
void json_put_id(struct json_writer *w, const char *name, int64_t id);          /* as text; 0 writes null */
void json_put_bool(struct json_writer *w, const char *name, bool value);
void json_put_real(struct json_writer *w, const char *name, double value);
void json_put_time(struct json_writer *w, const char *name, int64_t us);        /* RFC 3339; 0 writes null */
void json_put_null(struct json_writer *w, const char *name);
void json_put_raw(struct json_writer *w, const char *name, struct str json);    /* already JSON */
void json_put_value(struct json_writer *w, const char *name, const struct json_value *value);
/* A quoted JSON string for building small texts by hand. */
struct str json_quote(struct arena *arena, struct str text);

#endif
