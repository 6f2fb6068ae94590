#include "platform/mail/mail_internal.h"
#include "platform/text/text.h"

/* ---- finding codes and addresses in free text ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* An enhanced status code (RFC 3463) that starts here: class, subject, detail. */
static size_t status_length(struct str s)
{
    if (s.len < 5 || !strchr("245", s.ptr[0]) || s.ptr[1] != '.')
        return 0;
    size_t n = 2, dots = 1, digits = 0;
    for (; n < s.len && n < 9; n++) {
        if (is_digit(s.ptr[n])) {
            if (++digits > 3)
                return 0;
        } else if (s.ptr[n] == '.' && digits > 0 && dots == 1) {
            dots = 2;
            digits = 0;
        } else {
            break;
        }
    }
    bool ends = n == s.len || (!is_digit(s.ptr[n]) && s.ptr[n] != '.') || (s.ptr[n] == '.' && (n + 1 == s.len || !is_digit(s.ptr[n + 1])));
    return dots == 2 && digits > 0 && ends ? n : 0;
}

static struct str find_status(struct str text)
{
    struct str best = STR("");
    for (size_t i = 0; i < text.len; i++) {
        bool starts = i == 0 || (!is_digit(text.ptr[i - 1]) && text.ptr[i - 1] != '.' && text.ptr[i - 1] != '/' && text.ptr[i - 1] != '-') ||
                      (i >= 4 && text.ptr[i - 1] == '-' && is_digit(text.ptr[i - 2]));
        size_t n = starts ? status_length(str_skip(text, i)) : 0;
        if (n == 0)
            continue;
        struct str found = str_sub(text, i, n);
        if (best.len == 0)
            best = found;
        /* "5.0.0" says nothing: a later one may. */
        if (!str_ends(found, STR(".0.0")))
            return found;
    }
    return best;
}

/* Where an SMTP reply of class 4 or 5 starts; -1 when there is none. */
static ptrdiff_t find_reply(struct str text)
{
    for (size_t i = 0; i + 4 <= text.len; i++) {
        bool starts = i == 0 || strchr(" \t\n\"'(<:>[=,;", text.ptr[i - 1]);
        bool code = starts && (text.ptr[i] == '4' || text.ptr[i] == '5') && text.ptr[i + 1] >= '0' && text.ptr[i + 1] <= '7' &&
                    is_digit(text.ptr[i + 2]) && (text.ptr[i + 3] == ' ' || text.ptr[i + 3] == '-' || text.ptr[i + 3] == '#');
        if (code)
            return (ptrdiff_t)i;
    }
    return -1;
}

static bool is_address_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || strchr(".!#$%&*+-/=?^_{|}~", c);
}

/* The next address in the text from *at on. */
static bool next_address(struct str text, size_t *at, struct str *ret)
{
    for (size_t i = *at; i < text.len; i++) {
        if (text.ptr[i] != '@')
            continue;
        size_t from = i, to = i + 1;
        while (from > *at && text.ptr[from - 1] && is_address_char(text.ptr[from - 1]))
            from--;
        while (to < text.len && text.ptr[to] && (is_address_char(text.ptr[to]) && !strchr("!#$%&*+/=?^{|}~", text.ptr[to])))
            to++;
        while (to > i + 1 && (text.ptr[to - 1] == '.' || text.ptr[to - 1] == '-'))
            to--;
        *at = MAX(to, i + 1);
        *ret = str_sub(text, from, to - from);
        if (str_chr(str_skip(*ret, i - from), '.') > 0 && mail_address_valid(*ret))
            return true;
    }
    return false;
}

static bool is_daemon(struct str address)
{
    static const char *const locals[] = { "mailer-daemon@", "postmaster@", "mailerdaemon@", "mail-daemon@", "mailadmin@", "mailer_daemon@" };
    for (size_t i = 0; i < COUNT(locals); i++) {
        if (str_istarts(address, str_of(locals[i])))
            return true;
    }
    return false;
}

/* ---- RFC 3464 ---- */

struct report_fields {
    struct str final, original, action, status, diagnostic;
};

static struct str address_in(struct arena *arena, struct str value)
{
    ptrdiff_t semicolon = str_chr(value, ';');
    struct str address = str_trim(semicolon >= 0 ? str_skip(value, (size_t)semicolon + 1) : value), found;
    size_t at = 0;
    if (next_address(address, &at, &found))
        return found;
    return mail_bare_id(arena, address);
}

static void read_field(struct arena *arena, struct report_fields *f, struct str name, struct str value)
{
    if (str_iis(name, "Final-Recipient"))
        f->final = address_in(arena, value);
    else if (str_iis(name, "Original-Recipient"))
        f->original = address_in(arena, value);
    else if (str_iis(name, "Action"))
        f->action = str_trim(value);
    else if (str_iis(name, "Status"))
        f->status = find_status(value);
    else if (str_iis(name, "Diagnostic-Code")) {
        ptrdiff_t semicolon = str_chr(value, ';');
        f->diagnostic = str_trim(semicolon >= 0 && semicolon < 20 ? str_skip(value, (size_t)semicolon + 1) : value);
    }
}

/* The per-recipient block that failed; blocks are separated by blank lines. */
static bool read_report(struct arena *arena, struct str fields, struct report_fields *ret)
{
    struct report_fields block = { 0 }, best = { 0 };
    struct str rest = str_replace(arena, fields, STR("\r"), STR("")), line, name = STR(""), value = STR("");
    bool found = false, more = true;
    while (more) {
        more = str_line(&rest, &line);
        bool folded = more && line.len > 0 && (line.ptr[0] == ' ' || line.ptr[0] == '\t');
        if (folded) {
            value = arena_printf(arena, "%.*s %.*s", STR_ARG(value), STR_ARG(str_trim(line)));
            continue;
        }
        if (name.len > 0)
            read_field(arena, &block, name, value);
        name = STR("");
        ptrdiff_t colon = more ? str_chr(line, ':') : -1;
        if (colon > 0) {
            name = str_trim(str_sub(line, 0, (size_t)colon));
            value = str_trim(str_skip(line, (size_t)colon + 1));
        }
        if (more && line.len > 0)
            continue;
        bool recipient = block.final.len > 0 || block.original.len > 0 || block.status.len > 0;
        if (recipient && (!found || (!str_iis(best.action, "failed") && str_iis(block.action, "failed"))))
            best = block;
        found = found || recipient;
        block = (struct report_fields){ 0 };
    }
    *ret = best;
    return found;
}

/* ---- free text ---- */

static const char *const bounce_subjects[] = {
    "delivery status", "undeliver", "delivery failure", "failure notice", "returned mail", "mail delivery",
    "delivery notification", "delivery report", "mail failure", "message delivery", "delivery fail", "non remis",
    "unzustellbar", "nicht zugestellt", "returned to sender", "return to sender", "could not send message", "failed delivery", "mail system error",
    "warning: could not send", "nondeliverable", "non-deliverable", "nicht zustellbar", "dsn:", "delivery has failed", "echec de la remise",
    "échec de", "mail could not be delivered", "error sending your mail", "delivery error", "email not delivered", "message status - undeliverable",
    "delivery of your message", "email delivery error", "mail not delivered", "message could not be delivered", "postmaster notify",
    "não entregue", "no se puede entregar", "no entregado", "недоставлен", "не доставлен", "non consegnato", "messaggio non consegnato", "配信不能", "配信エラー",
    "送信エラー", "メールエラー", "退信", "系统退信", "errore di consegna", "onbestelbaar", "nie można dostarczyć", "doručení se nezdařilo", "send failed", "bounced",
    "your message to", "error mail", "there was an error sending", "mail undeliverable", "unable to deliver",
};

static const char *const bounce_words[] = {
    "could not be delivered", "couldn't be delivered", "wasn't able to deliver", "was not able to deliver", "unable to deliver", "undeliverable",
    "delivery to the following", "delivery has failed", "delivery failed", "returned mail", "could not deliver", "failed permanently",
    "was not delivered", "not be delivered", "message to the following", "permanent error", "permanent fatal errors", "user unknown", "could not be sent",
    "has not been delivered", "cannot be delivered", "couldn't deliver", "delivery error", "wasn't delivered", "konnte nicht zugestellt",
    "following address", "following recipients", "could not send your message", "n'a pas pu être", "fatal errors", "mailbox is full", "配信できません",
    "送信できません", "had permanent", "following addresses", "rejected your message", "failed to deliver", "was undeliverable", "could not reach", "failed with",
    "unable to relay", "did not reach", "bounced", "did not work", "delivery failure", "transcript of session follows", "will be tried", "not yet been delivered",
    "non è stato possibile", "не может быть доставлено", "не было доставлено", "no se pudo entregar", "no pudo ser entregado", "não pôde ser entregue",
};

static bool has_any(struct arena *arena, struct str text, const char *const *words, size_t n)
{
    struct str lower = text_lower(arena, text);
    for (size_t i = 0; i < n; i++) {
        if (str_find(lower, str_of(words[i])) >= 0)
            return true;
    }
    return false;
}

static bool from_daemon(const struct mail *m)
{
    static const char *const names[] = { "mail delivery", "mailer-daemon", "mailer daemon", "postmaster", "mail administrator", "delivery subsystem" };
    struct str from = mail_header_value(m, "From");
    if (str_istarts(from, STR("mailer-daemon")) || str_is(from, "<>"))
        return true;
    for (size_t i = 0; i < m->from.n; i++) {
        if (is_daemon(m->from.items[i].address))
            return true;
        for (size_t k = 0; k < COUNT(names); k++) {
            if (str_ifind(m->from.items[i].name, str_of(names[k])) >= 0)
                return true;
        }
    }
    return false;
}

/* The part of the text that is not the returned message. */
static struct str human_part(struct str text)
{
    static const char *const marks[] = { "--- Below this line is a copy of the message", "------ This is a copy of",
                                         "--- Original message", "----- Original message", "------ This is a copy of the",
                                         "--- Message header follows", "Original message headers", "   ----- Original message follows",
                                         "--- The header of the original", "Return-Path: <", "Received: from ", "----- Message header",
                                         "---Original Message", "--- Undelivered message", "--- Unsent message", "Included is a copy" };
    size_t end = text.len;
    for (size_t i = 0; i < COUNT(marks); i++) {
        ptrdiff_t at = str_ifind(text, str_of(marks[i]));
        if (at > 0 && (size_t)at < end)
            end = (size_t)at;
    }
    return str_sub(text, 0, end);
}

#define DIAGNOSTIC_BYTES 500

static struct str diagnostic_in(struct arena *arena, struct str text)
{
    ptrdiff_t reply = find_reply(text);
    if (reply < 0)
        return text_preview(arena, text, DIAGNOSTIC_BYTES);
    struct str rest = str_skip(text, (size_t)reply), end = STR("\n\n");
    ptrdiff_t stop = str_find(rest, end);
    return text_preview(arena, stop > 0 ? str_sub(rest, 0, (size_t)stop) : rest, DIAGNOSTIC_BYTES);
}

static struct str recipient_in(const struct mail *m, struct str text)
{
    struct str failed = mail_header_value(m, "X-Failed-Recipients"), found;
    size_t at = 0;
    if (failed.len > 0 && next_address(failed, &at, &found))
        return found;
    at = 0;
    while (next_address(text, &at, &found)) {
        if (!is_daemon(found))
            return found;
    }
    return STR("");
}

static struct str original_id(struct arena *arena, struct str text)
{
    struct str rest = text, line, next;
    while (str_line(&rest, &line)) {
        if (!str_istarts(line, STR("Message-ID:")))
            continue;
        struct str value = str_trim(str_skip(line, 11)), copy = rest;
        if (value.len == 0 && str_line(&copy, &next))
            value = str_trim(next);
        return mail_bare_id(arena, value);
    }
    return STR("");
}

static bool is_hard(const char *reason)
{
    static const char *const hard[] = { "user_unknown", "host_unknown", "moved", "not_accepting" };
    for (size_t i = 0; i < COUNT(hard); i++) {
        if (strcmp(reason, hard[i]) == 0)
            return true;
    }
    return false;
}

static void conclude(struct arena *arena, struct mail_bounce *b, struct str words)
{
    struct str better = find_status(b->diagnostic);
    if (better.len > 0 && (b->status.len == 0 || str_ends(b->status, STR(".0")) || !str_ends(better, STR(".0"))))
        b->status = better;
    const char *reason = mail_bounce_reason(arena, b->diagnostic, b->status);
    if (strcmp(reason, "other") == 0 && words.len > 0)
        reason = mail_bounce_reason(arena, words, b->status);
    b->reason = str_of(reason);
    b->hard = is_hard(reason) && !str_starts(b->status, STR("4."));
}

static bool read_report_bounce(struct arena *arena, const struct mail *m, struct mail_bounce *ret)
{
    struct report_fields f;
    if (!str_is(m->report_type, "delivery-status") && m->report_fields.len == 0)
        return false;
    if (!read_report(arena, m->report_fields, &f))
        return false;
    bool arrived = str_iis(f.action, "delivered") || str_iis(f.action, "relayed") || str_iis(f.action, "expanded");
    if (arrived || str_starts(f.status, STR("2.")))
        return false;
    struct str words = human_part(m->text);
    ret->recipient = f.final.len > 0 && str_chr(f.final, '@') > 0 ? f.final : f.original;
    if (str_chr(ret->recipient, '@') <= 0)
        ret->recipient = recipient_in(m, words);
    ret->status = f.status;
    ret->diagnostic = f.diagnostic.len > 0 ? f.diagnostic : diagnostic_in(arena, words);
    conclude(arena, ret, words);
    if (str_iis(f.action, "delayed")) {
        ret->reason = str_is(ret->reason, "other") ? STR("expired") : ret->reason;
        ret->hard = false;
    }
    return true;
}

static bool is_free_text_bounce(struct arena *arena, const struct mail *m)
{
    bool daemon = from_daemon(m), failed = mail_header_value(m, "X-Failed-Recipients").len > 0;
    bool subject = has_any(arena, m->subject, bounce_subjects, COUNT(bounce_subjects));
    bool null_path = str_is(mail_header_value(m, "Return-Path"), "<>");
    if (failed || (daemon && subject))
        return true;
    return (daemon || subject || null_path) && (daemon || null_path || subject) &&
           has_any(arena, str_sub(m->text, 0, 4000), bounce_words, COUNT(bounce_words)) && (daemon || (subject && null_path));
}

bool mail_read_bounce(struct arena *arena, const struct mail *mail, struct mail_bounce *ret)
{
    *ret = (struct mail_bounce){ STR(""), STR(""), STR("other"), STR(""), false, STR("") };
    if (str_is(mail->report_type, "disposition-notification") || str_is(mail->report_type, "feedback-report"))
        return false;
    bool report = read_report_bounce(arena, mail, ret);
    if (!report) {
        if (mail->report_type.len > 0 && mail->report_fields.len > 0 && str_ifind(mail->report_fields, STR("Action: ")) >= 0 &&
            str_ifind(mail->report_fields, STR("Action: failed")) < 0)
            return false;
        if (!is_free_text_bounce(arena, mail))
            return false;
        struct str words = human_part(mail->text);
        ret->recipient = recipient_in(mail, words);
        ret->diagnostic = diagnostic_in(arena, words);
        conclude(arena, ret, words);
    }
    ret->original_message_id = original_id(arena, mail->report_original);
    if (ret->original_message_id.len == 0)
        ret->original_message_id = original_id(arena, mail->text);
    return true;
}
