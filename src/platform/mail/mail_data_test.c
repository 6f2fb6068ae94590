/* mail_parse against the fixtures of a dozen other mail parsers and against what three of them agree on. */
#include "platform/mail/mail.h"
#include "platform/text/text.h"
#include "testing/dataset.h"

#include <stdlib.h>

static bool parse_file(struct world *w, const char *path, struct mail *ret)
{
    struct str raw;
    if (!dataset_read(w, path, &raw))
        return false;
    CHECK_OK(&w->cx, mail_parse(&w->cx, raw, (struct mail_limits){ 0 }, ret));
    CHECK(utf8_valid(ret->text) && utf8_valid(ret->html) && utf8_valid(ret->subject));
    return true;
}

static struct str squeeze(struct arena *arena, struct str text)
{
    struct buf out = buf_new(arena, 0);
    for (size_t i = 0; i < text.len; i++) {
        if (!strchr(" \t\r\n", text.ptr[i]))
            buf_char(&out, text.ptr[i]);
    }
    return buf_str(&out);
}

/* ---- what three parsers agree on, field by field ---- */

enum field { SUBJECT, FROM, TO, CC, MESSAGE_ID, DATE, HTML, TEXT, ATTACHMENTS, FIELDS };
static const char *const field_names[] = { "subject", "from", "to", "cc", "mid", "date", "html", "text_head", "attachments" };

struct tally {
    size_t same[FIELDS], all[FIELDS];
};

static bool same_addresses(struct mail_addresses got, const struct json_value *want)
{
    size_t k = 0;
    for (size_t i = 0; i < got.n; i++) {
        if (got.items[i].address.len == 0)
            continue;
        if (k >= want->n || !str_ieq(got.items[i].address, want->items[k].text))
            return false;
        k++;
    }
    return k == want->n;
}

static bool same_field(struct world *w, enum field f, const struct json_value *want, const struct mail *m)
{
    switch (f) {
    case SUBJECT:
        return str_eq(squeeze(w->arena, m->subject), squeeze(w->arena, want->text));
    case FROM:
        return same_addresses(m->from, want);
    case TO:
        return same_addresses(m->to, want);
    case CC:
        return same_addresses(m->cc, want);
    case MESSAGE_ID:
        return str_find(want->text, m->message_id) >= 0 && m->message_id.len + 2 >= want->text.len;
    case DATE:
        return m->date_us == want->integer * US_PER_SECOND;
    case HTML:
        return (m->html.len > 0) == want->boolean;
    case TEXT:
        return str_starts(squeeze(w->arena, m->text), squeeze(w->arena, want->text));
    case ATTACHMENTS:
        return m->nparts == want->n;
    case FIELDS:
        break;
    }
    return false;
}

static void judge(struct world *w, const char *set, const char *archive, double floor_percent)
{
    const char *dir = dataset_unpack(w, arena_printf(w->arena, "%s/%s", set, archive).ptr);
    struct dataset rows;
    struct json_value row;
    struct tally t = { 0 };
    size_t same = 0, all = 0;
    if (!dir || !dataset_open(w, arena_printf(w->arena, "%s/oracle.jsonl", set).ptr, &rows))
        return;
    while (dataset_next(&rows, &row)) {
        struct mail m;
        struct str file = json_text(&row, "file");
        if (!parse_file(w, arena_printf(w->arena, "%s/%.*s", dir, STR_ARG(file)).ptr, &m))
            continue;
        for (enum field f = SUBJECT; f < FIELDS; f++) {
            const struct json_value *want = json_get(&row, field_names[f]);
            if (!want || want->kind == JSON_NULL)
                continue;
            bool equal = same_field(w, f, want, &m);
            t.all[f]++;
            t.same[f] += equal;
            if (!equal && getenv("CAIRN_TEST_VERBOSE"))
                print_message("%s %.*s: %s (%.*s) want %.*s\n", set, STR_ARG(file), field_names[f],
                              STR_ARG(f == SUBJECT ? m.subject : f == TEXT ? str_sub(m.text, 0, 60) : STR("")), STR_ARG(want->text));
        }
    }
    for (enum field f = SUBJECT; f < FIELDS; f++) {
        print_message("%s %s: %zu of %zu\n", set, field_names[f], t.same[f], t.all[f]);
        same += t.same[f];
        all += t.all[f];
    }
    dataset_score(set, same, all, floor_percent);
}

static void torture(void **state)
{
    judge(*state, "email-mime-torture", "torture.tar.gz", 97.5);
}

static void zammad(void **state)
{
    judge(*state, "email-zammad", "email-zammad.tar.gz", 98);
}

static void zbateson(void **state)
{
    judge(*state, "email-zbateson-mime", "zbateson.tar.gz", 94);
}

static void php_parser(void **state)
{
    judge(*state, "email-php-mime-mail-parser", "mails.tar.gz", 97.5);
}

static void mimekit(void **state)
{
    judge(*state, "email-mimekit", "mimekit.tar.gz", 95);
}

/* ---- every file of the others: reads without harm ---- */

static void reads_all_of(struct world *w, const char *archive)
{
    const char *dir = dataset_unpack(w, archive);
    struct str *paths;
    struct mail m;
    size_t n = dir ? dataset_files(w, dir, &paths) : 0;
    for (size_t i = 0; i < n; i++)
        CHECK(parse_file(w, paths[i].ptr, &m));
    if (dir)
        print_message("%s: %zu files read\n", archive, n);
}

static void others_do_no_harm(void **state)
{
    reads_all_of(*state, "email-mime4j/mime4j.tar.gz");
    reads_all_of(*state, "email-mailcore2/mailcore2.tar.gz");
    reads_all_of(*state, "email-charset-filters/gmime.tar.gz");
}

/* ---- stalwart: bodies and header vectors ---- */

/* Number of headers of the first part that say the same. */
static void compare_stalwart(struct world *w, struct str json, const struct mail *m, size_t *same, size_t *all)
{
    struct json_value tree;
    if (json_parse(&w->cx, json, &tree) != E_OK)
        return;
    const struct json_value *parts = json_get(&tree, "parts");
    const struct json_value *headers = parts && parts->n > 0 ? json_get(&parts->items[0], "headers") : NULL;
    for (size_t i = 0; headers && i < headers->n; i++) {
        struct str name = json_text(&headers->items[i], "name");
        const struct json_value *value = json_get(&headers->items[i], "value");
        struct str text = json_text(value, "Text");
        if (str_is(name, "subject") && text.ptr) {
            ++*all;
            *same += str_eq(squeeze(w->arena, m->subject), squeeze(w->arena, text));
        } else if (str_is(name, "message_id") && text.ptr) {
            ++*all;
            *same += str_eq(m->message_id, text);
        }
    }
    const struct json_value *attachments = json_get(&tree, "attachments"), *html = json_get(&tree, "html_body");
    *all += 2;
    *same += attachments && attachments->n == m->nparts;
    *same += html && (html->n > 0 || m->html.len == 0);
}

static void stalwart_trees(void **state)
{
    struct world *w = *state;
    const char *dir = dataset_unpack(w, "email-stalwart-mime/stalwart.tar.gz");
    struct str *paths, json;
    size_t same = 0, all = 0, n = dir ? dataset_files(w, dir, &paths) : 0;
    for (size_t i = 0; i < n; i++) {
        struct mail m;
        if (!str_ends(paths[i], STR(".eml")) || !parse_file(w, paths[i].ptr, &m))
            continue;
        struct str beside = arena_printf(w->arena, "%.*s.json", STR_ARG(str_sub(paths[i], 0, paths[i].len - 4)));
        if (dataset_read(w, beside.ptr, &json))
            compare_stalwart(w, json, &m, &same, &all);
    }
    if (dir)
        dataset_score("email-stalwart-mime trees", same, all, 93);
}

static void collect_addresses(const struct json_value *value, struct str *out, size_t *n, size_t max)
{
    if (!value)
        return;
    struct str address = value->kind == JSON_OBJECT ? json_text(value, "address") : STR_NONE;
    if (address.ptr && *n < max)
        out[(*n)++] = address;
    for (size_t i = 0; i < value->n; i++)
        collect_addresses(value->kind == JSON_OBJECT ? &value->members[i].value : &value->items[i], out, n, max);
}

static void stalwart_addresses(void **state)
{
    struct world *w = *state;
    struct dataset set;
    struct json_value row;
    size_t same = 0, all = 0;
    if (!dataset_open(w, "email-stalwart-mime/headers/address.jsonl", &set))
        return;
    while (dataset_next(&set, &row)) {
        struct str want[64];
        size_t n = 0, k = 0;
        collect_addresses(json_get(&row, "expected"), want, &n, COUNT(want));
        struct mail_addresses got = mail_parse_addresses(w->arena, json_text(&row, "header"));
        bool equal = true;
        for (size_t i = 0; i < got.n; i++) {
            if (got.items[i].address.len == 0)
                continue;
            equal = equal && k < n && str_eq(got.items[i].address, want[k]);
            k++;
        }
        all++;
        same += equal && k == n;
        if (!(equal && k == n) && getenv("CAIRN_TEST_VERBOSE"))
            print_message("addresses: %.*s -> %zu of %zu\n", STR_ARG(json_text(&row, "header")), k, n);
    }
    dataset_score("email-stalwart-mime addresses", same, all, 72);
}

/* ---- winmail.dat ---- */

static bool has_part(const struct mail *m, struct str name)
{
    for (size_t i = 0; i < m->nparts; i++) {
        if (str_eq(m->parts[i].file_name, name))
            return true;
    }
    return false;
}

static void unpacks_tnef(void **state)
{
    struct world *w = *state;
    const char *dir = dataset_unpack(w, "email-mimekit/mimekit.tar.gz");
    struct str *paths, tnef, raw;
    size_t n = dir ? dataset_files(w, dir, &paths) : 0, unpacked = 0, files = 0, found = 0, wanted = 0;
    for (size_t i = 0; i < n; i++) {
        if (!str_ends(paths[i], STR(".tnef")) || !dataset_read(w, paths[i].ptr, &tnef))
            continue;
        struct mail_part part = { .content_type = STR("application/ms-tnef"), .file_name = STR("winmail.dat"), .content = tnef };
        struct mail_out out = { .from.address = STR("a@example.com"), .text = STR("see"), .parts = &part, .nparts = 1 };
        struct mail m;
        CHECK_OK(&w->cx, mail_compose(&w->cx, &out, &raw));
        CHECK_OK(&w->cx, mail_parse(&w->cx, raw, (struct mail_limits){ 0 }, &m));
        files++;
        unpacked += !has_part(&m, STR("winmail.dat"));
        struct str folder = arena_printf(w->arena, "%.*s/", STR_ARG(str_sub(paths[i], 0, paths[i].len - 5)));
        for (size_t k = 0; k < n; k++) {
            if (!str_starts(paths[k], folder) || str_ends(paths[k], STR("message.rtf")) || str_ends(paths[k], STR("message.html")))
                continue;
            wanted++;
            found += has_part(&m, str_skip(paths[k], folder.len));
        }
    }
    if (!dir)
        return;
    dataset_score("winmail.dat unpacked", unpacked, files, 80);
    dataset_score("files of winmail.dat by name", found, wanted, 45);
}

static void address_validation(void **state)
{
    struct world *w = *state;
    struct dataset set;
    struct json_value row;
    size_t right = 0, all = 0;
    if (!dataset_open(w, "email-address-validation/cases.jsonl", &set))
        return;
    while (dataset_next(&set, &row)) {
        if (!str_is(json_text(&row, "kind"), "mailbox"))
            continue;
        bool valid = json_bool(&row, "valid", false), got = mail_address_valid(json_text(&row, "input"));
        all++;
        right += valid == got;
        if (valid != got && getenv("CAIRN_TEST_VERBOSE"))
            print_message("address %.*s: want %d\n", STR_ARG(json_text(&row, "input")), valid);
    }
    dataset_score("email-address-validation", right, all, 96);
}

TESTS(UNIT(torture), UNIT(zammad), UNIT(zbateson), UNIT(php_parser), UNIT(mimekit), UNIT(others_do_no_harm), UNIT(stalwart_trees),
      UNIT(stalwart_addresses), UNIT(unpacks_tnef), UNIT(address_validation))
