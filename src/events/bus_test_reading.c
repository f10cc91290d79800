/* Scenes of bus_test.c: what consumers rely on. */
#include "events/bus_fixture.h"

#include <stdlib.h>

#define LONG_MS 600000 /* a test that waits that long has failed by its time limit */

/* --- Taking ------------------------------------------------------------------- */

static void shares(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *one, *two;

	put(bed, cx, STREAM_BOOKINGS, 5); /* before there is a group */
	one = join(bed, cx, "group", "one");
	two = join(bed, cx, "group", "two");
	take_these(cx, one, 1, 2);
	take_these(cx, two, 3, 1);
	put(bed, cx, STREAM_BOOKINGS, 2);
	take_these(cx, one, 4, 4);
	take_these(cx, two, 8, 0);
	bus_leave(one);
	one = join(bed, cx, "group", "one"); /* makes nothing anew */
	take_these(cx, one, 8, 0);
	put(bed, cx, STREAM_BOOKINGS, 1);
	take_these(cx, one, 8, 1);
	bus_leave(one);
	bus_leave(two);
}

static void two_groups(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *one = join(bed, cx, "first", "same"), *two;

	put(bed, cx, STREAM_BOOKINGS, 3);
	ack(cx, one, take_these(cx, one, 1, 3));
	two = join(bed, cx, "second", "same");
	take_these(cx, two, 1, 3);
	take_these(cx, one, 4, 0);
	take_these(cx, two, 4, 0);
	bus_leave(one);
	bus_leave(two);
}

/* How many are of that stream; they are the next ones of it. */
static int64_t count_of(struct events events, const char *stream, int64_t after)
{
	int64_t count = 0;

	for (size_t i = 0; i < events.count; i++) {
		if (strcmp(events.items[i].stream, stream) == 0)
			assert_int_equal(events.items[i].sequence, after + ++count);
	}
	return count;
}

static void all_streams(struct bed *bed, struct ctx *cx, struct bus_reader *reader, int64_t per_stream)
{
	int64_t counts[STREAM_COUNT] = {0}, total = 0;
	struct events events;

	for (size_t i = 0; i < STREAM_COUNT; i++)
		put(bed, cx, stream_names[i], (size_t)per_stream);
	while ((events = take(cx, reader, 4)).count > 0) {
		for (size_t i = 0; i < STREAM_COUNT; i++)
			counts[i] += count_of(events, stream_names[i], counts[i]);
		total += (int64_t)events.count;
	}
	for (size_t i = 0; i < STREAM_COUNT; i++)
		assert_int_equal(counts[i], per_stream);
	assert_int_equal(total, STREAM_COUNT * per_stream);
}

static void many_streams(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *reader = join_all(bed, cx, "group", "one");

	all_streams(bed, cx, reader, 7);
	bus_leave(reader);
}

static void waits_in_vain(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *reader = join_all(bed, cx, "group", "one");
	struct events events = {NULL, 1};

	assert_int_equal(bus_take(reader, cx, 10, 20, &events), RC_OK);
	assert_int_equal(events.count, 0);
	bus_leave(reader);
}

/* --- Waiting ------------------------------------------------------------------ */

#define ROUNDS 250 /* were nobody woken, each would take the time of a look: too long by far */

static void wait_for_one(struct ctx *cx, struct bus_reader *reader, int64_t sequence)
{
	struct events events = {NULL, 0};

	assert_int_equal(bus_take(reader, cx, 10, LONG_MS, &events), RC_OK);
	assert_int_equal(events.count, 1);
	assert_int_equal(events.items[0].sequence, sequence);
	ack(cx, reader, events);
}

static void ping(struct bed *bed, struct ctx *cx)
{
	static const char *const streams[] = {STREAM_DELETIONS};
	struct bus_reader *reader = NULL;

	assert_int_equal(bus_join(bed->bus, cx, "group", "ping", streams, 1, &reader), RC_OK);
	for (int64_t i = 1; i <= ROUNDS; i++) {
		put(bed, cx, STREAM_BOOKINGS, 1);
		wait_for_one(cx, reader, i);
	}
	bus_leave(reader);
}

static void pong(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *reader = join(bed, cx, "group", "pong");

	for (int64_t i = 1; i <= ROUNDS; i++) {
		wait_for_one(cx, reader, i);
		put(bed, cx, STREAM_DELETIONS, 1);
	}
	bus_leave(reader);
}

static void watches(struct bed *bed, struct ctx *cx)
{
	static const char *const streams[] = {STREAM_BOOKINGS, STREAM_DELETIONS};
	static const int64_t places[] = {0, 0};
	struct bus_reader *reader = NULL;
	size_t seen = 0;

	assert_int_equal(bus_follow(bed->bus, cx, streams, 2, places, &reader), RC_OK);
	while (seen < (size_t)2 * ROUNDS) {
		struct events events = {NULL, 0};

		assert_int_equal(bus_take(reader, cx, 10, LONG_MS, &events), RC_OK);
		assert_true(events.count > 0);
		seen += events.count;
	}
	assert_int_equal(seen, 2 * ROUNDS);
	bus_leave(reader);
}

static enum rc stopped_rc;
static size_t stopped_count;

static void is_stopped(struct bed *bed, struct ctx *cx)
{
	static const char *const streams[] = {STREAM_BOOKINGS};
	struct bus_reader *reader = NULL;
	struct events events = {NULL, 0};

	stopped_rc = bus_join(bed->bus, cx, "group", "one", streams, 1, &reader);
	/* Where the bus is remote, the stop may come while it is still being connected to. */
	if (stopped_rc == RC_BUS_DOWN && task_stopping(task_self()))
		stopped_rc = RC_OK;
	else if (stopped_rc == RC_OK)
		stopped_rc = bus_take(reader, cx, 10, LONG_MS, &events);
	stopped_count = events.count;
	bus_leave(reader);
}

static void was_stopped(struct bed *bed, struct ctx *cx)
{
	(void)bed;
	(void)cx;
	assert_int_equal(stopped_rc, RC_OK);
	assert_int_equal(stopped_count, 0);
}

/* --- Following ---------------------------------------------------------------- */

static void follows(struct bed *bed, struct ctx *cx)
{
	static const char *const streams[] = {STREAM_BOOKINGS};
	static const int64_t places[] = {1};
	struct bus_reader *now = NULL, *from = NULL;
	struct bus_group *groups = NULL;
	size_t count = 1;

	put(bed, cx, STREAM_BOOKINGS, 3);
	assert_int_equal(bus_follow(bed->bus, cx, streams, 1, NULL, &now), RC_OK);
	assert_int_equal(bus_follow(bed->bus, cx, streams, 1, places, &from), RC_OK);
	take_these(cx, now, 4, 0);
	take_these(cx, from, 2, 1);
	put(bed, cx, STREAM_BOOKINGS, 2);
	take_these(cx, now, 4, 2);
	take_these(cx, now, 6, 0);
	take_these(cx, from, 3, 3);
	take_these(cx, from, 6, 0);
	assert_int_equal(bus_groups(bed->bus, cx, &groups, &count), RC_OK);
	assert_int_equal(count, 0);
	bus_leave(now);
	bus_leave(from);
}

static void follows_many(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *reader = NULL;

	assert_int_equal(bus_follow(bed->bus, cx, stream_names, STREAM_COUNT, NULL, &reader), RC_OK);
	all_streams(bed, cx, reader, 7);
	bus_leave(reader);
}

/* --- Acknowledging, claiming ---------------------------------------------------- */

static void acknowledges(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *reader = join(bed, cx, "group", "one");
	struct events events;
	struct event some[3];

	put(bed, cx, STREAM_BOOKINGS, 7);
	events = take_these(cx, reader, 1, 6);
	assert_int_equal(group_of(bed, cx, STREAM_BOOKINGS, "group").pending, 6);
	some[0] = events.items[4];
	some[1] = events.items[1];
	some[2] = events.items[2];
	ack(cx, reader, (struct events){some, 3});
	ack(cx, reader, (struct events){some, 3}); /* twice is once */
	assert_int_equal(group_of(bed, cx, STREAM_BOOKINGS, "group").pending, 3);
	some[0] = events.items[0];
	some[1] = events.items[5];
	ack(cx, reader, (struct events){some, 2}); /* and nothing between them */
	claim_these(cx, reader, 0, 4, 1);
	ack(cx, reader, (struct events){&events.items[3], 1});
	claim_these(cx, reader, 0, 1, 0);
	ack(cx, reader, (struct events){events.items, 0});
	assert_int_equal(group_of(bed, cx, STREAM_BOOKINGS, "group").pending, 0);
	take_these(cx, reader, 7, 1);
	bus_leave(reader);
}

static struct event find(struct events events, const char *stream, int64_t sequence)
{
	for (size_t i = 0; i < events.count; i++) {
		if (strcmp(events.items[i].stream, stream) == 0 && events.items[i].sequence == sequence)
			return events.items[i];
	}
	fail_msg("no event %d of %s", (int)sequence, stream);
	return (struct event){.sequence = 0};
}

static void check_pending(struct bed *bed, struct ctx *cx, const char *group, int64_t bookings,
			  int64_t deletions)
{
	assert_int_equal(group_of(bed, cx, STREAM_BOOKINGS, group).pending, bookings);
	assert_int_equal(group_of(bed, cx, STREAM_DELETIONS, group).pending, deletions);
}

/* Of one stream and one group only: the same places are pending elsewhere. */
static void acknowledges_its_own(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *one = join_all(bed, cx, "first", "one"), *two = join_all(bed, cx, "second", "one");
	struct events events;
	struct event some[2];

	put(bed, cx, STREAM_BOOKINGS, 3);
	put(bed, cx, STREAM_DELETIONS, 2);
	events = take(cx, one, 10);
	assert_int_equal(events.count, 5);
	assert_int_equal(take(cx, two, 10).count, 5);
	some[0] = find(events, STREAM_BOOKINGS, 1);
	some[1] = find(events, STREAM_DELETIONS, 2);
	ack(cx, one, (struct events){some, 2});
	check_pending(bed, cx, "first", 2, 1);
	check_pending(bed, cx, "second", 3, 2);
	ack(cx, two, events);
	check_pending(bed, cx, "first", 2, 1);
	check_pending(bed, cx, "second", 0, 0);
	bus_leave(one);
	bus_leave(two);
}

static void claims(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *dead = join(bed, cx, "group", "dead"), *heir = join(bed, cx, "group", "heir");
	struct events claimed = {NULL, 0};

	put(bed, cx, STREAM_BOOKINGS, 4);
	take_these(cx, dead, 1, 3);
	claim_these(cx, heir, 3600000, 1, 0); /* not given up yet */
	assert_int_equal(bus_claim(heir, cx, 2, 0, &claimed), RC_OK);
	assert_int_equal(claimed.count, 2);
	assert_int_equal(claimed.items[0].sequence, 1);
	assert_int_equal(claimed.items[1].sequence, 2);
	take_these(cx, heir, 4, 1); /* what nobody was given comes by take */
	ack(cx, heir, claimed);

	claim_these(cx, heir, 0, 3, 2); /* its own too */
	claim_these(cx, dead, 0, 3, 2);
	claim_these(cx, heir, 3600000, 3, 0); /* idle begins anew */
	bus_leave(dead);
	bus_leave(heir);
}

static void claims_its_own(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *all = join_all(bed, cx, "group", "all"), *one = join(bed, cx, "group", "one"),
			  *other = join_all(bed, cx, "other", "all");

	put(bed, cx, STREAM_BOOKINGS, 2);
	put(bed, cx, STREAM_DELETIONS, 3);
	assert_int_equal(take(cx, all, 10).count, 5);
	claim_these(cx, one, 0, 1, 2); /* those of its streams */
	assert_int_equal(group_of(bed, cx, STREAM_DELETIONS, "group").pending, 3);
	claim_these(cx, other, 0, 1, 0); /* those of its group */
	bus_leave(all);
	bus_leave(one);
	bus_leave(other);
}

/* --- All at once ---------------------------------------------------------------- */

#define FLOOD 10000

static struct {
	unsigned char taken[FLOOD + 1], done[FLOOD + 1];
	bool published;
} flood;

/* Any sequence will do, as long as it is the same each time. */
static unsigned next_chance(unsigned *chance)
{
	*chance = *chance * 1664525 + 1013904223;
	return *chance >> 16;
}

static void flood_in(struct bed *bed, struct ctx *cx)
{
	unsigned chance = 1;

	flood.published = false;
	memset(flood.taken, 0, sizeof(flood.taken));
	memset(flood.done, 0, sizeof(flood.done));
	for (size_t left = FLOOD, count; left > 0; left -= count) {
		count = 1 + next_chance(&chance) % BUS_BATCH;
		if (count > left)
			count = left;
		put(bed, cx, STREAM_BOOKINGS, count);
	}
	flood.published = true;
}

/* Some it forgets, as one that died would. */
static void handle(struct ctx *cx, struct bus_reader *reader, struct event *events, size_t count,
		   unsigned *chance)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (next_chance(chance) % 4 == 0)
			continue;
		assert_in_range(events[i].sequence, 1, FLOOD);
		flood.done[events[i].sequence] = 1;
		events[kept++] = events[i];
	}
	ack(cx, reader, (struct events){events, kept});
}

/* Takes or claims. */
static void work(struct ctx *cx, struct bus_reader *reader, unsigned *chance)
{
	size_t max = 1 + next_chance(chance) % BUS_BATCH;
	struct events events = {NULL, 0};

	if (next_chance(chance) % 2 == 0) {
		assert_int_equal(bus_take(reader, cx, max, 1, &events), RC_OK);
		for (size_t i = 0; i < events.count; i++)
			flood.taken[events.items[i].sequence]++;
	} else {
		assert_int_equal(bus_claim(reader, cx, max, 0, &events), RC_OK);
	}
	handle(cx, reader, events.items, events.count, chance);
}

static void wade(struct bed *bed, struct ctx *cx, const char *consumer)
{
	struct bus_reader *reader = join(bed, cx, "group", consumer);
	unsigned chance = (unsigned)consumer[0];
	struct bus_group group;

	do {
		struct arena arena;
		struct ctx own;

		task_arena(task_self(), &arena);
		task_begin(task_self(), &arena, &own);
		work(&own, reader, &chance);
		group = group_of(bed, &own, STREAM_BOOKINGS, "group");
		arena_finish(&arena);
	} while (!flood.published || group.lag > 0 || group.pending > 0);
	bus_leave(reader);
}

static void wade_one(struct bed *bed, struct ctx *cx)
{
	wade(bed, cx, "one");
}

static void wade_two(struct bed *bed, struct ctx *cx)
{
	wade(bed, cx, "two");
}

static void wade_three(struct bed *bed, struct ctx *cx)
{
	wade(bed, cx, "three");
}

static void nothing_is_lost(struct bed *bed, struct ctx *cx)
{
	struct bus_group group = group_of(bed, cx, STREAM_BOOKINGS, "group");

	for (size_t i = 1; i <= FLOOD; i++) {
		assert_int_equal(flood.taken[i], 1);
		assert_int_equal(flood.done[i], 1);
	}
	assert_int_equal(group.delivered, FLOOD);
	assert_int_equal(group.pending, 0);
	assert_int_equal(group.lag, 0);
}

/* --- Closed and opened again ------------------------------------------------------ */

static void before_closing(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *reader = join(bed, cx, "group", "one");
	struct events events;

	put(bed, cx, STREAM_BOOKINGS, 5);
	events = take_these(cx, reader, 1, 3);
	ack(cx, reader, (struct events){&events.items[0], 1});
	assert_int_equal(bus_bury(reader, cx, &events.items[1], "because", 7), RC_OK);
	bus_leave(reader);
}

static void after_closing(struct bed *bed, struct ctx *cx)
{
	struct bus_group group = group_of(bed, cx, STREAM_BOOKINGS, "group");
	struct bus_reader *reader = join(bed, cx, "group", "one");
	struct bus_dead *dead = NULL;
	size_t count = 0;

	assert_int_equal(group.delivered, 3);
	assert_int_equal(group.pending, 1);
	assert_int_equal(group.lag, 2);
	check_range(bed, cx, STREAM_BOOKINGS, 1, 5);
	take_these(cx, reader, 4, 2);
	claim_these(cx, reader, 0, 3, 3);
	assert_int_equal(bus_dead(bed->bus, cx, 0, 10, &dead, &count), RC_OK);
	assert_int_equal(count, 1);
	assert_int_equal(dead[0].event.sequence, 2);
	put(bed, cx, STREAM_BOOKINGS, 2);
	take_these(cx, reader, 6, 2);
	assert_int_equal(end_of(bed, cx, STREAM_BOOKINGS), 7);
	bus_leave(reader);
}

const struct scene bus_scenes_reading[] = {
	{"two consumers of a group share the events", {shares}},
	{"two groups both get all", {two_groups}},
	{"one reader of many streams", {many_streams}},
	{"a take that nobody answers ends empty", {waits_in_vain}},
	{"a take is woken by what is published", {ping, pong, watches}},
	{"a take ends when the tasks stop", {is_stopped}, {was_stopped}, .stopped = true},
	{"following, from now on and from a place", {follows}},
	{"following many streams", {follows_many}},
	{"what is acknowledged is not pending", {acknowledges}},
	{"acknowledging touches no other group and stream", {acknowledges_its_own}},
	{"what the dead hold is claimed", {claims}},
	{"claiming touches no other group and stream", {claims_its_own}},
	{"10,000 events, and consumers that forget",
	 {flood_in, wade_one, wade_two, wade_three},
	 {nothing_is_lost}},
	{"all is there after closing", {before_closing}, {after_closing}},
	{NULL},
};
