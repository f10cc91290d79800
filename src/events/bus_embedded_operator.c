/* What an operator asks of the embedded bus, from this process or beside it, and how it is kept short. */
#include "events/bus_embedded.h"

#include "events/queries.h"

#include <stdlib.h>

#define TRIM_MAX 2000 /* entries, and dead letters, in one call */

enum rc embedded_range(void *self, struct ctx *cx, const char *stream, int64_t after, size_t max,
		       struct events *ret)
{
	const struct q_entries_after_in in = {stream, after, (int64_t)max};

	(void)self;
	return embedded_rc(q_entries_after(cx, &in, &ret->items, &ret->count));
}

enum rc embedded_end(void *self, struct ctx *cx, const char *stream, int64_t *ret)
{
	struct q_head_read_out *row = NULL;
	enum rc rc = q_head_read(cx, &(struct q_head_read_in){stream}, &row);

	(void)self;
	if (rc == RC_OK)
		*ret = row != NULL ? row->sequence : 0;
	return embedded_rc(rc);
}

/* A group that was made after its stream had been trimmed lags behind by what is still there. */
static struct bus_group as_group(const struct q_groups_of_stream_out *row)
{
	int64_t before = row->first != INT_NONE ? row->first - 1 : row->last;
	int64_t given = row->delivered > before ? row->delivered : before;

	return (struct bus_group){.stream = row->stream,
				  .name = row->name,
				  .delivered = row->delivered,
				  .pending = row->pending,
				  .lag = row->last != INT_NONE ? row->last - given : 0};
}

enum rc embedded_groups(void *self, struct ctx *cx, struct bus_group **ret, size_t *ret_count)
{
	struct q_groups_of_stream_out *rows[STREAM_COUNT];
	size_t counts[STREAM_COUNT] = {0}, count = 0;
	struct bus_group *groups;
	enum rc rc = RC_OK;

	(void)self;
	for (size_t i = 0; rc == RC_OK && i < STREAM_COUNT; i++) {
		const struct q_groups_of_stream_in in = {stream_names[i]};

		rc = q_groups_of_stream(cx, &in, &rows[i], &counts[i]);
		count += counts[i];
	}
	if (rc != RC_OK)
		return embedded_rc(rc);
	groups = arena_array(cx->arena, count + 1, sizeof(groups[0]));
	if (groups == NULL)
		return RC_NO_MEMORY;
	count = 0;
	for (size_t i = 0; i < STREAM_COUNT; i++)
		for (size_t k = 0; k < counts[i]; k++)
			groups[count++] = as_group(&rows[i][k]);
	*ret = groups;
	*ret_count = count;
	return RC_OK;
}

static bool is_named_before(const struct bus_group *groups, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (strcmp(groups[k].name, groups[i].name) == 0)
			return true;
	}
	return false;
}

/* One row of pending_of_group for each name. */
static enum rc pending_of_all(struct ctx *cx, int64_t limit, struct rows **ret, size_t *ret_count)
{
	struct bus_group *groups = NULL;
	size_t count = 0, names = 0;
	enum rc rc = embedded_groups(NULL, cx, &groups, &count);
	struct rows *rows = rc == RC_OK ? arena_array(cx->arena, count + 1, sizeof(rows[0])) : NULL;

	if (rc == RC_OK && rows == NULL)
		rc = RC_NO_MEMORY;
	for (size_t i = 0; rc == RC_OK && i < count; i++) {
		const struct q_pending_of_group_in in = {groups[i].name, limit, world_now(cx->world)};

		if (!is_named_before(groups, i))
			rc = db_read(cx, &q_pending_of_group_query, &in, &rows[names++]);
	}
	*ret = rows;
	*ret_count = names;
	return rc;
}

static int compare_idle(const void *a, const void *b)
{
	const struct bus_pending *x = a, *y = b;
	int order = (x->idle_ms < y->idle_ms) - (x->idle_ms > y->idle_ms);

	return order != 0 ? order : (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

enum rc embedded_pending(void *self, struct ctx *cx, const char *group, size_t max, struct bus_pending **ret,
			 size_t *ret_count)
{
	const struct q_pending_of_group_in in = {group, (int64_t)max, world_now(cx->world)};
	struct rows one = {NULL, 0}, *rows = &one, all;
	size_t count = 1;
	enum rc rc;

	(void)self;
	rc = group != NULL ? db_read(cx, &q_pending_of_group_query, &in, &one)
			   : pending_of_all(cx, in.limit, &rows, &count);
	if (rc == RC_OK)
		rc = embedded_gather(cx->arena, rows, count, sizeof(struct bus_pending), &all);
	if (rc != RC_OK)
		return embedded_rc(rc);
	qsort(all.items, all.count, sizeof(struct bus_pending), compare_idle);
	*ret = all.items;
	*ret_count = all.count < max ? all.count : max;
	return RC_OK;
}

enum rc embedded_dead(void *self, struct ctx *cx, int64_t after, size_t max, struct bus_dead **ret,
		      size_t *ret_count)
{
	(void)self;
	return embedded_rc(
		q_letters_after(cx, &(struct q_letters_after_in){after, (int64_t)max}, ret, ret_count));
}

enum rc embedded_revive(void *self, struct ctx *cx, int64_t number, bool *ret_found)
{
	const struct step *given;
	struct script script;
	enum rc rc;

	embedded_script(&script, cx);
	SCRIPT_ADD(&script, letter_revive, number);
	given = SCRIPT_ADD(&script, letter_given, number);
	rc = db_write(&script);
	if (rc != RC_OK)
		return embedded_rc(rc);
	*ret_found = given->rows.count > 0;
	embedded_ring(self);
	return RC_OK;
}

enum rc embedded_drop(void *self, struct ctx *cx, int64_t number, bool *ret_found)
{
	const struct step *dropped;
	struct script script;
	enum rc rc;

	(void)self;
	embedded_script(&script, cx);
	dropped = SCRIPT_ADD(&script, letter_drop, number);
	rc = db_write(&script);
	if (rc == RC_OK)
		*ret_found = dropped->rows.count > 0;
	return embedded_rc(rc);
}

enum rc embedded_seek(void *self, struct ctx *cx, const char *stream, const char *group, int64_t after,
		      bool *ret_found)
{
	const struct step *sought;
	struct script script;
	enum rc rc;

	embedded_script(&script, cx);
	sought = SCRIPT_ADD(&script, group_seek, stream, group, after);
	SCRIPT_ADD(&script, pending_forget, stream, group, after);
	rc = db_write(&script);
	if (rc != RC_OK)
		return embedded_rc(rc);
	*ret_found = sought->rows.count > 0;
	embedded_ring(self);
	return RC_OK;
}

enum rc embedded_trim(void *self, struct ctx *cx, const char *stream, utime before, int64_t *ret_dropped)
{
	const struct step *trimmed;
	struct script script;
	enum rc rc;

	(void)self;
	embedded_script(&script, cx);
	trimmed = SCRIPT_ADD(&script, entries_trim, stream, before, TRIM_MAX);
	SCRIPT_ADD(&script, letters_trim, before, TRIM_MAX);
	rc = db_write(&script);
	if (rc == RC_OK)
		*ret_dropped = (int64_t)trimmed->rows.count;
	return embedded_rc(rc);
}

enum rc embedded_floor(void *self, struct ctx *cx, const char *stream, int64_t *ret)
{
	const struct q_stream_floor_in in = {.stream = stream};
	struct q_stream_floor_out *row;
	enum rc rc = q_stream_floor(cx, &in, &row);

	(void)self;
	if (rc == RC_OK)
		*ret = row->sequence != INT_NONE ? row->sequence : INT64_MAX;
	return embedded_rc(rc);
}

enum rc embedded_remove(void *self, struct ctx *cx, const char *stream, const int64_t *places, size_t count)
{
	struct script script;

	(void)self;
	embedded_script(&script, cx);
	script_reserve(&script, count);
	for (size_t i = 0; i < count; i++)
		SCRIPT_ADD(&script, entry_remove, stream, places[i]);
	return embedded_rc(db_write(&script));
}
