/*
 * lmtp_load.c - sends every message of a folder over LMTP and counts the 250 answers.
 *
 *   lmtp_load HOST PORT FOLDER RECIPIENT CONNECTIONS
 *
 * Each connection is a thread that waits for each answer, as mail servers do.
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

static int command(int fd, FILE *f, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t wrote = write(fd, text, n);
        if (wrote < 0)
            return 0;
        text += wrote;
        n -= (size_t)wrote;
    }
    return answer(f);
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
    (void)answer(f);
    (void)command(fd, f, "LHLO bench\r\n", 12);
    for (size_t i; (i = atomic_fetch_add(&next_message, 1)) < count;) {
        int n = snprintf(line, sizeof line, "RCPT TO:<%s>\r\n", recipient);
        if (command(fd, f, "MAIL FROM:<bench@example.org>\r\n", 31) == 250 && command(fd, f, line, (size_t)n) == 250 &&
            command(fd, f, "DATA\r\n", 6) == 354 && command(fd, f, messages[i], sizes[i]) == 250)
            atomic_fetch_add(&accepted, 1);
        else
            atomic_fetch_add(&refused, 1);
    }
    (void)command(fd, f, "QUIT\r\n", 6);
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
