/*
 * Janitor: now and then lets go what is older than the retention (published outbox rows, acknowledged entries
 * of streams, the ids of events whose effects were had, dead letters), and what was erased at a person's
 * request before its time; and counts what each group has before it.
 */
#ifndef EVENTS_JANITOR_H
#define EVENTS_JANITOR_H

#include "events/relay.h"

struct janitor;

/* Takes struct purge, where `before` is so many days ago, and gives a row for each that it let go. */
struct purge_query {
	enum room room;
	const struct query *query;
	int days;
};

struct janitor_options {
	struct bus *bus;
	struct tasks *tasks;
	struct relay *const *relays;
	size_t relay_count;
	const struct effect_queries *effects; /* of each room that keeps them */
	size_t effect_count;
	int retention_hours;
	struct erased_queries erased; /* .next NULL: nothing is ever erased */
	/* Once a round, for what is no one query; may be NULL. */
	enum rc (*errand)(struct ctx *cx, void *arg);
	void *errand_arg;
	const struct purge_query *purges; /* of rows that have ended by themselves */
	size_t purge_count;
};

enum rc janitor_create(const struct janitor_options *options, struct janitor **ret) MUST_USE;
/* After the tasks have ended. NULL is fine. */
void janitor_destroy(struct janitor *janitor);

/* As some seconds ago. On any thread. Returns how many there are, at most JANITOR_GROUPS_MAX. */
#define JANITOR_GROUPS_MAX 32
struct janitor_group {
	char stream[64], name[64];
	int64_t pending, lag;
};
size_t janitor_groups(struct janitor *janitor, struct janitor_group ret[JANITOR_GROUPS_MAX]);

/* The bus told that when it was last asked, which is no longer ago than some seconds. On any thread. */
bool janitor_bus_works(const struct janitor *janitor);

#endif
