/* contacts_internal.h - what the files of desk/contacts share. */
#ifndef CAIRN_CONTACTS_INTERNAL_H
#define CAIRN_CONTACTS_INTERNAL_H

#include "desk/contacts/contacts.h"

/* "" when it is not an identity of that kind. */
struct str identity_fold(struct arena *arena, struct str kind, struct str value);
/* A new contact without identities; emits contact.created. */
struct contact_new {
    struct str name, language, time_zone, notes, fields;
    int64_t organization_id;
};
enum err_code contact_make(struct cx *cx, struct db *db, const struct contact_new *contact, int64_t *ret_id) MUST_CHECK;
enum err_code organization_of_email(struct cx *cx, struct db *db, struct str email_folded, int64_t *ret_id) MUST_CHECK;
/* E_INVALID at `field` when it is not a JSON object. */
enum err_code check_fields_object(struct cx *cx, struct str json, const char *field) MUST_CHECK;

#endif
