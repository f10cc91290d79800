/*
 * Cache of one thread: values by a UUID key, each good for as long as the version it was read at
 * stands (db_version() in db/db.h), and until its end. Fixed size; what was used least gives way.
 */
#ifndef BASE_CACHE_H
#define BASE_CACHE_H

#include "base/uuid.h"

struct cache;

/* `slots` is rounded up to a power of two. `drop` frees a value. NULL: memory. */
struct cache *cache_create(size_t slots, void (*drop)(void *value)) MUST_USE;
void cache_destroy(struct cache *cache);

/* The value under (key, extra), or NULL when there is none, it was put at another version, or has ended. */
void *cache_get(struct cache *cache, const struct uuid *key, uint64_t extra, uint64_t version, utime now);

/* The same whether it is still good or not: for whoever would else have nothing. */
void *cache_stale(struct cache *cache, const struct uuid *key, uint64_t extra);

/* Takes the value over, and drops what it replaces. It ends at `until`, exclusive; UTIME_MAX: never. */
void cache_put(struct cache *cache, const struct uuid *key, uint64_t extra, uint64_t version, utime until,
	       void *value);

#endif
