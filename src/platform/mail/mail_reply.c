#include "platform/mail/mail_reply.h"
#include "platform/text/text.h"

#define MAX_INTRO_LINES 6
#define MAX_SIGNATURE_LINES ((size_t)12)
#define MAX_RULE_LINES ((size_t)8)
#define MAX_LINES 20000

/* ---- lines ---- */

enum line_kind reply_line_kind(struct str text)
{
    struct str s = str_trim(text);
    if (s.len == 0)
        return LINE_BLANK;
    return s.ptr[0] == '>' || str_starts(s, STR("&gt;")) ? LINE_QUOTE : LINE_TEXT;
}

static void mark_code(struct reply_lines *s)
{
    size_t open = s->n;
    for (size_t i = 0; i < s->n; i++) {
        if (s->lines[i].kind != LINE_TEXT || !str_starts(str_trim(s->lines[i].text), STR("```")))
            continue;
        if (open == s->n) {
            open = i;
            continue;
        }
        for (size_t k = open; k <= i; k++)
            s->lines[k].kind = LINE_CODE;
        open = s->n;
    }
}

/* "reply On Wed, Apr 4, 2012 at 3:59 PM, bob wrote:": the introduction starts in the middle. */
static size_t introduction_inside(struct str lower)
{
    if (!str_ends(str_trim(lower), STR("wrote:")))
        return 0;
    ptrdiff_t at = str_find(lower, STR(" on "));
    if (at <= 0)
        return 0;
    struct str head = str_sub(lower, 0, (size_t)at), tail = str_trim(str_skip(lower, (size_t)at));
    while (head.len > 0 && head.ptr[head.len - 1] == '-')
        head.len--;
    return head.len > 0 && reply_may_introduce(tail) && reply_introduces(tail) && !reply_may_introduce(head) ? head.len : 0;
}

static void add_line(struct reply_lines *s, struct str raw)
{
    struct reply_line *l = &s->lines[s->n++];
    l->raw = raw;
    l->text = raw;
    while (l->text.len > 0 && strchr("\r\n", l->text.ptr[l->text.len - 1]))
        l->text.len--;
    l->lower = str_trim(text_lower(s->arena, l->text));
    l->kind = reply_line_kind(l->text);
}

static void split_lines(struct reply_lines *s, struct str text)
{
    size_t count = 2;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == '\n';
    s->lines = NEWN(s->arena, struct reply_line, 2 * MIN(count, (size_t)MAX_LINES) + 4);
    while (text.len > 0 && s->n < MAX_LINES) {
        ptrdiff_t end = str_chr(text, '\n');
        /* A line can become two; what is beyond the limit is one last line, so that nothing is lost. */
        size_t length = end < 0 || s->n >= MAX_LINES - 2 ? text.len : (size_t)end + 1;
        struct str raw = str_sub(text, 0, length);
        text = str_skip(text, length);
        size_t cut = reply_line_kind(raw) == LINE_TEXT ? introduction_inside(text_lower(s->arena, raw)) : 0;
        if (cut > 0)
            add_line(s, str_sub(raw, 0, cut));
        add_line(s, str_skip(raw, cut));
    }
    mark_code(s);
}

static size_t next_filled(const struct reply_lines *s, size_t i)
{
    while (i < s->n && s->lines[i].kind == LINE_BLANK)
        i++;
    return i;
}

static void fold(struct reply_lines *s, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        s->lines[i].folded = true;
}

/* ---- where quoted history starts ---- */

/* How many lines the introduction that starts at i takes; 0 when there is none. */
static size_t introduction_length(const struct reply_lines *s, size_t i)
{
    if (s->lines[i].kind != LINE_TEXT || !reply_may_introduce(s->lines[i].lower))
        return 0;
    struct str joined = STR("");
    size_t filled = 0;
    for (size_t k = i; k < s->n && filled < MAX_INTRO_LINES; k++) {
        struct str lower = s->lines[k].lower;
        if (s->lines[k].kind == LINE_BLANK) {
            /* Only an address in brackets may stand apart (Polymail). */
            size_t next = next_filled(s, k);
            if (next == s->n || next > k + 1 || !str_has_prefix_char(s->lines[next].lower, '<'))
                return 0;
            continue;
        }
        if (k > i && s->lines[k].kind == LINE_QUOTE && !str_ends(lower, STR("wrote:")))
            return 0;
        joined = filled == 0 ? lower : arena_printf(s->arena, "%.*s %.*s", STR_ARG(joined), STR_ARG(lower));
        filled++;
        if (reply_introduces(joined))
            return k + 1 - i;
        if (joined.len > 500)
            return 0;
    }
    return 0;
}

/* "From: … Sent: … To: … Subject: …" in any language. */
static bool is_header_block(const struct reply_lines *s, size_t i)
{
    unsigned first = s->lines[i].kind == LINE_TEXT ? reply_header_key(s->lines[i].lower) : 0, all = first;
    bool address = str_chr(s->lines[i].lower, '@') > 0;
    size_t misses = 0;
    if (!first)
        return false;
    for (size_t k = i + 1; k < s->n && k < i + 9 && misses < 2; k++) {
        unsigned key = reply_header_key(s->lines[k].lower);
        misses = key ? 0 : misses + 1;
        if (key || misses == 1)
            address = address || str_chr(s->lines[k].lower, '@') > 0;
        all |= key;
    }
    return reply_is_header_block(first, all, address);
}

/* A rule directly above a header block belongs to it. */
static bool starts_history(const struct reply_lines *s, size_t i)
{
    const struct reply_line *l = &s->lines[i];
    if (l->kind != LINE_TEXT)
        return false;
    if (reply_separates(l->lower) || is_header_block(s, i))
        return true;
    if (!reply_is_rule(l->lower))
        return false;
    size_t next = next_filled(s, i + 1);
    return next < s->n && (is_header_block(s, next) || introduction_length(s, next) > 0);
}

/* Lines that a mail program wrapped out of their quote stand between quoted lines without a gap. */
static void mark_wrapped_quotes(struct reply_lines *s)
{
    for (size_t i = 1; i + 1 < s->n; i++) {
        bool before = s->lines[i - 1].kind == LINE_QUOTE;
        if (s->lines[i].kind == LINE_TEXT && before && s->lines[i + 1].kind == LINE_QUOTE)
            s->lines[i].kind = LINE_QUOTE;
    }
}

static bool any_visible(const struct reply_lines *s, size_t to)
{
    for (size_t i = 0; i < to; i++) {
        if (!s->lines[i].folded && s->lines[i].kind != LINE_BLANK)
            return true;
    }
    return false;
}

/* Folds quotes and history; true when all after some line was history. */
static bool fold_history(struct reply_lines *s)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->lines[i].kind == LINE_QUOTE) {
            s->lines[i].folded = true;
            continue;
        }
        if (s->lines[i].history || starts_history(s, i)) {
            fold(s, i, s->n);
            return true;
        }
        size_t length = introduction_length(s, i);
        if (length == 0)
            continue;
        fold(s, i, i + length);
        size_t next = next_filled(s, i + length);
        bool quoted = next < s->n && s->lines[next].kind == LINE_QUOTE;
        /* Without marks all that follows is history, unless that would leave nothing. */
        if (!quoted && any_visible(s, i)) {
            fold(s, i, s->n);
            return true;
        }
        i += length - 1;
    }
    return false;
}

/* ---- signatures ---- */

static size_t filled_until_fold(const struct reply_lines *s, size_t from, size_t *ret_stop)
{
    size_t filled = 0, i = from;
    for (; i < s->n && !s->lines[i].folded; i++)
        filled += s->lines[i].kind != LINE_BLANK;
    *ret_stop = i;
    return filled;
}

/* "-- " by the book; "--", "---" and a mailing list's rule where only a few lines follow. */
static bool is_signature(const struct reply_lines *s, size_t i, size_t *ret_stop)
{
    const struct reply_line *l = &s->lines[i];
    struct str bare = str_trim(l->text);
    bool rule = str_is(bare, "---") || (str_starts(bare, STR("__")) && str_trim(str_replace(s->arena, bare, STR("_"), STR(""))).len == 0);
    if (!rule && !str_is(bare, "--"))
        return false;
    size_t filled = filled_until_fold(s, i + 1, ret_stop);
    if (str_is(l->text, "-- "))
        return true;
    return filled > 0 && filled <= (rule ? MAX_RULE_LINES : MAX_SIGNATURE_LINES) && any_visible(s, i);
}

static void fold_signatures(struct reply_lines *s)
{
    for (size_t i = 0; i < s->n; i++) {
        struct reply_line *l = &s->lines[i];
        size_t stop;
        if (l->folded || l->kind != LINE_TEXT)
            continue;
        if (reply_is_device_line(l->lower))
            l->folded = true;
        else if (is_signature(s, i, &stop))
            fold(s, i, stop);
    }
}

void reply_fold(struct reply_lines *s)
{
    bool cut = fold_history(s), quoted = cut;
    fold_signatures(s);
    for (size_t i = 0; i < s->n && !quoted; i++)
        quoted = s->lines[i].kind == LINE_QUOTE;
    /* A message that is all signature is shown. */
    if (!quoted && !any_visible(s, s->n)) {
        for (size_t i = 0; i < s->n; i++)
            s->lines[i].folded = false;
    }
}

/* ---- result ---- */

static struct str without_blank_ends(struct str text)
{
    struct str rest = text, line;
    /* Leading blank lines go, leading blanks of the first line stay: they may be indentation. */
    while (str_line(&rest, &line) && str_trim(line).len == 0)
        text = rest;
    while (text.len > 0 && strchr(" \t\r\n", text.ptr[text.len - 1]))
        text.len--;
    return text;
}

static struct str gather(struct reply_lines *s, bool folded)
{
    struct buf out = buf_new(s->arena, 0);
    for (size_t i = 0; i < s->n; i++) {
        if (s->lines[i].folded == folded)
            buf_add(&out, s->lines[i].raw);
    }
    struct str text = without_blank_ends(buf_str(&out));
    return text.ptr ? text : STR("");
}

struct mail_reply mail_split_text(struct arena *arena, struct str text)
{
    struct reply_lines s = { .arena = arena };
    split_lines(&s, text);
    mark_wrapped_quotes(&s);
    reply_fold(&s);
    return (struct mail_reply){ gather(&s, false), gather(&s, true) };
}
