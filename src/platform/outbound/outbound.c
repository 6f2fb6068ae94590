/* outbound.c - what every transfer has in common. */
#include "platform/outbound/outbound_curl.h"

void outbound_init(void)
{
    ASSERT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

CURL *outbound_handle(const char *ca_file, int64_t timeout_us, char *error)
{
    CURL *h = curl_easy_init();
    ASSERT(h);
    error[0] = 0;
    curl_easy_setopt(h, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_PROXY, "");
    curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (ca_file)
        curl_easy_setopt(h, CURLOPT_CAINFO, ca_file);
    curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)MAX(timeout_us / US_PER_MS, INT64_C(1)));
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, 30000L);
    return h;
}

void outbound_handle_free(CURL **handle)
{
    if (*handle)
        curl_easy_cleanup(*handle);
    *handle = NULL;
}

void outbound_slist_free(struct curl_slist **list)
{
    curl_slist_free_all(*list);
    *list = NULL;
}

struct str outbound_reason(struct arena *arena, CURLcode code, const char *error)
{
    struct str text = str_trim(str_of(error));
    return arena_copy(arena, text.len ? text : str_of(curl_easy_strerror(code)));
}

bool outbound_host(struct arena *arena, struct str host, struct str *ret)
{
    bool colon = str_chr(host, ':') >= 0;
    for (size_t i = 0; i < host.len; i++) {
        unsigned char c = (unsigned char)host.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
        if (!plain && c < 128 && !(colon && c == ':'))
            return false;
    }
    *ret = colon ? arena_printf(arena, "[%.*s]", STR_ARG(host)) : arena_copy(arena, host);
    return host.len > 0 && host.len < 256 && utf8_valid(host);
}
