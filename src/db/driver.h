/*
 * Inside src/db: what a driver gives (sqlite.c, postgres.c), and what all share.
 *
 * db.c        the front: options, ports, db_read() and db_write()
 * crew.c      threads that take jobs from a bounded queue (fair_queue.c)
 * committer.c group commit, one algorithm for both drivers
 * migrate.c   the schema's versions
 * value.c     members of in and out structs (value.h)
 * whole.c     a store's tables in one transaction
 * elsewhere.c a room without a store here
 */
#ifndef DB_DRIVER_H
#define DB_DRIVER_H

#include "db/value.h"
#include "db/whole.h"

#include <pthread.h>
#include <stdatomic.h>

struct driver;

#define VERSION_BITS 12 /* 4096 counters */
#define GROUP_MAX    256
#define WRITERS_MAX  16

/* What one thread of the committer holds. */
struct hand {
	struct db *db;
	void *writer; /* the driver's */
};

struct db {
	const struct query_set *set;
	const struct driver *driver;
	struct query schema;	   /* reads the schema's version: one query more than the set has */
	struct db_options options; /* with its own copy of the url */
	void *store;		   /* the driver's */
	struct hand hands[WRITERS_MAX];
	size_t hand_count;
	struct crew *committer;
	bool one_tenant; /* in a transaction: what several have may lie on several machines */
	_Atomic uint64_t versions[1 << VERSION_BITS], epoch, touches;
	_Atomic uint64_t writes, commits;
	/* Groups with tenants' scripts that have ended, kept or perhaps so; and of each stripe of tenants,
	 * which was the last. Scripts without tenant are the house's own: nobody waits to see what they did.
	 */
	_Atomic uint64_t kept, kept_of[1 << VERSION_BITS];
	struct histogram group_sizes, commit_durations;
	atomic_bool watched_here; /* see db_watch_here() */
	struct {
		pthread_mutex_t lock;
		void (*fn)(void *arg); /* NULL: nobody */
		void *arg;
	} watch;
};

/* How a group's transaction ended. */
enum outcome {
	OUTCOME_DONE,	 /* durable; or, when apart, each script's rc says how it fared */
	OUTCOME_REFUSED, /* nothing was kept, because of one script: its rc says why */
	OUTCOME_AGAIN,	 /* nothing was kept; the same may succeed now (deadlock, serialisation) */
	OUTCOME_LOST,	 /* the store is gone; whether anything was kept is not known */
};

/* One job after another on a connection of one's own, for migrations and for whole.h. Its end rolls back
 * what was not committed. */
struct session;

/* Where the rows of a scan go: whole.c. */
struct row_sink {
	const struct table *table;
	db_row_fn *fn;
	void *arg;
};
enum rc row_sink_take(const struct row_sink *sink, const void *row) MUST_USE;

struct driver {
	enum dialect dialect;
	bool shared; /* other processes may write this store */

	/* See db_url_check(). NULL: every URL of this driver is local. */
	bool (*url_check)(const char *url, enum db_transport *ret, const char **ret_why);
	/* See db_url_files(). NULL: none. */
	void (*url_files)(const char *url, void (*fn)(void *arg, const char *path), void *arg);
	/* Fills db->store, and db->hands by db_add_writer(). Logs why not. */
	enum rc (*open)(struct db *db);
	/* After the committer has ended. */
	void (*close)(struct db *db);
	enum rc (*ping)(struct db *db);
	/* Those who read. NULL: reads answer inside the call. */
	struct crew *(*readers)(const struct db *db);
	/* See db_replica(). NULL: there are none. */
	bool (*replica)(const struct db *db, struct db_replica *ret);

	void *(*port_open)(struct db *db);
	void (*port_close)(void *port);
	void (*port_rest)(void *port); /* may be NULL */
	enum rc (*read)(void *port, struct ctx *cx, const struct query *query, const void *in,
			struct rows *ret);

	/* See db_read_each(); of a query that is marked :together. NULL: one after the other is as good. */
	enum rc (*read_each)(void *port, struct ctx *cx, const struct query *query, const void *const *ins,
			     size_t count, struct rows *ret);

	/* True when the writer can be used; opens it again when its connection was lost. */
	bool (*writer_ready)(void *writer);
	/*
	 * Runs the scripts in one transaction, in this order. `apart`: one that fails does not
	 * disturb the others; dearer, and so only taken when too many fail.
	 */
	enum outcome (*commit)(void *writer, struct script **scripts, size_t count, bool apart,
			       size_t *ret_failed);
	/* Those who asked for these groups have their answers. May be NULL. */
	void (*writer_answered)(void *writer);
	/* No script has come for a while. May be NULL. */
	void (*writer_idle)(void *writer);

	/* Begins to call db_tell() for what other processes commit. May be NULL, and so may its end. */
	enum rc (*watch)(struct db *db);
	void (*unwatch)(struct db *db);

	enum rc (*session_open)(struct db *db, struct session **ret);
	void (*session_close)(struct session *session);
	enum rc (*session_exec)(struct session *session, const char *sql);
	enum rc (*session_commit)(struct session *session);
	enum rc (*session_query)(struct session *session, const struct query *query, const void *in,
				 struct arena *arena, struct rows *ret);
	enum rc (*session_prepare)(struct session *session, const struct query *query);
	/* See db_whole_hold(). `lock`: the statement that waits for the relay's row, where there are such
	 * locks. */
	enum rc (*hold)(struct db *db, const char *lock, void **ret);
	void (*release)(void *held);
	/* See whole.h. NULL: not with this store. */
	enum rc (*replace_file)(struct db *db, const char *path);
	/* See whole.h. NULL: nothing to do, or not with this store. */
	enum rc (*session_as_role)(struct session *session);
	enum rc (*session_scan)(struct session *session, const struct query *query,
				const struct row_sink *sink);
	enum rc (*session_each)(struct session *session, const struct query *query, const void *const *in,
				size_t count);
	enum rc (*session_copy)(struct session *session, const char *path, db_copy_fn *progress, void *arg);
	enum rc (*session_check)(struct session *session, bool deep);

	/*
	 * Are all tables of tenants behind the store's own wall between them? `mend`: build it where it is
	 * missing, in the session's transaction. NULL: this store has none.
	 */
	enum rc (*session_wall)(struct session *session, bool mend, bool *ret_whole);

	/* See db_distribute(). NULL: such a store has one place only. */
	enum rc (*session_distribute)(struct session *session, db_distributed_fn *tell);

	/*
	 * Runs a statement of a migration that is online: on a connection of its own and without a
	 * transaction, while the session's keeps other processes from the schema. Begins anew what an earlier
	 * try has left half, and tells the log how far it is. NULL: it is run like any other.
	 */
	enum rc (*session_online)(struct session *session, const char *sql);

	/* Starts one that sees what there is at its first statement, until its end. */
	const char *snapshot_begin;
	/* A store of nothing, to see what migrations make: nothing of it is left when it is closed, or when
	 * the process ends. RC_INTERNAL: this login may not make one. */
	enum rc (*scratch_open)(struct db *db, struct session **ret);
	void (*scratch_close)(struct session *scratch);

	/* Starts a transaction beside which no other process can change the schema. */
	const char *schema_begin;
	/* The first statement in it; NULL when the above suffices. */
	const char *schema_lock;
	/* From then on a statement that waits for a table fails, with RC_STORE_DOWN. NULL: none waits. */
	const char *schema_patience;
};

extern const struct driver sqlite_driver, postgres_driver;

/* db.c */
/* Of calloc'ed memory, to be given back by db_close(). */
void db_init(struct db *db, const struct query_set *set, const struct driver *driver);
void db_add_writer(struct db *db, void *writer);
/* These have ended together: before anybody is told. */
void db_note_kept(struct db *db, struct script *const *scripts, size_t count);
/* The number in db->kept of the last group with that tenant's scripts; nil: with anybody's. */
uint64_t db_last_kept(struct db *db, const struct uuid *tenant);
/* Calls whoever watches. */
void db_tell(struct db *db);

/* --- elsewhere.c ---------------------------------------------------------- */

/* See db_elsewhere(). */
void *elsewhere_arg(const struct db *db);

/* --- crew.c -------------------------------------------------------------- */

/* What one thread of a crew does. `hand` is its own: a connection. */
struct crew_work {
	bool (*ready)(void *hand);
	/* Answers every job, by job_done(). False: the hand is to be made ready again. */
	bool (*run)(void *hand, struct job **jobs, size_t count);
	/* What would hold up a job, once none has come for a while. May be NULL. */
	void (*idle)(void *hand);
	/* While another hand is at work, a batch is begun for so many jobs or more: larger ones cost less
	 * each. */
	size_t enough;
};

/* NULL when a thread cannot be had. The hands outlive the crew. */
struct crew *crew_create(const struct crew_work *work, void *const *hands, size_t count,
			 size_t batch_max) MUST_USE;
/* Finishes what is queued. NULL is fine. */
void crew_destroy(struct crew *crew);

/*
 * On a fiber: waits until the job is done. RC_STORE_DOWN at once while no hand is ready, RC_OVERLOADED when
 * the queue or the tenant's half of it is full. Tenants take turns (fair_queue.h). The crew's thread may fill
 * the arena (which may be NULL) meanwhile.
 */
enum rc crew_do(struct crew *crew, struct job *job, const struct uuid *tenant, struct arena *arena) MUST_USE;
void job_done(struct job *job, enum rc rc);
void crew_stats(struct crew *crew, struct db_crew *ret);

/* --- migrate.c ------------------------------------------------------------ */

/* For db->schema. */
struct query schema_query(const struct query_set *set);

/* --- committer.c --------------------------------------------------------- */

struct crew *committer_create(struct db *db) MUST_USE;

#endif
