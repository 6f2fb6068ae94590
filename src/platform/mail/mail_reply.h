/* mail_reply.h - lines of a reply and how mail programs mark quotes; for mail_reply*.c only. */
#ifndef CAIRN_MAIL_REPLY_H
#define CAIRN_MAIL_REPLY_H

#include "platform/mail/mail.h"

enum line_kind { LINE_TEXT, LINE_BLANK, LINE_QUOTE, LINE_CODE };

struct reply_line {
    struct str raw;     /* with its line end; plain text only */
    struct str text;    /* without */
    struct str lower;   /* trimmed, lower case */
    enum line_kind kind;
    bool history;       /* known start of the earlier message: all from here is history */
    bool folded;
};

struct reply_lines {
    struct arena *arena;
    struct reply_line *lines;
    size_t n;
};

/* Decides `folded` of every line. */
void reply_fold(struct reply_lines *s);
enum line_kind reply_line_kind(struct str text);

/* The words below are compared with lines in lower case. */

/* Cheap test: could "On … wrote:" begin in this line? */
bool reply_may_introduce(struct str first);
/* The lines joined by blanks are such an introduction as a whole. */
bool reply_introduces(struct str joined);
/* "-----Original Message-----", "Begin forwarded message:". */
bool reply_separates(struct str line);
/* A line of four or more dashes, underscores, stars. */
bool reply_is_rule(struct str line);
/* "Sent from my …" */
bool reply_is_device_line(struct str line);
/* Kind of "From:", "Sent:", "To:", "Subject:" as a bit; 0 when it is none. */
unsigned reply_header_key(struct str line);
bool reply_is_header_block(unsigned first, unsigned all, bool address);

#endif
