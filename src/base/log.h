/*
 * log.h - one JSON object per line, to standard error or a file.
 *
 * Runners log; library and domain code returns failures instead.
 *   log_event(LOG_WARN, "mail.retry", F_STR("host", host), F_INT("attempt", n));
 */
#ifndef CAIRN_BASE_LOG_H
#define CAIRN_BASE_LOG_H

#include "base/base.h"
#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
    const char *name;
    struct str text;    /* ptr NULL: the number counts */
    int64_t number;
};

#define F_STR(n, v) ((struct log_field){ .name = (n), .text = (v).ptr ? (v) : STR("") })
#define F_TXT(n, v) ((struct log_field){ .name = (n), .text = str_of((v) ? (v) : "") })
#define F_INT(n, v) ((struct log_field){ .name = (n), .number = (int64_t)(v) })

/* Below `least` nothing is written.  fd is not owned; default: LOG_INFO to 2. */
void log_setup(enum log_level least, int fd);
bool log_wants(enum log_level level);
void log_fields(enum log_level level, const char *event, const struct log_field *fields, size_t n);

#define log_event(level, event, ...)                                             \
    log_fields((level), (event), (const struct log_field[]){ __VA_ARGS__ },      \
               sizeof((const struct log_field[]){ __VA_ARGS__ }) / sizeof(struct log_field))

#endif
