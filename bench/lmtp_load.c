/*
 * lmtp_load.c - sends every message of a folder over LMTP and counts the 250 answers.
 *
 *   lmtp_load HOST PORT FOLDER RECIPIENT CONNECTIONS
 *
 * Each connection is a thread and pipelines as RFC 2920 allows: the envelope of the next message leaves with the end of
 * this one, so that a message costs one round trip.  A message counts when its 250 has come.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 200000 };

static char *messages[MOST];
static size_t sizes[MOST];
static size_t count;
static atomic_size_t next_message, accepted, refused;
static const char *recipient, *host;
static int port;

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* CR LF at line ends, dots doubled, a lone dot at the end. */
static void load(const char *path)
{
    struct stat st;
    FILE *f = fopen(path, "rb");
    if (!f || fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode))
        return;
    char *raw = malloc((size_t)st.st_size + 1), *out = malloc((size_t)st.st_size * 2 + 16);
    size_t n = fread(raw, 1, (size_t)st.st_size, f), o = 0;
    fclose(f);
    for (size_t i = 0; i < n; i++) {
        if (raw[i] == '.' && (i == 0 || raw[i - 1] == '\n'))
            out[o++] = '.';
        if (raw[i] == '\n' && (i == 0 || raw[i - 1] != '\r'))
            out[o++] = '\r';
        out[o++] = raw[i];
    }
    if (o < 2 || out[o - 1] != '\n')
        memcpy(out + o, "\r\n", 2), o += 2;
    memcpy(out + o, ".\r\n", 3);
    free(raw);
    messages[count] = out;
    sizes[count++] = o + 3;
}

static int answer(FILE *f)
{
    char line[4096];
    do {
        if (!fgets(line, sizeof line, f))
            return 0;
    } while (line[3] == '-');
    return atoi(line);
}

static int send_all(int fd, struct iovec *parts, int n)
{
    while (n > 0) {
        ssize_t wrote = writev(fd, parts, n);
        if (wrote < 0)
            return 0;
        for (; n > 0 && (size_t)wrote >= parts->iov_len; parts++, n--)
            wrote -= (ssize_t)parts->iov_len;
        if (n > 0) {
            parts->iov_base = (char *)parts->iov_base + wrote;
            parts->iov_len -= (size_t)wrote;
        }
    }
    return 1;
}

static size_t take_next(void)
{
    return atomic_fetch_add(&next_message, 1);
}

/* The envelope of the next message went out with message i, unless i is the last. */
static void deliver_all(int fd, FILE *f, char *envelope, size_t envelope_len)
{
    size_t i = take_next();
    struct iovec first = { envelope, envelope_len };
    if (i >= count || !send_all(fd, &first, 1))
        return;
    while (i < count) {
        int mail = answer(f), rcpt = answer(f), data = answer(f);
        if (mail != 250 || rcpt != 250 || data != 354) {
            fprintf(stderr, "lmtp_load: the envelope was answered with %d, %d, %d\n", mail, rcpt, data);
            exit(1);
        }
        size_t next = take_next();
        struct iovec parts[] = { { messages[i], sizes[i] }, { envelope, envelope_len } };
        int sent = send_all(fd, parts, next < count ? 2 : 1);
        atomic_fetch_add(sent && answer(f) == 250 ? &accepted : &refused, 1);
        i = next;
    }
}

static void *work(void *arg)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((unsigned short)port) };
    char line[512];
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    inet_pton(AF_INET, host, &to.sin_addr);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        die("connect");
    FILE *f = fdopen(dup(fd), "r");
    int n = snprintf(line, sizeof line, "MAIL FROM:<bench@example.org>\r\nRCPT TO:<%s>\r\nDATA\r\n", recipient);
    struct iovec hello = { (char[]){ "LHLO bench\r\n" }, 12 };
    if (answer(f) != 220 || !send_all(fd, &hello, 1) || answer(f) != 250)
        die("LHLO");
    deliver_all(fd, f, line, (size_t)n);
    fclose(f);
    close(fd);
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t threads[256];
    if (argc != 6)
        return fprintf(stderr, "usage: lmtp_load HOST PORT FOLDER RECIPIENT CONNECTIONS\n"), 1;
    int n = atoi(argv[5]) > 256 ? 256 : atoi(argv[5]);
    host = argv[1];
    port = atoi(argv[2]);
    recipient = argv[4];
    DIR *dir = opendir(argv[3]);
    for (struct dirent *d; dir && (d = readdir(dir)) && count < MOST;) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[3], d->d_name);
        load(path);
    }
    double start = now_s();
    for (int i = 0; i < n; i++)
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            die("pthread_create");
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    printf("{\"per_second\": %.1f, \"accepted\": %zu, \"refused\": %zu}\n", (double)accepted / (now_s() - start), accepted, refused);
    return 0;
}
