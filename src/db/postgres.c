/*
 * The remote store. Worker threads own the connections: some take reads, many of them in one round trip,
 * some take groups of scripts from the committer. A group goes in one flight, and so do reads:
 *
 *     BEGIN, the scripts' steps, Sync, COMMIT, Sync
 *     BEGIN, the queries, COMMIT, Sync
 *
 * with a SET LOCAL before each step that is for another tenant than the one before it (postgres_wall.c). When
 * a step fails, PostgreSQL skips what follows up to the first Sync, and the COMMIT rolls back. Reads that
 * were skipped are sent again.
 */
#include "db/postgres.h"

#include <stdlib.h>

#define READS_MAX 64 /* in one round trip */

struct store {
	struct pg_conn conns[2 * WRITERS_MAX]; /* those of the reads, then those of the writes */
	size_t count;
	struct crew *readers;
	struct pg_watch *watch; /* NULL: nobody watches */
};

struct read {
	struct job job;
	struct ctx *cx;
	const struct query *query; /* NULL: only asks whether the store answers */
	const void *in;
	struct rows rows;
};

/* --- Reading ------------------------------------------------------------- */

/* Reads that wait for their first answer, or for another since PostgreSQL skipped them. */
struct batch {
	struct read *reads[READS_MAX];
	size_t count;
};

/* Those from `from` on move down to `kept`. */
static void keep_rest(struct batch *batch, size_t kept, size_t from)
{
	memmove(&batch->reads[kept], &batch->reads[from], (batch->count - from) * sizeof(batch->reads[0]));
	batch->count = kept + batch->count - from;
}

static void give_up(struct batch *batch, enum rc rc)
{
	for (size_t i = 0; i < batch->count; i++)
		job_done(&batch->reads[i]->job, rc);
	batch->count = 0;
}

/* Those that only ask whether the store answers come first; then by tenant, for fewer SET LOCAL, and by
 * query. */
static int by_tenant(const void *a, const void *b)
{
	const struct read *x = *(struct read *const *)a, *y = *(struct read *const *)b;
	int order;

	if (x->query == NULL || y->query == NULL)
		return (x->query != NULL) - (y->query != NULL);
	order = memcmp(pg_wall_tenant(x->query, x->in)->b, pg_wall_tenant(y->query, y->in)->b,
		       sizeof(struct uuid));
	return order != 0 ? order : (int)x->query->index - (int)y->query->index;
}

static bool has_rows(const struct batch *batch)
{
	return batch->count > 0 && batch->reads[batch->count - 1]->query != NULL;
}

/* False: lost. Of reads that cannot be prepared, the fibers are told. */
static bool prepare_reads(struct pg_conn *conn, struct batch *batch)
{
	size_t kept = 0;

	for (size_t i = 0; i < batch->count; i++) {
		struct read *read = batch->reads[i];
		enum rc rc;

		ctx_enter(read->cx);
		rc = read->query != NULL ? pg_prepare(conn, read->query) : RC_OK;
		ctx_enter(NULL);
		if (rc == RC_STORE_DOWN) {
			keep_rest(batch, kept, i);
			return false;
		}
		if (rc == RC_OK)
			batch->reads[kept++] = read;
		else
			job_done(&read->job, rc);
	}
	batch->count = kept;
	return true;
}

static bool send_step(struct pg_conn *conn, struct pg_wall *wall, const struct query *query, const void *in)
{
	return (!pg_wall_moves(wall, query, in) || pg_send_wall(conn, wall)) && pg_send(conn, query, in);
}

static bool send_reads(struct pg_conn *conn, const struct batch *batch)
{
	struct pg_wall wall = {.rows_of = PG_ROWS_OF_NOBODY};
	bool sent = !has_rows(batch) || pg_send_begin(conn);

	for (size_t i = 0; sent && i < batch->count; i++) {
		const struct read *read = batch->reads[i];

		sent = read->query == NULL || send_step(conn, &wall, read->query, read->in);
	}
	return sent && (!has_rows(batch) || pg_send_sql(conn, "COMMIT")) && PQpipelineSync(conn->pg) == 1;
}

/* What controls the transaction has done this; OUTCOME_REFUSED: it was skipped. */
static enum outcome take_control(struct pg_conn *conn, const char *tag)
{
	PGresult *result = pg_result(conn);
	enum outcome outcome = OUTCOME_LOST;

	if (result != NULL && PQresultStatus(result) == PGRES_PIPELINE_ABORTED)
		outcome = OUTCOME_REFUSED;
	else if (result != NULL && strcmp(PQcmdStatus(result), tag) == 0)
		outcome = OUTCOME_DONE;
	PQclear(result);
	return outcome;
}

static bool tag_is(struct pg_conn *conn, const char *tag)
{
	return take_control(conn, tag) == OUTCOME_DONE;
}

/* The result of what send_step() sent. NULL: lost. */
static PGresult *step_result(struct pg_conn *conn, struct pg_wall *wall, const struct query *query,
			     const void *in)
{
	if (pg_wall_moves(wall, query, in) && take_control(conn, "SET") == OUTCOME_LOST)
		return NULL;
	return pg_result(conn);
}

/* False: it was skipped, since one before it failed. */
static bool answer(struct read *read, const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);
	bool again;
	enum rc rc;

	if (status == PGRES_PIPELINE_ABORTED)
		return false;
	ctx_enter(read->cx);
	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
		rc = pg_rows(read->query, result, read->cx->arena, &read->rows);
	else
		rc = pg_failed(result, read->query->name, &again);
	ctx_enter(NULL);
	job_done(&read->job, rc);
	return true;
}

/* Leaves in the batch what is to be sent again. False: lost. */
static bool answer_rows(struct pg_conn *conn, struct batch *batch)
{
	struct pg_wall wall = {.rows_of = PG_ROWS_OF_NOBODY};
	size_t kept = 0;

	for (size_t i = 0; i < batch->count; i++) {
		struct read *read = batch->reads[i];
		PGresult *result = step_result(conn, &wall, read->query, read->in);

		if (result == NULL) {
			keep_rest(batch, kept, i);
			return false;
		}
		if (!answer(read, result))
			batch->reads[kept++] = read;
		PQclear(result);
	}
	batch->count = kept;
	return true;
}

static bool roll_back(struct pg_conn *conn)
{
	return pg_send_sql(conn, "ROLLBACK") && PQpipelineSync(conn->pg) == 1 && tag_is(conn, "ROLLBACK") &&
	       pg_synced(conn);
}

/* Out of the batch: those that only ask whether the store answers. */
static void part(struct batch *batch, struct batch *asking)
{
	asking->count = 0;
	while (asking->count < batch->count && batch->reads[asking->count]->query == NULL) {
		asking->reads[asking->count] = batch->reads[asking->count];
		asking->count++;
	}
	keep_rest(batch, 0, asking->count);
}

/* Also ends the transaction, which the COMMIT does not when it was skipped with the rest. */
static bool answer_reads(struct pg_conn *conn, struct batch *batch)
{
	enum outcome end = OUTCOME_DONE;
	struct batch asking;
	bool synced;

	part(batch, &asking);
	if (batch->count > 0)
		end = pg_take_begin(conn) && answer_rows(conn, batch) ? take_control(conn, "COMMIT")
								      : OUTCOME_LOST;
	synced = end != OUTCOME_LOST && pg_synced(conn);
	give_up(&asking, synced ? RC_OK : RC_STORE_DOWN);
	return synced && (end == OUTCOME_DONE || roll_back(conn));
}

/* Whatever is not answered when the connection is lost is sent once more: reading twice does no harm. */
static bool run_reads(void *hand, struct job **jobs, size_t count)
{
	struct pg_conn *conn = hand;
	struct batch batch = {.count = count};
	int losses = 0;

	for (size_t i = 0; i < count; i++)
		batch.reads[i] = CONTAINER_OF(jobs[i], struct read, job);
	qsort(batch.reads, count, sizeof(batch.reads[0]), by_tenant);
	while (batch.count > 0 && losses < 2 && pg_conn_ready(conn)) {
		if (prepare_reads(conn, &batch) && send_reads(conn, &batch) && answer_reads(conn, &batch))
			continue;
		pg_conn_lose(conn);
		losses++;
	}
	give_up(&batch, RC_STORE_DOWN);
	return conn->pg != NULL;
}

static enum rc ask(struct store *store, struct ctx *cx, const struct query *query, const void *in,
		   struct rows *ret)
{
	struct read read = {.cx = cx, .query = query, .in = in};
	enum rc rc = crew_do(store->readers, &read.job, cx != NULL ? cx->arena : NULL);

	if (rc == RC_OK)
		*ret = read.rows;
	return rc;
}

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
	return ask(port, cx, query, in, ret);
}

static enum rc postgres_ping(struct db *db)
{
	struct rows none;

	return ask(db->store, NULL, NULL, NULL, &none);
}

static struct crew *postgres_readers(const struct db *db)
{
	return ((const struct store *)db->store)->readers;
}

/* --- Writing ------------------------------------------------------------- */

static enum outcome prepare_scripts(struct pg_conn *conn, struct script **scripts, size_t count,
				    size_t *ret_failed)
{
	for (size_t i = 0; i < count; i++) {
		struct script *script = scripts[i];

		ctx_enter(script->cx);
		script->job.rc = RC_OK;
		for (size_t j = 0; script->job.rc == RC_OK && j < script->count; j++)
			script->job.rc = pg_prepare(conn, script->steps[j].query);
		ctx_enter(NULL);
		if (script->job.rc == RC_STORE_DOWN)
			return OUTCOME_LOST;
		if (script->job.rc != RC_OK) {
			*ret_failed = i;
			return OUTCOME_REFUSED;
		}
	}
	return OUTCOME_DONE;
}

static bool send_script(struct pg_conn *conn, struct pg_wall *wall, const struct script *script)
{
	for (size_t i = 0; i < script->count; i++) {
		if (!send_step(conn, wall, script->steps[i].query, script->steps[i].in))
			return false;
	}
	return true;
}

static bool any_tells(struct script **scripts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (scripts[i]->tells)
			return true;
	}
	return false;
}

/* A NOTIFY goes out with the commit, wherever it stands. */
static bool send_begin(struct pg_conn *conn, struct script **scripts, size_t count)
{
	return pg_send_begin(conn) &&
	       (!any_tells(scripts, count) || pg_send_sql(conn, pg_notify_sql(conn->db)));
}

static bool send_commit(struct pg_conn *conn)
{
	return PQpipelineSync(conn->pg) == 1 && pg_send_sql(conn, "COMMIT") && PQpipelineSync(conn->pg) == 1;
}

static bool send_together(struct pg_conn *conn, struct script **scripts, size_t count)
{
	struct pg_wall wall = {.rows_of = PG_ROWS_OF_NOBODY};
	bool sent = send_begin(conn, scripts, count);

	for (size_t i = 0; sent && i < count; i++)
		sent = send_script(conn, &wall, scripts[i]);
	return sent && send_commit(conn);
}

/*
 * A script that succeeds sets the savepoint anew; one that fails is skipped up to its Sync, and so has not.
 * So `ROLLBACK TO kept` takes back a failure, and nothing else, though it is sent before either is known.
 * With a script its SET LOCAL may be taken back: each names its tenant anew.
 */
static bool send_apart(struct pg_conn *conn, struct script **scripts, size_t count)
{
	bool sent = send_begin(conn, scripts, count) && pg_send_sql(conn, "SAVEPOINT kept");

	for (size_t i = 0; sent && i < count; i++) {
		struct pg_wall wall = {.rows_of = PG_ROWS_OF_NOBODY};

		sent = send_script(conn, &wall, scripts[i]) && pg_send_sql(conn, "SAVEPOINT kept") &&
		       PQpipelineSync(conn->pg) == 1 && pg_send_sql(conn, "ROLLBACK TO kept");
	}
	return sent && send_commit(conn);
}

static enum outcome take_step(struct script *script, struct step *step, const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);
	bool again;
	enum rc rc;

	if (status == PGRES_PIPELINE_ABORTED)
		return OUTCOME_DONE; /* the failure before it tells */
	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
		rc = pg_rows(step->query, result, script->cx->arena, &step->rows);
		if (rc != RC_OK)
			script->job.rc = rc; /* it is kept all the same: the COMMIT is on its way */
		return OUTCOME_DONE;
	}
	script->job.rc = pg_failed(result, step->query->name, &again);
	return again ? OUTCOME_AGAIN : OUTCOME_REFUSED;
}

static enum outcome take_script(struct pg_conn *conn, struct pg_wall *wall, struct script *script)
{
	enum outcome outcome = OUTCOME_DONE, one;

	for (size_t i = 0; i < script->count; i++) {
		struct step *step = &script->steps[i];
		PGresult *result = step_result(conn, wall, step->query, step->in);

		if (result == NULL)
			return OUTCOME_LOST;
		ctx_enter(script->cx);
		one = take_step(script, step, result);
		ctx_enter(NULL);
		if (one != OUTCOME_DONE)
			outcome = one;
		PQclear(result);
	}
	return outcome;
}

static bool take_commit(struct pg_conn *conn, const char *tag)
{
	return pg_synced(conn) && tag_is(conn, tag) && pg_synced(conn);
}

static bool take_begin(struct pg_conn *conn, struct script **scripts, size_t count)
{
	return pg_take_begin(conn) && (!any_tells(scripts, count) || tag_is(conn, "NOTIFY"));
}

static enum outcome take_together(struct pg_conn *conn, struct script **scripts, size_t count,
				  size_t *ret_failed)
{
	struct pg_wall wall = {.rows_of = PG_ROWS_OF_NOBODY};
	enum outcome outcome = OUTCOME_DONE, one;

	if (!take_begin(conn, scripts, count))
		return OUTCOME_LOST;
	for (size_t i = 0; i < count; i++) {
		one = take_script(conn, &wall, scripts[i]);
		if (one == OUTCOME_LOST)
			return one;
		if (one != OUTCOME_DONE) {
			outcome = one;
			*ret_failed = i;
		}
	}
	return take_commit(conn, outcome == OUTCOME_DONE ? "COMMIT" : "ROLLBACK") ? outcome : OUTCOME_LOST;
}

/* Its steps, the savepoint when they went well, the end of its part, and the way back to the savepoint. */
static enum outcome take_apart(struct pg_conn *conn, struct script *script)
{
	struct pg_wall wall = {.rows_of = PG_ROWS_OF_NOBODY};
	enum outcome outcome = take_script(conn, &wall, script);
	PGresult *savepoint;

	if (outcome == OUTCOME_LOST)
		return outcome;
	savepoint = pg_result(conn);
	if (savepoint == NULL)
		return OUTCOME_LOST;
	PQclear(savepoint);
	return pg_synced(conn) && tag_is(conn, "ROLLBACK") ? outcome : OUTCOME_LOST;
}

/* A deadlock takes back one script only, and no group: that one is told to come again. */
static enum outcome take_all_apart(struct pg_conn *conn, struct script **scripts, size_t count)
{
	if (!take_begin(conn, scripts, count) || !tag_is(conn, "SAVEPOINT"))
		return OUTCOME_LOST;
	for (size_t i = 0; i < count; i++) {
		if (take_apart(conn, scripts[i]) == OUTCOME_LOST)
			return OUTCOME_LOST;
	}
	return take_commit(conn, "COMMIT") ? OUTCOME_DONE : OUTCOME_LOST;
}

static enum outcome commit_prepared(struct pg_conn *conn, struct script **scripts, size_t count, bool apart,
				    size_t *ret_failed)
{
	if (apart)
		return send_apart(conn, scripts, count) ? take_all_apart(conn, scripts, count) : OUTCOME_LOST;
	return send_together(conn, scripts, count) ? take_together(conn, scripts, count, ret_failed)
						   : OUTCOME_LOST;
}

static enum outcome postgres_commit(void *writer, struct script **scripts, size_t count, bool apart,
				    size_t *ret_failed)
{
	struct pg_conn *conn = writer;
	enum outcome outcome = OUTCOME_LOST;

	if (pg_conn_ready(conn))
		outcome = prepare_scripts(conn, scripts, count, ret_failed);
	if (outcome == OUTCOME_DONE)
		outcome = commit_prepared(conn, scripts, count, apart, ret_failed);
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

static enum rc start_readers(struct store *store, size_t count)
{
	static const struct crew_work work = {.ready = conn_ready, .run = run_reads};
	void *hands[WRITERS_MAX];

	for (size_t i = 0; i < count; i++)
		hands[i] = &store->conns[i];
	store->readers = crew_create(&work, hands, count, READS_MAX);
	return store->readers != NULL ? RC_OK : RC_NO_MEMORY;
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
	if (rc == RC_OK)
		rc = start_readers(store, reads);
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
	.port_open = postgres_port_open,
	.port_close = postgres_port_close,
	.read = postgres_read,
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
