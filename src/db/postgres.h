/*
 * Inside the PostgreSQL driver: postgres_url.c (what an address says), postgres_conn.c (one connection),
 * postgres_value.c (parameters and rows), postgres_array.c (parameters for many inputs at once), postgres.c
 * (the store, and groups), postgres_volley.c (which of their steps go in one statement), postgres_read.c
 * (reads), postgres_replica.c (reads that a standby may
 * answer), postgres_wall.c (row-level security), postgres_begin.c (what a transaction begins with),
 * postgres_session.c (migrations, whole tables), postgres_citus.c (spread over machines), postgres_watch.c
 * (LISTEN and NOTIFY).
 */
#ifndef DB_POSTGRES_H
#define DB_POSTGRES_H

#include "db/driver.h"

#include <libpq-fe.h>

#define PARAMS_MAX    64
#define PG_GUARD_SIZE 512
#define VOLLEY_MAX    GROUP_MAX /* inputs of one statement */

struct pg_replica;

/*
 * Plans are made once, and not anew for each value. Every query of ours finds its rows by an index, and in
 * its order; a plan made while a table is small, or without statistics, must not think that reading all of it
 * is as good; nor one for many inputs, that one look at all of it serves them all.
 */
#define PG_PLANNING_OF(setting)                                                \
	setting("plan_cache_mode", "force_generic_plan") setting("jit", "off") \
		setting("enable_seqscan", "off") setting("enable_sort", "off") \
			setting("enable_hashjoin", "off") setting("enable_mergejoin", "off")

/* Over that on Citus: it has to know the values to find the machine, and to pass app.tenant on to it. */
#define PG_SPREAD_OF(setting) \
	setting("plan_cache_mode", "force_custom_plan") setting("citus.propagate_set_commands", "local")

/* How rows are read and written. No tenant is named until a transaction does so. */
#define PG_WORKING_OF(setting)                                                                       \
	PG_PLANNING_OF(setting)                                                                      \
	setting("statement_timeout", "5000") setting("idle_in_transaction_session_timeout", "10000") \
		setting("app.tenant", "") setting("row_security", "on")

/* Such a list as options of a connection. */
#define PG_OPTION(name, value) " -c " name "=" value

/* PG_SESSION runs as the login, who owns the tables; the others as the role that owns none. */
enum pg_use { PG_READS, PG_WRITES, PG_WATCH, PG_SESSION };

/* As which statements a connection has a query. */
struct pg_prepared {
	bool singly, together;
};

/* A connection, which may be lost and opened again. Reads and writes: non-blocking, in pipeline mode. */
struct pg_conn {
	const struct db *db;
	enum pg_use use;
	struct pg_replica *replica; /* whose it is; NULL: it leads to the primary */
	PGconn *pg;		    /* NULL: not connected */
	const char *unnamed;	    /* what the server has without a name; NULL: nothing of ours */
	struct pg_prepared
		*prepared; /* by the queries' index; behind a pooler, which keeps no statements: looked at */
	char *arrays;	   /* for pg_send_together(), of arrays_size bytes */
	size_t arrays_size;
	bool notifies; /* the group in hand */
};

/* --- postgres_url.c ------------------------------------------------------ */

/* db_url_check() of postgresql:// */
bool postgres_url_check(const char *url, enum db_transport *ret, const char **ret_why) MUST_USE;

/* db_url_files() of postgresql:// */
void postgres_url_files(const char *url, void (*fn)(void *arg, const char *path), void *arg);

/* --- postgres_conn.c ----------------------------------------------------- */

/* Not connected yet. */
bool pg_conn_init(struct pg_conn *conn, const struct db *db, enum pg_use use) MUST_USE;
void pg_conn_finish(struct pg_conn *conn);
/* True when it is connected; else it tries to connect, some seconds at most. */
bool pg_conn_ready(struct pg_conn *conn) MUST_USE;
void pg_conn_lose(struct pg_conn *conn);

/* So that the query can be sent. RC_INTERNAL: PostgreSQL, or its columns, refuse it. RC_STORE_DOWN: lost. */
enum rc pg_prepare(struct pg_conn *conn, const struct query *query, bool together) MUST_USE;
/* Puts it into the pipeline. False: lost. */
bool pg_send(struct pg_conn *conn, const struct query *query, const void *in) MUST_USE;
/* The same for so many inputs at once; query->together is not NULL. */
bool pg_send_together(struct pg_conn *conn, const struct query *query, const void *const *ins,
		      size_t count) MUST_USE;
bool pg_send_sql(struct pg_conn *conn, const char *sql) MUST_USE;

/* The one result of what was sent; the caller clears it. NULL: lost, or silent for too long. */
PGresult *pg_result(struct pg_conn *conn) MUST_USE;
/* The end of what PQpipelineSync() closed. False: lost. */
bool pg_synced(struct pg_conn *conn) MUST_USE;

/* What a failed result means for whoever sent the query. `again`: the same may succeed now. */
enum rc pg_failed(const PGresult *result, const char *what, bool *ret_again);

/* --- postgres_begin.c ---------------------------------------------------- */

/* Of a session (driver.h). */
extern const char pg_snapshot_begin[], pg_schema_begin[];

/* Puts into the pipeline what a transaction begins with, of reads or of writes. False: lost. */
bool pg_send_begin(struct pg_conn *conn) MUST_USE;
/* Takes the results of it. False: lost, or the transaction is not what it has to be. */
bool pg_take_begin(struct pg_conn *conn) MUST_USE;

struct pg_wall;
/* Puts a query into the pipeline, behind whose rows it is for. `ins`: inputs for one statement, at most
 * VOLLEY_MAX, those of a tenant side by side. False: lost. */
bool pg_send_step(struct pg_conn *conn, struct pg_wall *wall, const struct query *query,
		  const void *const *ins, size_t count) MUST_USE;
/* The result of what pg_send_step() sent; `wall` begins as it did there. NULL: lost. */
PGresult *pg_step_result(struct pg_conn *conn, struct pg_wall *wall, const struct query *query,
			 const void *const *ins, size_t count) MUST_USE;
/* What controls the transaction has done this; OUTCOME_REFUSED: it was skipped. */
enum outcome pg_take_control(struct pg_conn *conn, const char *tag) MUST_USE;
bool pg_tag_is(struct pg_conn *conn, const char *tag) MUST_USE;

/* --- postgres_value.c ---------------------------------------------------- */

/* The types that a kind of column is sent as, alone and for many inputs at once; by enum db_kind. */
struct pg_type {
	Oid element, array;
};
extern const struct pg_type pg_types[];

#define PG_JSONB_VERSION 1 /* what jsonb begins with in binary */

struct pg_params {
	Oid types[PARAMS_MAX];
	const char *values[PARAMS_MAX];
	int lengths[PARAMS_MAX], formats[PARAMS_MAX];
	unsigned char numbers[PARAMS_MAX][8];
};

/* `in` NULL: the types alone. */
void pg_params_fill(struct pg_params *params, const struct query *query, const void *in);
/* The columns are what queries.sql says; RC_INTERNAL when not. */
enum rc pg_columns_check(const struct query *query, bool together, const PGresult *described) MUST_USE;
enum rc pg_rows(const struct query *query, const PGresult *result, struct arena *arena,
		struct rows *ret) MUST_USE;

/* What the rows of many inputs begin with: the tenant, and the input that tells them apart. */
#define PG_OWNER_COLUMNS 2
/* An input, and where its rows go. */
struct pg_asked {
	const void *in;
	struct arena *arena;
	struct rows *rows;
};
/* Each row to whoever has asked for it: one each at most. RC_INTERNAL: a row that nobody has. RC_NO_MEMORY.
 */
enum rc pg_deal(const struct query *query, const PGresult *result, const struct pg_asked *asked,
		size_t count) MUST_USE;

/* --- postgres_array.c ----------------------------------------------------- */

/* Each parameter an array of what the inputs have; within *buf, of *size bytes, which grows. No inputs: the
 * types alone. False: memory. */
bool pg_arrays_fill(struct pg_params *params, const struct query *query, const void *const *ins, size_t count,
		    char **buf, size_t *size) MUST_USE;

/* --- postgres_volley.c ----------------------------------------------------- */

/* Steps of a group that go as one statement. */
struct pg_volley {
	struct script **scripts; /* those that it is of, or the one */
	size_t step;		 /* of each; or the first of the one */
	size_t count;
	bool across; /* a step of each of so many scripts; else so many steps of one */
	const struct query *query;
};

/* All of a group, in order; to begin with, the scripts and whether each step is to go alone. */
struct pg_volleys {
	struct script **scripts;
	size_t count;
	bool singly;
	size_t step, abreast;
};
bool pg_volley_next(struct pg_volleys *all, struct pg_volley *ret) MUST_USE;

enum rc pg_volley_prepare(struct pg_conn *conn, const struct pg_volley *volley) MUST_USE;
bool pg_volley_send(struct pg_conn *conn, struct pg_wall *wall, const struct pg_volley *volley) MUST_USE;
/* OUTCOME_REFUSED, OUTCOME_AGAIN: the first script's rc says why, which need not be the one to blame. */
enum outcome pg_volley_take(struct pg_conn *conn, struct pg_wall *wall,
			    const struct pg_volley *volley) MUST_USE;

/* --- postgres_wall.c ----------------------------------------------------- */

/* Whose rows a transaction has been opened to; of nobody's when it begins. */
enum pg_rows_of { PG_ROWS_OF_NOBODY, PG_ROWS_OF_TENANTS, PG_ROWS_OF_ALL };
struct pg_wall {
	enum pg_rows_of rows_of;
	size_t count;
	struct uuid tenants[VOLLEY_MAX];
};

/* That the query is for; nil: for all. */
const struct uuid *pg_wall_tenant(const struct query *query, const void *in);
/* True when these inputs are for other rows than what came before: pg_send_wall() comes first. */
bool pg_wall_moves(struct pg_wall *wall, const struct query *query, const void *const *ins,
		   size_t count) MUST_USE;
/* Puts the SET LOCAL into the pipeline. False: lost. */
bool pg_send_wall(struct pg_conn *conn, const struct pg_wall *wall) MUST_USE;

/*
 * That rows can be read and written as the role, which is made where the login may. Else says what is to be
 * done, and RC_INTERNAL. RC_STORE_DOWN.
 */
enum rc pg_role_ready(const struct db *db) MUST_USE;

/* driver.h: session_wall */
enum rc pg_session_wall(struct session *session, bool mend, bool *ret_whole) MUST_USE;

/* Gives a table's wall the form that it must have before it can be spread over machines. */
enum rc pg_wall_spread(struct session *session, const char *table) MUST_USE;

/* --- postgres_read.c ------------------------------------------------------ */

/* A crew that reads by these connections, which outlive it. NULL: memory, or no thread. */
struct crew *pg_readers_create(struct pg_conn *conns, size_t count) MUST_USE;
/* On a fiber. `query` NULL: only whether the store answers. */
enum rc pg_ask(struct crew *readers, struct ctx *cx, const struct query *query, const void *in,
	       struct rows *ret) MUST_USE;
/* The same for so many inputs at once: see db_read_each(). */
enum rc pg_ask_each(struct crew *readers, struct ctx *cx, const struct query *query, const void *const *ins,
		    size_t count, struct rows *ret) MUST_USE;

/* --- postgres_replica.c --------------------------------------------------- */

/* By the options' replica_url. Connects to nothing yet, and so never fails for a replica that is not there.
 * RC_NO_MEMORY. *ret stays as it was where a store can have none. */
enum rc pg_replica_create(struct db *db, struct pg_replica **ret) MUST_USE;
void pg_replica_destroy(struct pg_replica *replica);
/* On a fiber. False: the primary is to be asked. `replica` may be NULL. */
bool pg_replica_read(struct pg_replica *replica, struct ctx *cx, const struct query *query, const void *in,
		     struct rows *ret) MUST_USE;
/* Does it answer, so far as is known? */
bool pg_replica_there(struct pg_replica *replica) MUST_USE;
/* The question whose one row says, by columns that are all true, that rows may be read there now. `ret`: of
 * PG_GUARD_SIZE. */
void pg_replica_guard(struct pg_replica *replica, char *ret);
void pg_replica_look(struct pg_replica *replica, struct db_replica *ret);

/* --- postgres_citus.c ----------------------------------------------------- */

/* Are tables of this store spread over several machines? RC_STORE_DOWN. */
enum rc pg_citus_look(const struct db *db, bool *ret_spread) MUST_USE;
/* driver.h: session_distribute */
enum rc pg_session_distribute(struct session *session, db_distributed_fn *tell) MUST_USE;

/* --- postgres_watch.c ---------------------------------------------------- */

/* What a group sends, so that whoever watches this room's store hears of its commit. */
const char *pg_notify_sql(const struct db *db);

struct pg_watch;

/* A thread that listens, and calls db_tell(). None behind a pooler, where nobody can LISTEN: whoever watches
 * hears of this process's commits only, and looks himself. */
enum rc pg_watch_create(struct db *db, struct pg_watch **ret) MUST_USE;
void pg_watch_destroy(struct pg_watch *watch);

/* --- postgres_session.c -------------------------------------------------- */

enum rc pg_session_open(struct db *db, struct session **ret) MUST_USE;
void pg_session_close(struct session *session);
enum rc pg_session_exec(struct session *session, const char *sql) MUST_USE;
enum rc pg_session_commit(struct session *session) MUST_USE;
enum rc pg_session_query(struct session *session, const struct query *query, const void *in,
			 struct arena *arena, struct rows *ret) MUST_USE;
/* driver.h: session_online, of `CREATE INDEX CONCURRENTLY name ON ...` */
enum rc pg_session_online(struct session *session, const char *sql) MUST_USE;
/* driver.h: scratch_open; a schema in a transaction that is never committed */
enum rc pg_scratch_open(struct db *db, struct session **ret) MUST_USE;
enum rc pg_session_prepare(struct session *session, const struct query *query) MUST_USE;
enum rc pg_session_as_role(struct session *session) MUST_USE;
enum rc pg_hold(struct db *db, const char *lock, void **ret) MUST_USE;
void pg_release(void *held);
enum rc pg_session_scan(struct session *session, const struct query *query,
			const struct row_sink *sink) MUST_USE;
enum rc pg_session_each(struct session *session, const struct query *query, const void *const *in,
			size_t count) MUST_USE;

#endif
