/*
 * The bus without anything to install: streams in a SQLite store of marca's own, cx->ports[ROOM_events].
 *
 * An operator's command may write the same store from another process. So groups have no position in memory:
 * each call asks the store, and whoever waits looks again now and then, although a publisher of this process
 * rings him.
 *
 * The scripts are put together here; what holds them together is told in queries.sql.
 */
#include "events/bus_embedded.h"

#include "events/queries.h"

#include <stdlib.h>

#define LOOK_MS 1000 /* between two looks at a store that others may write */

/* A delivery dated beyond this is of a clock that was set back: a restart without MARCA_CLOCK, say. */
#define AHEAD_MAX UTIME_MINUTE

struct reader {
	struct bus_reader base;
	size_t turn;			   /* the stream that comes first next time */
	int64_t after[READER_STREAMS_MAX]; /* of one that follows */
};

static enum rc embedded_open(const struct bus_options *options, void **ret)
{
	(void)options;
	*ret = calloc(1, sizeof(struct embedded));
	return *ret != NULL ? RC_OK : RC_NO_MEMORY;
}

static void embedded_close(void *self)
{
	free(self);
}

enum rc embedded_rc(enum rc rc)
{
	return rc == RC_STORE_DOWN || rc == RC_OVERLOADED ? RC_BUS_DOWN : rc;
}

void embedded_script(struct script *script, struct ctx *cx)
{
	script_init(script, cx, ROOM_events, &UUID_NONE, &UUID_NONE);
}

void embedded_ring(const struct embedded *bus)
{
	for (const struct waiter *waiter = bus->waiters; waiter != NULL; waiter = waiter->next)
		task_ring(waiter->task);
}

enum rc embedded_gather(struct arena *arena, const struct rows *rows, size_t count, size_t size,
			struct rows *ret)
{
	struct rows all = {NULL, 0};
	size_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += rows[i].count;
	all.items = arena_array(arena, total + 1, size);
	if (all.items == NULL)
		return RC_NO_MEMORY;
	for (size_t i = 0; i < count; i++) {
		if (rows[i].count > 0)
			memcpy((char *)all.items + all.count * size, rows[i].items, rows[i].count * size);
		all.count += rows[i].count;
	}
	*ret = all;
	return RC_OK;
}

/* --- Writing ----------------------------------------------------------------- */

static enum rc embedded_last(void *self, struct ctx *cx, const char *stream, const struct uuid *source,
			     int64_t *ret)
{
	struct q_source_read_out *row = NULL;
	enum rc rc = q_source_read(cx, &(struct q_source_read_in){stream, *source}, &row);

	(void)self;
	if (rc == RC_OK)
		*ret = row != NULL ? row->sequence : 0;
	return embedded_rc(rc);
}

static void add_entry(struct script *script, const struct q_head_move_in *batch, const struct event *event,
		      int64_t place)
{
	SCRIPT_ADD(script, entry_add, .stream = batch->stream, .source = batch->source, .batch = batch->batch,
		   .place = place, .id = event->id, .tenant_id = event->tenant_id,
		   .subject_id = event->subject_id, .type = event->type, .payload = event->payload,
		   .trace_id = event->trace_id, .occurred_at = event->occurred_at, .version = event->version,
		   .ordinal = event->ordinal);
}

static enum rc embedded_publish(void *self, struct ctx *cx, const char *stream, const struct uuid *source,
				int64_t after, const struct event *events, size_t count)
{
	const struct q_head_move_in batch = {stream, *source, uuid_v7(cx->world, cx->now), (int64_t)count};
	const struct step *moved;
	struct script script;
	enum rc rc;

	if (count == 0)
		return RC_OK;
	embedded_script(&script, cx);
	script_reserve(&script, count + 4);
	if (after == 0) {
		SCRIPT_ADD(&script, source_add, stream, *source);
		SCRIPT_ADD(&script, head_add, stream);
	}
	moved = SCRIPT_ADD(&script, source_move, stream, *source, after, events[count - 1].sequence,
			   batch.batch);
	for (size_t i = 0; i < count; i++)
		add_entry(&script, &batch, &events[i], (int64_t)i + 1);
	script_add(&script, &q_head_move_query, &batch);
	rc = db_write(&script);
	if (rc != RC_OK)
		return embedded_rc(rc);
	if (moved->rows.count == 0)
		return RC_STALE;
	embedded_ring(self);
	return RC_OK;
}

/* --- Taking ------------------------------------------------------------------ */

static enum rc embedded_reader_open(void *self, struct ctx *cx, struct bus_reader *reader,
				    const int64_t *after)
{
	struct script script;

	(void)self;
	if (reader->group == NULL) {
		memcpy(((struct reader *)reader)->after, after, reader->count * sizeof(after[0]));
		return RC_OK;
	}
	embedded_script(&script, cx);
	for (size_t i = 0; i < reader->count; i++)
		SCRIPT_ADD(&script, group_add, reader->streams[i], reader->group);
	return embedded_rc(db_write(&script));
}

static void embedded_reader_close(void *self, struct bus_reader *reader)
{
	(void)self;
	(void)reader;
}

static enum rc gather_events(struct arena *arena, const struct rows *rows, size_t count, struct events *ret)
{
	struct rows all;
	enum rc rc = embedded_gather(arena, rows, count, sizeof(struct event), &all);

	if (rc == RC_OK)
		*ret = (struct events){all.items, all.count};
	return rc;
}

/* How many of a stream its group was not given yet; places have no gaps. */
static enum rc count_waiting(struct ctx *cx, const char *stream, const char *group, size_t *ret)
{
	struct q_group_waiting_out *row = NULL;
	enum rc rc = q_group_waiting(cx, &(struct q_group_waiting_in){stream, group}, &row);

	if (rc == RC_OK)
		*ret = row != NULL ? (size_t)(row->last - row->first + 1) : 0;
	return rc;
}

static const struct step *add_take(struct script *script, const struct bus_reader *reader, const char *stream,
				   int64_t limit)
{
	const struct step *next = SCRIPT_ADD(script, group_next, stream, reader->group, limit);

	SCRIPT_ADD(script, group_hold, stream, reader->group, limit, reader->consumer,
		   world_now(script->cx->world));
	SCRIPT_ADD(script, group_advance, stream, reader->group);
	return next;
}

/* Nothing is written when nothing waits. Streams take turns to be first, so that a full one starves none. */
static enum rc take_of_group(struct ctx *cx, struct reader *reader, size_t max, struct events *ret)
{
	const struct bus_reader *base = &reader->base;
	const struct step *steps[READER_STREAMS_MAX];
	struct rows rows[READER_STREAMS_MAX];
	struct script script;
	size_t count = 0;
	enum rc rc = RC_OK;

	embedded_script(&script, cx);
	script_reserve(&script, 3 * base->count);
	for (size_t i = 0; rc == RC_OK && max > 0 && i < base->count; i++) {
		const char *stream = base->streams[(reader->turn + i) % base->count];
		size_t waiting = 0;

		rc = count_waiting(cx, stream, base->group, &waiting);
		if (waiting > max)
			waiting = max;
		if (waiting > 0)
			steps[count++] = add_take(&script, base, stream, (int64_t)waiting);
		max -= waiting;
	}
	reader->turn++;
	if (rc == RC_OK && count > 0)
		rc = db_write(&script);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < count; i++)
		rows[i] = steps[i]->rows;
	return gather_events(cx->arena, rows, count, ret);
}

static enum rc take_following(struct ctx *cx, struct reader *reader, size_t max, struct events *ret)
{
	const struct bus_reader *base = &reader->base;
	struct rows rows[READER_STREAMS_MAX] = {{NULL, 0}};
	struct events all;
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && max > 0 && i < base->count; i++) {
		size_t at = (reader->turn + i) % base->count;
		const struct q_entries_after_in in = {base->streams[at], reader->after[at], (int64_t)max};

		rc = db_read(cx, &q_entries_after_query, &in, &rows[at]);
		max -= rows[at].count;
	}
	reader->turn++;
	if (rc == RC_OK)
		rc = gather_events(cx->arena, rows, base->count, &all);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < base->count; i++) {
		const struct event *items = rows[i].items;

		if (rows[i].count > 0)
			reader->after[i] = items[rows[i].count - 1].sequence;
	}
	*ret = all;
	return RC_OK;
}

static enum rc take_now(struct ctx *cx, struct reader *reader, size_t max, struct events *ret)
{
	return reader->base.group != NULL ? take_of_group(cx, reader, max, ret)
					  : take_following(cx, reader, max, ret);
}

static void forget_waiter(struct embedded *bus, const struct waiter *waiter)
{
	struct waiter **at = &bus->waiters;

	while (*at != waiter)
		at = &(*at)->next;
	*at = waiter->next;
}

/* Rung from before the first look on: what is published while a look waits for the store is not missed. */
static enum rc embedded_take(void *self, struct ctx *cx, struct bus_reader *reader, size_t max, int wait_ms,
			     struct events *ret)
{
	struct embedded *bus = self;
	struct waiter waiter = {bus->waiters, task_self()};
	const struct tasks *tasks = task_tasks(waiter.task);
	uint64_t end = tasks_clock(tasks) + (uint64_t)wait_ms, now;
	struct events taken = {NULL, 0};
	enum rc rc;

	bus->waiters = &waiter;
	while ((rc = take_now(cx, (struct reader *)reader, max, &taken)) == RC_OK && taken.count == 0 &&
	       !task_stopping(waiter.task) && (now = tasks_clock(tasks)) < end)
		(void)task_wait(waiter.task, end - now < LOOK_MS ? (int)(end - now) : LOOK_MS);
	forget_waiter(bus, &waiter);
	if (rc == RC_OK)
		*ret = taken;
	return embedded_rc(rc);
}

/* --- What is pending --------------------------------------------------------- */

static enum rc age_what_is_ahead(struct ctx *cx, const char *group, utime now)
{
	const struct q_pending_age_in in = {group, now + AHEAD_MAX};
	struct q_pending_ahead_out *ahead = NULL;
	struct script script;
	enum rc rc = q_pending_ahead(cx, &(struct q_pending_ahead_in){in.name, in.beyond}, &ahead);

	if (rc != RC_OK || ahead == NULL)
		return rc;
	embedded_script(&script, cx);
	script_add(&script, &q_pending_age_query, &in);
	return db_write(&script);
}

static enum rc claim_due(struct ctx *cx, const struct bus_reader *reader, size_t max, utime now, utime until,
			 struct rows *ret)
{
	const char *streams[READER_STREAMS_MAX];
	const struct step *next;
	struct script script;
	enum rc rc;

	_Static_assert(READER_STREAMS_MAX == 3, "as many as the queries have room for");
	for (size_t i = 0; i < READER_STREAMS_MAX; i++)
		streams[i] = reader->streams[i < reader->count ? i : 0];
	embedded_script(&script, cx);
	next = SCRIPT_ADD(&script, claim_next, reader->group, until, (int64_t)max, streams[0], streams[1],
			  streams[2]);
	SCRIPT_ADD(&script, claim_hold, reader->group, until, (int64_t)max, streams[0], streams[1],
		   streams[2], reader->consumer, now);
	rc = db_write(&script);
	if (rc == RC_OK)
		*ret = next->rows;
	return rc;
}

/* Nothing is written when nothing is due. */
static enum rc embedded_claim(void *self, struct ctx *cx, struct bus_reader *reader, size_t max, int idle_ms,
			      struct events *ret)
{
	utime now = world_now(cx->world), until = now - (utime)idle_ms * 1000;
	struct q_pending_due_out *due = NULL;
	struct rows claimed = {NULL, 0};
	enum rc rc = age_what_is_ahead(cx, reader->group, now);

	(void)self;
	if (rc == RC_OK)
		rc = q_pending_due(cx, &(struct q_pending_due_in){reader->group, until}, &due);
	if (rc == RC_OK && due != NULL)
		rc = claim_due(cx, reader, max, now, until, &claimed);
	if (rc != RC_OK)
		return embedded_rc(rc);
	*ret = (struct events){claimed.items, claimed.count};
	return RC_OK;
}

/* How many at the head of the list lie side by side in a stream. */
static size_t run_length(const struct event *events, size_t count)
{
	size_t len = 1;

	while (len < count && events[len].sequence == events[len - 1].sequence + 1 &&
	       strcmp(events[len].stream, events[0].stream) == 0)
		len++;
	return len;
}

static enum rc ack_batch(struct ctx *cx, const char *group, const struct event *events, size_t count)
{
	struct script script;

	embedded_script(&script, cx);
	script_reserve(&script, count);
	for (size_t i = 0, len; i < count; i += len) {
		len = run_length(events + i, count - i);
		SCRIPT_ADD(&script, pending_ack, events[i].stream, group, events[i].sequence,
			   events[i + len - 1].sequence);
	}
	return db_write(&script);
}

static enum rc embedded_ack(void *self, struct ctx *cx, struct bus_reader *reader, const struct event *events,
			    size_t count)
{
	enum rc rc = RC_OK;

	(void)self;
	for (size_t i = 0; rc == RC_OK && i < count; i += BUS_BATCH)
		rc = ack_batch(cx, reader->group, events + i, count - i < BUS_BATCH ? count - i : BUS_BATCH);
	return embedded_rc(rc);
}

static enum rc embedded_bury(void *self, struct ctx *cx, struct bus_reader *reader, const struct event *event,
			     const char *why, int64_t tries)
{
	const struct bus_dead letter = {.group = reader->group,
					.why = why,
					.tries = tries,
					.buried_at = world_now(cx->world),
					.event = *event};
	struct script script;

	(void)self;
	embedded_script(&script, cx);
	SCRIPT_ADD(&script, letter_number, event->stream, reader->group, event->sequence);
	script_add(&script, &q_letter_add_query, &letter);
	SCRIPT_ADD(&script, pending_ack, event->stream, reader->group, event->sequence, event->sequence);
	return embedded_rc(db_write(&script));
}

const struct bus_driver bus_embedded = {
	.open = embedded_open,
	.close = embedded_close,
	.last = embedded_last,
	.publish = embedded_publish,
	.reader_size = sizeof(struct reader),
	.reader_open = embedded_reader_open,
	.reader_close = embedded_reader_close,
	.take = embedded_take,
	.claim = embedded_claim,
	.ack = embedded_ack,
	.bury = embedded_bury,
	.range = embedded_range,
	.end = embedded_end,
	.groups = embedded_groups,
	.pending = embedded_pending,
	.dead = embedded_dead,
	.revive = embedded_revive,
	.drop = embedded_drop,
	.seek = embedded_seek,
	.trim = embedded_trim,
	.floor = embedded_floor,
	.remove = embedded_remove,
};
