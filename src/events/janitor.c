/* See janitor.h. */
#include "events/janitor.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT_MS   2000
#define STALE_MS   15000 /* a bus that has not told for so long does not work */
#define CLEAN_MS   60000
#define FORGET_MAX 500	/* subjects in one search */
#define CLEAN_ROWS 2000 /* of one table in one script: others' commits wait for it */

struct janitor {
	struct janitor_options options;
	uint64_t cleaned_at;  /* ms */
	uint64_t forget_at;   /* ms: not before, since a search reads a whole stream */
	uint64_t forget_wait; /* ms: longer each time that some group has still to read what shall go */
	_Atomic uint64_t counted_at; /* ms: when the bus last told; 0: it did not, when it was last asked */
	pthread_mutex_t lock;	     /* of what follows */
	struct janitor_group groups[JANITOR_GROUPS_MAX];
	size_t count;
};

/* --- Counting ------------------------------------------------------------------- */

/* Groups from outside bear any name, and these go into labels of metrics. */
static void keep_name(char ret[64], const char *name)
{
	snprintf(ret, 64, "%s", name);
	for (; *ret != '\0'; ret++) {
		if (strchr("\"\\", *ret) != NULL || (unsigned char)*ret < 0x20)
			*ret = '_';
	}
}

static void count_groups(struct janitor *janitor, struct ctx *cx)
{
	struct bus_group *groups;
	size_t count;

	if (bus_groups(janitor->options.bus, cx, &groups, &count) != RC_OK) {
		atomic_store(&janitor->counted_at, 0);
		return; /* whoever needs the bus tells that it is down */
	}
	atomic_store(&janitor->counted_at, tasks_clock(janitor->options.tasks));
	if (count > JANITOR_GROUPS_MAX)
		count = JANITOR_GROUPS_MAX;
	pthread_mutex_lock(&janitor->lock);
	for (size_t i = 0; i < count; i++) {
		struct janitor_group *kept = &janitor->groups[i];

		keep_name(kept->stream, groups[i].stream);
		keep_name(kept->name, groups[i].name);
		kept->pending = groups[i].pending;
		kept->lag = groups[i].lag;
	}
	janitor->count = count;
	pthread_mutex_unlock(&janitor->lock);
}

size_t janitor_groups(struct janitor *janitor, struct janitor_group ret[JANITOR_GROUPS_MAX])
{
	size_t count;

	pthread_mutex_lock(&janitor->lock);
	count = janitor->count;
	memcpy(ret, janitor->groups, count * sizeof(ret[0]));
	pthread_mutex_unlock(&janitor->lock);
	return count;
}

bool janitor_bus_works(const struct janitor *janitor)
{
	uint64_t at = atomic_load(&janitor->counted_at);

	return at > 0 && tasks_clock(janitor->options.tasks) - at < STALE_MS;
}

/* --- Cleaning --------------------------------------------------------------------- */

/* Ids of version 7 begin with the milliseconds of their time. */
static struct uuid first_id_of(utime at)
{
	uint64_t ms = at > 0 ? (uint64_t)(at / 1000) : 0;
	struct uuid id = UUID_NONE;

	for (int i = 0; i < 6; i++)
		id.b[i] = (uint8_t)(ms >> (40 - 8 * i));
	return id;
}

static enum rc purge_effects(struct ctx *cx, const struct effect_queries *effects, utime before,
			     bool *ret_more)
{
	const struct effects_purge in = {.before = first_id_of(before), .limit = CLEAN_ROWS};
	struct script script;
	struct step *step;
	enum rc rc;

	script_init(&script, cx, effects->room, &UUID_NONE, &UUID_NONE);
	step = script_add(&script, effects->purge, &in);
	rc = db_write(&script);
	*ret_more = rc == RC_OK && step->rows.count == CLEAN_ROWS;
	return rc;
}

static enum rc purge_ended(struct ctx *cx, const struct purge_query *purge, bool *ret_more)
{
	const struct purge in = {.before = cx->now - purge->days * UTIME_DAY, .limit = CLEAN_ROWS};
	struct script script;
	struct step *step;
	enum rc rc;

	script_init(&script, cx, purge->room, &UUID_NONE, &UUID_NONE);
	step = script_add(&script, purge->query, &in);
	rc = db_write(&script);
	*ret_more = rc == RC_OK && step->rows.count == CLEAN_ROWS;
	return rc;
}

/*
 * What happened before that instant can be delivered no more. A group that lags keeps its stream, whatever
 * the retention; and an outbox that could not be relayed is as old as it is.
 */
static enum rc find_oldest(const struct janitor_options *options, struct ctx *cx, utime *ret)
{
	struct events first;
	utime oldest = *ret, one;
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < options->relay_count; i++) {
		rc = relay_oldest(options->relays[i], cx, &one);
		if (rc == RC_OK && one < oldest)
			oldest = one;
	}
	for (size_t i = 0; rc == RC_OK && i < STREAM_COUNT; i++) {
		rc = bus_range(options->bus, cx, stream_names[i], 0, 1, &first);
		if (rc == RC_OK && first.count > 0 && first.items[0].occurred_at < oldest)
			oldest = first.items[0].occurred_at;
	}
	*ret = oldest;
	return rc;
}

/* One round over all there is. *ret_more: some of it has more to let go. */
static enum rc clean(const struct janitor *janitor, struct ctx *cx, bool *ret_more)
{
	const struct janitor_options *options = &janitor->options;
	const utime retention = options->retention_hours * UTIME_HOUR, before = cx->now - retention;
	utime oldest = before;
	enum rc rc = RC_OK;
	bool more;

	*ret_more = false;
	for (size_t i = 0; rc == RC_OK && i < options->relay_count; i++) {
		rc = relay_purge(options->relays[i], cx, before, &more);
		*ret_more |= more;
	}
	for (size_t i = 0; rc == RC_OK && i < STREAM_COUNT; i++) {
		int64_t dropped = 0;

		rc = bus_trim(options->bus, cx, stream_names[i], before, &dropped);
		*ret_more |= dropped > 0;
	}
	/* Longer than an event can be delivered again: streams are not quite in the order of time. */
	if (rc == RC_OK)
		rc = find_oldest(options, cx, &oldest);
	for (size_t i = 0; rc == RC_OK && i < options->effect_count; i++) {
		rc = purge_effects(cx, &options->effects[i], oldest - retention, &more);
		*ret_more |= more;
	}
	for (size_t i = 0; rc == RC_OK && i < options->purge_count; i++) {
		rc = purge_ended(cx, &options->purges[i], &more);
		*ret_more |= more;
	}
	if (rc == RC_OK && options->errand != NULL)
		rc = options->errand(cx, options->errand_arg);
	return rc;
}

/* What the streams still have of subjects that were erased. */
static enum rc forget(struct janitor *janitor, struct ctx *cx, uint64_t now)
{
	const struct erased_queries *erased = &janitor->options.erased;
	const struct erased_after in = {.limit = FORGET_MAX};
	struct script script;
	struct rows rows;
	bool left;
	enum rc rc;

	if (erased->next == NULL || now < janitor->forget_at)
		return RC_OK;
	rc = db_read(cx, erased->next, &in, &rows);
	if (rc != RC_OK || rows.count == 0)
		return rc;
	rc = bus_forget(janitor->options.bus, cx, erased->stream, rows.items, rows.count, &left);
	janitor->forget_wait = rc != RC_OK || left ? 2 * janitor->forget_wait + COUNT_MS : 0;
	if (janitor->forget_wait > CLEAN_MS)
		janitor->forget_wait = CLEAN_MS;
	janitor->forget_at = now + janitor->forget_wait;
	if (rc != RC_OK || left)
		return rc;
	script_init(&script, cx, erased->room, &UUID_NONE, &UUID_NONE);
	script_reserve(&script, rows.count);
	for (size_t i = 0; i < rows.count; i++)
		script_add(&script, erased->done, (const struct bus_subject *)rows.items + i);
	return db_write(&script);
}

static void run(struct task *task, void *arg)
{
	struct janitor *janitor = arg;
	struct arena arena;
	struct ctx cx;
	bool more;

	for (bool first = true; !task_stopping(task); task_sleep(task, COUNT_MS), first = false) {
		uint64_t now = tasks_clock(task_tasks(task));

		task_arena(task, &arena);
		task_begin(task, &arena, &cx);
		count_groups(janitor, &cx);
		if (first) { /* nothing is let go before the relays know where they stand */
			arena_finish(&arena);
			continue;
		}
		(void)forget(janitor, &cx, now); /* a later round tries again */
		if (janitor->cleaned_at == 0 || now - janitor->cleaned_at >= CLEAN_MS) {
			if (clean(janitor, &cx, &more) != RC_OK || !more)
				janitor->cleaned_at = now;
		}
		arena_finish(&arena);
	}
}

enum rc janitor_create(const struct janitor_options *options, struct janitor **ret)
{
	struct janitor *janitor = calloc(1, sizeof(*janitor));

	if (janitor == NULL)
		return RC_NO_MEMORY;
	janitor->options = *options;
	pthread_mutex_init(&janitor->lock, NULL);
	if (tasks_add(options->tasks, run, janitor) == NULL) {
		janitor_destroy(janitor);
		return RC_NO_MEMORY;
	}
	*ret = janitor;
	return RC_OK;
}

void janitor_destroy(struct janitor *janitor)
{
	if (janitor == NULL)
		return;
	pthread_mutex_destroy(&janitor->lock);
	free(janitor);
}
