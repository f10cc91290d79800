/* The mapping that readers see an SQLite database by: sqlite_map.c. */
#include "db/db_fixture.h"
#include "db/sqlite.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE	  4096
#define FEW	  100
#define MANY	  1500 /* rows of some 64 KiB: more than the first mapping has room for */
#define ROW_BYTES 64000

/* For each test cmocka puts its own handler there. */
static struct sigaction ours;

static void run_sql(sqlite3 *db, const char *sql)
{
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* --- A database, one who writes and one who reads ------------------------------------ */

struct pair {
	struct fixture *fixture; /* whose folder it lies in */
	char path[128];
	sqlite3 *writer, *reader;
	int fd;
	struct sqlite_map *map;
};

static int set_up(void **state)
{
	struct pair *pair = calloc(1, sizeof(*pair));

	assert_non_null(pair);
	pair->fixture = fixture_sqlite();
	fixture_open(pair->fixture);
	snprintf(pair->path, sizeof(pair->path), "%s/mapped.db", pair->fixture->folder);
	assert_int_equal(sqlite3_open(pair->path, &pair->writer), SQLITE_OK);
	run_sql(pair->writer,
		"PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (n INTEGER PRIMARY KEY, b BLOB)");
	assert_int_equal(sqlite3_open_v2(pair->path, &pair->reader, SQLITE_OPEN_READWRITE, sqlite_map_vfs()),
			 SQLITE_OK);
	run_sql(pair->reader, "PRAGMA mmap_size = 1; PRAGMA cache_size = 10");
	pair->fd = open(pair->path, O_RDONLY | O_CLOEXEC);
	assert_true(pair->fd >= 0);
	pair->map = sqlite_map_of(pair->reader, pair->fd);
	assert_non_null(pair->map);
	*state = pair;
	return 0;
}

static int tear_down(void **state)
{
	struct pair *pair = *state;

	sqlite3_close(pair->reader);
	sqlite3_close(pair->writer);
	close(pair->fd);
	fixture_destroy(pair->fixture);
	free(pair);
	return 0;
}

/* Each row's bytes are its number, over and over. */
static void add_rows(struct pair *pair, int from, int count)
{
	char sql[256];

	snprintf(
		sql, sizeof(sql),
		"WITH RECURSIVE r (n) AS (SELECT %d UNION ALL SELECT n + 1 FROM r WHERE n < %d) "
		"INSERT INTO t SELECT n, CAST(replace(hex(zeroblob(%d)), '0000', printf('%%04d', n)) AS BLOB) FROM r",
		from, from + count - 1, ROW_BYTES / 2);
	run_sql(pair->writer, sql);
}

static void copy_log(struct pair *pair)
{
	assert_int_equal(sqlite3_wal_checkpoint_v2(pair->writer, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
						   NULL),
			 SQLITE_OK);
}

/* Rows in order, each of its own bytes alone. -1: an error. */
static int good_rows(struct pair *pair)
{
	sqlite3_stmt *stmt;
	char expected[5];
	int rows = 0, code;

	assert_int_equal(sqlite3_prepare_v2(pair->reader, "SELECT n, b FROM t ORDER BY n", -1, &stmt, NULL),
			 SQLITE_OK);
	while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *bytes = sqlite3_column_blob(stmt, 1);

		snprintf(expected, sizeof(expected), "%04d", sqlite3_column_int(stmt, 0));
		assert_int_equal(sqlite3_column_int(stmt, 0), rows + 1);
		assert_int_equal(sqlite3_column_bytes(stmt, 1), ROW_BYTES);
		for (int i = 0; i < ROW_BYTES; i += 4)
			assert_memory_equal(bytes + i, expected, 4);
		rows++;
	}
	sqlite3_finalize(stmt);
	return code == SQLITE_DONE ? rows : -1;
}

/* Pages that came by a call since this was asked last. */
static int pages_read(struct pair *pair)
{
	int count, high;

	assert_int_equal(sqlite3_db_status(pair->reader, SQLITE_DBSTATUS_CACHE_MISS, &count, &high, 1),
			 SQLITE_OK);
	return count;
}

/* What is in the log comes from there, and all else from the mapping, also when the file has outgrown it. */
static void test_grows(void **state)
{
	struct pair *pair = *state;

	add_rows(pair, 1, FEW);
	assert_int_equal(good_rows(pair), FEW);
	assert_in_range(pages_read(pair), FEW, FEW * ROW_BYTES); /* from the log */
	copy_log(pair);
	assert_int_equal(good_rows(pair), FEW);
	assert_in_range(pages_read(pair), 0, 20);
	add_rows(pair, FEW + 1, MANY - FEW);
	assert_int_equal(good_rows(pair), MANY);
	copy_log(pair);
	(void)good_rows(pair); /* begins in the mapping that there is, with pages in hand */
	(void)pages_read(pair);
	assert_int_equal(good_rows(pair), MANY);
	assert_in_range(pages_read(pair), 0, 20);
	run_sql(pair->writer, "UPDATE t SET b = CAST(replace(b, '0', '0') AS BLOB) WHERE n = 7");
	assert_int_equal(good_rows(pair), MANY);
}

/* Without room for addresses it reads by calls. */
static void test_no_mapping(void **state)
{
	struct pair *pair = *state;
	struct rlimit limit, little;

	add_rows(pair, 1, FEW);
	copy_log(pair);
	assert_int_equal(getrlimit(RLIMIT_AS, &limit), 0);
	little = (struct rlimit){1, limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_AS, &little), 0);
	(void)sqlite3_exec(pair->reader, "SELECT COUNT(*) FROM t", NULL, NULL, NULL);
	assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
	(void)pages_read(pair);
	assert_int_equal(good_rows(pair), FEW);
	assert_in_range(pages_read(pair), FEW, FEW * ROW_BYTES);
}

#define LIVED 42

static void touch(void *page)
{
	(void)*(volatile char *)page;
}

static void send(void *unused)
{
	(void)unused;
	kill(getpid(), SIGBUS);
}

/* In a child that reads; true when it lives on. */
static bool lives(struct pair *pair, void (*fn)(void *arg), void *arg)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		sigaction(SIGBUS, &ours, NULL);
		sqlite_map_begin(pair->map);
		fn(arg);
		_exit(sqlite_map_end() ? LIVED : LIVED + 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && (WEXITSTATUS(status) == LIVED || WEXITSTATUS(status) == LIVED + 1);
}

/* A SIGBUS that is not of the mapping, or was sent, ends the process as ever. */
static void test_not_ours(void **state)
{
	struct pair *pair = *state;
	char *page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, pair->fd, (off_t)1 << 30);

	assert_true(page != MAP_FAILED);
	add_rows(pair, 1, FEW);
	copy_log(pair);
	assert_int_equal(good_rows(pair), FEW);
	assert_false(lives(pair, touch, page));
	assert_false(lives(pair, send, NULL));
	munmap(page, PAGE);
}

/* --- A store whose disk fails ---------------------------------------------------------- */

struct look {
	struct fixture *fixture;
	struct uuid key;
	enum rc rc;
	int64_t count;
};

static void count_things(struct ctx *cx, void *arg)
{
	struct look *look = arg;
	struct q_things_count_out *row;

	look->rc = q_things_count(cx, &(struct q_things_count_in){look->fixture->tenant}, &row);
	if (look->rc == RC_OK)
		look->count = row->count;
}

static enum rc look_at(struct look *look)
{
	struct arena arena;

	arena_init(&arena, &look->fixture->pool);
	on_fiber(look->fixture, &arena, count_things, look);
	arena_finish(&arena);
	return look->rc;
}

static void fill(struct fixture *fixture)
{
	char sql[512];
	char tenant[2 * sizeof(struct uuid) + 1];

	for (size_t i = 0; i < sizeof(struct uuid); i++)
		snprintf(tenant + 2 * i, 3, "%02x", fixture->tenant.b[i]);
	snprintf(sql, sizeof(sql),
		 "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5000) "
		 "INSERT INTO things (tenant_id, id, name, colour, flag, number, at, document) "
		 "SELECT x'%s', randomblob(16), 'thing ' || n, 'red', 0, n, n, '{}' FROM r",
		 tenant);
	fixture_sql(fixture, sql);
	/* Closing copies the log into the database. */
	fixture_close(fixture);
	fixture_open(fixture);
}

/* Takes the file's pages from `from` on; the bytes. */
static char *take_pages(const char *path, off_t from, size_t *ret_len)
{
	struct stat about;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char *bytes;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &about), 0);
	assert_true(about.st_size > 50 * (off_t)PAGE);
	*ret_len = (size_t)(about.st_size - from);
	bytes = malloc(*ret_len);
	assert_non_null(bytes);
	assert_int_equal(pread(fd, bytes, *ret_len, from), *ret_len);
	assert_int_equal(ftruncate(fd, from), 0);
	close(fd);
	return bytes;
}

static void give_pages(const char *path, off_t from, char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, from), len);
	close(fd);
	free(bytes);
}

/* Pages that cannot be had are an error of that read, and the process lives: with the disk back it answers as
 * before. */
static void test_lost_pages(void **state)
{
	struct pair *pair = *state;
	struct look look = {.fixture = pair->fixture};
	char path[128];

	snprintf(path, sizeof(path), "%s/store.db", pair->fixture->folder);
	sigaction(SIGBUS, &ours, NULL);
	fill(pair->fixture);
	assert_int_equal(look_at(&look), RC_OK);
	assert_int_equal(look.count, 5000);
	/* All of them, and then, one after the other, some: leaves and what is above them. */
	for (off_t from = 1; from < 50; from += from < 8 ? 1 : 13) {
		size_t len;
		char *bytes = take_pages(path, from * PAGE, &len);

		assert_int_equal(look_at(&look), RC_STORE_DOWN);
		assert_int_equal(look_at(&look), RC_STORE_DOWN);
		give_pages(path, from * PAGE, bytes, len);
		look.count = 0;
		assert_int_equal(look_at(&look), RC_OK);
		assert_int_equal(look.count, 5000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_grows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_mapping, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_ours, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lost_pages, set_up, tear_down),
	};

	(void)sqlite_map_vfs();
	sigaction(SIGBUS, NULL, &ours);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
