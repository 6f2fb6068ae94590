/* tickets_internal.h - what the files of desk/tickets share. */
#ifndef CAIRN_TICKETS_INTERNAL_H
#define CAIRN_TICKETS_INTERNAL_H

#include "desk/tickets/tickets.h"

#include "tickets_sql.h"

enum { PREVIEW_BYTES = 200, TICKET_TAGS_MAX = 50 };

/* ---- one ticket inside a unit ---- */

/* Finds under the row scope of cx, and keeps others from changing it until the unit ends. */
enum err_code ticket_take(struct cx *cx, struct db *db, int64_t id, struct ticket_row *ret) MUST_CHECK;
enum err_code ticket_read(struct cx *cx, struct db *db, int64_t id, struct ticket_row *ret) MUST_CHECK;
struct ticket_brief ticket_brief_of(const struct ticket_row *row);

/* Applies the rules of the statuses; the caller saves.  E_CONFLICT for a change away from closed. */
enum err_code ticket_set_status(struct cx *cx, struct ticket_row *ticket, struct str status, int64_t at_us) MUST_CHECK;
/*
 * Writes what differs, moves the counts, raises the version and emits
 * ticket.changed and ticket.reopened.  `more` (or NULL) holds further changes
 * of the same event: tags, participants.
 */
enum err_code ticket_save(struct cx *cx, struct db *db, const struct ticket_row *old, struct ticket_row *new, struct changes *more) MUST_CHECK;
enum err_code ticket_count(struct cx *cx, struct db *db, const struct ticket_row *ticket, int64_t delta) MUST_CHECK;
enum err_code ticket_emit(struct cx *cx, struct db *db, struct str type, const struct ticket_row *ticket, int64_t subject_id, struct str data) MUST_CHECK;
/* The same with a sequence from journal_reserve; 0: the next one. */
enum err_code ticket_emit_as(struct cx *cx, struct db *db, int64_t seq, struct str type, const struct ticket_row *ticket, int64_t subject_id,
                             struct str data) MUST_CHECK;
/* E_CONFLICT with "current" and "newer_messages": those after the caller's version cannot be known, so the newest ones. */
enum err_code fail_ticket_version(struct cx *cx, struct db *db, const struct ticket_row *ticket) MUST_CHECK;

/* The ticket of tickets_create without its first message, which message_write must add in the same unit under that sequence. */
enum err_code ticket_begin(struct cx *cx, struct db *db, const struct new_ticket *ticket, struct ticket_row *ret, int64_t *ret_message_seq) MUST_CHECK;
/* Lists: see tickets_list.c. */
struct ticket_filter {
    struct ticket_list_newest_in in;    /* without status and cursor */
    struct str statuses;                /* "new,open", "unresolved"; ptr NULL: all */
    bool oldest_first;
    struct str cursor;
    int64_t limit;
};
enum err_code ticket_list(struct cx *cx, struct db *db, const struct ticket_filter *filter, struct page_out *out) MUST_CHECK;

/* ---- messages ---- */

/* The row, its attachments and message.created; E_INVALID at "message.attachments".  The ticket's row is not touched.
 * seq: see ticket_emit_as. */
enum err_code message_write(struct cx *cx, struct db *db, const struct ticket_row *ticket, const struct new_message *message, int64_t seq, int64_t *ret_id) MUST_CHECK;
enum err_code attachment_write(struct cx *cx, struct db *db, const struct new_attachment *a, int64_t ticket_id, int64_t message_id,
                               int64_t *ret_id) MUST_CHECK;
/* A job that removes it a day from now, unless a message uses it. */
enum err_code attachment_expire_later(struct cx *cx, struct db *db, int64_t attachment_id) MUST_CHECK;
bool message_is_from_customer(const struct new_message *message);
bool message_is_human_reply(const struct new_message *message);
/* The route POST …/messages of an agent, and the outgoing first message of POST /tickets. */
struct agent_reply {
    struct str text, html, status;      /* ptr NULL: none */
    bool internal, confirm;
    struct list to, cc, bcc, attachments;
    int64_t send_at_us;
};
enum err_code reply_prepare(struct cx *cx, struct db *db, const struct ticket_row *ticket, const struct agent_reply *reply,
                            struct reply_request *request, struct new_message *message) MUST_CHECK;
enum err_code reply_enqueue(struct cx *cx, struct db *db, const struct reply_request *request, int64_t message_id) MUST_CHECK;
/* The channel by which replies leave, or NULL: none is registered. */
const struct channel *reply_channel(void);
/* HTML cleaned, plain text of it; E_INVALID at `field` when both or neither are given. */
enum err_code body_of(struct cx *cx, struct str text, struct str html, const char *field, struct new_message *ret) MUST_CHECK;

/* ---- tags and participants ---- */

/* Sets, adds or removes; notes the change.  E_INVALID at "tags". */
struct tag_change { const struct list *set, *add, *remove; };
enum err_code tags_change(struct cx *cx, struct db *db, int64_t ticket_id, struct tag_change change, struct changes *c) MUST_CHECK;
/* 0 when the account has no such tag. */
enum err_code tag_find(struct cx *cx, struct db *db, struct str name, int64_t *ret_id) MUST_CHECK;
enum err_code tag_ensure(struct cx *cx, struct db *db, struct str name, const char *field, int64_t *ret_id) MUST_CHECK;
/* All addresses that get copies; those dropped stay as past participants.  E_INVALID at "cc". */
enum err_code participants_set_cc(struct cx *cx, struct db *db, const struct ticket_row *ticket, const struct list *emails, struct changes *c) MUST_CHECK;

/* ---- shapes ---- */

#define TICKET_MEMBERS                                                                                  \
    int64_t id, number, version;                                                                        \
    struct str subject, status, priority, severity, type, channel;                                      \
    const void *team, *assignee;        /* struct named, or NULL */                                     \
    const void *requester;              /* struct contact_brief */                                      \
    struct list participants;           /* struct participant_out; items NULL in lists */               \
    const void *mailbox;                /* struct mailbox_ref, or NULL */                               \
    struct list tags;                   /* struct str */                                                \
    struct str fields;                                                                                  \
    bool spam;                                                                                          \
    int64_t merged_into, follow_up_of;                                                                  \
    struct str preview;                                                                                 \
    int64_t message_count, created_at, updated_at, activity_at, customer_at, agent_at, first_reply_at,  \
        first_resolved_at, resolved_at, closed_at, reopened_count
struct ticket_out { TICKET_MEMBERS; };
struct ticket_full_out {
    TICKET_MEMBERS;
    struct list messages;               /* struct message_out */
    struct str messages_cursor;         /* ptr NULL: there are no older ones */
};
extern const struct shape ticket_shape, ticket_full_shape;
#define TICKET_FIELDS(owner)                                                                                               \
    ID_FIELD(owner, id, .doc = "Id of the ticket"),                                                                        \
    INT_FIELD(owner, number, .doc = "1, 2, 3 … in the account"),                                                           \
    INT_FIELD(owner, version, .doc = "Grows with every change"),                                                           \
    TEXT_FIELD(owner, subject, .doc = "Subject"),                                                                          \
    TEXT_FIELD(owner, status, .doc = "new, open, pending, on_hold, resolved or closed"),                                   \
    TEXT_FIELD(owner, priority, .doc = "urgent, high, normal or low"),                                                     \
    TEXT_FIELD(owner, severity, .nullable = true, .doc = "sev1 to sev4: how badly the customer is hit"),                   \
    TEXT_FIELD(owner, type, .doc = "question, incident, problem, task or feature_request"),                                \
    TEXT_FIELD(owner, channel, .doc = "Of the first message: email, web, api or import"),                                  \
    OBJECT_FIELD(owner, team, &named_shape, .nullable = true, .doc = "Team that has it"),                                  \
    OBJECT_FIELD(owner, assignee, &named_shape, .nullable = true, .doc = "User who has it"),                               \
    OBJECT_FIELD(owner, requester, &contact_brief_shape, .doc = "Who asked"),                                              \
    LIST_FIELD(owner, participants, &participant_shape, .nullable = true, .doc = "Others who take part; null in lists"),   \
    OBJECT_FIELD(owner, mailbox, &mailbox_ref_shape, .nullable = true, .doc = "Through which it came and replies leave"),  \
    TEXTS_FIELD(owner, tags, .doc = "Names of its tags"),                                                                  \
    JSON_FIELD(owner, fields, .doc = "Custom fields"),                                                                     \
    BOOL_FIELD(owner, spam, .doc = "Counts nowhere"),                                                                      \
    ID_FIELD(owner, merged_into, .nullable = true, .doc = "Ticket that took over its messages"),                           \
    ID_FIELD(owner, follow_up_of, .nullable = true, .doc = "Closed ticket that this one continues"),                       \
    TEXT_FIELD(owner, preview, .doc = "Start of the newest public message"),                                               \
    INT_FIELD(owner, message_count, .doc = "Messages and notes"),                                                          \
    TIME_FIELD(owner, created_at, .doc = "When it was made"),                                                              \
    TIME_FIELD(owner, updated_at, .doc = "Last change"),                                                                   \
    TIME_FIELD(owner, activity_at, .doc = "Newest message"),                                                               \
    TIME_FIELD(owner, customer_at, .nullable = true, .doc = "Newest message of a customer"),                               \
    TIME_FIELD(owner, agent_at, .nullable = true, .doc = "Newest public reply of an agent"),                               \
    TIME_FIELD(owner, first_reply_at, .nullable = true, .doc = "First public reply of an agent"),                          \
    TIME_FIELD(owner, first_resolved_at, .nullable = true, .doc = "First time it became resolved"),                        \
    TIME_FIELD(owner, resolved_at, .nullable = true, .doc = "Last time it became resolved"),                               \
    TIME_FIELD(owner, closed_at, .nullable = true, .doc = "When it was closed"),                                           \
    INT_FIELD(owner, reopened_count, .doc = "How often it was open again after it was resolved")
struct participant_out { const void *contact; struct str role; };   /* struct contact_brief */
struct mailbox_ref { int64_t id; struct str name, address; };
enum err_code ticket_outs(struct cx *cx, struct db *db, const struct ticket_row *rows, size_t n, bool whole, struct ticket_out **ret) MUST_CHECK;
/* One ticket with its participants, of any team. */
enum err_code ticket_out_of(struct cx *cx, struct db *db, int64_t id, struct ticket_out *ret) MUST_CHECK;

struct author_out { struct str kind; int64_t id; struct str name, email; };
struct address_out { struct str name, address; };
struct attachment_out {
    int64_t id;
    struct str file_name, content_type;
    int64_t size;
    bool inline_part;
    struct str content_id;
    int64_t created_at;
};
struct message_out {
    int64_t id, ticket_id;
    struct str visibility;
    const void *author;                 /* struct author_out */
    struct str channel;
    bool automatic;
    struct str subject, text, html, quoted_text, quoted_html;
    const void *from;                   /* struct address_out, or NULL */
    struct list to, cc, bcc;            /* struct address_out */
    struct list attachments;            /* struct attachment_out */
    int64_t mail_id;
    struct str delivery, delivery_detail;
    int64_t send_at, created_at, version;
};
extern const struct shape message_shape, attachment_shape, address_shape;
struct attachment_out attachment_out_of(const struct attachment_row *row);
/* from, to, cc and bcc out of new_message.addresses. */
enum err_code message_read_addresses(struct cx *cx, struct str json, struct message_out *ret) MUST_CHECK;
enum err_code message_outs(struct cx *cx, struct db *db, const struct message_row *rows, size_t n, struct message_out **ret) MUST_CHECK;
/* The newest ones, oldest first; *ret_more when there are older ones. */
enum err_code messages_newest(struct cx *cx, struct db *db, int64_t ticket_id, int64_t limit, struct list *ret, int64_t *ret_oldest_id, bool *ret_more) MUST_CHECK;

#endif
