#include "testing/testing.h"
#include "platform/dkim/dkim.h"

#include <opendkim/dkim.h>

/* A key of this test alone; it signs nothing else. */
static const char private_key[] =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIIEpAIBAAKCAQEAz00VXgTE5w3txFrmMNq7pDil6uJeaGzwwE9wqtjtZjAI45Qs\n"
    "uuBv8CpNOeJn4JPaEG4zn1hkXrbAyi3NT4DfPoLKOAUescEgi/JzM78r8gzxtnHv\n"
    "ehvMFAahnw+iV/bsTDw/QqapYSck7nXiEoDGc4AmkSbMSvZCpGQZRlJGHW25kLAv\n"
    "s93XBqSraaiHKf2T5WvLhbKmoQaaE9STA9P3+WNCjv2WQmpzBlKvl2OjYDf3h3Dj\n"
    "FkolEipoz9HuWTVms/t9k6xtr4y46i1m6t1lMCGzwzXVaRsix+OU4GvF1EHvPJKV\n"
    "EIg4h3CazsGratHwIW848pqmsAD1Cw+dMKP10wIDAQABAoIBABEHD2IVeTOovhGF\n"
    "YpK7vMhR9jWeGiFwurEeiq4gkGt24ZwJP/KqXHd5Oguu+wJZkq1hJ/Cxmtj5dkov\n"
    "y0VPBsdZ3eYObEWEjA8Cv2S452aumoIhHLRxKROyBxTg0gsbV1sxuFkvWwqwY5pf\n"
    "aM5FRp0Wdynav9LJJJM1PQA84iZ+MWKGg4l/3VfabJeZ+tyn+bbVQ1jSvTbVFmV6\n"
    "xjdXRmk+BeWtEQ/xcRm694S2VcfFwisq3M2U4sqbGOaSeD0/CFec0lQIacUHonMG\n"
    "KdPlynjGRWQ/n60/H1LGjRhW6YJnM4ibJc8MD1FES/8JSp0e+5Gssxdgvqt1dsby\n"
    "mmA3KaUCgYEA9OwWOpbP7yEeoFggBRW2OCAhYXVzh6YmK0V+CEqjXwf5lh4xeJIE\n"
    "43Z9J2WDy747tQTabkBTTx7wh3MZxyFKypUpKdciwqpyB6qJWFZh9eAUUdagLvlO\n"
    "xM9VTA0AzaEMvR1p1azU3bUg8MULvYA5+jusCSYQrPOfXWpPfZ6AM+8CgYEA2K1j\n"
    "Xlh4y26dJFvkGBhQF1LLKaUtyQMGrCxjGF7PjFL36fHDFb0mPQVVPyojQLe7edg5\n"
    "3e+6+iX1GUODWgNxE8FuK3a49q8GcU1vPtqhCKUWCaTiwdvUnVoC35ENuFdxb5q/\n"
    "aHDG19qEW/Wg5QsiB4Jn6i6G+i2Oq/hYhBCIaF0CgYEAwtkXjiDw58MnhFTXlHQD\n"
    "dX9KTyiLcr1h3Eb6z0nh0vabPyxiGxO/w94+DxuZ0HtVMNvdkpymKmno3Tlapqr7\n"
    "v1MPXnQC+W90LFklzxtZ76wHPlxLL1OzsKtppokpvG2FnuZJjm5jIsa4oBODFY1v\n"
    "kn3qjZS064Mdo8mx17RDNg0CgYApf8vwXfGExQLD2/Wrx7xPO0Q+DazfOv0kLLwu\n"
    "BrqpnZpt7Cf5Gekg9syE9IUb+BSoGYm7wBaHoo128T9PFimqJvn6yRpT5OHPAY20\n"
    "9BqzlSrLXhEwH/Jw0LSMLTP7goPvZCwUzMTIwslm83yFYcR6u7c7Wv3vHJqexUnu\n"
    "wVve4QKBgQD02CEYliu5QOyvfsns8ZXfFIRYgzNDPCALOoTf0T+DfcUAf3Akwq0i\n"
    "qAGo3gqJjLWJExr5rASgVmZh3nYWbzBuoHxIc5270tfFeCNXO7ZB8SEnmGbqNo1L\n"
    "jWq5cvkhNMXZ8G1WcnrsKlYA4ktJvrSnWwDkAkLBPdmBV/3X5zLl6A==\n"
    "-----END RSA PRIVATE KEY-----\n";
static const char public_key[] =
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAz00VXgTE5w3txFrmMNq7pDil6uJeaGzwwE9wqtjtZjAI45QsuuBv8CpN"
    "OeJn4JPaEG4zn1hkXrbAyi3NT4DfPoLKOAUescEgi/JzM78r8gzxtnHvehvMFAahnw+iV/bsTDw/QqapYSck7nXiEoDGc4AmkSbM"
    "SvZCpGQZRlJGHW25kLAvs93XBqSraaiHKf2T5WvLhbKmoQaaE9STA9P3+WNCjv2WQmpzBlKvl2OjYDf3h3DjFkolEipoz9HuWTVm"
    "s/t9k6xtr4y46i1m6t1lMCGzwzXVaRsix+OU4GvF1EHvPJKVEIg4h3CazsGratHwIW848pqmsAD1Cw+dMKP10wIDAQAB";

static const char message[] = "From: Ada <ada@example.com>\r\nTo: bob@example.org\r\nSubject: Hello\r\n there\r\n"
                              "Date: Mon, 05 Jan 2026 09:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n\r\nHi Bob,\r\n\r\nbye.\r\n";

static struct str sign(struct world *w)
{
    struct str raw = STR_NONE;
    CHECK_OK(&w->cx, dkim_sign_mail(&w->cx, STR("example.com"), STR("mail"), STR(private_key), STR(message), w->cx.now_us, &raw));
    return raw;
}

/* What a receiving server says, with the public key from a file in place of the DNS. */
static DKIM_STAT verify(struct world *w, struct str raw)
{
    struct str record = arena_printf(w->arena, "mail._domainkey.example.com v=DKIM1; k=rsa; p=%s\n", public_key);
    struct str path = arena_printf(w->arena, "%s/keys", w->dir);
    CHECK(fd_replace_file(w->arena, path.ptr, record, 0600));
    DKIM_LIB *lib = dkim_init(NULL, NULL);
    dkim_query_t method = DKIM_QUERY_FILE;
    uint64_t now = (uint64_t)(w->cx.now_us / US_PER_SECOND);
    dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_QUERYMETHOD, &method, sizeof(method));
    dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_QUERYINFO, (void *)(uintptr_t)path.ptr, path.len);
    dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_FIXEDTIME, &now, sizeof(now));
    DKIM_STAT status;
    DKIM *dkim = dkim_verify(lib, (const unsigned char *)"test", NULL, &status);
    status = dkim_chunk(dkim, (u_char *)(uintptr_t)raw.ptr, raw.len);
    if (status == DKIM_STAT_OK)
        status = dkim_chunk(dkim, NULL, 0);
    if (status == DKIM_STAT_OK)
        status = dkim_eom(dkim, NULL);
    dkim_free(dkim);
    dkim_close(lib);
    return status;
}

static void signs_so_that_a_receiver_agrees(void **state)
{
    struct world *w = *state;
    struct str raw = sign(w);
    CHECK(str_starts(raw, STR("DKIM-Signature: ")));
    CHECK(str_ends(raw, STR(message)));
    CHECK(str_find(raw, STR("c=relaxed/relaxed")) > 0);
    CHECK(str_find(raw, STR("a=rsa-sha256")) > 0);
    CHECK(str_find(raw, arena_printf(w->arena, "t=%lld", (long long)(w->cx.now_us / US_PER_SECOND))) > 0);
    CHECK_INT(verify(w, raw), DKIM_STAT_OK);
}

static void a_changed_message_fails(void **state)
{
    struct world *w = *state;
    struct str raw = sign(w);
    CHECK(verify(w, str_replace(w->arena, raw, STR("bye."), STR("pay."))) != DKIM_STAT_OK);
    CHECK(verify(w, str_replace(w->arena, raw, STR("Hello"), STR("Hallo"))) != DKIM_STAT_OK);
    /* A second sender would be shown by some mail programs: the signature covers its absence. */
    struct str second = STR("\r\nFrom: eve@example.net\r\nTo: bob");
    CHECK(verify(w, str_replace(w->arena, raw, STR("\r\nTo: bob"), second)) != DKIM_STAT_OK);
}

static void a_bad_key_is_the_users_fault(void **state)
{
    struct world *w = *state;
    struct str raw;
    const char *keys[] = { "", "secret", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n" };
    for (size_t i = 0; i < COUNT(keys); i++) {
        CHECK_ERR(dkim_sign_mail(&w->cx, STR("example.com"), STR("mail"), str_of(keys[i]), STR(message), 0, &raw), E_INVALID);
        CHECK_STR(str_of(w->cx.failure.field), "dkim_key");
    }
    CHECK_ERR(dkim_sign_mail(&w->cx, STR(""), STR("mail"), STR(private_key), STR(message), 0, &raw), E_INVALID);
}

TESTS(UNIT(signs_so_that_a_receiver_agrees), UNIT(a_changed_message_fails), UNIT(a_bad_key_is_the_users_fault))
