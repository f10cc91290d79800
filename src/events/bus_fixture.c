/* See bus_fixture.h. */
#include "events/bus_fixture.h"

#include "events/queries.h"
#include "events/redis_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- A server ----------------------------------------------------------------- */

static struct redis_fixture server;

bool redis_start(void)
{
	if (!redis_fixture_init(&server))
		return false;
	redis_fixture_start(&server);
	return true;
}

void redis_stop(void)
{
	redis_fixture_finish(&server);
}

static void redis_clear(void)
{
	char *said = REDIS_CLI(&server, "FLUSHALL");

	assert_string_equal(said, "OK\n");
	free(said);
}

/* --- A bus -------------------------------------------------------------------- */

struct bed *bed_create(bool redis)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	world_init(&bed->world, UTIME_NONE);
	bed->redis = redis;
	if (redis) {
		redis_clear();
		snprintf(bed->url, sizeof(bed->url), "redis://127.0.0.1:%d", server.port);
		return bed;
	}
	snprintf(bed->folder, sizeof(bed->folder), "/tmp/marca-bus-test-XXXXXX");
	assert_non_null(mkdtemp(bed->folder));
	snprintf(bed->url, sizeof(bed->url), "sqlite:%s/events.db", bed->folder);
	return bed;
}

void bed_destroy(struct bed *bed)
{
	static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
	char path[128];

	for (size_t i = 0; !bed->redis && i < ARRAY_LEN(ends); i++) {
		snprintf(path, sizeof(path), "%s/events.db%s", bed->folder, ends[i]);
		unlink(path);
	}
	if (!bed->redis)
		rmdir(bed->folder);
	free(bed);
}

static void open_store(struct bed *bed)
{
	const struct db_options options = {.url = bed->url,
					   .group_max = 64,
					   .relaxed = true,
					   .world = &bed->world};

	if (bed->redis)
		return;
	assert_int_equal(db_open(&events_queries, &options, &bed->db), RC_OK);
	assert_int_equal(db_migrate(bed->db, -1, NULL), RC_OK);
}

static bool open_port(void *app, struct room_locals *ret)
{
	struct bed *bed = app;

	if (bed->db != NULL)
		ret->ports[ROOM_events] = bed->port = db_port_open(bed->db);
	return bed->db == NULL || bed->port != NULL;
}

static void close_port(void *app, struct room_locals *locals)
{
	(void)app;
	db_port_close(locals->ports[ROOM_events]);
	locals->ports[ROOM_events] = NULL;
}

static void rest_port(const struct room_locals *locals)
{
	if (locals->ports[ROOM_events] != NULL)
		db_port_rest(locals->ports[ROOM_events]);
}

struct part {
	struct bed *bed;
	bed_body *body;
};

static void play_part(struct task *task, void *arg)
{
	struct part *part = arg;
	struct arena arena;
	struct ctx cx;

	task_arena(task, &arena);
	task_begin(task, &arena, &cx);
	part->body(part->bed, &cx);
	arena_finish(&arena);
}

void bed_play(struct bed *bed, bed_body *const *bodies, bool stop)
{
	const struct tasks_options options = {.world = &bed->world,
					      .open = open_port,
					      .close = close_port,
					      .rest = rest_port,
					      .app = bed};
	struct bus_options bus = {.redis_url = bed->redis ? bed->url : NULL, .booking_stream = "otherwise"};
	struct part parts[BODIES_MAX];

	open_store(bed);
	assert_int_equal(tasks_create(&options, &bed->tasks), RC_OK);
	bus.tasks = bed->tasks;
	assert_int_equal(bus_create(&bus, &bed->bus), RC_OK);
	for (size_t i = 0; i < BODIES_MAX && bodies[i] != NULL; i++) {
		parts[i] = (struct part){bed, bodies[i]};
		assert_non_null(tasks_add(bed->tasks, play_part, &parts[i]));
	}
	if (stop) {
		assert_int_equal(tasks_start(bed->tasks), RC_OK);
		tasks_stop(bed->tasks);
	} else {
		assert_int_equal(tasks_run(bed->tasks), RC_OK);
	}
	bus_destroy(bed->bus);
	tasks_destroy(bed->tasks);
	db_close(bed->db);
	bed->db = NULL;
}

/* --- Done again and again ----------------------------------------------------- */

const struct uuid source_a = {"source a ......"}, source_b = {"source b ......"};

struct event *make_events(struct ctx *cx, int64_t after, size_t count, utime at)
{
	struct event *events = arena_array(cx->arena, count + 1, sizeof(events[0]));

	assert_non_null(events);
	for (size_t i = 0; i < count; i++) {
		int64_t sequence = after + 1 + (int64_t)i;

		events[i] = (struct event){
			.id = uuid_v7(cx->world, cx->now),
			.tenant_id = source_b,
			.subject_id = source_a,
			.type = "booking.created",
			.payload = arena_printf(cx->arena, "{\"number\":%lld}", (long long)sequence),
			.trace_id = cx->trace_id,
			.occurred_at = at + (utime)i,
			.version = sequence,
			.sequence = sequence,
		};
		assert_non_null(events[i].payload);
	}
	return events;
}

void put_at(struct bed *bed, struct ctx *cx, const char *stream, size_t count, utime at)
{
	int64_t last = -1;
	struct event *events;

	assert_int_equal(bus_last(bed->bus, cx, stream, &source_a, &last), RC_OK);
	events = make_events(cx, last, count, at);
	assert_int_equal(bus_publish(bed->bus, cx, stream, &source_a, last, events, count), RC_OK);
}

void put(struct bed *bed, struct ctx *cx, const char *stream, size_t count)
{
	put_at(bed, cx, stream, count, cx->now);
}

struct bus_reader *join(struct bed *bed, struct ctx *cx, const char *group, const char *consumer)
{
	static const char *const streams[] = {STREAM_BOOKINGS};
	struct bus_reader *reader = NULL;

	assert_int_equal(bus_join(bed->bus, cx, group, consumer, streams, 1, &reader), RC_OK);
	return reader;
}

struct bus_reader *join_all(struct bed *bed, struct ctx *cx, const char *group, const char *consumer)
{
	struct bus_reader *reader = NULL;

	assert_int_equal(bus_join(bed->bus, cx, group, consumer, stream_names, STREAM_COUNT, &reader), RC_OK);
	return reader;
}

struct events take(struct ctx *cx, struct bus_reader *reader, size_t max)
{
	struct events events = {NULL, 0};

	assert_int_equal(bus_take(reader, cx, max, 0, &events), RC_OK);
	assert_true(events.count <= max);
	return events;
}

static void check_places(struct events events, int64_t first, size_t count)
{
	assert_int_equal(events.count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(events.items[i].sequence, first + (int64_t)i);
}

struct events take_these(struct ctx *cx, struct bus_reader *reader, int64_t first, size_t count)
{
	struct events events = take(cx, reader, count > 0 ? count : BUS_BATCH);

	check_places(events, first, count);
	return events;
}

void ack(struct ctx *cx, struct bus_reader *reader, struct events events)
{
	assert_int_equal(bus_ack(reader, cx, events.items, events.count), RC_OK);
}

struct events claim_these(struct ctx *cx, struct bus_reader *reader, int idle_ms, int64_t first, size_t count)
{
	struct events events = {NULL, 0};

	assert_int_equal(bus_claim(reader, cx, BUS_BATCH, idle_ms, &events), RC_OK);
	check_places(events, first, count);
	return events;
}

void check_range(struct bed *bed, struct ctx *cx, const char *stream, int64_t first, size_t count)
{
	struct events events = {NULL, 0};

	assert_int_equal(bus_range(bed->bus, cx, stream, 0, count + 1, &events), RC_OK);
	check_places(events, first, count);
}

int64_t end_of(struct bed *bed, struct ctx *cx, const char *stream)
{
	int64_t end = -1;

	assert_int_equal(bus_end(bed->bus, cx, stream, &end), RC_OK);
	return end;
}

struct bus_group group_of(struct bed *bed, struct ctx *cx, const char *stream, const char *name)
{
	struct bus_group *groups = NULL;
	size_t count = 0;

	assert_int_equal(bus_groups(bed->bus, cx, &groups, &count), RC_OK);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(groups[i].stream, stream) == 0 && strcmp(groups[i].name, name) == 0)
			return groups[i];
	}
	fail_msg("no group %s on %s", name, stream);
	return (struct bus_group){NULL};
}

/* But for their places. */
void check_same(const struct event *a, const struct event *b)
{
	assert_true(uuid_equal(&a->id, &b->id));
	assert_true(uuid_equal(&a->tenant_id, &b->tenant_id));
	assert_true(uuid_equal(&a->subject_id, &b->subject_id));
	assert_string_equal(a->type, b->type);
	assert_string_equal(a->payload, b->payload);
	assert_string_equal(a->trace_id, b->trace_id);
	assert_true(a->occurred_at == b->occurred_at);
	assert_true(a->version == b->version);
	assert_true(a->ordinal == b->ordinal);
}
