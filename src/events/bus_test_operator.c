/* Scenes of bus_test.c: dead letters, and what an operator and the janitor rely on. */
#include "events/bus_fixture.h"

static struct bus_dead *letters(struct bed *bed, struct ctx *cx, int64_t after, size_t max, size_t expected)
{
	struct bus_dead *dead = NULL;
	size_t count = expected + 1;

	assert_int_equal(bus_dead(bed->bus, cx, after, max, &dead, &count), RC_OK);
	assert_int_equal(count, expected);
	return dead;
}

static void bury(struct ctx *cx, struct bus_reader *reader, const struct event *event, const char *why)
{
	assert_int_equal(bus_bury(reader, cx, event, why, 5), RC_OK);
}

static bool revive(struct bed *bed, struct ctx *cx, int64_t number)
{
	bool found = false;

	assert_int_equal(bus_revive(bed->bus, cx, number, &found), RC_OK);
	return found;
}

static bool drop(struct bed *bed, struct ctx *cx, int64_t number)
{
	bool found = false;

	assert_int_equal(bus_drop(bed->bus, cx, number, &found), RC_OK);
	return found;
}

static bool seek(struct bed *bed, struct ctx *cx, const char *group, int64_t after)
{
	bool found = false;

	assert_int_equal(bus_seek(bed->bus, cx, STREAM_BOOKINGS, group, after, &found), RC_OK);
	return found;
}

/* All there is to trim, in as many calls as it takes. */
static int64_t trim(struct bed *bed, struct ctx *cx, utime before)
{
	int64_t total = 0, dropped;

	do {
		dropped = -1;
		assert_int_equal(bus_trim(bed->bus, cx, STREAM_BOOKINGS, before, &dropped), RC_OK);
		assert_true(dropped >= 0);
		total += dropped;
	} while (dropped > 0);
	return total;
}

/* --- Dead letters --------------------------------------------------------------- */

static void buries(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *reader = join(bed, cx, "group", "one");
	const struct bus_dead *dead;
	struct events events;

	letters(bed, cx, 0, 10, 0);
	put(bed, cx, STREAM_BOOKINGS, 4);
	events = take_these(cx, reader, 1, 3);
	bury(cx, reader, &events.items[1], "não dá: \"x\"");
	assert_int_equal(group_of(bed, cx, STREAM_BOOKINGS, "group").pending, 2);
	bury(cx, reader, &events.items[0], "b");
	bury(cx, reader, &events.items[2], "c");
	claim_these(cx, reader, 0, 1, 0);
	take_these(cx, reader, 4, 1);

	dead = letters(bed, cx, 0, 10, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(dead[i].number, i + 1);
		assert_string_equal(dead[i].group, "group");
		assert_int_equal(dead[i].tries, 5);
		assert_in_range(dead[i].buried_at, cx->now - UTIME_SECOND, cx->now + UTIME_HOUR);
	}
	assert_string_equal(dead[0].why, "não dá: \"x\"");
	assert_int_equal(dead[0].event.sequence, 2);
	check_same(&dead[0].event, &events.items[1]);
	dead = letters(bed, cx, 1, 1, 1);
	assert_int_equal(dead[0].number, 2);
	letters(bed, cx, 3, 10, 0);
	bus_leave(reader);
}

static void drops(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *reader = join(bed, cx, "group", "one");
	struct events events;

	put(bed, cx, STREAM_BOOKINGS, 3);
	events = take_these(cx, reader, 1, 3);
	bury(cx, reader, &events.items[0], "a");
	bury(cx, reader, &events.items[1], "b");
	assert_true(drop(bed, cx, 2));
	assert_false(drop(bed, cx, 2));
	assert_false(drop(bed, cx, 9));
	assert_int_equal(letters(bed, cx, 0, 10, 1)->number, 1);
	bury(cx, reader, &events.items[2], "c");
	assert_int_equal(letters(bed, cx, 1, 10, 1)->number, 3); /* not a number that an operator has seen */
	claim_these(cx, reader, 0, 1, 0);
	bus_leave(reader);
}

static void revives(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *reader = join(bed, cx, "group", "one"), *other = join(bed, cx, "other", "one");
	struct events events;

	put(bed, cx, STREAM_BOOKINGS, 3);
	take_these(cx, other, 1, 3);
	events = take_these(cx, reader, 1, 3);
	bury(cx, reader, &events.items[1], "a");
	assert_false(revive(bed, cx, 2));
	assert_true(revive(bed, cx, 1));
	assert_false(revive(bed, cx, 1));
	letters(bed, cx, 0, 10, 0);
	assert_int_equal(group_of(bed, cx, STREAM_BOOKINGS, "group").pending, 3);
	assert_int_equal(group_of(bed, cx, STREAM_BOOKINGS, "other").pending, 3);
	take_these(cx, reader, 4, 0);
	/* At once, while what was taken is still another's. */
	check_same(&claim_these(cx, reader, 3600000, 2, 1).items[0], &events.items[1]);
	claim_these(cx, reader, 3600000, 2, 0);
	bury(cx, reader, &events.items[1], "again");
	assert_int_equal(letters(bed, cx, 0, 10, 1)->number, 2);
	bus_leave(reader);
	bus_leave(other);
}

/* Its event is gone: the letter is all that is left of it. */
static void does_not_revive(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *reader = join(bed, cx, "group", "one");
	struct events events;

	put_at(bed, cx, STREAM_BOOKINGS, 2, 1000);
	events = take_these(cx, reader, 1, 2);
	bury(cx, reader, &events.items[0], "a");
	assert_int_equal(trim(bed, cx, 2000), 1);
	assert_false(revive(bed, cx, 1));
	letters(bed, cx, 0, 10, 1);
	claim_these(cx, reader, 0, 2, 1);
	assert_true(drop(bed, cx, 1));
	bus_leave(reader);
}

/* Given back to a group that will be given it in any case: once. */
static void revives_after_seek(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *reader = join(bed, cx, "group", "one");
	struct events events;

	put(bed, cx, STREAM_BOOKINGS, 3);
	events = take_these(cx, reader, 1, 3);
	bury(cx, reader, &events.items[1], "a");
	assert_true(seek(bed, cx, "group", 0));
	assert_true(revive(bed, cx, 1));
	letters(bed, cx, 0, 10, 0);
	events = take_these(cx, reader, 1, 3);
	ack(cx, reader, events);
	claim_these(cx, reader, 0, 1, 0);
	bus_leave(reader);
}

/* --- Looking --------------------------------------------------------------------- */

static void ranges(struct bed *bed, struct ctx *cx)
{
	struct events events = {NULL, 1};

	assert_int_equal(bus_range(bed->bus, cx, STREAM_BOOKINGS, 0, 10, &events), RC_OK);
	assert_int_equal(events.count, 0);
	put(bed, cx, STREAM_BOOKINGS, 6);
	assert_int_equal(bus_range(bed->bus, cx, STREAM_BOOKINGS, 2, 3, &events), RC_OK);
	assert_int_equal(events.count, 3);
	assert_int_equal(events.items[0].sequence, 3);
	assert_int_equal(events.items[2].sequence, 5);
	assert_int_equal(bus_range(bed->bus, cx, STREAM_BOOKINGS, 6, 3, &events), RC_OK);
	assert_int_equal(events.count, 0);
	assert_int_equal(end_of(bed, cx, STREAM_BOOKINGS), 6);
}

static void lists_groups(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *reader = join(bed, cx, "group", "one"), *all = join_all(bed, cx, "other", "one");
	struct bus_group *groups = NULL, group;
	size_t count = 0;

	put(bed, cx, STREAM_BOOKINGS, 5);
	ack(cx, reader, take_these(cx, reader, 1, 2));
	take_these(cx, reader, 3, 1);
	assert_int_equal(bus_groups(bed->bus, cx, &groups, &count), RC_OK);
	assert_int_equal(count, 1 + STREAM_COUNT);
	group = group_of(bed, cx, STREAM_BOOKINGS, "group");
	assert_int_equal(group.delivered, 3);
	assert_int_equal(group.pending, 1);
	assert_int_equal(group.lag, 2);
	group = group_of(bed, cx, STREAM_BOOKINGS, "other");
	assert_int_equal(group.delivered, 0);
	assert_int_equal(group.pending, 0);
	assert_int_equal(group.lag, 5);
	assert_int_equal(group_of(bed, cx, STREAM_TENANTS, "other").lag, 0);
	bus_leave(reader);
	bus_leave(all);
}

static struct bus_pending *pendings(struct bed *bed, struct ctx *cx, const char *group, size_t max,
				    size_t expected)
{
	struct bus_pending *pending = NULL;
	size_t count = expected + 1;

	assert_int_equal(bus_pending(bed->bus, cx, group, max, &pending, &count), RC_OK);
	assert_int_equal(count, expected);
	return pending;
}

static void lists_pending(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *one = join(bed, cx, "group", "one"), *two = join(bed, cx, "group", "two"),
			  *other = join_all(bed, cx, "other", "three");
	struct events claimed = {NULL, 0};
	struct bus_pending *list;

	pendings(bed, cx, NULL, 10, 0);
	put(bed, cx, STREAM_BOOKINGS, 3);
	put(bed, cx, STREAM_DELETIONS, 2);
	take_these(cx, one, 1, 2);
	take_these(cx, two, 3, 1);
	assert_int_equal(take(cx, other, 10).count, 5);

	list = pendings(bed, cx, "group", 10, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(list[i].stream, STREAM_BOOKINGS);
		assert_string_equal(list[i].group, "group");
		assert_string_equal(list[i].consumer, i < 2 ? "one" : "two");
		assert_int_equal(list[i].sequence, i + 1);
		assert_int_equal(list[i].deliveries, 1);
		assert_in_range(list[i].idle_ms, 0, 3600000);
	}
	assert_int_equal(pendings(bed, cx, "group", 1, 1)->sequence, 1);
	pendings(bed, cx, "other", 10, 5);
	pendings(bed, cx, NULL, 10, 8);
	pendings(bed, cx, NULL, 7, 7);
	pendings(bed, cx, "nobody", 10, 0);

	assert_int_equal(bus_claim(two, cx, 1, 0, &claimed), RC_OK);
	assert_int_equal(claimed.count, 1);
	list = pendings(bed, cx, "group", 10, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(list[i].deliveries, list[i].sequence == 1 ? 2 : 1);
		assert_string_equal(list[i].consumer, list[i].sequence == 2 ? "one" : "two");
	}
	bus_leave(one);
	bus_leave(two);
	bus_leave(other);
}

/* --- Going back -------------------------------------------------------------------- */

static void seeks(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *reader = join(bed, cx, "group", "one"), *other = join(bed, cx, "other", "one");
	struct events events;

	put(bed, cx, STREAM_BOOKINGS, 6);
	events = take_these(cx, reader, 1, 5);
	ack(cx, reader, (struct events){events.items + 1, 2}); /* 2 and 3 */
	take_these(cx, other, 1, 5);
	assert_false(seek(bed, cx, "nobody", 0));
	assert_true(seek(bed, cx, "group", 2));
	assert_int_equal(group_of(bed, cx, STREAM_BOOKINGS, "group").delivered, 2);
	assert_int_equal(group_of(bed, cx, STREAM_BOOKINGS, "group").lag, 4);
	assert_int_equal(group_of(bed, cx, STREAM_BOOKINGS, "group").pending, 1);
	events = take_these(cx, reader, 3, 4);
	take_these(cx, reader, 7, 0);
	ack(cx, reader, events);
	claim_these(cx, reader, 0, 1, 1); /* which it holds since before */
	assert_int_equal(group_of(bed, cx, STREAM_BOOKINGS, "other").delivered, 5);
	assert_int_equal(group_of(bed, cx, STREAM_BOOKINGS, "other").pending, 5);
	bus_leave(reader);
	bus_leave(other);
}

static void seeks_forward(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *reader = join(bed, cx, "group", "one");

	put(bed, cx, STREAM_BOOKINGS, 6);
	assert_true(seek(bed, cx, "group", 4));
	take_these(cx, reader, 5, 1);
	assert_true(seek(bed, cx, "group", 6));
	take_these(cx, reader, 7, 0);
	put(bed, cx, STREAM_BOOKINGS, 1);
	take_these(cx, reader, 7, 1);
	bus_leave(reader);
}

/* --- Trimming ------------------------------------------------------------------------ */

static void trims(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *fast = join(bed, cx, "fast", "one"), *slow = join(bed, cx, "slow", "one");
	struct events events;

	put_at(bed, cx, STREAM_BOOKINGS, 10, 1000);
	ack(cx, fast, take_these(cx, fast, 1, 10));
	assert_int_equal(trim(bed, cx, cx->now), 0); /* not given yet */
	events = take_these(cx, slow, 1, 6);
	ack(cx, slow, (struct events){events.items, 3});
	ack(cx, slow, (struct events){events.items + 4, 1});
	assert_int_equal(trim(bed, cx, cx->now), 3); /* the fourth is pending */
	check_range(bed, cx, STREAM_BOOKINGS, 4, 7);
	ack(cx, slow, (struct events){events.items + 3, 1});
	ack(cx, slow, (struct events){events.items + 5, 1});
	assert_int_equal(trim(bed, cx, cx->now), 3); /* the seventh was not given */
	check_range(bed, cx, STREAM_BOOKINGS, 7, 4);
	ack(cx, slow, take_these(cx, slow, 7, 4));
	assert_int_equal(trim(bed, cx, cx->now), 4);
	check_range(bed, cx, STREAM_BOOKINGS, 1, 0);
	assert_int_equal(end_of(bed, cx, STREAM_BOOKINGS), 10);
	assert_int_equal(group_of(bed, cx, STREAM_BOOKINGS, "slow").lag, 0);
	bus_leave(fast);
	bus_leave(slow);
}

/* In the next act: places, and sources, go on. */
static void goes_on_after_trim(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *reader, *late;

	assert_int_equal(end_of(bed, cx, STREAM_BOOKINGS), 10);
	put(bed, cx, STREAM_BOOKINGS, 2);
	reader = join(bed, cx, "slow", "one");
	take_these(cx, reader, 11, 2);
	late = join(bed, cx, "late", "one");
	assert_int_equal(group_of(bed, cx, STREAM_BOOKINGS, "late").lag, 2);
	take_these(cx, late, 11, 2);
	bus_leave(reader);
	bus_leave(late);
}

/* Without a group there is no floor. */
static void trims_by_age(struct bed *bed, struct ctx *cx)
{
	put_at(bed, cx, STREAM_BOOKINGS, 3, 1000);
	put_at(bed, cx, STREAM_BOOKINGS, 1, 5000);
	put_at(bed, cx, STREAM_BOOKINGS, 3, 1003);
	put_at(bed, cx, STREAM_DELETIONS, 3, 1000);
	assert_int_equal(trim(bed, cx, 1000), 0);
	assert_int_equal(trim(bed, cx, 1002), 2);
	check_range(bed, cx, STREAM_BOOKINGS, 3, 5);
	assert_int_equal(trim(bed, cx, 5000), 1); /* what lies behind a younger one waits for it */
	check_range(bed, cx, STREAM_BOOKINGS, 4, 4);
	assert_int_equal(trim(bed, cx, 5001), 4);
	check_range(bed, cx, STREAM_DELETIONS, 1, 3);
}

static void trims_many(struct bed *bed, struct ctx *cx)
{
	for (int i = 0; i < 20; i++)
		put_at(bed, cx, STREAM_BOOKINGS, 250, 1000);
	put(bed, cx, STREAM_BOOKINGS, 5);
	assert_int_equal(trim(bed, cx, 2000), 5000);
	check_range(bed, cx, STREAM_BOOKINGS, 5001, 5);
}

static void trims_letters(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *reader = join(bed, cx, "group", "one");
	struct events events;
	int64_t dropped;

	put(bed, cx, STREAM_BOOKINGS, 2);
	events = take_these(cx, reader, 1, 2);
	bury(cx, reader, &events.items[0], "a");
	bury(cx, reader, &events.items[1], "b");
	assert_int_equal(bus_trim(bed->bus, cx, STREAM_BOOKINGS, cx->now - UTIME_HOUR, &dropped), RC_OK);
	letters(bed, cx, 0, 10, 2);
	assert_int_equal(bus_trim(bed->bus, cx, STREAM_BOOKINGS, cx->now + UTIME_HOUR, &dropped), RC_OK);
	letters(bed, cx, 0, 10, 0);
	bus_leave(reader);
}

/* Only what every group has had, and only of that subject; of a tenant as a whole likewise. */
static bool forget(struct bed *bed, struct ctx *cx, struct bus_subject subject)
{
	bool left = true;

	assert_int_equal(bus_forget(bed->bus, cx, STREAM_BOOKINGS, &subject, 1, &left), RC_OK);
	return !left;
}

static void forgets(struct bed *bed, struct ctx *cx)
{
	const struct bus_subject subject = {source_b, source_a}, other = {source_b, source_b},
				 all = {source_b, UUID_NONE};
	struct bus_reader *reader = join(bed, cx, "group", "one");
	struct events events;

	put(bed, cx, STREAM_BOOKINGS, 5);
	put(bed, cx, STREAM_DELETIONS, 1);
	events = take_these(cx, reader, 1, 3);
	assert_false(forget(bed, cx, subject));
	check_range(bed, cx, STREAM_BOOKINGS, 1, 5);

	bury(cx, reader, &events.items[1], "x");
	ack(cx, reader, events);
	assert_true(forget(bed, cx, other));
	check_range(bed, cx, STREAM_BOOKINGS, 1, 5);
	letters(bed, cx, 0, 10, 1);
	assert_false(forget(bed, cx, subject));
	check_range(bed, cx, STREAM_BOOKINGS, 4, 2);
	letters(bed, cx, 0, 10, 0);

	ack(cx, reader, take_these(cx, reader, 4, 2));
	assert_true(forget(bed, cx, all));
	check_range(bed, cx, STREAM_BOOKINGS, 6, 0);
	check_range(bed, cx, STREAM_DELETIONS, 1, 1);
	put(bed, cx, STREAM_BOOKINGS, 1);
	take_these(cx, reader, 6, 1);
	bus_leave(reader);
}

const struct scene bus_scenes_operator[] = {
	{"forgetting waits for every group", {forgets}},
	{"what is buried is a dead letter", {buries}},
	{"a dropped letter is gone", {drops}},
	{"a revived letter is claimed at once", {revives}},
	{"a letter whose event is gone stays", {does_not_revive}},
	{"a letter revived after a seek is given once", {revives_after_seek}},
	{"ranges", {ranges}},
	{"groups are listed", {lists_groups}},
	{"what is pending is listed", {lists_pending}},
	{"a group goes back", {seeks}},
	{"a group goes forward", {seeks_forward}},
	{"trimming waits for every group", {trims}, {goes_on_after_trim}},
	{"trimming keeps what is young", {trims_by_age}},
	{"trimming thousands", {trims_many}},
	{"trimming drops old letters", {trims_letters}},
	{NULL},
};
