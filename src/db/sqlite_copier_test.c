/* Who copies SQLite's log, and when: sqlite_copier.c. */
#include "db/db_fixture.h"
#include "db/driver.h"
#include "db/sqlite.h"

#include <stdio.h>
#include <unistd.h>

#define FEW   100  /* frames that nobody copies */
#define SOME  200  /* that are more than the writer would copy itself */
#define MANY  1500 /* frames that are copied once nothing comes */
#define PIECE 16   /* pages, at least */

/* --- What is written and synced ------------------------------------------------- */

/* A VFS beneath those of the store. */
struct watched_file {
	sqlite3_io_methods methods;
	const sqlite3_io_methods *beneath;
	bool is_log;
};

static sqlite3_vfs *beneath;
static pthread_t test_thread;

static struct {
	pthread_mutex_t lock;
	int pages, most; /* written into the database since it was synced, and at most */
	int log_syncs;
	bool fails;		       /* each sync */
	const struct fixture *fixture; /* into which so many pages go when the next is copied */
	int pages_meanwhile;
	bool broke; /* that went wrong */
} watched = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct watched_file *watched_of(sqlite3_file *file)
{
	return (struct watched_file *)((char *)file + beneath->szOsFile);
}

static bool try_pages(const struct fixture *fixture, int count);

static int watched_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 from)
{
	const struct watched_file *about = watched_of(file);
	int came = 0;

	pthread_mutex_lock(&watched.lock);
	if (!about->is_log && ++watched.pages > watched.most)
		watched.most = watched.pages;
	if (!about->is_log && !pthread_equal(pthread_self(), test_thread)) {
		came = watched.pages_meanwhile;
		watched.pages_meanwhile = 0;
	}
	pthread_mutex_unlock(&watched.lock);
	if (came > 0 && !try_pages(watched.fixture, came)) {
		pthread_mutex_lock(&watched.lock);
		watched.broke = true;
		pthread_mutex_unlock(&watched.lock);
	}
	return about->beneath->xWrite(file, bytes, len, from);
}

static int watched_sync(sqlite3_file *file, int flags)
{
	const struct watched_file *about = watched_of(file);
	bool fails;

	pthread_mutex_lock(&watched.lock);
	fails = watched.fails;
	if (about->is_log)
		watched.log_syncs++;
	else
		watched.pages = 0;
	pthread_mutex_unlock(&watched.lock);
	return fails ? SQLITE_IOERR_FSYNC : about->beneath->xSync(file, flags);
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
	watched.pages_meanwhile = pages;
	pthread_mutex_unlock(&watched.lock);
}

static void fail_syncs(bool fails)
{
	pthread_mutex_lock(&watched.lock);
	watched.fails = fails;
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

/* Rows of a page each, in one commit. */
static bool try_pages(const struct fixture *fixture, int count)
{
	char sql[256];
	struct session *session;
	bool fine;

	snprintf(sql, sizeof(sql),
		 "CREATE TABLE IF NOT EXISTS pages (b BLOB);"
		 "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < %d) "
		 "INSERT INTO pages SELECT randomblob(3500) FROM r",
		 count);
	if (sqlite_session_open(fixture->db, &session) != RC_OK)
		return false;
	fine = sqlite_session_exec(session, sql) == RC_OK;
	sqlite_session_close(session);
	return fine;
}

static void add_pages(const struct fixture *fixture, int count)
{
	assert_true(try_pages(fixture, count));
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
	while (state_of(store) == COPIER_COPIES || state_of(store) == COPIER_SYNCS)
		usleep(1000);
	assert_false(watched.broke);
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
	assert_int_equal(state_of(store), COPIER_COPIED);
	assert_int_equal(raise_one(fixture, new_id(fixture), true), RC_OK); /* takes the name */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(raise_one(fixture, new_id(fixture), true), RC_STORE_CONSTRAINT);
		idle(fixture);
		assert_int_not_equal(state_of(store), COPIER_COPIED);
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
	assert_int_not_equal(state_of(store), COPIER_COPIED);
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
	assert_int_not_equal(state_of(store), COPIER_COPIED);
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
	assert_int_equal(state_of(store), COPIER_COPIED); /* once more */
	assert_in_range(store->log_asked, MANY + SOME, MANY + 2 * SOME);
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
		assert_int_equal(state_of(store), COPIER_COPIED);
		assert_int_equal(store->copier.haste, haste);
	}
	forget_what_was();
	idle(fixture);
	assert_int_equal(count_of(&watched.most), PIECE << 3);
}

/* The database is synced every few pages, or commits would wait for all of them. */
static void test_pieces(void **state)
{
	struct fixture *fixture = *state;

	db_port_rest(fixture->port);
	add_pages(fixture, MANY);
	forget_what_was();
	idle(fixture);
	assert_int_equal(count_of(&watched.most), PIECE);
	assert_int_equal(count_of(&watched.pages), 0);
}

/* Whoever writes meanwhile makes the piece larger, or the copy would not catch up. */
static void test_large_pieces(void **state)
{
	struct fixture *fixture = *state;

	db_port_rest(fixture->port);
	add_pages(fixture, MANY);
	forget_what_was();
	meanwhile(fixture, SOME);
	idle(fixture);
	assert_in_range(count_of(&watched.most), SOME, 2 * SOME);
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

/* What a sync of the log alone was told the next copy would not be. */
static void test_unsynced_log(void **state)
{
	struct fixture *fixture = *state;

	add_pages(fixture, SOME);
	fail_syncs(true);
	idle(fixture);
	fail_syncs(false);
	assert_int_equal(sqlite_driver.ping(fixture->db), RC_STORE_DOWN);
	assert_int_equal(raise_one(fixture, new_id(fixture), false), RC_STORE_DOWN);
}

/* Nor would the sync of a piece be told again of what failed there. */
static void test_failed_piece(void **state)
{
	struct fixture *fixture = *state;
	struct sqlite_store *store = store_of(fixture);

	db_port_rest(fixture->port);
	add_pages(fixture, MANY);
	fail_syncs(true);
	idle(fixture);
	fail_syncs(false);
	assert_int_equal(sqlite_driver.ping(fixture->db), RC_STORE_DOWN);
	idle(fixture);
	assert_int_equal(store->log_copied, 0);
}

/* Every commit syncs its log, also after one that could not, and in a log that has begun anew. */
static void test_commits(void **state)
{
	struct fixture *fixture = *state;
	struct uuid key = new_id(fixture);

	for (int i = 1; i <= 3; i++) {
		forget_what_was();
		assert_int_equal(raise_one(fixture, key, false), RC_OK);
		assert_int_equal(count_of(&watched.log_syncs), 1);
	}
	fail_syncs(true);
	assert_int_equal(raise_one(fixture, key, false), RC_STORE_DOWN);
	fail_syncs(false);
	forget_what_was();
	assert_int_equal(raise_one(fixture, key, false), RC_OK);
	assert_int_equal(count_of(&watched.log_syncs), 1);
	assert_int_equal(counter_of(fixture, &key), 4);
	db_port_rest(fixture->port);
	add_pages(fixture, MANY);
	idle(fixture);
	forget_what_was();
	assert_int_equal(raise_one(fixture, key, false), RC_OK);
	assert_in_range(count_of(&watched.log_syncs), 1,
			2); /* a new head of the log may have one of its own */
	assert_true(store_of(fixture)->log_frames < FEW);
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
		cmocka_unit_test_setup_teardown(test_large_pieces, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_relaxed, set_up_relaxed, fixture_end),
		cmocka_unit_test_setup_teardown(test_unsynced_log, set_up_relaxed, fixture_end),
		cmocka_unit_test_setup_teardown(test_failed_piece, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_commits, set_up, fixture_end),
	};
	static sqlite3_vfs vfs;

	test_thread = pthread_self();
	beneath = sqlite_shim(&vfs, "watched", sizeof(struct watched_file), open_watched);
	assert_non_null(beneath);
	assert_int_equal(sqlite3_vfs_register(&vfs, 1),
			 SQLITE_OK); /* before the store's own, which stand on it */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
