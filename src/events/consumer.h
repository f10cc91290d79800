/*
 * Consumers: what follows from an event. app/consumers.c lists the groups, and has one row for each effect;
 * this is how one is written, and what runs them.
 *
 * An effect is steps of a script, committed together with a row that says that this group has had this event:
 * so it is done once, however often the event is delivered. Events of one subject come in order to one
 * consumer; where several share a group, an effect must not depend on the order of two events.
 *
 * A script has the effects of many events, tenant by tenant. Rows that two scripts may both change are to be
 * taken in an order that all agree on, or they wait for each other in a circle.
 */
#ifndef EVENTS_CONSUMER_H
#define EVENTS_CONSUMER_H

#include "events/bus.h"
#include "events/room.h"

struct shape;

/* Where an effect puts its steps. */
struct delivery {
	struct ctx *cx; /* with the event's trace */
	struct script *script;
	void *state; /* the group's own, for one script */
};

struct consumer {
	const char *group, *stream;
	const char *type; /* NULL: every type */
	/*
	 * Adds the effect's steps to the script; none where there is nothing to do. What is too large for one
	 * script is done before, by scripts of its own, each of which can be repeated. Not RC_OK: the event
	 * is tried again, as long as it takes when a store or the bus is down, and else so many times before
	 * it is buried.
	 */
	enum rc (*apply)(struct delivery *delivery, const struct event *event);
};

struct consumer_group {
	const char *name;
	struct effect_queries effects;
	size_t steps; /* that one event adds at most, by apply() or finish() */
	/* Before the first event of a script, of all: sets delivery->state. After the last one. Both may be
	 * NULL. Events lie tenant by tenant. */
	enum rc (*begin)(struct delivery *delivery, const struct event *const *events, size_t count);
	enum rc (*finish)(struct delivery *delivery);
};

struct consumers_options {
	struct bus *bus;
	struct tasks *tasks;
	const struct consumer_group *groups;
	size_t group_count;
	const struct consumer *rows;
	size_t row_count;
	int workers, tries, claim_ms;
};

struct consumers;

/* Adds a task for each worker of each group. */
enum rc consumers_create(const struct consumers_options *options, struct consumers **ret) MUST_USE;
void consumers_destroy(struct consumers *consumers);

/* Since the start, by group. */
struct consumer_stats {
	uint64_t handled, repeated, retried, buried;
};
void consumers_stats(const struct consumers *consumers, size_t group, struct consumer_stats *ret);

/* The payload as its shape's struct; NULL when it is none, for which an effect returns RC_INVALID. */
const void *event_payload(struct ctx *cx, const struct event *event, const struct shape *shape) MUST_USE;

#endif
