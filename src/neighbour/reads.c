/*
 * Reads of many requests in few calls. Whoever asks first carries: takes what waits, his own among it, asks,
 * and shares out the answers; then he hands the lane to the next who waits. With every lane in use the others
 * wait, and what has queued up is one call. So a list that reads for each of its rows, or a crowd, costs a
 * few calls and not as many as there are rows.
 */
#include "neighbour/local.h"

#include "base/fiber.h"
#include "base/log.h"
#include "neighbour/columns.h"
#include "neighbour/wire.h"
#include "json/arena_json.h"
#include "json/tree.h"

/* On the stack of the fiber that asks. */
struct ask {
	struct ask *next;
	struct fiber *fiber;
	struct ctx *cx;
	const struct query *query;
	const void *in;
	bool carries; /* it was woken to carry, and not because it was answered */
	enum rc rc;
	struct rows rows;
};

struct batch {
	struct ask *asks[READS_MAX];
	size_t count;
};

/* --- The question -------------------------------------------------------------- */

static bool describe(struct ctx *cx, const struct ask *ask, struct asked *ret)
{
	struct writer writer;
	struct str given;

	writer_init(&writer, cx->arena, 256);
	columns_write(&writer, ask->query->in, ask->query->in_count, ask->in);
	if (!writer_take(&writer, &given))
		return false;
	*ret = (struct asked){.room = room_names[ask->query->room],
			      .query = ask->query->name,
			      .trace_id = ask->cx->trace_id,
			      .caller = caller_from(&ask->cx->principal),
			      .given = arena_text(cx->arena, given)};
	return ret->given != NULL;
}

static bool question(struct ctx *cx, const struct batch *batch, struct str *ret)
{
	struct asked *items = arena_array(cx->arena, batch->count, sizeof(*items));
	struct reads reads = {.reads = {items, batch->count}};
	struct writer writer;

	if (items == NULL)
		return false;
	for (size_t i = 0; i < batch->count; i++)
		if (!describe(cx, batch->asks[i], &items[i]))
			return false;
	writer_init(&writer, cx->arena, 512 * batch->count);
	write_shape(&writer, &reads_shape, &reads);
	return writer_take(&writer, ret);
}

/* --- The answers ----------------------------------------------------------------- */

static enum rc take_rows(const struct ask *ask, const struct json_t *list, struct rows *ret)
{
	const struct query *query = ask->query;
	struct rows rows = {.count = tree_count(list)};
	enum rc rc = rows_check(query, rows.count);

	if (rc != RC_OK)
		return rc;
	if (rows.count > 0) {
		rows.items = arena_array(ask->cx->arena, rows.count, query->out_size);
		rc = rows.items != NULL ? RC_OK : RC_NO_MEMORY;
	}
	for (size_t i = 0; rc == RC_OK && i < rows.count; i++)
		rc = columns_read(query->out, query->out_count, tree_item(list, i), ask->cx->arena,
				  (char *)rows.items + i * query->out_size);
	if (rc == RC_OK)
		*ret = rows;
	return rc;
}

/* {"rows": [...]}, or {"error": "store_unavailable"}. */
static enum rc take_answer(struct ask *ask, const struct json_t *answer)
{
	const struct json_t *rows = NULL;
	enum rc rc = RC_INVALID;

	if (tree_kind(answer) == TREE_OBJECT) {
		if (tree_member(answer, "error") != NULL)
			return RC_STORE_DOWN;
		rows = tree_member(answer, "rows");
	}
	if (rows != NULL && tree_kind(rows) == TREE_LIST)
		rc = take_rows(ask, rows, &ask->rows);
	if (rc != RC_INVALID)
		return rc;
	LOG(ERROR, "a neighbour's answer is not what was asked for: is it of another version?",
	    LOG_TEXT("query", ask->query->name), LOG_TEXT("trace_id", ask->cx->trace_id));
	return RC_STORE_DOWN;
}

static enum rc share_out(const struct neighbour *neighbour, struct ctx *cx, const struct batch *batch,
			 const struct http_answer *answer)
{
	const char *why;
	const struct json_t *tree = NULL, *answers = NULL;

	if (answer->status == 200)
		tree = arena_json_load(cx->arena, answer->body, &why);
	if (tree != NULL && tree_kind(tree) == TREE_OBJECT)
		answers = tree_member(tree, "answers");
	if (answers == NULL || tree_kind(answers) != TREE_LIST || tree_count(answers) != batch->count) {
		LOG(ERROR,
		    "a neighbour refuses what it is asked: another SERVICE_KEY, another clock, another "
		    "version?",
		    LOG_TEXT("neighbour", neighbour->options.name), LOG_NUMBER("status", answer->status));
		return RC_STORE_DOWN;
	}
	for (size_t i = 0; i < batch->count; i++)
		batch->asks[i]->rc = take_answer(batch->asks[i], tree_item(answers, i));
	return RC_OK;
}

/* Every ask has its rc afterwards. The arenas of those who wait may be filled here: their fibers rest. */
static void carry(struct neighbour *neighbour, struct ctx *cx, const struct batch *batch)
{
	struct http_answer answer = {0};
	struct str body;
	enum rc rc = question(cx, batch, &body) ? RC_OK : RC_NO_MEMORY;

	if (rc == RC_OK)
		rc = neighbour_post(neighbour, cx, READS_PATH, body, true, &answer);
	if (rc == RC_OK)
		rc = share_out(neighbour, cx, batch, &answer);
	for (size_t i = 0; rc != RC_OK && i < batch->count; i++)
		batch->asks[i]->rc = rc;
}

/* --- Lanes ------------------------------------------------------------------------- */

/* True: a lane is this ask's. False: it waits in the queue. */
static bool enter(struct neighbour *neighbour, struct ask *ask)
{
	bool free;

	pthread_mutex_lock(&neighbour->lock);
	neighbour->stats.reads++;
	free = neighbour->lanes < NEIGHBOUR_LANES;
	neighbour->lanes += free;
	if (!free) {
		*neighbour->end = ask;
		neighbour->end = &ask->next;
	}
	pthread_mutex_unlock(&neighbour->lock);
	return free;
}

/* With the lock held. NULL: nobody waits. */
static struct ask *pop(struct neighbour *neighbour)
{
	struct ask *ask = neighbour->oldest;

	if (ask != NULL)
		neighbour->oldest = ask->next;
	if (neighbour->oldest == NULL)
		neighbour->end = &neighbour->oldest;
	return ask;
}

static void take_batch(struct neighbour *neighbour, struct ask *own, struct batch *batch)
{
	struct ask *ask = own;

	pthread_mutex_lock(&neighbour->lock);
	for (batch->count = 0; ask != NULL; ask = batch->count < READS_MAX ? pop(neighbour) : NULL)
		batch->asks[batch->count++] = ask;
	pthread_mutex_unlock(&neighbour->lock);
}

/* The lane goes to the next who waits. */
static void leave(struct neighbour *neighbour)
{
	struct ask *next;

	pthread_mutex_lock(&neighbour->lock);
	next = pop(neighbour);
	neighbour->lanes -= next == NULL;
	pthread_mutex_unlock(&neighbour->lock);
	if (next == NULL)
		return;
	next->carries = true;
	fiber_wake(next->fiber);
}

enum rc neighbour_read(void *arg, struct ctx *cx, const struct query *query, const void *in, struct rows *ret)
{
	struct neighbour *neighbour = arg;
	struct ask ask = {.fiber = fiber_self(), .cx = cx, .query = query, .in = in};
	struct arena_pool *pool = cx->arena->pool;
	struct batch batch;

	cx->arena->pool = NULL; /* which belongs to one thread, and another may fill the arena */
	ask.carries = enter(neighbour, &ask);
	if (!ask.carries)
		fiber_wait();
	if (ask.carries) {
		take_batch(neighbour, &ask, &batch);
		carry(neighbour, cx, &batch);
		leave(neighbour);
		for (size_t i = 1; i < batch.count; i++)
			fiber_wake(batch.asks[i]->fiber);
	}
	cx->arena->pool = pool;
	if (ask.rc == RC_OK)
		*ret = ask.rows;
	return ask.rc;
}
