/*
 * Backoff: how long to wait before the next try of what has failed, twice as long each time up to a bound,
 * and a random part of it, so that many do not come back at one instant. An outage is logged once, and its
 * end.
 */
#ifndef EVENTS_BACKOFF_H
#define EVENTS_BACKOFF_H

#include "events/tasks.h"

#define BACKOFF_FIRST_MS 20
#define BACKOFF_MOST_MS	 5000

struct backoff {
	const char *who; /* for the log */
	unsigned tries;
};

/* The wait before try number `tries` + 1, the first being 0. */
int backoff_ms(unsigned tries, const struct world *world);

/* It has failed once more: waits, or until the tasks stop. */
void backoff_wait(struct backoff *backoff, struct task *task, enum rc why);
/* It has gone well. */
void backoff_reset(struct backoff *backoff);

#endif
