/* contacts_test.c - identities, organizations and their domains, on both databases. */
#include "desk/desk_test.h"

static void identities_are_unique_and_one_is_primary(void **state)
{
    struct desk *d = desk_start(*state);
    const struct json_value *c = desk_call(d, d->agent, "POST", "{\"name\":\"Zo\303\253 Test\",\"email\":\"Zoe@Example.org\",\"phone\":\"+44 20 7946 0958\"}", "/contacts");
    WANT(d, 201);
    long long id = json_int(c, "id", 0);
    CHECK_INT(json_get(c, "identities")->n, 2);
    CHECK_STR(json_text(c, "email"), "Zoe@Example.org");
    desk_call(d, d->agent, "POST", "{\"email\":\"zoe@example.ORG\"}", "/contacts");
    WANT(d, 422);
    CHECK_STR(json_text(desk_call(d, d->agent, "POST", "{\"phone\":\"0044-20 79460958x\"}", "/contacts"), "field"), "phone");
    desk_call(d, d->agent, "POST", "{}", "/contacts");
    WANT(d, 422);
    c = desk_call(d, d->agent, "PATCH", "{\"add_identities\":[{\"kind\":\"email\",\"value\":\"zoe@example.net\"}],\"expected_version\":1}", "/contacts/%lld", id);
    WANT(d, 200);
    CHECK_STR(json_text(c, "email"), "Zoe@Example.org");
    c = desk_call(d, d->agent, "PATCH", "{\"email\":\"zoe@example.net\"}", "/contacts/%lld", id);
    CHECK_STR(json_text(c, "email"), "zoe@example.net");
    long long primary = 0;
    for (size_t i = 0; i < 3; i++)
        if (str_is(json_text(&json_get(c, "identities")->items[i], "value"), "zoe@example.net"))
            primary = json_int(&json_get(c, "identities")->items[i], "id", 0);
    c = desk_call(d, d->agent, "PATCH", desk_json(d, "{\"remove_identity_ids\":[\"%lld\"]}", primary), "/contacts/%lld", id);
    WANT(d, 200);
    CHECK_STR(json_text(c, "email"), "Zoe@Example.org");
    c = desk_call(d, d->agent, "PATCH", "{\"name\":\"x\",\"expected_version\":1}", "/contacts/%lld", id);
    WANT(d, 409);
    CHECK_STR(json_text(json_get(c, "current"), "email"), "Zoe@Example.org");
    static const struct { const char *query; size_t n; } queries[] = {
        { "q=ZO%C3%8B", 1 }, { "q=example.org", 1 }, { "q=7946", 1 }, { "q=100%25", 0 }, { "email=zoe@example.org", 1 }, { "email=zoe@example.net", 0 },
    };
    for (size_t i = 0; i < COUNT(queries); i++)
        CHECK_CASE(queries[i].query, json_get(desk_call(d, d->agent, "GET", NULL, "/contacts?%s", queries[i].query), "items")->n == queries[i].n);
    desk_stop(d);
}

static void new_contacts_join_by_domain(void **state)
{
    struct desk *d = desk_start(*state);
    const struct json_value *o = desk_call(d, d->agent, "POST", "{\"name\":\"Acme\",\"domains\":[\"Acme.example\"]}", "/organizations");
    WANT(d, 201);
    long long id = json_int(o, "id", 0);
    CHECK_STR(json_get(o, "domains")->items[0].text, "acme.example");
    desk_call(d, d->agent, "POST", "{\"name\":\"Other\",\"domains\":[\"acme.example\"]}", "/organizations");
    WANT(d, 422);
    desk_call(d, d->agent, "POST", "{\"name\":\"Other\",\"domains\":[\"not a domain\"]}", "/organizations");
    WANT(d, 422);
    desk_call(d, d->agent, "POST", "{\"subject\":\"S\",\"requester\":{\"email\":\"wile@ACME.example\"},\"message\":{\"text\":\"x\"}}", "/tickets");
    WANT(d, 201);
    const struct json_value *list = json_get(desk_call(d, d->agent, "GET", NULL, "/contacts?organization_id=%lld", id), "items");
    CHECK_INT(list->n, 1);
    CHECK_STR(json_text(json_get(&list->items[0], "organization"), "name"), "Acme");
    CHECK_INT(json_get(desk_call(d, d->agent, "GET", NULL, "/tickets?organization_id=%lld", id), "items")->n, 1);
    CHECK_INT(json_get(desk_call(d, d->agent, "GET", NULL, "/organizations?q=ACM"), "items")->n, 1);
    o = desk_call(d, d->agent, "PATCH", "{\"domains\":[],\"fields\":{\"plan\":\"gold\"}}", "/organizations/%lld", id);
    WANT(d, 200);
    CHECK_INT(json_get(o, "domains")->n, 0);
    CHECK_STR(json_text(json_get(o, "fields"), "plan"), "gold");
    desk_call(d, d->agent, "PATCH", "{\"fields\":[1]}", "/organizations/%lld", id);
    WANT(d, 422);
    desk_call(d, d->viewer, "PATCH", "{\"name\":\"x\"}", "/organizations/%lld", id);
    WANT(d, 403);
    long long contact = json_int(&list->items[0], "id", 0);
    const struct json_value *c = desk_call(d, d->agent, "PATCH", "{\"organization_id\":null,\"blocked\":true}", "/contacts/%lld", contact);
    WANT(d, 200);
    CHECK_INT(json_get(c, "organization")->kind, JSON_NULL);
    CHECK(json_bool(c, "blocked", false));
    desk_stop(d);
}

TESTS(BOTH(identities_are_unique_and_one_is_primary), BOTH(new_contacts_join_by_domain))
