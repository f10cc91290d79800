/* See arena.h. Chunks of 8 KiB, or of the size asked for when that is larger. */
#include "base/arena.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define CHUNK_BYTES 8192
#define POOL_KEEPS  256
#define ALIGN	    _Alignof(max_align_t)

struct arena_chunk {
	struct arena_chunk *next;
	size_t size; /* of the bytes that follow */
	_Alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *arena, struct arena_pool *pool)
{
	*arena = (struct arena){.pool = pool};
}

static void chunk_release(struct arena_pool *pool, struct arena_chunk *chunk)
{
	if (pool != NULL && chunk->size == CHUNK_BYTES && pool->kept < POOL_KEEPS) {
		chunk->next = pool->free;
		pool->free = chunk;
		pool->kept++;
		return;
	}
	free(chunk);
}

void arena_finish(struct arena *arena)
{
	struct arena_chunk *next;

	for (struct arena_chunk *c = arena->chunks; c != NULL; c = next) {
		next = c->next;
		if (arena->wipe)
			sodium_memzero(c->bytes, c->size);
		chunk_release(arena->pool, c);
	}
	arena_init(arena, arena->pool);
}

void arena_pool_finish(struct arena_pool *pool)
{
	struct arena_chunk *next;

	for (struct arena_chunk *c = pool->free; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	*pool = (struct arena_pool){0};
}

static struct arena_chunk *chunk_take(struct arena_pool *pool, size_t size)
{
	struct arena_chunk *chunk;

	if (size < CHUNK_BYTES)
		size = CHUNK_BYTES;
	if (pool != NULL && pool->free != NULL && size == CHUNK_BYTES) {
		chunk = pool->free;
		pool->free = chunk->next;
		pool->kept--;
		return chunk;
	}
	chunk = malloc(sizeof(*chunk) + size);
	if (chunk != NULL)
		chunk->size = size;
	return chunk;
}

static __attribute__((noinline)) bool grow(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk = chunk_take(arena->pool, size);

	if (chunk == NULL)
		return false;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	arena->at = chunk->bytes;
	arena->end = chunk->bytes + chunk->size;
	return true;
}

static inline void *take(struct arena *arena, size_t size)
{
	char *at;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + ALIGN - 1) & ~(ALIGN - 1);
	if ((arena->at == NULL || size > (size_t)(arena->end - arena->at)) && !grow(arena, size))
		return NULL;
	at = arena->at;
	arena->at += size;
	return at;
}

void *arena_room(struct arena *arena, size_t size)
{
	return take(arena, size);
}

void *arena_alloc(struct arena *arena, size_t size)
{
	void *p = take(arena, size);

	return p != NULL ? memset(p, 0, size) : NULL;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(count, size, &bytes) ? NULL : arena_alloc(arena, bytes);
}

void *arena_copy(struct arena *arena, const void *from, size_t size)
{
	void *p = take(arena, size);

	if (p != NULL && size > 0)
		memcpy(p, from, size);
	return p;
}

char *arena_text(struct arena *arena, struct str from)
{
	char *text = take(arena, from.len + 1);

	if (text == NULL)
		return NULL;
	if (from.len > 0)
		memcpy(text, from.p, from.len);
	text[from.len] = '\0';
	return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args, again;
	char *text;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	text = len < 0 ? NULL : take(arena, (size_t)len + 1);
	if (text != NULL)
		vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	return text;
}
