/*
 * api.h - the list of all route tables, and documents made from it.
 */
#ifndef CAIRN_API_H
#define CAIRN_API_H

#include "platform/http/http.h"

extern const struct route_table *const api_tables[];
extern const size_t api_tables_count;

/* docs/permissions.md: what each permission means, and what each route needs. */
struct str api_permissions(struct arena *arena);

#endif
