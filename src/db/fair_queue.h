/*
 * Jobs that wait for a thread, in the order in which they came within a tenant, and with the tenants in turn:
 * one that asks for a thousand things at once is served as fast as the others leave room, and whoever asks
 * for one waits for one of each tenant before him, not for the thousand.
 *
 * Tenants lie on FAIR_LANES lanes by their id; two that meet on one share its turns. The nil tenant, the
 * house's own work, is one of them. No tenant may have more of the queue than is left for the others: one
 * that floods it fills half, two fill a third each, and so there is always room for another.
 *
 * Not for several threads: its owner has the lock. Jobs are the callers', and are linked by job->next.
 */
#ifndef DB_FAIR_QUEUE_H
#define DB_FAIR_QUEUE_H

#include "db/db.h"

#define FAIR_LANE_BITS 8
#define FAIR_LANES     (1 << FAIR_LANE_BITS)
#define FAIR_QUEUE_MAX 8192 /* jobs */

struct fair_lane {
	struct job *oldest, **end;
	size_t count;
	struct fair_lane *next; /* whose turn is after this one's */
};

struct fair_queue {
	struct fair_lane lanes[FAIR_LANES];
	struct fair_lane *turn, **last; /* the lanes that have jobs */
	size_t count;			/* of all jobs */
};

void fair_queue_init(struct fair_queue *queue);

/* False when the tenant's part of the queue is full. */
bool fair_queue_put(struct fair_queue *queue, struct job *job, const struct uuid *tenant) MUST_USE;

/* Up to `max` of them; how many there were. */
size_t fair_queue_take(struct fair_queue *queue, struct job **jobs, size_t max);

#endif
