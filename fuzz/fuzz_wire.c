/* fuzz_wire.c - arbitrary bytes at the HTTP filter: the verdict does not depend on the pieces they come in. */
#include "platform/http/http_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As a socket would deliver it: the unpassed rest is seen again with what follows. */
static size_t scan_in_pieces(struct wire *w, const char *bytes, size_t n, size_t piece)
{
    size_t passed = 0;
    for (size_t have = 0; have < n && !w->refused_at;) {
        have = MIN(have + piece, n);
        passed += wire_scan(w, bytes + passed, have - passed);
        ASSERT(passed <= have);
    }
    return passed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire whole = { .fd = -1 }, pieces = { .fd = -1 };
    size_t piece = size ? 1 + data[0] % 7 : 1;
    char *bytes = heap_new(size + 1);
    if (size)
        memcpy(bytes, data, size);
    size_t a = scan_in_pieces(&whole, bytes, size, size ? size : 1);
    size_t b = scan_in_pieces(&pieces, bytes, size, piece);
    ASSERT(a == b && whole.state == pieces.state && whole.heads == pieces.heads);
    ASSERT(whole.refused_at == pieces.refused_at && whole.refused_status == pieces.refused_status);
    heap_free(bytes);
    return 0;
}
