/* fuzz_lmtp.c - arbitrary bytes at the LMTP session: it must answer or leave, never crash, hang or deliver a torn mail. */
#include "platform/lmtp/lmtp.h"

#include <sys/socket.h>
#include <unistd.h>

enum { MAX_INPUT = 32 * 1024, MAX_MESSAGE = 8 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err_code take_recipient(struct cx *cx, struct str address, void *arg, struct lmtp_recipient *ret)
{
    (void)arg;
    ASSERT(address.len > 0 && !memchr(address.ptr, '\n', address.len));
    ret->target_id = (int64_t)address.len;
    return address.len % 3 ? E_OK : fail(cx, E_NOT_FOUND, "no");
}

static enum err_code take_mail(struct cx *cx, const struct lmtp_mail *mail, void *arg)
{
    (void)arg;
    ASSERT(mail->raw.len <= MAX_MESSAGE && mail->recipient.target_id == (int64_t)mail->recipient.address.len);
    ASSERT(mail->raw.len == 0 || str_ends(mail->raw, STR("\r\n")));
    return mail->raw.len % 5 ? E_OK : fail_busy(cx, "later");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct lmtp_options options = {
        .recipient = take_recipient, .deliver = take_mail, .max_message_bytes = MAX_MESSAGE, .idle_us = US_PER_SECOND,
    };
    static const int room = 1 << 20;   /* neither side ever blocks: all input and all answers fit */
    int pair[2];
    if (size > MAX_INPUT || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        return 0;
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    log_setup(LOG_ERROR, 2);
    ASSERT(fd_write_all(pair[0], data, size));
    shutdown(pair[0], SHUT_WR);
    lmtp_serve(&options, pair[1], -1, STR("fuzz"));
    close(pair[0]);
    close(pair[1]);
    return 0;
}
