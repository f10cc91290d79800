/*
 * See rate_table.h. Sets of four slots, a cache line each; a slot is a tag and a TAT, both atomic.
 *
 * A tag is the key's hash: two keys that share one (once in 2^64) share a limit. A slot changes hands while
 * its tag says BUSY. Whoever found his tag just before, and changes the TAT just after, adds one step to the
 * new owner's; and two threads that enter one key at the same time may each take a slot, of which one is then
 * forgotten. Both are one request's difference, and no lock is worth it.
 */
#include "base/rate_table.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#define WAYS 4

/* Tags that no key has. */
#define TAG_EMPTY 0
#define TAG_BUSY  1
#define TAG_FIRST 2

struct slot {
	_Atomic uint64_t tag;
	_Atomic int64_t tat;
};

struct set {
	_Alignas(64) struct slot ways[WAYS];
};

#define SHARDS	     16
#define SHARD_PLACES (RATE_USES_MAX / SHARDS)
#define SHARD_FULL   (SHARD_PLACES * 3 / 4)

/* Notes, found by the key's hash. */
struct shard {
	pthread_mutex_t lock;
	size_t count;
	struct rate_use uses[SHARD_PLACES]; /* used == 0: free */
};

struct rate_table {
	unsigned char secret[crypto_shorthash_KEYBYTES];
	uint64_t mask; /* of sets */
	struct set *sets;
	struct shard *shards; /* NULL: nobody wants notes */
};

static uint64_t hash(const struct rate_table *table, const struct rate_key *key)
{
	unsigned char bytes[1 + RATE_ID_SIZE];
	uint64_t tag;

	_Static_assert(sizeof(tag) == crypto_shorthash_BYTES, "a tag is a hash");
	bytes[0] = key->kind;
	memcpy(bytes + 1, key->id, RATE_ID_SIZE);
	crypto_shorthash((unsigned char *)&tag, bytes, sizeof(bytes), table->secret);
	return tag < TAG_FIRST ? tag + TAG_FIRST : tag;
}

/* --- Slots ------------------------------------------------------------------ */

static struct set *set_of(const struct rate_table *table, uint64_t tag)
{
	return &table->sets[tag >> 32 & table->mask];
}

static struct slot *find(struct set *set, uint64_t tag)
{
	for (size_t i = 0; i < WAYS; i++)
		if (atomic_load_explicit(&set->ways[i].tag, memory_order_acquire) == tag)
			return &set->ways[i];
	return NULL;
}

/* The one who has least to pay back. NULL: all change hands just now. */
static struct slot *most_idle(struct set *set, uint64_t *ret_tag)
{
	struct slot *best = NULL;
	int64_t least = INT64_MAX;

	for (size_t i = 0; i < WAYS; i++) {
		uint64_t tag = atomic_load_explicit(&set->ways[i].tag, memory_order_acquire);
		int64_t tat = atomic_load_explicit(&set->ways[i].tat, memory_order_relaxed);

		if (tag == TAG_EMPTY)
			tat = INT64_MIN;
		if (tag == TAG_BUSY || tat >= least)
			continue;
		best = &set->ways[i];
		least = tat;
		*ret_tag = tag;
	}
	return best;
}

/* NULL: others were quicker, again and again. */
static struct slot *enter(struct set *set, uint64_t tag)
{
	for (int tries = 0; tries < WAYS; tries++) {
		uint64_t old = TAG_EMPTY;
		struct slot *slot = most_idle(set, &old);

		if (slot == NULL || !atomic_compare_exchange_strong(&slot->tag, &old, TAG_BUSY))
			continue;
		atomic_store_explicit(&slot->tat, 0, memory_order_relaxed);
		atomic_store_explicit(&slot->tag, tag, memory_order_release);
		return slot;
	}
	return NULL;
}

static struct slot *place(struct rate_table *table, uint64_t tag)
{
	struct set *set = set_of(table, tag);
	struct slot *slot = find(set, tag);

	return slot != NULL ? slot : enter(set, tag);
}

/* --- Notes ------------------------------------------------------------------ */

/* The key's place, or a free one; NULL when there is none. */
static struct rate_use *note_of(struct shard *shard, const struct rate_key *key, uint64_t tag)
{
	for (size_t i = 0; i < SHARD_PLACES; i++) {
		struct rate_use *use = &shard->uses[(tag + i) % SHARD_PLACES];

		if (use->used == 0)
			return shard->count < SHARD_FULL ? use : NULL;
		if (memcmp(&use->key, key, sizeof(*key)) == 0)
			return use;
	}
	return NULL;
}

static void note(struct rate_table *table, const struct rate_key *key, uint64_t tag,
		 const struct gcra_limit *limit)
{
	struct shard *shard = &table->shards[(tag >> 8) % SHARDS];
	struct rate_use *use;

	pthread_mutex_lock(&shard->lock);
	use = note_of(shard, key, tag);
	if (use != NULL) {
		shard->count += use->used == 0;
		use->key = *key;
		use->limit = *limit;
		use->used += limit->step;
		if (use->used > limit->depth)
			use->used = limit->depth;
	}
	pthread_mutex_unlock(&shard->lock);
}

size_t rate_collect(struct rate_table *table, struct rate_use ret[RATE_USES_MAX])
{
	size_t count = 0;

	for (size_t i = 0; table->shards != NULL && i < SHARDS; i++) {
		struct shard *shard = &table->shards[i];

		pthread_mutex_lock(&shard->lock);
		for (size_t j = 0; shard->count > 0 && j < SHARD_PLACES; j++) {
			if (shard->uses[j].used == 0)
				continue;
			ret[count++] = shard->uses[j];
			shard->uses[j].used = 0;
		}
		shard->count = 0;
		pthread_mutex_unlock(&shard->lock);
	}
	return count;
}

/* --- Taking ------------------------------------------------------------------- */

/* Of a key that there is no place for: as if it came for the first time. */
static struct gcra_verdict unknown(const struct gcra_limit *limit, int64_t now)
{
	return gcra(limit, 0, now);
}

struct gcra_verdict rate_take(struct rate_table *table, const struct rate_key *key,
			      const struct gcra_limit *limit, int64_t now)
{
	uint64_t tag = hash(table, key);
	struct slot *slot = place(table, tag);
	struct gcra_verdict verdict;
	int64_t tat;

	if (slot == NULL)
		return unknown(limit, now);
	tat = atomic_load_explicit(&slot->tat, memory_order_relaxed);
	do {
		verdict = gcra(limit, tat, now);
	} while (verdict.allowed && !atomic_compare_exchange_weak(&slot->tat, &tat, verdict.tat));
	if (verdict.allowed && table->shards != NULL)
		note(table, key, tag, limit);
	return verdict;
}

void rate_raise(struct rate_table *table, const struct rate_key *key, int64_t tat)
{
	struct slot *slot = place(table, hash(table, key));
	int64_t old;

	if (slot == NULL)
		return;
	old = atomic_load_explicit(&slot->tat, memory_order_relaxed);
	while (old < tat && !atomic_compare_exchange_weak(&slot->tat, &old, tat))
		;
}

/* --- Life --------------------------------------------------------------------- */

static size_t sets_size(const struct rate_table *table)
{
	return (table->mask + 1) * sizeof(struct set);
}

struct rate_table *rate_table_create(const struct world *world, size_t slots)
{
	struct rate_table *table = calloc(1, sizeof(*table));
	size_t sets = 1;

	if (table == NULL)
		return NULL;
	while (sets * WAYS < slots)
		sets *= 2;
	table->mask = sets - 1;
	/* From the kernel: aligned, zeroed, and a page that no key has come to takes no memory. */
	table->sets =
		mmap(NULL, sets_size(table), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (table->sets == MAP_FAILED) {
		free(table);
		return NULL;
	}
	world->random(world, table->secret, sizeof(table->secret));
	return table;
}

bool rate_table_note(struct rate_table *table)
{
	table->shards = calloc(SHARDS, sizeof(struct shard));
	for (size_t i = 0; table->shards != NULL && i < SHARDS; i++)
		pthread_mutex_init(&table->shards[i].lock, NULL);
	return table->shards != NULL;
}

void rate_table_destroy(struct rate_table *table)
{
	if (table == NULL)
		return;
	for (size_t i = 0; table->shards != NULL && i < SHARDS; i++)
		pthread_mutex_destroy(&table->shards[i].lock);
	free(table->shards);
	munmap(table->sets, sets_size(table));
	sodium_memzero(table->secret, sizeof(table->secret));
	free(table);
}
