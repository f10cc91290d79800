/*
 * Where the master is now: whom one asks, in which words, and what the answer says. Asking is redis_link.c's.
 *
 * https://redis.io/docs/latest/develop/reference/sentinel-clients/ and
 * https://redis.io/docs/latest/commands/cluster-slots/
 */
#ifndef EVENTS_REDIS_MASTER_H
#define EVENTS_REDIS_MASTER_H

#include "events/redis_link.h"

/* The slot of `{marca}`. */
#define REDIS_SLOT 854

/* Adds the question: one command. Not for REDIS_ONE, which is the master itself. */
void redis_master_ask(const struct redis_url *url, struct redis_batch *batch);

/*
 * What it was answered by `asked`. False: the reason. The name lies in the reply, or is the asked one's: a
 * node of a cluster that does not know how others see it says nothing of its host.
 */
bool redis_master_read(const struct redis_url *url, const struct redis_host *asked,
		       const struct redis_reply *reply, struct redis_host *ret,
		       const char **ret_why) MUST_USE;

#endif
