/* See follower.h. */
#include "events/follower.h"

#include "events/backoff.h"

#include <stdlib.h>

#define BATCH	256
#define TAKE_MS 5000

struct follower {
	struct follower_options options;
	struct bus_reader *reader; /* NULL: it does not hear */
	struct backoff backoff;
};

/* What comes after the end of now is heard; whatever came before is missed. */
static enum rc begin(struct follower *follower, struct ctx *cx)
{
	const struct follower_options *options = &follower->options;
	enum rc rc = bus_follow(options->bus, cx, options->streams, options->stream_count, NULL,
				&follower->reader);

	if (rc == RC_OK)
		options->missed(options->arg);
	return rc;
}

static enum rc hear(struct follower *follower, struct ctx *cx)
{
	struct events events;
	enum rc rc = follower->reader == NULL ? begin(follower, cx) : RC_OK;

	if (rc == RC_OK)
		rc = bus_take(follower->reader, cx, BATCH, TAKE_MS, &events);
	for (size_t i = 0; rc == RC_OK && i < events.count; i++)
		follower->options.heard(follower->options.arg, &events.items[i]);
	return rc;
}

static void stop_hearing(struct follower *follower)
{
	bus_leave(follower->reader);
	follower->reader = NULL;
}

static void run(struct task *task, void *arg)
{
	struct follower *follower = arg;
	struct arena arena;
	struct ctx cx;
	enum rc rc;

	while (!task_stopping(task)) {
		task_arena(task, &arena);
		task_begin(task, &arena, &cx);
		rc = hear(follower, &cx);
		arena_finish(&arena);
		if (rc == RC_OK) {
			backoff_reset(&follower->backoff);
			continue;
		}
		stop_hearing(follower);
		backoff_wait(&follower->backoff, task, rc);
	}
	stop_hearing(follower);
}

enum rc follower_create(const struct follower_options *options, struct follower **ret)
{
	struct follower *follower = calloc(1, sizeof(*follower));

	if (follower == NULL)
		return RC_NO_MEMORY;
	follower->options = *options;
	follower->backoff.who = "cache-follower";
	if (tasks_add(options->tasks, run, follower) == NULL) {
		free(follower);
		return RC_NO_MEMORY;
	}
	*ret = follower;
	return RC_OK;
}

void follower_destroy(struct follower *follower)
{
	free(follower);
}
