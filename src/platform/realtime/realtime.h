/*
 * realtime.h - GET /api/v1/stream?after=N: the journal over WebSocket.
 *
 * Each connection gets the events of its account that its user may see, in
 * order, without gaps, from `after` on; then live.  One encoded frame is shared
 * by all receivers.  A slow reader is closed (4008) and resumes by `after`.
 * When `after` lies too far back the first frame is {"type":"resync","seq":N}.
 * Own epoll threads; wslay's frame layer; no compression.
 */
#ifndef CAIRN_REALTIME_H
#define CAIRN_REALTIME_H

#include "platform/journal/journal.h"

struct realtime_user {
    int64_t account_id, user_id;
    uint64_t permissions;
    bool only_own_teams;
    const int64_t *team_ids;        /* of the user, when only_own_teams; copied */
    size_t nteams;
    int64_t known_seq;              /* for the rules: the account's newest event when this was read, set by load_user */
};

struct realtime_rules {
    /* May this user see this event?  Called for every pair: must be cheap and must not touch the database. */
    bool (*may_see)(const struct realtime_user *user, const struct event *event);
    /* Completes a user (team_ids); inside store_read. */
    enum err_code (*load_user)(struct cx *cx, struct db *db, struct realtime_user *user);
};

struct realtime;
struct realtime *realtime_new(struct store *store, struct realtime_rules rules, unsigned max_per_user /* 0: 20 */);
/* Closes all with 1001.  Accepts NULL. */
void realtime_free(struct realtime **rt);
/* Before the upgrade, inside a store_read: who cx is, completed by load_user.  E_RATE when the user has too many sockets. */
enum err_code realtime_admit(struct cx *cx, struct db *db, struct realtime *rt, struct realtime_user *ret_user) MUST_CHECK;
/* Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455 section 4.2.2). */
struct str realtime_accept_key(struct arena *arena, struct str key);
/* Takes over an upgraded socket (made non-blocking); `early` are bytes already read.  Owns fd from now on;
 * `closed` (may be NULL) is called once when it is done with it. */
void realtime_adopt(struct realtime *rt, int fd, struct str early, const struct realtime_user *user, int64_t after,
                    void (*closed)(void *arg), void *arg);
/* Ends the sockets of a session or user (sign-out, disabled): 4401. */
void realtime_disconnect(struct realtime *rt, int64_t account_id, int64_t user_id);
/* Connections now, frames sent, slow readers cut off: lines for /metrics. */
void realtime_metrics(struct realtime *rt, struct buf *out);

#endif
