/* Scenes of bus_test.c: what a relay relies on. */
#include "events/bus_fixture.h"

#define LARGE  (64 * 1024)
#define RELAYS 100 /* events that two relays race for */

static enum rc publish(struct bed *bed, struct ctx *cx, const struct uuid *source, int64_t after,
		       size_t count)
{
	const struct event *events = make_events(cx, after, count, cx->now);

	return bus_publish(bed->bus, cx, STREAM_BOOKINGS, source, after, events, count);
}

static int64_t last_of(struct bed *bed, struct ctx *cx, const struct uuid *source)
{
	int64_t last = -1;

	assert_int_equal(bus_last(bed->bus, cx, STREAM_BOOKINGS, source, &last), RC_OK);
	return last;
}

static void publishes(struct bed *bed, struct ctx *cx)
{
	assert_int_equal(last_of(bed, cx, &source_a), 0);
	assert_int_equal(end_of(bed, cx, STREAM_BOOKINGS), 0);
	check_range(bed, cx, STREAM_BOOKINGS, 1, 0);

	assert_int_equal(publish(bed, cx, &source_a, 0, 3), RC_OK);
	assert_int_equal(last_of(bed, cx, &source_a), 3);
	assert_int_equal(publish(bed, cx, &source_a, 3, 1), RC_OK);
	assert_int_equal(last_of(bed, cx, &source_a), 4);
	assert_int_equal(end_of(bed, cx, STREAM_BOOKINGS), 4);
	check_range(bed, cx, STREAM_BOOKINGS, 1, 4);
	assert_int_equal(end_of(bed, cx, STREAM_DELETIONS), 0);
	check_range(bed, cx, STREAM_DELETIONS, 1, 0);
}

static void refuses(struct bed *bed, struct ctx *cx)
{
	assert_int_equal(publish(bed, cx, &source_a, 1, 2), RC_STALE); /* before it took any */
	assert_int_equal(publish(bed, cx, &source_a, 0, 2), RC_OK);
	assert_int_equal(publish(bed, cx, &source_a, 0, 2), RC_STALE); /* again */
	assert_int_equal(publish(bed, cx, &source_a, 1, 2), RC_STALE); /* partly again */
	assert_int_equal(publish(bed, cx, &source_a, 3, 2), RC_STALE); /* a gap */
	assert_int_equal(publish(bed, cx, &source_b, 2, 2), RC_STALE); /* another source is not there */
	assert_int_equal(last_of(bed, cx, &source_a), 2);
	assert_int_equal(last_of(bed, cx, &source_b), 0);
	check_range(bed, cx, STREAM_BOOKINGS, 1, 2);
	assert_int_equal(end_of(bed, cx, STREAM_BOOKINGS), 2);
	assert_int_equal(publish(bed, cx, &source_a, 2, 2), RC_OK);
	check_range(bed, cx, STREAM_BOOKINGS, 1, 4);
}

/* A stream gets some of its source's events: their numbers have gaps, their places none. */
static void numbers_rise(struct bed *bed, struct ctx *cx)
{
	struct event *events = make_events(cx, 0, 3, cx->now);

	events[0].sequence = 5;
	events[1].sequence = 9;
	events[2].sequence = 1000000007;
	assert_int_equal(bus_publish(bed->bus, cx, STREAM_BOOKINGS, &source_a, 0, events, 3), RC_OK);
	assert_int_equal(last_of(bed, cx, &source_a), 1000000007);
	check_range(bed, cx, STREAM_BOOKINGS, 1, 3);
	assert_int_equal(publish(bed, cx, &source_a, 3, 1), RC_STALE);
	assert_int_equal(publish(bed, cx, &source_a, 1000000007, 1), RC_OK);
	check_range(bed, cx, STREAM_BOOKINGS, 1, 4);
}

static void two_sources(struct bed *bed, struct ctx *cx)
{
	static const char *const payloads[] = {"{\"number\":1}", "{\"number\":1}", "{\"number\":2}",
					       "{\"number\":2}", "{\"number\":3}", "{\"number\":3}"};
	struct events events = {NULL, 0};

	assert_int_equal(publish(bed, cx, &source_a, 0, 1), RC_OK);
	assert_int_equal(publish(bed, cx, &source_b, 0, 2), RC_OK);
	assert_int_equal(publish(bed, cx, &source_a, 1, 2), RC_OK);
	assert_int_equal(publish(bed, cx, &source_b, 2, 1), RC_OK);
	assert_int_equal(last_of(bed, cx, &source_a), 3);
	assert_int_equal(last_of(bed, cx, &source_b), 3);
	check_range(bed, cx, STREAM_BOOKINGS, 1, 6);

	assert_int_equal(bus_range(bed->bus, cx, STREAM_BOOKINGS, 0, 10, &events), RC_OK);
	assert_string_equal(events.items[0].payload, payloads[0]);
	assert_string_equal(events.items[1].payload, payloads[1]);
	assert_string_equal(events.items[2].payload, payloads[2]);
	assert_string_equal(events.items[3].payload, payloads[3]);
	assert_string_equal(events.items[4].payload, payloads[4]);
	assert_string_equal(events.items[5].payload, payloads[5]);
}

/* The same source in each stream, each with its own count. */
static void streams_apart(struct bed *bed, struct ctx *cx)
{
	struct events events = {NULL, 0};
	int64_t last = -1;

	for (size_t i = 0; i < STREAM_COUNT; i++)
		put(bed, cx, stream_names[i], i + 1);
	for (size_t i = 0; i < STREAM_COUNT; i++) {
		assert_int_equal(bus_last(bed->bus, cx, stream_names[i], &source_a, &last), RC_OK);
		assert_int_equal(last, i + 1);
		assert_int_equal(end_of(bed, cx, stream_names[i]), i + 1);
		assert_int_equal(bus_range(bed->bus, cx, stream_names[i], 0, 10, &events), RC_OK);
		assert_int_equal(events.count, i + 1);
		assert_string_equal(events.items[i].stream, stream_names[i]);
	}
}

static struct event *odd_events(struct ctx *cx, char *large)
{
	struct event *events = make_events(cx, 0, 4, cx->now);

	events[0].type = "são João \xf0\x9f\x8e\x89 'quoted' \"twice\" \\ $1 %s ?";
	events[0].payload = "{\"a\\\"b\\\\c\\n\":\"\\u00e7 \xc3\xa7 \xf0\x9f\x8e\x89 '); DROP TABLE x; --\"}";
	events[0].trace_id = "";
	events[1].payload = "{ \"spaces\" : [ 1.50, 1e3, null ] , \"more\" : 2 }"; /* carried as it is */
	events[1].version = INT64_C(9007199254740993);				   /* no double holds it */
	events[1].ordinal = 767;
	events[1].occurred_at = INT64_C(253402300799999999);
	events[2].occurred_at = 1;
	events[2].subject_id = UUID_NONE;
	events[2].tenant_id = UUID_NONE;
	memset(large, 'x', LARGE);
	memcpy(large, "{\"x\":\"", 6);
	memcpy(large + LARGE - 2, "\"}", 3);
	events[3].payload = large;
	return events;
}

static void survives_reading(struct ctx *cx, struct bus_reader *reader, const struct event *events)
{
	struct events taken = take_these(cx, reader, 1, 4);
	const struct events claimed = claim_these(cx, reader, 0, 1, 4);

	for (size_t i = 0; i < 4; i++) {
		check_same(&events[i], &taken.items[i]);
		check_same(&events[i], &claimed.items[i]);
		assert_string_equal(taken.items[i].stream, STREAM_BOOKINGS);
		assert_string_equal(claimed.items[i].stream, STREAM_BOOKINGS);
	}
}

static void survives(struct bed *bed, struct ctx *cx)
{
	static char large[LARGE + 1];
	const struct event *events = odd_events(cx, large);
	struct bus_reader *reader = join(bed, cx, "group", "one");
	struct bus_dead *dead = NULL;
	struct events range = {NULL, 0};
	size_t count = 0;

	assert_int_equal(bus_publish(bed->bus, cx, STREAM_BOOKINGS, &source_a, 0, events, 4), RC_OK);
	assert_int_equal(bus_range(bed->bus, cx, STREAM_BOOKINGS, 0, 10, &range), RC_OK);
	assert_int_equal(range.count, 4);
	survives_reading(cx, reader, events);
	for (size_t i = 0; i < 4; i++) {
		check_same(&events[i], &range.items[i]);
		assert_string_equal(range.items[i].stream, STREAM_BOOKINGS);
		assert_int_equal(bus_bury(reader, cx, &range.items[i], events[0].type, 3), RC_OK);
	}
	assert_int_equal(bus_dead(bed->bus, cx, 0, 10, &dead, &count), RC_OK);
	assert_int_equal(count, 4);
	for (size_t i = 0; i < 4; i++) {
		check_same(&events[i], &dead[i].event);
		assert_string_equal(dead[i].event.stream, STREAM_BOOKINGS);
		assert_int_equal(dead[i].event.sequence, i + 1);
		assert_string_equal(dead[i].why, events[0].type);
	}
	bus_leave(reader);
}

static void full_batches(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *reader = join(bed, cx, "group", "one");
	struct events events;

	put(bed, cx, STREAM_BOOKINGS, BUS_BATCH);
	put(bed, cx, STREAM_BOOKINGS, BUS_BATCH);
	check_range(bed, cx, STREAM_BOOKINGS, 1, (size_t)2 * BUS_BATCH);
	events = take_these(cx, reader, 1, BUS_BATCH);
	ack(cx, reader, events);
	take_these(cx, reader, BUS_BATCH + 1, BUS_BATCH);
	claim_these(cx, reader, 0, BUS_BATCH + 1, BUS_BATCH);
	bus_leave(reader);
}

/* Each is told the same place, and only one of them may go on from there. */
static void relay(struct bed *bed, struct ctx *cx)
{
	int64_t last;

	while ((last = last_of(bed, cx, &source_a)) < RELAYS) {
		enum rc rc = publish(bed, cx, &source_a, last, last % 3 == 0 ? 1 : 3);

		assert_true(rc == RC_OK || rc == RC_STALE);
	}
}

static void relayed_once(struct bed *bed, struct ctx *cx)
{
	struct events events = {NULL, 0};

	assert_int_equal(bus_range(bed->bus, cx, STREAM_BOOKINGS, 0, BUS_BATCH, &events), RC_OK);
	assert_true(events.count >= RELAYS);
	for (size_t i = 0; i < events.count; i++) {
		assert_int_equal(events.items[i].sequence, i + 1);
		assert_int_equal(events.items[i].version, i + 1);
	}
	assert_int_equal(last_of(bed, cx, &source_a), events.count);
}

const struct scene bus_scenes_writing[] = {
	{"events are published, and each gets its place", {publishes}},
	{"a repeat, and what leaves a gap, is refused", {refuses}},
	{"a source's numbers may have gaps", {numbers_rise}},
	{"two sources share a stream", {two_sources}},
	{"streams do not know each other", {streams_apart}},
	{"all of an event survives", {survives}},
	{"full batches", {full_batches}},
	{"two relays double nothing", {relay, relay}, {relayed_once}},
	{NULL},
};
