/* contacts_organizations_api.c - routes of organizations. */
#include "desk/contacts/contacts_internal.h"

#include "contacts_sql.h"
#include "platform/text/text.h"

struct organization_out {
    int64_t id;
    struct str name;
    struct list domains;            /* struct str */
    struct str notes, fields;
    int64_t created_at, updated_at, version;
};
static const struct field organization_fields[] = {
    ID_FIELD(struct organization_out, id, .doc = "Id of the organization"),
    TEXT_FIELD(struct organization_out, name, .doc = "Its name"),
    TEXTS_FIELD(struct organization_out, domains, .doc = "New contacts with an address there join it"),
    TEXT_FIELD(struct organization_out, notes, .doc = "Seen by agents only"),
    JSON_FIELD(struct organization_out, fields, .doc = "Custom fields"),
    TIME_FIELD(struct organization_out, created_at, .doc = "When it was made"),
    TIME_FIELD(struct organization_out, updated_at, .doc = "Last change"),
    INT_FIELD(struct organization_out, version, .doc = "Grows with every change"),
};
static SHAPE(organization_shape, "Organization", struct organization_out, organization_fields);

static struct organization_out organization_of(struct cx *cx, const struct organization_row *row,
                                               const struct organization_domain_row *domains, size_t n)
{
    struct str *own = NEWN(cx->arena, struct str, n + 1);
    size_t nown = 0;
    for (size_t i = 0; i < n; i++)
        if (domains[i].organization_id == row->id)
            own[nown++] = domains[i].domain;
    return (struct organization_out){ row->id, row->name, { .items = own, .n = nown }, row->notes, row->fields,
                                      row->created_us, row->updated_us, row->version };
}

static enum err_code domains_of(struct cx *cx, struct db *db, const int64_t *ids, size_t n, struct organization_domain_row **ret,
                                size_t *ret_n)
{
    return organization_domain_list(cx, db, (struct organization_domain_list_in){ cx->account_id, ids_param(cx->arena, ids, n) },
                                    ret, ret_n);
}

static enum err_code organization_load(struct cx *cx, struct db *db, int64_t id, struct organization_out *ret)
{
    struct organization_row row;
    struct organization_domain_row *domains;
    size_t n;
    TRY(need_found(cx, organization_get(cx, db, (struct organization_get_in){ cx->account_id, id }, &row), "organization"));
    TRY(domains_of(cx, db, &row.id, 1, &domains, &n));
    *ret = organization_of(cx, &row, domains, n);
    return E_OK;
}

struct organizations_in { struct page_in page; struct str q; };
static const struct field organizations_in_fields[] = {
    PAGE_FIELDS(struct organizations_in, page),
    TEXT_FIELD(struct organizations_in, q, .place = IN_QUERY, .optional = true, .max = 200, .doc = "Part of the name or of a domain"),
};

HANDLER(organization_page, struct organizations_in, struct page_out)
{
    int64_t before = 0;
    struct organization_row *rows;
    struct organization_domain_row *domains;
    size_t n, ndomains;
    if (in->page.cursor.ptr)
        TRY(page_cursor_read(cx, in->page.cursor, &before, 1));
    TRY(organization_list(cx, db,
                          (struct organization_list_in){ cx->account_id, like_pattern(cx->arena, in->q), before, in->page.limit + 1 },
                          &rows, &n));
    size_t shown = MIN(n, (size_t)in->page.limit);
    int64_t *ids = NEWN(cx->arena, int64_t, shown + 1);
    for (size_t i = 0; i < shown; i++)
        ids[i] = rows[i].id;
    TRY(domains_of(cx, db, ids, shown, &domains, &ndomains));
    struct organization_out *items = NEWN(cx->arena, struct organization_out, shown + 1);
    for (size_t i = 0; i < shown; i++)
        items[i] = organization_of(cx, &rows[i], domains, ndomains);
    out->items = (struct list){ .items = items, .n = shown };
    if (n > shown)
        out->next_cursor = page_cursor(cx->arena, &ids[shown - 1], 1);
    return E_OK;
}

struct organization_in {
    int64_t id, expected_version;
    struct str name, notes, fields;
    struct list domains;
};
#define ORGANIZATION_DETAILS                                                                                               \
    TEXTS_FIELD(struct organization_in, domains, .optional = true, .max = 100, .doc = "All its e-mail domains"),           \
    TEXT_FIELD(struct organization_in, notes, .optional = true, .max = 20000, .multiline = true, .doc = "Seen by agents only"), \
    JSON_FIELD(struct organization_in, fields, .optional = true, .max = 32768, .doc = "Custom fields, all of them")
static const struct field organization_path_fields[] = {
    ID_FIELD(struct organization_in, id, .place = IN_PATH, .doc = "Id of the organization"),
};
static const struct field organization_new_fields[] = {
    TEXT_FIELD(struct organization_in, name, .min = 1, .max = 200, .doc = "Its name"),
    ORGANIZATION_DETAILS,
};
static const struct field organization_patch_fields[] = {
    ID_FIELD(struct organization_in, id, .place = IN_PATH, .doc = "Id of the organization"),
    TEXT_FIELD(struct organization_in, name, .optional = true, .min = 1, .max = 200, .doc = "Its name"),
    ORGANIZATION_DETAILS,
    INT_FIELD(struct organization_in, expected_version, .optional = true, .doc = "Refuse when it has another version"),
};

HANDLER(organization_read, struct organization_in, struct organization_out)
{
    return organization_load(cx, db, in->id, out);
}

static bool is_domain(struct str s)
{
    if (s.len < 3 || s.len > 253 || str_chr(s, '.') <= 0 || str_ends(s, STR(".")) || str_find(s, STR("..")) >= 0)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] <= ' ' || strchr("@/\\:,;<>()[]\"", s.ptr[i]))
            return false;
    return true;
}

static enum err_code set_domains(struct cx *cx, struct db *db, int64_t id, const struct list *domains)
{
    const struct str *items = domains->items;
    TRY(organization_domain_clear(cx, db, (struct organization_domain_clear_in){ cx->account_id, id }, NULL));
    for (size_t i = 0; i < domains->n; i++) {
        struct str domain = text_lower(cx->arena, str_trim(items[i]));
        struct organization_domain_row owner;
        int64_t added;
        if (!is_domain(domain))
            return fail_field(cx, "domains", "\"%.*s\" is not a domain", STR_ARG(utf8_cut(items[i], 200)));
        TRY(organization_domain_add(cx, db, (struct organization_domain_add_in){ cx->account_id, domain, id }, &added));
        if (added)
            continue;
        TRY(organization_of_domain(cx, db, (struct organization_of_domain_in){ cx->account_id, domain }, &owner));
        if (owner.organization_id != id)
            return fail_field(cx, "domains", "The organization %lld has the domain %.*s", (long long)owner.organization_id,
                              STR_ARG(domain));
    }
    return E_OK;
}

HANDLER(organization_post, struct organization_in, struct organization_out)
{
    struct contact_id_row made;
    if (in->fields.ptr)
        TRY(check_fields_object(cx, in->fields, "fields"));
    TRY(organization_insert(cx, db,
                            (struct organization_insert_in){ cx->account_id, in->name, in->notes,
                                                             in->fields.ptr ? in->fields : STR("{}"), cx->now_us },
                            &made));
    TRY(set_domains(cx, db, made.id, &in->domains));
    TRY(emit_event(cx, db, STR("organization.created"), made.id, STR_NONE));
    return organization_load(cx, db, made.id, out);
}

HANDLER(organization_patch, struct organization_in, struct organization_out)
{
    struct organization_out old;
    TRY(organization_load(cx, db, in->id, &old));
    if (version_differs(cx, in->expected_version, old.version))
        return fail_version(cx, &organization_shape, &old);
    if (in->fields.ptr)
        TRY(check_fields_object(cx, in->fields, "fields"));
    struct organization_update_in up = { cx->account_id, old.id, in->name.ptr ? in->name : old.name,
                                         in->notes.ptr ? in->notes : old.notes, in->fields.ptr ? in->fields : old.fields, cx->now_us };
    TRY(organization_update(cx, db, up, NULL));
    if (in->domains.given)
        TRY(set_domains(cx, db, old.id, &in->domains));
    struct changes c = changes_begin(cx);
    change_text(&c, "name", old.name, up.name);
    change_text(&c, "notes", old.notes, up.notes);
    change_raw(&c, "fields", old.fields, up.fields);
    change_bool(&c, "domains_changed", false, in->domains.given);
    TRY(emit_event(cx, db, STR("organization.changed"), old.id, changes_end(&c)));
    return organization_load(cx, db, old.id, out);
}

static const struct route routes[] = {
    { .method = METHOD_GET, .path = "/api/v1/organizations", .summary = "List organizations, newest first",
      .permission = PERM_CONTACT_READ, FIELDS(organizations_in_fields, struct organizations_in), RETURNS_PAGE(&organization_shape),
      .handler = organization_page },
    { .method = METHOD_POST, .path = "/api/v1/organizations", .summary = "Create an organization", .permission = PERM_CONTACT_WRITE,
      .creates = true, FIELDS(organization_new_fields, struct organization_in),
      RETURNS(&organization_shape, struct organization_out), .handler = organization_post },
    { .method = METHOD_GET, .path = "/api/v1/organizations/{id}", .summary = "Read an organization", .permission = PERM_CONTACT_READ,
      FIELDS(organization_path_fields, struct organization_in), RETURNS(&organization_shape, struct organization_out),
      ETAG(struct organization_out, version), .handler = organization_read },
    { .method = METHOD_PATCH, .path = "/api/v1/organizations/{id}", .summary = "Change an organization",
      .permission = PERM_CONTACT_WRITE, FIELDS(organization_patch_fields, struct organization_in),
      RETURNS(&organization_shape, struct organization_out), ETAG(struct organization_out, version), .handler = organization_patch },
};
const struct route_table organizations_routes = { "organizations", routes, COUNT(routes) };
