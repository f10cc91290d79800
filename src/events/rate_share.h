/*
 * Rates that several processes share, through Redis. Each decides by its own table at once, and no request
 * waits; a task tells what was used here some times a second, in one script, and learns what all have used.
 * So a limit may be passed by what the other processes let through within that time, once;
 * docs/security/rates.md says how much that is. Without Redis each goes by its own table.
 */
#ifndef EVENTS_RATE_SHARE_H
#define EVENTS_RATE_SHARE_H

#include "base/rate_table.h"
#include "events/tasks.h"

struct rate_share;

struct rate_share_options {
	struct rate_table *table;
	struct tasks *tasks;
	const char *redis_url, *redis_ca;
};

/* Before the tasks start, and before the table is used. Not RC_OK: said why. */
enum rc rate_share_create(const struct rate_share_options *options, struct rate_share **ret) MUST_USE;
/* After the tasks have ended. NULL is fine. */
void rate_share_destroy(struct rate_share *share);

/* Did the last exchange with Redis succeed? On any thread. */
bool rate_share_works(const struct rate_share *share);

#endif
