/* See bus_redis_fixture.h. */
#include "events/bus_redis_fixture.h"

#include "json/arena_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define WAIT_MS 5000

struct redis_fixture redis;

int redis_empty(void **state)
{
	(void)state;
	redis_fixture_stop(&redis, false);
	redis_fixture_start(&redis);
	return 0;
}

int redis_group_begin(void **state)
{
	(void)state;
	arena_json_init();
	return redis_fixture_init(&redis) ? 0 : -1;
}

int redis_group_end(void **state)
{
	(void)state;
	redis_fixture_finish(&redis);
	return 0;
}

/* --- On a task -------------------------------------------------------------------- */

static void work(struct task *task, void *arg)
{
	struct job *job = arg;
	struct arena arena;

	task_arena(task, &arena);
	task_begin(task, &arena, &job->cx);
	job->source = uuid_v7(job->cx.world, job->cx.now);
	job->fn(job);
	arena_finish(&arena);
}

void job_add(struct tasks *tasks, struct job *job)
{
	assert_non_null(tasks_add(tasks, work, job));
}

struct tasks *job_begin(struct job *job, const struct world *world)
{
	struct tasks_options options = {.world = world};
	struct bus_options bus_options = {.redis_ca = job->ca, .booking_stream = job->booking_stream};
	struct tasks *tasks;
	char url[128];

	assert_int_equal(tasks_create(&options, &tasks), RC_OK);
	snprintf(url, sizeof(url), "redis://127.0.0.1:%d", redis.port);
	bus_options.redis_url = job->url != NULL ? job->url : url;
	bus_options.tasks = tasks;
	assert_int_equal(bus_redis.open(&bus_options, &job->bus), RC_OK);
	job_add(tasks, job);
	return tasks;
}

void job_end(struct job *job, struct tasks *tasks)
{
	bus_redis.close(job->bus);
	tasks_destroy(tasks);
}

void on_task(struct job *job)
{
	struct world world;
	struct tasks *tasks;

	world_init(&world, UTIME_NONE);
	tasks = job_begin(job, &world);
	assert_int_equal(tasks_run(tasks), RC_OK);
	job_end(job, tasks);
}

struct bus_reader *join(struct job *job, const char *group, const char *stream, const char *second)
{
	struct bus_reader *reader = calloc(1, bus_redis.reader_size);

	assert_non_null(reader);
	reader->group = group;
	reader->consumer = "one";
	reader->streams[reader->count++] = stream;
	if (second != NULL)
		reader->streams[reader->count++] = second;
	assert_int_equal(bus_redis.reader_open(job->bus, &job->cx, reader, (const int64_t[]){0, 0}), RC_OK);
	return reader;
}

void leave(struct job *job, struct bus_reader *reader)
{
	bus_redis.reader_close(job->bus, reader);
	free(reader);
}

struct event event_of(struct job *job, const char *stream, int64_t sequence)
{
	return (struct event){
		.id = uuid_v7(job->cx.world, job->cx.now),
		.tenant_id = uuid_v7(job->cx.world, job->cx.now),
		.subject_id = uuid_v7(job->cx.world, job->cx.now),
		.type = "booking.created",
		.payload = "{\"reason\":\"jo\xc3\xa3o \\\"x\\\"\"}",
		.trace_id = "0123456789abcdef0123456789abcdef",
		.occurred_at = job->cx.now,
		.version = 3,
		.ordinal = 1,
		.sequence = sequence,
		.stream = stream,
	};
}

enum rc publish(struct job *job, const char *stream, int64_t after, int64_t first, size_t count)
{
	struct event *events = arena_array(job->cx.arena, count, sizeof(*events));

	assert_non_null(events);
	for (size_t i = 0; i < count; i++)
		events[i] = event_of(job, stream, first + (int64_t)i);
	return bus_redis.publish(job->bus, &job->cx, stream, &job->source, after, events, count);
}

struct events take(struct job *job, struct bus_reader *reader, size_t count)
{
	struct events all = {.items = arena_array(job->cx.arena, count, sizeof(struct event))}, some;

	while (all.count < count) {
		assert_int_equal(bus_redis.take(job->bus, &job->cx, reader, count - all.count, WAIT_MS,
						&some),
				 RC_OK);
		assert_true(some.count > 0 && some.count <= count - all.count);
		memcpy(all.items + all.count, some.items, some.count * sizeof(struct event));
		all.count += some.count;
	}
	return all;
}

void nothing_to_take(struct job *job, struct bus_reader *reader)
{
	struct events some;

	assert_int_equal(bus_redis.take(job->bus, &job->cx, reader, 10, 0, &some), RC_OK);
	assert_int_equal(some.count, 0);
}

void says(const char *has, const char *const *words)
{
	char *text = redis_fixture_cli(&redis, words);

	if (strstr(text, has) == NULL)
		fail_msg("%s %s: no \"%s\" in: %s", words[0], words[1], has, text);
	free(text);
}
