#include "platform/text/text_internal.h"

#include <pthread.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

static pthread_once_t loaded = PTHREAD_ONCE_INIT;
static const UNormalizer2 *nfkd, *nfc;

static void load(void)
{
    UErrorCode status = U_ZERO_ERROR;
    nfkd = unorm2_getNFKDInstance(&status);
    nfc = unorm2_getNFCInstance(&status);
    ASSERT(U_SUCCESS(status));
}

/* ---- one character ---- */

/* Scripts written without spaces: their runs are indexed as overlapping pairs. */
static bool is_unspaced(uint32_t cp)
{
    return (cp >= 0x3040 && cp <= 0x30FF) || (cp >= 0x3400 && cp <= 0x9FFF) || (cp >= 0xAC00 && cp <= 0xD7A3) ||
           (cp >= 0xF900 && cp <= 0xFAFF) || (cp >= 0x20000 && cp <= 0x3FFFF) || cp == 0x3005 || cp == 0x3007 ||
           (cp >= 0x0E00 && cp <= 0x0EFF) || (cp >= 0x1000 && cp <= 0x109F) || (cp >= 0x1780 && cp <= 0x17FF);
}

static bool is_mark(uint32_t cp)
{
    int8_t type = u_charType((UChar32)cp);
    return type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK;
}

static bool is_word_char(uint32_t cp)
{
    if (cp < 0x80)
        return (cp >= '0' && cp <= '9') || (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z');
    int8_t type = u_charType((UChar32)cp);
    return u_isalnum((UChar32)cp) || is_mark(cp) || type == U_COMBINING_SPACING_MARK || type == U_OTHER_NUMBER;
}

/* Letters that people type without their stroke although Unicode does not decompose them. */
static const char *plain_letter(uint32_t cp)
{
    switch (cp) {
    case 0x00C6: case 0x00E6: return "ae";
    case 0x00D8: case 0x00F8: return "o";
    case 0x0110: case 0x0111: case 0x00D0: case 0x00F0: return "d";
    case 0x0131: return "i";
    case 0x0141: case 0x0142: return "l";
    case 0x0152: case 0x0153: return "oe";
    case 0x00DE: case 0x00FE: return "th";
    default: return NULL;
    }
}

static uint32_t next_unit(const UChar *text, int32_t n, int32_t *at)
{
    uint32_t unit = text[(*at)++];
    if (U16_IS_LEAD(unit) && *at < n)
        unit = 0x10000 + ((unit - 0xD800) << 10) + ((uint32_t)text[(*at)++] - 0xDC00);
    return unit;
}

static void put_folded(struct buf *out, uint32_t cp)
{
    if (cp < 0x80) {
        buf_char(out, (char)(cp >= 'A' && cp <= 'Z' ? cp + 32 : cp));
        return;
    }
    const char *plain = plain_letter(cp);
    if (plain) {
        buf_add(out, str_of(plain));
        return;
    }
    /* Taking Hangul and voiced kana apart would lose what tells words apart. */
    bool whole = (cp >= 0xAC00 && cp <= 0xD7A3) || (cp >= 0x3040 && cp <= 0x30FF);
    UChar parts[64], folded[64];
    UErrorCode status = U_ZERO_ERROR;
    int32_t n = whole ? -1 : unorm2_getDecomposition(nfkd, (UChar32)cp, parts, 64, &status);
    if (n < 0 || U_FAILURE(status)) {
        n = 0;
        U16_APPEND_UNSAFE(parts, n, (UChar32)cp);
        status = U_ZERO_ERROR;
    }
    n = u_strFoldCase(folded, 64, parts, n, U_FOLD_CASE_DEFAULT, &status);
    for (int32_t i = 0; i < n && U_SUCCESS(status);) {
        uint32_t part = next_unit(folded, n, &i);
        if (is_word_char(part) && !is_mark(part))
            utf8_put(out, part);
    }
}

/* The next character, with conjoining jamo, split voicing marks and half-width kana composed. */
static bool next_char(struct str text, size_t *at, uint32_t *ret)
{
    struct str rest = str_skip(text, *at);
    if (!utf8_next(&rest, ret))
        return false;
    *at = (size_t)(rest.ptr - text.ptr);
    if (*ret < 0x1100)
        return true;
    if (*ret >= 0xFF66 && *ret <= 0xFF9D) {
        UChar wide[4];
        UErrorCode status = U_ZERO_ERROR;
        if (unorm2_getDecomposition(nfkd, (UChar32)*ret, wide, 4, &status) == 1)
            *ret = wide[0];
    }
    uint32_t next;
    while (utf8_next(&rest, &next)) {
        if (next == 0xFF9E || next == 0xFF9F)
            next = next == 0xFF9E ? 0x3099 : 0x309A;
        bool joins = (next >= 0x1161 && next <= 0x11C2) || next == 0x3099 || next == 0x309A;
        UChar32 both = joins ? unorm2_composePair(nfc, (UChar32)*ret, (UChar32)next) : -1;
        if (both < 0)
            break;
        *ret = (uint32_t)both;
        *at = (size_t)(rest.ptr - text.ptr);
    }
    return true;
}

/* ---- words ---- */

struct text_words text_words(struct arena *arena, struct str text)
{
    pthread_once(&loaded, load);
    return (struct text_words){ .text = text, .term = buf_new(arena, 0) };
}

static bool give(struct text_words *w, size_t from, size_t to, struct text_token *ret)
{
    *ret = (struct text_token){ buf_str(&w->term), { from, to } };
    return w->term.len > 0;
}

/* The half pair that no second character followed; nothing when it already ended a pair. */
static bool give_pending(struct text_words *w, struct text_token *ret)
{
    uint32_t cp = w->pending;
    w->pending = 0;
    if (w->paired)
        return false;
    put_folded(&w->term, cp);
    return give(w, w->pending_range.from, w->pending_range.to, ret);
}

static bool take_unspaced(struct text_words *w, uint32_t cp, struct text_range range, struct text_token *ret)
{
    uint32_t first = w->pending;
    struct text_range from = w->pending_range;
    w->pending = cp;
    w->pending_range = range;
    w->paired = first != 0;
    if (!first)
        return false;
    put_folded(&w->term, first);
    put_folded(&w->term, cp);
    return give(w, from.from, range.to, ret);
}

static bool take_word(struct text_words *w, size_t from, struct text_token *ret)
{
    size_t at = from, end = from;
    uint32_t cp;
    while (next_char(w->text, &at, &cp) && is_word_char(cp) && !is_unspaced(cp)) {
        put_folded(&w->term, cp);
        end = at;
    }
    w->at = end;
    return give(w, from, end, ret);
}

bool text_words_next(struct text_words *w, struct text_token *ret)
{
    uint32_t cp;
    buf_clear(&w->term);
    for (;;) {
        size_t from = w->at, to = from;
        if (!next_char(w->text, &to, &cp))
            return w->pending && give_pending(w, ret);
        if (is_unspaced(cp) && is_mark(cp)) {
            w->at = to;
        } else if (is_unspaced(cp) && is_word_char(cp)) {
            w->at = to;
            if (take_unspaced(w, cp, (struct text_range){ from, to }, ret))
                return true;
        } else if (w->pending) {
            if (give_pending(w, ret))
                return true;
        } else if (is_word_char(cp)) {
            if (take_word(w, from, ret))
                return true;
        } else {
            w->at = to;
        }
    }
}

static bool is_ascii(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] >= 0x80)
            return false;
    }
    return true;
}

static struct str fold_ascii(struct arena *arena, struct str text)
{
    char *out = arena_alloc(arena, text.len + 2);
    size_t n = 0;
    bool in_word = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c + 32);
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (word && !in_word && n > 0)
            out[n++] = ' ';
        if (word)
            out[n++] = c;
        in_word = word;
    }
    return (struct str){ out, n };
}

struct str text_fold(struct arena *arena, struct str text)
{
    if (is_ascii(text))
        return fold_ascii(arena, text);
    struct buf out = buf_new(arena, 0);
    struct text_words words = text_words(arena, text);
    struct text_token token;
    while (text_words_next(&words, &token)) {
        if (out.len > 0)
            buf_char(&out, ' ');
        buf_add(&out, token.term);
    }
    return buf_str(&out);
}

static bool matches(struct str term, const struct str *terms, size_t nterms)
{
    for (size_t i = 0; i < nterms; i++) {
        struct str want = terms[i];
        bool prefix = str_ends(want, STR("*"));
        if (prefix)
            want.len--;
        if (want.len > 0 && (prefix ? str_starts(term, want) : str_eq(term, want)))
            return true;
    }
    return false;
}

size_t text_find_terms(struct arena *arena, struct str text, const struct str *terms, size_t nterms,
                       struct text_range *ret_marks, size_t max_marks)
{
    struct text_words words = text_words(arena, text);
    struct text_token token;
    size_t n = 0;
    while (text_words_next(&words, &token)) {
        if (!matches(token.term, terms, nterms))
            continue;
        if (n > 0 && token.range.from <= ret_marks[n - 1].to)
            ret_marks[n - 1].to = token.range.to;
        else if (n == max_marks)
            break;
        else
            ret_marks[n++] = token.range;
    }
    return n;
}

struct str text_lower(struct arena *arena, struct str text)
{
    if (is_ascii(text))
        return str_lower(arena, text);
    struct buf out = buf_new(arena, 0);
    uint32_t cp;
    while (utf8_next(&text, &cp))
        utf8_put(&out, (uint32_t)u_tolower((UChar32)cp));
    return buf_str(&out);
}
