/* See cache.h. Four ways a set: a key has four places, and of these the one used longest ago is replaced. */
#include "base/cache.h"

#include <stdlib.h>

#define WAYS 4

struct entry {
	struct uuid key;
	uint64_t extra, version, used;
	utime until;
	void *value; /* NULL: free */
};

struct cache {
	void (*drop)(void *value);
	size_t mask; /* of sets */
	uint64_t tick;
	struct entry entries[];
};

struct cache *cache_create(size_t slots, void (*drop)(void *value))
{
	struct cache *cache;
	size_t sets = 1;

	while (sets * WAYS < slots)
		sets *= 2;
	cache = calloc(1, sizeof(*cache) + sets * WAYS * sizeof(cache->entries[0]));
	if (cache == NULL)
		return NULL;
	cache->drop = drop;
	cache->mask = sets - 1;
	return cache;
}

void cache_destroy(struct cache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < (cache->mask + 1) * WAYS; i++)
		if (cache->entries[i].value != NULL)
			cache->drop(cache->entries[i].value);
	free(cache);
}

/* The low half of a version-7 UUID is random; `extra` is spread over it. */
static struct entry *set_of(struct cache *cache, const struct uuid *key, uint64_t extra)
{
	uint64_t hash;

	memcpy(&hash, key->b + 8, sizeof(hash));
	hash = (hash ^ extra * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xff51afd7ed558ccd);
	return &cache->entries[(hash >> 32 & cache->mask) * WAYS];
}

static bool is_key(const struct entry *entry, const struct uuid *key, uint64_t extra)
{
	return entry->value != NULL && entry->extra == extra && uuid_equal(&entry->key, key);
}

void *cache_get(struct cache *cache, const struct uuid *key, uint64_t extra, uint64_t version, utime now)
{
	struct entry *set = set_of(cache, key, extra);

	for (size_t i = 0; i < WAYS; i++) {
		if (!is_key(&set[i], key, extra))
			continue;
		if (set[i].version != version || now >= set[i].until)
			return NULL;
		set[i].used = ++cache->tick;
		return set[i].value;
	}
	return NULL;
}

void *cache_stale(struct cache *cache, const struct uuid *key, uint64_t extra)
{
	struct entry *set = set_of(cache, key, extra);

	for (size_t i = 0; i < WAYS; i++) {
		if (!is_key(&set[i], key, extra))
			continue;
		set[i].used = ++cache->tick;
		return set[i].value;
	}
	return NULL;
}

void cache_put(struct cache *cache, const struct uuid *key, uint64_t extra, uint64_t version, utime until,
	       void *value)
{
	struct entry *set = set_of(cache, key, extra);
	struct entry *place = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (is_key(&set[i], key, extra)) {
			place = &set[i];
			break;
		}
		if (set[i].used < place->used)
			place = &set[i];
	}
	if (place->value != NULL)
		cache->drop(place->value);
	*place = (struct entry){.key = *key,
				.extra = extra,
				.version = version,
				.used = ++cache->tick,
				.until = until,
				.value = value};
}
