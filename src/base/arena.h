/*
 * Arena: memory that lives as long as one piece of work (a request, an event)
 * and goes all at once. Nothing taken from an arena is freed alone.
 *
 * An arena belongs to one thread at a time. A pool keeps the first chunk of
 * finished arenas of one thread, so a warm request never calls malloc.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/base.h"

struct arena_chunk;

/* Chunks that wait for the next request of the same thread. Zeroed is empty and ready. */
struct arena_pool {
	struct arena_chunk *free;
	size_t kept;
};

struct arena {
	struct arena_chunk *chunks; /* the newest first */
	char *at, *end;
	struct arena_pool *pool; /* may be NULL */
	bool wipe;		 /* it holds a secret: its memory is zeroed when it goes */
};

void arena_init(struct arena *arena, struct arena_pool *pool);
void arena_finish(struct arena *arena);
void arena_pool_finish(struct arena_pool *pool);

/* Zeroed memory, aligned for any type; NULL when there is none left. */
void *arena_alloc(struct arena *arena, size_t size) MUST_USE;
/* The same, not zeroed: for whoever writes before he reads. */
void *arena_room(struct arena *arena, size_t size) MUST_USE;
void *arena_array(struct arena *arena, size_t count, size_t size) MUST_USE;
void *arena_copy(struct arena *arena, const void *from, size_t size) MUST_USE;

/* A copy that ends in NUL; NULL when memory is short. */
char *arena_text(struct arena *arena, struct str from) MUST_USE;
char *arena_printf(struct arena *arena, const char *format, ...) MUST_USE PRINTF_LIKE(2, 3);

#endif
