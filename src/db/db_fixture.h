/* What the stores' tests share: an empty store of either kind, fibers to ask it, rows to put into it. */
#ifndef DB_DB_FIXTURE_H
#define DB_DB_FIXTURE_H

#include "base/fiber_harness.h"
#include "db/db.h"
#include "db/testroom_queries.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants those before it. */
#include <cmocka.h>

struct fixture {
	struct world world;
	const struct query_set *set; /* the testroom's; another room's, when set before fixture_open() */
	struct db_options options;
	char url[512], direct[512]; /* the latter for PostgreSQL: without a pooler */
	char folder[64];	    /* SQLite's; empty for PostgreSQL */
	char schema[32];	    /* PostgreSQL's */
	struct db *db;
	struct db_port *port;
	struct db_port *ports[ROOM_COUNT];
	struct harness harness;
	struct arena_pool pool;
	struct uuid tenant;
};

/* The store's URL and options, nothing in it; opened and migrated by fixture_open(). */
struct fixture *fixture_sqlite(void);
/* In a schema of its own in the database that MARCA_TEST_PG names. NULL, loudly, when there is none. */
struct fixture *fixture_postgres(void);
/* The same through PgBouncer, in a database of its own: MARCA_TEST_POOLER. */
struct fixture *fixture_pooler(void);
/* One of the above by its word: sqlite, postgres, pooler. */
struct fixture *fixture_of(const char *kind);
void fixture_destroy(struct fixture *fixture);

/* Opens and migrates; also after fixture_close(), which leaves the data. */
void fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture);

/* Set-up and tear-down for cmocka: opens the fixture, which is the state, and destroys it. */
int fixture_begin(void **state, struct fixture *fixture);
int fixture_end(void **state);

/* As an operator at the store itself. */
void fixture_sql(struct fixture *fixture, const char *sql);

/* Ends all its connections to PostgreSQL, from the server's side. */
void fixture_hang_up(struct fixture *fixture);

/* Runs fn(cx, arg) on a fiber and waits for its end. What it makes lives in `arena`. */
void on_fiber(struct fixture *fixture, struct arena *arena, void (*fn)(struct ctx *cx, void *arg), void *arg);

/* The same with the fixture for `arg`, and an arena that ends with it. */
void with_arena(struct fixture *fixture, void (*fn)(struct ctx *cx, void *arg));

struct uuid new_id(const struct fixture *fixture);

/* A script that raises a counter, and what became of it; many can be under way at once. */
struct raise {
	struct fixture *fixture;
	struct arena arena;
	struct ctx cx;
	struct errand errand;
	struct script script;
	struct uuid key;
	bool doomed;  /* inserts a thing whose name is taken */
	bool abreast; /* as script.abreast */
	int64_t version;
	enum rc rc;
};

/* Starts a fiber for each; harness_wait() then. */
void raise_all(struct fixture *fixture, struct raise *raises, size_t count);
void raise_finish(struct raise *raises, size_t count);

/* That it is what was put in. */
void check_thing(const struct thing *out, const struct q_thing_insert_in *in);
/* One write of one thing. */
enum rc insert_thing(struct ctx *cx, const struct q_thing_insert_in *in);
/* That its counter says so many; 0 when it has never been raised. */
int64_t counter_of(struct fixture *fixture, const struct uuid *key);
int64_t things_in(struct fixture *fixture);

#endif
