/*
 * gmime_parse.c - the ceiling of intake: GMime alone parses every message of a folder and decodes its parts.
 *
 *   gmime_parse FOLDER SECONDS
 */
#include <dirent.h>
#include <gmime/gmime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void decode_part(GMimeObject *parent, GMimeObject *part, gpointer arg)
{
    (void)parent;
    if (!GMIME_IS_PART(part))
        return;
    GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(part));
    GMimeStream *sink = g_mime_stream_mem_new();
    if (content)
        g_mime_data_wrapper_write_to_stream(content, sink);
    *(gint64 *)arg += g_mime_stream_length(sink);
    g_object_unref(sink);
}

static void parse(const char *bytes, size_t n, gint64 *ret_decoded)
{
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(bytes, n);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
    if (message) {
        (void)g_mime_message_get_subject(message);
        (void)g_mime_message_get_from(message);
        g_mime_message_foreach(message, decode_part, ret_decoded);
        g_object_unref(message);
    }
    g_object_unref(parser);
    g_object_unref(stream);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return fprintf(stderr, "usage: gmime_parse FOLDER SECONDS\n"), 1;
    static gchar *messages[100000];
    static gsize sizes[100000];
    size_t n = 0, done = 0;
    gint64 decoded = 0;
    DIR *dir = opendir(argv[1]);
    g_mime_init();
    for (struct dirent *d; dir && (d = readdir(dir)) && n < 100000;) {
        gchar *path = g_build_filename(argv[1], d->d_name, NULL);
        if (d->d_name[0] != '.' && g_file_get_contents(path, &messages[n], &sizes[n], NULL))
            n++;
        g_free(path);
    }
    if (n == 0)
        return fprintf(stderr, "gmime_parse: no messages in %s\n", argv[1]), 1;
    double start = now_s(), end = start + atof(argv[2]);
    while (now_s() < end)
        for (size_t i = 0; i < n; i++, done++)
            parse(messages[i], sizes[i], &decoded);
    printf("{\"per_second\": %.1f, \"messages\": %zu}\n", (double)done / (now_s() - start), n);
    return 0;
}
