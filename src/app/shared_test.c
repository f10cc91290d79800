/*
 * What is kept of a store, and what waits for what, where other processes may write it too: `shared_test
 * sqlite|postgres`. The other process is a connection of our own to PostgreSQL; on SQLite there is none.
 */
#include "app/house_test.h"
#include "booking/effects.h"
#include "user/client.h"

#include <pthread.h>

static int set_up(void **state)
{
	*state = house_open(false);
	return 0;
}

static int set_up_postgres(void **state)
{
	*state = house_open(true);
	return 0;
}

static int tear_down(void **state)
{
	house_close(*state);
	return 0;
}

/* --- What is kept ----------------------------------------------------------------- */

struct parties_ids {
	struct uuid tenant, user, category, resource;
};

/* What the three clients say of them. */
struct answers {
	enum rc tenant, user, resource;
	bool tenant_active, user_active, available;
};

static struct answers ask(struct ctx *cx, const struct parties_ids *ids)
{
	struct tenant_rules tenant = {.is_active = false};
	struct resource_rules resource = {.is_available = false};
	struct user_brief user = {.is_active = false};
	struct answers answers;

	answers.tenant = tenant_rules(cx, &ids->tenant, &tenant);
	answers.user = user_brief(cx, &ids->tenant, &ids->user, &user);
	answers.resource = resource_rules(cx, &ids->tenant, &ids->resource, &resource);
	answers.tenant_active = tenant.is_active;
	answers.user_active = user.is_active;
	answers.available = resource.is_available;
	return answers;
}

static void all_answer(struct ctx *cx, const struct parties_ids *ids, bool as_made)
{
	struct answers answers = ask(cx, ids);

	assert_int_equal(answers.tenant, RC_OK);
	assert_int_equal(answers.user, RC_OK);
	assert_int_equal(answers.resource, RC_OK);
	assert_int_equal(answers.tenant_active, as_made);
	assert_int_equal(answers.user_active, !as_made);
	assert_int_equal(answers.available, as_made);
}

static struct parties_ids add_parties(struct ctx *cx)
{
	struct parties_ids ids = {.tenant = add_tenant(cx)};

	ids.user = add_user(cx, &ids.tenant);
	ids.category = add_category(cx, &ids.tenant);
	ids.resource = add_resource(cx, &ids.tenant, &ids.category);
	return ids;
}

/* As another process would, of which we hear nothing. */
static void change_elsewhere(struct house *house, struct ctx *cx, const struct parties_ids *ids, bool as_made)
{
	const char *id = house_literal(house, cx->arena, &ids->tenant);
	const char *yes = as_made ? "TRUE" : "FALSE", *no = as_made ? "FALSE" : "TRUE";
	struct arena *arena = cx->arena;

	house_sql(house, arena, ROOM_tenant,
		  arena_printf(arena, "UPDATE tenants SET is_active = %s WHERE tenant_id = %s", yes, id));
	house_sql(house, arena, ROOM_user,
		  arena_printf(arena, "UPDATE users SET is_active = %s WHERE tenant_id = %s", no, id));
	house_sql(house, arena, ROOM_resource,
		  arena_printf(arena, "UPDATE resources SET status = '%s' WHERE tenant_id = %s",
			       as_made ? "disponivel" : "manutencao", id));
}

/* By a script of ours: what a handler does last before it replies. */
static void change_here(struct ctx *cx, const struct parties_ids *ids)
{
	const struct q_user_remove_in user = {ids->tenant, ids->user, 1, cx->now, ids->user};
	const struct q_tenant_remove_in tenant = {ids->tenant, 1, cx->now, ids->tenant};
	struct script script;

	house_write(cx, ROOM_user, &ids->tenant, &ids->user, &q_user_remove_query, &user);
	house_write(cx, ROOM_tenant, &ids->tenant, &ids->tenant, &q_tenant_remove_query, &tenant);
	resource_script(&script, cx, &ids->tenant, &ids->category, 1);
	SCRIPT_ADD(&script, resource_remove, .tenant_id = ids->tenant, .id = ids->resource, .version = 1,
		   .deleted_at = cx->now, .change_id = ids->resource);
	assert_int_equal(db_write(&script), RC_OK);
}

static void own_changes_are_seen(struct house *house, struct ctx *cx)
{
	struct parties_ids ids = add_parties(cx), unborn = ids;
	struct answers answers;

	(void)house;
	all_answer(cx, &ids, true);
	all_answer(cx, &ids, true);
	change_here(cx, &ids);
	answers = ask(cx, &ids);
	assert_int_equal(answers.tenant, RC_TENANT_UNKNOWN);
	assert_int_equal(answers.user, RC_USER_UNKNOWN);
	assert_int_equal(answers.resource, RC_RESOURCE_UNKNOWN);

	/* Who is not known yet is asked for again. */
	unborn.user = house_id(cx);
	assert_int_equal(ask(cx, &unborn).user, RC_USER_UNKNOWN);
	ids = add_parties(cx);
	all_answer(cx, &ids, true);
}

static void test_own_changes(void **state)
{
	house_run(*state, own_changes_are_seen);
}

static void an_end_comes(struct house *house, struct ctx *cx)
{
	const struct parties_ids ids = add_parties(cx);

	all_answer(cx, &ids, true);
	change_elsewhere(house, cx, &ids, false);
	all_answer(cx, &ids, true); /* kept */
	cx->now += house->app.config.cache_ttl * UTIME_SECOND - 1;
	all_answer(cx, &ids, true);
	cx->now++;
	all_answer(cx, &ids, false);
	/* And kept anew. */
	change_elsewhere(house, cx, &ids, true);
	all_answer(cx, &ids, false);
}

static void word_comes(struct house *house, struct ctx *cx)
{
	const struct parties_ids ids = add_parties(cx);

	all_answer(cx, &ids, true);
	change_elsewhere(house, cx, &ids, false);
	db_touch(house->app.dbs[ROOM_tenant], &ids.tenant);
	db_touch(house->app.dbs[ROOM_user], &ids.user);
	db_touch(house->app.dbs[ROOM_resource], &ids.tenant);
	all_answer(cx, &ids, false);
	change_elsewhere(house, cx, &ids, true);
	for (size_t room = ROOM_tenant; room <= ROOM_resource; room++)
		db_touch_all(house->app.dbs[room]);
	all_answer(cx, &ids, true);
}

static void test_an_end(void **state)
{
	house_run(*state, an_end_comes);
}

static void test_word(void **state)
{
	house_run(*state, word_comes);
}

/* --- A booking on its way in ---------------------------------------------------------- */

static struct booking *booking_read(struct ctx *cx, const struct uuid *tenant, const struct uuid *id)
{
	const struct q_booking_by_id_in in = {.tenant_id = *tenant, .id = *id};
	struct booking *row = NULL;

	assert_int_equal(q_booking_by_id(cx, &in, &row), RC_OK);
	return row;
}

/* Under a lock row that was not there before, and then under it. */
static void a_new_lock_row_lets_nothing_in(struct house *house, struct ctx *cx)
{
	struct uuid tenant = house_id(cx), resource = house_id(cx), user = house_id(cx);
	struct booking row = draft_booking(cx, &tenant, &resource, &user, cx->now + UTIME_DAY);
	bool fresh = false;

	(void)house;
	for (int times = 0; times < 2; times++) {
		struct script script;
		struct step *lock = booking_script(&script, cx, &row, fresh), *insert;

		insert = script_add(&script, &q_booking_insert_query, &row);
		assert_int_equal(db_write(&script), RC_OK);
		assert_int_equal(insert->rows.count, times);
		fresh = booking_lock_is_fresh(lock);
		assert_int_equal(fresh, times == 0);
	}
}

static void test_new_lock_row(void **state)
{
	house_run(*state, a_new_lock_row_lets_nothing_in);
}

/* The other process: it has looked at `gone`, and holds the lock row; it commits after a while. */
struct slow {
	struct house *house;
	const char *insert;
	pthread_t thread;
};

#define WHILE_US 300000

static void *commit_late(void *arg)
{
	struct slow *slow = arg;

	usleep(WHILE_US);
	PQclear(PQexec(slow->house->pg, "COMMIT"));
	return NULL;
}

static void commit_slowly(struct slow *slow)
{
	assert_int_equal(pthread_create(&slow->thread, NULL, commit_late, slow), 0);
}

static void insert_slowly(struct ctx *cx, struct slow *slow, const struct booking *row)
{
	struct house *house = slow->house;
	const char *tenant = house_literal(house, cx->arena, &row->tenant_id),
		   *resource = house_literal(house, cx->arena, &row->resource_id);

	house_sql(house, cx->arena, ROOM_booking, "BEGIN");
	house_sql(house, cx->arena, ROOM_booking,
		  arena_printf(cx->arena,
			       "UPDATE resource_locks SET version = version + 1 WHERE tenant_id = %s AND "
			       "resource_id = %s",
			       tenant, resource));
	house_sql(
		house, cx->arena, ROOM_booking,
		arena_printf(cx->arena,
			     "INSERT INTO bookings (tenant_id, id, resource_id, user_id, start_time, "
			     "end_time, status, confirmation_code, recurring_enabled, version, change_id, "
			     "created_at, updated_at) VALUES (%s, %s, %s, %s, %lld, %lld, 'pendente', '%s', "
			     "FALSE, 1, %s, 0, 0)",
			     tenant, house_literal(house, cx->arena, &row->id), resource,
			     house_literal(house, cx->arena, &row->user_id), (long long)row->start_time,
			     (long long)row->end_time, row->confirmation_code,
			     house_literal(house, cx->arena, &row->id)));
	commit_slowly(slow);
}

/* Whatever of its parties is deleted meanwhile: the cascade waits for it, and finds it. */
static void waits_for(struct house *house, struct ctx *cx,
		      enum rc (*apply)(struct delivery *delivery, const struct event *event),
		      size_t subject_offset, const char *reason)
{
	struct uuid tenant = house_id(cx), resource = house_id(cx), user = house_id(cx);
	struct booking row = draft_booking(cx, &tenant, &resource, &user, cx->now + UTIME_DAY), *found;
	struct event event = {.id = house_id(cx), .tenant_id = tenant};
	struct delivery delivery = {.cx = cx};
	struct slow slow = {.house = house};

	memcpy(&event.subject_id, (const char *)&row + subject_offset, sizeof(event.subject_id));
	open_lock(cx, &tenant, &resource);
	insert_slowly(cx, &slow, &row);
	assert_int_equal(apply(&delivery, &event), RC_OK);
	assert_int_equal(pthread_join(slow.thread, NULL), 0);
	found = booking_read(cx, &row.tenant_id, &row.id);
	if (subject_offset == offsetof(struct booking, tenant_id)) {
		assert_null(found);
		return;
	}
	assert_non_null(found);
	assert_int_equal(found->status, booking_status_cancelado);
	assert_string_equal(found->cancellation_reason, reason);
	assert_int_equal(found->version, 2);
}

static void cascades_wait(struct house *house, struct ctx *cx)
{
	waits_for(house, cx, booking_on_resource_deleted, offsetof(struct booking, resource_id),
		  "Recurso deletado");
	waits_for(house, cx, booking_on_user_deleted, offsetof(struct booking, user_id), "Usuário deletado");
	waits_for(house, cx, booking_on_tenant_deleted, offsetof(struct booking, tenant_id), NULL);
}

/* A row that somebody else changes between our read and our write: it is read again, as he has left it. */
static void a_miss_is_read_again(struct house *house, struct ctx *cx)
{
	struct uuid tenant = house_id(cx), resource = house_id(cx), user = house_id(cx);
	struct booking row = draft_booking(cx, &tenant, &resource, &user, cx->now + UTIME_DAY), *found;
	struct event event = {.id = house_id(cx), .tenant_id = tenant, .subject_id = resource};
	struct delivery delivery = {.cx = cx};
	struct slow slow = {.house = house};

	open_lock(cx, &tenant, &resource);
	house_write(cx, ROOM_booking, &tenant, &row.id, &q_booking_insert_query, &row);
	house_sql(house, cx->arena, ROOM_booking, "BEGIN");
	house_sql(house, cx->arena, ROOM_booking,
		  arena_printf(cx->arena, "UPDATE bookings SET notes = 'x', version = 2 WHERE id = %s",
			       house_literal(house, cx->arena, &row.id)));
	commit_slowly(&slow);
	assert_int_equal(booking_on_resource_deleted(&delivery, &event), RC_OK);
	assert_int_equal(pthread_join(slow.thread, NULL), 0);
	found = booking_read(cx, &row.tenant_id, &row.id);
	assert_int_equal(found->status, booking_status_cancelado);
	assert_string_equal(found->notes, "x");
	assert_int_equal(found->version, 3);
}

static void test_a_miss(void **state)
{
	house_run(*state, a_miss_is_read_again);
}

static void test_cascades_wait(void **state)
{
	house_run(*state, cascades_wait);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest here[] = {
		cmocka_unit_test(test_own_changes),
	};
	const struct CMUnitTest shared[] = {
		cmocka_unit_test(test_own_changes),   cmocka_unit_test(test_an_end),
		cmocka_unit_test(test_word),	      cmocka_unit_test(test_new_lock_row),
		cmocka_unit_test(test_cascades_wait), cmocka_unit_test(test_a_miss),
	};

	if (argc < 2 || strcmp(argv[1], "postgres") != 0)
		return cmocka_run_group_tests(here, set_up, tear_down);
	if (getenv("MARCA_TEST_PG") == NULL) {
		fprintf(stderr, "\n*** NOT TESTED on PostgreSQL: MARCA_TEST_PG is not set ***\n\n");
		return 77; /* meson's word for skipped */
	}
	return cmocka_run_group_tests(shared, set_up_postgres, tear_down);
}
