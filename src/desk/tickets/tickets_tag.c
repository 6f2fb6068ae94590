/* tickets_tag.c - tags: finding, making, putting them on tickets. */
#include "desk/tickets/tickets_internal.h"

#include "platform/json/json.h"
#include "platform/text/text.h"

enum { TAG_NAME_BYTES = 100 };

enum err_code tag_find(struct cx *cx, struct db *db, struct str name, int64_t *ret_id)
{
    struct tag_row row;
    bool found;
    TRY(if_found(cx, tag_by_name(cx, db, (struct tag_by_name_in){ cx->account_id, text_lower(cx->arena, str_trim(name)) }, &row), &found));
    *ret_id = found ? row.id : 0;
    return E_OK;
}

enum err_code tag_ensure(struct cx *cx, struct db *db, struct str name, const char *field, int64_t *ret_id)
{
    int64_t added;
    name = str_trim(name);
    if (!name.len || name.len > TAG_NAME_BYTES || str_chr(name, ',') >= 0)
        return fail_field(cx, field, "A tag has 1 to %d bytes and no comma", TAG_NAME_BYTES);
    TRY(tag_find(cx, db, name, ret_id));
    if (*ret_id)
        return E_OK;
    TRY(tag_insert(cx, db, (struct tag_insert_in){ cx->account_id, name, text_lower(cx->arena, name), cx->now_us }, &added));
    TRY(tag_find(cx, db, name, ret_id));
    if (!*ret_id)
        return fail_internal(cx, "the tag cannot be found after it was made");
    return added ? emit_event(cx, db, STR("tag.created"), *ret_id, STR_NONE) : E_OK;
}

static struct str names_json(struct cx *cx, const struct ticket_tag_row *rows, size_t n)
{
    struct buf b = buf_new(cx->arena, 0);
    buf_char(&b, '[');
    for (size_t i = 0; i < n; i++)
        buf_printf(&b, "%s%.*s", i ? "," : "", STR_ARG(json_quote(cx->arena, rows[i].name)));
    buf_char(&b, ']');
    return buf_str(&b);
}

static enum err_code put(struct cx *cx, struct db *db, int64_t ticket_id, const struct list *names, const char *field)
{
    const struct str *items = names->items;
    for (size_t i = 0; i < names->n; i++) {
        int64_t id;
        TRY(tag_ensure(cx, db, items[i], field, &id));
        TRY(ticket_tag_add(cx, db, (struct ticket_tag_add_in){ cx->account_id, ticket_id, id }, NULL));
    }
    return E_OK;
}

static bool names_tag(struct cx *cx, const struct list *names, struct str tag)
{
    const struct str *items = names->items;
    struct str folded = text_lower(cx->arena, tag);
    for (size_t i = 0; i < names->n; i++)
        if (str_eq(text_lower(cx->arena, str_trim(items[i])), folded))
            return true;
    return false;
}

enum err_code tags_change(struct cx *cx, struct db *db, int64_t ticket_id, struct tag_change change, struct changes *c)
{
    struct ticket_tag_row *old, *new;
    size_t nold, nnew;
    struct ticket_tag_list_in of_ticket = { cx->account_id, ids_param(cx->arena, &ticket_id, 1) };
    TRY(ticket_tag_list(cx, db, of_ticket, &old, &nold));
    for (size_t i = 0; i < nold; i++)
        if ((change.set && !names_tag(cx, change.set, old[i].name)) || (change.remove && names_tag(cx, change.remove, old[i].name)))
            TRY(ticket_tag_remove(cx, db, (struct ticket_tag_remove_in){ cx->account_id, ticket_id, old[i].tag_id }, NULL));
    if (change.set)
        TRY(put(cx, db, ticket_id, change.set, "tags"));
    if (change.add)
        TRY(put(cx, db, ticket_id, change.add, "add_tags"));
    TRY(ticket_tag_list(cx, db, of_ticket, &new, &nnew));
    if (nnew > TICKET_TAGS_MAX)
        return fail_field(cx, change.set ? "tags" : "add_tags", "A ticket has at most %d tags", TICKET_TAGS_MAX);
    change_raw(c, "tags", names_json(cx, old, nold), names_json(cx, new, nnew));
    return E_OK;
}

/* ---- routes ---- */

struct tag_out { int64_t id; struct str name; int64_t uses; };
static const struct field tag_fields[] = {
    ID_FIELD(struct tag_out, id, .doc = "Id of the tag"),
    TEXT_FIELD(struct tag_out, name, .doc = "Unique without regard to case"),
    INT_FIELD(struct tag_out, uses, .doc = "Tickets that have it"),
};
static SHAPE(tag_shape, "Tag", struct tag_out, tag_fields);

struct tags_in { struct page_in page; struct str q; };
static const struct field tags_in_fields[] = {
    PAGE_FIELDS(struct tags_in, page),
    TEXT_FIELD(struct tags_in, q, .place = IN_QUERY, .optional = true, .max = 100, .doc = "Part of the name"),
};
struct tag_in { int64_t id; struct str name; };
static const struct field tag_new_fields[] = {
    TEXT_FIELD(struct tag_in, name, .min = 1, .max = TAG_NAME_BYTES, .doc = "The name"),
};
static const struct field tag_patch_fields[] = {
    ID_FIELD(struct tag_in, id, .place = IN_PATH, .doc = "Id of the tag"),
    TEXT_FIELD(struct tag_in, name, .min = 1, .max = TAG_NAME_BYTES, .doc = "The new name"),
};
static const struct field tag_path_fields[] = {
    ID_FIELD(struct tag_in, id, .place = IN_PATH, .doc = "Id of the tag"),
};

static enum err_code tag_load(struct cx *cx, struct db *db, int64_t id, struct tag_out *ret)
{
    struct tag_row row;
    TRY(need_found(cx, tag_get(cx, db, (struct tag_get_in){ cx->account_id, id }, &row), "tag"));
    *ret = (struct tag_out){ row.id, row.name, row.uses };
    return E_OK;
}

HANDLER(tag_page, struct tags_in, struct page_out)
{
    struct tag_list_in which = { .account_id = cx->account_id, .pattern = like_pattern(cx->arena, in->q), .limit = in->page.limit + 1 };
    struct tag_row *rows;
    size_t n;
    if (in->page.cursor.ptr)
        TRY(page_cursor_read_text(cx, in->page.cursor, &which.after));
    TRY(tag_list(cx, db, which, &rows, &n));
    size_t shown = MIN(n, (size_t)in->page.limit);
    struct tag_out *items = NEWN(cx->arena, struct tag_out, shown + 1);
    for (size_t i = 0; i < shown; i++)
        items[i] = (struct tag_out){ rows[i].id, rows[i].name, rows[i].uses };
    out->items = (struct list){ .items = items, .n = shown };
    if (n > shown)
        out->next_cursor = page_cursor_text(cx->arena, rows[shown - 1].name_folded);
    return E_OK;
}

static enum err_code check_free(struct cx *cx, struct db *db, struct str name, int64_t own_id)
{
    int64_t other;
    TRY(tag_find(cx, db, name, &other));
    return other && other != own_id ? fail_field(cx, "name", "There is a tag with this name already") : E_OK;
}

HANDLER(tag_post, struct tag_in, struct tag_out)
{
    int64_t id;
    TRY(check_free(cx, db, in->name, 0));
    TRY(tag_ensure(cx, db, in->name, "name", &id));
    return tag_load(cx, db, id, out);
}

HANDLER(tag_patch, struct tag_in, struct tag_out)
{
    struct tag_out old;
    struct str name = str_trim(in->name);
    TRY(tag_load(cx, db, in->id, &old));
    TRY(check_free(cx, db, name, old.id));
    if (!name.len || str_chr(name, ',') >= 0)
        return fail_field(cx, "name", "A tag has 1 to %d bytes and no comma", TAG_NAME_BYTES);
    TRY(tag_rename(cx, db, (struct tag_rename_in){ cx->account_id, old.id, name, text_lower(cx->arena, name) }, NULL));
    struct changes c = changes_begin(cx);
    change_text(&c, "name", old.name, name);
    TRY(emit_event(cx, db, STR("tag.changed"), old.id, changes_end(&c)));
    return tag_load(cx, db, old.id, out);
}

HANDLER(tag_remove, struct tag_in, struct nothing)
{
    struct tag_out old;
    (void)out;
    TRY(tag_load(cx, db, in->id, &old));
    TRY(ticket_tag_delete_tag(cx, db, (struct ticket_tag_delete_tag_in){ cx->account_id, old.id }, NULL));
    TRY(tag_delete(cx, db, (struct tag_delete_in){ cx->account_id, old.id }, NULL));
    struct changes c = changes_begin(cx);
    change_text(&c, "name", old.name, STR_NONE);
    return emit_event(cx, db, STR("tag.deleted"), old.id, changes_end(&c));
}

static const struct route routes[] = {
    { .method = METHOD_GET, .path = "/api/v1/tags", .summary = "List tags by name", .permission = PERM_TICKET_READ,
      FIELDS(tags_in_fields, struct tags_in), RETURNS_PAGE(&tag_shape), .handler = tag_page },
    { .method = METHOD_POST, .path = "/api/v1/tags", .summary = "Create a tag", .permission = PERM_TAG_WRITE, .creates = true,
      FIELDS(tag_new_fields, struct tag_in), RETURNS(&tag_shape, struct tag_out), .handler = tag_post },
    { .method = METHOD_PATCH, .path = "/api/v1/tags/{id}", .summary = "Rename a tag", .permission = PERM_TAG_WRITE,
      FIELDS(tag_patch_fields, struct tag_in), RETURNS(&tag_shape, struct tag_out), .handler = tag_patch },
    { .method = METHOD_DELETE, .path = "/api/v1/tags/{id}", .summary = "Delete a tag and take it off all tickets",
      .permission = PERM_TAG_WRITE, .no_content = true, FIELDS(tag_path_fields, struct tag_in), .handler = tag_remove },
};
const struct route_table tags_routes = { "tags", routes, COUNT(routes) };
