/* contacts_api.c - routes of contacts.  Merging lies in tickets, whose rows move too. */
#include "desk/contacts/contacts_internal.h"

#include "contacts_sql.h"
#include "platform/mail/mail.h"
#include "platform/text/text.h"

static const struct field identity_fields[] = {
    ID_FIELD(struct identity_out, id, .doc = "Id of the identity"),
    TEXT_FIELD(struct identity_out, kind, .doc = "email, phone or external"),
    TEXT_FIELD(struct identity_out, value, .doc = "As first seen"),
    BOOL_FIELD(struct identity_out, primary, .doc = "The one of its kind that is used first"),
};
static SHAPE(identity_shape, "Identity", struct identity_out, identity_fields);

static const struct field contact_fields[] = {
    ID_FIELD(struct contact_out, id, .doc = "Id of the contact"),
    TEXT_FIELD(struct contact_out, name, .doc = "Empty when only an address is known"),
    TEXT_FIELD(struct contact_out, email, .doc = "Primary e-mail address, or empty"),
    LIST_FIELD(struct contact_out, identities, &identity_shape, .doc = "How the contact is recognised"),
    OBJECT_FIELD(struct contact_out, organization, &named_shape, .nullable = true, .doc = "The contact's organization"),
    TEXT_FIELD(struct contact_out, language, .doc = "BCP 47, or empty"),
    TEXT_FIELD(struct contact_out, time_zone, .doc = "IANA name, or empty"),
    TEXT_FIELD(struct contact_out, notes, .doc = "Seen by agents only"),
    JSON_FIELD(struct contact_out, fields, .doc = "Custom fields"),
    BOOL_FIELD(struct contact_out, blocked, .doc = "Mail of this contact is stored as spam"),
    TIME_FIELD(struct contact_out, created_at, .doc = "When it was made"),
    TIME_FIELD(struct contact_out, updated_at, .doc = "Last change"),
    INT_FIELD(struct contact_out, version, .doc = "Grows with every change"),
};
SHAPE(contact_shape, "Contact", struct contact_out, contact_fields);

static struct contact_out contact_of(struct cx *cx, const struct contact_row *row, const struct identity_row *identities, size_t n)
{
    struct identity_out *own = NEWN(cx->arena, struct identity_out, n + 1);
    struct named *organization = NULL;
    size_t nown = 0;
    for (size_t i = 0; i < n; i++)
        if (identities[i].contact_id == row->id)
            own[nown++] = (struct identity_out){ identities[i].id, identities[i].kind, identities[i].value, identities[i].is_primary };
    if (row->organization_id) {
        organization = NEW(cx->arena, struct named);
        *organization = (struct named){ row->organization_id, row->organization_name };
    }
    return (struct contact_out){ .id = row->id, .name = row->name, .email = row->email,
                                 .identities = { .items = own, .n = nown }, .organization = organization,
                                 .language = row->language, .time_zone = row->time_zone, .notes = row->notes,
                                 .fields = row->fields, .blocked = row->blocked, .created_at = row->created_us,
                                 .updated_at = row->updated_us, .version = row->version };
}

enum err_code contacts_load(struct cx *cx, struct db *db, int64_t id, struct contact_out *ret)
{
    struct contact_row row;
    struct identity_row *identities;
    size_t n;
    TRY(need_found(cx, contact_get(cx, db, (struct contact_get_in){ cx->account_id, id }, &row), "contact"));
    if (row.merged_into)
        TRY(need_found(cx, contact_get(cx, db, (struct contact_get_in){ cx->account_id, row.merged_into }, &row), "contact"));
    TRY(identity_list(cx, db, (struct identity_list_in){ cx->account_id, ids_param(cx->arena, &row.id, 1) }, &identities, &n));
    *ret = contact_of(cx, &row, identities, n);
    return E_OK;
}

struct contacts_in { struct page_in page; struct str q, email; int64_t organization_id; };
static const struct field contacts_in_fields[] = {
    PAGE_FIELDS(struct contacts_in, page),
    TEXT_FIELD(struct contacts_in, q, .place = IN_QUERY, .optional = true, .max = 200, .doc = "Part of the name or of an identity"),
    TEXT_FIELD(struct contacts_in, email, .place = IN_QUERY, .optional = true, .max = 254, .doc = "Who has this address"),
    ID_FIELD(struct contacts_in, organization_id, .place = IN_QUERY, .optional = true, .doc = "Only of this organization"),
};

HANDLER(contact_page, struct contacts_in, struct page_out)
{
    struct contact_list_in list = { .account_id = cx->account_id, .pattern = like_pattern(cx->arena, in->q),
                                    .organization_id = in->organization_id, .limit = in->page.limit + 1 };
    struct contact_row *rows;
    struct identity_row *identities;
    size_t n, nidentities;
    if (in->email.ptr)
        list.email_folded = mail_fold_address(cx->arena, in->email);
    if (in->page.cursor.ptr)
        TRY(page_cursor_read(cx, in->page.cursor, &list.before_id, 1));
    TRY(contact_list(cx, db, list, &rows, &n));
    size_t shown = MIN(n, (size_t)in->page.limit);
    int64_t *ids = NEWN(cx->arena, int64_t, shown + 1);
    for (size_t i = 0; i < shown; i++)
        ids[i] = rows[i].id;
    TRY(identity_list(cx, db, (struct identity_list_in){ cx->account_id, ids_param(cx->arena, ids, shown) }, &identities, &nidentities));
    struct contact_out *items = NEWN(cx->arena, struct contact_out, shown + 1);
    for (size_t i = 0; i < shown; i++)
        items[i] = contact_of(cx, &rows[i], identities, nidentities);
    out->items = (struct list){ .items = items, .n = shown };
    if (n > shown)
        out->next_cursor = page_cursor(cx->arena, &ids[shown - 1], 1);
    return E_OK;
}

struct identity_in { struct str kind, value; };
static const char *const identity_kinds[] = { "email", "phone", "external", NULL };
static const struct field identity_in_fields[] = {
    TEXT_FIELD(struct identity_in, kind, .choices = identity_kinds, .max = 20, .doc = "Kind of identity"),
    TEXT_FIELD(struct identity_in, value, .min = 1, .max = 254, .doc = "Address, number or id elsewhere"),
};
static SHAPE(identity_in_shape, "NewIdentity", struct identity_in, identity_in_fields);

struct contact_in {
    int64_t id, organization_id, expected_version;
    struct str name, email, phone, language, time_zone, notes, fields;
    struct list add_identities, remove_identity_ids;
    bool has_organization_id, blocked, has_blocked;
};
#define CONTACT_DETAILS                                                                                                   \
    TEXT_FIELD(struct contact_in, name, .optional = true, .max = 200, .doc = "Name of the person"),                       \
    TEXT_FIELD(struct contact_in, email, .optional = true, .min = 3, .max = 254, .doc = "Becomes the primary e-mail address"), \
    TEXT_FIELD(struct contact_in, phone, .optional = true, .min = 3, .max = 40, .doc = "Becomes the primary phone number"), \
    ID_FIELD(struct contact_in, organization_id, .nullable = true, HAS(struct contact_in, has_organization_id),           \
             .doc = "Organization of the person"),                                                                        \
    TEXT_FIELD(struct contact_in, language, .optional = true, .max = 35, .doc = "BCP 47"),                                \
    TEXT_FIELD(struct contact_in, time_zone, .optional = true, .max = 64, .doc = "IANA name"),                            \
    TEXT_FIELD(struct contact_in, notes, .optional = true, .max = 20000, .multiline = true, .doc = "Seen by agents only"), \
    JSON_FIELD(struct contact_in, fields, .optional = true, .max = 32768, .doc = "Custom fields, all of them")
static const struct field contact_path_fields[] = {
    ID_FIELD(struct contact_in, id, .place = IN_PATH, .doc = "Id of the contact"),
};
static const struct field contact_new_fields[] = { CONTACT_DETAILS };
static const struct field contact_patch_fields[] = {
    ID_FIELD(struct contact_in, id, .place = IN_PATH, .doc = "Id of the contact"),
    CONTACT_DETAILS,
    BOOL_FIELD(struct contact_in, blocked, HAS(struct contact_in, has_blocked), .doc = "Mail of this contact is stored as spam"),
    LIST_FIELD(struct contact_in, add_identities, &identity_in_shape, .optional = true, .max = 20, .doc = "Identities to add"),
    IDS_FIELD(struct contact_in, remove_identity_ids, .optional = true, .max = 20, .doc = "Identities to take away"),
    INT_FIELD(struct contact_in, expected_version, .optional = true, .doc = "Refuse when it has another version"),
};

HANDLER(contact_read, struct contact_in, struct contact_out)
{
    return contacts_load(cx, db, in->id, out);
}

static enum err_code set_identity(struct cx *cx, struct db *db, int64_t contact_id, struct str kind, struct str value, bool primary,
                                  const char *field)
{
    struct contact_found_row owner;
    struct identity_row *rows;
    bool found;
    size_t n, of_kind = 0;
    struct str folded = identity_fold(cx->arena, kind, value);
    if (!folded.len)
        return fail_field(cx, field, "\"%.*s\" is not an identity of the kind %.*s", STR_ARG(utf8_cut(value, 200)), STR_ARG(kind));
    TRY(if_found(cx, contact_by_identity(cx, db, (struct contact_by_identity_in){ cx->account_id, kind, folded }, &owner), &found));
    if (found && owner.id != contact_id)
        return fail_field(cx, field, "The contact %lld has this identity", (long long)owner.id);
    if (!found)
        TRY(identity_insert(cx, db,
                            (struct identity_insert_in){ cx->account_id, contact_id, kind, value, folded, false, cx->now_us }, NULL));
    TRY(identity_list(cx, db, (struct identity_list_in){ cx->account_id, ids_param(cx->arena, &contact_id, 1) }, &rows, &n));
    for (size_t i = 0; i < n; i++)
        of_kind += str_eq(rows[i].kind, kind);
    for (size_t i = 0; i < n; i++)
        if ((primary || of_kind == 1) && str_eq(rows[i].kind, kind) && str_eq(rows[i].value_folded, folded))
            return identity_set_primary(cx, db, (struct identity_set_primary_in){ cx->account_id, contact_id, kind, rows[i].id }, NULL);
    return E_OK;
}

static enum err_code remove_identity(struct cx *cx, struct db *db, int64_t contact_id, int64_t identity_id)
{
    struct identity_row *rows;
    size_t n, gone = SIZE_MAX;
    TRY(identity_list(cx, db, (struct identity_list_in){ cx->account_id, ids_param(cx->arena, &contact_id, 1) }, &rows, &n));
    for (size_t i = 0; i < n; i++)
        if (rows[i].id == identity_id)
            gone = i;
    if (gone == SIZE_MAX)
        return fail_field(cx, "remove_identity_ids", "The contact has no identity %lld", (long long)identity_id);
    TRY(identity_delete(cx, db, (struct identity_delete_in){ cx->account_id, contact_id, identity_id }, NULL));
    for (size_t i = 0; i < n && rows[gone].is_primary; i++)
        if (i != gone && str_eq(rows[i].kind, rows[gone].kind))
            return identity_set_primary(cx, db,
                                        (struct identity_set_primary_in){ cx->account_id, contact_id, rows[i].kind, rows[i].id }, NULL);
    return E_OK;
}

static enum err_code check_organization(struct cx *cx, struct db *db, int64_t id)
{
    struct organization_row row;
    bool found = true;
    if (id)
        TRY(if_found(cx, organization_get(cx, db, (struct organization_get_in){ cx->account_id, id }, &row), &found));
    return found ? E_OK : fail_field(cx, "organization_id", "There is no organization with this id");
}

static enum err_code set_named_identities(struct cx *cx, struct db *db, int64_t id, const struct contact_in *in)
{
    if (in->email.ptr)
        TRY(set_identity(cx, db, id, STR("email"), in->email, true, "email"));
    if (in->phone.ptr)
        TRY(set_identity(cx, db, id, STR("phone"), in->phone, true, "phone"));
    return E_OK;
}

HANDLER(contact_post, struct contact_in, struct contact_out)
{
    struct contact_new new = { .name = str_trim(in->name), .language = in->language, .time_zone = in->time_zone,
                               .notes = in->notes, .fields = in->fields, .organization_id = in->organization_id };
    int64_t id;
    if (!new.name.len && !in->email.ptr && !in->phone.ptr)
        return fail_field(cx, "name", "Give a name, an e-mail address or a phone number");
    TRY(check_organization(cx, db, in->organization_id));
    if (in->fields.ptr)
        TRY(check_fields_object(cx, in->fields, "fields"));
    if (in->email.ptr && !in->has_organization_id)
        TRY(organization_of_email(cx, db, mail_fold_address(cx->arena, in->email), &new.organization_id));
    TRY(contact_make(cx, db, &new, &id));
    TRY(set_named_identities(cx, db, id, in));
    TRY(emit_event(cx, db, STR("contact.created"), id, STR_NONE));
    return contacts_load(cx, db, id, out);
}

static struct str either(struct str new, struct str old)
{
    return new.ptr ? new : old;
}

HANDLER(contact_patch, struct contact_in, struct contact_out)
{
    struct contact_row old;
    TRY(need_found(cx, contact_get(cx, db, (struct contact_get_in){ cx->account_id, in->id }, &old), "contact"));
    if (version_differs(cx, in->expected_version, old.version)) {
        TRY(contacts_load(cx, db, in->id, out));
        return fail_version(cx, &contact_shape, out);
    }
    if (old.merged_into)
        return fail(cx, E_CONFLICT, "This contact is merged into the contact %lld", (long long)old.merged_into);
    if (in->fields.ptr)
        TRY(check_fields_object(cx, in->fields, "fields"));
    struct contact_update_in up = {
        .account_id = cx->account_id, .id = old.id, .name = either(in->name, old.name), .language = either(in->language, old.language),
        .time_zone = either(in->time_zone, old.time_zone), .notes = either(in->notes, old.notes),
        .fields = either(in->fields, old.fields), .blocked = in->has_blocked ? in->blocked : old.blocked,
        .organization_id = in->has_organization_id ? in->organization_id : old.organization_id, .now = cx->now_us };
    up.name_folded = text_lower(cx->arena, up.name);
    TRY(check_organization(cx, db, up.organization_id));
    const int64_t *gone = in->remove_identity_ids.items;
    for (size_t i = 0; i < in->remove_identity_ids.n; i++)
        TRY(remove_identity(cx, db, old.id, gone[i]));
    const struct identity_in *added = in->add_identities.items;
    for (size_t i = 0; i < in->add_identities.n; i++)
        TRY(set_identity(cx, db, old.id, added[i].kind, added[i].value, false, "add_identities"));
    TRY(set_named_identities(cx, db, old.id, in));
    TRY(contact_update(cx, db, up, NULL));
    struct changes c = changes_begin(cx);
    change_text(&c, "name", old.name, up.name);
    change_id(&c, "organization_id", old.organization_id, up.organization_id);
    change_text(&c, "language", old.language, up.language);
    change_text(&c, "time_zone", old.time_zone, up.time_zone);
    change_text(&c, "notes", old.notes, up.notes);
    change_raw(&c, "fields", old.fields, up.fields);
    change_bool(&c, "blocked", old.blocked, up.blocked);
    change_bool(&c, "identities_changed", false,
                in->remove_identity_ids.n || in->add_identities.n || in->email.ptr || in->phone.ptr);
    TRY(emit_event(cx, db, STR("contact.changed"), old.id, changes_end(&c)));
    return contacts_load(cx, db, old.id, out);
}

static const struct route routes[] = {
    { .method = METHOD_GET, .path = "/api/v1/contacts", .summary = "List contacts, newest first", .permission = PERM_CONTACT_READ,
      .lane = LANE_SLOW, FIELDS(contacts_in_fields, struct contacts_in), RETURNS_PAGE(&contact_shape), .handler = contact_page },
    { .method = METHOD_POST, .path = "/api/v1/contacts", .summary = "Create a contact", .permission = PERM_CONTACT_WRITE,
      .creates = true, FIELDS(contact_new_fields, struct contact_in), RETURNS(&contact_shape, struct contact_out),
      .handler = contact_post },
    { .method = METHOD_GET, .path = "/api/v1/contacts/{id}", .summary = "Read a contact", .permission = PERM_CONTACT_READ,
      .doc = "The id of a merged contact gives the contact that took it over.", FIELDS(contact_path_fields, struct contact_in),
      RETURNS(&contact_shape, struct contact_out), ETAG(struct contact_out, version), .handler = contact_read },
    { .method = METHOD_PATCH, .path = "/api/v1/contacts/{id}", .summary = "Change a contact", .permission = PERM_CONTACT_WRITE,
      FIELDS(contact_patch_fields, struct contact_in), RETURNS(&contact_shape, struct contact_out),
      ETAG(struct contact_out, version), .handler = contact_patch },
};
const struct route_table contacts_routes = { "contacts", routes, COUNT(routes) };
