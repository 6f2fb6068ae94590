/* email_threading.c - which ticket a mail belongs to: evidence with a score, strongest first. */
#include "channels/email/email_internal.h"

enum {
    SCORE_TOKEN = 100,          /* our signature, sent to this very person */
    SCORE_TOKEN_OTHER = 92,     /* our signature, passed on to somebody else */
    SCORE_REFERENCE = 85,
    SCORE_GHOST = 72,           /* both mails name a third one that never came here */
    SCORE_THREAD_INDEX = 70,
    SCORE_NUMBER = 65,
    SCORE_PROPOSAL = 30,
    PENALTY_AUTH = 20,          /* the sender's own domain disowns the mail */
    JOINS = 50,
    PROPOSAL_DAYS = 14,
    FOLLOW_UPS_MAX = 20,
};

void evidence_add(struct evidence_list *list, const char *kind, int score, int64_t ticket_id, struct str text)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i].ticket_id == ticket_id && str_is(str_of(kind), list->items[i].kind) && str_eq(list->items[i].text, text))
            return;
    if (list->n < COUNT(list->items))
        list->items[list->n++] = (struct evidence){ kind, text, score, ticket_id };
}

struct str evidence_json(struct arena *arena, struct evidence_list *list)
{
    for (size_t i = 1; i < list->n; i++) {      /* stable: of equals the first found stays first */
        struct evidence e = list->items[i];
        size_t at = i;
        for (; at > 0 && list->items[at - 1].score < e.score; at--)
            list->items[at] = list->items[at - 1];
        list->items[at] = e;
    }
    struct buf out = buf_new(arena, 0);
    struct json_writer w = json_writer(&out);
    json_open_list(&w, NULL);
    for (size_t i = 0; i < list->n; i++) {
        json_open_object(&w, NULL);
        json_put_text(&w, "kind", str_of(list->items[i].kind));
        json_put_text(&w, "text", utf8_cut(list->items[i].text, 400));
        json_put_int(&w, "score", list->items[i].score);
        json_close_object(&w);
    }
    json_close_list(&w);
    return buf_str(&out);
}

/* One search: what it knows, and what it found. */
struct search_state {
    struct cx *cx;
    struct db *db;
    const struct email *email;
    const struct intake *in;
    int64_t contact_id;
    struct email_join *join;
};

static int reduced(const struct search_state *s, int score)
{
    return s->in->auth_failed ? score - PENALTY_AUTH : score;
}

/* The ticket that now stands for `id`: over merges, and from a closed one to its follow-up.  0: there is none. */
static enum err_code standing_ticket(const struct search_state *s, int64_t id, struct ticket_brief *ret)
{
    for (int steps = 0; id > 0 && steps < FOLLOW_UPS_MAX; steps++) {
        enum err_code code = tickets_get(s->cx, s->db, id, ret);
        if (code == E_NOT_FOUND) {
            failure_clear(s->cx);
            *ret = (struct ticket_brief){ 0 };
            return E_OK;
        }
        TRY(code);
        if (ret->merged_into > 0) {
            id = ret->merged_into;
            continue;
        }
        if (!str_is(ret->status, "closed"))
            return E_OK;
        struct em_reference *rows = NULL;
        size_t n = 0;
        struct str key = arena_printf(s->cx->arena, "%lld", (long long)id);
        TRY(em_reference_get(s->cx, s->db, (struct em_reference_get_in){ s->cx->account_id, STR("follow_up"), key }, &rows, &n));
        if (n == 0)
            return E_OK;
        id = rows[0].ticket_id;
    }
    return E_OK;
}

static enum err_code add(const struct search_state *s, const char *kind, int score, int64_t ticket_id, struct str text)
{
    struct ticket_brief ticket = { 0 };
    TRY(standing_ticket(s, ticket_id, &ticket));
    if (ticket.id > 0)
        evidence_add(&s->join->evidence, kind, reduced(s, score), ticket.id, text);
    return E_OK;
}

static enum err_code participates(const struct search_state *s, int64_t ticket_id, bool *ret)
{
    *ret = false;
    if (s->contact_id == 0)
        return E_OK;
    struct ticket_brief ticket = { 0 };
    TRY(standing_ticket(s, ticket_id, &ticket));
    return ticket.id == 0 ? E_OK : tickets_is_participant(s->cx, s->db, ticket.id, s->contact_id, ret);
}

static enum err_code add_token(const struct search_state *s, struct email_token token, const char *where)
{
    bool same = token.contact_id == s->contact_id;
    return add(s, "token", same ? SCORE_TOKEN : SCORE_TOKEN_OTHER, token.ticket_id,
               arena_printf(s->cx->arena, "Our signed mark in %s%s", where, same ? "" : ", made for another recipient"));
}

static enum err_code look_for_tokens(const struct search_state *s)
{
    struct arena *arena = s->cx->arena;
    struct email_token token;
    int64_t account = s->cx->account_id;
    for (size_t i = s->in->mail.nreferences; i > 0; i--) {
        struct str id = s->in->mail.references[i - 1];
        if (!email_message_id_read(arena, s->email, account, id, &token))
            continue;
        struct em_sent *sent = NULL;
        size_t n = 0;
        TRY(em_mail_sent_by_header(s->cx, s->db, (struct em_mail_sent_by_header_in){ account, id }, &sent, &n));
        if (n > 0)
            TRY(email_prove_delivered(s->cx, s->db, &sent[0], STR("answered by its recipient")));
        TRY(add_token(s, token, "the Message-ID that this mail answers"));
        break;
    }
    struct json_value recipients;
    TRY(json_parse(s->cx, s->in->recipients, &recipients));
    for (size_t i = 0; i < recipients.n; i++)
        if (email_plus_read(arena, s->email, account, recipients.items[i].text, &token))
            TRY(add_token(s, token, "the recipient's address"));
    if (email_marker_find(arena, s->email, account, s->in->mail.html, &token)
        || email_marker_find(arena, s->email, account, s->in->mail.text, &token))
        TRY(add_token(s, token, "the quoted text"));
    return E_OK;
}

/* Does the mail go to a list address that the list's own mail went to? */
static bool same_list(const struct search_state *s, struct str stored_recipients)
{
    struct json_value mine;
    if (json_parse(s->cx, s->in->recipients, &mine) != E_OK)
        return false;
    for (size_t i = 0; i < mine.n; i++) {
        struct str address = mine.items[i].text;
        if (s->in->mailbox.id > 0 && str_eq(email_without_tag(s->cx->arena, address), s->in->mailbox.address_folded))
            continue;
        if (str_find(stored_recipients, json_quote(s->cx->arena, address)) >= 0)
            return true;
    }
    return false;
}

/* A person who answers a newsletter from outside of its ticket starts an own one: strangers are never put together. */
static enum err_code answers_newsletter(const struct search_state *s, struct str message_id, int64_t ticket_id, bool *ret)
{
    *ret = false;
    struct em_stored *rows = NULL;
    size_t n = 0;
    TRY(em_mail_by_header(s->cx, s->db, (struct em_mail_by_header_in){ s->cx->account_id, message_id }, &rows, &n));
    if (n == 0 || !str_is(rows[0].verdict, "list") || s->in->verdict == MAIL_LIST || same_list(s, rows[0].to_addresses))
        return E_OK;
    bool takes_part = false;
    TRY(participates(s, ticket_id, &takes_part));
    *ret = !takes_part;
    return E_OK;
}

static enum err_code find_reference(const struct search_state *s, const char *kind, struct str value, struct em_reference *ret, bool *ret_found)
{
    struct em_reference *rows = NULL;
    size_t n = 0;
    TRY(em_reference_get(s->cx, s->db, (struct em_reference_get_in){ s->cx->account_id, str_of(kind), value }, &rows, &n));
    *ret_found = n > 0;
    if (n > 0)
        *ret = rows[0];
    return E_OK;
}

/* Do both mails go to an address besides ours: a list, a colleague of the customer? */
static enum err_code shares_address(const struct search_state *s, int64_t message_id, bool *ret)
{
    struct message_full message;
    struct em_mail mail;
    *ret = false;
    if (message_id == 0)
        return E_OK;
    TRY(tickets_message(s->cx, s->db, message_id, &message));
    if (message.mail_id == 0)
        return E_OK;
    TRY(em_mail_by_id(s->cx, s->db, (struct em_mail_by_id_in){ s->cx->account_id, message.mail_id }, &mail));
    *ret = same_list(s, mail.to_addresses);
    return E_OK;
}

/* A third mail that never came here ties two together only among people of one ticket, or on a list. */
static enum err_code look_for_ghost(const struct search_state *s, struct str message_id)
{
    struct em_reference found;
    bool is_there = false, takes_part = s->in->verdict == MAIL_LIST;
    TRY(find_reference(s, "ghost", message_id, &found, &is_there));
    if (!is_there)
        return E_OK;
    if (!takes_part)
        TRY(participates(s, found.ticket_id, &takes_part));
    if (!takes_part)
        TRY(shares_address(s, found.message_id, &takes_part));
    return takes_part ? add(s, "references", SCORE_GHOST, found.ticket_id,
                            arena_printf(s->cx->arena, "Another mail of the ticket names <%.*s> too", STR_ARG(message_id)))
                      : E_OK;
}

/* The same mail by another way, changed on it (a list's footer): not equal enough for a duplicate. */
static enum err_code look_for_copy(const struct search_state *s)
{
    struct em_reference found;
    struct em_stored *rows = NULL;
    size_t n = 0;
    bool is_there = false;
    TRY(find_reference(s, "message_id", s->in->message_id, &found, &is_there));
    if (!is_there)
        return E_OK;
    TRY(em_mail_by_header(s->cx, s->db, (struct em_mail_by_header_in){ s->cx->account_id, s->in->message_id }, &rows, &n));
    return n > 0 && str_eq(rows[0].from_address, s->in->sender_folded)
               ? add(s, "references", SCORE_REFERENCE, found.ticket_id, STR("The same Message-ID and sender: another copy"))
               : E_OK;
}

static enum err_code look_for_references(const struct search_state *s)
{
    struct arena *arena = s->cx->arena;
    size_t n = s->in->mail.nreferences;
    size_t least = n > EMAIL_REFERENCES_MAX ? n - EMAIL_REFERENCES_MAX : 0;
    for (size_t i = n; i > least; i--) {
        struct str id = s->in->mail.references[i - 1];
        struct em_reference found;
        bool is_there = false, newsletter = false;
        TRY(find_reference(s, "message_id", id, &found, &is_there));
        if (!is_there) {
            TRY(look_for_ghost(s, id));
            continue;
        }
        TRY(answers_newsletter(s, id, found.ticket_id, &newsletter));
        if (newsletter)
            evidence_add(&s->join->evidence, "newsletter", 0, 0,
                         arena_printf(arena, "Answers the list mail <%.*s>: not joined", STR_ARG(id)));
        else
            TRY(add(s, "references", SCORE_REFERENCE, found.ticket_id,
                    arena_printf(arena, "Refers to <%.*s> of the ticket", STR_ARG(id))));
    }
    TRY(look_for_copy(s));
    return look_for_ghost(s, s->in->message_id);
}

static enum err_code look_for_thread_index(const struct search_state *s)
{
    if (s->in->mail.thread_index.len == 0)
        return E_OK;
    struct em_reference found;
    bool is_there = false, takes_part = false;
    TRY(find_reference(s, "thread_index", s->in->mail.thread_index, &found, &is_there));
    if (is_there)
        TRY(participates(s, found.ticket_id, &takes_part));
    return takes_part ? add(s, "thread_index", SCORE_THREAD_INDEX, found.ticket_id, STR("Same Outlook conversation")) : E_OK;
}

static enum err_code look_for_number(const struct search_state *s)
{
    struct str rest = s->in->mail.subject;
    ptrdiff_t at;
    while ((at = str_find(rest, STR("[#"))) >= 0) {
        rest = str_skip(rest, (size_t)at + 2);
        ptrdiff_t end = str_chr(rest, ']');
        int64_t number = 0;
        struct ticket_brief ticket;
        bool takes_part = false;
        if (end <= 0 || !num_parse_int(str_sub(rest, 0, (size_t)end), &number) || !tickets_find_by_number(s->cx, s->db, number, &ticket))
            continue;
        struct str text = arena_printf(s->cx->arena, "[#%lld] in the subject", (long long)number);
        TRY(participates(s, ticket.id, &takes_part));
        if (takes_part)
            return add(s, "subject_number", SCORE_NUMBER, ticket.id, text);
        evidence_add(&s->join->evidence, "subject_number", 0, 0,
                     arena_printf(s->cx->arena, "%.*s, but the sender takes no part in that ticket", STR_ARG(text)));
    }
    return E_OK;
}

/* Only shown to the agent, who may merge. */
static enum err_code look_for_proposals(const struct search_state *s)
{
    struct str subject = mail_normal_subject(s->cx->arena, s->in->mail.subject);
    if (subject.len == 0 || s->in->sender_folded.len == 0)
        return E_OK;
    struct em_proposal *rows = NULL;
    size_t n = 0;
    TRY(em_mail_recent_from(s->cx, s->db, (struct em_mail_recent_from_in){ s->cx->account_id, s->in->sender_folded,
                            s->cx->now_us - PROPOSAL_DAYS * US_PER_DAY }, &rows, &n));
    for (size_t i = 0; i < n; i++) {
        struct ticket_brief ticket = { 0 };
        if (!str_ieq(mail_normal_subject(s->cx->arena, rows[i].subject), subject))
            continue;
        TRY(standing_ticket(s, rows[i].ticket_id, &ticket));
        if (ticket.id == 0 || str_is(ticket.status, "closed") || str_is(ticket.status, "resolved"))
            continue;
        evidence_add(&s->join->evidence, "same_subject", SCORE_PROPOSAL, ticket.id,
                     arena_printf(s->cx->arena, "Same sender and subject as ticket #%lld: perhaps the same matter",
                                  (long long)ticket.number));
        return E_OK;
    }
    return E_OK;
}

enum err_code email_find_ticket(struct cx *cx, struct db *db, const struct email *email, const struct intake *in, int64_t contact_id,
                                struct email_join *ret)
{
    *ret = (struct email_join){ .rule = "new" };
    struct search_state s = { cx, db, email, in, contact_id, ret };
    TRY(look_for_tokens(&s));
    TRY(look_for_references(&s));
    TRY(look_for_thread_index(&s));
    TRY(look_for_number(&s));
    const struct evidence *best = NULL;
    for (size_t i = 0; i < ret->evidence.n; i++) {
        const struct evidence *e = &ret->evidence.items[i];
        if (e->ticket_id > 0 && e->score >= JOINS && (!best || e->score > best->score))
            best = e;
    }
    if (best) {
        ret->ticket_id = best->ticket_id;
        ret->rule = best->kind;
        ret->score = best->score;
    } else {
        TRY(look_for_proposals(&s));
    }
    if (in->auth_failed)
        evidence_add(&ret->evidence, "authentication", -PENALTY_AUTH, 0,
                     arena_printf(cx->arena, "%.*s could not confirm the sender (SPF, DKIM, DMARC)", STR_ARG(in->mailbox.in_trusted_host)));
    return E_OK;
}

enum err_code email_remember(struct cx *cx, struct db *db, const struct intake *in, int64_t ticket_id, int64_t message_id)
{
    TRY(em_reference_put(cx, db, (struct em_reference_put_in){ cx->account_id, STR("message_id"), in->message_id, ticket_id, message_id,
                         cx->now_us }, NULL));
    if (in->mail.thread_index.len > 0)
        TRY(em_reference_put(cx, db, (struct em_reference_put_in){ cx->account_id, STR("thread_index"), in->mail.thread_index, ticket_id,
                             message_id, cx->now_us }, NULL));
    size_t n = in->mail.nreferences;
    for (size_t i = n > EMAIL_REFERENCES_MAX ? n - EMAIL_REFERENCES_MAX : 0; i < n; i++)
        TRY(em_ghost_put(cx, db, (struct em_ghost_put_in){ cx->account_id, in->mail.references[i], ticket_id, message_id, cx->now_us },
                         NULL));
    return E_OK;
}

enum err_code email_remember_follow_up(struct cx *cx, struct db *db, int64_t closed_id, int64_t follow_up_id)
{
    struct str key = arena_printf(cx->arena, "%lld", (long long)closed_id);
    return em_reference_replace(cx, db, (struct em_reference_replace_in){ cx->account_id, STR("follow_up"), key, follow_up_id, 0,
                                cx->now_us }, NULL);
}
