/* Who copies SQLite's log, and when: sqlite_copier.c. */
#include "db/db_fixture.h"
#include "db/driver.h"
#include "db/sqlite.h"

#include <stdio.h>
#include <unistd.h>

#define FEW   100  /* frames that nobody copies */
#define SOME  200  /* that are more than the writer would copy itself */
#define MANY  1500 /* frames that are copied once nothing comes */
#define PIECE 16   /* pages */

/* --- What is written and synced ------------------------------------------------- */

/* A VFS beneath those of the store. */
struct watched_file {
	sqlite3_io_methods methods;
	const sqlite3_io_methods *beneath;
	bool is_log;
};

static sqlite3_vfs *beneath;

static struct {
	pthread_mutex_t lock;
	int pages, most; /* written into the database since it was synced, and at most */
	int log_syncs;
	const struct fixture *fixture; /* into which so many pages go when the next is copied */
	int meanwhile;
} watched = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct watched_file *watched_of(sqlite3_file *file)
{
	return (struct watched_file *)((char *)file + beneath->szOsFile);
}

static void add_pages(const struct fixture *fixture, int count);

static int watched_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 from)
{
	const struct watched_file *about = watched_of(file);
	int meanwhile = 0;

	pthread_mutex_lock(&watched.lock);
	if (!about->is_log) {
		if (++watched.pages > watched.most)
			watched.most = watched.pages;
		meanwhile = watched.meanwhile;
		watched.meanwhile = 0;
	}
	pthread_mutex_unlock(&watched.lock);
	if (meanwhile > 0)
		add_pages(watched.fixture, meanwhile);
	return about->beneath->xWrite(file, bytes, len, from);
}

static int watched_sync(sqlite3_file *file, int flags)
{
	const struct watched_file *about = watched_of(file);

	pthread_mutex_lock(&watched.lock);
	if (about->is_log)
		watched.log_syncs++;
	else
		watched.pages = 0;
	pthread_mutex_unlock(&watched.lock);
	return about->beneath->xSync(file, flags);
}

static int open_watched(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
	struct watched_file *about = watched_of(file);
	int code = beneath->xOpen(beneath, name, file, flags, ret_flags);

	(void)vfs;
	if ((flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) == 0 || file->pMethods == NULL)
		return code;
	*about = (struct watched_file){
		.methods = *file->pMethods,
		.beneath = file->pMethods,
		.is_log = (flags & SQLITE_OPEN_WAL) != 0,
	};
	about->methods.xWrite = watched_write;
	about->methods.xSync = watched_sync;
	file->pMethods = &about->methods;
	return code;
}

static void forget_what_was(void)
{
	pthread_mutex_lock(&watched.lock);
	watched.pages = watched.most = watched.log_syncs = 0;
	pthread_mutex_unlock(&watched.lock);
}

static void meanwhile(const struct fixture *fixture, int pages)
{
	pthread_mutex_lock(&watched.lock);
	watched.fixture = fixture;
	watched.meanwhile = pages;
	pthread_mutex_unlock(&watched.lock);
}

static int count_of(const int *counter)
{
	int count;

	pthread_mutex_lock(&watched.lock);
	count = *counter;
	pthread_mutex_unlock(&watched.lock);
	return count;
}

/* --- A store ---------------------------------------------------------------------- */

static int set_up(void **state)
{
	return fixture_begin(state, fixture_sqlite());
}

/* Whose commits do not sync the log. */
static int set_up_relaxed(void **state)
{
	struct fixture *fixture = fixture_sqlite();

	fixture->options.relaxed = true;
	return fixture_begin(state, fixture);
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

/* What came during a pass is copied beside the writer too, while that makes it less; the last few frames the
 * writer copies, and syncs no log that it has synced. */
static void test_passes(void **state)
{
	struct fixture *fixture = *state;
	struct sqlite_store *store = store_of(fixture);

	db_port_rest(fixture->port);
	add_pages(fixture, MANY);
	meanwhile(fixture, SOME);
	idle(fixture);
	meanwhile(fixture, 1);
	idle(fixture);
	assert_int_equal(state_of(store), COPIER_DONE); /* once more */
	assert_in_range(store->copier.left, SOME, 2 * SOME);
	assert_int_equal(store->copier.haste, 0);
	forget_what_was();
	idle(fixture);
	assert_int_equal(state_of(store), COPIER_RESTS);
	assert_int_equal(store->log_copied, store->log_frames);
	assert_true(count_of(&watched.most) > 0);
	assert_int_equal(count_of(&watched.log_syncs), 0);
}

/* Where a pass leaves as much as it found the next one is in haste. */
static void test_haste(void **state)
{
	struct fixture *fixture = *state;
	struct sqlite_store *store = store_of(fixture);

	db_port_rest(fixture->port);
	add_pages(fixture, MANY);
	for (int haste = 0; haste < 3; haste++) {
		meanwhile(fixture, MANY);
		idle(fixture);
		assert_int_equal(state_of(store), COPIER_DONE);
		assert_int_equal(store->copier.haste, haste);
	}
	forget_what_was();
	idle(fixture);
	assert_in_range(count_of(&watched.most), PIECE + 1, PIECE << 3);
}

/* The database is synced every few pages, or commits would wait for all of them. */
static void test_pieces(void **state)
{
	struct fixture *fixture = *state;

	db_port_rest(fixture->port);
	add_pages(fixture, MANY);
	forget_what_was();
	idle(fixture);
	assert_in_range(count_of(&watched.most), 2, PIECE);
	assert_int_equal(count_of(&watched.pages), 0);
}

/* A log that commits do not sync is synced beside the writer, long before it is copied. */
static void test_relaxed(void **state)
{
	struct fixture *fixture = *state;
	struct sqlite_store *store = store_of(fixture);

	db_port_rest(fixture->port);
	add_pages(fixture, FEW);
	forget_what_was();
	idle(fixture);
	assert_int_equal(count_of(&watched.log_syncs), 0);
	add_pages(fixture, FEW);
	idle(fixture);
	assert_int_equal(count_of(&watched.log_syncs), 1);
	assert_int_equal(store->log_synced, store->log_frames);
	assert_int_equal(state_of(store), COPIER_RESTS);
	assert_int_equal(store->log_copied, 0);
	assert_int_equal(count_of(&watched.most), 0);
	idle(fixture);
	assert_int_equal(count_of(&watched.log_syncs), 1);
	add_pages(fixture, MANY);
	idle(fixture);
	idle(fixture);
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
		cmocka_unit_test_setup_teardown(test_once, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_reader, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_unsynced, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_passes, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_haste, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_pieces, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_relaxed, set_up_relaxed, fixture_end),
	};
	static sqlite3_vfs vfs;

	beneath = sqlite_shim(&vfs, "watched", sizeof(struct watched_file), open_watched);
	assert_non_null(beneath);
	assert_int_equal(sqlite3_vfs_register(&vfs, 1),
			 SQLITE_OK); /* before the store's own, which stand on it */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
