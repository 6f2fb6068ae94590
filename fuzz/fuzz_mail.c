/* Any bytes as a message: read it, judge it, split it.  Nothing crashes, all text is UTF-8, nothing is lost. */
#include "platform/mail/mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new("fuzz", 0);
    struct cx cx = { .arena = arena };
    struct mail mail;
    struct mail_bounce bounce;
    struct str raw = { (const char *)data, size }, why;
    struct mail_limits limits = { .max_parts = 100, .max_depth = 20 };
    if (mail_parse(&cx, raw, limits, &mail) == E_OK) {
        ASSERT(utf8_valid(mail.text) && utf8_valid(mail.html) && utf8_valid(mail.subject));
        ASSERT(str_chr(mail.text, 0) < 0 && str_chr(mail.subject, '\n') < 0);
        for (size_t i = 0; i < mail.nparts; i++) {
            struct str name = mail.parts[i].file_name;
            ASSERT(name.len > 0 && name.len <= 200 && str_chr(name, '/') < 0 && utf8_valid(name));
        }
        mail_classify(arena, &mail, STR_NONE, &why);
        mail_read_bounce(arena, &mail, &bounce);
        mail_auth_results(&mail, STR("mx.example.org"));
        mail_normal_subject(arena, mail.subject);
        mail_content_hash(arena, &mail, raw);
    }
    arena_free(&arena);
    return 0;
}
