/*
 * What is Redis's own in the bus, with a real redis-server: how entries look from outside, entries that are
 * no events, what an operator does. What every driver must do is bus_test.c's.
 */
#include "events/bus_redis_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* --- Entries ---------------------------------------------------------------------- */

static void looks(struct job *job)
{
	char id[UUID_TEXT_LEN + 1], expected[128];
	struct event event = event_of(job, STREAM_BOOKINGS, 7);

	assert_int_equal(bus_redis.publish(job->bus, &job->cx, STREAM_BOOKINGS, &job->source, 0, &event, 1),
			 RC_OK);
	SAYS("\n1-0\n", "--raw", "XINFO", "STREAM", "other");
	SAYS("1-0\nevent_type\nbooking.created\npayload\n{\"reason\":\"jo\xc3\xa3o "
	     "\\\"x\\\"\"}\nmetadata\n{\"event_id\":\"",
	     "--raw", "XRANGE", "other", "-", "+");
	snprintf(expected, sizeof(expected), "\"event_id\":\"%s\"", uuid_text(id, &event.id));
	SAYS(expected, "--raw", "XRANGE", "other", "-", "+");
	SAYS("\"sequence\":1}", "--raw", "XRANGE", "other", "-", "+");
	SAYS("Z\",\"trace_id\":\"0123456789abcdef0123456789abcdef\"", "--raw", "XRANGE", "other", "-", "+");
	SAYS("7\n", "--raw", "HVALS", "{other}:sources");
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
	SAYS("0\n", "--raw", "XPENDING", STREAM_BOOKINGS, "g");
	leave(job, reader);
}

static void events_come_back_as_they_went(void **state)
{
	(void)state;
	struct job job = {.fn = round_trip};

	on_task(&job);
}

/* --- What is no event ------------------------------------------------------------- */

static const char good_metadata[] = "{\"event_id\":\"0193a3f2-7c00-7abc-8def-0123456789ab\","
				    "\"tenant_id\":\"0193a3f2-7c00-7abc-8def-0123456789ab\","
				    "\"occurred_at\":\"2025-12-05T14:00:00Z\"}";

static void meets_strangers(struct job *job)
{
	struct bus_reader *reader = join(job, "g", STREAM_BOOKINGS, NULL);
	struct events claimed;
	struct bus_dead *dead;
	struct events got;
	size_t count;
	bool found;

	free(REDIS_CLI(&redis, "XADD", STREAM_BOOKINGS, "1-0", "a", "b"));
	free(REDIS_CLI(&redis, "XADD", STREAM_BOOKINGS, "2-0", "event_type", "x", "payload", "{}", "metadata",
		       "{\"event_id\":7}"));
	free(REDIS_CLI(&redis, "XADD", STREAM_BOOKINGS, "3-0", "event_type", "x", "payload", "{}", "metadata",
		       good_metadata));
	free(REDIS_CLI(&redis, "XADD", STREAM_BOOKINGS, "3-1", "event_type", "x", "payload", "{}", "metadata",
		       good_metadata));
	free(REDIS_CLI(&redis, "XADD", STREAM_BOOKINGS, "4-0", "event_type", "x", "payload", "not \"json\xff",
		       "metadata", good_metadata));
	free(REDIS_CLI(&redis, "XADD", STREAM_BOOKINGS, "18446744073709551614-0", "event_type", "x"));

	got = take(job, reader, 1);
	assert_int_equal(got.items[0].sequence, 3);
	assert_int_equal(bus_redis.ack(job->bus, &job->cx, reader, got.items, 1), RC_OK);
	nothing_to_take(job, reader);
	SAYS("0\n", "--raw", "XPENDING", STREAM_BOOKINGS, "g");
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
	assert_int_equal(bus_redis.claim(job->bus, &job->cx, reader, 10, 1000, &claimed), RC_OK);
	assert_int_equal(claimed.count, 0);
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

	free(REDIS_CLI(&redis, "SET", "deletion-events", "x"));
	free(REDIS_CLI(&redis, "SET", "{tenant-events}:sources", "x"));
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

/* --- Consumers that are gone ---------------------------------------------------------- */

static void janitor_comes(struct job *job)
{
	struct bus_reader *reader = join(job, "g", STREAM_BOOKINGS, NULL);
	int64_t dropped;

	assert_int_equal(publish(job, STREAM_BOOKINGS, 0, 1, 1), RC_OK);
	free(REDIS_CLI(&redis, "XGROUP", "CREATECONSUMER", STREAM_BOOKINGS, "g", "young"));
	free(REDIS_CLI(&redis, "XREADGROUP", "GROUP", "g", "busy", "STREAMS", STREAM_BOOKINGS, ">"));
	free(REDIS_CLI(&redis, "XCLAIM", STREAM_BOOKINGS, "g", "old", "0", "1-0", "IDLE", "90000000"));
	free(REDIS_CLI(&redis, "XCLAIM", STREAM_BOOKINGS, "g", "busy", "0", "1-0", "IDLE", "90000000"));
	assert_int_equal(bus_redis.trim(job->bus, &job->cx, STREAM_BOOKINGS, 0, &dropped), RC_OK);
	SAYS("busy\n", "--raw", "XINFO", "CONSUMERS", STREAM_BOOKINGS, "g");
	SAYS("young\n", "--raw", "XINFO", "CONSUMERS", STREAM_BOOKINGS, "g");
	leave(job, reader);
}

static void the_living_are_not_forgotten(void **state)
{
	(void)state;
	struct job job = {.fn = janitor_comes};

	on_task(&job);
}

/* --- A day in the life -------------------------------------------------------------- */

static void fails_and_is_helped(struct job *job)
{
	struct bus_reader *reader = join(job, "g", STREAM_BOOKINGS, NULL);
	struct bus_pending *pending;
	struct events claimed;
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

	assert_int_equal(bus_redis.claim(job->bus, &job->cx, reader, 2, 0, &claimed), RC_OK);
	assert_int_equal(claimed.count, 2);
	assert_int_equal(claimed.items[0].sequence, 1);
	assert_int_equal(bus_redis.claim(job->bus, &job->cx, reader, 2, 0, &claimed), RC_OK);
	assert_int_equal(claimed.count, 1);
	assert_int_equal(claimed.items[0].sequence, 3);

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
	assert_int_equal(bus_redis.claim(job->bus, &job->cx, reader, 5, 86400000, &claimed), RC_OK);
	assert_int_equal(claimed.count, 1);
	assert_int_equal(claimed.items[0].sequence, 2);
	assert_int_equal(bus_redis.pending(job->bus, &job->cx, NULL, 2, &pending, &count), RC_OK);
	assert_int_equal(count, 1);
	assert_int_equal(pending[0].deliveries, 1);

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
	assert_int_equal(bus_redis.trim(job->bus, &job->cx, STREAM_BOOKINGS, job->cx.now + 1, &dropped),
			 RC_OK);
	assert_int_equal(dropped, 0); /* nobody has had it yet */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(entries_look_as_promised, redis_empty),
		cmocka_unit_test_setup(events_come_back_as_they_went, redis_empty),
		cmocka_unit_test_setup(what_is_no_event_is_buried, redis_empty),
		cmocka_unit_test_setup(keys_of_another_kind_are_an_error, redis_empty),
		cmocka_unit_test_setup(the_living_are_not_forgotten, redis_empty),
		cmocka_unit_test_setup(what_failed_can_be_helped, redis_empty),
	};

	return cmocka_run_group_tests(tests, redis_group_begin, redis_group_end);
}
