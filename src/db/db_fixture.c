/* See db_fixture.h. */
#include "db/db_fixture.h"

#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const colour_texts[] = {"red", "green"};
const struct names colour_names = {"colour", colour_texts, COLOUR_COUNT};

/* --- Stores -------------------------------------------------------------- */

static struct fixture *fixture_create(void)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	world_init(&fixture->world, UTIME_NONE);
	fixture->set = &testroom_queries;
	harness_init(&fixture->harness);
	fixture->tenant = new_id(fixture);
	fixture->options = (struct db_options){
		.url = fixture->url,
		.write_connections = 2,
		.read_connections = 2,
		.group_max = 64,
		.world = &fixture->world,
	};
	return fixture;
}

struct fixture *fixture_sqlite(void)
{
	struct fixture *fixture = fixture_create();

	snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/marca-db-test-XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	snprintf(fixture->url, sizeof(fixture->url), "sqlite:%s/store.db", fixture->folder);
	return fixture;
}

static void no_notice(void *arg, const PGresult *result)
{
	(void)arg;
	(void)result;
}

static void postgres_sql(const char *url, const char *sql)
{
	PGconn *conn = PQconnectdb(url);
	PGresult *result;

	PQsetNoticeReceiver(conn, no_notice, NULL);
	PQclear(PQexec(conn, "SET app.tenant = '*'")); /* the owner, too, stands before the wall */
	result = PQexec(conn, sql);
	if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(conn));
	PQclear(result);
	PQfinish(conn);
}

/* A schema: gone, or new and empty. */
static void reset_schema(const char *url, const char *name, bool create)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "DROP SCHEMA IF EXISTS %s CASCADE", name);
	postgres_sql(url, sql);
	snprintf(sql, sizeof(sql), "CREATE SCHEMA %s", name);
	if (create)
		postgres_sql(url, sql);
}

static const char *server_url(const char *variable)
{
	const char *url = getenv(variable);

	if (url == NULL)
		fprintf(stderr,
			"\n*** NOT TESTED on PostgreSQL: %s is not set. "
			"Run it as `scripts/with-postgres meson test ...` ***\n\n",
			variable);
	return url;
}

struct fixture *fixture_postgres(void)
{
	const char *url = server_url("MARCA_TEST_PG");
	struct fixture *fixture;

	if (url == NULL)
		return NULL;
	fixture = fixture_create();
	snprintf(fixture->schema, sizeof(fixture->schema), "test_%d", getpid());
	reset_schema(url, fixture->schema, true);
	snprintf(fixture->url, sizeof(fixture->url),
		 "%s?options=-csearch_path%%3D%s&application_name=test_%d", url, fixture->schema, getpid());
	snprintf(fixture->direct, sizeof(fixture->direct), "%s", fixture->url);
	return fixture;
}

/* The server's URL, with this process's database in the place of its own. */
static void own_database(char *ret, size_t size, const char *server)
{
	snprintf(ret, size, "%.*s/pooled_%d?application_name=test_%d", (int)(strrchr(server, '/') - server),
		 server, getpid(), getpid());
}

/* A pooler takes no options, and so no search_path: a database, made once, of which each test takes `public`.
 */
struct fixture *fixture_pooler(void)
{
	static bool made;
	const char *pooler = server_url("MARCA_TEST_POOLER"), *server = server_url("MARCA_TEST_PG");
	struct fixture *fixture;
	char sql[64];

	if (pooler == NULL || server == NULL)
		return NULL;
	fixture = fixture_create();
	fixture->options.pooled = true;
	snprintf(fixture->schema, sizeof(fixture->schema), "public");
	own_database(fixture->url, sizeof(fixture->url), pooler);
	own_database(fixture->direct, sizeof(fixture->direct), server);
	snprintf(sql, sizeof(sql), "CREATE DATABASE pooled_%d", getpid());
	if (!made)
		postgres_sql(server, sql);
	made = true;
	reset_schema(fixture->direct, fixture->schema, true);
	return fixture;
}

struct fixture *fixture_of(const char *kind)
{
	static const struct {
		const char *name;
		struct fixture *(*create)(void);
	} kinds[] = {{"sqlite", fixture_sqlite}, {"postgres", fixture_postgres}, {"pooler", fixture_pooler}};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kind, kinds[i].name) == 0)
			return kinds[i].create();
	fail_msg("no store of the kind %s", kind);
	return NULL;
}

static void remove_file(const struct fixture *fixture, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", fixture->folder, name);
	unlink(path);
}

static void remove_store(const struct fixture *fixture)
{
	if (fixture->folder[0] == '\0') {
		reset_schema(fixture->direct, fixture->schema, false);
		return;
	}
	remove_file(fixture, "store.db");
	remove_file(fixture, "store.db-wal");
	remove_file(fixture, "store.db-shm");
	remove_file(fixture, "store.db.lock");
	rmdir(fixture->folder);
}

void fixture_destroy(struct fixture *fixture)
{
	fixture_close(fixture);
	harness_finish(&fixture->harness);
	arena_pool_finish(&fixture->pool);
	remove_store(fixture);
	free(fixture);
}

void fixture_open(struct fixture *fixture)
{
	assert_int_equal(db_open(fixture->set, &fixture->options, &fixture->db), RC_OK);
	assert_int_equal(db_migrate(fixture->db, -1, NULL), RC_OK);
	fixture->port = db_port_open(fixture->db);
	assert_non_null(fixture->port);
	fixture->ports[fixture->set->room] = fixture->port;
}

void fixture_close(struct fixture *fixture)
{
	db_port_close(fixture->port);
	db_close(fixture->db);
	fixture->port = NULL;
	fixture->db = NULL;
}

int fixture_begin(void **state, struct fixture *fixture)
{
	assert_non_null(fixture);
	fixture_open(fixture);
	*state = fixture;
	return 0;
}

int fixture_end(void **state)
{
	fixture_destroy(*state);
	return 0;
}

void fixture_sql(struct fixture *fixture, const char *sql)
{
	char *said = NULL;
	sqlite3 *sqlite;

	if (fixture->folder[0] == '\0') {
		postgres_sql(fixture->direct, sql);
		return;
	}
	assert_int_equal(sqlite3_open(fixture->url + strlen("sqlite:"), &sqlite), SQLITE_OK);
	sqlite3_busy_timeout(sqlite, 5000);
	if (sqlite3_exec(sqlite, sql, NULL, NULL, &said) != SQLITE_OK)
		fail_msg("%s: %s", sql, said);
	sqlite3_close(sqlite);
}

void fixture_hang_up(struct fixture *fixture)
{
	char sql[256];

	snprintf(sql, sizeof(sql),
		 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
		 "WHERE application_name = 'test_%d' AND pid <> pg_backend_pid()",
		 getpid());
	postgres_sql(fixture->direct, sql);
}

/* --- Fibers -------------------------------------------------------------- */

struct uuid new_id(const struct fixture *fixture)
{
	return uuid_v7(&fixture->world, world_now(&fixture->world));
}

static struct ctx ctx_of(struct fixture *fixture, struct arena *arena)
{
	return (struct ctx){
		.arena = arena,
		.world = &fixture->world,
		.now = world_now(&fixture->world),
		.ports = fixture->ports,
	};
}

struct task {
	void (*fn)(struct ctx *cx, void *arg);
	struct ctx cx;
	void *arg;
};

static void run_task(void *arg)
{
	struct task *task = arg;

	task->fn(&task->cx, task->arg);
}

void on_fiber(struct fixture *fixture, struct arena *arena, void (*fn)(struct ctx *cx, void *arg), void *arg)
{
	struct task task = {fn, ctx_of(fixture, arena), arg};
	struct errand errand;

	assert_int_equal(harness_go(&fixture->harness, &errand, run_task, &task), RC_OK);
	harness_wait(&fixture->harness);
}

void with_arena(struct fixture *fixture, void (*fn)(struct ctx *cx, void *arg))
{
	struct arena arena;

	arena_init(&arena, &fixture->pool);
	on_fiber(fixture, &arena, fn, fixture);
	arena_finish(&arena);
}

/* --- Counters and things ------------------------------------------------- */

static void raise_one(void *arg)
{
	struct raise *raise = arg;
	const struct uuid *tenant = &raise->fixture->tenant;
	struct uuid thing = new_id(raise->fixture);
	char name[UUID_TEXT_LEN + 1];
	const struct step *step;

	script_init(&raise->script, &raise->cx, ROOM_testroom, tenant, &raise->key);
	raise->script.abreast = raise->abreast;
	step = SCRIPT_ADD(&raise->script, counter_raise, .tenant_id = *tenant, .id = raise->key);
	SCRIPT_ADD(&raise->script, thing_insert, .tenant_id = *tenant, .id = thing,
		   .name = raise->doomed ? "taken" : uuid_text(name, &thing), .document = "{}",
		   .other_id = raise->key);
	raise->rc = db_write(&raise->script);
	if (raise->rc == RC_OK)
		raise->version = q_counter_raise_rows(step)->version;
}

void raise_all(struct fixture *fixture, struct raise *raises, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct raise *raise = &raises[i];

		raise->fixture = fixture;
		arena_init(&raise->arena, &fixture->pool);
		raise->cx = ctx_of(fixture, &raise->arena);
		assert_int_equal(harness_go(&fixture->harness, &raise->errand, raise_one, raise), RC_OK);
	}
}

void raise_finish(struct raise *raises, size_t count)
{
	for (size_t i = 0; i < count; i++)
		arena_finish(&raises[i].arena);
}

void check_thing(const struct thing *out, const struct q_thing_insert_in *in)
{
	assert_true(uuid_equal(&out->tenant_id, &in->tenant_id));
	assert_true(uuid_equal(&out->id, &in->id));
	assert_true(uuid_equal(&out->other_id, &in->other_id));
	assert_string_equal(out->label.name, in->name);
	assert_int_equal(out->label.colour, in->colour);
	assert_int_equal(out->flag, in->flag);
	assert_true(out->number == in->number);
	assert_true(out->at == in->at);
	assert_true(out->maybe == in->maybe);
	assert_true(out->maybe_at == in->maybe_at);
	assert_string_equal(out->document, in->document);
	assert_int_equal(out->note == NULL, in->note == NULL);
	assert_int_equal(out->extra == NULL, in->extra == NULL);
	if (in->note != NULL)
		assert_string_equal(out->note, in->note);
}

enum rc insert_thing(struct ctx *cx, const struct q_thing_insert_in *in)
{
	struct script script;

	script_init(&script, cx, ROOM_testroom, &in->tenant_id, &in->id);
	script_add(&script, &q_thing_insert_query, in);
	return db_write(&script);
}

struct count {
	struct uuid tenant, key;
	int64_t count;
};

static void read_counter(struct ctx *cx, void *arg)
{
	struct count *count = arg;
	struct q_counter_read_out *row = NULL;

	assert_int_equal(q_counter_read(cx, &(struct q_counter_read_in){count->tenant, count->key}, &row),
			 RC_OK);
	count->count = row != NULL ? row->version : 0;
}

static void read_things(struct ctx *cx, void *arg)
{
	struct count *count = arg;
	struct q_things_count_out *row = NULL;

	assert_int_equal(q_things_count(cx, &(struct q_things_count_in){count->tenant}, &row), RC_OK);
	count->count = row->count;
}

static int64_t counted(struct fixture *fixture, const struct uuid *key, void (*fn)(struct ctx *cx, void *arg))
{
	struct count count = {fixture->tenant, *key, 0};
	struct arena arena;

	arena_init(&arena, NULL);
	on_fiber(fixture, &arena, fn, &count);
	arena_finish(&arena);
	return count.count;
}

int64_t counter_of(struct fixture *fixture, const struct uuid *key)
{
	return counted(fixture, key, read_counter);
}

int64_t things_in(struct fixture *fixture)
{
	return counted(fixture, &fixture->tenant, read_things);
}
