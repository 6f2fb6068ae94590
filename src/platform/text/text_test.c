#include "platform/text/text.h"
#include "testing/testing.h"

static void cleans_to_the_allow_list(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *html, *want;
    } cases[] = {
        { "", "" },
        { "<p>Hi <b onclick=x()>you</b></p>", "<p>Hi <b>you</b></p>" },
        { "a<script>alert(1)</script>b<style>p{}</style>", "ab" },
        { "<a href=\"https://example.com/?a=1&b=2\">x</a>",
          "<a href=\"https://example.com/?a=1&amp;b=2\" rel=\"noopener noreferrer\" target=\"_blank\">x</a>" },
        { "<a href='java\nscript:alert(1)'>x</a><a href='&#106;avascript:x'>y</a><a href=' vbscript:x'>z</a>",
          "<a>x</a><a>y</a><a>z</a>" },
        { "<img src=\"http://example.com/p.png\" onerror=\"x()\">", "<img data-remote-src=\"http://example.com/p.png\">" },
        { "<img src=\"//example.com/p.png\">", "<img data-remote-src=\"https://example.com/p.png\">" },
        { "<img src=\"cid:a@b\" alt=\"A\">", "<img data-cid=\"a@b\" alt=\"A\">" },
        { "<img src=\"data:image/png;base64,AAAA\">", "<img src=\"data:image/png;base64,AAAA\">" },
        { "<img src=\"data:image/svg+xml;base64,AAAA\"><img src=\"data:text/html,x\">", "<img><img>" },
        { "<div style=\"color: red; position: fixed; background: url(http://e/x); width: 10px\">x</div>",
          "<div style=\"color: red; width: 10px\">x</div>" },
        { "<div style=\"width: expression(alert(1)); color: r\\65 d; margin: -500px\">x</div>", "<div>x</div>" },
        { "<div style=\"background: #fff\">x</div>", "<div style=\"background-color: #fff\">x</div>" },
        { "<form><input name=a><button>Go</button></form><iframe src=x></iframe>", "Go" },
        { "<svg><script>x</script><a xlink:href=javascript:x>y</a></svg>z", "z" },
        { "<div class=\"x gmail_quote\" id=body>q</div>", "<div data-mark=\"gmail_quote\">q</div>" },
        { "<custom-tag>kept</custom-tag><o:p>too</o:p>", "kepttoo" },
        { "<p>open <b>tags", "<p>open <b>tags</b></p>" },
        { "<pre>\n\nx</pre>", "<pre>\n\nx</pre>" },
        { "1 < 2 & \"3\"", "1 &lt; 2 &amp; \"3\"" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str clean = html_clean(w->arena, str_of(cases[i].html));
        CHECK_STR(clean, cases[i].want);
        CHECK_STR(html_clean(w->arena, clean), cases[i].want);
    }
}

/* Inputs that make HTML parsers slow, deep or fat. */
static void bounds_hostile_shapes(void **state)
{
    struct world *w = *state;
    const char *units[] = { "<div>", "<b>", "<font size=1>", "<table><tr><td>", "<a href=x>", "<p><font color=%d>", "</p><p>", "<ul><li>", "<!--", "&amp", "<x a=1 " };
    for (size_t u = 0; u < COUNT(units); u++) {
        struct buf html = buf_new(w->arena, 0);
        for (int i = 0; i < 20000; i++)
            buf_add(&html, str_replace(w->arena, str_of(units[u]), STR("%d"), arena_printf(w->arena, "%d", i)));
        int64_t before = clock_monotonic_us();
        struct str clean = html_clean(w->arena, buf_str(&html));
        CHECK(utf8_valid(clean));
        CHECK_CASE(units[u], clock_monotonic_us() - before < 20 * US_PER_SECOND);
    }
}

static void html_reads_as_plain_text(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *html, *want;
    } cases[] = {
        { "<p>One</p><p>Two<br>Three</p>", "One\n\nTwo\nThree" },
        { "<div>a</div><div><br></div><div>b</div>", "a\n\nb" },
        { "<a href=\"https://example.com/x\">here</a> <a href=\"https://example.com\">example.com</a>", "here <https://example.com/x> example.com" },
        { "<a href=\"mailto:a@example.com\">a@example.com</a>", "a@example.com" },
        { "<ul><li>x</li><li>y</li></ul><ol start=3><li>z</ol>", "* x\n* y\n\n3. z" },
        { "<blockquote>q<blockquote>r</blockquote></blockquote>s", "> q\n> > r\ns" },
        { "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc" },
        { "x<span style=\"display:none\">hidden</span><script>no</script>y", "xy" },
        { "<pre>a\n  b</pre>", "a\n  b" },
        { "a&nbsp;b &lt;c&gt; &euro;", "a b <c> €" },
        { "<img alt=\"Logo\" src=x>", "[Logo]" },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_STR(html_to_text(w->arena, str_of(cases[i].html)), cases[i].want);
}

static void plain_text_becomes_html(void **state)
{
    struct world *w = *state;
    CHECK_STR(text_to_html(w->arena, STR("a\nb\n\n<c> & \"d\"")), "<p>a<br>\nb</p>\n<p>&lt;c&gt; &amp; \"d\"</p>");
    CHECK_STR(text_to_html(w->arena, STR("see https://example.com/a?b=1&c=2.")),
              "<p>see <a href=\"https://example.com/a?b=1&amp;c=2\" rel=\"noopener noreferrer\" "
              "target=\"_blank\">https://example.com/a?b=1&amp;c=2</a>.</p>");
    CHECK_STR(text_to_html(w->arena, STR("javascript:alert(1)")), "<p>javascript:alert(1)</p>");
    CHECK_STR(text_to_html(w->arena, STR("")), "");
}

static void markdown_is_safe(void **state)
{
    struct world *w = *state;
    CHECK_STR(markdown_to_html(w->arena, STR("**a** ~~b~~")), "<p><strong>a</strong> <del>b</del></p>");
    struct str table = markdown_to_html(w->arena, STR("|a|b|\n|-|-|\n|1|2|"));
    CHECK(str_find(table, STR("<table>")) >= 0 && str_find(table, STR("<td>2</td>")) >= 0);
    struct str bad = markdown_to_html(w->arena, STR("<script>x</script> [y](javascript:x) <b onclick=x>z</b>"));
    CHECK(str_find(bad, STR("<script")) < 0 && str_find(bad, STR("javascript:")) < 0 && str_find(bad, STR("onclick")) < 0);
    CHECK(str_find(markdown_to_html(w->arena, STR("https://example.com")), STR("<a href=\"https://example.com\"")) >= 0);
}

static void previews_cut_between_characters(void **state)
{
    struct world *w = *state;
    CHECK_STR(text_preview(w->arena, STR("  a \n\t b  "), 100), "a b");
    CHECK_STR(text_preview(w->arena, STR("abcdef"), 6), "abcdef");
    CHECK_STR(text_preview(w->arena, STR("abcdefg"), 6), "abc…");
    CHECK_STR(text_preview(w->arena, STR("ääää"), 6), "ä…");
    CHECK_STR(text_preview(w->arena, STR("abc"), 2), "ab");
    CHECK_STR(text_preview(w->arena, STR(""), 10), "");
}

static void folds_for_search(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "Hello, World-42!", "hello world 42" },
        { "Crème BRÛLÉE", "creme brulee" },
        { "Straße Łódź Æther Ørsted", "strasse lodz aether orsted" },
        { "東京都 a 京", "東京 京都 a 京" },
        { "ﬁne ①②", "fine 12" },
        { "Ａｐｐｌｅ ｶﾞｽ", "apple ガス" },
        { "ガ\xE3\x82\xAB\xE3\x82\x99", "ガガ" },
        { "한국어", "한국 국어" },
        { "Ελλάδα ΟΔΟΣ", "ελλαδα οδοσ" },
        { "ПрИвЕт ёж", "привет еж" },
        { "", "" }, { "...", "" },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_STR(text_fold(w->arena, str_of(cases[i].text)), cases[i].want);
}

static void marks_terms_in_the_original(void **state)
{
    struct world *w = *state;
    struct str text = STR("Das Café am Straßenrand, cafe! 東京都");
    struct str terms[] = { STR("cafe"), STR("strass*"), STR("東京"), STR("京都") };
    struct text_range marks[8];
    CHECK_INT(text_find_terms(w->arena, text, terms, COUNT(terms), marks, COUNT(marks)), 4);
    CHECK_STR(str_sub(text, marks[0].from, marks[0].to - marks[0].from), "Café");
    CHECK_STR(str_sub(text, marks[1].from, marks[1].to - marks[1].from), "Straßenrand");
    CHECK_STR(str_sub(text, marks[2].from, marks[2].to - marks[2].from), "cafe");
    CHECK_STR(str_sub(text, marks[3].from, marks[3].to - marks[3].from), "東京都");
    CHECK_INT(text_find_terms(w->arena, text, terms, COUNT(terms), marks, 1), 1);
    CHECK_INT(text_find_terms(w->arena, text, terms, 0, marks, 8), 0);
}

static void lowers_all_of_unicode(void **state)
{
    struct world *w = *state;
    CHECK_STR(text_lower(w->arena, STR("ÄÖÜ ABC ΣΑΣ Ж")), "äöü abc σασ ж");
    CHECK_STR(text_lower(w->arena, STR("abc")), "abc");
}

static void repairs_charset_labels(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *bytes, *label, *want, *used;
    } cases[] = {
        { "plain", "us-ascii", "plain", "us-ascii" },
        { "caf\xC3\xA9", "utf-8", "café", "utf-8" },
        { "caf\xE9 \x93q\x94", "iso-8859-1", "café “q”", "windows-1252" },
        { "caf\xC3\xA9", "iso-8859-1", "café", "utf-8" },
        { "caf\xE9", "utf-8", "café", "windows-1252" },
        { "\x1B$B$3$s\x1B(B", "iso-2022-jp", "こん", "iso-2022-jp" },
        { "\xC4\xE3\xBA\xC3", "gb2312", "你好", "gb18030" },
        { "\xCF\xF0\xE8\xE2\xE5\xF2", "windows-1251", "Привет", "windows-1251" },
        { "\xEF\xBB\xBFx", "utf-8", "x", "utf-8" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str used;
        CHECK_STR(text_decode(w->arena, str_of(cases[i].bytes), str_of(cases[i].label), &used), cases[i].want);
        CHECK_STR(used, cases[i].used);
    }
    struct str used;
    CHECK(utf8_valid(text_decode(w->arena, STR("a\0b\xFF"), STR("no-such-charset"), &used)));
}

TESTS(UNIT(cleans_to_the_allow_list), UNIT(bounds_hostile_shapes), UNIT(html_reads_as_plain_text), UNIT(plain_text_becomes_html),
      UNIT(markdown_is_safe), UNIT(previews_cut_between_characters), UNIT(folds_for_search), UNIT(marks_terms_in_the_original),
      UNIT(lowers_all_of_unicode), UNIT(repairs_charset_labels))
