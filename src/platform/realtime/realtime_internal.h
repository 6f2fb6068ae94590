/*
 * realtime_internal.h - shared by the files of platform/realtime.
 *
 * A connection belongs to its loop thread.  While `with_feeder` is set the
 * feeder thread may use it and the loop may not free it; it is handed over and
 * back through the feeder's list and the loop's inbox.
 */
#ifndef CAIRN_REALTIME_INTERNAL_H
#define CAIRN_REALTIME_INTERNAL_H

#include "platform/realtime/realtime.h"

#include <pthread.h>

enum {
    LOOPS = 2,
    RING_EVENTS = 10000,            /* recent events kept encoded, of all accounts together */
    RING_LEAST = 64,                /* of one account, however many there are */
    REPLAY_MOST = 10000,            /* further back: resync */
    REPLAY_BATCH = 250,
    QUEUE_FRAMES = 500,
    QUEUE_BYTES = 256 * 1024,
    MESSAGE_BYTES = 4096,           /* from a client */
    CONTROL_BYTES = 125,
};

/* One encoded WebSocket frame, shared by all receivers. */
struct frame {
    int refs;                       /* atomic */
    int64_t seq;
    struct event *event_copy;       /* for may_see; NULL when everybody may */
    size_t len;
    unsigned char bytes[];
};

/* Recent events of one account. */
struct feed {
    int64_t account_id, head;       /* seq of the newest in the ring or before it */
    struct frame **frames;          /* ring: seq head-n+1 … head */
    size_t cap, n;
    size_t listeners;
    struct feed *next;
};

struct partial;                     /* a message that is not whole yet: realtime_frame.c */

struct conn {
    struct realtime *rt;
    struct loop *loop;
    int fd;
    struct realtime_user user;
    int64_t cursor;                 /* seq of the last event that was queued or passed over */
    bool with_feeder, live, greeted, joined, failed, replaying, writing, doomed;
    int close_code;                 /* sent; 0: open */
    bool peer_closed;
    int64_t close_by_us, heard_us, pinged_us;
    struct frame **queue;
    size_t first, n, cap, queued_bytes, offset;
    char *early;
    size_t early_len, early_at;
    struct partial *partial;
    struct frame **incoming;        /* from the feeder */
    size_t nincoming;
    void (*closed)(void *arg);
    void *closed_arg;
    struct conn *prev, *next;       /* of the loop */
    struct conn *next_with_feeder, *next_in_inbox;
};

struct disconnect {
    int64_t account_id, user_id;
    struct disconnect *next;
};

struct loop {
    struct realtime *rt;
    pthread_t thread;
    int epoll, wake;
    pthread_mutex_t lock;           /* of the inbox */
    struct conn *added, *returned;
    struct disconnect *disconnects;
    bool dirty, stop;
    struct conn *conns;             /* own thread only, as all below */
};

struct realtime {
    struct store *store;
    struct realtime_rules rules;
    unsigned max_per_user;
    int64_t ping_us, deaf_us, close_us;
    struct loop loops[LOOPS];
    unsigned next_loop;

    pthread_mutex_t lock;           /* of the feeds and the counts */
    struct feed *feeds;
    size_t nfeeds;
    struct map *per_user;           /* "account/user" -> number of connections */

    pthread_t feeder;
    pthread_mutex_t feeder_lock;
    pthread_cond_t feeder_wake;
    struct conn *waiting;           /* for the feeder */
    bool committed, feeder_stop;

    int64_t connections, frames_sent, slow_closed, resyncs;     /* atomic */
};

/* realtime_frame.c */
struct frame *frame_new(int opcode, struct str payload);
struct frame *frame_share(struct frame *frame);
void frame_drop(struct frame *frame);
struct frame *event_frame(struct arena *arena, const struct event *event);
/* Handles what the client sent; false when the connection is over. */
bool conn_receive(struct conn *c);
void partial_free(struct partial **partial);

/* realtime_loop.c */
void loop_start(struct realtime *rt, struct loop *loop);
void loop_stop(struct loop *loop);
void loop_wake(struct loop *loop);
void conn_send(struct conn *c, struct frame *frame);    /* takes the reference */
void conn_close(struct conn *c, int code, const char *reason);

/* realtime_feed.c */
void *feeder_run(void *arg);
void feeder_take(struct realtime *rt, struct conn *c);
/* Queues what is new for a live connection; false when it must catch up by the database first. */
bool feed_pump(struct conn *c);
void feed_leave(struct conn *c);
void feeds_free(struct realtime *rt);
/* realtime.c: realtime_new with other times, for tests. */
struct realtime *realtime_start(struct store *store, struct realtime_rules rules, unsigned max_per_user, int64_t ping_us, int64_t deaf_us);
void conn_free(struct conn *c);

#endif
