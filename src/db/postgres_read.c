/*
 * Reads: many of them in one round trip, by a crew of connections to the primary or to a replica. What was
 * skipped since one before it failed is sent again.
 */
#include "db/postgres.h"

#include <stdlib.h>

#define READS_MAX 64 /* in one round trip */

struct read {
	struct job job;
	struct ctx *cx;
	const struct query *query; /* NULL: only asks whether the store answers */
	const void *const *ins;	   /* for one statement */
	size_t count;
	struct rows *rows; /* of each */
};

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
	order = memcmp(pg_wall_tenant(x->query, x->ins[0])->b, pg_wall_tenant(y->query, y->ins[0])->b,
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
		rc = read->query != NULL ? pg_prepare(conn, read->query, read->count > 1) : RC_OK;
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

static bool send_reads(struct pg_conn *conn, const struct batch *batch)
{
	struct pg_wall wall = {.rows_of = PG_ROWS_OF_NOBODY};
	bool sent = !has_rows(batch) || pg_send_begin(conn);

	for (size_t i = 0; sent && i < batch->count; i++) {
		const struct read *read = batch->reads[i];

		sent = read->query == NULL || pg_send_step(conn, &wall, read->query, read->ins, read->count);
	}
	return sent && (!has_rows(batch) || pg_send_sql(conn, "COMMIT")) && PQpipelineSync(conn->pg) == 1;
}

static enum rc take_rows(const struct read *read, const PGresult *result)
{
	struct pg_asked asked[VOLLEY_MAX];

	if (read->count == 1)
		return pg_rows(read->query, result, read->cx->arena, read->rows);
	for (size_t i = 0; i < read->count; i++)
		asked[i] = (struct pg_asked){read->ins[i], read->cx->arena, &read->rows[i]};
	return pg_deal(read->query, result, asked, read->count);
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
		rc = take_rows(read, result);
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
		PGresult *result = pg_step_result(conn, &wall, read->query, read->ins, read->count);

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
	return pg_send_sql(conn, "ROLLBACK") && PQpipelineSync(conn->pg) == 1 &&
	       pg_tag_is(conn, "ROLLBACK") && pg_synced(conn);
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
		end = pg_take_begin(conn) && answer_rows(conn, batch) ? pg_take_control(conn, "COMMIT")
								      : OUTCOME_LOST;
	synced = end != OUTCOME_LOST && pg_synced(conn);
	give_up(&asking, synced ? RC_OK : RC_STORE_DOWN);
	return synced && (end == OUTCOME_DONE || roll_back(conn));
}

/* Whatever is not answered when the connection is lost is sent once more: reading twice does no harm. */
static bool run(void *hand, struct job **jobs, size_t count)
{
	struct pg_conn *conn = hand;
	struct batch batch = {.count = count};
	int losses = 0, losses_max = conn->replica != NULL ? 1 : 2; /* the primary is asked next */

	for (size_t i = 0; i < count; i++)
		batch.reads[i] = CONTAINER_OF(jobs[i], struct read, job);
	qsort(batch.reads, count, sizeof(batch.reads[0]), by_tenant);
	while (batch.count > 0 && losses < losses_max && pg_conn_ready(conn)) {
		if (prepare_reads(conn, &batch) && send_reads(conn, &batch) && answer_reads(conn, &batch))
			continue;
		pg_conn_lose(conn);
		losses++;
	}
	give_up(&batch, RC_STORE_DOWN);
	return conn->pg != NULL;
}

static bool ready(void *conn)
{
	const struct pg_conn *one = conn;

	return (one->replica == NULL || pg_replica_there(one->replica)) && pg_conn_ready(conn);
}

struct crew *pg_readers_create(struct pg_conn *conns, size_t count)
{
	static const struct crew_work work = {.ready = ready, .run = run};
	void *hands[WRITERS_MAX];

	for (size_t i = 0; i < count; i++)
		hands[i] = &conns[i];
	return crew_create(&work, hands, count, READS_MAX);
}

_Static_assert(DB_READ_EACH_MAX <= VOLLEY_MAX, "an answer has room for each");

enum rc pg_ask_each(struct crew *readers, struct ctx *cx, const struct query *query, const void *const *ins,
		    size_t count, struct rows *ret)
{
	struct read read = {.cx = cx, .query = query, .ins = ins, .count = count, .rows = ret};
	const struct uuid *tenant = query != NULL ? pg_wall_tenant(query, ins[0]) : &UUID_NONE;

	return crew_do(readers, &read.job, tenant, cx != NULL ? cx->arena : NULL);
}

enum rc pg_ask(struct crew *readers, struct ctx *cx, const struct query *query, const void *in,
	       struct rows *ret)
{
	struct rows rows = {NULL, 0};
	enum rc rc = pg_ask_each(readers, cx, query, &in, 1, &rows);

	if (rc == RC_OK)
		*ret = rows;
	return rc;
}
