/* fuzz_intake.c - arbitrary bytes as a mail through the whole intake, over a database in shared memory: it must end stored or set aside. */
#include <stdlib.h>

#include "channels/email/email.h"
#include "platform/journal/journal.h"

enum { MAX_INPUT = 64 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct store *store;
static struct email *email;
static int64_t account_id, mails;

static enum err_code set_up(struct cx *cx, struct db *db, void *arg)
{
    struct accounts_setup *setup = arg;
    return accounts_setup(cx, db, setup);
}

/* One desk for all inputs, so that mails also meet the tickets of those before them. */
static void begin(struct cx *cx)
{
    static char dir[] = "/dev/shm/cairn-fuzz-XXXXXX";
    struct secrets *secrets = NULL;
    int applied = 0;
    ASSERT(mkdtemp(dir));
    crypto_init();
    log_setup(LOG_ERROR + 1, 2);
    ASSERT(secrets_open(cx, dir, &secrets) == E_OK);
    ASSERT(store_open(cx, &(struct store_options){ .sqlite_path = arena_printf(cx->arena, "%s/cairn.db", dir).ptr }, &store) == E_OK);
    ASSERT(store_migrate(store, cx, &main_migrations, &applied) == E_OK);
    struct accounts_setup setup = { .account_name = STR("Fuzz"), .admin_email = STR("agent@example.com"), .admin_name = STR("Agent"),
                                    .password_hash = STR("x") };
    ASSERT(store_write(store, cx, set_up, &setup) == E_OK);
    account_id = setup.account_id;
    struct email_options options = { .store = store, .blobs = blobs_new(dir), .secrets = secrets };
    ASSERT(email_start(cx, &options, &email) == E_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new("fuzz", 0);
    struct cx cx = { .arena = arena, .now_us = INT64_C(1767603600000000) + mails++ * US_PER_SECOND, .actor = STR("system") };
    int64_t mail_id = 0;
    if (!email)
        begin(&cx);
    cx.account_id = account_id;
    if (size > 0 && size <= MAX_INPUT) {
        struct email_arrival arrival = { .raw = { (const char *)data, size }, .source = STR("lmtp"), .recipient = STR("help@example.com"),
                                         .envelope_from = STR("ann@example.org") };
        ASSERT(email_receive(&cx, email, &arrival, &mail_id) == E_OK);
        ASSERT(email_process(&cx, email, mail_id) == E_OK);
    }
    arena_free(&arena);
    return 0;
}
