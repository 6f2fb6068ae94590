/* mail_read_bounce against real delivery reports of some hundred mail servers. */
#include "platform/mail/mail.h"
#include "testing/dataset.h"

#include <stdlib.h>

/* The collection's reasons in our words. */
static const struct {
    const char *theirs, *ours;
} reasons[] = {
    { "userunknown", "user_unknown" }, { "mailboxfull", "mailbox_full" }, { "filtered", "filtered" }, { "expired", "expired" },
    { "rejected", "rejected" }, { "blocked", "blocked" }, { "badreputation", "blocked" }, { "requireptr", "blocked" },
    { "networkerror", "network" }, { "hostunknown", "host_unknown" }, { "spamdetected", "spam" }, { "authfailure", "auth" },
    { "policyviolation", "policy" }, { "securityerror", "policy" }, { "notcompliantrfc", "policy" }, { "suspend", "suspended" },
    { "systemerror", "system" }, { "systemfull", "system" }, { "mailererror", "system" }, { "notaccept", "not_accepting" },
    { "norelaying", "relaying" }, { "toomanyconn", "rate" }, { "speeding", "rate" }, { "exceedlimit", "too_big" },
    { "mesgtoobig", "too_big" }, { "virusdetected", "virus" }, { "hasmoved", "moved" }, { "contenterror", "content" },
    { "syntaxerror", "content" }, { "undefined", "other" }, { "onhold", "other" },
};

static const char *our_reason(struct str theirs)
{
    for (size_t i = 0; i < COUNT(reasons); i++) {
        if (str_is(theirs, reasons[i].theirs))
            return reasons[i].ours;
    }
    return NULL;    /* vacation, feedback, delivered: no bounces */
}

struct tally {
    size_t bounces, found, reason, hard, status_all, status, recipient;
};

/* Several recipients: the one that we name may be any of them. */
static void compare(struct tally *t, const struct json_value *expected, const struct mail_bounce *got)
{
    bool reason = false, hard = false, status = false, has_status = false;
    for (size_t i = 0; i < expected->n; i++) {
        const struct json_value *want = &expected->items[i];
        const char *ours = our_reason(json_text(want, "reason"));
        struct str code = json_text(want, "status");
        /* x.0.9xx is the collection's own code where the mail has none. */
        bool own = str_find(code, STR(".0.9")) > 0;
        /* "filtered" is theirs for an unknown user that the server found out about only behind the data. */
        bool late = ours && strcmp(ours, "filtered") == 0 && str_is(got->reason, "user_unknown");
        reason = reason || late || (ours && str_is(got->reason, ours));
        hard = hard || json_bool(want, "hardbounce", false) == got->hard;
        has_status = has_status || !own;
        status = status || (!own && str_eq(code, got->status));
    }
    t->reason += reason;
    t->hard += hard;
    t->status_all += has_status;
    t->status += status;
    t->recipient += got->recipient.len > 0;
    if ((!reason || !hard) && getenv("CAIRN_TEST_VERBOSE"))
        print_message("%.*s hard=%d want %.*s | %.*s %.*s\n", STR_ARG(got->reason), got->hard, STR_ARG(json_text(&expected->items[0], "reason")),
                      STR_ARG(got->status), STR_ARG(got->diagnostic));
}

static bool read_mail(struct world *w, const char *path, struct mail *ret)
{
    struct str raw;
    return dataset_read(w, path, &raw) && mail_parse(&w->cx, raw, (struct mail_limits){ 0 }, ret) == E_OK;
}

static const char *find_file(struct world *w, const char *dir, struct str name)
{
    const char *folders[] = { "bsd", "dos", "mac" };
    for (size_t i = 0; i < COUNT(folders); i++) {
        const char *path = arena_printf(w->arena, "%s/maildir/%s/%.*s", dir, folders[i], STR_ARG(name)).ptr;
        struct str ignored;
        if (dataset_read(w, path, &ignored))
            return path;
    }
    return NULL;
}

static void known_reports(void **state)
{
    struct world *w = *state;
    const char *dir = dataset_unpack(w, "email-bounces-sisimai/bounces.tar.gz");
    struct dataset set;
    struct json_value row;
    struct tally t = { 0 };
    if (!dir || !dataset_open(w, "email-bounces-sisimai/expected.jsonl", &set))
        return;
    while (dataset_next(&set, &row)) {
        struct mail mail;
        struct mail_bounce bounce;
        const struct json_value *expected = json_get(&row, "bounces");
        const char *path = find_file(w, dir, json_text(&row, "file"));
        if (!path || !expected || expected->n == 0 || !our_reason(json_text(&expected->items[0], "reason")))
            continue;
        CHECK(read_mail(w, path, &mail));
        t.bounces++;
        if (!mail_read_bounce(w->arena, &mail, &bounce)) {
            if (getenv("CAIRN_TEST_VERBOSE"))
                print_message("missed: %.*s \"%.*s\"\n", STR_ARG(json_text(&row, "file")), STR_ARG(mail.subject));
            continue;
        }
        t.found++;
        compare(&t, expected, &bounce);
    }
    CHECK(t.bounces > 300);
    dataset_score("bounces found", t.found, t.bounces, 97);
    dataset_score("bounces, recipient named", t.recipient, t.found, 96);
    dataset_score("bounces, reason", t.reason, t.found, 72);
    dataset_score("bounces, hard or soft", t.hard, t.found, 85);
    dataset_score("bounces, status", t.status, t.status_all, 93);
}

/* Vacation notices, feedback reports and ordinary mail are no bounces. */
static void what_is_no_bounce(void **state)
{
    struct world *w = *state;
    const char *dir = dataset_unpack(w, "email-bounces-sisimai/bounces.tar.gz");
    struct str *paths;
    size_t right = 0, all = 0;
    if (!dir)
        return;
    size_t n = dataset_files(w, dir, &paths);
    for (size_t i = 0; i < n; i++) {
        struct mail mail;
        struct mail_bounce bounce;
        bool other = str_find(paths[i], STR("/not/")) >= 0 || str_find(paths[i], STR("/rfc3834-")) >= 0 || str_find(paths[i], STR("/arf-")) >= 0;
        if (!other || !read_mail(w, paths[i].ptr, &mail))
            continue;
        all++;
        right += !mail_read_bounce(w->arena, &mail, &bounce);
    }
    dataset_score("no bounces", right, all, 100);
}

/* Six thousand ordinary mails, lists and spam: hardly one may look like a delivery report. */
static void ordinary_mail_is_no_bounce(void **state)
{
    struct world *w = *state;
    const char *dir = dataset_unpack(w, "email-spamassassin/spamassassin.tar.gz");
    struct str *paths;
    size_t right = 0, all = 0, lists = 0;
    int64_t spent = 0;
    if (!dir)
        return;
    size_t n = dataset_files(w, dir, &paths);
    for (size_t i = 0; i < n; i++) {
        struct arena *arena = arena_new("mail", 0);
        struct cx cx = { .arena = arena };
        struct mail mail;
        struct mail_bounce bounce;
        struct str raw, why;
        CHECK(fd_read_file(arena, paths[i].ptr, (size_t)64 << 20, &raw));
        int64_t before = clock_monotonic_us();
        CHECK_OK(&cx, mail_parse(&cx, raw, (struct mail_limits){ 0 }, &mail));
        spent += clock_monotonic_us() - before;
        CHECK(utf8_valid(mail.text) && utf8_valid(mail.subject));
        all++;
        right += !mail_read_bounce(arena, &mail, &bounce);
        lists += mail_classify(arena, &mail, STR_NONE, &why) == MAIL_LIST;
        arena_free(&arena);
    }
    print_message("email-spamassassin: %zu mails parsed in %lld ms, %zu from lists\n", all, (long long)(spent / 1000), lists);
    dataset_score("email-spamassassin, no bounces", right, all, 99.5);
}

TESTS(UNIT(known_reports), UNIT(what_is_no_bounce), UNIT(ordinary_mail_is_no_bounce))
