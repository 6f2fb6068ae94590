/*
 * contacts.h - customers: people with identities, and their organizations.
 *
 * Owns contact, contact_identity, organization and organization_domain.  Emits
 * contact.created, contact.changed, contact.merged, organization.created and
 * organization.changed.
 */
#ifndef CAIRN_CONTACTS_H
#define CAIRN_CONTACTS_H

#include "desk/accounts/accounts.h"

extern const struct route_table contacts_routes;

struct contact {
    int64_t id, organization_id;
    struct str name, email;             /* email: the primary one, "" none */
    bool blocked;
};
/* Finds by identity or makes the contact; a name fills an empty one only.  email must be valid: E_INVALID at `field`.
 * The e-mail domain puts a new contact into an organization that lists it. */
enum err_code contacts_by_email(struct cx *cx, struct db *db, struct str email, struct str name, const char *field, struct contact *ret) MUST_CHECK;
bool contacts_find_by_email(struct cx *cx, struct db *db, struct str email, struct contact *ret);
enum err_code contacts_get(struct cx *cx, struct db *db, int64_t id, struct contact *ret) MUST_CHECK;

/* API shape that tickets embed: id, name, email, organization {id, name}. */
extern const struct shape contact_brief_shape;
struct contact_brief {
    int64_t id;
    struct str name, email;
    int64_t organization_id;
    struct str organization_name;
};
enum err_code contacts_brief(struct cx *cx, struct db *db, int64_t id, struct contact_brief *ret) MUST_CHECK;

#endif
