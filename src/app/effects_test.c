/*
 * What follows from events in the rooms user, resource and booking, on real stores: `effects_test
 * sqlite|postgres`. An effect is applied to a script, which is committed, as a consumer does it; then the
 * store is asked.
 */
#include "app/consumers.h"
#include "app/house_test.h"
#include "booking/effects.h"
#include "resource/effects.h"
#include "user/client.h"
#include "user/effects.h"

static bool on_postgres;

static int set_up(void **state)
{
	*state = house_open(on_postgres);
	return 0;
}

static int tear_down(void **state)
{
	house_close(*state);
	return 0;
}

/* --- Events -------------------------------------------------------------------------- */

typedef enum rc effect(struct delivery *delivery, const struct event *event);

static struct event event_of(struct ctx *cx, const char *type, const struct uuid *tenant,
			     const struct uuid *subject, const char *payload)
{
	return (struct event){
		.id = house_id(cx),
		.tenant_id = *tenant,
		.subject_id = *subject,
		.type = type,
		.payload = payload,
		.occurred_at = cx->now,
	};
}

/* Each room has one. */
static const struct consumer_group *group_of(enum room room)
{
	const struct consumer_group *group = app_groups;

	while (group->effects.room != room)
		group++;
	return group;
}

static enum rc deliver(struct ctx *cx, enum room room, effect *apply, const struct event *event)
{
	const struct consumer_group *group = group_of(room);
	struct script script;
	struct delivery delivery = {.cx = cx, .script = &script};
	enum rc rc = RC_OK;

	script_init(&script, cx, room, &event->tenant_id, &event->subject_id);
	if (group->begin != NULL)
		rc = group->begin(&delivery, &event, 1);
	if (rc == RC_OK)
		rc = apply(&delivery, event);
	if (rc == RC_OK && group->finish != NULL)
		rc = group->finish(&delivery);
	return rc == RC_OK && script.count > 0 ? db_write(&script) : rc;
}

/* That a deletion has its effect, and has it once. */
static void delivered(struct ctx *cx, enum room room, effect *apply, const struct uuid *tenant,
		      const struct uuid *subject)
{
	const struct event event = event_of(cx, "x.deleted", tenant, subject, "{}");

	assert_int_equal(deliver(cx, room, apply, &event), RC_OK);
}

/* SELECT count(*) FROM <sql>, where a %s in it is the tenant. */
static int64_t counted(struct house *house, struct ctx *cx, enum room room, const struct uuid *tenant,
		       const char *from)
{
	const char *id = house_literal(house, cx->arena, tenant);
	const char *sql = arena_printf(cx->arena, "SELECT count(*) FROM %s AND t.tenant_id = %s", from, id);

	return strtoll(house_sql(house, cx->arena, room, sql), NULL, 10);
}

/* --- Notifications ----------------------------------------------------------------------- */

static const char *booking_payload(struct ctx *cx, const struct uuid *booking, const struct uuid *user,
				   const struct uuid *resource)
{
	return arena_printf(cx->arena,
			    "{\"booking_id\":\"%s\",\"user_id\":\"%s\",\"resource_id\":\"%s\",\"more\":1}",
			    house_name(cx, booking), house_name(cx, user), house_name(cx, resource));
}

static void notify(struct house *house, struct ctx *cx)
{
	static const char *const types[] = {"booking.created", "booking.cancelled", "booking.status_changed"};
	struct uuid tenant = house_id(cx), user = add_user(cx, &tenant), booking = house_id(cx),
		    other = house_id(cx);
	const char *payload = booking_payload(cx, &booking, &user, &other);
	struct event event;

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		event = event_of(cx, types[i], &tenant, &booking, payload);
		assert_int_equal(deliver(cx, ROOM_user, user_notify, &event), RC_OK);
		/* Again, when nobody remembers that it has been. */
		assert_int_equal(deliver(cx, ROOM_user, user_notify, &event), RC_OK);
	}
	assert_int_equal(counted(house, cx, ROOM_user, &tenant,
				 "notifications t WHERE sent_at IS NULL AND attempts = 0"),
			 3);
	assert_int_equal(
		counted(house, cx, ROOM_user, &tenant,
			arena_printf(cx->arena,
				     "notifications t WHERE type = 'booking.status_changed' AND id = %s "
				     "AND user_id = %s AND booking_id = %s",
				     house_literal(house, cx->arena, &event.id),
				     house_literal(house, cx->arena, &user),
				     house_literal(house, cx->arena, &booking))),
		1);
	event = event_of(cx, types[0], &tenant, &booking, "{\"user_id\":\"x\"}");
	assert_int_equal(deliver(cx, ROOM_user, user_notify, &event), RC_INVALID);
}

static void test_notify(void **state)
{
	house_run(*state, notify);
}

/* --- Metrics -------------------------------------------------------------------------------- */

static void count(struct house *house, struct ctx *cx)
{
	static const struct {
		const char *type;
		utime after;
	} events[] = {
		{"booking.created", 3 * UTIME_SECOND}, {"booking.updated", 9 * UTIME_SECOND},
		{"booking.created", 1 * UTIME_SECOND}, {"booking.updated", 2 * UTIME_SECOND},
		{"booking.updated", 5 * UTIME_SECOND}, {"booking.cancelled", 4 * UTIME_SECOND},
	};
	struct uuid tenant = house_id(cx), resource = house_id(cx), other = house_id(cx);
	struct event event;

	for (size_t i = 0; i < ARRAY_LEN(events); i++) {
		event = event_of(cx, events[i].type, &tenant, &other,
				 booking_payload(cx, &other, &other, &resource));
		event.occurred_at = cx->now + events[i].after;
		assert_int_equal(deliver(cx, ROOM_resource, resource_count, &event), RC_OK);
	}
	event.payload = booking_payload(cx, &other, &other, &other);
	assert_int_equal(deliver(cx, ROOM_resource, resource_count, &event), RC_OK);
	assert_int_equal(counted(house, cx, ROOM_resource, &tenant, "resource_metrics t WHERE 1 = 1"), 2);
	assert_int_equal(
		counted(house, cx, ROOM_resource, &tenant,
			arena_printf(cx->arena,
				     "resource_metrics t WHERE resource_id = %s AND bookings_created "
				     "= 2 AND bookings_updated = 3 AND bookings_cancelled = 1 AND "
				     "last_event_at = %lld",
				     house_literal(house, cx->arena, &resource),
				     (long long)(cx->now + 9 * UTIME_SECOND))),
		1);
	event.payload = "{}";
	assert_int_equal(deliver(cx, ROOM_resource, resource_count, &event), RC_INVALID);
}

static void test_count(void **state)
{
	house_run(*state, count);
}

/* --- A tenant's users, resources and categories ----------------------------------------------- */

#define MANY 210 /* three pages */

static void remove_users(struct house *house, struct ctx *cx)
{
	struct uuid tenant = add_tenant(cx), other = add_tenant(cx), stranger = add_user(cx, &other), user;
	struct user_brief brief;

	for (int i = 0; i < MANY; i++)
		user = add_user(cx, &tenant);
	/* Kept from now on. */
	assert_int_equal(user_brief(cx, &tenant, &user, &brief), RC_OK);
	assert_int_equal(user_brief(cx, &other, &stranger, &brief), RC_OK);
	for (int times = 0; times < 2; times++) {
		delivered(cx, ROOM_user, user_on_tenant_deleted, &tenant, &tenant);
		assert_int_equal(user_brief(cx, &tenant, &user, &brief), RC_USER_UNKNOWN);
		assert_int_equal(counted(house, cx, ROOM_user, &tenant,
					 "users t WHERE deleted_at IS NOT NULL AND password_hash IS NULL AND "
					 "version = 2"),
				 MANY);
		assert_int_equal(
			counted(house, cx, ROOM_user, &tenant,
				"user_outbox o JOIN users t ON t.tenant_id = o.tenant_id AND t.id = "
				"o.subject_id AND t.change_id = o.id AND t.version = o.version WHERE "
				"o.type = 'user.deleted' AND o.stream = 'deletion-events'"),
			MANY);
		assert_int_equal(counted(house, cx, ROOM_user, &tenant, "user_outbox t WHERE 1 = 1"), MANY);
	}
	assert_int_equal(user_brief(cx, &other, &stranger, &brief), RC_OK);
}

static void test_remove_users(void **state)
{
	house_run(*state, remove_users);
}

static void remove_resources(struct house *house, struct ctx *cx)
{
	struct uuid tenant = add_tenant(cx), categories[3], resource;
	struct resource_rules rules;

	for (size_t i = 0; i < ARRAY_LEN(categories); i++)
		categories[i] = add_category(cx, &tenant);
	for (int i = 0; i < MANY; i++)
		resource = add_resource(cx, &tenant, &categories[i % 2]);
	assert_int_equal(resource_rules(cx, &tenant, &resource, &rules), RC_OK);
	for (int times = 0; times < 2; times++) {
		delivered(cx, ROOM_resource, resource_on_tenant_deleted, &tenant, &tenant);
		assert_int_equal(resource_rules(cx, &tenant, &resource, &rules), RC_RESOURCE_UNKNOWN);
		assert_int_equal(
			counted(house, cx, ROOM_resource, &tenant,
				"resource_outbox o JOIN resources t ON t.tenant_id = o.tenant_id AND "
				"t.id = o.subject_id AND t.change_id = o.id AND t.version = "
				"o.version WHERE o.type = 'resource.deleted' AND t.version = 2 AND "
				"t.deleted_at IS NOT NULL"),
			MANY);
		assert_int_equal(counted(house, cx, ROOM_resource, &tenant, "resource_outbox t WHERE 1 = 1"),
				 MANY);
		assert_int_equal(counted(house, cx, ROOM_resource, &tenant,
					 "categories t WHERE deleted_at IS NOT NULL AND version = 2"),
				 ARRAY_LEN(categories));
	}
}

static void test_remove_resources(void **state)
{
	house_run(*state, remove_resources);
}

/* --- Bookings ------------------------------------------------------------------------------------ */

#define FUTURE 130 /* two pages of bookings */
#define PAST   450 /* and two of ids, with the others */

struct agenda {
	struct uuid tenant, user, resource, other_user, other_resource;
};

/* One script of a resource: hours from `first` on, of which each seventh is cancelled already. */
static void add_hours(struct ctx *cx, const struct agenda *agenda, const struct uuid *resource,
		      const struct uuid *user, utime first, int hours)
{
	struct script script;

	open_lock(cx, &agenda->tenant, resource);
	script_init(&script, cx, ROOM_booking, &agenda->tenant, resource);
	script_reserve(&script, 1 + (size_t)hours);
	SCRIPT_ADD(&script, resource_lock, .tenant_id = agenda->tenant, .resource_id = *resource);
	for (int i = 0; i < hours; i++) {
		struct booking row =
			draft_booking(cx, &agenda->tenant, resource, user, first + i * UTIME_HOUR);

		row.status = i % 7 == 3	  ? booking_status_cancelado
			     : i % 2 == 0 ? booking_status_pendente
					  : booking_status_confirmado;
		script_add(&script, &q_booking_insert_query, &row);
	}
	assert_int_equal(db_write(&script), RC_OK);
	for (int i = 0; i < hours; i++)
		assert_int_equal(script.steps[1 + i].rows.count, 1);
}

/* The past, one that runs now, and what is to come; a few of another user there, and of the user elsewhere.
 */
static struct agenda add_agenda(struct ctx *cx)
{
	const struct agenda agenda = {house_id(cx), house_id(cx), house_id(cx), house_id(cx), house_id(cx)};
	utime running = cx->now - UTIME_HOUR / 2;

	add_hours(cx, &agenda, &agenda.resource, &agenda.user, running - PAST * UTIME_HOUR, PAST);
	add_hours(cx, &agenda, &agenda.resource, &agenda.user, running, 1);
	add_hours(cx, &agenda, &agenda.resource, &agenda.user, running + UTIME_HOUR, FUTURE);
	add_hours(cx, &agenda, &agenda.resource, &agenda.other_user, running + 1000 * UTIME_HOUR, 2);
	add_hours(cx, &agenda, &agenda.other_resource, &agenda.user, running + UTIME_HOUR, 3);
	add_hours(cx, &agenda, &agenda.other_resource, &agenda.other_user, running + 50 * UTIME_HOUR, 3);
	return agenda;
}

/* Of so many hours to come, those that were not cancelled before. */
static int64_t active(int hours)
{
	int64_t sum = 0;

	for (int i = 0; i < hours; i++)
		sum += i % 7 != 3;
	return sum;
}

/* So many were cancelled for that reason, each with the event that its row bears, and nothing else changed.
 */
static void check_cancelled(struct house *house, struct ctx *cx, const struct agenda *agenda,
			    const char *reason, int64_t expected)
{
	const char *now = arena_printf(cx->arena, "%lld", (long long)cx->now);
	const char *const from = arena_printf(
		cx->arena,
		"booking_outbox o JOIN bookings t ON t.tenant_id = o.tenant_id AND t.id = o.subject_id "
		"AND t.change_id = o.id AND t.version = o.version WHERE o.type = 'booking.cancelled' AND "
		"t.status = 'cancelado' AND t.version = 2 AND t.cancelled_by = 'sistema' AND "
		"t.cancellation_reason = '%s' AND t.start_time > %s AND t.cancelled_at = %s AND "
		"CAST(o.payload AS TEXT) LIKE '%%%s%%'",
		reason, now, now, reason);

	assert_int_equal(counted(house, cx, ROOM_booking, &agenda->tenant, from), expected);
	assert_int_equal(counted(house, cx, ROOM_booking, &agenda->tenant, "booking_outbox t WHERE 1 = 1"),
			 expected);
	assert_int_equal(counted(house, cx, ROOM_booking, &agenda->tenant, "bookings t WHERE version > 1"),
			 expected);
}

static void resource_deleted(struct house *house, struct ctx *cx)
{
	const struct agenda agenda = add_agenda(cx);
	uint64_t version = db_version(cx->ports[ROOM_booking], &agenda.resource);

	for (int times = 0; times < 2; times++) {
		delivered(cx, ROOM_booking, booking_on_resource_deleted, &agenda.tenant, &agenda.resource);
		check_cancelled(house, cx, &agenda, "Recurso deletado", active(FUTURE) + 2);
	}
	assert_true(db_version(cx->ports[ROOM_booking], &agenda.resource) > version);
}

static void user_deleted(struct house *house, struct ctx *cx)
{
	const struct agenda agenda = add_agenda(cx);
	uint64_t version = db_version(cx->ports[ROOM_booking], &agenda.other_resource);

	for (int times = 0; times < 2; times++) {
		delivered(cx, ROOM_booking, booking_on_user_deleted, &agenda.tenant, &agenda.user);
		check_cancelled(house, cx, &agenda, "Usuário deletado", active(FUTURE) + 3);
	}
	assert_true(db_version(cx->ports[ROOM_booking], &agenda.other_resource) > version);
}

static void tenant_deleted(struct house *house, struct ctx *cx)
{
	const struct agenda agenda = add_agenda(cx), neighbour = add_agenda(cx);
	const int64_t cancelled = active(FUTURE) + 2 + 3 + 3;

	for (int times = 0; times < 2; times++) {
		delivered(cx, ROOM_booking, booking_on_tenant_deleted, &agenda.tenant, &agenda.tenant);
		check_cancelled(house, cx, &agenda, "Tenant deletado", cancelled);
		assert_int_equal(counted(house, cx, ROOM_booking, &agenda.tenant,
					 "bookings t WHERE deleted_at IS NULL"),
				 0);
		/* Its users and resources follow, and find nothing to do. */
		delivered(cx, ROOM_booking, booking_on_user_deleted, &agenda.tenant, &agenda.user);
		delivered(cx, ROOM_booking, booking_on_resource_deleted, &agenda.tenant, &agenda.resource);
	}
	assert_int_equal(counted(house, cx, ROOM_booking, &agenda.tenant, "gone t WHERE 1 = 1"), 1);
	check_cancelled(house, cx, &neighbour, "-", 0);
}

static void test_resource_deleted(void **state)
{
	house_run(*state, resource_deleted);
}

static void test_user_deleted(void **state)
{
	house_run(*state, user_deleted);
}

static void test_tenant_deleted(void **state)
{
	house_run(*state, tenant_deleted);
}

/* --- Who is gone -------------------------------------------------------------------------------- */

/* Whether that statement lets the row in. */
static bool let_in(struct ctx *cx, const struct query *query, const struct booking *row)
{
	struct script script;
	struct step *step;

	script_init(&script, cx, ROOM_booking, &row->tenant_id, &row->resource_id);
	SCRIPT_ADD(&script, resource_lock, .tenant_id = row->tenant_id, .resource_id = row->resource_id);
	step = script_add(&script, query, row);
	assert_int_equal(db_write(&script), RC_OK);
	return step->rows.count > 0;
}

/* A new booking, which may share the place or not. */
static bool booked(struct ctx *cx, const struct agenda *agenda, const struct uuid *resource,
		   const struct uuid *user, int64_t capacity)
{
	static utime day = 2000 * UTIME_HOUR;
	struct booking row = draft_booking(cx, &agenda->tenant, resource, user, cx->now + day);

	day += 2 * UTIME_HOUR;
	row.capacity = capacity;
	return let_in(cx, capacity > 1 ? &q_booking_insert_shared_query : &q_booking_insert_query, &row);
}

static struct booking *any_booking(struct ctx *cx, const struct agenda *agenda, const struct uuid *resource,
				   const struct uuid *user)
{
	const struct booking_page in = {.tenant_id = agenda->tenant,
					.user_id = *user,
					.resource_id = *resource,
					.earliest = cx->now,
					.until_start = UTIME_MAX,
					.after_start = INT64_MIN,
					.ends_after = UTIME_MIN,
					.status = "pendente",
					.limit = 1};
	struct booking *row = NULL;
	size_t found;

	assert_int_equal(q_bookings_of_user_at(cx, &in, &row, &found), RC_OK);
	assert_int_equal(found, 1);
	row->change_id = house_id(cx);
	return row;
}

static enum rc why(struct ctx *cx, const struct agenda *agenda, const struct uuid *resource,
		   const struct uuid *user)
{
	const struct booking row = {.tenant_id = agenda->tenant, .resource_id = *resource, .user_id = *user};

	return booking_gone(cx, &row);
}

static void gone_user(struct house *house, struct ctx *cx)
{
	const struct agenda agenda = add_agenda(cx);
	struct booking *row;

	(void)house;
	delivered(cx, ROOM_booking, booking_on_user_deleted, &agenda.tenant, &agenda.user);
	for (int64_t capacity = 1; capacity <= 2; capacity++) {
		assert_false(booked(cx, &agenda, &agenda.resource, &agenda.user, capacity));
		assert_true(booked(cx, &agenda, &agenda.resource, &agenda.other_user, capacity));
	}
	assert_int_equal(why(cx, &agenda, &agenda.resource, &agenda.user), RC_USER_UNKNOWN);
	assert_int_equal(why(cx, &agenda, &agenda.resource, &agenda.other_user), RC_CHANGED_MEANWHILE);

	/* Neither does he get another's, whether it moves or not. */
	row = any_booking(cx, &agenda, &agenda.resource, &agenda.other_user);
	row->user_id = agenda.user;
	row->start_time += 24 * UTIME_HOUR;
	row->end_time += 24 * UTIME_HOUR;
	row->capacity = 2;
	assert_false(let_in(cx, &q_booking_move_query, row));
	assert_false(let_in(cx, &q_booking_move_shared_query, row));
	assert_false(let_in(cx, &q_booking_update_query, row));
	row->user_id = agenda.other_user;
	assert_true(let_in(cx, &q_booking_update_query, row));
}

static void gone_resource(struct house *house, struct ctx *cx)
{
	const struct agenda agenda = add_agenda(cx);
	struct booking *row;

	(void)house;
	delivered(cx, ROOM_booking, booking_on_resource_deleted, &agenda.tenant, &agenda.resource);
	assert_false(booked(cx, &agenda, &agenda.resource, &agenda.user, 1));
	assert_false(booked(cx, &agenda, &agenda.resource, &agenda.user, 2));
	assert_true(booked(cx, &agenda, &agenda.other_resource, &agenda.user, 1));
	assert_int_equal(why(cx, &agenda, &agenda.resource, &agenda.user), RC_RESOURCE_UNKNOWN);

	row = any_booking(cx, &agenda, &agenda.other_resource, &agenda.user);
	row->resource_id = agenda.resource;
	row->capacity = 2;
	assert_false(let_in(cx, &q_booking_move_query, row));
	assert_false(let_in(cx, &q_booking_move_shared_query, row));
	row->resource_id = agenda.other_resource;
	assert_true(let_in(cx, &q_booking_move_query, row));
}

static void gone_tenant(struct house *house, struct ctx *cx)
{
	const struct agenda agenda = add_agenda(cx);

	(void)house;
	delivered(cx, ROOM_booking, booking_on_tenant_deleted, &agenda.tenant, &agenda.tenant);
	assert_false(booked(cx, &agenda, &agenda.resource, &agenda.user, 1));
	assert_false(booked(cx, &agenda, &agenda.other_resource, &agenda.other_user, 2));
	assert_int_equal(why(cx, &agenda, &agenda.resource, &agenda.user), RC_TENANT_UNKNOWN);
}

static void test_gone(void **state)
{
	house_run(*state, gone_user);
	house_run(*state, gone_resource);
	house_run(*state, gone_tenant);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notify),		 cmocka_unit_test(test_count),
		cmocka_unit_test(test_remove_users),	 cmocka_unit_test(test_remove_resources),
		cmocka_unit_test(test_resource_deleted), cmocka_unit_test(test_user_deleted),
		cmocka_unit_test(test_tenant_deleted),	 cmocka_unit_test(test_gone),
	};

	on_postgres = argc > 1 && strcmp(argv[1], "postgres") == 0;
	if (on_postgres && getenv("MARCA_TEST_PG") == NULL) {
		fprintf(stderr, "\n*** NOT TESTED on PostgreSQL: MARCA_TEST_PG is not set ***\n\n");
		return 77; /* meson's word for skipped */
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
