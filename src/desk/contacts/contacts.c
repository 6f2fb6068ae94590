/* contacts.c - finding and making contacts by their identities. */
#include "desk/contacts/contacts_internal.h"

#include "contacts_sql.h"
#include "platform/json/json.h"
#include "platform/mail/mail.h"
#include "platform/text/text.h"

struct str identity_fold(struct arena *arena, struct str kind, struct str value)
{
    if (str_is(kind, "email"))
        return mail_address_valid(value) ? mail_fold_address(arena, value) : STR("");
    if (!str_is(kind, "phone"))
        return str_trim(value);
    /* Digits count: "+44 20 7946 0958" is "442079460958". */
    struct buf b = buf_new(arena, 0);
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c >= '0' && c <= '9')
            buf_char(&b, c);
        else if (!strchr("+ -./()", c))
            return STR("");
    }
    return b.len >= 3 && b.len <= 20 ? buf_str(&b) : STR("");
}

enum err_code check_fields_object(struct cx *cx, struct str json, const char *field)
{
    struct json_value value;
    TRY(json_parse(cx, json, &value));
    return value.kind == JSON_OBJECT ? E_OK : fail_field(cx, field, "This is an object");
}

static struct contact contact_of(const struct contact_found_row *row)
{
    return (struct contact){ .id = row->id, .organization_id = row->organization_id, .name = row->name, .email = row->email,
                             .blocked = row->blocked };
}

static enum err_code find(struct cx *cx, struct db *db, struct str email_folded, struct contact *ret, bool *ret_found)
{
    struct contact_found_row row;
    TRY(if_found(cx, contact_by_identity(cx, db, (struct contact_by_identity_in){ cx->account_id, STR("email"), email_folded }, &row),
                 ret_found));
    if (*ret_found)
        *ret = contact_of(&row);
    return E_OK;
}

bool contacts_find_by_email(struct cx *cx, struct db *db, struct str email, struct contact *ret)
{
    struct str folded = mail_fold_address(cx->arena, email);
    bool found = false;
    return folded.len && find(cx, db, folded, ret, &found) == E_OK && found;
}

enum err_code contacts_get(struct cx *cx, struct db *db, int64_t id, struct contact *ret)
{
    struct contact_row row;
    TRY(need_found(cx, contact_get(cx, db, (struct contact_get_in){ cx->account_id, id }, &row), "contact"));
    *ret = (struct contact){ .id = row.id, .organization_id = row.organization_id, .name = row.name, .email = row.email,
                             .blocked = row.blocked };
    return E_OK;
}

enum err_code organization_of_email(struct cx *cx, struct db *db, struct str email_folded, int64_t *ret_id)
{
    struct organization_domain_row row;
    bool found;
    *ret_id = 0;
    struct str domain = str_skip(email_folded, (size_t)(str_rchr(email_folded, '@') + 1));
    TRY(if_found(cx, organization_of_domain(cx, db, (struct organization_of_domain_in){ cx->account_id, domain }, &row), &found));
    if (found)
        *ret_id = row.organization_id;
    return E_OK;
}

enum err_code contact_make(struct cx *cx, struct db *db, const struct contact_new *contact, int64_t *ret_id)
{
    struct contact_id_row made;
    TRY(contact_insert(cx, db,
                       (struct contact_insert_in){ .account_id = cx->account_id, .name = contact->name,
                                                   .name_folded = text_lower(cx->arena, contact->name),
                                                   .organization_id = contact->organization_id, .language = contact->language,
                                                   .time_zone = contact->time_zone, .notes = contact->notes,
                                                   .fields = contact->fields.len ? contact->fields : STR("{}"),
                                                   .now = cx->now_us },
                       &made));
    *ret_id = made.id;
    return E_OK;
}

static enum err_code make_by_email(struct cx *cx, struct db *db, struct str email, struct str folded, struct str name, struct contact *ret)
{
    struct contact_new new = { .name = name };
    int64_t id, added;
    TRY(organization_of_email(cx, db, folded, &new.organization_id));
    TRY(contact_make(cx, db, &new, &id));
    TRY(identity_insert(cx, db,
                        (struct identity_insert_in){ cx->account_id, id, STR("email"), email, folded, true, cx->now_us }, &added));
    if (added) {
        *ret = (struct contact){ .id = id, .organization_id = new.organization_id, .name = name, .email = email };
        return emit_event(cx, db, STR("contact.created"), id, STR_NONE);
    }
    /* PostgreSQL: another unit made the same contact and committed since we looked. */
    bool found;
    TRY(contact_delete_new(cx, db, (struct contact_delete_new_in){ cx->account_id, id }, NULL));
    TRY(find(cx, db, folded, ret, &found));
    return found ? E_OK : fail_busy(cx, "The contact is being made by someone else");
}

enum err_code contacts_by_email(struct cx *cx, struct db *db, struct str email, struct str name, const char *field, struct contact *ret)
{
    bool found;
    if (!mail_address_valid(email))
        return fail_field(cx, field, "\"%.*s\" is not an e-mail address", STR_ARG(utf8_cut(email, 200)));
    struct str folded = mail_fold_address(cx->arena, email);
    name = utf8_cut(str_trim(name), 200);
    TRY(find(cx, db, folded, ret, &found));
    if (!found)
        return make_by_email(cx, db, email, folded, name, ret);
    if (ret->name.len || !name.len)
        return E_OK;
    ret->name = name;
    TRY(contact_set_name(cx, db,
                         (struct contact_set_name_in){ cx->account_id, ret->id, name, text_lower(cx->arena, name), cx->now_us }, NULL));
    struct changes c = changes_begin(cx);
    change_text(&c, "name", STR(""), name);
    return emit_event(cx, db, STR("contact.changed"), ret->id, changes_end(&c));
}

/* ---- briefs ---- */

static const struct field brief_fields[] = {
    ID_FIELD(struct contact_brief, id, .doc = "Id of the contact"),
    TEXT_FIELD(struct contact_brief, name, .doc = "Empty when only an address is known"),
    TEXT_FIELD(struct contact_brief, email, .doc = "Primary e-mail address, or empty"),
    OBJECT_FIELD(struct contact_brief, organization, &named_shape, .nullable = true, .doc = "The contact's organization"),
};
SHAPE(contact_brief_shape, "ContactBrief", struct contact_brief, brief_fields);

enum err_code contacts_briefs(struct cx *cx, struct db *db, const int64_t *ids, size_t n, struct contact_brief **ret, size_t *ret_n)
{
    struct contact_brief_row *rows;
    TRY(contact_brief_list(cx, db, (struct contact_brief_list_in){ cx->account_id, ids_param(cx->arena, ids, n) }, &rows, ret_n));
    *ret = NEWN(cx->arena, struct contact_brief, *ret_n + 1);
    for (size_t i = 0; i < *ret_n; i++) {
        struct named *organization = NULL;
        if (rows[i].organization_id) {
            organization = NEW(cx->arena, struct named);
            *organization = (struct named){ rows[i].organization_id, rows[i].organization_name };
        }
        (*ret)[i] = (struct contact_brief){ rows[i].id, rows[i].name, rows[i].email, organization };
    }
    return E_OK;
}

enum err_code contacts_brief(struct cx *cx, struct db *db, int64_t id, struct contact_brief *ret)
{
    struct contact_brief *found;
    size_t n;
    TRY(contacts_briefs(cx, db, &id, 1, &found, &n));
    if (n == 0)
        return fail(cx, E_NOT_FOUND, "There is no such contact");
    *ret = found[0];
    return E_OK;
}

/* ---- merging ---- */

static enum err_code ensure_primaries(struct cx *cx, struct db *db, int64_t contact_id)
{
    struct identity_row *rows;
    size_t n;
    TRY(identity_list(cx, db, (struct identity_list_in){ cx->account_id, ids_param(cx->arena, &contact_id, 1) }, &rows, &n));
    for (size_t i = 0; i < n; i++) {
        bool has_primary = false, first = true;
        for (size_t k = 0; k < n; k++)
            if (str_eq(rows[k].kind, rows[i].kind)) {
                has_primary |= rows[k].is_primary;
                first &= k >= i;
            }
        if (first && !has_primary)
            TRY(identity_set_primary(cx, db,
                                     (struct identity_set_primary_in){ cx->account_id, contact_id, rows[i].kind, rows[i].id }, NULL));
    }
    return E_OK;
}

enum err_code contacts_merge(struct cx *cx, struct db *db, int64_t from, int64_t into)
{
    struct contact_row source, target;
    bool found;
    TRY(need_found(cx, contact_get(cx, db, (struct contact_get_in){ cx->account_id, from }, &source), "contact"));
    TRY(if_found(cx, contact_get(cx, db, (struct contact_get_in){ cx->account_id, into }, &target), &found));
    if (!found || target.merged_into)
        return fail_field(cx, "into_id", "There is no contact with this id to merge into");
    if (from == into)
        return fail_field(cx, "into_id", "A contact cannot be merged into itself");
    if (source.merged_into)
        return fail(cx, E_CONFLICT, "This contact is merged into another one already");
    TRY(identity_move(cx, db, (struct identity_move_in){ cx->account_id, from, into }, NULL));
    TRY(ensure_primaries(cx, db, into));
    TRY(contact_set_merged(cx, db, (struct contact_set_merged_in){ cx->account_id, from, into, cx->now_us }, NULL));
    if (!target.name.len && source.name.len)
        TRY(contact_set_name(cx, db,
                             (struct contact_set_name_in){ cx->account_id, into, source.name, text_lower(cx->arena, source.name),
                                                           cx->now_us },
                             NULL));
    struct str data = arena_printf(cx->arena, "{\"into_id\":\"%lld\"}", (long long)into);
    return emit_event(cx, db, STR("contact.merged"), from, data);
}
