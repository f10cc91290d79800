/* Every query of every room is prepared on each store, over the schema that its migrations make. */
#include "app/app.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static struct world world;

static void check_room(enum room room, const char *url)
{
	const struct db_options options = {.url = url,
					   .write_connections = 1,
					   .read_connections = 1,
					   .world = &world};
	struct db *db;
	bool fits;
	int version;

	assert_int_equal(db_open(app_queries[room], &options, &db), RC_OK);
	assert_int_equal(db_migrate(db, -1, NULL), RC_OK);
	assert_int_equal(db_schema_version(db, &version, &fits), RC_OK);
	assert_int_equal(version, app_queries[room]->migration_count);
	assert_int_equal(db_check(db), RC_OK);
	db_close(db);
}

static void prepares_on_sqlite(void **state)
{
	char folder[] = "/tmp/marca-rooms-XXXXXX", url[128], path[160];

	(void)state;
	assert_non_null(mkdtemp(folder));
	for (size_t room = 0; room < ROOM_COUNT; room++) {
		snprintf(url, sizeof(url), "sqlite:%s/%s.db", folder, app_queries[room]->name);
		check_room((enum room)room, url);
	}
	for (size_t room = 0; room < ROOM_COUNT; room++) {
		static const char *const ends[] = {"", "-wal", "-shm", ".lock"};

		for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
			snprintf(path, sizeof(path), "%s/%s.db%s", folder, app_queries[room]->name, ends[i]);
			unlink(path);
		}
	}
	assert_int_equal(rmdir(folder), 0);
}

/* All rooms may share one database: their tables must not collide. */
static void prepares_on_postgres(void **state)
{
	const char *url = getenv("MARCA_TEST_PG");

	(void)state;
	if (url == NULL) {
		print_message("no MARCA_TEST_PG; scripts/with-postgres sets it\n");
		skip();
	}
	for (size_t room = 0; room < ROOM_COUNT; room++)
		check_room((enum room)room, url);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prepares_on_sqlite),
		cmocka_unit_test(prepares_on_postgres),
	};

	world_init(&world, UTIME_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
