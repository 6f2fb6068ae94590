/* mail_internal.h - what the files of this module share; not for others. */
#ifndef CAIRN_MAIL_INTERNAL_H
#define CAIRN_MAIL_INTERNAL_H

#include "platform/mail/mail.h"

#include <gmime/gmime.h>

/* A text part of the body, decoded. */
struct body_piece {
    struct str text;
    bool html;
    size_t order;           /* place in the document, to know the same piece in both lists */
};

struct body_pieces {
    struct body_piece *items;
    size_t n, room;
};

/* One reading of one message. */
struct reader {
    struct cx *cx;
    struct mail_limits limits;  /* zeros replaced */
    int64_t cpu_end_us;         /* of this thread's processor clock */
    struct mail *mail;
    size_t entities, decoded_bytes, parts_room, defects_room;
    struct body_pieces plain, html;     /* RFC 8621 section 4.1.4: textBody, htmlBody */
    bool in_report;
};

/* Once per process; safe from any thread. */
void mail_gmime_init(void);
/* E_LIMIT at the field, with what was found. */
enum err_code mail_over_limit(struct cx *cx, const char *field, size_t limit);
enum err_code mail_check_cpu(const struct reader *r);
/* Room for one more at the end of an arena array; returns the array, moved when it had to grow. */
void *mail_grow(struct arena *arena, void *items, size_t n, size_t *room, size_t size);
void mail_defect(struct reader *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct mail_part *mail_add_part(struct reader *r);

/* ---- mail_header.c ---- */

/* Unfolded, RFC 2047 words and raw 8-bit bytes decoded, no control characters. */
struct str mail_decode_header(struct arena *arena, struct str raw);
/* Without line ends and tabs. */
struct str mail_unfold(struct arena *arena, struct str raw);
/* Encoded words as quoted strings: what they hide (commas, brackets) must not look like structure. */
struct str mail_quote_words(struct arena *arena, struct str text);
void mail_read_headers(struct reader *r, GMimeHeaderList *list);
/* What is between the first angle brackets, else the first word. */
struct str mail_bare_id(struct arena *arena, struct str value);

/* ---- mail_entity.c, mail_body.c ---- */

/* Transfer encoding undone; counts against max_decoded_bytes. */
enum err_code mail_decode_content(struct reader *r, GMimePart *part, struct str *ret);
/* Bytes of a text part as text with LF; *html from its type. */
enum err_code mail_decode_text(struct reader *r, GMimePart *part, struct str *ret);
enum err_code mail_read_body(struct reader *r, GMimeObject *top);
struct str mail_part_name(struct arena *arena, GMimeObject *object);

/* ---- mail_inline.c ---- */

/* uuencode and yEnc inside plain text become attachments; the text without them. */
struct str mail_take_inline_files(struct reader *r, struct str text);
/* format=flowed (RFC 3676). */
struct str mail_unflow(struct arena *arena, struct str text, bool delsp);

/* ---- mail_tnef.c ---- */

/* False when it could not be read; then it stays an attachment. */
bool mail_read_tnef(struct reader *r, struct str content, struct body_pieces *plain, struct body_pieces *html);
void mail_add_piece(struct reader *r, struct body_pieces *pieces, struct body_piece piece);

/* ---- mail_bounce_reason.c ---- */

/* Class of the failure by the server's words and its status code ("" none). */
const char *mail_bounce_reason(struct arena *arena, struct str words, struct str status);

static inline void mail_gobject_unref(void *object)
{
    void **held = object;
    if (*held)
        g_object_unref(*held);
}

static inline void mail_gfree(void *text)
{
    g_free(*(void **)text);
}

#endif
