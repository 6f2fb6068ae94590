#include "platform/text/text_internal.h"

#include <unicode/ucnv.h>
#include <unicode/ucsdet.h>
#include <unicode/ustring.h>

/* Labels that real mail uses for a larger set: the WHATWG encoding standard's reading, and old misnomers. */
static const struct {
    const char *label, *charset;
    bool single_byte;
} labels[] = {
    { "iso-8859-1", "windows-1252", true },   { "latin1", "windows-1252", true },
    { "latin-1", "windows-1252", true },      { "iso8859-1", "windows-1252", true },
    { "iso_8859-1", "windows-1252", true },   { "cp1252", "windows-1252", true },
    { "cp-1252", "windows-1252", true },      { "windows-1252", "windows-1252", true },
    { "ansi_x3.4-1968", "us-ascii", true },   { "iso-8859-9", "windows-1254", true },
    { "iso-8859-11", "windows-874", true },   { "tis-620", "windows-874", true },
    { "gb2312", "gb18030", false },           { "gb_2312-80", "gb18030", false },
    { "gbk", "gb18030", false },              { "cp936", "gb18030", false },
    { "x-gbk", "gb18030", false },            { "euc-cn", "gb18030", false },
    { "ks_c_5601-1987", "windows-949", false }, { "euc-kr", "windows-949", false },
    { "ks_c_5601", "windows-949", false },    { "cp949", "windows-949", false },
    { "shift_jis", "ibm-943_P15A-2003", false }, { "shift-jis", "ibm-943_P15A-2003", false },
    { "sjis", "ibm-943_P15A-2003", false },   { "x-sjis", "ibm-943_P15A-2003", false },
    { "cp932", "ibm-943_P15A-2003", false },  { "windows-31j", "ibm-943_P15A-2003", false },
    { "big5", "big5-hkscs", false },          { "big-5", "big5-hkscs", false },
    { "utf8", "utf-8", false },               { "unicode-1-1-utf-8", "utf-8", false },
    { "unicode-1-1-utf-7", "utf-7", false },  { "cp-850", "ibm-850", true },
    { "cp850", "ibm-850", true },             { "koi8r", "koi8-r", true },
    { "win-1251", "windows-1251", true },     { "x-mac-roman", "macintosh", true },
    { "x-user-defined", "windows-1252", true },
};

static struct str canonical(struct arena *arena, struct str label)
{
    struct str name = str_lower(arena, str_trim(label));
    while (name.len > 0 && strchr("\"' ;", name.ptr[0]))
        name = str_skip(name, 1);
    while (name.len > 0 && strchr("\"' ;", name.ptr[name.len - 1]))
        name.len--;
    if (str_starts(name, STR("charset=")))
        name = str_skip(name, 8);
    for (size_t i = 0; i < COUNT(labels); i++) {
        if (str_is(name, labels[i].label))
            return str_of(labels[i].charset);
    }
    return name;
}

static bool is_single_byte(struct str charset)
{
    return str_starts(charset, STR("windows-125")) || str_starts(charset, STR("iso-8859-")) ||
           str_starts(charset, STR("koi8-")) || str_is(charset, "windows-874") || str_is(charset, "macintosh") ||
           str_is(charset, "ibm-850");
}

static void converter_done(UConverter **converter)
{
    if (*converter)
        ucnv_close(*converter);
}

/* False when the charset is not known.  *ret_bad counts what had no meaning in it. */
static bool convert(struct arena *arena, struct str bytes, struct str charset, struct str *ret, size_t *ret_bad)
{
    UErrorCode status = U_ZERO_ERROR;
    CLEANUP(converter_done) UConverter *converter = ucnv_open(arena_cstr(arena, charset), &status);
    if (U_FAILURE(status) || bytes.len > INT32_MAX / 4)
        return false;
    struct arena *scratch = arena_new("charset", 0);
    int32_t room = (int32_t)bytes.len * 2 + 16;
    UChar *wide = arena_alloc(scratch, (size_t)room * sizeof(UChar));
    int32_t n = ucnv_toUChars(converter, wide, room, bytes.ptr, (int32_t)bytes.len, &status);
    bool ok = U_SUCCESS(status) || status == U_STRING_NOT_TERMINATED_WARNING;
    size_t bad = 0;
    for (int32_t i = 0; ok && i < n; i++)
        bad += wide[i] == 0xFFFD || wide[i] == 0x1A;
    if (ok) {
        char *out = arena_alloc(arena, (size_t)n * 3 + 1);
        int32_t length = 0;
        status = U_ZERO_ERROR;
        u_strToUTF8WithSub(out, n * 3 + 1, &length, wide, n, 0xFFFD, NULL, &status);
        ok = U_SUCCESS(status);
        *ret = utf8_repair(arena, (struct str){ out, (size_t)length }, true);
        *ret_bad = bad;
    }
    arena_free(&scratch);
    return ok;
}

static void detector_done(UCharsetDetector **detector)
{
    if (*detector)
        ucsdet_close(*detector);
}

/* UTF-8 that was cut or damaged in few places is still UTF-8. */
static bool mostly_utf8(struct str bytes)
{
    size_t good = 0, bad = 0;
    uint32_t cp;
    while (utf8_next(&bytes, &cp)) {
        good += cp >= 0x80 && cp != 0xFFFD;
        bad += cp == 0xFFFD;
    }
    return good > 4 * bad;
}

#define DETECT_BYTES 16384
#define LEAST_CONFIDENCE 25

static struct str guess(struct arena *arena, struct str bytes)
{
    if (mostly_utf8(bytes))
        return STR("utf-8");
    UErrorCode status = U_ZERO_ERROR;
    CLEANUP(detector_done) UCharsetDetector *detector = ucsdet_open(&status);
    ucsdet_setText(detector, bytes.ptr, (int32_t)MIN(bytes.len, (size_t)DETECT_BYTES), &status);
    int32_t n = 0;
    const UCharsetMatch **matches = ucsdet_detectAll(detector, &n, &status);
    for (int32_t i = 0; U_SUCCESS(status) && i < n; i++) {
        UErrorCode ignored = U_ZERO_ERROR;
        struct str name = canonical(arena, str_of(ucsdet_getName(matches[i], &ignored)));
        struct str text;
        size_t bad = 1;
        if (ucsdet_getConfidence(matches[i], &ignored) < LEAST_CONFIDENCE)
            break;
        if (convert(arena, str_sub(bytes, 0, DETECT_BYTES), name, &text, &bad) && bad <= 1)
            return name;
    }
    return STR("windows-1252");
}

static struct str without_bom(struct str text)
{
    return str_starts(text, STR("\xEF\xBB\xBF")) ? str_skip(text, 3) : text;
}

static bool has_escape(struct str bytes)
{
    return str_chr(bytes, 0x1B) >= 0;
}

struct str text_decode(struct arena *arena, struct str bytes, struct str charset, struct str *ret_charset)
{
    struct str name = canonical(arena, charset), text;
    bool unlabelled = name.len == 0 || str_is(name, "utf-8") || str_is(name, "us-ascii") || str_is(name, "ascii");
    size_t bad = 0;
    *ret_charset = name;
    if (!has_escape(bytes) && (unlabelled || is_single_byte(name)) && utf8_valid(bytes)) {
        if (!unlabelled)
            *ret_charset = STR("utf-8");
        return utf8_repair(arena, without_bom(bytes), true);
    }
    if (!unlabelled && convert(arena, bytes, name, &text, &bad) && bad == 0)
        return text;
    struct str other = guess(arena, bytes);
    size_t other_bad = 0;
    struct str other_text;
    bool better = convert(arena, without_bom(bytes), other, &other_text, &other_bad) && (bad == 0 || other_bad < bad);
    if (!better && bad > 0)
        return text;
    *ret_charset = other;
    return better ? other_text : utf8_repair(arena, bytes, true);
}
