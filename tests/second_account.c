/*
 * second_account.c - makes one more account beside those of an installation, for tests/test_isolation.py.
 *
 *   second_account DATA DATABASE NAME EMAIL       DATABASE "" is SQLite in DATA; no server may run
 *
 * Prints an API token of the new account's admin.  There is no such command in cairn, but every table and every statement is made for
 * many accounts in one installation.
 */
#include <stdio.h>

#include "desk/accounts/accounts.h"
#include "platform/crypto/crypto.h"

struct wish { struct accounts_setup setup; struct str token; };

static enum err_code make(struct cx *cx, struct db *db, void *arg)
{
    struct wish *wish = arg;
    TRY(accounts_create(cx, db, &wish->setup));
    return accounts_token_create(cx, db, wish->setup.admin_email, STR("tests"), &wish->token);
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    crypto_init();
    struct arena *arena = arena_new("second_account", 0);
    struct cx cx = { .arena = arena, .now_us = clock_now_us(), .actor = STR("system") };
    struct store *store = NULL;
    struct store_options options = { .sqlite_path = arena_printf(arena, "%s/cairn.db", argv[1]).ptr, .postgres_url = argv[2][0] ? argv[2] : NULL };
    struct wish wish = { .setup = { .account_name = str_of(argv[3]), .admin_email = str_of(argv[4]), .admin_name = str_of(argv[3]),
                                    .password_hash = STR("none") } };
    enum err_code code = store_open(&cx, &options, &store);
    if (code == E_OK)
        code = store_write(store, &cx, make, &wish);
    if (code == E_OK)
        printf("%.*s\n", STR_ARG(wish.token));
    else
        fprintf(stderr, "%.*s %.*s\n", STR_ARG(cx.failure.message), STR_ARG(cx.failure.detail));
    if (store)
        store_close(&store);
    arena_free(&arena);
    return code == E_OK ? 0 : 1;
}
