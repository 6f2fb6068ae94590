/* http_assets.c - the built web files: listed once at the start, so that no request can reach another path. */
#include "platform/http/http_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

struct asset {
    struct str file, etag;
    const char *type;
    int64_t size;
};

struct http_assets {
    struct map *by_path;        /* "/assets/app-3f2a.js" and "/assets/app-3f2a.js.br" */
};

static const char *type_of(struct str path)
{
    static const struct {
        const char *ending, *type;
    } types[] = { { ".html", "text/html; charset=utf-8" }, { ".js", "text/javascript; charset=utf-8" },
                  { ".mjs", "text/javascript; charset=utf-8" }, { ".css", "text/css; charset=utf-8" },
                  { ".json", "application/json" }, { ".map", "application/json" }, { ".svg", "image/svg+xml" },
                  { ".png", "image/png" }, { ".jpg", "image/jpeg" }, { ".webp", "image/webp" }, { ".ico", "image/x-icon" },
                  { ".woff2", "font/woff2" }, { ".woff", "font/woff" }, { ".txt", "text/plain; charset=utf-8" },
                  { ".webmanifest", "application/manifest+json" }, { ".wasm", "application/wasm" } };
    for (size_t i = 0; i < COUNT(types); i++)
        if (str_ends(path, str_of(types[i].ending)))
            return types[i].type;
    return "application/octet-stream";
}

static void list_folder(struct arena *arena, struct http_assets *assets, struct str dir, struct str url, unsigned depth)
{
    DIR *d = opendir(dir.ptr);
    struct dirent *entry;
    while (d && (entry = readdir(d))) {
        if (entry->d_name[0] == '.')
            continue;
        struct str file = arena_printf(arena, "%.*s/%s", STR_ARG(dir), entry->d_name);
        struct str path = arena_printf(arena, "%.*s/%s", STR_ARG(url), entry->d_name);
        struct stat st;
        if (lstat(file.ptr, &st) != 0)
            continue;
        if (S_ISDIR(st.st_mode) && depth < 8)
            list_folder(arena, assets, file, path, depth + 1);
        if (!S_ISREG(st.st_mode))
            continue;
        struct asset *a = NEW(arena, struct asset);
        *a = (struct asset){ .file = file, .type = type_of(path), .size = st.st_size };
        a->etag = arena_printf(arena, "\"%llx-%llx\"", (unsigned long long)st.st_size,
                               (unsigned long long)st.st_mtim.tv_sec * 1000000000ull + (unsigned long long)st.st_mtim.tv_nsec);
        map_put(assets->by_path, path, a);
    }
    if (d)
        closedir(d);
}

struct http_assets *assets_open(struct arena *arena, const char *dir)
{
    struct http_assets *assets = NEW(arena, struct http_assets);
    assets->by_path = map_new(arena);
    list_folder(arena, assets, str_of(dir), STR(""), 0);
    return assets;
}

/* Named in Accept-Encoding with a quality above 0? */
static bool accepts(struct arena *arena, struct str header, const char *coding)
{
    struct str part;
    while (str_split(&header, ',', &part)) {
        ptrdiff_t semicolon = str_chr(part, ';');
        struct str name = str_trim(semicolon < 0 ? part : str_sub(part, 0, (size_t)semicolon));
        if (!str_iis(name, coding))
            continue;
        struct str q = semicolon < 0 ? STR_NONE : str_trim(str_skip(part, (size_t)semicolon + 1));
        return !str_istarts(q, STR("q=0")) || strcspn(arena_cstr(arena, q), "123456789") < q.len;
    }
    return false;
}

static const struct asset *choose_encoding(struct exchange *x, struct str path, const struct asset *plain)
{
    static const struct {
        const char *ending, *coding;
    } codings[] = { { ".br", "br" }, { ".gz", "gzip" } };
    struct str header = exchange_header(x, "Accept-Encoding");
    bool any = false;
    const struct asset *chosen = NULL;
    for (size_t i = 0; i < COUNT(codings); i++) {
        struct str packed = arena_printf(x->arena, "%.*s%s", STR_ARG(path), codings[i].ending);
        const struct asset *a = map_get(x->server->assets->by_path, packed);
        any |= a != NULL;
        if (a && !chosen && accepts(x->arena, header, codings[i].coding)) {
            reply_header(&x->cx, "Content-Encoding", str_of(codings[i].coding));
            chosen = a;
        }
    }
    if (any)
        reply_header(&x->cx, "Vary", STR("Accept-Encoding"));
    return chosen ? chosen : plain;
}

/* "app-3f2a9c1b.js": a name that changes with the content. */
static bool is_hashed(struct str path)
{
    if (!str_starts(path, STR("/assets/")))
        return false;
    ptrdiff_t slash = str_rchr(path, '/'), dot = str_rchr(path, '.');
    struct str name = str_sub(path, (size_t)slash + 1, dot > slash ? (size_t)(dot - slash - 1) : 0);
    ptrdiff_t dash = -1;
    for (size_t i = 0; i + 8 <= name.len; i++)
        if (name.ptr[i] == '-' || name.ptr[i] == '.')
            dash = (ptrdiff_t)i;
    return dash > 0 && name.len - (size_t)dash - 1 >= 7;
}

static bool has_extension(struct str path)
{
    return str_chr(str_skip(path, (size_t)(str_rchr(path, '/') + 1)), '.') >= 0;
}

enum err_code assets_serve(struct exchange *x)
{
    const struct map *files = x->server->assets->by_path;
    struct str path;
    if (!percent_decode(x->arena, x->path, false, &path))
        return fail(&x->cx, E_BAD_REQUEST, "The path is not well percent-encoded");
    const struct asset *asset = map_get(files, path);
    if (!asset && !has_extension(path)) { /* a page of the application: it finds its own way from the path */
        path = STR("/index.html");
        asset = map_get(files, path);
    }
    if (!asset)
        return fail(&x->cx, E_NOT_FOUND, "There is no such file");
    x->reply.content_type = str_of(asset->type);
    /* A shared worker obeys the policy of its own script, not that of the page that starts it. */
    x->reply.page = str_istarts(x->reply.content_type, STR("text/html")) || str_istarts(x->reply.content_type, STR("text/javascript"));
    x->reply.cacheable = true;
    reply_header(&x->cx, "Cache-Control", is_hashed(path) ? STR("public, max-age=31536000, immutable") : STR("no-cache"));
    const struct asset *sent = choose_encoding(x, path, asset);
    struct stat st;
    int fd = open(sent->file.ptr, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) != 0) {
        fd_close(&fd);
        return fail(&x->cx, E_NOT_FOUND, "There is no such file");
    }
    struct str etag = st.st_size == sent->size ? sent->etag : arena_printf(x->arena, "\"%llx\"", (unsigned long long)st.st_mtime);
    return reply_file(x, fd, st.st_size, etag);
}
