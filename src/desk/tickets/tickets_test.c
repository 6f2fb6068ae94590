/* tickets_test.c - the rules of tickets, on both databases. */
#include "testing/testing.h"

#include "desk/tickets/tickets.h"
#include "tickets_sql.h"

/* ---- a desk with one account and one agent ---- */

struct desk {
    struct world *w;
    struct cx *cx;              /* the agent */
    int64_t agent_id, customer_id;
};

static enum err_code desk_unit(struct cx *cx, struct db *db, void *arg)
{
    struct desk *d = arg;
    struct accounts_setup setup = { .account_name = STR("Test desk"), .admin_email = STR("admin@example.com"),
                                    .admin_name = STR("Ada Agent"), .password_hash = STR("none") };
    struct contact contact;
    TRY(accounts_setup(cx, db, &setup));
    TRY(contacts_by_email(cx, db, STR("customer@example.org"), STR("Carl Customer"), "email", &contact));
    d->agent_id = setup.user_id;
    d->customer_id = contact.id;
    return E_OK;
}

static struct desk desk_of(struct world *w)
{
    struct desk d = { .w = w, .cx = &w->cx };
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, desk_unit, &d));
    return d;
}

struct create_op { struct new_ticket ticket; struct ticket_made made; };
static enum err_code create_unit(struct cx *cx, struct db *db, void *arg)
{
    struct create_op *op = arg;
    return tickets_create(cx, db, &op->ticket, &op->made);
}

static struct new_message customer_says(const struct desk *d, const char *text)
{
    return (struct new_message){ .author_kind = STR("contact"), .author_id = d->customer_id, .channel = STR("api"), .text = str_of(text) };
}

static struct new_message agent_says(const struct desk *d, const char *text)
{
    return (struct new_message){ .author_kind = STR("user"), .author_id = d->agent_id, .channel = STR("web"), .text = str_of(text) };
}

static struct ticket_made create_with(struct desk *d, struct new_ticket t)
{
    struct create_op op = { .ticket = t };
    CHECK_OK(d->cx, store_write(d->w->store, d->cx, create_unit, &op));
    return op.made;
}

static int64_t create(struct desk *d, const char *status)
{
    return create_with(d, (struct new_ticket){ .subject = STR("Printer"), .requester_id = d->customer_id, .status = str_of(status),
                                               .message = customer_says(d, "It smokes") }).ticket_id;
}

struct add_op { int64_t ticket_id; struct new_message message; struct ticket_made made; };
static enum err_code add_unit(struct cx *cx, struct db *db, void *arg)
{
    struct add_op *op = arg;
    return tickets_add_message(cx, db, op->ticket_id, &op->message, &op->made);
}

static enum err_code try_add(struct desk *d, int64_t ticket_id, struct new_message m, struct ticket_made *ret)
{
    struct add_op op = { .ticket_id = ticket_id, .message = m };
    enum err_code code = store_write(d->w->store, d->cx, add_unit, &op);
    *ret = op.made;
    return code;
}

static struct ticket_made add(struct desk *d, int64_t ticket_id, struct new_message m)
{
    struct ticket_made made;
    CHECK_OK(d->cx, try_add(d, ticket_id, m, &made));
    return made;
}

struct read_op { int64_t id; struct ticket_row row; };
static enum err_code read_unit(struct cx *cx, struct db *db, void *arg)
{
    struct read_op *op = arg;
    return ticket_get(cx, db, (struct ticket_get_in){ cx->account_id, op->id, 0 }, &op->row);
}

static struct ticket_row read_ticket(struct desk *d, int64_t id)
{
    struct read_op op = { .id = id };
    CHECK_OK(d->cx, store_read(d->w->store, d->cx, read_unit, &op));
    return op.row;
}

struct events_op { struct event *events; size_t n; };
static enum err_code events_unit(struct cx *cx, struct db *db, void *arg)
{
    struct events_op *op = arg;
    return journal_read(cx, db, cx->account_id, 0, 10000, &op->events, &op->n);
}

static struct events_op events_of(struct desk *d)
{
    struct events_op op;
    CHECK_OK(d->cx, store_read(d->w->store, d->cx, events_unit, &op));
    for (size_t i = 0; i < op.n; i++)
        CHECK_INT(op.events[i].seq, i + 1);
    return op;
}

static size_t count_events(struct desk *d, const char *type, int64_t ticket_id)
{
    struct events_op op = events_of(d);
    size_t n = 0;
    for (size_t i = 0; i < op.n; i++)
        n += str_is(op.events[i].type, type) && op.events[i].ticket_id == ticket_id;
    return n;
}

/* ---- counts ---- */

struct recount_op { struct ticket_count_row *kept, *again; size_t nkept, nagain; };
static enum err_code recount_unit(struct cx *cx, struct db *db, void *arg)
{
    struct recount_op *op = arg;
    TRY(ticket_count_list(cx, db, (struct ticket_count_list_in){ cx->account_id }, &op->kept, &op->nkept));
    return ticket_count_again(cx, db, (struct ticket_count_again_in){ cx->account_id }, &op->again, &op->nagain);
}

static void check_counts(struct desk *d)
{
    struct recount_op op;
    CHECK_OK(d->cx, store_read(d->w->store, d->cx, recount_unit, &op));
    CHECK_INT(op.nkept, op.nagain);
    for (size_t i = 0; i < op.nagain; i++) {
        bool same = false;
        for (size_t k = 0; k < op.nkept; k++)
            same |= str_eq(op.kept[k].status, op.again[i].status) && op.kept[k].team_id == op.again[i].team_id &&
                    op.kept[k].assignee_id == op.again[i].assignee_id && op.kept[k].n == op.again[i].n;
        CHECK(same);
    }
}

/* ---- tests ---- */

static void makes_tickets_with_numbers_and_events(void **state)
{
    struct desk d = desk_of(*state);
    struct new_ticket new = { .requester_id = d.customer_id, .message = customer_says(&d, "Line one\n\nline two") };
    struct ticket_made first = create_with(&d, new), second = create_with(&d, new);
    CHECK_INT(first.number, 1);
    CHECK_INT(second.number, 2);
    CHECK_INT(first.version, 1);
    struct ticket_row t = read_ticket(&d, first.ticket_id);
    CHECK_STR(t.subject, "(no subject)");
    CHECK_STR(t.status, "new");
    CHECK_STR(t.priority, "normal");
    CHECK_STR(t.type, "question");
    CHECK(t.severity.ptr == NULL);
    CHECK_STR(t.preview, "Line one line two");
    CHECK_INT(t.customer_us, d.cx->now_us);
    CHECK_INT(t.first_reply_us, 0);
    CHECK_INT(count_events(&d, "ticket.created", first.ticket_id), 1);
    CHECK_INT(count_events(&d, "message.created", first.ticket_id), 1);
    CHECK_INT(count_events(&d, "ticket.changed", first.ticket_id), 0);
    check_counts(&d);
}

static void messages_move_the_status(void **state)
{
    static const struct { const char *name, *from; bool customer, automatic, internal; const char *to; int64_t reopened; } cases[] = {
        { "customer on new", "new", true, false, false, "new", 0 },
        { "customer on open", "open", true, false, false, "open", 0 },
        { "customer on pending", "pending", true, false, false, "open", 0 },
        { "customer on hold", "on_hold", true, false, false, "open", 0 },
        { "customer on resolved", "resolved", true, false, false, "open", 1 },
        { "automatic on pending", "pending", true, true, false, "pending", 0 },
        { "automatic on resolved", "resolved", true, true, false, "resolved", 0 },
        { "reply on new", "new", false, false, false, "open", 0 },
        { "reply on pending", "pending", false, false, false, "pending", 0 },
        { "reply on resolved", "resolved", false, false, false, "resolved", 0 },
        { "note on new", "new", false, false, true, "new", 0 },
        { "automatic answer on new", "new", false, true, false, "new", 0 },
        { "note on closed", "closed", false, false, true, "closed", 0 },
        { "automatic on closed", "closed", true, true, false, "closed", 0 },
    };
    struct desk d = desk_of(*state);
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t id = create(&d, cases[i].from);
        struct new_message m = cases[i].customer ? customer_says(&d, "Again") : agent_says(&d, "Try this");
        m.automatic = cases[i].automatic;
        m.internal = cases[i].internal;
        CHECK_CASE(cases[i].name, add(&d, id, m).ticket_id == id);
        struct ticket_row t = read_ticket(&d, id);
        CHECK_CASE(cases[i].name, str_is(t.status, cases[i].to));
        CHECK_CASE(cases[i].name, t.reopened_count == cases[i].reopened);
        CHECK_CASE(cases[i].name, (int64_t)count_events(&d, "ticket.reopened", id) == cases[i].reopened);
        CHECK_CASE(cases[i].name, t.message_count == 2 && t.version == 2);
    }
    check_counts(&d);
}

static void first_reply_is_the_first_human_public_one(void **state)
{
    struct desk d = desk_of(*state);
    int64_t id = create(&d, "new");
    struct new_message m = agent_says(&d, "We got your mail");
    m.automatic = true;
    world_advance(d.w, US_PER_MINUTE);
    add(&d, id, m);
    m = agent_says(&d, "Looks like the fuser");
    m.internal = true;
    add(&d, id, m);
    CHECK_INT(read_ticket(&d, id).first_reply_us, 0);
    world_advance(d.w, US_PER_MINUTE);
    int64_t at = d.cx->now_us;
    add(&d, id, agent_says(&d, "Please unplug it"));
    world_advance(d.w, US_PER_MINUTE);
    add(&d, id, agent_says(&d, "And do not plug it in again"));
    struct ticket_row t = read_ticket(&d, id);
    CHECK_INT(t.first_reply_us, at);
    CHECK_INT(t.agent_us, at + US_PER_MINUTE);

    /* Who was not asked does not reply. */
    struct ticket_made own = create_with(&d, (struct new_ticket){ .requester_id = d.customer_id, .message = agent_says(&d, "Your printer is ready") });
    add(&d, own.ticket_id, agent_says(&d, "Still ready"));
    CHECK_INT(read_ticket(&d, own.ticket_id).first_reply_us, 0);
    add(&d, own.ticket_id, customer_says(&d, "Thanks, when?"));
    add(&d, own.ticket_id, agent_says(&d, "Now"));
    CHECK_INT(read_ticket(&d, own.ticket_id).first_reply_us, d.cx->now_us);
}

struct delivery_op { int64_t message_id; const char *delivery; };
static enum err_code delivery_unit(struct cx *cx, struct db *db, void *arg)
{
    struct delivery_op *op = arg;
    return tickets_set_delivery(cx, db, op->message_id, str_of(op->delivery), STR("why"));
}

static void a_reply_taken_back_never_happened(void **state)
{
    struct desk d = desk_of(*state);
    int64_t id = create(&d, "new");
    struct new_message m = agent_says(&d, "Oops");
    m.delivery = STR("held");
    struct ticket_made made = add(&d, id, m);
    CHECK(read_ticket(&d, id).first_reply_us != 0);
    struct delivery_op op = { made.message_id, "cancelled" };
    CHECK_OK(d.cx, store_write(d.w->store, d.cx, delivery_unit, &op));
    struct ticket_row t = read_ticket(&d, id);
    CHECK_INT(t.first_reply_us, 0);
    CHECK_INT(t.agent_us, 0);
    CHECK_STR(t.preview, "It smokes");
    CHECK_INT(count_events(&d, "message.changed", id), 1);
    CHECK_OK(d.cx, store_write(d.w->store, d.cx, delivery_unit, &op));      /* again: nothing more happens */
    CHECK_INT(count_events(&d, "message.changed", id), 1);
}

static void closed_is_final(void **state)
{
    struct desk d = desk_of(*state);
    int64_t id = create(&d, "closed");
    CHECK_INT(read_ticket(&d, id).closed_us, d.cx->now_us);
    struct ticket_made made;
    CHECK_ERR(try_add(&d, id, agent_says(&d, "One more thing"), &made), E_CONFLICT);
    made = add(&d, id, customer_says(&d, "It smokes again"));
    CHECK(made.ticket_id != id);
    struct ticket_row t = read_ticket(&d, made.ticket_id);
    CHECK_INT(t.follow_up_of, id);
    CHECK_STR(t.status, "new");
    CHECK_STR(t.subject, "Printer");
    CHECK_INT(read_ticket(&d, id).message_count, 1);
    check_counts(&d);
}

static void times_of_resolution_are_kept(void **state)
{
    struct desk d = desk_of(*state);
    int64_t id = create(&d, "open"), first = d.cx->now_us + US_PER_HOUR;
    struct new_message m = agent_says(&d, "Done");
    m.then_status = STR("resolved");
    world_advance(d.w, US_PER_HOUR);
    add(&d, id, m);
    world_advance(d.w, US_PER_HOUR);
    add(&d, id, customer_says(&d, "No"));
    CHECK_STR(read_ticket(&d, id).status, "open");
    world_advance(d.w, US_PER_HOUR);
    add(&d, id, m);
    struct ticket_row t = read_ticket(&d, id);
    CHECK_STR(t.status, "resolved");
    CHECK_INT(t.first_resolved_us, first);
    CHECK_INT(t.resolved_us, d.cx->now_us);
    CHECK_INT(t.reopened_count, 1);
}

static void refuses_foreign_attachments(void **state)
{
    struct desk d = desk_of(*state);
    int64_t id = create(&d, "open"), other = 4711;
    struct new_message m = agent_says(&d, "See this");
    struct ticket_made made;
    m.attachment_ids = &other;
    m.nattachment_ids = 1;
    CHECK_ERR(try_add(&d, id, m, &made), E_INVALID);
    CHECK_STR(str_of(d.cx->failure.field), "attachments");
    CHECK_INT(read_ticket(&d, id).message_count, 1);
}

static void participants_and_tags(void **state)
{
    struct desk d = desk_of(*state);
    struct str tags[] = { STR("VIP"), STR("printer"), STR("vip") };
    struct ticket_made made = create_with(&d, (struct new_ticket){ .requester_id = d.customer_id, .tags = tags, .ntags = 3,
                                                                   .message = customer_says(&d, "Hi") });
    CHECK_INT(count_events(&d, "ticket.changed", made.ticket_id), 1);
    CHECK_INT(count_events(&d, "tag.created", 0), 2);
}

/* A fixed seed: a failure can be repeated. */
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    return *seed ^= *seed << 17;
}

static void counts_are_right_after_anything(void **state)
{
    static const char *const statuses[] = { "open", "pending", "on_hold", "resolved", "closed" };
    struct desk d = desk_of(*state);
    uint64_t seed = 20260105;
    int64_t ids[40];
    size_t n = 0;
    for (int step = 0; step < 200; step++) {
        uint64_t r = next_random(&seed);
        if (n < 5 || (r % 7 == 0 && n < COUNT(ids))) {
            ids[n++] = create_with(&d, (struct new_ticket){ .requester_id = d.customer_id, .team_id = (int64_t)(r / 7 % 3),
                                                            .assignee_id = r / 21 % 2 ? d.agent_id : 0, .spam = r / 42 % 5 == 0,
                                                            .message = customer_says(&d, "x") }).ticket_id;
            continue;
        }
        struct new_message m = r % 3 ? customer_says(&d, "y") : agent_says(&d, "z");
        struct ticket_made made;
        if (str_is(m.author_kind, "user"))
            m.then_status = str_of(statuses[r / 9 % COUNT(statuses)]);
        enum err_code code = try_add(&d, ids[r / 50 % n], m, &made);
        CHECK(code == E_OK || code == E_CONFLICT);
    }
    check_counts(&d);
}

TESTS(BOTH(makes_tickets_with_numbers_and_events), BOTH(messages_move_the_status), BOTH(first_reply_is_the_first_human_public_one),
      BOTH(a_reply_taken_back_never_happened), BOTH(closed_is_final), BOTH(times_of_resolution_are_kept),
      BOTH(refuses_foreign_attachments), BOTH(participants_and_tags), BOTH(counts_are_right_after_anything))
