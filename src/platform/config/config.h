/*
 * config.h - settings of one installation.
 *
 * One table (config_keys) says for every key its type, default and meaning;
 * reading, `cairn help` and docs/configuration.md come from it.  A value is
 * taken from the first place that has one: option (--public-url X), variable
 * (CAIRN_PUBLIC_URL), file (DIR/cairn.conf: public_url = X), default.  An
 * unknown key or a bad value is E_INVALID, naming the key and its place.
 */
#ifndef CAIRN_CONFIG_H
#define CAIRN_CONFIG_H

#include "base/base.h"

struct config {
    const char *data;               /* folder of the installation, made by the first start */
    const char *listen;             /* HOST:PORT as given */
    const char *host;               /* of listen, without brackets */
    int64_t port;                   /* of listen; 0: any free one */
    const char *database;           /* postgresql://… or NULL: SQLite in data */
    const char *blobs;              /* folder of large blobs */
    const char *public_url;         /* NULL: http://listen */
    const char *trusted_proxy;      /* NULL: none */
    const char *lmtp_listen;        /* NULL: no listener */
    const char *web_dir;            /* built pages; NULL: none found */
    const char *ca_file;            /* extra trust; NULL: the system's */
    const char *access_log;         /* "-" standard error, "off", or a path */
    enum log_level log_level;
    int64_t workers, slow_workers;
    int64_t database_readers;
    int64_t max_body_bytes, max_upload_bytes;
    int64_t drain_seconds;
    bool rate_limits;
    bool poll_mailboxes;
};

enum config_type { CONFIG_TEXT, CONFIG_PATH, CONFIG_INT, CONFIG_BOOL, CONFIG_CHOICE };

struct config_key {
    const char *name, *placeholder; /* "public_url", "URL" */
    enum config_type type;
    const char *otherwise;          /* default as text; NULL: none */
    size_t offset;                  /* in struct config */
    int64_t min, max;               /* CONFIG_INT */
    const char *const *choices;     /* CONFIG_CHOICE, NULL-terminated; stored as its index */
    bool not_in_file;
    const char *doc;
};

extern const struct config_key config_keys[];
extern const size_t config_keys_count;

/* NULL when there is no such key.  Dashes count as underscores. */
const struct config_key *config_find(struct str name);

/* An option of the command line. */
struct config_option {
    const struct config_key *key;
    struct str value;
};

/* environment: NAME=VALUE, ended by NULL.  All text lies in cx->arena. */
enum err_code config_load(struct cx *cx, const struct config_option *options, size_t n, const char *const *environment,
                          struct config *ret) MUST_CHECK;

/* docs/configuration.md */
struct str config_markdown(struct arena *arena);
/* The options part of `cairn help`. */
struct str config_help(struct arena *arena);

#endif
