#include "platform/mail/mail.h"
#include "testing/testing.h"

#include <pthread.h>

static struct mail parse(struct world *w, const char *raw)
{
    struct mail m;
    CHECK_OK(&w->cx, mail_parse(&w->cx, str_of(raw), (struct mail_limits){ 0 }, &m));
    return m;
}

static void reads_headers(void **state)
{
    struct world *w = *state;
    struct mail m = parse(w, "From: =?iso-8859-1?Q?B=FCrger,_Ada?= <ada@example.com>\r\n"
                             "To: Team: b@example.org, \"C, D\" <c@example.org>;, d@example.net\r\n"
                             "Subject: =?utf-8?Q?Gr=C3?=\r\n =?utf-8?Q?=BC=C3=9Fe?= an\r\n\talle\r\n"
                             "Message-ID: <1@example.com>\r\nReferences: <a@x> <b@x>\r\nIn-Reply-To: <c@x> <a@x>\r\n"
                             "Date: Mon, 5 Jan 2026 10:00:00 +0100\r\nDelivered-To: support@example.org\r\n"
                             "Thread-Index: AQHZAAAAAAAAAAAAAAAAAAAAAAAAAA==\r\n\r\nHi\r\n");
    CHECK_INT(m.from.n, 1);
    CHECK_STR(m.from.items[0].name, "Bürger, Ada");
    CHECK_STR(m.from.items[0].address, "ada@example.com");
    CHECK_INT(m.to.n, 3);
    CHECK_STR(m.to.items[1].name, "C, D");
    CHECK_STR(m.subject, "Grüße an alle");
    CHECK_STR(m.message_id, "1@example.com");
    CHECK_INT(m.nreferences, 3);
    CHECK_STR(m.references[2], "c@x");
    CHECK_INT(m.date_us, w->cx.now_us);
    CHECK_STR(m.delivered_to.items[0].address, "support@example.org");
    CHECK_INT(m.thread_index.len, 44);
    CHECK_STR(m.text, "Hi\n");
    CHECK_STR(m.html, "");
    CHECK_STR(mail_header_value(&m, "message-id"), "<1@example.com>");
    CHECK(mail_header_value(&m, "X-None").ptr == NULL);
}

static const char tree[] =
    "Subject: s\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"m\"\n\n"
    "--m\nContent-Type: multipart/alternative; boundary=a\n\n"
    "--a\nContent-Type: text/plain; charset=us-ascii\n\ncaf\xE9\n"
    "--a\nContent-Type: multipart/related; boundary=r\n\n"
    "--r\nContent-Type: text/html; charset=utf-8\n\n<p>caf\xC3\xA9 <img src=\"cid:i@x\"></p>\n"
    "--r\nContent-Type: image/png\nContent-ID: <i@x>\nContent-Transfer-Encoding: base64\n\niVBORw==\n--r--\n"
    "--a--\n"
    "--m\nContent-Type: text/plain; name*=utf-8''%C3%BC%2F..%2Fx.txt\nContent-Disposition: attachment\n\nfile\n"
    "--m\nContent-Type: message/rfc822\n\nSubject: inner\n\nnested\n"
    "--m\nContent-Type: application/pdf\n\n%PDF\n--m--\n";

static void picks_body_and_attachments(void **state)
{
    struct world *w = *state;
    struct mail m = parse(w, tree);
    CHECK_STR(m.text, "café");
    CHECK_STR(m.html, "<p>café <img src=\"cid:i@x\"></p>");
    CHECK_INT(m.nparts, 4);
    CHECK(m.parts[0].inline_part);
    CHECK_STR(m.parts[0].content_id, "i@x");
    CHECK_STR(m.parts[0].content_type, "image/png");
    CHECK_INT(m.parts[0].content.len, 4);
    CHECK_STR(m.parts[1].file_name, "x.txt");
    CHECK_STR(m.parts[2].file_name, "inner.eml");
    CHECK(str_find(m.parts[2].content, STR("nested")) > 0);
    CHECK(str_ends(m.parts[3].file_name, STR(".pdf")));
    CHECK(m.ndefects > 0);
}

static void reads_flowed_and_inline_files(void **state)
{
    struct world *w = *state;
    CHECK_STR(parse(w, "Subject: x\nContent-Type: text/plain; format=flowed\n\nOne \ntwo\n> q \n> r\n-- \nsig\n").text,
              "One two\n> q r\n-- \nsig\n");
    struct mail m = parse(w, "Subject: x\n\nSee\nbegin 644 a.txt\n#0V%T\n`\nend\nbye\n");
    CHECK_STR(m.text, "See\nbye\n");
    CHECK_INT(m.nparts, 1);
    CHECK_STR(m.parts[0].file_name, "a.txt");
    CHECK_STR(m.parts[0].content, "Cat");
    CHECK_STR(parse(w, "Subject: x\nContent-Type: text/html\n\n<p>a</p><p>b").text, "a\n\nb");
}

static void odd_mail_is_read_anyway(void **state)
{
    struct world *w = *state;
    CHECK_STR(parse(w, "").text, "");
    CHECK_STR(parse(w, "From x Mon Jan  5 09:00:00 2026\nSubject: y\n\nz").subject, "y");
    CHECK_STR(parse(w, "Subject: y\r\rz\r").text, "z\n");
    CHECK_STR(parse(w, "   \nSubject: y\n\nz").subject, "y");
    CHECK(utf8_valid(parse(w, "Subject: \xFF\xFE =?x?B?////?= =?utf-8?Q?=\n\n\x80\x81").text));
    struct mail m = parse(w, "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nno end");
    CHECK_STR(m.text, "no end");
}

static void check_limit(struct world *w, struct str raw, struct mail_limits limits, const char *field)
{
    struct mail m;
    CHECK_ERR(mail_parse(&w->cx, raw, limits, &m), E_LIMIT);
    CHECK_STR(str_of(w->cx.failure.field), field);
}

static void limits_are_enforced(void **state)
{
    struct world *w = *state;
    check_limit(w, STR(tree), (struct mail_limits){ .max_bytes = 100 }, "max_bytes");
    check_limit(w, STR(tree), (struct mail_limits){ .max_parts = 4 }, "max_parts");
    check_limit(w, STR(tree), (struct mail_limits){ .max_depth = 1 }, "max_depth");
    check_limit(w, STR(tree), (struct mail_limits){ .max_header_bytes = 20 }, "max_header_bytes");
    check_limit(w, STR(tree), (struct mail_limits){ .max_decoded_bytes = 10 }, "max_decoded_bytes");
    struct buf flood = buf_new(w->arena, 0);
    buf_lit(&flood, "Content-Type: multipart/mixed; boundary=b\n\n");
    for (int i = 0; i < 200000; i++)
        buf_lit(&flood, "--b\n\n");
    check_limit(w, buf_str(&flood), (struct mail_limits){ 0 }, "max_parts");
    check_limit(w, buf_str(&flood), (struct mail_limits){ .max_cpu_us = 1, .max_parts = 1000000 }, "max_cpu_us");
    struct buf deep = buf_new(w->arena, 0);
    for (int i = 0; i < 400; i++)
        buf_printf(&deep, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i);
    check_limit(w, buf_str(&deep), (struct mail_limits){ 0 }, "max_depth");
}

static struct mail_out sample_out(void)
{
    static struct mail_address to[] = { { { "Bö b", 5 }, { "bob@example.org", 15 } } };
    return (struct mail_out){
        .from = { STR("Ada, Support"), STR("help@example.com") }, .to = { to, 1 }, .subject = STR("Grüße [#12]"),
        .text = STR("Hallo\n.\nFrom here é\n"), .html = STR("<p>Hallo <img src=\"cid:i@x\"></p>"),
        .message_id = STR("m@example.com"), .in_reply_to = STR("r@example.org"), .date_us = INT64_C(1767603600000000),
    };
}

static void composed_mail_reads_back(void **state)
{
    struct world *w = *state;
    struct mail_part parts[] = {
        { .content_type = STR("image/png"), .file_name = STR("i.png"), .content_id = STR("i@x"), .content = STR("\x89PNG"), .inline_part = true },
        { .content_type = STR("text/plain"), .file_name = STR("Übersicht für alle Kolleginnen und Kollegen.txt"), .content = STR("a\nb") },
        { .content_type = STR("message/rfc822"), .file_name = STR("alt.eml"), .content = STR("Subject: x\n\ny\n") },
    };
    struct str refs[] = { STR("q@example.org"), STR("r@example.org") }, raw, rest, line;
    struct mail_header extra[] = { { STR("Auto-Submitted"), STR("auto-replied") } };
    struct mail_out out = sample_out();
    out.parts = parts, out.nparts = COUNT(parts), out.references = refs, out.nreferences = 2, out.extra = extra, out.nextra = 1;
    CHECK_OK(&w->cx, mail_compose(&w->cx, &out, &raw));
    rest = raw;
    while (str_split(&rest, '\n', &line)) {
        CHECK(line.len <= 998);
        CHECK(rest.ptr == NULL || line.len == 0 || line.ptr[line.len - 1] == '\r');
    }
    for (size_t i = 0; i < raw.len; i++)
        CHECK((unsigned char)raw.ptr[i] < 0x80);
    struct mail m;
    CHECK_OK(&w->cx, mail_parse(&w->cx, raw, (struct mail_limits){ 0 }, &m));
    CHECK_STR(m.from.items[0].name, "Ada, Support");
    CHECK_STR(m.to.items[0].name, "Bö b");
    CHECK_STR(m.subject, "Grüße [#12]");
    CHECK_STR(str_trim(m.text), "Hallo\n.\nFrom here é");
    CHECK_STR(str_trim(m.html), "<p>Hallo <img src=\"cid:i@x\"></p>");
    CHECK_INT(m.date_us, out.date_us);
    CHECK_INT(m.nreferences, 2);
    CHECK_INT(m.nparts, 3);
    CHECK(m.parts[0].inline_part && !m.parts[1].inline_part);
    CHECK_STR(m.parts[1].file_name, "Übersicht für alle Kolleginnen und Kollegen.txt");
    CHECK_STR(m.parts[1].content, "a\nb");
    CHECK_STR(mail_header_value(&m, "auto-submitted"), "auto-replied");
    CHECK_STR(mail_content_hash(w->arena, &m, raw), mail_content_hash(w->arena, &m, str_replace(w->arena, raw, STR("\r"), STR(""))).ptr);
}

static void injection_is_refused(void **state)
{
    struct world *w = *state;
    struct str raw;
    struct mail_header bad_value = { STR("X-A"), STR("b\r\nBcc: c@example.net") }, bad_name = { STR("X A:"), STR("b") };
    struct mail_out out = sample_out();
    out.subject = STR("a\nBcc: x@example.net");
    CHECK_ERR(mail_compose(&w->cx, &out, &raw), E_INVALID);
    CHECK_STR(str_of(w->cx.failure.field), "subject");
    out = sample_out(), out.extra = &bad_value, out.nextra = 1;
    CHECK_ERR(mail_compose(&w->cx, &out, &raw), E_INVALID);
    out.extra = &bad_name;
    CHECK_ERR(mail_compose(&w->cx, &out, &raw), E_INVALID);
    out = sample_out(), out.from.name = STR("a\r\nb");
    CHECK_ERR(mail_compose(&w->cx, &out, &raw), E_INVALID);
    out = sample_out(), out.reply_to.address = STR("not an address");
    CHECK_ERR(mail_compose(&w->cx, &out, &raw), E_INVALID);
    CHECK_STR(str_of(w->cx.failure.field), "reply_to");
}

static void machines_are_recognised(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *raw;
        enum mail_verdict want;
    } cases[] = {
        { "From: a@example.com\nSubject: Hello\n\nhi", MAIL_HUMAN },
        { "Auto-Submitted: no\nSubject: Re: x\n\nhi", MAIL_HUMAN },
        { "Auto-Submitted: auto-replied\nSubject: Got it\n\nhi", MAIL_AUTO_REPLY },
        { "Auto-Submitted: auto-replied\nSubject: Abwesenheit: Ada\n\nhi", MAIL_OUT_OF_OFFICE },
        { "Auto-Submitted: auto-replied (vacation)\nSubject: Re: x\n\nhi", MAIL_OUT_OF_OFFICE },
        { "Subject: Automatic reply: x\n\nhi", MAIL_OUT_OF_OFFICE },
        { "Subject: =?utf-8?Q?R=C3=A9ponse_automatique?= : x\n\nhi", MAIL_OUT_OF_OFFICE },
        { "Precedence: bulk\nSubject: x\n\nhi", MAIL_AUTO_REPLY },
        { "List-Id: <l.example.org>\nPrecedence: bulk\nSubject: x\n\nhi", MAIL_LIST },
        { "X-Autoreply: yes\nSubject: x\n\nhi", MAIL_AUTO_REPLY },
        { "X-Spam-Flag: YES\nSubject: x\n\nhi", MAIL_SPAM },
        { "Return-Path: <>\nSubject: x\n\nhi", MAIL_AUTO_REPLY },
        { "From: MAILER-DAEMON@example.net\nSubject: Undelivered Mail Returned to Sender\n\n<b@example.org>: 550 5.1.1 User unknown\n", MAIL_DELIVERY_REPORT },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mail m = parse(w, cases[i].raw);
        struct str why = STR_NONE;
        CHECK_CASE(cases[i].raw, mail_classify(w->arena, &m, STR_NONE, &why) == cases[i].want);
        CHECK(why.len > 0);
    }
    struct mail m = parse(w, cases[0].raw);
    struct str why;
    CHECK_INT(mail_classify(w->arena, &m, STR("<>"), &why), MAIL_AUTO_REPLY);
    CHECK_STR(str_of(mail_verdict_name(MAIL_OUT_OF_OFFICE)), "out_of_office");
}

static void reads_a_delivery_report(void **state)
{
    struct world *w = *state;
    struct mail m = parse(w, "From: MAILER-DAEMON@example.net\nSubject: failed\nContent-Type: multipart/report; report-type=delivery-status; boundary=r\n\n"
                             "--r\n\nSorry.\n--r\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\n"
                             "Final-Recipient: rfc822; ok@example.org\nAction: delivered\nStatus: 2.0.0\n\n"
                             "Final-Recipient: rfc822; gone@example.org\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 5.1.1\n  no such user\n\n"
                             "--r\nContent-Type: text/rfc822-headers\n\nMessage-ID: <out@example.com>\n\n--r--\n");
    struct mail_bounce b;
    CHECK_STR(m.report_type, "delivery-status");
    CHECK(mail_read_bounce(w->arena, &m, &b));
    CHECK_STR(b.recipient, "gone@example.org");
    CHECK_STR(b.status, "5.1.1");
    CHECK_STR(b.reason, "user_unknown");
    CHECK_STR(b.original_message_id, "out@example.com");
    CHECK(b.hard);
}

static void trusts_one_host_for_authentication(void **state)
{
    struct world *w = *state;
    struct mail m = parse(w, "Authentication-Results: evil.example; spf=pass; dkim=pass\n"
                             "Authentication-Results: mx.example.org 1; spf=fail smtp.mailfrom=a (dkim=pass); dkim=none; dkim=pass header.d=b; dmarc=fail\n"
                             "Authentication-Results: mx.example.org; spf=pass; dmarc=pass\n\nx");
    struct mail_auth_results r = mail_auth_results(&m, STR("mx.example.org"));
    CHECK_INT(r.spf, MAIL_AUTH_FAIL);
    CHECK_INT(r.dkim, MAIL_AUTH_PASS);
    CHECK_INT(r.dmarc, MAIL_AUTH_FAIL);
    CHECK_INT(mail_auth_results(&m, STR("other.example")).spf, MAIL_AUTH_NONE);
    CHECK_INT(mail_auth_results(&m, STR("")).spf, MAIL_AUTH_NONE);
}

static void names_and_subjects(void **state)
{
    struct world *w = *state;
    CHECK_STR(mail_normal_subject(w->arena, STR("Re: AW: [list] Fwd: Re[2]: 回复：Hello  World")), "hello world");
    CHECK_STR(mail_normal_subject(w->arena, STR("[urgent]")), "[urgent]");
    CHECK_STR(mail_normal_subject(w->arena, STR("Report: x")), "report: x");
    CHECK_STR(mail_clean_file_name(w->arena, STR("../../etc/pass\twd"), STR("")), "passwd");
    CHECK_STR(mail_clean_file_name(w->arena, STR("C:\\a\\b.txt"), STR("")), "b.txt");
    CHECK_STR(mail_clean_file_name(w->arena, STR(".."), STR("image/png")), "file.png");
    CHECK(mail_clean_file_name(w->arena, arena_printf(w->arena, "%0300d.docx", 1), STR("")).len == 200);
    CHECK_STR(mail_fold_address(w->arena, STR("Ada@Example.COM")), "ada@example.com");
    CHECK_STR(mail_fold_address(w->arena, STR("nobody")), "");
    CHECK(mail_address_valid(STR("\"a b\"@example.org")) && mail_address_valid(STR("ü@exämple.org")));
    CHECK(!mail_address_valid(STR("a..b@example.org")) && !mail_address_valid(STR("a@-x.org")) && !mail_address_valid(STR("@x.org")));
}

static void splits_replies(void **state)
{
    struct world *w = *state;
    static const char *const intros[] = {
        "On Mon, Jan 5, 2026 at 9:00 AM, Ada <ada@example.com> wrote:", "Am 05.01.2026 um 09:00 schrieb Ada <ada@example.com>:",
        "Le lun. 5 janv. 2026 à 09:00, Ada <ada@example.com> a écrit :", "El lun, 5 ene 2026 a las 9:00, Ada (<ada@example.com>) escribió:",
        "Il giorno lun 5 gen 2026 alle ore 09:00 Ada <ada@example.com> ha scritto:", "Em seg., 5 de jan. de 2026 às 09:00, Ada <ada@example.com> escreveu:",
        "Op ma 5 jan 2026 om 09:00 schreef Ada <ada@example.com>:", "W dniu 5.01.2026 o 09:00, Ada pisze / napisał:",
        "Den mån 5 jan. 2026 kl 09:00 skrev Ada <ada@example.com>:", "пн, 5 янв. 2026 г. в 09:00, Ada <ada@example.com> написал:",
        "5 Oca 2026 Pzt 09:00 tarihinde Ada <ada@example.com> şunu yazdı:", "2026年1月5日(月) 9:00 Ada <ada@example.com>:", "Ada <ada@example.com> 于2026年1月5日周一 09:00写道：",
        "2026년 1월 5일 (월) 09:00, Ada <ada@example.com>님이 작성:", "ma 5. tammik. 2026 klo 9.00 Ada (ada@example.com) kirjoitti:", "Dne 5. 1. 2026 v 9:00 Ada <ada@example.com> napsal:",
        "Vào 09:00 5 tháng 1, 2026, Ada <ada@example.com> đã viết:",
    };
    for (size_t i = 0; i < COUNT(intros); i++) {
        struct str text = arena_printf(w->arena, "Thanks!\n\n%s\n\n> old text\n> more\n", intros[i]);
        struct mail_reply r = mail_split_text(w->arena, text);
        CHECK_CASE(intros[i], str_is(r.visible, "Thanks!"));
        CHECK_CASE(intros[i], str_find(r.folded, STR("old text")) > 0 && str_starts(r.folded, str_of(intros[i])));
    }
    CHECK_STR(mail_split_text(w->arena, STR("> only quote")).visible, "");
    CHECK_STR(mail_split_text(w->arena, STR("yes\n-- \nAda\nExample Inc.")).visible, "yes");
    CHECK_STR(mail_split_text(w->arena, STR("On average it works.\nOn the other hand wrote: no.")).folded, "");
    struct mail_reply r = mail_split_html(w->arena, STR("<div>new</div><div data-mark=\"gmail_attr\">On … wrote:</div><blockquote data-mark=\"gmail_quote\">old</blockquote>"));
    CHECK_STR(r.visible, "<div>new</div>");
    CHECK(str_find(r.folded, STR("old")) > 0);
    r = mail_split_html(w->arena, STR("<div><p>new</p><hr><div data-mark=\"divRplyFwdMsg\"><b>From:</b> a@example.com</div><p>old</p></div>"));
    CHECK(str_find(r.visible, STR("old")) < 0 && str_find(r.visible, STR("new")) > 0 && str_ends(r.visible, STR("</div>")));
    CHECK(str_starts(r.folded, STR("<div>")) && str_find(r.folded, STR("old")) > 0);
}

static void a_very_long_reply_is_whole(void **state)
{
    struct world *w = *state;
    struct buf text = buf_new(w->arena, 0);
    for (int i = 0; i < 30000; i++)
        buf_lit(&text, "x On Mon, Jan 5, 2026 at 9:00 AM, a@example.com wrote:\ny\n");
    struct mail_reply r = mail_split_text(w->arena, buf_str(&text));
    CHECK(r.visible.len + r.folded.len + 10 > text.len);
}

static void *parse_many(void *arg)
{
    for (int i = 0; i < 200; i++) {
        struct arena *arena = arena_new("thread", 0);
        struct cx cx = { .arena = arena };
        struct mail m;
        if (mail_parse(&cx, STR(tree), (struct mail_limits){ 0 }, &m) != E_OK || m.nparts != 4)
            *(int *)arg += 1;
        arena_free(&arena);
    }
    return NULL;
}

static void many_threads_parse_at_once(void **state)
{
    (void)state;
    pthread_t threads[4];
    int failures[4] = { 0 };
    for (size_t i = 0; i < COUNT(threads); i++)
        CHECK_INT(pthread_create(&threads[i], NULL, parse_many, &failures[i]), 0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(failures[i], 0);
    }
}

TESTS(UNIT(reads_headers), UNIT(picks_body_and_attachments), UNIT(reads_flowed_and_inline_files), UNIT(odd_mail_is_read_anyway),
      UNIT(limits_are_enforced), UNIT(composed_mail_reads_back), UNIT(injection_is_refused), UNIT(machines_are_recognised),
      UNIT(reads_a_delivery_report), UNIT(trusts_one_host_for_authentication), UNIT(names_and_subjects), UNIT(splits_replies), UNIT(a_very_long_reply_is_whole),
      UNIT(many_threads_parse_at_once))
