/* search_test.c - what is found, by whom, and that the index can be lost. */
#include <unistd.h>

#include "search_internal.h"
#include "testing/testing.h"

/* An account with one admin and tickets, and a search over it. */
struct setting {
    struct world *w;
    struct blobs *blobs;
    struct search *search;
    struct accounts_setup account;
    const char *path;
};

static enum err_code make_account(struct cx *cx, struct db *db, void *arg)
{
    return accounts_create(cx, db, arg);
}

static struct accounts_setup account(struct world *w, const char *name, const char *email)
{
    struct accounts_setup a = { .account_name = str_of(name), .admin_email = str_of(email), .admin_name = str_of(name),
                                .password_hash = STR("x") };
    CHECK_OK(&w->cx, store_write(w->store, &w->cx, make_account, &a));
    return a;
}

static void act_as(struct setting *s, const struct accounts_setup *who)
{
    s->w->cx.account_id = who->account_id;
    s->w->cx.user_id = who->user_id;
    s->w->cx.permissions = UINT64_MAX;
    s->w->cx.actor = STR("user");
}

static struct setting begin(struct world *w)
{
    struct setting s = { .w = w, .blobs = blobs_new(w->dir), .path = arena_printf(w->arena, "%s/search.db", w->dir).ptr };
    CHECK_OK(&w->cx, search_open(&w->cx, w->store, s.blobs, s.path, &s.search));
    s.account = account(w, "Acme", "admin@example.com");
    act_as(&s, &s.account);
    return s;
}

static void end(struct setting *s)
{
    search_close(&s->search);
    blobs_free(&s->blobs);
}

struct writing {
    struct setting *s;
    struct str subject, text, from, name, status, attachment;
    const struct str *tags;
    size_t ntags;
    struct ticket_made made;
};

static enum err_code write_ticket(struct cx *cx, struct db *db, void *arg)
{
    struct writing *wr = arg;
    struct contact c = { 0 };
    struct new_attachment file = { .file_name = STR("log.txt"), .content_type = STR("text/plain") };
    struct new_ticket t = { .subject = wr->subject, .status = wr->status, .tags = wr->tags, .ntags = wr->ntags, .channel = STR("email"),
                            .message = { .text = wr->text, .author_kind = STR("contact"), .channel = STR("email"), .delivery = STR("none") } };
    TRY(contacts_by_email(cx, db, wr->from, wr->name, "from", &c));
    t.requester_id = t.message.author_id = c.id;
    if (wr->attachment.len) {
        TRY(blob_put(cx, db, wr->s->blobs, wr->attachment, &file.hash));
        file.size_bytes = (int64_t)wr->attachment.len;
        t.message.attachments = &file;
        t.message.nattachments = 1;
    }
    return tickets_create(cx, db, &t, &wr->made);
}

static int64_t ticket(struct setting *s, struct writing wr)
{
    wr.s = s;
    if (!wr.from.ptr)
        wr.from = STR("ann@example.org");
    CHECK_OK(&s->w->cx, store_write(s->w->store, &s->w->cx, write_ticket, &wr));
    return wr.made.ticket_id;
}

static void index_now(struct setting *s)
{
    size_t did = 0;
    CHECK_OK(&s->w->cx, search_run_once(&s->w->cx, s->search, &did));
}

struct asking {
    struct setting *s;
    struct search_request request;
    struct search_answer answer;
};

static enum err_code ask(struct cx *cx, struct db *db, void *arg)
{
    struct asking *a = arg;
    return search_find(cx, db, a->s->search, &a->request, &a->answer);
}

static struct search_answer find(struct setting *s, const char *q)
{
    struct asking a = { .s = s, .request = { .text = str_of(q), .limit = 50 } };
    CHECK_OK(&s->w->cx, store_read(s->w->store, &s->w->cx, ask, &a));
    return a.answer;
}

/* Tickets and messages of one ticket count once. */
static size_t tickets_found(struct setting *s, const char *q)
{
    struct search_answer a = find(s, q);
    size_t n = 0;
    for (size_t i = 0; i < a.n; i++) {
        bool seen = str_is(a.hits[i].kind, "contact");
        for (size_t k = 0; k < i && !seen; k++)
            seen = a.hits[k].ticket.id == a.hits[i].ticket.id && !str_is(a.hits[k].kind, "contact");
        n += !seen;
    }
    return n;
}

static void words_phrases_and_operators_find(void **state)
{
    struct setting s = begin(*state);
    static const struct str vip[] = { { "VIP", 3 } };
    ticket(&s, (struct writing){ .subject = STR("Refund for order 48213"), .text = STR("The colour was wrong. Übergröße!"),
                                 .name = STR("Ann Example"), .tags = vip, .ntags = 1 });
    ticket(&s, (struct writing){ .subject = STR("Login fails"), .text = STR("wrong password, the page is not loading"),
                                 .from = STR("bob@example.net"), .status = STR("pending") });
    ticket(&s, (struct writing){ .subject = STR("東京都のお客様"), .text = STR("注文をキャンセルしたい"), .from = STR("kei@example.com"),
                                 .attachment = STR("stack overflow in widget.c") });
    index_now(&s);
    static const struct {
        const char *q;
        size_t want;
    } cases[] = {
        { "refund", 1 }, { "REFUND", 1 }, { "wrong", 2 }, { "wrong colour", 1 }, { "\"colour was wrong\"", 1 },
        { "\"wrong colour\"", 0 }, { "ubergrosse", 1 }, { "pass*", 1 }, { "pass", 0 }, { "wrong -password", 1 },
        { "東京", 1 }, { "京都", 1 }, { "キャンセル", 1 }, { "overflow", 1 }, { "log.txt", 1 }, { "has:attachment", 1 },
        { "wrong has:attachment", 0 }, { "from:ann", 1 }, { "from:bob wrong", 1 }, { "from:carol", 0 }, { "tag:vip", 1 },
        { "vip", 1 }, { "status:pending", 1 }, { "status:open", 2 }, { "wrong status:open", 1 }, { "status:unresolved", 3 },
        { "assignee:none", 3 }, { "assignee:me wrong", 0 }, { "before:2020-01-01 wrong", 0 }, { "after:2020-01-01 wrong", 2 },
        { "#1", 1 }, { "#99", 0 }, { "48213", 1 }, { "O'Brien) OR NEAR( *", 0 }, { "wrong & | ! ( :", 2 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t got = tickets_found(&s, cases[i].q);
        if (got != cases[i].want)
            print_error("%s: %zu, want %zu\n", cases[i].q, got, cases[i].want);
        CHECK_CASE(cases[i].q, got == cases[i].want);
    }
    end(&s);
}

static void snippets_mark_what_matched(void **state)
{
    struct setting s = begin(*state);
    ticket(&s, (struct writing){ .subject = STR("Hello"), .text = STR("🎉 The Café is closed. Please refund the café voucher.") });
    index_now(&s);
    struct search_answer a = find(&s, "cafe");
    CHECK_INT(a.n, 1);
    CHECK_STR(a.hits[0].kind, "message");
    CHECK_STR(a.hits[0].snippet, "🎉 The Café is closed. Please refund the café voucher.");
    CHECK_STR(a.hits[0].marks, "[[7,11],[41,45]]");
    CHECK_STR(find(&s, "\"please refund\"").hits[0].marks, "[[23,29],[30,36]]");
    end(&s);
}

static void nobody_finds_another_accounts_tickets(void **state)
{
    struct setting s = begin(*state);
    ticket(&s, (struct writing){ .subject = STR("secret plan"), .text = STR("secret") });
    struct accounts_setup other = { 0 };
    act_as(&s, &s.account);
    other = account(s.w, "Other", "admin@example.net");
    act_as(&s, &other);
    ticket(&s, (struct writing){ .subject = STR("other secret"), .text = STR("nothing") });
    index_now(&s);
    CHECK_INT(tickets_found(&s, "secret"), 1);
    CHECK_STR(find(&s, "secret").hits[0].ticket.subject, "other secret");
    CHECK_INT(find(&s, "#2").n, 0);
    end(&s);
}

static void rights_limit_what_is_found(void **state)
{
    struct setting s = begin(*state);
    ticket(&s, (struct writing){ .subject = STR("secret plan"), .text = STR("secret"), .name = STR("Secret Person") });
    index_now(&s);
    CHECK(find(&s, "secret").n == 3);       /* ticket, message, contact */
    s.w->cx.only_own_teams = true;
    CHECK_INT(tickets_found(&s, "secret"), 0);
    CHECK_INT(tickets_found(&s, "status:open"), 0);
    s.w->cx.only_own_teams = false;
    s.w->cx.permissions = PERM_BIT(PERM_CONTACT_READ);
    CHECK_INT(find(&s, "secret").n, 1);
    CHECK_INT(find(&s, "status:open").n, 0);
    s.w->cx.permissions = 0;
    CHECK_INT(find(&s, "secret").n, 0);
    end(&s);
}

static void pages_reach_everything_once(void **state)
{
    struct setting s = begin(*state);
    enum { N = 450 };
    for (int i = 0; i < N; i++)
        ticket(&s, (struct writing){ .subject = arena_printf(s.w->arena, "Case %d", i), .text = STR("common word") });
    index_now(&s);
    struct asking a = { .s = &s, .request = { .text = STR("common"), .limit = 70 } };
    struct map *seen = map_new(s.w->arena);
    size_t n = 0;
    for (int page = 0; page < 20; page++) {
        CHECK_OK(&s.w->cx, store_read(s.w->store, &s.w->cx, ask, &a));
        for (size_t i = 0; i < a.answer.n; i++, n++)
            map_put(seen, arena_printf(s.w->arena, "%lld", (long long)a.answer.hits[i].ticket.message_id), &s);
        if (!a.answer.more)
            break;
        a.request.before_id = a.answer.before_id;
        a.request.skip = a.answer.skip;
    }
    CHECK_INT(n, N);
    CHECK_INT(map_count(seen), N);
    end(&s);
}

static void a_lost_index_is_made_anew(void **state)
{
    struct setting s = begin(*state);
    int64_t lag = -1;
    ticket(&s, (struct writing){ .subject = STR("Refund"), .text = STR("please") });
    CHECK_OK(&s.w->cx, search_lag(&s.w->cx, s.search, &lag));
    CHECK(lag > 0);
    index_now(&s);
    CHECK_OK(&s.w->cx, search_lag(&s.w->cx, s.search, &lag));
    CHECK_INT(lag, 0);
    if (s.w->kind == STORE_SQLITE) {
        search_close(&s.search);
        CHECK(fd_replace_file(s.w->arena, s.path, STR("this is no database, and longer than a header of one would be"), 0600));
        CHECK_OK(&s.w->cx, search_open(&s.w->cx, s.w->store, s.blobs, s.path, &s.search));
        CHECK_INT(find(&s, "refund").n, 0);
        index_now(&s);
    } else {
        CHECK_OK(&s.w->cx, search_rebuild(&s.w->cx, s.search));
    }
    CHECK_INT(tickets_found(&s, "refund"), 1);
    end(&s);
}

static enum err_code check_statements(struct cx *cx, struct db *db, void *arg)
{
    for (size_t i = 0; i < COUNT(search_index_statements); i++)
        TRY(stmt_check(cx, db, search_index_statements[i]));
    return E_OK;
}

static void index_statements_prepare(void **state)
{
    struct setting s = begin(*state);
    CHECK_OK(&s.w->cx, store_read(s.search->index, &s.w->cx, check_statements, NULL));
    end(&s);
}

TESTS(BOTH(words_phrases_and_operators_find), BOTH(snippets_mark_what_matched), BOTH(nobody_finds_another_accounts_tickets),
      BOTH(rights_limit_what_is_found), BOTH(pages_reach_everything_once), BOTH(a_lost_index_is_made_anew), BOTH(index_statements_prepare))
