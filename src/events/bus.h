/*
 * Bus: streams of events, and groups that share the work of reading them. Two drivers behind one interface:
 * embedded (SQLite; nothing to install) and Redis Streams. Kafka would fit too: docs/decisions/0008.
 *
 * Delivery is at least once: what a consumer took and did not acknowledge is given to another one. Effects
 * are once all the same, because consumers record the event's id with them (consumer.h).
 *
 * All of it is called on a task (tasks.h), and waits there. RC_BUS_DOWN: it cannot be reached now, and
 * whether something was done is not known. Results lie in the ctx's arena.
 */
#ifndef EVENTS_BUS_H
#define EVENTS_BUS_H

#include "base/ctx.h"
#include "events/event.h"
#include "events/tasks.h"

struct bus;
struct bus_reader;

struct bus_options {
	const char *redis_url;	    /* redis://, rediss://; NULL: embedded, over cx->ports[ROOM_events] */
	const char *redis_ca;	    /* for rediss://: a file of certificates to trust; NULL: the system's */
	const char *booking_stream; /* what booking-events is called in Redis */
	struct tasks *tasks;	    /* whose loop carries the connections */
};

/* Connects when it is first used. A URL that is no good is told on standard error: RC_INTERNAL. */
enum rc bus_create(const struct bus_options *options, struct bus **ret) MUST_USE;
/* On the tasks' thread, or after it has ended. NULL is fine. */
void bus_destroy(struct bus *bus);

/* --- Writing: the relay ------------------------------------------------------ */

#define BUS_BATCH 256 /* events in one call at most */

/* `source` is a database's own id. The sequence of the last event that the stream took from it; 0: none. */
enum rc bus_last(struct bus *bus, struct ctx *cx, const char *stream, const struct uuid *source,
		 int64_t *ret) MUST_USE;

/*
 * Adds the events, in order and all or none, provided that `after` is what bus_last() would say; else
 * RC_STALE. So whoever repeats a call of unknown outcome, or publishes beside another relay, doubles nothing
 * and leaves no gap. Their sequences rise; each gets the next place in the stream.
 */
enum rc bus_publish(struct bus *bus, struct ctx *cx, const char *stream, const struct uuid *source,
		    int64_t after, const struct event *events, size_t count) MUST_USE;

/* --- Reading ------------------------------------------------------------------ */

/* As a member of a group, which is made, from the first event on, on each stream that lacks it. */
enum rc bus_join(struct bus *bus, struct ctx *cx, const char *group, const char *consumer,
		 const char *const *streams, size_t count, struct bus_reader **ret) MUST_USE;
/* All that comes after those places, without a group; `after` NULL: from now on. */
enum rc bus_follow(struct bus *bus, struct ctx *cx, const char *const *streams, size_t count,
		   const int64_t *after, struct bus_reader **ret) MUST_USE;
void bus_leave(struct bus_reader *reader);

/* The next ones that no member of the group was given yet. Waits up to wait_ms for the first; then *ret may
 * be empty. Ends early when the tasks stop. */
enum rc bus_take(struct bus_reader *reader, struct ctx *cx, size_t max, int wait_ms,
		 struct events *ret) MUST_USE;

/* A taken event that its consumer did not acknowledge. */
/* Makes ours what another consumer of the group, or an earlier self, has held for idle_ms. */
enum rc bus_claim(struct bus_reader *reader, struct ctx *cx, size_t max, int idle_ms,
		  struct events *ret) MUST_USE;

enum rc bus_ack(struct bus_reader *reader, struct ctx *cx, const struct event *events, size_t count) MUST_USE;

/* Acknowledges an event that cannot be handled, and keeps it as a dead letter: both or neither. */
enum rc bus_bury(struct bus_reader *reader, struct ctx *cx, const struct event *event, const char *why,
		 int64_t tries) MUST_USE;

/* --- For the operator ----------------------------------------------------------- */

/* Those after a place, in order; returns at once. */
enum rc bus_range(struct bus *bus, struct ctx *cx, const char *stream, int64_t after, size_t max,
		  struct events *ret) MUST_USE;
/* The place of the last event that a stream ever had; 0: none. */
enum rc bus_end(struct bus *bus, struct ctx *cx, const char *stream, int64_t *ret) MUST_USE;

struct bus_group {
	const char *stream, *name;
	int64_t delivered; /* the place of the last event given to a member */
	int64_t pending;   /* given, not acknowledged */
	int64_t lag;	   /* not given yet */
};
enum rc bus_groups(struct bus *bus, struct ctx *cx, struct bus_group **ret, size_t *ret_count) MUST_USE;

struct bus_pending {
	const char *stream, *group, *consumer;
	int64_t sequence, idle_ms, deliveries;
};
/* Of one group; NULL: of all. The oldest first. */
enum rc bus_pending(struct bus *bus, struct ctx *cx, const char *group, size_t max, struct bus_pending **ret,
		    size_t *ret_count) MUST_USE;

struct bus_dead {
	int64_t number; /* of the dead letter: 1, 2, ... */
	const char *group, *why;
	int64_t tries;
	utime buried_at;
	struct event event;
};
enum rc bus_dead(struct bus *bus, struct ctx *cx, int64_t after, size_t max, struct bus_dead **ret,
		 size_t *ret_count) MUST_USE;
/* Gives it back to its group, and forgets it. *ret_found: there was one, and its event is still in the
 * stream. */
enum rc bus_revive(struct bus *bus, struct ctx *cx, int64_t number, bool *ret_found) MUST_USE;
/* Forgets it. */
enum rc bus_drop(struct bus *bus, struct ctx *cx, int64_t number, bool *ret_found) MUST_USE;

/* The group is given again what lies after that place. */
enum rc bus_seek(struct bus *bus, struct ctx *cx, const char *stream, const char *group, int64_t after,
		 bool *ret_found) MUST_USE;

struct bus_subject {
	struct uuid tenant_id, id; /* id nil: all of the tenant */
};
/*
 * Removes what a stream has of these subjects (which it sorts), and their dead letters, before their time.
 * What some group has still to acknowledge stays: *ret_left, and it is to be called again. Reads the whole
 * stream.
 */
enum rc bus_forget(struct bus *bus, struct ctx *cx, const char *stream, struct bus_subject *subjects,
		   size_t count, bool *ret_left) MUST_USE;

/* Drops events that happened before that instant and that every group has acknowledged, some thousand at a
 * call; and the dead letters of before. */
enum rc bus_trim(struct bus *bus, struct ctx *cx, const char *stream, utime before,
		 int64_t *ret_dropped) MUST_USE;

#endif
