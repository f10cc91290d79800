/*
 * Follower: hears every event of some streams from now on, in this process, without a group: what caches need
 * to let go of what another process has changed.
 */
#ifndef EVENTS_FOLLOWER_H
#define EVENTS_FOLLOWER_H

#include "events/bus.h"

struct follower;

struct follower_options {
	struct bus *bus;
	struct tasks *tasks;
	const char *const *streams;
	size_t stream_count;
	/* On the tasks' thread. */
	void (*heard)(void *arg, const struct event *event);
	/* Events may have gone by unheard: at the start, and after each outage, once it hears again. */
	void (*missed)(void *arg);
	void *arg;
};

enum rc follower_create(const struct follower_options *options, struct follower **ret) MUST_USE;
/* After the tasks have ended. NULL is fine. */
void follower_destroy(struct follower *follower);

#endif
