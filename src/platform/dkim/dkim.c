#include "platform/dkim/dkim.h"

#include <opendkim/dkim.h>
#include <pthread.h>

/* Setting the library up touches tables of its crypto library. */
static pthread_mutex_t setup_lock = PTHREAD_MUTEX_INITIALIZER;

static void lib_done(DKIM_LIB **lib)
{
    if (!*lib)
        return;
    pthread_mutex_lock(&setup_lock);
    dkim_close(*lib);
    pthread_mutex_unlock(&setup_lock);
}

static void signer_done(DKIM **signer)
{
    if (*signer)
        dkim_free(*signer);
}

static DKIM_LIB *lib_new(int64_t now_us)
{
    pthread_mutex_lock(&setup_lock);
    DKIM_LIB *lib = dkim_init(NULL, NULL);
    pthread_mutex_unlock(&setup_lock);
    if (!lib)
        return NULL;
    uint64_t time_s = (uint64_t)(now_us / US_PER_SECOND);
    unsigned flags = DKIM_LIBFLAGS_FIXCRLF;
    /* A second From or Subject added on the way must break the signature. */
    const u_char *oversigned[] = { (const u_char *)"From", (const u_char *)"Subject", (const u_char *)"To",
                                   (const u_char *)"Date", NULL };
    dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_FIXEDTIME, &time_s, sizeof(time_s));
    dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_FLAGS, &flags, sizeof(flags));
    dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_SIGNHDRS, dkim_should_signhdrs, sizeof(const u_char **));
    dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_OVERSIGNHDRS, oversigned, sizeof(const u_char **));
    return lib;
}

/* One field with its folded lines, without the last line end; false at the blank line before the body. */
static bool next_field(struct str *rest, struct str *ret)
{
    struct str all = *rest, line;
    size_t length = 0;
    while (str_line(rest, &line)) {
        length = (size_t)(line.ptr - all.ptr) + line.len;
        bool folded = rest->len > 0 && (rest->ptr[0] == ' ' || rest->ptr[0] == '\t');
        if (line.len == 0 || !folded)
            break;
    }
    *ret = str_sub(all, 0, length);
    return length > 0;
}

static DKIM_STAT feed(DKIM *signer, struct str raw)
{
    struct str rest = raw, field;
    DKIM_STAT status = DKIM_STAT_OK;
    while (status == DKIM_STAT_OK && next_field(&rest, &field))
        status = dkim_header(signer, (u_char *)(uintptr_t)field.ptr, field.len);
    if (status == DKIM_STAT_OK)
        status = dkim_eoh(signer);
    if (status == DKIM_STAT_OK && rest.len > 0)
        status = dkim_body(signer, (u_char *)(uintptr_t)rest.ptr, rest.len);
    return status == DKIM_STAT_OK ? dkim_eom(signer, NULL) : status;
}

static enum err_code refuse(struct cx *cx, DKIM *signer, DKIM_STAT status)
{
    const char *why = signer ? dkim_geterror(signer) : NULL;
    return fail_field(cx, "dkim_key", "The message could not be signed: %s", why ? why : dkim_getresultstr(status));
}

enum err_code dkim_sign_mail(struct cx *cx, struct str domain, struct str selector, struct str key_pem, struct str raw,
                             int64_t now_us, struct str *ret)
{
    if (domain.len == 0 || selector.len == 0 || str_find(key_pem, STR("-----BEGIN")) < 0)
        return fail_field(cx, "dkim_key", "A DKIM key needs a domain, a selector and a private key in PEM");
    CLEANUP(lib_done) DKIM_LIB *lib = lib_new(now_us);
    if (!lib)
        return fail_internal(cx, "the DKIM library did not start");
    DKIM_STAT status = DKIM_STAT_OK;
    CLEANUP(signer_done) DKIM *signer = dkim_sign(
        lib, (const unsigned char *)"cairn", NULL, (dkim_sigkey_t)arena_cstr(cx->arena, key_pem),
        (const unsigned char *)arena_cstr(cx->arena, selector), (const unsigned char *)arena_cstr(cx->arena, domain),
        DKIM_CANON_RELAXED, DKIM_CANON_RELAXED, DKIM_SIGN_RSASHA256, -1, &status);
    if (!signer || status != DKIM_STAT_OK)
        return refuse(cx, signer, status);
    status = feed(signer, raw);
    u_char *field = NULL;
    size_t length = 0;
    if (status == DKIM_STAT_OK)
        status = dkim_getsighdr_d(signer, sizeof(DKIM_SIGNHEADER), &field, &length);
    if (status != DKIM_STAT_OK)
        return refuse(cx, signer, status);
    /* The library folds by LF alone. */
    struct str value = str_replace(cx->arena, (struct str){ (const char *)field, length }, STR("\r\n"), STR("\n"));
    value = str_replace(cx->arena, value, STR("\n"), STR("\r\n"));
    *ret = arena_printf(cx->arena, "%s: %.*s\r\n%.*s", DKIM_SIGNHEADER, STR_ARG(value), STR_ARG(raw));
    return E_OK;
}
