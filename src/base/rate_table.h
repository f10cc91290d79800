/*
 * Rates of many at once: a TAT (gcra.h) for each key, in memory of a fixed size that all threads of the
 * process share without locks. When it is full the key that has least to pay back gives way: whoever is
 * forgotten begins anew, so that a full table errs on the side of letting through, and those who are near
 * their limit are remembered longest.
 *
 * Where a key lies is decided by SipHash under a key of this process's own: nobody can aim at a place.
 */
#ifndef BASE_RATE_TABLE_H
#define BASE_RATE_TABLE_H

#include "base/gcra.h"
#include "base/world.h"

#define RATE_ID_SIZE 16

struct rate_key {
	unsigned char kind; /* the same id under another limit is another key */
	unsigned char id[RATE_ID_SIZE];
};

struct rate_table;

/* `slots` of 16 bytes each, rounded up to a power of two. NULL: memory. */
struct rate_table *rate_table_create(const struct world *world, size_t slots) MUST_USE;
void rate_table_destroy(struct rate_table *table);

/* One request of that key at `now` (ns that never go back). On any thread. */
struct gcra_verdict rate_take(struct rate_table *table, const struct rate_key *key,
			      const struct gcra_limit *limit, int64_t now);

/* --- Shared with other processes ------------------------------------------ */

/* What was let through here and nobody else knows of yet. */
struct rate_use {
	struct rate_key key;
	struct gcra_limit limit;
	int64_t used; /* ns of TAT; no more than the limit's depth, however long it waited */
};

/* From now on uses are noted. Before any rate_take(). False: memory. */
bool rate_table_note(struct rate_table *table) MUST_USE;

/* So many uses at most are noted between two rate_collect(); further ones stay unknown to the others. */
#define RATE_USES_MAX 4096

/* Takes the notes away. Returns how many there were. */
size_t rate_collect(struct rate_table *table, struct rate_use ret[RATE_USES_MAX]);

/* Others have used it too: its TAT is at least that. */
void rate_raise(struct rate_table *table, const struct rate_key *key, int64_t tat);

#endif
