/*
 * mail.h - Internet messages: bytes to struct and back (GMime, ytnef).
 *
 * mail_parse never fails on strange mail: it gives what can be read and says in
 * `defects` what was odd.  It fails only on a hard limit (E_LIMIT, with the
 * limit's name as field), so that the caller can quarantine.  All text is valid
 * UTF-8 without NUL.  Everything lies in cx->arena.
 */
#ifndef CAIRN_MAIL_H
#define CAIRN_MAIL_H

#include "base/base.h"

struct mail_address {
    struct str name;        /* decoded display name, "" when none */
    struct str address;     /* local@domain as written, "" when it has none */
};

struct mail_addresses {
    struct mail_address *items;
    size_t n;
};

struct mail_header {
    struct str name, value; /* value unfolded and decoded (RFC 2047, 2231) */
};

struct mail_part {
    struct str content_type;    /* "image/png", lower case */
    struct str file_name;       /* cleaned base name; made up ("part-3.png") when there was none */
    struct str content_id;      /* without angle brackets, "" none */
    struct str content;         /* decoded bytes */
    bool inline_part;           /* referred to by cid: or Content-Disposition: inline with a Content-ID */
    bool from_tnef;             /* unpacked from winmail.dat */
};

struct mail {
    struct mail_header *headers;
    size_t nheaders;
    struct mail_addresses from, sender, reply_to, to, cc, bcc, delivered_to;
    struct str subject;
    struct str message_id;      /* without angle brackets; "" when absent */
    struct str *references;     /* References then In-Reply-To, in order, without brackets, no doubles */
    size_t nreferences;
    struct str thread_index;    /* Exchange conversation id: hex of the first 22 bytes of Thread-Index; "" none */
    int64_t date_us;            /* 0 when unreadable */
    struct str text;            /* best plain text body: text/plain parts, else from HTML */
    struct str html;            /* raw (NOT cleaned) HTML body; "" when there is none */
    struct mail_part *parts;    /* attachments and inline parts, nested message/rfc822 as .eml */
    size_t nparts;
    /* multipart/report (RFC 3464, 3462, 5965); ptr NULL when it is not one */
    struct str report_type;     /* "delivery-status", "disposition-notification", "feedback-report" */
    struct str report_fields;   /* text of the machine-readable part */
    struct str report_original; /* the returned message or its headers */
    struct str *defects;        /* "charset of part 2 was wrong: read as windows-1252" */
    size_t ndefects;
};

struct mail_limits {
    size_t max_bytes;           /* 0: 50 MiB */
    size_t max_parts;           /* 0: 1000 */
    size_t max_depth;           /* 0: 50 */
    size_t max_header_bytes;    /* 0: 1 MiB, all headers of one part */
    size_t max_decoded_bytes;   /* 0: 200 MiB over all parts */
    int64_t max_cpu_us;         /* 0: 20 s */
};

enum err_code mail_parse(struct cx *cx, struct str raw, struct mail_limits limits, struct mail *ret) MUST_CHECK;
/* First header of the name (any case), or STR_NONE. */
struct str mail_header_value(const struct mail *mail, const char *name);
/* SHA-256 (hex) over what relays and mailboxes do not change: Message-ID, From, Date, Subject and bodies' bytes. */
struct str mail_content_hash(struct arena *arena, const struct mail *mail, struct str raw);
/* "local@Domain" → folded for look-up: domain and local part in lower case.  "" when it is not an address. */
struct str mail_fold_address(struct arena *arena, struct str address);
/* RFC 5321/5322 address check, international ones included. */
bool mail_address_valid(struct str address);
/* A header value of addresses, groups flattened. */
struct mail_addresses mail_parse_addresses(struct arena *arena, struct str value);
/* Subject without Re:, Fwd:, AW:, [list] … in all the usual languages; for comparing. */
struct str mail_normal_subject(struct arena *arena, struct str subject);
/* Base name only, no control characters or path tricks, at most 200 bytes, never empty. */
struct str mail_clean_file_name(struct arena *arena, struct str name, struct str content_type);

/* ---- reading replies ---- */

/* What the writer newly wrote, without quoted history and signature; nothing is lost: text = visible + folded. */
struct mail_reply {
    struct str visible;         /* "" when everything is quoted */
    struct str folded;          /* the rest, in order; "" when nothing */
};
struct mail_reply mail_split_text(struct arena *arena, struct str text);
/* The same for CLEANED html: cuts at known quote containers (Gmail, Outlook, Apple, Yahoo, Proton, Thunderbird, …). */
struct mail_reply mail_split_html(struct arena *arena, struct str clean_html);

/* ---- machines talking ---- */

enum mail_verdict {
    MAIL_HUMAN, MAIL_AUTO_REPLY, MAIL_OUT_OF_OFFICE, MAIL_DELIVERY_REPORT, MAIL_LIST, MAIL_OWN_LOOP, MAIL_SPAM,
};
const char *mail_verdict_name(enum mail_verdict verdict);   /* "human", "auto_reply", … */
/* By headers, envelope and (weak) localised subjects.  *ret_why: the deciding evidence.  Never OWN_LOOP. */
enum mail_verdict mail_classify(struct arena *arena, const struct mail *mail, struct str envelope_from, struct str *ret_why);

struct mail_bounce {
    struct str recipient;       /* failed address, "" unknown */
    struct str status;          /* "5.1.1", "" unknown */
    struct str reason;          /* user_unknown, mailbox_full, host_unknown, rejected, too_big, expired, blocked, other … */
    struct str diagnostic;      /* the server's words */
    bool hard;                  /* permanent */
    struct str original_message_id;     /* of the mail that bounced, without brackets; "" unknown */
};
/* RFC 3464 reports and the free-text ones of real servers.  False when it is no bounce. */
bool mail_read_bounce(struct arena *arena, const struct mail *mail, struct mail_bounce *ret);

enum mail_auth { MAIL_AUTH_NONE, MAIL_AUTH_PASS, MAIL_AUTH_FAIL };
struct mail_auth_results { enum mail_auth spf, dkim, dmarc; };
/* Authentication-Results (RFC 8601) of the trusted authserv-id only; the topmost one of it. */
struct mail_auth_results mail_auth_results(const struct mail *mail, struct str trusted_host);

/* ---- writing ---- */

struct mail_out {
    struct mail_address from, reply_to, sender;  /* address "" = absent */
    struct mail_addresses to, cc;                /* Bcc is envelope only */
    struct str subject, text, html;              /* html "" = plain text only */
    struct str message_id, in_reply_to;          /* without brackets; in_reply_to "" none */
    struct str *references;
    size_t nreferences;
    int64_t date_us;
    struct mail_part *parts;                     /* attachments; inline ones by content_id */
    size_t nparts;
    struct mail_header *extra;                   /* Auto-Submitted … ; CR or LF in a value is refused (E_INVALID) */
    size_t nextra;
};
/* A complete RFC 5322 message with CR LF, lines at most 998 bytes, 7bit-safe. */
enum err_code mail_compose(struct cx *cx, const struct mail_out *mail, struct str *ret_raw) MUST_CHECK;

#endif
