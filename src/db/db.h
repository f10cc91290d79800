/*
 * A room's store: static SQL with typed inputs and outputs, on SQLite or on
 * PostgreSQL. What a query is comes from the room's queries.sql by tools/sqlgen.
 *
 * Reads answer inside the call when the store is embedded; on a remote store
 * they make the calling fiber wait, and many fibers' reads share a round trip.
 *
 * Writes are scripts: a list of queries with no logic between them. Scripts of
 * many requests share one transaction (group commit), and db_write() returns when its
 * commit is durable. A script that fails is left out of its group, whole.
 *
 * Both must be called on a fiber (base/fiber.h). Results live in the ctx's arena.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include "base/ctx.h"
#include "base/fiber.h"
#include "base/histogram.h"

enum dialect { DIALECT_SQLITE, DIALECT_POSTGRES, DIALECT_COUNT };

/*
 * How a member is kept: struct uuid, utime, int64_t, bool, const char * (TEXT,
 * JSON, a date is TEXT too), or an enum by its word. A nullable member is "none" when: UUID nil, TIME
 * UTIME_NONE, INT INT_NONE, TEXT and JSON NULL. BOOL and ENUM are never null.
 */
enum db_kind { DB_UUID, DB_TIME, DB_INT, DB_BOOL, DB_TEXT, DB_JSON, DB_ENUM };

#define INT_NONE UTIME_NONE /* one mark for both */

struct column {
	const char *name;
	enum db_kind kind;
	bool nullable;
	size_t offset;		   /* in the query's in or out struct */
	const struct names *names; /* of an ENUM; the member is an int-sized enum */
};

enum query_rows {
	ROWS_NONE,  /* no result */
	ROWS_ONE,   /* exactly one; none is RC_INTERNAL */
	ROWS_MAYBE, /* none or one */
	ROWS_MANY,
};

struct query {
	const char *name;
	const char *sql[DIALECT_COUNT];
	/*
	 * PostgreSQL: the same for many inputs at once, each parameter an array of what one has. Rows begin
	 * with their tenant's id and the input at `together_by`, and not with .out's first. NULL: one by one.
	 */
	const char *together;
	size_t together_by;
	bool looks_at_own; /* it looks for rows such as it adds: in one script, one by one */
	const struct column *in, *out;
	size_t in_count, out_count;
	size_t in_size, out_size; /* of the structs */
	enum query_rows rows;
	enum room room;
	unsigned index;	 /* in the room's query_set */
	bool tenant;	 /* scoped: the first input is tenant_id */
	bool operators;	 /* across tenants: refused to whoever is not the operator */
	bool neighbours; /* services in other processes may ask it: its columns are a wire format */
	bool replica;	 /* of work that only reads (cx->only_reads), a replica of the store may answer it */
	const char *why; /* it may see rows of several tenants; NULL: there are none, or it is scoped */
};

struct migration {
	int number; /* 1, 2, ... without gaps */
	const char *name;
	const char *const *statements[DIALECT_COUNT]; /* one statement a string; ended by NULL */
	int since;   /* a binary that knows this many may run beside it; 0: any */
	bool online; /* PostgreSQL: its indexes are built without a transaction, beside writers */
};

/*
 * A table of tenants' rows. `rows`: in are tenant_id, the key after which the page begins, a limit (where the
 * key is more than tenant_id), out is every column. `erase`: in are tenant_id and (likewise) a limit; a row
 * for each that went.
 */
struct tenant_table {
	const char *name;
	const struct query *rows, *erase;
};

/*
 * Any table of the room, for moving it to another store (whole.h). `all`: every row, by the primary key, its
 * texts byte by byte. `put`: one row, whose in is a row of `all`. `wipe`: no row is left.
 */
struct table {
	const char *name;
	const struct query *all, *put, *wipe;
	bool seeded; /* a migration puts rows into it */
};

/* All that sqlgen made of one room's folder. */
struct query_set {
	const char *name;
	enum room room;
	const struct query *const *queries;
	size_t count;
	const struct migration *migrations;
	size_t migration_count;
	const struct tenant_table *tables; /* ended by one without a name */
	const struct table *whole;	   /* all of them, each after those it refers to; ended likewise */
};

/* --- The process's side ------------------------------------------------- */

struct db;

struct db_options {
	const char *url;       /* "sqlite:PATH" or "postgresql://..." */
	int write_connections; /* PostgreSQL only; SQLite has one writer */
	int read_connections;  /* PostgreSQL only */
	size_t group_max;      /* scripts in one commit */
	/* PostgreSQL only: a standby of it, which may answer reads that bear being so old; NULL: none. */
	const char *replica_url;
	int replica_lag_ms;
	/* SQLite only: a commit survives the end of the process, but perhaps not a power failure. */
	bool relaxed;
	/* Beside the process that has the store open, for an operator's commands: makes nothing. */
	bool guest;
	/* PostgreSQL only: who reads and writes rows, and owns no table. NULL: marca_app. */
	const char *role;
	/* PostgreSQL only: the URL leads to a pooler that gives each transaction another connection. */
	bool pooled;
	const struct world *world; /* whose clock dates the migrations */
};

/* What lies between this process and a store. */
enum db_transport {
	DB_LOCAL,	 /* nothing: a file, a socket, loopback */
	DB_TLS_VERIFIED, /* TLS, and the server has shown a certificate that we trust */
	DB_TLS_ONLY,	 /* TLS with whoever answers */
	DB_PLAIN,	 /* a network that may listen in, or TLS only where both sides feel like it */
};
/* False: the reason, which says nothing of what the URL holds; a password may be in any part of a mistyped
 * one. Connects to nothing. */
bool db_url_check(const char *url, enum db_transport *ret, const char **ret_why) MUST_USE;

/* The files that connecting to it may read: certificates, keys, passwords, whether they exist or not. */
void db_url_files(const char *url, void (*fn)(void *arg, const char *path), void *arg);

/* Opens, and starts the committer. On failure says why on the log. */
enum rc db_open(const struct query_set *set, const struct db_options *options, struct db **ret) MUST_USE;
/* Finishes what is queued, then closes. NULL is fine. */
void db_close(struct db *db);

enum dialect db_dialect(const struct db *db);
/* True when other processes may write the store. */
bool db_is_shared(const struct db *db);
/* Threads that take work from a queue, each by a connection of its own. */
struct db_crew {
	size_t waiting;		/* pieces of work, just now */
	size_t hands, up, busy; /* there are; that are connected; of these, at work */
};
/* Since the start, and just now. */
struct db_stats {
	uint64_t writes, commits;	       /* scripts that are kept, and the commits that they shared */
	struct histogram_sum group_sizes;      /* scripts that a commit took up, by histogram_sizes */
	struct histogram_sum commit_durations; /* from there to its end, whether it was kept or not */
	struct db_crew writers, readers;       /* no reader has a hand where reads answer inside the call */
};
/* Of a store that is here. */
void db_stats(struct db *db, struct db_stats *ret);
/* A standby that may answer some reads (struct query: replica). */
struct db_replica {
	uint64_t by_replica, by_primary; /* such reads, by who answered */
	bool fresh;			 /* it may answer just now whoever has written nothing */
	int64_t lag_ms;			 /* so old its rows may be; -1: not known */
	struct db_crew readers;
};
/* False: the store has none. */
bool db_replica(const struct db *db, struct db_replica *ret);
/* RC_OK when the store answers just now. For /ready; on a fiber. */
enum rc db_ping(struct db *db) MUST_USE;

/*
 * From now on fn(arg) is called, on any thread, when a script that tells (script.tells) was committed: by
 * this process, or by another one to a store that is shared. It may be called for nothing, and a call from
 * another process can be lost with a connection: so look now and then all the same. Once a store; ends with
 * db_unwatch().
 */
enum rc db_watch(struct db *db, void (*fn)(void *arg), void *arg) MUST_USE;
void db_unwatch(struct db *db);
/* While `here`, this process's commits are not announced to other processes: whoever heeds them is in this
 * one. On any thread; commits that are under way may go either way. A store that is not shared is not
 * affected. */
void db_watch_here(struct db *db, bool here);

/*
 * Brings the schema to `target` (-1: the newest). Tells each step to `progress` (may
 * be NULL). RC_INTERNAL with the store unchanged when one fails, or when the schema is newer than
 * this binary and holds what no binary so old may run beside.
 */
typedef void db_progress_fn(const char *room, const struct migration *, bool up_to_date);
enum rc db_migrate(struct db *db, int target, db_progress_fn *progress) MUST_USE;
/* Highest migration that the store has; 0 for an empty one. Does it fit: has it all that this binary needs,
 * and nothing that it may not run beside? */
enum rc db_schema_version(struct db *db, int *ret, bool *ret_fits) MUST_USE;

/* The same by a thread's own way into the store, on a fiber: as cheap as any read. */
enum rc db_schema_read(struct ctx *cx, const struct db *db, int *ret) MUST_USE;
/* The version that this binary knows. */
int db_schema_known(const struct db *db);
/*
 * What is wrong with the store itself, told in words, each fault once: damaged pages, indexes and references;
 * and where its schema is not what the migrations make. Both read only, beside whoever uses it. The latter is
 * RC_INTERNAL where the login may not make a schema, for comparison, which goes again.
 */
typedef void db_fault_fn(void *arg, const char *what);
enum rc db_inspect_pages(struct db *db, db_fault_fn *fn, void *arg) MUST_USE;
enum rc db_inspect_schema(struct db *db, db_fault_fn *fn, void *arg) MUST_USE;

/*
 * Spreads the tables of tenants over the machines of a Citus cluster, each tenant's rows on one of them;
 * those with a key for all tenants become a copy on each. Tells of each table once. What is spread already
 * stays as it is. RC_INTERNAL when the store is no Citus.
 */
typedef void db_distributed_fn(const char *table, bool copied);
enum rc db_distribute(struct db *db, db_distributed_fn *tell) MUST_USE;

/* Prepares each query without running it: RC_INTERNAL, and the log says which, when the store refuses one. */
enum rc db_check(struct db *db) MUST_USE;

struct rows;

/* --- A room that another process has ------------------------------------- */

/* How that process is asked. On the asking fiber, which may wait; what it gives lies in the ctx's arena. */
struct db_elsewhere {
	enum rc (*read)(void *arg, struct ctx *cx, const struct query *query, const void *in,
			struct rows *ret);
	enum rc (*ping)(void *arg);
	void *arg;
};

/*
 * A store in all that reading needs, and in nothing else: queries that are marked for neighbours are asked
 * there, db_shared() is true, versions move by db_touch() alone. A script, or another query, is RC_INTERNAL.
 * NULL: memory. `arg` must outlive it.
 */
struct db *db_open_elsewhere(const struct query_set *set, const struct db_elsewhere *how) MUST_USE;

/* --- A thread's side ---------------------------------------------------- */

struct db_port *db_port_open(struct db *db) MUST_USE;
void db_port_close(struct db_port *port);
/*
 * The thread is about to wait. Until then its reads may share one look at the store. Whatever any client was
 * told is seen by every later read all the same; but a look that is never given up keeps a log from being
 * cut.
 */
void db_port_rest(struct db_port *port);

/*
 * A count of the committed scripts under one key, in this process: what was read
 * before it moved may be stale now. Striped, so that an unrelated key may move it too. Of a
 * store that other processes write (db_shared()) it tells their changes only when somebody hears of them, by
 * db_touch(): later, or never. What is kept under it there needs an end of its own.
 */
uint64_t db_version(const struct db_port *port, const struct uuid *key);
/* Moves whenever any version does: for whoever learns only with the answer which keys it hangs on. */
uint64_t db_touches(const struct db_port *port);
/* True when other processes may write the store. */
bool db_shared(const struct db_port *port);
/* The `arg` by which the room's process is asked; NULL: the room is here. */
void *db_elsewhere(const struct db_port *port);

/* Moves the version of one key, or of all: what other processes changed. On any thread. */
void db_touch(struct db *db, const struct uuid *key);
void db_touch_all(struct db *db);
/* The same for a script of ours that changed more than its own keys. */
void db_port_touch(const struct db_port *port, const struct uuid *key);

/* --- A request's side --------------------------------------------------- */

/* Rows as an array of the query's out struct. ROWS_MAYBE: count is 0 or 1. */
struct rows {
	void *items;
	size_t count;
};

/*
 * One query. Through the typed q_<name>() that sqlgen makes, not directly. Here, and in script_add(), whoever
 * has a tenant is refused (RC_INTERNAL: a bug) what is bound to another, and an operator's query.
 */
enum rc db_read(struct ctx *cx, const struct query *query, const void *in, struct rows *ret) MUST_USE;

/*
 * The same for so many inputs, at most DB_READ_EACH_MAX: ret[i] are the rows of ins[i]. One round trip to a
 * remote store, for a query that is marked :together; those of a tenant are best put side by side.
 */
#define DB_READ_EACH_MAX 256
enum rc db_read_each(struct ctx *cx, const struct query *query, const void *const *ins, size_t count,
		     struct rows *ret) MUST_USE;

struct step {
	const struct query *query;
	const void *in;
	struct rows rows; /* filled when the script has run */
};

#define SCRIPT_STEPS	 8   /* without script_reserve() */
#define SCRIPT_STEPS_MAX 768 /* with it */

/* Something that a worker thread does while a fiber waits. The store's own. */
struct job {
	struct job *next;
	struct fiber *fiber;
	enum rc rc;
};

/*
 * `key` is what the script locks first: groups are sorted by (tenant, key), and
 * db_version(key) moves when it commits; that of `also` too, unless it is nil.
 */
struct script {
	struct ctx *cx;
	enum room room;
	struct uuid tenant, key, also;
	bool abreast; /* it changes rows of its key and new ones, and no others: those of other keys may be in
			 the middle of theirs meanwhile */
	bool tells;   /* whoever watches the store is told of its commit: it has left an event */
	struct step *steps;
	size_t count, max;
	struct step own[SCRIPT_STEPS];

	/* The committer's own. */
	struct job job;
	unsigned place; /* among those that queued up with it */
};

void script_init(struct script *script, struct ctx *cx, enum room room, const struct uuid *tenant,
		 const struct uuid *key);

/* Before the first script_add(): room for so many steps. A lack of memory is told by db_write(). */
void script_reserve(struct script *script, size_t steps);

/* Copies `in`. A lack of memory is told by db_write(). Through SCRIPT_ADD. */
struct step *script_add(struct script *script, const struct query *query, const void *in);

#define SCRIPT_ADD(script, name, ...) \
	script_add((script), &q_##name##_query, &(const struct q_##name##_in){__VA_ARGS__})

/*
 * Runs the steps and waits for the durable commit. RC_OK; RC_STORE_CONSTRAINT when a constraint refused a
 * step, RC_OVERLOADED when too many wait: nothing of the script is kept. RC_STORE_DOWN, RC_NO_MEMORY,
 * RC_INTERNAL (a bug: a statement that the store refuses, a result that is not as queries.sql says): whether
 * it is kept is not known.
 */
enum rc db_write(struct script *script) MUST_USE;

#endif
