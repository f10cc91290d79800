/*
 * When may a replica answer? What this process has written itself must be there, all of it; what others
 * wrote may be missing for so long at most. A pure rule: postgres_replica.c feeds it, replica_rule_test.c
 * tells its cases.
 */
#ifndef DB_REPLICA_RULE_H
#define DB_REPLICA_RULE_H

#include <stdbool.h>
#include <stdint.h>

/* Asked of the primary: where its log ends. By then so many commits of this process had ended. */
struct replica_beat {
	uint64_t kept;
	int64_t at_ms; /* before it was asked, by a clock that only goes forward */
};

/* Of the last beat whose end of the log the replica has replayed. */
struct replica_state {
	bool there;	     /* it answers, and is a standby of our primary */
	bool ever;	     /* it has caught up with some beat; else what follows means nothing */
	uint64_t safe;	     /* it has the commits of this process up to that number */
	int64_t fresh_at_ms; /* and all that anybody had committed by then */
};

/* It has replayed all that the primary had at that beat. An idle primary's beats are reached at once, so
 * idleness is no lag. */
static inline void replica_reached(struct replica_state *state, const struct replica_beat *beat)
{
	state->there = state->ever = true;
	state->safe = beat->kept;
	state->fresh_at_ms = beat->at_ms;
}

/* `last`: the last commit of this process that may have changed what is asked for. */
static inline bool replica_may_answer(const struct replica_state *state, uint64_t last, int64_t now_ms,
				      int64_t lag_max_ms)
{
	return state->there && state->ever && last <= state->safe && now_ms - state->fresh_at_ms < lag_max_ms;
}

#endif
