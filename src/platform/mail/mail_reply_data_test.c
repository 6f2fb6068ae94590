/* mail_split_text and mail_split_html against the collections of three reply parsers. */
#include "platform/mail/mail.h"
#include "platform/text/text.h"
#include "testing/dataset.h"

static struct str squeeze(struct arena *arena, struct str text)
{
    struct buf out = buf_new(arena, 0);
    for (size_t i = 0; i < text.len; i++) {
        if (!strchr(" \t\r\n", text.ptr[i]))
            buf_char(&out, text.ptr[i]);
    }
    return buf_str(&out);
}

static bool same_words(struct world *w, struct str a, struct str b)
{
    return str_eq(squeeze(w->arena, a), squeeze(w->arena, b));
}

/* Every character but white space is in one of the two halves. */
static void check_nothing_lost(struct world *w, struct str name, struct str text, struct mail_reply reply)
{
    size_t halves = squeeze(w->arena, reply.visible).len + squeeze(w->arena, reply.folded).len;
    CHECK_CASE(arena_cstr(w->arena, name), halves == squeeze(w->arena, text).len);
}

static void discourse_replies(void **state)
{
    struct world *w = *state;
    struct dataset set;
    struct json_value row;
    size_t good = 0, all = 0;
    if (!dataset_open(w, "reply-discourse/cases.jsonl", &set))
        return;
    while (dataset_next(&set, &row)) {
        struct str email = json_text(&row, "email");
        if (!email.ptr)
            continue;
        struct mail_reply reply = mail_split_text(w->arena, email);
        check_nothing_lost(w, json_text(&row, "name"), email, reply);
        all++;
        good += same_words(w, reply.visible, json_text(&row, "trimmed"));
    }
    dataset_score("reply-discourse", good, all, 90);
}

static void replies_that_parsers_agree_on(void **state)
{
    struct world *w = *state;
    struct dataset set;
    struct json_value row;
    size_t good = 0, all = 0, asserted_good = 0, asserted = 0;
    if (!dataset_open(w, "reply-parsers/cases.jsonl", &set))
        return;
    while (dataset_next(&set, &row)) {
        struct str email = json_text(&row, "email");
        int64_t before = clock_monotonic_us();
        struct mail_reply reply = mail_split_text(w->arena, email);
        CHECK(clock_monotonic_us() - before < 2 * US_PER_SECOND);
        check_nothing_lost(w, json_text(&row, "name"), email, reply);
        const struct json_value *strings = json_get(&row, "asserted");
        if (strings && strings->n > 0) {
            asserted++;
            asserted_good += same_words(w, reply.visible, strings->items[0].text);
        }
        if (!json_bool(&row, "agree", false))
            continue;
        all++;
        good += same_words(w, reply.visible, json_text(json_get(&row, "ref"), "crisp_visible_text"));
    }
    dataset_score("reply-parsers, both agree", good, all, 88);
    dataset_score("reply-parsers, asserted", asserted_good, asserted, 84);
}

static void talon_replies(void **state)
{
    struct world *w = *state;
    struct dataset set;
    struct json_value row;
    size_t good = 0, all = 0, html_good = 0, html_all = 0;
    if (!dataset_open(w, "reply-talon/cases.jsonl", &set))
        return;
    while (dataset_next(&set, &row)) {
        struct str input = json_text(&row, "input"), expected = json_text(&row, "expected");
        if (str_is(json_text(&row, "kind"), "plain")) {
            struct mail_reply reply = mail_split_text(w->arena, input);
            check_nothing_lost(w, json_text(&row, "test"), input, reply);
            all++;
            good += same_words(w, reply.visible, expected);
        } else if (str_is(json_text(&row, "kind"), "html")) {
            struct mail_reply reply = mail_split_html(w->arena, html_clean(w->arena, input));
            bool same = same_words(w, html_to_text(w->arena, reply.visible), html_to_text(w->arena, expected));
            html_all++;
            html_good += same;
            if (!same)
                print_message("reply-talon html, other: %.*s\n", STR_ARG(json_text(&row, "test")));
        }
    }
    dataset_score("reply-talon plain", good, all, 97);
    dataset_score("reply-talon html", html_good, html_all, 80);
}

/* Replies as clients write them, with the same words in each. */
static void talon_clients(void **state)
{
    struct world *w = *state;
    const char *dir = dataset_unpack(w, "reply-talon/fixtures.tar.gz");
    struct str *paths, html;
    size_t good = 0, all = 0;
    if (!dir)
        return;
    size_t n = dataset_files(w, dir, &paths);
    for (size_t i = 0; i < n; i++) {
        if (str_find(paths[i], STR("html_replies/")) < 0 || !dataset_read(w, paths[i].ptr, &html))
            continue;
        struct mail_reply reply = mail_split_html(w->arena, html_clean(w->arena, html));
        struct str text = squeeze(w->arena, html_to_text(w->arena, reply.visible));
        bool same = str_starts(text, STR("Hi.Iamfine.")) && text.len < 60;
        all++;
        good += same;
        if (!same)
            print_message("%.*s: \"%.*s\"\n", STR_ARG(str_skip(paths[i], (size_t)str_rchr(paths[i], '/') + 1)), STR_ARG(str_sub(text, 0, 90)));
    }
    dataset_score("reply-talon clients", good, all, 100);
}

TESTS(UNIT(discourse_replies), UNIT(replies_that_parsers_agree_on), UNIT(talon_replies), UNIT(talon_clients))
