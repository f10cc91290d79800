/* See sweep.h. */
#include "events/sweep.h"

#define MISSES_MAX 20 /* of one page */

static enum rc one_page(struct ctx *cx, sweep_page *page, struct sweep *sweep, const void *arg)
{
	struct ctx own = *cx;
	struct arena arena;
	enum rc rc;

	arena_init(&arena, cx->arena->pool);
	own.arena = &arena;
	rc = page(&own, sweep, arg);
	arena_finish(&arena);
	return rc;
}

enum rc sweep_pages(struct ctx *cx, sweep_page *page, const void *arg)
{
	struct sweep sweep = {.number = INT64_MIN}, next;
	enum rc rc;
	int misses = 0;

	do {
		next = sweep;
		next.more = next.missed = false;
		rc = one_page(cx, page, &next, arg);
		if (rc != RC_OK)
			return rc;
		if (next.missed) {
			misses++;
		} else {
			misses = 0;
			sweep = next;
		}
	} while (next.missed ? misses < MISSES_MAX : sweep.more);
	return next.missed ? RC_CHANGED_MEANWHILE : RC_OK;
}
