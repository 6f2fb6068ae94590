/* outbound_oauth.c - a fresh access token for a refresh token (RFC 6749 section 6). */
#include "platform/json/json.h"
#include "platform/outbound/outbound.h"

static const int64_t DEFAULT_LIFE_S = 3600;     /* when the server does not say (RFC 6749 section 5.1 allows that) */
static const int64_t MAX_LIFE_S = 366 * 86400;

static void add_field(struct cx *cx, struct buf *form, const char *name, struct str value)
{
    if (value.len)
        buf_printf(form, "%s%s=%.*s", form->len ? "&" : "", name, STR_ARG(percent_encode(cx->arena, value)));
}

/* RFC 6749 section 5.2 */
static enum err_code refused(struct cx *cx, int status, const struct json_value *answer)
{
    struct str error = json_text(answer, "error"), words = json_text(answer, "error_description");
    if (!words.len)
        words = error;
    if (str_is(error, "invalid_grant"))
        return fail(cx, E_UNAUTHENTICATED, "The permission to use the mailbox has ended; connect it again: %.*s", STR_ARG(words));
    if (str_is(error, "invalid_client") || str_is(error, "unauthorized_client") || status == 401)
        return fail_field(cx, "oauth_client_id", "The sign-in server refused the client: %.*s", STR_ARG(words));
    if (status >= 500 || status == 429)
        return fail_busy(cx, "The sign-in server answered %d: %.*s", status, STR_ARG(words));
    return fail_field(cx, "oauth_token_url", "The sign-in server answered %d: %.*s", status, STR_ARG(words));
}

enum err_code oauth_refresh(struct cx *cx, const struct oauth_client *client, struct oauth_token *ret)
{
    static const struct str headers[] = { { "Content-Type: application/x-www-form-urlencoded", 47 }, { "Accept: application/json", 24 } };
    struct buf form = buf_new(cx->arena, 0);
    struct http_answer answer;
    struct json_value json;
    add_field(cx, &form, "grant_type", STR("refresh_token"));
    add_field(cx, &form, "refresh_token", client->refresh_token);
    add_field(cx, &form, "client_id", client->client_id);
    add_field(cx, &form, "client_secret", client->client_secret);
    struct http_call call = { .method = "POST", .url = client->token_url, .headers = headers, .nheaders = COUNT(headers),
                              .body = buf_str(&form), .ca_file = client->ca_file };
    enum err_code e = http_fetch(cx, &call, &answer);
    if (e == E_INVALID)
        cx->failure.field = "oauth_token_url";
    TRY(e);
    if (json_parse(cx, answer.body, &json) != E_OK)
        json = (struct json_value){ .kind = JSON_OBJECT };
    struct str token = json_text(&json, "access_token"), rotated = json_text(&json, "refresh_token");
    if (answer.status != 200)
        return refused(cx, answer.status, &json);
    if (!token.len)
        return fail_field(cx, "oauth_token_url", "The sign-in server's answer has no access token.");
    int64_t life_s = json_int(&json, "expires_in", DEFAULT_LIFE_S);
    *ret = (struct oauth_token){
        .access_token = arena_copy(cx->arena, token),
        .refresh_token = arena_copy(cx->arena, rotated.len ? rotated : client->refresh_token),
        .expires_us = cx->now_us + MAX(INT64_C(0), MIN(life_s, MAX_LIFE_S)) * US_PER_SECOND,
    };
    return E_OK;
}
