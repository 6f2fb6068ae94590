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

extern const struct route_table contacts_routes, organizations_routes;

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
    const void *organization;           /* struct named, or NULL */
};
enum err_code contacts_brief(struct cx *cx, struct db *db, int64_t id, struct contact_brief *ret) MUST_CHECK;
/* Of several at once, in any order; ids that do not exist are left out. */
enum err_code contacts_briefs(struct cx *cx, struct db *db, const int64_t *ids, size_t n, struct contact_brief **ret, size_t *ret_n) MUST_CHECK;

/* The whole contact as the API shows it; a merged one gives the contact that took it over. */
struct contact_out {
    int64_t id;
    struct str name, email;
    struct list identities;             /* struct identity_out */
    const void *organization;           /* struct named, or NULL */
    struct str language, time_zone, notes, fields;
    bool blocked;
    int64_t created_at, updated_at, version;
};
struct identity_out {
    int64_t id;
    struct str kind, value;
    bool primary;
};
extern const struct shape contact_shape;
enum err_code contacts_load(struct cx *cx, struct db *db, int64_t id, struct contact_out *ret) MUST_CHECK;

/* `from` gives its identities to `into` and points to it from now on.  The tickets move by the module tickets, which owns
 * the route.  E_NOT_FOUND, or E_INVALID at "into_id". */
enum err_code contacts_merge(struct cx *cx, struct db *db, int64_t from, int64_t into) MUST_CHECK;

#endif
