/*
 * How the scripts of a group become statements: one a step, or, where a query may be run for many inputs at
 * once (struct query: together), one a volley. PostgreSQL takes half the time for them, for what a statement
 * costs besides its rows is then paid once.
 *
 *     scripts that go abreast          lock A1   lock A2   lock B      one statement
 *     (the same queries,               insert    insert    insert      one
 *     another key each)                event     event     event       one
 *
 *     within any script                add, add, add                   one
 *
 * Each is its own statement, so that the inserts see what was committed while the locks were awaited. The
 * locks come first, in the order of the group, as they do one by one.
 */
#include "db/postgres.h"

/* --- Which steps go together ---------------------------------------------- */

static bool same_key(const struct script *a, const struct script *b)
{
	return uuid_equal(&a->tenant, &b->tenant) && uuid_equal(&a->key, &b->key);
}

static bool same_queries(const struct script *a, const struct script *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (a->steps[i].query != b->steps[i].query)
			return false;
	}
	return true;
}

static bool goes_abreast(const struct script *script)
{
	bool good = script->abreast;

	for (size_t i = 0; good && i < script->count; i++)
		good = script->steps[i].query->together != NULL;
	return good;
}

/* How many from the first on. Sorted by key, so that those of one key are neighbours. */
static size_t count_abreast(struct script *const *scripts, size_t count)
{
	size_t n = 1;

	if (!goes_abreast(scripts[0]))
		return 1;
	while (n < count && scripts[n]->abreast && !same_key(scripts[n - 1], scripts[n]) &&
	       same_queries(scripts[0], scripts[n]))
		n++;
	return n;
}

/* How many steps from this one on are one query's. What looks for rows such as it adds would miss those. */
static size_t count_run(const struct script *script, size_t step)
{
	const struct query *query = script->steps[step].query;
	size_t n = 1;

	if (query->together == NULL || query->looks_at_own)
		return 1;
	while (step + n < script->count && n < VOLLEY_MAX && script->steps[step + n].query == query)
		n++;
	return n;
}

bool pg_volley_next(struct pg_volleys *all, struct pg_volley *ret)
{
	while (all->count > 0 && all->step == all->scripts[0]->count) {
		all->scripts += all->abreast;
		all->count -= all->abreast;
		all->step = 0;
	}
	if (all->count == 0)
		return false;
	if (all->step == 0)
		all->abreast = all->singly ? 1 : count_abreast(all->scripts, all->count);
	*ret = (struct pg_volley){.scripts = all->scripts, .step = all->step, .across = all->abreast > 1};
	ret->query = all->scripts[0]->steps[all->step].query;
	ret->count = ret->across ? all->abreast : all->singly ? 1 : count_run(all->scripts[0], all->step);
	all->step += ret->across ? 1 : ret->count;
	return true;
}

static struct script *script_of(const struct pg_volley *volley, size_t i)
{
	return volley->scripts[volley->across ? i : 0];
}

static struct step *step_of(const struct pg_volley *volley, size_t i)
{
	return volley->across ? &volley->scripts[i]->steps[volley->step]
			      : &volley->scripts[0]->steps[volley->step + i];
}

static const void *const *ins_of(const struct pg_volley *volley, const void **ins)
{
	for (size_t i = 0; i < volley->count; i++)
		ins[i] = step_of(volley, i)->in;
	return ins;
}

/* --- There ------------------------------------------------------------------ */

enum rc pg_volley_prepare(struct pg_conn *conn, const struct pg_volley *volley)
{
	enum rc rc;

	ctx_enter(volley->scripts[0]->cx);
	rc = pg_prepare(conn, volley->query, volley->count > 1);
	ctx_enter(NULL);
	return rc;
}

bool pg_volley_send(struct pg_conn *conn, struct pg_wall *wall, const struct pg_volley *volley)
{
	const void *ins[VOLLEY_MAX];

	return pg_send_step(conn, wall, volley->query, ins_of(volley, ins), volley->count);
}

/* --- And back ----------------------------------------------------------------- */

static enum rc deal_rows(const struct pg_volley *volley, const PGresult *result)
{
	struct pg_asked asked[VOLLEY_MAX];

	for (size_t i = 0; i < volley->count; i++)
		asked[i] = (struct pg_asked){step_of(volley, i)->in, script_of(volley, i)->cx->arena,
					     &step_of(volley, i)->rows};
	return pg_deal(volley->query, result, asked, volley->count);
}

/* A failure is told to all of them. They are kept all the same, for the COMMIT is on its way. */
static void take_rows(const struct pg_volley *volley, const PGresult *result)
{
	enum rc rc;

	if (volley->count > 1)
		rc = deal_rows(volley, result);
	else
		rc = pg_rows(volley->query, result, volley->scripts[0]->cx->arena, &step_of(volley, 0)->rows);
	for (size_t i = 0; rc != RC_OK && i < volley->count; i++)
		script_of(volley, i)->job.rc = rc;
}

static enum outcome take(const struct pg_volley *volley, const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);
	bool again;

	if (status == PGRES_PIPELINE_ABORTED)
		return OUTCOME_DONE; /* the failure before it tells */
	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
		take_rows(volley, result);
		return OUTCOME_DONE;
	}
	volley->scripts[0]->job.rc = pg_failed(result, volley->query->name, &again);
	return again ? OUTCOME_AGAIN : OUTCOME_REFUSED;
}

enum outcome pg_volley_take(struct pg_conn *conn, struct pg_wall *wall, const struct pg_volley *volley)
{
	const void *ins[VOLLEY_MAX];
	PGresult *result = pg_step_result(conn, wall, volley->query, ins_of(volley, ins), volley->count);
	enum outcome outcome = OUTCOME_LOST;

	if (result != NULL) {
		ctx_enter(volley->scripts[0]->cx);
		outcome = take(volley, result);
		ctx_enter(NULL);
		PQclear(result);
	}
	return outcome;
}
