/* Scenes of bus_test.c for the embedded bus alone: its clock, and other processes at its store. */
#include "events/bus_fixture.h"

#include "events/queries.h"

/* --- Time ----------------------------------------------------------------------- */

static void clock_runs(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *reader = join(bed, cx, "group", "one");

	put(bed, cx, STREAM_BOOKINGS, 4);
	take_these(cx, reader, 1, 2);
	bed->world.shift += 30 * UTIME_MINUTE;
	take_these(cx, reader, 3, 2);
	claim_these(cx, reader, 3600000, 1, 0);
	bed->world.shift += 31 * UTIME_MINUTE;
	claim_these(cx, reader, 3600000, 1, 2);
	bed->world.shift += 31 * UTIME_MINUTE;
	claim_these(cx, reader, 3600000, 3, 2);
	bus_leave(reader);
}

/* A process that ended in the future; the clock of the next one is right. */
static void clock_ahead(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *reader = join(bed, cx, "group", "one");

	put(bed, cx, STREAM_BOOKINGS, 3);
	bed->world.shift = 30 * UTIME_DAY;
	take_these(cx, reader, 1, 2);
	bed->world.shift = 0;
	bus_leave(reader);
}

static void clock_set_back(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *reader = join(bed, cx, "group", "two");

	take_these(cx, reader, 3, 1);
	claim_these(cx, reader, 3600000, 1, 2);
	claim_these(cx, reader, 3600000, 1, 0);
	bus_leave(reader);
}

/* --- Another process ---------------------------------------------------------------- */

/* As `marca events` opens it: its own bus, its own way into the store. Nobody here is rung. */
struct guest {
	struct bed bed;
	struct db_port *ports[ROOM_COUNT];
	struct ctx cx;
};

static void guest_open(struct guest *guest, const struct bed *owner, const struct ctx *cx)
{
	const struct db_options options = {.url = owner->url,
					   .group_max = 1,
					   .guest = true,
					   .world = &owner->world};
	const struct bus_options bus = {.tasks = owner->tasks};

	*guest = (struct guest){.cx = *cx};
	assert_int_equal(db_open(&events_queries, &options, &guest->bed.db), RC_OK);
	guest->ports[ROOM_events] = db_port_open(guest->bed.db);
	assert_non_null(guest->ports[ROOM_events]);
	guest->cx.ports = guest->ports;
	assert_int_equal(bus_create(&bus, &guest->bed.bus), RC_OK);
}

static void guest_close(struct guest *guest)
{
	bus_destroy(guest->bed.bus);
	db_port_close(guest->ports[ROOM_events]);
	db_close(guest->bed.db);
}

static bool joined; /* the owner */

static void owner(struct bed *bed, struct ctx *cx)
{
	struct bus_reader *reader = join(bed, cx, "group", "one");
	struct events events = {NULL, 0};

	joined = true;
	for (int64_t i = 1; i <= 2; i++) {
		assert_int_equal(bus_take(reader, cx, 10, 60000, &events), RC_OK);
		assert_int_equal(events.count, 1);
		assert_int_equal(events.items[0].sequence, 1);
		ack(cx, reader, events);
	}
	put(bed, cx, STREAM_BOOKINGS, 1); /* after what another process has published */
	take_these(cx, reader, 2, 1);
	bus_leave(reader);
}

static void operator(struct bed *bed, struct ctx *cx)
{
	struct guest guest;
	bool found = false;

	while (!joined)
		(void)task_wait(task_self(), 10);
	guest_open(&guest, bed, cx);
	put(&guest.bed, &guest.cx, STREAM_BOOKINGS, 1);
	while (group_of(&guest.bed, &guest.cx, STREAM_BOOKINGS, "group").delivered == 0 ||
	       group_of(&guest.bed, &guest.cx, STREAM_BOOKINGS, "group").pending > 0) {
		db_port_rest(guest.ports[ROOM_events]);
		(void)task_wait(task_self(), 10);
	}
	assert_int_equal(bus_seek(guest.bed.bus, &guest.cx, STREAM_BOOKINGS, "group", 0, &found), RC_OK);
	assert_true(found);
	guest_close(&guest);
}

const struct scene bus_scenes_embedded[] = {{"idle is measured by the world's clock", {clock_runs}},
					    {"what was taken in the future is idle",
					     {clock_ahead},
					     {clock_set_back}},
					    {"another process publishes and seeks",
					     {
						     owner,
						     operator} },
					     {NULL},
					    };
