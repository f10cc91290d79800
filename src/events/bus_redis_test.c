/*
 * What is Redis's own in the bus, with a real redis-server: how entries look from outside, a Redis that goes
 * and comes back with its data or without, users and passwords, TLS, and entries that are no events. What
 * every driver must do is bus_test.c's.
 */
#include "events/bus_driver.h"
#include "events/redis_fixture.h"
#include "json/arena_json.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT_MS 5000

/* A test's work on a task, with a bus. */
struct job {
	struct redis_fixture *redis;
	const char *url; /* NULL: the fixture's */
	const char *ca, *booking_stream;
	void (*fn)(struct job *job);
	struct ctx cx;
	void *bus;
	struct uuid source;
};

static struct redis_fixture fixture; /* runs, without TLS or password, unless a test says otherwise */

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

static struct tasks *prepare(struct job *job, const struct world *world)
{
	struct tasks_options options = {.world = world};
	struct bus_options bus_options = {.redis_ca = job->ca, .booking_stream = job->booking_stream};
	struct tasks *tasks;
	char url[128];

	assert_int_equal(tasks_create(&options, &tasks), RC_OK);
	snprintf(url, sizeof(url), "redis://127.0.0.1:%d", fixture.port);
	bus_options.redis_url = job->url != NULL ? job->url : url;
	bus_options.tasks = tasks;
	assert_int_equal(bus_redis.open(&bus_options, &job->bus), RC_OK);
	assert_non_null(tasks_add(tasks, work, job));
	return tasks;
}

static void on_task(struct job *job)
{
	struct world world;
	struct tasks *tasks;

	world_init(&world, UTIME_NONE);
	tasks = prepare(job, &world);
	assert_int_equal(tasks_run(tasks), RC_OK);
	bus_redis.close(job->bus);
	tasks_destroy(tasks);
}

static struct bus_reader *join(struct job *job, const char *group, const char *stream, const char *second)
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

static void leave(struct job *job, struct bus_reader *reader)
{
	bus_redis.reader_close(job->bus, reader);
	free(reader);
}

static struct event event_of(struct job *job, const char *stream, int64_t sequence)
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

static enum rc publish(struct job *job, const char *stream, int64_t after, int64_t first, size_t count)
{
	struct event *events = arena_array(job->cx.arena, count, sizeof(*events));

	assert_non_null(events);
	for (size_t i = 0; i < count; i++)
		events[i] = event_of(job, stream, first + (int64_t)i);
	return bus_redis.publish(job->bus, &job->cx, stream, &job->source, after, events, count);
}

/* Takes until there are so many. */
static struct events take(struct job *job, struct bus_reader *reader, size_t count)
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

static void nothing_to_take(struct job *job, struct bus_reader *reader)
{
	struct events some;

	assert_int_equal(bus_redis.take(job->bus, &job->cx, reader, 10, 0, &some), RC_OK);
	assert_int_equal(some.count, 0);
}

static void says(const char *has, ...)
{
	char *text;
	va_list words;
	const char *all[32];
	size_t count = 0;

	va_start(words, has);
	while (count < 31 && (all[count] = va_arg(words, const char *)) != NULL)
		count++;
	va_end(words);
	all[count] = NULL;
	text = redis_fixture_cli(&fixture, all);
	if (strstr(text, has) == NULL)
		fail_msg("%s %s: no \"%s\" in: %s", all[0], all[1], has, text);
	free(text);
}

/* --- Entries ---------------------------------------------------------------------- */

static void looks(struct job *job)
{
	char id[UUID_TEXT_LEN + 1], expected[128];
	struct event event = event_of(job, STREAM_BOOKINGS, 7);

	assert_int_equal(bus_redis.publish(job->bus, &job->cx, STREAM_BOOKINGS, &job->source, 0, &event, 1),
			 RC_OK);
	says("\n7-0\n", "--raw", "XINFO", "STREAM", "other", NULL);
	says("7-0\nevent_type\nbooking.created\npayload\n{\"reason\":\"jo\xc3\xa3o "
	     "\\\"x\\\"\"}\nmetadata\n{\"event_id\":\"",
	     "--raw", "XRANGE", "other", "-", "+", NULL);
	snprintf(expected, sizeof(expected), "\"event_id\":\"%s\"", uuid_text(id, &event.id));
	says(expected, "--raw", "XRANGE", "other", "-", "+", NULL);
	says("\"sequence\":7}", "--raw", "XRANGE", "other", "-", "+", NULL);
	says("Z\",\"trace_id\":\"0123456789abcdef0123456789abcdef\"", "--raw", "XRANGE", "other", "-", "+",
	     NULL);
	says("7\n", "--raw", "HVALS", "{other}:sources", NULL);
}

static void entries_look_as_promised(void **state)
{
	(void)state;
	struct job job = {.fn = looks, .booking_stream = "other"};

	on_task(&job);
}

static void round_trip(struct job *job)
{
	struct bus_reader *reader = join(job, "g", STREAM_BOOKINGS, STREAM_TENANTS);
	struct event event = event_of(job, STREAM_BOOKINGS, 1);
	struct events got;

	assert_int_equal(bus_redis.publish(job->bus, &job->cx, STREAM_BOOKINGS, &job->source, 0, &event, 1),
			 RC_OK);
	got = take(job, reader, 1);
	assert_true(uuid_equal(&got.items[0].id, &event.id));
	assert_true(uuid_equal(&got.items[0].tenant_id, &event.tenant_id));
	assert_true(uuid_equal(&got.items[0].subject_id, &event.subject_id));
	assert_string_equal(got.items[0].type, event.type);
	assert_string_equal(got.items[0].payload, event.payload);
	assert_string_equal(got.items[0].trace_id, event.trace_id);
	assert_string_equal(got.items[0].stream, STREAM_BOOKINGS);
	assert_int_equal(got.items[0].occurred_at, event.occurred_at);
	assert_int_equal(got.items[0].version, 3);
	assert_int_equal(got.items[0].ordinal, 1);
	assert_int_equal(got.items[0].sequence, 1);
	assert_int_equal(bus_redis.ack(job->bus, &job->cx, reader, got.items, 1), RC_OK);

	/* A repeat, and one that left a gap. */
	assert_int_equal(publish(job, STREAM_BOOKINGS, 0, 1, 1), RC_STALE);
	assert_int_equal(publish(job, STREAM_BOOKINGS, 5, 6, 1), RC_STALE);
	/* 256 at once, and one of each stream by turns. */
	assert_int_equal(publish(job, STREAM_BOOKINGS, 1, 2, BUS_BATCH), RC_OK);
	assert_int_equal(publish(job, STREAM_TENANTS, 0, 1, 2), RC_OK);
	for (int i = 0; i < 4; i++) {
		got = take(job, reader, 1);
		assert_int_equal(bus_redis.ack(job->bus, &job->cx, reader, got.items, 1), RC_OK);
	}
	got = take(job, reader, BUS_BATCH + 2 - 4);
	assert_int_equal(bus_redis.ack(job->bus, &job->cx, reader, got.items, got.count), RC_OK);
	nothing_to_take(job, reader);
	says("0\n", "--raw", "XPENDING", STREAM_BOOKINGS, "g", NULL);
	leave(job, reader);
}

static void events_come_back_as_they_went(void **state)
{
	(void)state;
	struct job job = {.fn = round_trip};

	on_task(&job);
}

/* --- What is no event ------------------------------------------------------------- */

#define GOOD_METADATA                                             \
	"{\"event_id\":\"0193a3f2-7c00-7abc-8def-0123456789ab\"," \
	"\"tenant_id\":\"0193a3f2-7c00-7abc-8def-0123456789ab\"," \
	"\"occurred_at\":\"2025-12-05T14:00:00Z\"}"

static void meets_strangers(struct job *job)
{
	struct bus_reader *reader = join(job, "g", STREAM_BOOKINGS, NULL);
	struct bus_claimed *claimed;
	struct bus_dead *dead;
	struct events got;
	size_t count;
	bool found;

	free(REDIS_CLI(&fixture, "XADD", STREAM_BOOKINGS, "1-0", "a", "b"));
	free(REDIS_CLI(&fixture, "XADD", STREAM_BOOKINGS, "2-0", "event_type", "x", "payload", "{}",
		       "metadata", "{\"event_id\":7}"));
	free(REDIS_CLI(&fixture, "XADD", STREAM_BOOKINGS, "3-0", "event_type", "x", "payload", "{}",
		       "metadata", GOOD_METADATA));
	free(REDIS_CLI(&fixture, "XADD", STREAM_BOOKINGS, "3-1", "event_type", "x", "payload", "{}",
		       "metadata", GOOD_METADATA));
	free(REDIS_CLI(&fixture, "XADD", STREAM_BOOKINGS, "4-0", "event_type", "x", "payload",
		       "not \"json\xff", "metadata", GOOD_METADATA));
	free(REDIS_CLI(&fixture, "XADD", STREAM_BOOKINGS, "18446744073709551614-0", "event_type", "x"));

	got = take(job, reader, 1);
	assert_int_equal(got.items[0].sequence, 3);
	assert_int_equal(bus_redis.ack(job->bus, &job->cx, reader, got.items, 1), RC_OK);
	nothing_to_take(job, reader);
	says("0\n", "--raw", "XPENDING", STREAM_BOOKINGS, "g", NULL);
	assert_int_equal(bus_redis.dead(job->bus, &job->cx, 0, 10, &dead, &count), RC_OK);
	assert_int_equal(count, 5);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(dead[i].number, i + 1);
		assert_string_equal(dead[i].group, "g");
		assert_string_equal(dead[i].why, "unreadable");
		assert_string_equal(dead[i].event.stream, STREAM_BOOKINGS);
	}
	assert_int_equal(dead[0].event.sequence, 1);
	assert_string_equal(dead[3].event.payload, "\"not \\\"json?\"");
	/* Revived it is unreadable still, and buried again when it is claimed. */
	assert_int_equal(bus_redis.revive(job->bus, &job->cx, 1, &found), RC_OK);
	assert_true(found);
	assert_int_equal(bus_redis.claim(job->bus, &job->cx, reader, 10, 1000, &claimed, &count), RC_OK);
	assert_int_equal(count, 0);
	assert_int_equal(bus_redis.dead(job->bus, &job->cx, 5, 10, &dead, &count), RC_OK);
	assert_int_equal(count, 1);
	assert_int_equal(dead[0].number, 6);
	leave(job, reader);
}

static void what_is_no_event_is_buried(void **state)
{
	(void)state;
	struct job job = {.fn = meets_strangers};

	on_task(&job);
}

static void meets_wrong_types(struct job *job)
{
	int64_t end;

	free(REDIS_CLI(&fixture, "SET", "deletion-events", "x"));
	free(REDIS_CLI(&fixture, "SET", "{tenant-events}:sources", "x"));
	assert_int_equal(publish(job, STREAM_DELETIONS, 0, 1, 1), RC_BUS_DOWN);
	assert_int_equal(publish(job, STREAM_TENANTS, 0, 1, 1), RC_BUS_DOWN);
	assert_int_equal(bus_redis.end(job->bus, &job->cx, STREAM_DELETIONS, &end), RC_BUS_DOWN);
	assert_int_equal(bus_redis.end(job->bus, &job->cx, STREAM_TENANTS, &end), RC_OK);
	assert_int_equal(end, 0);
}

static void keys_of_another_kind_are_an_error(void **state)
{
	(void)state;
	struct job job = {.fn = meets_wrong_types};

	on_task(&job);
}

/* --- A day in the life -------------------------------------------------------------- */

static void fails_and_is_helped(struct job *job)
{
	struct bus_reader *reader = join(job, "g", STREAM_BOOKINGS, NULL);
	struct bus_pending *pending;
	struct bus_claimed *claimed;
	struct bus_group *groups;
	struct bus_dead *dead;
	struct events got;
	int64_t dropped;
	size_t count;
	bool found;

	assert_int_equal(publish(job, STREAM_BOOKINGS, 0, 1, 5), RC_OK);
	got = take(job, reader, 3);
	assert_int_equal(bus_redis.groups(job->bus, &job->cx, &groups, &count), RC_OK);
	assert_int_equal(count, 1);
	assert_int_equal(groups[0].delivered, 3);
	assert_int_equal(groups[0].pending, 3);
	assert_int_equal(groups[0].lag, 2);
	assert_int_equal(bus_redis.pending(job->bus, &job->cx, NULL, 2, &pending, &count), RC_OK);
	assert_int_equal(count, 2);
	assert_int_equal(pending[0].sequence, 1);
	assert_int_equal(pending[0].deliveries, 1);
	assert_string_equal(pending[1].consumer, "one");

	assert_int_equal(bus_redis.claim(job->bus, &job->cx, reader, 2, 0, &claimed, &count), RC_OK);
	assert_int_equal(count, 2);
	assert_int_equal(claimed[0].event.sequence, 1);
	assert_int_equal(claimed[0].deliveries, 2);
	assert_int_equal(bus_redis.claim(job->bus, &job->cx, reader, 2, 0, &claimed, &count), RC_OK);
	assert_int_equal(count, 1);
	assert_int_equal(claimed[0].event.sequence, 3);

	/* Buried twice, as after an outcome that was not known. */
	assert_int_equal(bus_redis.bury(job->bus, &job->cx, reader, &got.items[1], "no \"luck\"", 6), RC_OK);
	assert_int_equal(bus_redis.bury(job->bus, &job->cx, reader, &got.items[1], "no \"luck\"", 6), RC_OK);
	assert_int_equal(bus_redis.dead(job->bus, &job->cx, 0, 10, &dead, &count), RC_OK);
	assert_int_equal(count, 1);
	assert_string_equal(dead[0].why, "no \"luck\"");
	assert_int_equal(dead[0].tries, 6);
	assert_int_equal(dead[0].event.sequence, 2);
	assert_true(uuid_equal(&dead[0].event.id, &got.items[1].id));
	assert_int_equal(dead[0].buried_at, job->cx.now);

	/* All but the revived one is acknowledged: so only what lies before it may go. */
	assert_int_equal(bus_redis.revive(job->bus, &job->cx, 1, &found), RC_OK);
	assert_true(found);
	assert_int_equal(bus_redis.revive(job->bus, &job->cx, 1, &found), RC_OK);
	assert_false(found);
	assert_int_equal(bus_redis.ack(job->bus, &job->cx, reader, &got.items[0], 1), RC_OK);
	assert_int_equal(bus_redis.ack(job->bus, &job->cx, reader, &got.items[2], 1), RC_OK);
	assert_int_equal(bus_redis.trim(job->bus, &job->cx, STREAM_BOOKINGS, job->cx.now, &dropped), RC_OK);
	assert_int_equal(dropped, 0); /* too young */
	assert_int_equal(bus_redis.trim(job->bus, &job->cx, STREAM_BOOKINGS, job->cx.now + 1, &dropped),
			 RC_OK);
	assert_int_equal(dropped, 1);
	assert_int_equal(bus_redis.claim(job->bus, &job->cx, reader, 5, 86400000, &claimed, &count), RC_OK);
	assert_int_equal(count, 1);
	assert_int_equal(claimed[0].event.sequence, 2);
	assert_int_equal(claimed[0].deliveries, 1);

	/* Back to what lies behind 1: also what is pending. */
	assert_int_equal(bus_redis.seek(job->bus, &job->cx, STREAM_BOOKINGS, "g", 1, &found), RC_OK);
	assert_true(found);
	got = take(job, reader, 4);
	assert_int_equal(got.items[0].sequence, 2);
	assert_int_equal(got.items[3].sequence, 5);
	assert_int_equal(bus_redis.ack(job->bus, &job->cx, reader, got.items, 4), RC_OK);
	assert_int_equal(bus_redis.seek(job->bus, &job->cx, STREAM_BOOKINGS, "none", 1, &found), RC_OK);
	assert_false(found);
	assert_int_equal(bus_redis.seek(job->bus, &job->cx, STREAM_TENANTS, "g", 1, &found), RC_OK);
	assert_false(found);
	assert_int_equal(bus_redis.trim(job->bus, &job->cx, STREAM_BOOKINGS, job->cx.now + 1, &dropped),
			 RC_OK);
	assert_int_equal(dropped, 4);
	/* Places go on where they were, and the letters' numbers too. */
	assert_int_equal(publish(job, STREAM_BOOKINGS, 5, 6, 1), RC_OK);
	got = take(job, reader, 1);
	assert_int_equal(got.items[0].sequence, 6);
	assert_int_equal(bus_redis.bury(job->bus, &job->cx, reader, &got.items[0], "x", 1), RC_OK);
	assert_int_equal(bus_redis.drop(job->bus, &job->cx, 1, &found), RC_OK);
	assert_false(found);
	assert_int_equal(bus_redis.drop(job->bus, &job->cx, 2, &found), RC_OK);
	assert_true(found);
	leave(job, reader);
}

static void what_failed_can_be_helped(void **state)
{
	(void)state;
	struct job job = {.fn = fails_and_is_helped};

	on_task(&job);
}

/* --- Going and coming ------------------------------------------------------------- */

/* Until it is there again. */
static enum rc last_again(struct job *job, int64_t *ret)
{
	enum rc rc = RC_BUS_DOWN;

	for (int i = 0; i < 100 && rc == RC_BUS_DOWN; i++)
		rc = bus_redis.last(job->bus, &job->cx, STREAM_BOOKINGS, &job->source, ret);
	return rc;
}

static void survives_restart(struct job *job)
{
	struct bus_reader *reader = join(job, "g", STREAM_BOOKINGS, NULL);
	struct events got;
	int64_t last;

	assert_int_equal(publish(job, STREAM_BOOKINGS, 0, 1, 2), RC_OK);
	redis_fixture_stop(&fixture, true);
	assert_int_equal(publish(job, STREAM_BOOKINGS, 2, 3, 1), RC_BUS_DOWN);
	assert_int_equal(bus_redis.take(job->bus, &job->cx, reader, 10, 100, &got), RC_BUS_DOWN);
	redis_fixture_start(&fixture);
	assert_int_equal(last_again(job, &last), RC_OK);
	assert_int_equal(last, 2);
	assert_int_equal(publish(job, STREAM_BOOKINGS, 2, 3, 1), RC_OK); /* it knows the script no more */
	while (bus_redis.take(job->bus, &job->cx, reader, 10, 100, &got) == RC_BUS_DOWN)
		;
	assert_int_equal(got.count, 3);
	assert_int_equal(got.items[2].sequence, 3);
	leave(job, reader);
}

static void a_redis_comes_back_with_its_data(void **state)
{
	(void)state;
	struct job job = {.fn = survives_restart};

	on_task(&job);
}

static void survives_loss(struct job *job)
{
	struct bus_reader *reader = join(job, "g", STREAM_BOOKINGS, STREAM_DELETIONS),
			  *follower = join(job, NULL, STREAM_BOOKINGS, NULL);
	struct events got;
	int64_t last;

	assert_int_equal(publish(job, STREAM_BOOKINGS, 0, 1, 5), RC_OK);
	assert_int_equal(take(job, reader, 5).count, 5);
	assert_int_equal(take(job, follower, 5).count, 5);
	redis_fixture_stop(&fixture, false);
	redis_fixture_start(&fixture);
	assert_int_equal(last_again(job, &last), RC_OK);
	assert_int_equal(last, 0);
	/* The source still has 4 and 5. */
	assert_int_equal(publish(job, STREAM_BOOKINGS, 0, 4, 2), RC_OK);
	while (bus_redis.take(job->bus, &job->cx, reader, 10, 100, &got) == RC_BUS_DOWN)
		;
	assert_int_equal(got.count, 2);
	assert_int_equal(got.items[0].sequence, 4);
	/* All of that the follower has had; and of what it has not, it hears. */
	while (bus_redis.take(job->bus, &job->cx, follower, 10, 10, &got) == RC_BUS_DOWN)
		;
	assert_int_equal(got.count, 0);
	assert_int_equal(publish(job, STREAM_BOOKINGS, 5, 6, 1), RC_OK);
	assert_int_equal(take(job, follower, 1).items[0].sequence, 6);
	free(REDIS_CLI(&fixture, "FLUSHALL"));
	nothing_to_take(job, follower);
	assert_int_equal(publish(job, STREAM_BOOKINGS, 0, 2, 1), RC_OK);
	assert_int_equal(take(job, follower, 1).items[0].sequence, 2);
	assert_int_equal(take(job, reader, 1).items[0].sequence, 2);
	leave(job, reader);
	leave(job, follower);
}

static void a_redis_comes_back_empty(void **state)
{
	(void)state;
	struct job job = {.fn = survives_loss};

	on_task(&job);
}

static void waits_in_vain(struct job *job)
{
	struct timespec began, ended;
	int64_t last;

	assert_int_equal(publish(job, STREAM_BOOKINGS, 0, 1, 1), RC_OK);
	free(REDIS_CLI(&fixture, "CONFIG", "SET", "busy-reply-threshold", "60000"));
	kill(fixture.pid, SIGSTOP);
	clock_gettime(CLOCK_MONOTONIC, &began);
	assert_int_equal(bus_redis.last(job->bus, &job->cx, STREAM_BOOKINGS, &job->source, &last),
			 RC_BUS_DOWN);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	kill(fixture.pid, SIGCONT);
	assert_in_range(ended.tv_sec - began.tv_sec, 4, 8);
	assert_int_equal(last_again(job, &last), RC_OK);
	assert_int_equal(last, 1);
}

static void silence_is_a_loss(void **state)
{
	(void)state;
	struct job job = {.fn = waits_in_vain};

	on_task(&job);
}

static void blocks(struct job *job)
{
	struct bus_reader *reader = join(job, "g", STREAM_BOOKINGS, NULL);
	struct events got = {.count = 7};

	assert_int_equal(bus_redis.take(job->bus, &job->cx, reader, 10, 60000, &got), RC_OK);
	assert_int_equal(got.count, 0);
	leave(job, reader);
}

static void a_stop_ends_a_wait(void **state)
{
	(void)state;
	struct job job = {.fn = blocks};
	struct timespec began, ended;
	struct world world;
	struct tasks *tasks;

	world_init(&world, UTIME_NONE);
	tasks = prepare(&job, &world);
	assert_int_equal(tasks_start(tasks), RC_OK);
	usleep(300000);
	clock_gettime(CLOCK_MONOTONIC, &began);
	tasks_stop(tasks);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	assert_true(ended.tv_sec - began.tv_sec < 3);
	tasks_destroy(tasks);
	bus_redis.close(job.bus);
}

/* --- Many on one link --------------------------------------------------------------- */

#define WRITERS 20

static void writes(struct job *job)
{
	int64_t last;

	for (int i = 0; i < 20; i++) {
		assert_int_equal(publish(job, STREAM_TENANTS, i, i + 1, 1), RC_OK);
		assert_int_equal(bus_redis.last(job->bus, &job->cx, STREAM_TENANTS, &job->source, &last),
				 RC_OK);
		assert_int_equal(last, i + 1);
	}
}

static void many_share_a_link(void **state)
{
	(void)state;
	struct job jobs[WRITERS] = {{.fn = writes}};
	struct world world;
	struct tasks *tasks;

	world_init(&world, UTIME_NONE);
	tasks = prepare(&jobs[0], &world);
	for (size_t i = 1; i < WRITERS; i++) {
		jobs[i] = jobs[0];
		assert_non_null(tasks_add(tasks, work, &jobs[i]));
	}
	assert_int_equal(tasks_run(tasks), RC_OK);
	bus_redis.close(jobs[0].bus);
	tasks_destroy(tasks);
	says("400\n", "--raw", "XLEN", STREAM_TENANTS, NULL);
}

/* --- Getting in --------------------------------------------------------------------- */

static void is_let_in(struct job *job)
{
	assert_int_equal(publish(job, STREAM_BOOKINGS, 0, 1, 1), RC_OK);
	says("1\n", "-a", "se:cret", "--no-auth-warning", "-n", "3", "--raw", "XLEN", STREAM_BOOKINGS, NULL);
	free(REDIS_CLI(&fixture, "-a", "se:cret", "--no-auth-warning", "FLUSHALL"));
}

static void is_kept_out(struct job *job)
{
	assert_int_equal(publish(job, STREAM_BOOKINGS, 0, 1, 1), RC_BUS_DOWN);
}

static void with_url(const char *format, void (*fn)(struct job *job), const char *ca)
{
	struct job job = {.fn = fn, .ca = ca};
	char *url = malloc(256);

	assert_non_null(url);
	snprintf(url, 256, "%s:%d/3", format, fixture.port);
	job.url = url;
	on_task(&job);
	free(url);
}

static void passwords_are_asked_for(void **state)
{
	(void)state;

	free(REDIS_CLI(&fixture, "ACL", "SETUSER", "ana", "on", ">p@ss", "~booking-events",
		       "~{booking-events}:sources", "+hget", "+hset", "+evalsha", "+eval", "+xadd", "+xinfo",
		       "+exists", "+select"));
	free(REDIS_CLI(&fixture, "CONFIG", "SET", "requirepass", "se:cret"));
	with_url("redis://:se%3Acret@127.0.0.1", is_let_in, NULL);
	with_url("redis://default:se:cret@127.0.0.1", is_let_in, NULL);
	with_url("redis://ana:p%40ss@127.0.0.1", is_let_in, NULL);
	with_url("redis://127.0.0.1", is_kept_out, NULL);
	with_url("redis://:wrong@127.0.0.1", is_kept_out, NULL);
	with_url("redis://ana:wrong@127.0.0.1", is_kept_out, NULL);
}

static void reads_and_writes(struct job *job)
{
	assert_int_equal(publish(job, STREAM_DELETIONS, 0, 1, 10), RC_OK);
}

static void sends_much(struct job *job)
{
	char *payload = malloc(1 << 20);
	struct event event = event_of(job, STREAM_BOOKINGS, 1);
	struct bus_reader *reader = join(job, "g", STREAM_BOOKINGS, NULL);

	assert_non_null(payload);
	memset(payload, 'x', 1 << 20);
	payload[0] = payload[(1 << 20) - 2] = '"';
	payload[(1 << 20) - 1] = '\0';
	event.payload = payload;
	assert_int_equal(bus_redis.publish(job->bus, &job->cx, STREAM_BOOKINGS, &job->source, 0, &event, 1),
			 RC_OK);
	assert_string_equal(take(job, reader, 1).items[0].payload, payload);
	leave(job, reader);
	free(payload);
}

static void tls_is_spoken_and_checked(void **state)
{
	(void)state;
	char ca[128], other[128];

	redis_fixture_stop(&fixture, false);
	redis_fixture_certificates(&fixture);
	fixture.tls = true;
	redis_fixture_start(&fixture);
	snprintf(ca, sizeof(ca), "%s/ca.pem", fixture.folder);
	snprintf(other, sizeof(other), "%s/other.pem", fixture.folder);
	with_url("rediss://localhost", sends_much, ca);
	with_url("rediss://127.0.0.1", reads_and_writes, ca);
	with_url("rediss://localhost", is_kept_out, other);
	with_url("rediss://localhost", is_kept_out, NULL); /* the system's CAs do not know it */
	with_url("rediss://127.0.0.2", is_kept_out, ca);   /* the certificate is not for that one */
	with_url("redis://127.0.0.1", is_kept_out, NULL);
	redis_fixture_stop(&fixture, false);
	fixture.tls = false;
	redis_fixture_start(&fixture);
	with_url("rediss://127.0.0.1", is_kept_out, ca);
}

static void bad_settings_are_told(void **state)
{
	(void)state;
	struct bus_options options = {.redis_url = "redis://a:b@"};
	void *bus;

	assert_int_equal(bus_redis.open(&options, &bus), RC_INTERNAL);
	options.redis_url = "rediss://localhost";
	options.redis_ca = "/nonexistent";
	assert_int_equal(bus_redis.open(&options, &bus), RC_INTERNAL);
	options.redis_url = "redis://localhost";
	options.booking_stream = "marca:dead";
	assert_int_equal(bus_redis.open(&options, &bus), RC_INTERNAL);
	options.booking_stream = "a{b}";
	assert_int_equal(bus_redis.open(&options, &bus), RC_INTERNAL);
}

/* --- Life --------------------------------------------------------------------------- */

static int empty(void **state)
{
	(void)state;
	redis_fixture_stop(&fixture, false);
	redis_fixture_start(&fixture);
	return 0;
}

static int begin(void **state)
{
	(void)state;
	arena_json_init();
	if (!redis_fixture_init(&fixture))
		return -1;
	redis_fixture_start(&fixture);
	return 0;
}

static int end(void **state)
{
	(void)state;
	redis_fixture_finish(&fixture);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(entries_look_as_promised, empty),
		cmocka_unit_test_setup(events_come_back_as_they_went, empty),
		cmocka_unit_test_setup(what_is_no_event_is_buried, empty),
		cmocka_unit_test_setup(keys_of_another_kind_are_an_error, empty),
		cmocka_unit_test_setup(what_failed_can_be_helped, empty),
		cmocka_unit_test_setup(a_redis_comes_back_with_its_data, empty),
		cmocka_unit_test_setup(a_redis_comes_back_empty, empty),
		cmocka_unit_test_setup(silence_is_a_loss, empty),
		cmocka_unit_test_setup(a_stop_ends_a_wait, empty),
		cmocka_unit_test_setup(many_share_a_link, empty),
		cmocka_unit_test_setup(passwords_are_asked_for, empty),
		cmocka_unit_test_setup(tls_is_spoken_and_checked, empty),
		cmocka_unit_test(bad_settings_are_told),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
