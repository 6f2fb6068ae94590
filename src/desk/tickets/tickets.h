/*
 * tickets.h - customer issues from first contact to resolution.
 *
 * Owns tag, ticket, ticket_tag, ticket_participant, ticket_count, message and
 * attachment.  Emits ticket.created, ticket.changed (data: {"field": [old, new]}),
 * ticket.reopened, ticket.merged, message.created, message.changed (delivery),
 * tag.created, tag.changed.
 *
 * Rules of the statuses (glossary): a customer's message on a pending, on-hold or
 * resolved ticket opens it (reopened when it was resolved); closed is final: a
 * later message becomes a linked follow-up ticket.  A public reply by an agent
 * makes a new ticket open.  Automatic messages never change the status.
 */
#ifndef CAIRN_TICKETS_H
#define CAIRN_TICKETS_H

#include "desk/contacts/contacts.h"
#include "platform/jobs/jobs.h"

extern const struct route_table tickets_routes, messages_routes, tags_routes, attachments_routes, events_routes, merge_routes;

/* ---- what channels and the API do to tickets; all inside a write unit ---- */

struct new_attachment {
    struct str file_name, content_type, hash, content_id;
    int64_t size_bytes;
    bool inline_part;
};

struct new_message {
    bool internal;
    struct str author_kind;             /* "contact", "user", "system" */
    int64_t author_id;
    struct str channel;                 /* "email", "web", "api", "import" */
    bool automatic;
    struct str subject, text, html;     /* html already cleaned; ptr NULL: none */
    struct str quoted_text, quoted_html;/* ptr NULL: none */
    struct str addresses;               /* JSON object {"from", "to", "cc", "bcc"}; "" = {} */
    int64_t mail_id;
    struct str delivery;                /* "none" for inbound and notes; "held"/"queued" for mail out */
    int64_t send_at_us;
    int64_t created_us;                 /* 0: cx->now_us.  Imports give the mail's date */
    struct str then_status;             /* the ticket's status after it; "" by the rules alone */
    const struct new_attachment *attachments;   /* already in the blob store */
    size_t nattachments;
    const int64_t *attachment_ids;      /* or uploaded before: must be unused and the user's own */
    size_t nattachment_ids;
};

struct new_ticket {
    struct str subject;                 /* "" becomes "(no subject)" */
    int64_t requester_id;
    struct str status, priority, severity, type, channel;   /* "" = new, normal, none, question, "api" */
    int64_t team_id, assignee_id, mailbox_id, follow_up_of;
    bool spam;
    struct str fields;                  /* JSON object; "" = {} */
    const struct str *tags;
    size_t ntags;
    int64_t created_us;                 /* 0: cx->now_us */
    struct new_message message;         /* the first one */
};

struct ticket_made { int64_t ticket_id, number, message_id, version; };

enum err_code tickets_create(struct cx *cx, struct db *db, const struct new_ticket *ticket, struct ticket_made *ret) MUST_CHECK;

/* Adds a message under the status rules.  On a closed ticket a customer's message makes a follow-up, whose id is in *ret;
 * on a merged one it goes to the target. */
enum err_code tickets_add_message(struct cx *cx, struct db *db, int64_t ticket_id, const struct new_message *message, struct ticket_made *ret) MUST_CHECK;

/* The state of an outgoing message changed: updates it and emits message.changed. */
enum err_code tickets_set_delivery(struct cx *cx, struct db *db, int64_t message_id, struct str delivery, struct str detail) MUST_CHECK;

/* A visible participant: `role` "cc" or "past".  Emits ticket.changed when new. */
enum err_code tickets_add_participant(struct cx *cx, struct db *db, int64_t ticket_id, int64_t contact_id, struct str role) MUST_CHECK;
/* The contacts of one role ("cc"), in the order in which they came. */
enum err_code tickets_participants(struct cx *cx, struct db *db, int64_t ticket_id, struct str role, int64_t **ret_contact_ids, size_t *ret_n) MUST_CHECK;
/* Requester, cc or past participant? */
enum err_code tickets_is_participant(struct cx *cx, struct db *db, int64_t ticket_id, int64_t contact_id, bool *ret) MUST_CHECK;

struct ticket_brief {
    int64_t id, number, requester_id, team_id, assignee_id, mailbox_id, merged_into, version;
    struct str subject, status;
};
enum err_code tickets_get(struct cx *cx, struct db *db, int64_t id, struct ticket_brief *ret) MUST_CHECK;
bool tickets_find_by_number(struct cx *cx, struct db *db, int64_t number, struct ticket_brief *ret);

struct message_full {
    int64_t id, ticket_id, author_id, mail_id, created_us, send_at_us;
    struct str visibility, author_kind, subject, text, html, quoted_text, quoted_html, addresses, delivery;
};
enum err_code tickets_message(struct cx *cx, struct db *db, int64_t message_id, struct message_full *ret) MUST_CHECK;
/* Newest first, public only. */
enum err_code tickets_recent_messages(struct cx *cx, struct db *db, int64_t ticket_id, int64_t limit, struct message_full **ret, size_t *ret_n) MUST_CHECK;
enum err_code tickets_message_attachments(struct cx *cx, struct db *db, int64_t message_id, struct new_attachment **ret, size_t *ret_n) MUST_CHECK;

/* ---- how a reply leaves: filled by channels, registered in main.c ---- */

struct reply_request {
    struct ticket_brief ticket;
    struct new_message *message;        /* channel may set subject, addresses, delivery, send_at_us */
    const struct str *to, *cc, *bcc;    /* explicit recipients; nto 0: the requester; cc: what the caller says */
    size_t nto, ncc, nbcc;
    bool cc_given;                      /* false: participants with role cc */
    int64_t send_at_us;                 /* asked for; 0: after the undo window */
};

struct reply_warning {
    struct str code;                    /* "outsider", "dropped", "list", "suppressed" */
    struct str address, text;
};
/* Who would get a reply, and what its writer should know first. */
struct reply_plan {
    struct str addresses;               /* JSON object {"from", "to", "cc", "bcc"} as in new_message.addresses */
    struct reply_warning *warnings;
    size_t nwarnings;
};

struct channel {
    const char *name;                   /* "email" */
    /* What prepare would settle, without writing (request->message may be NULL): GET …/recipients, and a POST without
     * "confirm" that would warn. */
    enum err_code (*preview)(struct cx *cx, struct db *db, const struct reply_request *request, struct reply_plan *ret, void *arg);
    /* Before the message row is written: settles recipients and delivery state.  E_INVALID at "to", "cc" … */
    enum err_code (*prepare)(struct cx *cx, struct db *db, struct reply_request *request, void *arg);
    /* After it: outbox row and job, in the same unit. */
    enum err_code (*enqueue)(struct cx *cx, struct db *db, const struct reply_request *request, int64_t message_id, void *arg);
    /* Takes a held or queued message back: *ret_cancelled false when it is already leaving. */
    enum err_code (*cancel)(struct cx *cx, struct db *db, int64_t message_id, bool *ret_cancelled, void *arg);
    /* Sends a failed or bounced message again; E_CONFLICT when it is not one.  Sets the message's delivery. */
    enum err_code (*resend)(struct cx *cx, struct db *db, int64_t message_id, void *arg);
    void *arg;
};
/* Before the server starts.  A ticket's public replies leave by the channel of its mailbox: "email". */
void tickets_register_channel(const struct channel *channel);

/* Job kinds of the module ("attachment.expire"): for jobs_new.  Returns how many were written to ret (room for 2). */
size_t tickets_job_kinds(struct job_kind *ret);

/* Real-time and row scope: filled from event.team_id and event.assignee_id. */
bool tickets_event_visible(const struct cx *cx, const int64_t *team_ids, size_t nteams, const struct event *event);

#endif
