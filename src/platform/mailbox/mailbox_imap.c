/* mailbox_imap.c - folders, UIDs, messages. */
#include "platform/mailbox/mailbox_session.h"

#include <stdlib.h>

/* RFC 3501 section 5.1.3: modified UTF-7, "&" and a base64 of UTF-16 with "," for "/" and no padding. */
static void put_utf7_run(struct cx *cx, struct buf *out, struct buf *run)
{
    if (!run->len)
        return;
    struct str text = base64_encode(cx->arena, buf_str(run));
    buf_char(out, '&');
    for (size_t i = 0; i < text.len && text.ptr[i] != '='; i++)
        buf_char(out, text.ptr[i] == '/' ? ',' : text.ptr[i]);
    buf_char(out, '-');
    buf_clear(run);
}

static void put_utf16(struct buf *run, uint32_t unit)
{
    buf_char(run, (char)(unit >> 8));
    buf_char(run, (char)(unit & 0xff));
}

static struct str folder_name(struct cx *cx, struct str folder)
{
    struct buf out = buf_new(cx->arena, 0), run = buf_new(cx->arena, 0);
    uint32_t cp;
    while (utf8_next(&folder, &cp)) {
        if (cp >= 0x10000) {
            put_utf16(&run, 0xd800 + ((cp - 0x10000) >> 10));
            put_utf16(&run, 0xdc00 + ((cp - 0x10000) & 0x3ff));
        } else if (cp < 32 || cp > 126)
            put_utf16(&run, cp);
        else {
            put_utf7_run(cx, &out, &run);
            buf_char(&out, (char)cp);
            if (cp == '&')
                buf_char(&out, '-');
        }
    }
    put_utf7_run(cx, &out, &run);
    return buf_str(&out);
}

static int cmp_uid(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Takes over `key`.  Ascending, without doubles, within [from, to]: "n:*" names the last message even when it is below n. */
static enum err_code search(struct cx *cx, struct mailbox_session *s, struct mailimap_search_key *key, uint32_t from, uint32_t to,
                            uint32_t **ret, size_t *ret_n)
{
    clist *found = NULL;
    mailbox_wire_begin(&s->wire, LIST_ANSWER_BYTES);
    int r = mailimap_uid_search(s->imap, NULL, key, &found);
    mailimap_search_key_free(key);
    if (r != MAILIMAP_NO_ERROR)
        return mailbox_imap_failure(cx, s, r);
    *ret_n = 0;
    *ret = NEWN(cx->arena, uint32_t, found ? MAX(clist_count(found), 1) : 1);
    for (clistiter *i = found ? clist_begin(found) : NULL; i; i = clist_next(i)) {
        uint32_t uid = *(uint32_t *)clist_content(i);
        if (uid >= from && uid <= to)
            (*ret)[(*ret_n)++] = uid;
    }
    if (found)
        mailimap_search_result_free(found);
    qsort(*ret, *ret_n, sizeof **ret, cmp_uid);
    size_t kept = 0;
    for (size_t i = 0; i < *ret_n; i++)
        if (!kept || (*ret)[kept - 1] != (*ret)[i])
            (*ret)[kept++] = (*ret)[i];
    *ret_n = kept;
    return E_OK;
}

enum err_code mailbox_uids(struct cx *cx, struct mailbox_session *s, uint32_t from, uint32_t to, uint32_t **ret, size_t *ret_n)
{
    from = MAX(from, 1u);
    struct mailimap_set *set = mailimap_set_new_interval(from, to);     /* 0 is "*" */
    return search(cx, s, mailimap_search_key_new_uid(set), from, to ? to : UINT32_MAX, ret, ret_n);
}

enum err_code mailbox_uids_since(struct cx *cx, struct mailbox_session *s, int64_t since_us, uint32_t **ret, size_t *ret_n)
{
    struct civil_time c = clock_civil(since_us);
    struct mailimap_date *day = mailimap_date_new(c.day, c.month, c.year);
    return search(cx, s, mailimap_search_key_new_since(day), 1, UINT32_MAX, ret, ret_n);
}

enum err_code mailbox_select(struct cx *cx, struct mailbox_session *s, struct str folder, struct mailbox_folder_status *ret)
{
    struct str name = folder_name(cx, folder);
    uint64_t mod_seq = 0;
    if (s->wire.state != WIRE_OPEN)
        return mailbox_wire_failure(cx, &s->wire);
    /* EXAMINE: nothing that we do changes what the owner of the mailbox sees */
    mailbox_wire_begin(&s->wire, SMALL_ANSWER_BYTES);
    int r = mailimap_has_condstore(s->imap) ? mailimap_examine_condstore(s->imap, name.ptr, &mod_seq) : mailimap_examine(s->imap, name.ptr);
    if (r == MAILIMAP_ERROR_EXAMINE || r == MAILIMAP_ERROR_SELECT)
        return fail_field(cx, "in_folder", "The folder \"%.*s\" cannot be opened: %s", STR_ARG(folder), s->imap->imap_response);
    if (r != MAILIMAP_NO_ERROR)
        return mailbox_imap_failure(cx, s, r);
    struct mailimap_selection_info *info = s->imap->imap_selection_info;
    *ret = (struct mailbox_folder_status){
        .uid_validity = info->sel_uidvalidity,
        .uid_next = info->sel_uidnext,
        .exists = info->sel_exists,
        .mod_seq = mod_seq,
        .can_idle = mailimap_has_extension(s->imap, "IDLE"),
    };
    if (ret->uid_next || !ret->exists)
        return E_OK;
    uint32_t *last;     /* an old server without UIDNEXT */
    size_t n;
    TRY(search(cx, s, mailimap_search_key_new_uid(mailimap_set_new_single(0)), 1, UINT32_MAX, &last, &n));
    ret->uid_next = n ? last[n - 1] + 1 : 0;
    return E_OK;
}

/* The static item of this kind in the answer about this very message; servers add news about others. */
static struct mailimap_msg_att_static *find_item(clist *messages, uint32_t uid, int kind)
{
    for (clistiter *m = clist_begin(messages); m; m = clist_next(m)) {
        struct mailimap_msg_att_static *found = NULL;
        bool is_it = false;
        struct mailimap_msg_att *message = clist_content(m);
        for (clistiter *i = clist_begin(message->att_list); i; i = clist_next(i)) {
            struct mailimap_msg_att_item *item = clist_content(i);
            struct mailimap_msg_att_static *st = item->att_type == MAILIMAP_MSG_ATT_ITEM_STATIC ? item->att_data.att_static : NULL;
            if (st && st->att_type == MAILIMAP_MSG_ATT_UID)
                is_it = st->att_data.att_uid == uid;
            if (st && st->att_type == kind)
                found = st;
        }
        if (is_it && found)
            return found;
    }
    return NULL;
}

/* One attribute of one message; *ret_list is to be freed and holds *ret, NULL when the message is gone. */
static enum err_code fetch_item(struct cx *cx, struct mailbox_session *s, uint32_t uid, struct mailimap_fetch_att *what, int kind,
                                clist **ret_list, struct mailimap_msg_att_static **ret)
{
    struct mailimap_set *set = mailimap_set_new_single(uid);
    struct mailimap_fetch_type *type = mailimap_fetch_type_new_fetch_att(what);
    int r = mailimap_uid_fetch(s->imap, set, type, ret_list);
    mailimap_set_free(set);
    mailimap_fetch_type_free(type);
    if (r != MAILIMAP_NO_ERROR) {
        *ret_list = NULL;
        return mailbox_imap_failure(cx, s, r);
    }
    *ret = find_item(*ret_list, uid, kind);
    return E_OK;
}

static void list_free(clist **list)
{
    if (*list)
        mailimap_fetch_list_free(*list);
    *list = NULL;
}

static enum err_code gone(struct cx *cx, uint32_t uid)
{
    return fail(cx, E_NOT_FOUND, "The message %u is not in the folder any more.", uid);
}

enum err_code mailbox_fetch(struct cx *cx, struct mailbox_session *s, uint32_t uid, size_t max_bytes, struct str *ret)
{
    CLEANUP(list_free) clist *sizes = NULL, *bodies = NULL;
    struct mailimap_msg_att_static *item = NULL;
    if (!uid)
        return gone(cx, uid);
    mailbox_wire_begin(&s->wire, SMALL_ANSWER_BYTES);
    TRY(fetch_item(cx, s, uid, mailimap_fetch_att_new_rfc822_size(), MAILIMAP_MSG_ATT_RFC822_SIZE, &sizes, &item));
    if (!item)
        return gone(cx, uid);
    if (item->att_data.att_rfc822_size > max_bytes)
        return fail(cx, E_LIMIT, "The message has %u bytes, more than the %zu allowed.", item->att_data.att_rfc822_size, max_bytes);
    mailbox_wire_begin(&s->wire, max_bytes + SMALL_ANSWER_BYTES);
    enum err_code e = fetch_item(cx, s, uid, mailimap_fetch_att_new_body_peek_section(mailimap_section_new(NULL)),
                                 MAILIMAP_MSG_ATT_BODY_SECTION, &bodies, &item);
    if (e != E_OK && s->wire.state == WIRE_TOO_MUCH)
        return fail(cx, E_LIMIT, "The message is larger than the %zu bytes allowed, and than the server had said.", max_bytes);
    TRY(e);
    if (!item)
        return gone(cx, uid);
    struct mailimap_msg_att_body_section *body = item->att_data.att_body_section;
    if (body->sec_length > max_bytes)
        return fail(cx, E_LIMIT, "The message has %zu bytes, more than the %zu allowed.", body->sec_length, max_bytes);
    *ret = arena_copy(cx->arena, (struct str){ body->sec_body_part ? body->sec_body_part : "", body->sec_body_part ? body->sec_length : 0 });
    return E_OK;
}
