/* Who copies SQLite's log, and when: sqlite_copier.c. */
#include "db/db_fixture.h"
#include "db/driver.h"
#include "db/sqlite.h"

#include <stdio.h>
#include <unistd.h>

#define FEW  100  /* frames that nobody copies */
#define MANY 1500 /* frames that are copied once nothing comes */

static int set_up(void **state)
{
	struct fixture *fixture = fixture_sqlite();

	fixture_open(fixture);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	fixture_destroy(*state);
	return 0;
}

static struct sqlite_store *store_of(const struct fixture *fixture)
{
	return fixture->db->store;
}

static void run_sql(const struct fixture *fixture, const char *sql)
{
	struct session *session;

	assert_int_equal(sqlite_session_open(fixture->db, &session), RC_OK);
	assert_int_equal(sqlite_session_exec(session, sql), RC_OK);
	sqlite_session_close(session);
}

/* Rows of a page each, in one commit. */
static void add_pages(const struct fixture *fixture, int count)
{
	char sql[256];

	snprintf(sql, sizeof(sql),
		 "CREATE TABLE IF NOT EXISTS pages (b BLOB);"
		 "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < %d) "
		 "INSERT INTO pages SELECT randomblob(3500) FROM r",
		 count);
	run_sql(fixture, sql);
}

static enum copier_state state_of(struct sqlite_store *store)
{
	enum copier_state state;

	pthread_mutex_lock(&store->copier.lock);
	state = store->copier.state;
	pthread_mutex_unlock(&store->copier.lock);
	return state;
}

/* As when no script has come for a while: and what the thread was asked is done when this returns. */
static void idle(const struct fixture *fixture)
{
	struct sqlite_store *store = store_of(fixture);

	sqlite_driver.writer_idle(store);
	while (state_of(store) == COPIER_ASKED)
		usleep(1000);
}

/* One write, of which nothing is kept when it is doomed. */
static enum rc raise_one(struct fixture *fixture, struct uuid key, bool doomed)
{
	struct raise raise = {.key = key, .doomed = doomed};

	raise_all(fixture, &raise, 1);
	harness_wait(&fixture->harness);
	raise_finish(&raise, 1);
	return raise.rc;
}

/* Little is left alone; much is copied; and what is copied is never copied again, whatever else is asked for.
 */
static void test_once(void **state)
{
	struct fixture *fixture = *state;
	struct sqlite_store *store = store_of(fixture);
	int copied;

	db_port_rest(fixture->port);
	add_pages(fixture, FEW);
	idle(fixture);
	assert_null(store->copier.db);
	add_pages(fixture, MANY);
	idle(fixture);
	assert_int_equal(state_of(store), COPIER_DONE);
	assert_int_equal(raise_one(fixture, new_id(fixture), true), RC_OK); /* takes the name */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(raise_one(fixture, new_id(fixture), true), RC_STORE_CONSTRAINT);
		idle(fixture);
		assert_int_not_equal(state_of(store), COPIER_DONE);
	}
	assert_true(store->log_frames < FEW); /* it has begun anew */
	assert_int_equal(store->log_copied, 0);
	add_pages(fixture, MANY);
	idle(fixture);
	idle(fixture);
	copied = store->log_copied;
	assert_int_equal(copied, store->log_frames);
	idle(fixture);
	assert_int_equal(store->log_copied, copied);
	assert_int_not_equal(state_of(store), COPIER_DONE);
}

/* A reader of what was before holds the copy up; it is known how far it came, and goes on when he is gone. */
static void test_reader(void **state)
{
	struct fixture *fixture = *state;
	struct sqlite_store *store = store_of(fixture);
	struct uuid key = new_id(fixture);

	assert_int_equal(raise_one(fixture, key, false), RC_OK);
	assert_int_equal(counter_of(fixture, &key), 1); /* his transaction is open until the port rests */
	add_pages(fixture, MANY);
	idle(fixture);
	idle(fixture);
	assert_in_range(store->log_copied, 0, FEW);
	assert_true(store->log_frames > MANY);
	idle(fixture); /* nothing new: nobody is asked in vain */
	assert_int_not_equal(state_of(store), COPIER_DONE);
	db_port_rest(fixture->port);
	add_pages(fixture, MANY);
	idle(fixture);
	idle(fixture);
	assert_true(store->log_frames > 2 * MANY);
	assert_int_equal(store->log_copied, store->log_frames);
}

static void read_nothing(struct ctx *cx, void *arg)
{
	const struct fixture *fixture = arg;
	struct q_things_count_out *row;

	assert_int_equal(q_things_count(cx, &(struct q_things_count_in){fixture->tenant}, &row),
			 RC_STORE_DOWN);
}

/* When the database cannot be synced nobody reads or writes any more, the log stays, and all that was
 * acknowledged is in it. */
static void test_unsynced(void **state)
{
	struct fixture *fixture = *state;
	struct sqlite_store *store = store_of(fixture);
	struct uuid key = new_id(fixture);
	int ends[2], good = store->map_fd;
	char log[128];

	snprintf(log, sizeof(log), "%s/store.db-wal", fixture->folder);
	db_port_rest(fixture->port);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(raise_one(fixture, key, false), RC_OK);
	store->map_fd = ends[1]; /* a pipe cannot be synced */
	add_pages(fixture, MANY);
	assert_int_equal(raise_one(fixture, key, false), RC_OK);
	idle(fixture);
	assert_int_equal(raise_one(fixture, key, false), RC_STORE_DOWN);
	assert_int_equal(sqlite_driver.ping(fixture->db), RC_STORE_DOWN);
	with_arena(fixture, read_nothing);
	store->map_fd = good;
	fixture_close(fixture);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(access(log, F_OK), 0);
	fixture_open(fixture);
	assert_int_equal(counter_of(fixture, &key), 2);
	assert_int_equal(raise_one(fixture, key, false), RC_OK);
	assert_int_equal(counter_of(fixture, &key), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reader, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unsynced, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
