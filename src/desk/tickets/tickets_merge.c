/* tickets_merge.c - one ticket takes over the messages of another; tickets follow merged contacts. */
#include "desk/tickets/tickets_internal.h"

#include "platform/text/text.h"

static enum err_code move_rows(struct cx *cx, struct db *db, const struct ticket_row *from, const struct ticket_row *into)
{
    TRY(message_move(cx, db, (struct message_move_in){ cx->account_id, from->id, into->id }, NULL));
    TRY(attachment_move(cx, db, (struct attachment_move_in){ cx->account_id, from->id, into->id }, NULL));
    TRY(ticket_tag_copy(cx, db, (struct ticket_tag_copy_in){ cx->account_id, from->id, into->id }, NULL));
    TRY(participant_copy(cx, db, (struct participant_copy_in){ cx->account_id, from->id, into->id }, NULL));
    if (from->requester_id != into->requester_id)
        TRY(participant_put(cx, db, (struct participant_put_in){ cx->account_id, into->id, from->requester_id, STR("cc"), cx->now_us }, NULL));
    TRY(participant_remove(cx, db, (struct participant_remove_in){ cx->account_id, into->id, into->requester_id }, NULL));
    return ticket_repoint_merged(cx, db, (struct ticket_repoint_merged_in){ cx->account_id, from->id, into->id }, NULL);
}

static enum err_code save_target(struct cx *cx, struct db *db, const struct ticket_row *old, const struct ticket_row *from)
{
    struct ticket_row t = *old;
    struct ticket_times_row times;
    TRY(ticket_times(cx, db, (struct ticket_times_in){ cx->account_id, t.id }, &times));
    t.customer_us = times.customer_us;
    t.agent_us = times.agent_us;
    t.first_reply_us = times.first_reply_us;
    t.message_count = times.message_count;
    if (from->activity_us > t.activity_us) {
        t.activity_us = from->activity_us;
        t.preview = from->preview.len ? from->preview : t.preview;
    }
    struct changes c = changes_begin(cx);
    change_id(&c, "merged_from", 0, from->id);
    return ticket_save(cx, db, old, &t, &c);
}

static enum err_code save_source(struct cx *cx, struct db *db, const struct ticket_row *old, int64_t into_id)
{
    struct ticket_row t = *old;
    t.status = STR("closed");
    t.closed_us = t.closed_us ? t.closed_us : cx->now_us;
    t.merged_into = into_id;
    t.message_count = 0;
    TRY(ticket_save(cx, db, old, &t, NULL));
    return ticket_emit(cx, db, STR("ticket.merged"), &t, into_id, arena_printf(cx->arena, "{\"into_id\":\"%lld\"}", (long long)into_id));
}

/* Both tickets, the lower id first: two merges at once do not wait for each other in a circle. */
static enum err_code take_both(struct cx *cx, struct db *db, int64_t from_id, int64_t into_id, struct ticket_row *from, struct ticket_row *into)
{
    if (from_id < into_id)
        TRY(ticket_take(cx, db, from_id, from));
    bool found;
    TRY(if_found(cx, ticket_take(cx, db, into_id, into), &found));
    if (from_id >= into_id)
        TRY(ticket_take(cx, db, from_id, from));
    return found ? E_OK : fail_field(cx, "into_id", "There is no ticket with this id");
}

struct merge_in { int64_t id, into_id, expected_version; };
static const struct field merge_fields[] = {
    ID_FIELD(struct merge_in, id, .place = IN_PATH, .doc = "Id of the one that is given up"),
    ID_FIELD(struct merge_in, into_id, .doc = "Id of the one that takes over"),
    INT_FIELD(struct merge_in, expected_version, .optional = true, .doc = "Refuse when the one given up has another version"),
};

HANDLER(ticket_merge, struct merge_in, struct ticket_out)
{
    struct ticket_row from, into;
    TRY(take_both(cx, db, in->id, in->into_id, &from, &into));
    if (version_differs(cx, in->expected_version, from.version))
        return fail_ticket_version(cx, db, &from);
    if (from.id == into.id)
        return fail_field(cx, "into_id", "A ticket cannot be merged into itself");
    if (from.merged_into)
        return fail(cx, E_CONFLICT, "This ticket is merged already");
    if (into.merged_into || str_is(into.status, "closed"))
        return fail_field(cx, "into_id", "This ticket is closed or merged itself");
    TRY(move_rows(cx, db, &from, &into));
    TRY(save_target(cx, db, &into, &from));
    TRY(save_source(cx, db, &from, into.id));
    return ticket_out_of(cx, db, into.id, out);
}

HANDLER(contact_merge, struct merge_in, struct contact_out)
{
    struct tickets_id_row *ids;
    size_t n;
    TRY(contacts_merge(cx, db, in->id, in->into_id));
    TRY(ticket_ids_of_requester(cx, db, (struct ticket_ids_of_requester_in){ cx->account_id, in->id }, &ids, &n));
    for (size_t i = 0; i < n; i++) {
        struct ticket_row old, new;
        /* The whole contact moves, whatever tickets the user sees. */
        TRY(ticket_lock(cx, db, (struct ticket_lock_in){ cx->account_id, ids[i].id, 0 }, &old));
        new = old;
        new.requester_id = in->into_id;
        TRY(ticket_save(cx, db, &old, &new, NULL));
        TRY(participant_remove(cx, db, (struct participant_remove_in){ cx->account_id, old.id, in->into_id }, NULL));
    }
    TRY(participant_copy_contact(cx, db, (struct participant_copy_contact_in){ cx->account_id, in->id, in->into_id }, NULL));
    TRY(participant_remove_contact(cx, db, (struct participant_remove_contact_in){ cx->account_id, in->id }, NULL));
    TRY(message_move_author(cx, db, (struct message_move_author_in){ cx->account_id, in->id, in->into_id }, NULL));
    return contacts_load(cx, db, in->into_id, out);
}

static const struct field contact_merge_fields[] = {
    ID_FIELD(struct merge_in, id, .place = IN_PATH, .doc = "Id of the contact that is given up"),
    ID_FIELD(struct merge_in, into_id, .doc = "Id of the contact that takes over identities and tickets"),
};

static const struct route routes[] = {
    { .method = METHOD_POST, .path = "/api/v1/tickets/{id}/merge", .summary = "Merge a ticket into another one",
      .doc = "Messages, tags and participants move; the one given up is closed and points to the other.",
      .permission = PERM_TICKET_WRITE, FIELDS(merge_fields, struct merge_in), RETURNS(&ticket_shape, struct ticket_out),
      ETAG(struct ticket_out, version), .handler = ticket_merge },
    { .method = METHOD_POST, .path = "/api/v1/contacts/{id}/merge", .summary = "Merge a contact into another one",
      .permission = PERM_CONTACT_WRITE, FIELDS(contact_merge_fields, struct merge_in), RETURNS(&contact_shape, struct contact_out),
      ETAG(struct contact_out, version), .handler = contact_merge },
};
const struct route_table merge_routes = { "merging", routes, COUNT(routes) };
