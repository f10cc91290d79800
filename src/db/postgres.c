/*
 * The remote store. Worker threads own the connections: some take reads, many of them in one round trip,
 * some take groups of scripts from the committer. A group goes in one flight, and so do reads:
 *
 *     BEGIN, the scripts' steps (postgres_volley.c), Sync, COMMIT, Sync
 *     BEGIN, the queries, COMMIT, Sync
 *
 * with a SET LOCAL before each that is for another tenant than the one before it (postgres_wall.c). When
 * a step fails, PostgreSQL skips what follows up to the first Sync, and the COMMIT rolls back.
 */
#include "db/postgres.h"

#include <stdlib.h>

struct store {
	struct pg_conn conns[2 * WRITERS_MAX]; /* those of the reads, then those of the writes */
	size_t count;
	struct crew *readers;
	struct pg_watch *watch;	    /* NULL: nobody watches */
	struct pg_replica *replica; /* NULL: there is none */
};

static void *postgres_port_open(struct db *db)
{
	return db->store; /* its queue is for all threads */
}

static void postgres_port_close(void *port)
{
	(void)port;
}

static enum rc postgres_read(void *port, struct ctx *cx, const struct query *query, const void *in,
			     struct rows *ret)
{
	const struct store *store = port;

	if (pg_replica_read(store->replica, cx, query, in, ret))
		return RC_OK;
	return pg_ask(store->readers, cx, query, in, ret);
}

static enum rc postgres_read_each(void *port, struct ctx *cx, const struct query *query,
				  const void *const *ins, size_t count, struct rows *ret)
{
	return pg_ask_each(((const struct store *)port)->readers, cx, query, ins, count, ret);
}

static enum rc postgres_ping(struct db *db)
{
	struct rows none;

	return pg_ask(((const struct store *)db->store)->readers, NULL, NULL, NULL, &none);
}

static struct crew *postgres_readers(const struct db *db)
{
	return ((const struct store *)db->store)->readers;
}

static bool postgres_replica(const struct db *db, struct db_replica *ret)
{
	struct pg_replica *replica = ((const struct store *)db->store)->replica;

	if (replica != NULL)
		pg_replica_look(replica, ret);
	return replica != NULL;
}

/* --- Writing ------------------------------------------------------------- */

static enum outcome prepare_volleys(struct pg_conn *conn, struct pg_volleys volleys, size_t *ret_failed)
{
	struct script **first = volleys.scripts;
	struct pg_volley volley;

	while (pg_volley_next(&volleys, &volley)) {
		enum rc rc = pg_volley_prepare(conn, &volley);

		if (rc == RC_STORE_DOWN)
			return OUTCOME_LOST;
		if (rc != RC_OK) {
			volley.scripts[0]->job.rc = rc;
			*ret_failed = (size_t)(volley.scripts - first);
			return OUTCOME_REFUSED;
		}
	}
	return OUTCOME_DONE;
}

static bool send_volleys(struct pg_conn *conn, struct pg_volleys volleys)
{
	struct pg_wall wall = {.rows_of = PG_ROWS_OF_NOBODY};
	struct pg_volley volley;
	bool sent = true;

	while (sent && pg_volley_next(&volleys, &volley))
		sent = pg_volley_send(conn, &wall, &volley);
	return sent;
}

/* A NOTIFY goes out with the commit, wherever it stands. */
static bool send_begin(struct pg_conn *conn)
{
	return pg_send_begin(conn) && (!conn->notifies || pg_send_sql(conn, pg_notify_sql(conn->db)));
}

static bool send_commit(struct pg_conn *conn)
{
	return PQpipelineSync(conn->pg) == 1 && pg_send_sql(conn, "COMMIT") && PQpipelineSync(conn->pg) == 1;
}

static bool send_in_one(struct pg_conn *conn, const struct pg_volleys *volleys)
{
	return send_begin(conn) && send_volleys(conn, *volleys) && send_commit(conn);
}

/*
 * A script that succeeds sets the savepoint anew; one that fails is skipped up to its Sync, and so has not.
 * So `ROLLBACK TO kept` takes back a failure, and nothing else, though it is sent before either is known.
 * With a script its SET LOCAL may be taken back: each names its tenant anew.
 */
static bool send_apart(struct pg_conn *conn, struct script **scripts, size_t count)
{
	bool sent = send_begin(conn) && pg_send_sql(conn, "SAVEPOINT kept");

	for (size_t i = 0; sent && i < count; i++) {
		sent = send_volleys(conn, (struct pg_volleys){&scripts[i], 1, .singly = true}) &&
		       pg_send_sql(conn, "SAVEPOINT kept") && PQpipelineSync(conn->pg) == 1 &&
		       pg_send_sql(conn, "ROLLBACK TO kept");
	}
	return sent && send_commit(conn);
}

/* Of the first to fail, its index among the scripts. */
static enum outcome take_volleys(struct pg_conn *conn, struct pg_volleys volleys, size_t *ret_failed)
{
	struct pg_wall wall = {.rows_of = PG_ROWS_OF_NOBODY};
	struct script **first = volleys.scripts;
	enum outcome outcome = OUTCOME_DONE, one;
	struct pg_volley volley;

	while (pg_volley_next(&volleys, &volley)) {
		one = pg_volley_take(conn, &wall, &volley);
		if (one == OUTCOME_LOST)
			return one;
		if (one != OUTCOME_DONE) {
			outcome = one;
			*ret_failed = (size_t)(volley.scripts - first);
		}
	}
	return outcome;
}

static bool take_commit(struct pg_conn *conn, const char *tag)
{
	return pg_synced(conn) && pg_tag_is(conn, tag) && pg_synced(conn);
}

static bool take_begin(struct pg_conn *conn)
{
	return pg_take_begin(conn) && (!conn->notifies || pg_tag_is(conn, "NOTIFY"));
}

static enum outcome take_in_one(struct pg_conn *conn, const struct pg_volleys *volleys, size_t *ret_failed)
{
	enum outcome outcome;

	if (!take_begin(conn))
		return OUTCOME_LOST;
	outcome = take_volleys(conn, *volleys, ret_failed);
	if (outcome == OUTCOME_LOST)
		return outcome;
	return take_commit(conn, outcome == OUTCOME_DONE ? "COMMIT" : "ROLLBACK") ? outcome : OUTCOME_LOST;
}

/* Its steps, the savepoint when they went well, the end of its part, and the way back to the savepoint. */
static enum outcome take_apart(struct pg_conn *conn, struct script *script)
{
	size_t failed;
	enum outcome outcome = take_volleys(conn, (struct pg_volleys){&script, 1, .singly = true}, &failed);
	PGresult *savepoint;

	if (outcome == OUTCOME_LOST)
		return outcome;
	savepoint = pg_result(conn);
	if (savepoint == NULL)
		return OUTCOME_LOST;
	PQclear(savepoint);
	return pg_synced(conn) && pg_tag_is(conn, "ROLLBACK") ? outcome : OUTCOME_LOST;
}

/* A deadlock takes back one script only, and no group: that one is told to come again. */
static enum outcome take_all_apart(struct pg_conn *conn, struct script **scripts, size_t count)
{
	if (!take_begin(conn) || !pg_tag_is(conn, "SAVEPOINT"))
		return OUTCOME_LOST;
	for (size_t i = 0; i < count; i++) {
		if (take_apart(conn, scripts[i]) == OUTCOME_LOST)
			return OUTCOME_LOST;
	}
	return take_commit(conn, "COMMIT") ? OUTCOME_DONE : OUTCOME_LOST;
}

static enum outcome commit_in_one(struct pg_conn *conn, const struct pg_volleys *volleys, size_t *ret_failed)
{
	enum outcome outcome = prepare_volleys(conn, *volleys, ret_failed);

	if (outcome == OUTCOME_DONE)
		outcome = send_in_one(conn, volleys) ? take_in_one(conn, volleys, ret_failed) : OUTCOME_LOST;
	return outcome;
}

static enum outcome commit_apart(struct pg_conn *conn, struct script **scripts, size_t count,
				 size_t *ret_failed)
{
	enum outcome outcome =
		prepare_volleys(conn, (struct pg_volleys){scripts, count, .singly = true}, ret_failed);

	if (outcome == OUTCOME_DONE)
		outcome = send_apart(conn, scripts, count) ? take_all_apart(conn, scripts, count)
							   : OUTCOME_LOST;
	return outcome;
}

static void begin_anew(struct script **scripts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		scripts[i]->job.rc = RC_OK;
}

/* A statement for many that fails does not say for whom: each step alone does. */
static enum outcome commit_ready(struct pg_conn *conn, struct script **scripts, size_t count, bool apart,
				 size_t *ret_failed)
{
	struct pg_volleys volleys = {scripts, count, .singly = conn->db->one_tenant};
	enum outcome outcome;

	begin_anew(scripts, count);
	if (apart)
		return commit_apart(conn, scripts, count, ret_failed);
	outcome = commit_in_one(conn, &volleys, ret_failed);
	if (outcome != OUTCOME_REFUSED || volleys.singly)
		return outcome;
	begin_anew(scripts, count);
	volleys.singly = true;
	return commit_in_one(conn, &volleys, ret_failed);
}

/* Is another process to hear of it? While a transaction that notifies commits, no other one of the cluster
 * that does can: so not where he who watches is in this process. */
static bool must_notify(const struct db *db, struct script **scripts, size_t count)
{
	if (atomic_load(&db->watched_here))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (scripts[i]->tells)
			return true;
	}
	return false;
}

static enum outcome postgres_commit(void *writer, struct script **scripts, size_t count, bool apart,
				    size_t *ret_failed)
{
	struct pg_conn *conn = writer;
	enum outcome outcome = OUTCOME_LOST;

	conn->notifies = must_notify(conn->db, scripts, count);
	if (pg_conn_ready(conn))
		outcome = commit_ready(conn, scripts, count, apart, ret_failed);
	if (outcome == OUTCOME_LOST)
		pg_conn_lose(conn);
	return outcome;
}

/* --- Life ---------------------------------------------------------------- */

static bool conn_ready(void *conn)
{
	return pg_conn_ready(conn);
}

static void store_free(struct store *store)
{
	pg_replica_destroy(store->replica);
	crew_destroy(store->readers);
	for (size_t i = 0; i < store->count; i++)
		pg_conn_finish(&store->conns[i]);
	free(store);
}

/* The first is connected here: the operator hears at once what is wrong. The others on their threads. */
static enum rc open_conns(struct store *store, const struct db *db)
{
	size_t reads = (size_t)db->options.read_connections,
	       all = reads + (size_t)db->options.write_connections;

	for (; store->count < all; store->count++) {
		if (!pg_conn_init(&store->conns[store->count], db,
				  store->count < reads ? PG_READS : PG_WRITES))
			return RC_NO_MEMORY;
	}
	return pg_conn_ready(&store->conns[0]) ? RC_OK : RC_STORE_DOWN;
}

static enum rc postgres_open(struct db *db)
{
	struct store *store = calloc(1, sizeof(*store));
	size_t reads = (size_t)db->options.read_connections;
	enum rc rc;

	if (store == NULL)
		return RC_NO_MEMORY;
	rc = pg_role_ready(db);
	if (rc == RC_OK)
		rc = pg_citus_look(db, &db->one_tenant);
	if (rc == RC_OK)
		rc = open_conns(store, db);
	if (rc == RC_OK && (store->readers = pg_readers_create(store->conns, reads)) == NULL)
		rc = RC_NO_MEMORY;
	if (rc == RC_OK && db->options.replica_url != NULL)
		rc = pg_replica_create(db, &store->replica);
	if (rc != RC_OK) {
		store_free(store);
		return rc;
	}
	db->store = store;
	for (size_t i = reads; i < store->count; i++)
		db_add_writer(db, &store->conns[i]);
	return RC_OK;
}

static enum rc postgres_watch(struct db *db)
{
	return pg_watch_create(db, &((struct store *)db->store)->watch);
}

static void postgres_unwatch(struct db *db)
{
	struct store *store = db->store;

	pg_watch_destroy(store->watch);
	store->watch = NULL;
}

static void postgres_close(struct db *db)
{
	store_free(db->store);
}

const struct driver postgres_driver = {
	.dialect = DIALECT_POSTGRES,
	.shared = true,
	.url_check = postgres_url_check,
	.url_files = postgres_url_files,
	.open = postgres_open,
	.close = postgres_close,
	.ping = postgres_ping,
	.readers = postgres_readers,
	.replica = postgres_replica,
	.port_open = postgres_port_open,
	.port_close = postgres_port_close,
	.read = postgres_read,
	.read_each = postgres_read_each,
	.writer_ready = conn_ready,
	.commit = postgres_commit,
	.watch = postgres_watch,
	.unwatch = postgres_unwatch,
	.session_open = pg_session_open,
	.session_close = pg_session_close,
	.session_exec = pg_session_exec,
	.session_commit = pg_session_commit,
	.session_query = pg_session_query,
	.session_prepare = pg_session_prepare,
	.session_as_role = pg_session_as_role,
	.hold = pg_hold,
	.release = pg_release,
	.session_scan = pg_session_scan,
	.session_each = pg_session_each,
	.session_wall = pg_session_wall,
	.session_distribute = pg_session_distribute,
	.snapshot_begin = pg_snapshot_begin,
	.session_online = pg_session_online,
	.schema_begin = pg_schema_begin,
	.scratch_open = pg_scratch_open,
	.scratch_close = pg_session_close,
	.schema_lock = "LOCK TABLE marca_schema IN SHARE ROW EXCLUSIVE MODE",
	.schema_patience = "SET LOCAL lock_timeout = '2s'", /* whoever asks after us waits behind us */
};
