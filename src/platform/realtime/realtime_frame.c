/* realtime_frame.c - frames to and from a client (RFC 6455), by wslay's frame layer. */
#include "platform/json/json.h"
#include "platform/realtime/realtime_internal.h"

#include <errno.h>
#include <sys/socket.h>
#include <wslay/wslay.h>

/* ---- out ---- */

struct frame *frame_new(int opcode, struct str payload)
{
    size_t head = payload.len < 126 ? 2 : payload.len < 65536 ? 4 : 10;
    struct frame *f = heap_new(sizeof *f + head + payload.len);
    f->refs = 1;
    f->len = head + payload.len;
    f->bytes[0] = (unsigned char)(0x80 | opcode);
    if (head == 2)
        f->bytes[1] = (unsigned char)payload.len;
    else
        f->bytes[1] = head == 4 ? 126 : 127;
    for (size_t i = 2; i < head; i++)
        f->bytes[i] = (unsigned char)((uint64_t)payload.len >> (8 * (head - 1 - i)));
    if (payload.len)
        memcpy(f->bytes + head, payload.ptr, payload.len);
    return f;
}

struct frame *frame_share(struct frame *frame)
{
    __atomic_add_fetch(&frame->refs, 1, __ATOMIC_RELAXED);
    return frame;
}

void frame_drop(struct frame *frame)
{
    if (__atomic_sub_fetch(&frame->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        heap_free(frame->event_copy);
        heap_free(frame);
    }
}

static struct event *copy_event(const struct event *event)
{
    size_t texts = event->type.len + event->actor.len + event->data.len;
    struct event *copy = heap_new(sizeof *copy + texts);
    char *to = (char *)(copy + 1);
    *copy = *event;
    struct str *parts[] = { &copy->type, &copy->actor, &copy->data };
    for (size_t i = 0; i < COUNT(parts); i++) {
        if (parts[i]->len)
            memcpy(to, parts[i]->ptr, parts[i]->len);
        parts[i]->ptr = to;
        to += parts[i]->len;
    }
    return copy;
}

struct frame *event_frame(struct arena *arena, const struct event *event)
{
    struct buf out = buf_new(arena, 0);
    struct json_writer w = json_writer(&out);
    json_open_object(&w, NULL);
    json_put_int(&w, "seq", event->seq);
    json_put_time(&w, "at", event->at_us);
    json_put_text(&w, "type", event->type);
    json_put_id(&w, "ticket_id", event->ticket_id);
    json_put_id(&w, "team_id", event->team_id);
    json_put_id(&w, "assignee_id", event->assignee_id);
    json_put_id(&w, "subject_id", event->subject_id);
    json_open_object(&w, "actor");
    json_put_text(&w, "kind", event->actor);
    json_put_id(&w, "id", event->actor_id);
    json_close_object(&w);
    json_put_raw(&w, "data", event->data.len ? event->data : STR("{}"));
    json_close_object(&w);
    struct frame *f = frame_new(WSLAY_TEXT_FRAME, buf_str(&out));
    f->event_copy = copy_event(event);
    f->seq = event->seq;
    return f;
}

/* ---- in ---- */

/* Exists only while a frame or a fragmented message is not whole. */
struct partial {
    wslay_frame_context_ptr ctx;
    uint64_t given, parsed;         /* bytes given to wslay, bytes of whole frames out of it */
    uint64_t frame_left;
    bool in_frame, fin;
    uint8_t opcode;                 /* of the frame */
    uint8_t message;                /* opcode of the data message in progress; 0: none */
    unsigned char control[CONTROL_BYTES];
    size_t control_len;
    char text[MESSAGE_BYTES];
    size_t text_len;
    bool over;                      /* the peer closed its side, or the socket failed */
};

static ssize_t give_bytes(uint8_t *out, size_t len, int flags, void *arg)
{
    struct conn *c = arg;
    ssize_t n;
    if (c->early_at < c->early_len) {
        n = (ssize_t)MIN(len, c->early_len - c->early_at);
        memcpy(out, c->early + c->early_at, (size_t)n);
        c->early_at += (size_t)n;
    } else {
        n = recv(c->fd, out, len, MSG_DONTWAIT);
        if (n <= 0) {
            c->partial->over |= n == 0 || (errno != EAGAIN && errno != EINTR);
            return -1;
        }
    }
    c->partial->given += (uint64_t)n;
    return n;
}

static struct partial *partial_new(struct conn *c)
{
    static const struct wslay_frame_callbacks callbacks = { .recv_callback = give_bytes };
    struct partial *p = heap_new(sizeof *p);
    ASSERT(wslay_frame_context_init(&p->ctx, &callbacks, c) == 0);
    return p;
}

void partial_free(struct partial **partial)
{
    if (!*partial)
        return;
    wslay_frame_context_free((*partial)->ctx);
    heap_free(*partial);
    *partial = NULL;
}

static bool close_code_is_valid(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

static void on_close_frame(struct conn *c, struct str payload)
{
    c->peer_closed = true;
    if (!payload.len) {
        conn_close(c, 1000, "");
        return;
    }
    unsigned code = payload.len >= 2 ? (unsigned)(unsigned char)payload.ptr[0] << 8 | (unsigned char)payload.ptr[1] : 0;
    if (!close_code_is_valid(code))
        conn_close(c, 1002, "bad close code");
    else if (!utf8_valid(str_skip(payload, 2)))
        conn_close(c, 1007, "bad UTF-8");
    else
        conn_close(c, (int)code, "");
}

static void on_control(struct conn *c)
{
    struct partial *p = c->partial;
    struct str payload = { (const char *)p->control, p->control_len };
    if (p->opcode == WSLAY_CONNECTION_CLOSE)
        on_close_frame(c, payload);
    else if (p->opcode == WSLAY_PING && !c->close_code)
        conn_send(c, frame_new(WSLAY_PONG, payload));
}

/* Text from a client means nothing yet (a page may send "ping"); it only has to be well-formed. */
static void on_message(struct conn *c)
{
    struct partial *p = c->partial;
    if (p->message == WSLAY_BINARY_FRAME)
        conn_close(c, 1003, "text only");
    else if (!utf8_valid((struct str){ p->text, p->text_len }))
        conn_close(c, 1007, "bad UTF-8");
    p->message = 0;
    p->text_len = 0;
}

static bool begin_frame(struct conn *c, const struct wslay_frame_iocb *in)
{
    struct partial *p = c->partial;
    bool control = wslay_is_ctrl_frame(in->opcode);
    bool known = in->opcode <= WSLAY_BINARY_FRAME || (control && in->opcode <= WSLAY_PONG);
    bool order = control ? in->fin : in->opcode == WSLAY_CONTINUATION_FRAME ? p->message != 0 : p->message == 0;
    if (!in->mask || in->rsv || !known || !order || (control && in->payload_length > CONTROL_BYTES)) {
        conn_close(c, 1002, "protocol error");
        return false;
    }
    if (!control && in->payload_length > MESSAGE_BYTES - p->text_len) {
        conn_close(c, 1009, "too large");
        return false;
    }
    p->in_frame = true;
    p->fin = in->fin;
    p->opcode = in->opcode;
    p->frame_left = in->payload_length;
    p->control_len = 0;
    if (!control && in->opcode != WSLAY_CONTINUATION_FRAME)
        p->message = in->opcode;
    p->parsed += 2 + 4 + (in->payload_length < 126 ? 0u : in->payload_length < 65536 ? 2u : 8u) + in->payload_length;
    return true;
}

static bool take_chunk(struct conn *c, const struct wslay_frame_iocb *in)
{
    struct partial *p = c->partial;
    if (!p->in_frame && !begin_frame(c, in))
        return false;
    bool control = wslay_is_ctrl_frame(p->opcode);
    if (in->data_length) {
        memcpy(control ? (char *)p->control + p->control_len : p->text + p->text_len, in->data, in->data_length);
        *(control ? &p->control_len : &p->text_len) += in->data_length;
    }
    p->frame_left -= in->data_length;
    if (p->frame_left)
        return true;
    p->in_frame = false;
    if (control)
        on_control(c);
    else if (p->fin)
        on_message(c);
    return !c->close_code;
}

/* After we said close, the peer's bytes are only read to see its own close or its end. */
static bool drain(struct conn *c)
{
    char waste[1024];
    ssize_t n;
    while ((n = recv(c->fd, waste, sizeof waste, MSG_DONTWAIT)) > 0)
        ;
    return n < 0 && (errno == EAGAIN || errno == EINTR);
}

bool conn_receive(struct conn *c)
{
    c->heard_us = clock_monotonic_us();
    if (c->close_code)
        return drain(c);
    if (!c->partial)
        c->partial = partial_new(c);
    struct partial *p = c->partial;
    struct wslay_frame_iocb in;
    bool more = true;
    while (more) {
        memset(&in, 0, sizeof in);
        ssize_t n = wslay_frame_recv(p->ctx, &in);
        if (n == WSLAY_ERR_WANT_READ)
            break;
        if (n < 0) {
            if (!p->over)
                conn_close(c, 1002, "protocol error");
            break;
        }
        more = take_chunk(c, &in);
    }
    bool over = p->over;
    if (c->close_code || (p->given == p->parsed && !p->message && !p->in_frame))
        partial_free(&c->partial);
    return !over;
}
