/* tarball_test.c - what goes in comes out, and damage is noticed. */
#include "platform/tarball/tarball.h"
#include "platform/crypto/crypto.h"
#include "testing/testing.h"

#include <sys/stat.h>
#include <unistd.h>

static const char *at(struct world *w, const char *name)
{
    return arena_printf(w->arena, "%s/%s", w->dir, name).ptr;
}

static void write_file(struct world *w, const char *name, struct str content)
{
    CHECK(fd_replace_file(w->arena, at(w, name), content, 0600));
}

static void make(struct world *w, const char *name)
{
    crypto_init();
    struct tarball *t = NULL;
    char *big = NEWN(w->arena, char, 3000000);
    memset(big, 'x', 3000000);
    CHECK(fd_make_dirs(at(w, "in/ab"), 0700));
    write_file(w, "in/ab/cdef", (struct str){ big, 3000000 });
    write_file(w, "in/tmp-1", STR("unfinished"));
    CHECK_OK(&w->cx, tarball_create(&w->cx, at(w, name), &t));
    CHECK_OK(&w->cx, tarball_add(&w->cx, t, "empty", STR("")));
    CHECK_OK(&w->cx, tarball_add_folder(&w->cx, t, "blobs", at(w, "in")));
    CHECK_OK(&w->cx, tarball_add_folder(&w->cx, t, "none", at(w, "absent")));
    CHECK(access(at(w, name), F_OK) != 0);
    CHECK_OK(&w->cx, tarball_finish(&w->cx, t));
    tarball_free(&t);
}

static void comes_out_as_it_went_in(void **state)
{
    struct world *w = *state;
    struct tarball_facts facts = { 0 };
    struct str content;
    make(w, "a.tar");
    CHECK_OK(&w->cx, tarball_verify(&w->cx, at(w, "a.tar"), &facts));
    CHECK_INT(facts.files, 2);
    CHECK_INT(facts.bytes, 3000000);
    CHECK(fd_make_dirs(at(w, "out"), 0700));
    CHECK_OK(&w->cx, tarball_extract(&w->cx, at(w, "a.tar"), at(w, "out"), &facts));
    CHECK(fd_read_file(w->arena, at(w, "out/blobs/ab/cdef"), 1 << 24, &content));
    CHECK_INT(content.len, 3000000);
    CHECK(fd_read_file(w->arena, at(w, "out/empty"), 1 << 24, &content));
    CHECK_INT(content.len, 0);
    CHECK(access(at(w, "a.tar.partial"), F_OK) != 0);
}

static void never_overwrites(void **state)
{
    struct world *w = *state;
    struct tarball *t = NULL;
    write_file(w, "there.tar", STR("precious"));
    CHECK_ERR(tarball_create(&w->cx, at(w, "there.tar"), &t), E_CONFLICT);
    CHECK_ERR(tarball_create(&w->cx, at(w, "no/such/folder.tar"), &t), E_INVALID);
}

static void unfinished_leaves_nothing(void **state)
{
    struct world *w = *state;
    struct tarball *t = NULL;
    CHECK_OK(&w->cx, tarball_create(&w->cx, at(w, "b.tar"), &t));
    CHECK_OK(&w->cx, tarball_add(&w->cx, t, "x", STR("x")));
    tarball_free(&t);
    CHECK(access(at(w, "b.tar"), F_OK) != 0 && access(at(w, "b.tar.partial"), F_OK) != 0);
}

static void refuses_unsafe_names(void **state)
{
    static const char *const names[] = { "", "/etc/x", "../x", "a/../b", "a//b", "a/", ".hidden", "a b", "a\nb" };
    struct world *w = *state;
    struct tarball *t = NULL;
    CHECK_OK(&w->cx, tarball_create(&w->cx, at(w, "c.tar"), &t));
    for (size_t i = 0; i < COUNT(names); i++)
        CHECK_ERR(tarball_add(&w->cx, t, names[i], STR("x")), E_INVALID);
    tarball_free(&t);
}

static void notices_damage(void **state)
{
    struct world *w = *state;
    struct tarball_facts facts = { 0 };
    struct str content;
    make(w, "d.tar");
    CHECK(fd_read_file(w->arena, at(w, "d.tar"), 1 << 24, &content));
    write_file(w, "cut.tar", str_sub(content, 0, content.len / 2));
    CHECK_ERR(tarball_verify(&w->cx, at(w, "cut.tar"), &facts), E_INVALID);
    char *bytes = arena_cstr(w->arena, content);
    bytes[1500000] ^= 1;
    write_file(w, "flip.tar", (struct str){ bytes, content.len });
    CHECK_ERR(tarball_verify(&w->cx, at(w, "flip.tar"), &facts), E_INVALID);
    CHECK(str_find(w->cx.failure.message, STR("blobs/ab/cdef")) >= 0);
    write_file(w, "text.tar", STR("this is not a tarball at all"));
    CHECK_ERR(tarball_verify(&w->cx, at(w, "text.tar"), &facts), E_INVALID);
}

TESTS(UNIT(comes_out_as_it_went_in), UNIT(never_overwrites), UNIT(unfinished_leaves_nothing),
      UNIT(refuses_unsafe_names), UNIT(notices_damage))
