/*
 * A standby of the store's primary, which may answer reads that bear being a little old (`-- :replica` in
 * queries.sql) where nothing is decided by them (cx->only_reads). When it may is the rule of replica_rule.h.
 *
 * A thread takes beats: it counts this process's commits, then asks the primary how far its log is flushed,
 * which covers them; and asks the standby again and again, until that has replayed as much. Then comes the
 * next beat. Nothing is written for it, and an idle primary's end of the log is reached at once.
 *
 * Connections may lead elsewhere than the thread's own: by a restart, which may take a standby back to where
 * it was before; by a balancer; by a promotion. So each transaction on the standby begins with the guard,
 * a question whether here, now, the last beat that was reached is there. If not, or if anything else fails,
 * the primary is asked instead, and nobody is told.
 */
#include "db/postgres.h"
#include "db/replica_rule.h"

#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define BEAT_MS	       100
#define AGAIN_FIRST_MS 200
#define AGAIN_MAX_MS   3000
#define ANSWER_MS      2000

struct pg_replica {
	struct db *db;
	struct pg_conn conns[WRITERS_MAX]; /* the readers' */
	size_t count;
	struct crew *readers;

	/* The thread's own. */
	pthread_t thread;
	int bell; /* readable once it shall end */
	struct pg_conn primary, standby;
	struct replica_beat beat;
	char question[PG_GUARD_SIZE]; /* of that beat, to the standby; "": none is under way */
	bool told;		      /* that it is no standby of the primary */

	pthread_mutex_t lock; /* of the two below */
	struct replica_state state;
	char guard[PG_GUARD_SIZE];

	_Atomic uint64_t by_primary, by_replica;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- Whoever reads --------------------------------------------------------- */

static struct replica_state state_of(struct pg_replica *replica)
{
	struct replica_state state;

	pthread_mutex_lock(&replica->lock);
	state = replica->state;
	pthread_mutex_unlock(&replica->lock);
	return state;
}

static bool may_answer(struct pg_replica *replica, const struct query *query, const void *in)
{
	struct replica_state state = state_of(replica);
	uint64_t last = db_last_kept(replica->db, pg_wall_tenant(query, in));

	return replica_may_answer(&state, last, now_ms(), replica->db->options.replica_lag_ms);
}

bool pg_replica_read(struct pg_replica *replica, struct ctx *cx, const struct query *query, const void *in,
		     struct rows *ret)
{
	bool answered;

	if (replica == NULL || !query->replica || !cx->only_reads)
		return false;
	answered = may_answer(replica, query, in) && pg_ask(replica->readers, cx, query, in, ret) == RC_OK;
	atomic_fetch_add_explicit(answered ? &replica->by_replica : &replica->by_primary, 1,
				  memory_order_relaxed);
	return answered;
}

bool pg_replica_there(struct pg_replica *replica)
{
	return state_of(replica).there;
}

void pg_replica_guard(struct pg_replica *replica, char *ret)
{
	pthread_mutex_lock(&replica->lock);
	memcpy(ret, replica->guard, PG_GUARD_SIZE);
	pthread_mutex_unlock(&replica->lock);
}

void pg_replica_look(struct pg_replica *replica, struct db_replica *ret)
{
	struct replica_state state = state_of(replica);
	int64_t now = now_ms();

	*ret = (struct db_replica){
		.by_primary = counter_read(&replica->by_primary),
		.by_replica = counter_read(&replica->by_replica),
		.fresh = replica_may_answer(&state, 0, now, replica->db->options.replica_lag_ms),
		.lag_ms = state.ever ? now - state.fresh_at_ms : -1,
	};
	crew_stats(replica->readers, &ret->readers);
}

/* --- The thread ------------------------------------------------------------ */

/* False: it shall end. */
static bool rest(const struct pg_replica *replica, int ms)
{
	struct pollfd bell = {.fd = replica->bell, .events = POLLIN};

	return poll(&bell, 1, ms) <= 0;
}

/* False: it does not answer in time, or nobody waits any more. */
static bool await(const struct pg_replica *replica, PGconn *pg)
{
	struct pollfd fds[] = {{.fd = replica->bell, .events = POLLIN},
			       {.fd = PQsocket(pg), .events = POLLIN}};

	while (PQisBusy(pg) == 1) {
		int ready = poll(fds, ARRAY_LEN(fds), ANSWER_MS);

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0 || fds[0].revents != 0 || PQconsumeInput(pg) != 1)
			return false;
	}
	return true;
}

/* One row, which the caller clears. NULL: the connection is given up. */
static PGresult *ask(const struct pg_replica *replica, struct pg_conn *conn, const char *sql)
{
	PGresult *result = NULL, *end;
	bool again;

	if (PQsendQuery(conn->pg, sql) == 1 && await(replica, conn->pg))
		result = PQgetResult(conn->pg);
	if (result != NULL && PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1) {
		while ((end = PQgetResult(conn->pg)) != NULL)
			PQclear(end);
		return result;
	}
	if (result != NULL)
		(void)pg_failed(result, "how far a replica is", &again);
	PQclear(result);
	pg_conn_lose(conn);
	return NULL;
}

/*
 * Its answer: is this a standby of that primary, and of that database? And has it all? A place in the log
 * means nothing on an earlier timeline; a standby tells its own by its last restartpoint, which is late.
 */
static const char question_sql[] =
	"SELECT pg_is_in_recovery() AND s.system_identifier = %s AND current_database() = %s, "
	"c.timeline_id >= %s AND pg_last_wal_replay_lsn() >= '%s' "
	"FROM pg_control_system() s, pg_control_checkpoint() c";

/* The commits are counted first: where the log ends is asked only then, and covers them. */
static bool take_beat(struct pg_replica *replica)
{
	PGresult *told;
	int len;

	replica->beat = (struct replica_beat){.kept = atomic_load(&replica->db->kept), .at_ms = now_ms()};
	told = ask(replica, &replica->primary,
		   "SELECT s.system_identifier, quote_literal(current_database()), "
		   "('x' || left(pg_walfile_name(w.at), 8))::bit(32)::int, w.at "
		   "FROM pg_control_system() s, pg_current_wal_flush_lsn() AS w(at)");
	if (told == NULL)
		return false;
	len = snprintf(replica->question, sizeof(replica->question), question_sql, PQgetvalue(told, 0, 0),
		       PQgetvalue(told, 0, 1), PQgetvalue(told, 0, 2), PQgetvalue(told, 0, 3));
	PQclear(told);
	if (len < (int)sizeof(replica->question))
		return true;
	replica->question[0] = '\0';
	return false;
}

static void reached(struct pg_replica *replica)
{
	bool first;

	pthread_mutex_lock(&replica->lock);
	first = !replica->state.there;
	replica_reached(&replica->state, &replica->beat);
	memcpy(replica->guard, replica->question, sizeof(replica->guard));
	pthread_mutex_unlock(&replica->lock);
	replica->question[0] = '\0';
	replica->told = false;
	if (first)
		LOG(INFO, "a replica has caught up and answers lists",
		    LOG_TEXT("room", replica->db->set->name));
}

/* It is not asked any more. */
static void gone(struct pg_replica *replica)
{
	bool was;

	pthread_mutex_lock(&replica->lock);
	was = replica->state.there;
	replica->state.there = false;
	pthread_mutex_unlock(&replica->lock);
	replica->question[0] = '\0';
	if (was)
		LOG(WARN, "the replica is not asked any more; the primary answers lists",
		    LOG_TEXT("room", replica->db->set->name));
}

static bool is_true(const PGresult *result, int column)
{
	return PQgetvalue(result, 0, column)[0] == 't';
}

/* False: it is no replica of ours, or none at all just now. */
static bool look_at_standby(struct pg_replica *replica)
{
	PGresult *told = ask(replica, &replica->standby, replica->question);
	bool ours = told != NULL && is_true(told, 0), all = ours && is_true(told, 1);

	if (told != NULL && !ours && !replica->told) {
		LOG(ERROR, "a replica is not used: it is no standby of the store's primary and database",
		    LOG_TEXT("room", replica->db->set->name),
		    LOG_TEXT("fix",
			     "set the replica's URL to a streaming standby of it, made by pg_basebackup"));
		replica->told = true;
	}
	PQclear(told);
	if (all)
		reached(replica);
	return ours;
}

/* False: one of the two does not answer, or the other is no standby of it. */
static bool beat(struct pg_replica *replica)
{
	if (!pg_conn_ready(&replica->standby))
		return false;
	if (replica->question[0] == '\0' && !(pg_conn_ready(&replica->primary) && take_beat(replica)))
		return false;
	return look_at_standby(replica);
}

static int next_pause(int ms)
{
	int doubled = ms < AGAIN_FIRST_MS ? AGAIN_FIRST_MS : 2 * ms;

	return doubled < AGAIN_MAX_MS ? doubled : AGAIN_MAX_MS;
}

static void *watch_on(void *arg)
{
	struct pg_replica *replica = arg;
	int pause = 0;

	while (rest(replica, pause)) {
		if (beat(replica)) {
			pause = BEAT_MS;
			continue;
		}
		gone(replica);
		pg_conn_lose(&replica->standby);
		pause = next_pause(pause);
	}
	return NULL;
}

/* --- Life ------------------------------------------------------------------ */

static bool init_conns(struct pg_replica *replica)
{
	size_t count = (size_t)replica->db->options.read_connections;

	if (!pg_conn_init(&replica->primary, replica->db, PG_WATCH) ||
	    !pg_conn_init(&replica->standby, replica->db, PG_WATCH))
		return false;
	replica->standby.replica = replica;
	for (; replica->count < count; replica->count++) {
		if (!pg_conn_init(&replica->conns[replica->count], replica->db, PG_READS))
			return false;
		replica->conns[replica->count].replica = replica;
	}
	return true;
}

static bool start(struct pg_replica *replica)
{
	if (replica->bell < 0 || !init_conns(replica))
		return false;
	replica->readers = pg_readers_create(replica->conns, replica->count);
	return replica->readers != NULL && pthread_create(&replica->thread, NULL, watch_on, replica) == 0;
}

static void replica_free(struct pg_replica *replica)
{
	crew_destroy(replica->readers);
	for (size_t i = 0; i < replica->count; i++)
		pg_conn_finish(&replica->conns[i]);
	pg_conn_finish(&replica->primary);
	pg_conn_finish(&replica->standby);
	if (replica->bell >= 0)
		close(replica->bell);
	pthread_mutex_destroy(&replica->lock);
	free(replica);
}

enum rc pg_replica_create(struct db *db, struct pg_replica **ret)
{
	struct pg_replica *replica;

	if (db->one_tenant) {
		LOG(WARN, "a replica is not used: the store is spread by Citus",
		    LOG_TEXT("room", db->set->name));
		return RC_OK;
	}
	replica = calloc(1, sizeof(*replica));
	if (replica == NULL)
		return RC_NO_MEMORY;
	replica->db = db;
	replica->bell = eventfd(0, EFD_CLOEXEC);
	pthread_mutex_init(&replica->lock, NULL);
	if (!start(replica)) {
		replica_free(replica);
		return RC_NO_MEMORY;
	}
	*ret = replica;
	return RC_OK;
}

void pg_replica_destroy(struct pg_replica *replica)
{
	if (replica == NULL)
		return;
	(void)!eventfd_write(replica->bell, 1);
	pthread_join(replica->thread, NULL);
	replica_free(replica);
}
