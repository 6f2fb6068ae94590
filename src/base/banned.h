/*
 * banned.h - functions that the house does not use, as compile errors.
 *
 * Heap memory comes from arenas (arena.h) or, for long-lived objects, from
 * heap_new()/heap_free(); text is formatted by arena_printf() or buf_printf();
 * time comes from cx->now_us.  A file of base/ that must use one defines
 * CAIRN_BASE_INTERNAL before including base.h.
 */
#ifndef CAIRN_BANNED_H
#define CAIRN_BANNED_H

#if !defined(CAIRN_BASE_INTERNAL) && !defined(__clang__) /* clang wants it on the first declaration */
#define BANNED(instead) __attribute__((error("banned: " instead)))

struct tm;
extern void *malloc(size_t) BANNED("use an arena or heap_new");
extern void *calloc(size_t, size_t) BANNED("use an arena or heap_new");
extern void *realloc(void *, size_t) BANNED("use struct buf or heap_grow");
extern char *strdup(const char *) BANNED("use arena_copy or heap_copy");
extern char *strndup(const char *, size_t) BANNED("use arena_copy or heap_copy");
extern char *strcpy(char *, const char *) BANNED("use arena_copy or struct buf");
extern char *strcat(char *, const char *) BANNED("use struct buf");
extern int sprintf(char *, const char *, ...) BANNED("use arena_printf");
extern int vsprintf(char *, const char *, va_list) BANNED("use arena_vprintf");
extern char *strtok(char *, const char *) BANNED("use str_split");
extern int atoi(const char *) BANNED("use num_parse_int");
extern long atol(const char *) BANNED("use num_parse_int");
extern struct tm *gmtime(const long *) BANNED("use clock_civil");
extern struct tm *localtime(const long *) BANNED("use clock_civil");

#undef BANNED
#endif

#endif
