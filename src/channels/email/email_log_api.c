/* email_log_api.c - routes of the mail log, suppressions, and a message's source and pictures. */
#include "channels/email/email_internal.h"

enum { PICTURE_BYTES = 10 * 1024 * 1024 };

/* ---- the log ---- */

struct named_ticket { int64_t id, number; };
static const struct field named_ticket_fields[] = {
    ID_FIELD(struct named_ticket, id, .doc = "Id of the ticket"),
    INT_FIELD(struct named_ticket, number, .doc = "Its number"),
};
static SHAPE(named_ticket_shape, "MailTicket", struct named_ticket, named_ticket_fields);

struct mail_row_out {
    int64_t id, score, size, attempts, message_id, duplicate_of, created_at, updated_at;
    struct str direction, state, verdict, evidence, rule, source, source_ref, message_id_header, from, to, subject, detail;
    const void *mailbox, *ticket;
};
static const struct field mail_out_fields[] = {
    ID_FIELD(struct mail_row_out, id, .doc = "Id in the log"),
    TEXT_FIELD(struct mail_row_out, direction, .doc = "in or out"),
    TEXT_FIELD(struct mail_row_out, state,
               .doc = "in: received, stored, duplicate, swallowed, quarantined; out: held, queued, sending, sent, failed, bounced, cancelled"),
    TEXT_FIELD(struct mail_row_out, verdict,
               .doc = "human, auto_reply, out_of_office, delivery_report, list, own_loop, spam, or empty before it is known"),
    JSON_FIELD(struct mail_row_out, evidence, .doc = "What was found, strongest first: kind, text, score"),
    TEXT_FIELD(struct mail_row_out, rule, .doc = "What chose the ticket"),
    INT_FIELD(struct mail_row_out, score, .doc = "Of the winning evidence"),
    TEXT_FIELD(struct mail_row_out, source, .doc = "imap, pop3, lmtp, pipe, import, reply or auto"),
    TEXT_FIELD(struct mail_row_out, source_ref, .doc = "Folder and UID, peer, file"),
    OBJECT_FIELD(struct mail_row_out, mailbox, &named_shape, .nullable = true, .doc = "Through which mailbox"),
    INT_FIELD(struct mail_row_out, size, .doc = "Bytes"),
    TEXT_FIELD(struct mail_row_out, message_id_header, .doc = "Message-ID without angle brackets"),
    TEXT_FIELD(struct mail_row_out, from, .doc = "Sender's address"),
    JSON_FIELD(struct mail_row_out, to, .doc = "Addresses of envelope and header"),
    TEXT_FIELD(struct mail_row_out, subject, .doc = "Subject"),
    TEXT_FIELD(struct mail_row_out, detail, .doc = "Reason of quarantine, the server's answer"),
    INT_FIELD(struct mail_row_out, attempts, .doc = "How often it was tried"),
    OBJECT_FIELD(struct mail_row_out, ticket, &named_ticket_shape, .nullable = true, .doc = "Where it went"),
    ID_FIELD(struct mail_row_out, message_id, .nullable = true, .doc = "The message on the ticket"),
    ID_FIELD(struct mail_row_out, duplicate_of, .nullable = true, .doc = "The mail that came first"),
    TIME_FIELD(struct mail_row_out, created_at, .doc = "Received or written"),
    TIME_FIELD(struct mail_row_out, updated_at, .doc = "Last change"),
};
static SHAPE(mail_shape, "Mail", struct mail_row_out, mail_out_fields);

/* The log shows mail of every team, before it is known whose it is. */
static enum err_code need_whole_account(struct cx *cx)
{
    return cx->only_own_teams ? fail(cx, E_FORBIDDEN, "The mail log is for those who see all tickets") : E_OK;
}

static enum err_code mail_out_of(struct cx *cx, struct db *db, const struct em_mail *row, struct mail_row_out *out)
{
    struct em_mailbox box;
    struct ticket_brief ticket;
    *out = (struct mail_row_out){
        .id = row->id, .score = row->score, .size = row->size_bytes, .attempts = row->attempts, .message_id = row->message_id,
        .duplicate_of = row->duplicate_of, .created_at = row->created_us, .updated_at = row->updated_us, .direction = row->direction,
        .state = row->state, .verdict = row->verdict, .evidence = row->evidence, .rule = row->rule, .source = row->source,
        .source_ref = row->source_ref, .message_id_header = row->header_message_id, .from = row->from_address, .to = row->to_addresses,
        .subject = row->subject, .detail = row->detail };
    if (row->mailbox_id > 0) {
        bool found = false;
        TRY(if_found(cx, em_mailbox_by_id(cx, db, (struct em_mailbox_by_id_in){ cx->account_id, row->mailbox_id }, &box), &found));
        struct named *named = NEW(cx->arena, struct named);
        *named = (struct named){ row->mailbox_id, found ? box.name : STR("") };
        out->mailbox = found ? named : NULL;
    }
    if (row->ticket_id > 0) {
        bool found = false;
        TRY(if_found(cx, tickets_get(cx, db, row->ticket_id, &ticket), &found));
        struct named_ticket *named = NEW(cx->arena, struct named_ticket);
        *named = (struct named_ticket){ row->ticket_id, found ? ticket.number : 0 };
        out->ticket = found ? named : NULL;
    }
    return E_OK;
}

struct mail_log_in {
    struct page_in page;
    int64_t id, ticket_id, mailbox_id;
    struct str direction, state, verdict, q;
};
static const struct field mail_log_fields[] = {
    PAGE_FIELDS(struct mail_log_in, page),
    TEXT_FIELD(struct mail_log_in, direction, .place = IN_QUERY, .optional = true, .max = 8, .choices = (const char *const[]){ "in", "out", NULL },
               .doc = "Only this direction"),
    TEXT_FIELD(struct mail_log_in, state, .place = IN_QUERY, .optional = true, .max = 20, .doc = "Only this state"),
    TEXT_FIELD(struct mail_log_in, verdict, .place = IN_QUERY, .optional = true, .max = 20, .doc = "Only this verdict"),
    ID_FIELD(struct mail_log_in, ticket_id, .place = IN_QUERY, .optional = true, .doc = "Only of this ticket"),
    ID_FIELD(struct mail_log_in, mailbox_id, .place = IN_QUERY, .optional = true, .doc = "Only of this mailbox"),
    TEXT_FIELD(struct mail_log_in, q, .place = IN_QUERY, .optional = true, .max = 200, .doc = "Part of subject, address or Message-ID"),
};
static const struct field mail_path_fields[] = {
    ID_FIELD(struct mail_log_in, id, .place = IN_PATH, .doc = "Id in the log"),
};

HANDLER(mail_log_page, struct mail_log_in, struct page_out)
{
    int64_t before = INT64_MAX;
    struct em_mail *rows = NULL;
    size_t n = 0;
    TRY(need_whole_account(cx));
    if (in->page.cursor.ptr)
        TRY(page_cursor_read(cx, in->page.cursor, &before, 1));
    TRY(em_mail_log(cx, db, (struct em_mail_log_in){ cx->account_id, before, in->direction, in->state, in->verdict, in->ticket_id,
                    in->mailbox_id, like_pattern(cx->arena, in->q), in->page.limit + 1 }, &rows, &n));
    size_t shown = MIN(n, (size_t)in->page.limit);
    struct mail_row_out *items = NEWN(cx->arena, struct mail_row_out, shown + 1);
    for (size_t i = 0; i < shown; i++)
        TRY(mail_out_of(cx, db, &rows[i], &items[i]));
    out->items = (struct list){ .items = items, .n = shown };
    if (n > shown)
        out->next_cursor = page_cursor(cx->arena, &rows[shown - 1].id, 1);
    return E_OK;
}

static enum err_code load(struct cx *cx, struct db *db, int64_t id, struct em_mail *ret)
{
    TRY(need_whole_account(cx));
    return need_found(cx, em_mail_by_id(cx, db, (struct em_mail_by_id_in){ cx->account_id, id }, ret), "mail");
}

HANDLER(mail_read, struct mail_log_in, struct mail_row_out)
{
    struct em_mail row;
    TRY(load(cx, db, in->id, &row));
    return mail_out_of(cx, db, &row, out);
}

/* Always as a download: what stands in a mail is not shown by the browser as a page of ours. */
static enum err_code answer_source(struct cx *cx, const struct em_mail *row)
{
    if (row->raw_hash.len == 0)
        return fail(cx, E_NOT_FOUND, "The source of this mail is not stored");
    reply_blob(cx, row->raw_hash, STR("message/rfc822"), arena_printf(cx->arena, "mail-%lld.eml", (long long)row->id), true);
    return E_OK;
}

HANDLER(mail_source, struct mail_log_in, struct nothing)
{
    struct em_mail row;
    TRY(load(cx, db, in->id, &row));
    return answer_source(cx, &row);
}

struct process_read { int64_t id; struct mail_row_out *out; };

static enum err_code process_read(struct cx *cx, struct db *db, void *arg)
{
    struct process_read *p = arg;
    struct em_mail row;
    TRY(load(cx, db, p->id, &row));
    return mail_out_of(cx, db, &row, p->out);
}

HANDLER(mail_process, struct mail_log_in, struct mail_row_out)
{
    struct email *email = email_running();
    if (!email)
        return fail_busy(cx, "The e-mail channel is not running");
    struct process_read read = { in->id, out };
    TRY(store_read(http_store(cx), cx, process_read, &read));
    TRY(email_process(cx, email, in->id));
    return store_read(http_store(cx), cx, process_read, &read);
}

/* ---- suppressions ---- */

struct suppression_out { int64_t id, created_at, expires_at, mail_id; struct str address, reason, detail; };
static const struct field suppression_fields[] = {
    ID_FIELD(struct suppression_out, id, .doc = "Id of the entry"),
    TEXT_FIELD(struct suppression_out, address, .doc = "Gets no mail"),
    TEXT_FIELD(struct suppression_out, reason, .doc = "hard_bounce, soft_bounces, complaint or manual"),
    TEXT_FIELD(struct suppression_out, detail, .doc = "What the report said"),
    ID_FIELD(struct suppression_out, mail_id, .nullable = true, .doc = "The report in the mail log"),
    TIME_FIELD(struct suppression_out, created_at, .doc = "Since when"),
    TIME_FIELD(struct suppression_out, expires_at, .nullable = true, .doc = "Until when; null: for good"),
};
static SHAPE(suppression_shape, "Suppression", struct suppression_out, suppression_fields);

struct suppressions_in { struct page_in page; int64_t id; };
static const struct field suppressions_fields[] = { PAGE_FIELDS(struct suppressions_in, page) };
static const struct field suppression_path_fields[] = {
    ID_FIELD(struct suppressions_in, id, .place = IN_PATH, .doc = "Id of the entry"),
};

HANDLER(suppression_page, struct suppressions_in, struct page_out)
{
    int64_t before = INT64_MAX;
    struct em_suppression *rows = NULL;
    size_t n = 0;
    if (in->page.cursor.ptr)
        TRY(page_cursor_read(cx, in->page.cursor, &before, 1));
    TRY(em_suppression_list(cx, db, (struct em_suppression_list_in){ cx->account_id, before, cx->now_us, in->page.limit + 1 }, &rows, &n));
    size_t shown = MIN(n, (size_t)in->page.limit);
    struct suppression_out *items = NEWN(cx->arena, struct suppression_out, shown + 1);
    for (size_t i = 0; i < shown; i++)
        items[i] = (struct suppression_out){ rows[i].id, rows[i].created_us, rows[i].expires_us, rows[i].mail_id, rows[i].address_folded,
                                             rows[i].reason, rows[i].detail };
    out->items = (struct list){ .items = items, .n = shown };
    if (n > shown)
        out->next_cursor = page_cursor(cx->arena, &rows[shown - 1].id, 1);
    return E_OK;
}

HANDLER(suppression_delete, struct suppressions_in, struct nothing)
{
    int64_t changed = 0;
    TRY(em_suppression_delete(cx, db, (struct em_suppression_delete_in){ cx->account_id, in->id }, &changed));
    if (changed == 0)
        return fail(cx, E_NOT_FOUND, "There is no such suppression");
    return email_emit(cx, db, STR("suppression.removed"), 0, in->id, STR(""));
}

/* ---- a message's mail ---- */

struct message_in { int64_t id; struct str url; };
static const struct field message_path_fields[] = {
    ID_FIELD(struct message_in, id, .place = IN_PATH, .doc = "Id of the message"),
};
static const struct field picture_fields[] = {
    ID_FIELD(struct message_in, id, .place = IN_PATH, .doc = "Id of the message"),
    TEXT_FIELD(struct message_in, url, .place = IN_QUERY, .min = 8, .max = 4000, .doc = "A picture's address that stands in this message"),
};

static enum err_code load_visible(struct cx *cx, struct db *db, int64_t message_id, struct message_full *ret)
{
    struct ticket_brief ticket;
    int64_t *teams = NULL;
    size_t nteams = 0;
    TRY(need_found(cx, tickets_message(cx, db, message_id, ret), "message"));
    TRY(need_found(cx, tickets_get(cx, db, ret->ticket_id, &ticket), "message"));
    if (cx->only_own_teams)
        TRY(accounts_user_teams(cx, db, cx->user_id, &teams, &nteams));
    return accounts_may_see(cx, teams, nteams, ticket.team_id, ticket.assignee_id) ? E_OK : fail(cx, E_NOT_FOUND, "There is no such message");
}

HANDLER(message_source, struct message_in, struct nothing)
{
    struct message_full message;
    struct em_mail row;
    TRY(load_visible(cx, db, in->id, &message));
    if (message.mail_id == 0)
        return fail(cx, E_NOT_FOUND, "This message was not a mail");
    TRY(need_found(cx, em_mail_by_id(cx, db, (struct em_mail_by_id_in){ cx->account_id, message.mail_id }, &row), "mail"));
    return answer_source(cx, &row);
}

static struct str unescape(struct arena *arena, struct str text)
{
    const struct { struct str from, to; } entities[] = { { STR("&lt;"), STR("<") }, { STR("&gt;"), STR(">") }, { STR("&quot;"), STR("\"") },
                                                         { STR("&#39;"), STR("'") }, { STR("&amp;"), STR("&") } };
    for (size_t i = 0; i < COUNT(entities); i++)
        text = str_replace(arena, text, entities[i].from, entities[i].to);
    return text;
}

/* Only what the sender put there is fetched: the proxy is no door to other addresses. */
static bool names_picture(struct arena *arena, struct str html, struct str url)
{
    ptrdiff_t at;
    while ((at = str_find(html, STR("data-remote-src=\""))) >= 0) {
        html = str_skip(html, (size_t)at + 17);
        ptrdiff_t end = str_chr(html, '"');
        if (end >= 0 && str_eq(unescape(arena, str_sub(html, 0, (size_t)end)), url))
            return true;
    }
    return false;
}

struct picture_read { const struct message_in *in; bool named; };

static enum err_code picture_read(struct cx *cx, struct db *db, void *arg)
{
    struct picture_read *p = arg;
    struct message_full message;
    TRY(load_visible(cx, db, p->in->id, &message));
    p->named = names_picture(cx->arena, message.html, p->in->url) || names_picture(cx->arena, message.quoted_html, p->in->url);
    return E_OK;
}

/* By its first bytes, whatever the server called it; SVG is a document, not a picture. */
static struct str picture_type(struct str body)
{
    if (str_starts(body, STR("\x89PNG\r\n\x1a\n")))
        return STR("image/png");
    if (str_starts(body, STR("\xff\xd8\xff")))
        return STR("image/jpeg");
    if (str_starts(body, STR("GIF87a")) || str_starts(body, STR("GIF89a")))
        return STR("image/gif");
    if (str_starts(body, STR("RIFF")) && str_eq(str_sub(body, 8, 4), STR("WEBP")))
        return STR("image/webp");
    if (str_starts(body, STR("BM")))
        return STR("image/bmp");
    return STR_NONE;
}

HANDLER(message_picture, struct message_in, struct nothing)
{
    struct email *email = email_running();
    struct picture_read read = { in, false };
    struct http_answer answer;
    TRY(store_read(http_store(cx), cx, picture_read, &read));
    if (!read.named)
        return fail(cx, E_NOT_FOUND, "This picture does not stand in the message");
    TRY(http_fetch(cx, &(struct http_call){ .method = "GET", .url = in->url, .max_bytes = PICTURE_BYTES, .timeout_us = 15 * US_PER_SECOND,
                                            .public_only = true, .ca_file = email ? email->ca_file : NULL }, &answer));
    struct str type = picture_type(answer.body);
    if (answer.status != 200 || !type.ptr)
        return fail(cx, E_NOT_FOUND, "The picture is not there (answer %d)", answer.status);
    reply_header(cx, "Cache-Control", STR("private, max-age=86400, immutable"));
    reply_header(cx, "X-Content-Type-Options", STR("nosniff"));
    reply_bytes(cx, type, answer.body);
    return E_OK;
}

static const struct route routes[] = {
    { .method = METHOD_GET, .path = "/api/v1/mail-log", .summary = "List mail in and out", .permission = PERM_MAIL_LOG_READ,
      .rate = RATE_SEARCH, FIELDS(mail_log_fields, struct mail_log_in), RETURNS_PAGE(&mail_shape), .handler = mail_log_page },
    { .method = METHOD_GET, .path = "/api/v1/mail-log/{id}", .summary = "Read an entry of the mail log", .permission = PERM_MAIL_LOG_READ,
      FIELDS(mail_path_fields, struct mail_log_in), RETURNS(&mail_shape, struct mail_row_out), .handler = mail_read },
    { .method = METHOD_GET, .path = "/api/v1/mail-log/{id}/source", .summary = "Download a mail as it was", .permission = PERM_MAIL_LOG_READ,
      FIELDS(mail_path_fields, struct mail_log_in), .handler = mail_source },
    { .method = METHOD_POST, .path = "/api/v1/mail-log/{id}/process", .summary = "Run a quarantined mail again",
      .permission = PERM_MAIL_LOG_READ, .lane = LANE_SLOW, .work = WORK_NONE, FIELDS(mail_path_fields, struct mail_log_in),
      RETURNS(&mail_shape, struct mail_row_out), .handler = mail_process },
    { .method = METHOD_GET, .path = "/api/v1/suppressions", .summary = "List addresses that get no mail", .permission = PERM_MAIL_LOG_READ,
      FIELDS(suppressions_fields, struct suppressions_in), RETURNS_PAGE(&suppression_shape), .handler = suppression_page },
    { .method = METHOD_DELETE, .path = "/api/v1/suppressions/{id}", .summary = "Let an address get mail again",
      .permission = PERM_MAILBOX_WRITE, .no_content = true, FIELDS(suppression_path_fields, struct suppressions_in),
      .handler = suppression_delete },
    { .method = METHOD_GET, .path = "/api/v1/messages/{id}/source", .summary = "Download the mail of a message", .permission = PERM_TICKET_READ,
      FIELDS(message_path_fields, struct message_in), .handler = message_source },
    { .method = METHOD_GET, .path = "/api/v1/messages/{id}/remote-image", .summary = "Fetch a remote picture of a message",
      .doc = "The server fetches it, so that the sender learns neither who reads nor where.", .permission = PERM_TICKET_READ,
      .lane = LANE_SLOW, .work = WORK_NONE, FIELDS(picture_fields, struct message_in), .handler = message_picture },
};
const struct route_table mail_log_routes = { .tag = "mail", .routes = routes, .n = COUNT(routes) };
