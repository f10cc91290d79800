/*
 * Relay: takes the events of one room's outbox to the bus, each once, in commit order.
 *
 * Waiting events are marked with the next numbers of their database, and only marked ones are published, in
 * the order of those numbers. (Whoever reads on from the largest number seen loses what commits later with a
 * smaller one; a mark is given after the commit.) The stream itself knows the last number it took, so a relay
 * that comes back, or finds Redis empty, goes on from there.
 *
 * One relay a database marks events, whichever process it is in: it holds a lease, which is a row there. One
 * that has shown no sign of life for a while is replaced; should it wake up again, it finds the lease gone
 * under the very lock that marking needs.
 */
#ifndef EVENTS_RELAY_H
#define EVENTS_RELAY_H

#include "events/bus.h"
#include "events/room.h"

struct relay;

struct relay_options {
	const char *name; /* for the log: "booking-relay" */
	struct bus *bus;
	struct tasks *tasks;
	struct db *db;
	struct relay_queries queries;
	const char *const *streams; /* those that the room writes to */
	size_t stream_count;
	int lease_ms;
};

/* Adds its task, and watches the store. */
enum rc relay_create(const struct relay_options *options, struct relay **ret) MUST_USE;
/* After the tasks have ended, and before they are destroyed: until now commits have rung its task. NULL is
 * fine.
 */
void relay_destroy(struct relay *relay);

/* Since the start. On any thread. */
struct relay_stats {
	const char *name;
	enum room room;
	uint64_t published;
	bool leads; /* holds the lease */
};
void relay_stats(const struct relay *relay, struct relay_stats *ret);

/* What waits in the outbox, whoever relays it; no more than RELAY_BACKLOG_MAX are counted. On any fiber that
 * has the room's store. */
#define RELAY_BACKLOG_MAX 10000
enum rc relay_backlog(const struct relay *relay, struct ctx *cx, struct outbox_backlog *ret) MUST_USE;

/* What was published and happened before that instant leaves the outbox, some thousand rows at a call. On a
 * task. *ret_more: there may be more of it. */
enum rc relay_purge(struct relay *relay, struct ctx *cx, utime before, bool *ret_more) MUST_USE;

/* Since when the outbox, whoever relays it, could give a stream its events again. UTIME_MAX: it has none. On
 * a task. */
enum rc relay_oldest(const struct relay *relay, struct ctx *cx, utime *ret) MUST_USE;

#endif
