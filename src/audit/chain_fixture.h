/*
 * A trail of several tenants' chains in memory, as a store would hold it, and all that may be done to it: for
 * chain_test.c.
 */
#ifndef AUDIT_CHAIN_FIXTURE_H
#define AUDIT_CHAIN_FIXTURE_H

#include "audit/chain.h"

#define TENANTS 3
#define EVENTS	300
#define ROOM	(EVENTS + 8) /* with what is forged */

/* Texts are never changed in place. */
struct trail {
	struct audit_event rows[ROOM];
	size_t count;
	struct audit_head heads[TENANTS];
	size_t head_count;
};

/* Intact, and made by trail_init(). */
extern struct trail original;
extern struct uuid tenants[TENANTS];
/* For what one mutation makes; the test's to begin and to end. */
extern struct arena arena;

void trail_init(uint64_t seed);
void trail_finish(void);

/* By chance: a number below that, an id. */
size_t below(size_t limit);
struct uuid an_id(void);

/* Of that tenant, the row of that number. */
struct audit_event *row_of(struct trail *trail, const struct uuid *tenant, int64_t number);
/* NULL: it has none. */
const struct audit_head *head_of(const struct trail *trail, const struct uuid *tenant);
void take_out(struct trail *trail, const struct audit_event *row);
/* Its hashes, as record.c makes them. */
void hash_row(struct arena *to, struct audit_event *row, const char *before);
/* Random content, to come after that head; without hashes. */
struct audit_event an_event(struct arena *to, const struct audit_head *head);

/* Each returns the number at which the fault must be told, or 0 where that hangs on more. */
struct mutation {
	const char *name;
	int64_t (*fn)(struct trail *trail);
};
extern const struct mutation mutations[];
extern const size_t mutation_count;

#endif
