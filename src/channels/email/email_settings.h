/* email_settings.h - the settings of a mailbox as they come in, for the routes and their tests. */
#ifndef CAIRN_EMAIL_SETTINGS_H
#define CAIRN_EMAIL_SETTINGS_H

#include "channels/email/email_internal.h"

struct incoming_in { struct str kind, host, security, auth, user, password, folder, trusted_host; int64_t port; };
struct outgoing_in { struct str kind, host, security, auth, user, password; int64_t port; };
struct oauth_in { struct str token_url, client_id, client_secret, refresh_token; };
struct dkim_in { struct str domain, selector, key; };
struct mailbox_in {
    int64_t id, mailbox_id, team_id, undo_seconds, backfill_since, expected_version;
    struct str name, address, from_name, signature;         /* ptr NULL: not given, as everywhere here */
    bool active, quote_history, has_team_id, has_active, has_oauth, has_dkim, has_quote_history, has_undo_seconds;
    const void *incoming, *outgoing, *oauth, *dkim;
};
struct em_mailbox email_mailbox_defaults(void);
/* What is given replaces what is there; the whole is checked.  E_INVALID at the field. */
enum err_code email_mailbox_apply(struct cx *cx, struct db *db, const struct email *email, const struct mailbox_in *in,
                                  struct em_mailbox *box) MUST_CHECK;

#endif
