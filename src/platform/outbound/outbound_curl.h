/* outbound_curl.h - what the files of this module share; libcurl stays inside. */
#ifndef CAIRN_OUTBOUND_CURL_H
#define CAIRN_OUTBOUND_CURL_H

#include <curl/curl.h>

#include "platform/outbound/outbound.h"

/* A handle with verification on, no signals, no proxy, and a deadline.  `error` has CURL_ERROR_SIZE bytes. */
CURL *outbound_handle(const char *ca_file, int64_t timeout_us, char *error);
void outbound_handle_free(CURL **handle);
void outbound_slist_free(struct curl_slist **list);
/* The words for a failed transfer: curl's own, or its general ones. */
struct str outbound_reason(struct arena *arena, CURLcode code, const char *error);
/* A name or address that may stand in a URL, in brackets when IPv6; false when it is none. */
bool outbound_host(struct arena *arena, struct str host, struct str *ret);

#endif
