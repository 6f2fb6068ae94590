/* mailbox_session.h - what the files of this module share about an open session; libetpan stays inside. */
#ifndef CAIRN_MAILBOX_SESSION_H
#define CAIRN_MAILBOX_SESSION_H

#include "platform/mailbox/mailbox_wire.h"

#undef MIN      /* libetpan brings those of sys/param.h, which mean the same */
#undef MAX
#include <libetpan/libetpan.h>

enum {
    SMALL_ANSWER_BYTES = 256 * 1024,        /* of an ordinary command, unsolicited news included */
    LIST_ANSWER_BYTES = 64 * 1024 * 1024,   /* of a command that lists a whole mailbox: millions of entries */
    POP3_INPUT_BYTES = 32 * 1024,
};

struct mailbox_session {
    enum mailbox_kind kind;
    struct wire wire;
    mailimap *imap;                 /* MAILBOX_IMAP */
    unsigned ntags;                 /* of commands that we exchange ourselves */
    char in[POP3_INPUT_BYTES];      /* MAILBOX_POP3: read and not yet used */
    size_t in_at, in_end;
};

enum err_code mailbox_imap_open(struct cx *cx, struct mailbox_session *s, const struct mailbox_server *server) MUST_CHECK;
void mailbox_imap_close(struct mailbox_session *s);
/* The failure for libetpan's result r, which is an error: lost connection, nonsense, or what the server refused. */
enum err_code mailbox_imap_failure(struct cx *cx, struct mailbox_session *s, int r) MUST_CHECK;

enum imap_answer { IMAP_CONTINUE, IMAP_OK, IMAP_REFUSED };
/*
 * For the commands that libetpan cannot do well.  mailbox_imap_send gives a new command its tag when *ret_tag
 * is STR_NONE, and else continues the one of that tag; mailbox_imap_await reads to the tagged answer or, when
 * the command goes on, to "+".  *ret_news becomes true when EXISTS or RECENT came by (NULL: not asked).
 */
enum err_code mailbox_imap_send(struct cx *cx, struct mailbox_session *s, struct str line, struct str *ret_tag) MUST_CHECK;
enum err_code mailbox_imap_await(struct cx *cx, struct mailbox_session *s, struct str tag, enum imap_answer *ret,
                                 struct str *ret_text, bool *ret_news) MUST_CHECK;
/* The next line, whatever it is. */
enum err_code mailbox_imap_line(struct cx *cx, struct mailbox_session *s, struct str *ret) MUST_CHECK;
bool mailbox_imap_is_news(struct str line);

enum err_code mailbox_pop3_open(struct cx *cx, struct mailbox_session *s, const struct mailbox_server *server) MUST_CHECK;
void mailbox_pop3_close(struct mailbox_session *s);

/* "user=…^Aauth=Bearer …^A^A" in base64, as XOAUTH2 wants it. */
struct str mailbox_xoauth2(struct arena *arena, const struct mailbox_server *server);

#endif
