/* Sweeps: from page to page, the same one again after a miss, and not for ever. */
#include "events/sweep.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PAGES 5

struct plan {
	int misses; /* of page 2 */
	enum rc rc; /* of page 3 */
	int calls, missed, done;
	struct arena *outer;
};

static enum rc page(struct ctx *cx, struct sweep *sweep, const void *arg)
{
	struct plan *plan = *(struct plan *const *)arg;
	int number = sweep->number == INT64_MIN ? 0 : (int)sweep->number;

	plan->calls++;
	assert_ptr_not_equal(cx->arena, plan->outer);
	assert_null(cx->arena->chunks); /* nothing is left of the page before */
	assert_non_null(arena_alloc(cx->arena, 100));
	assert_false(sweep->missed);
	if (number == 3 && plan->rc != RC_OK)
		return plan->rc;
	sweep->number = number + 1;
	sweep->more = number + 1 < PAGES;
	sweep->missed = number == 2 && plan->missed < plan->misses;
	plan->missed += sweep->missed;
	plan->done += !sweep->missed;
	return RC_OK;
}

static enum rc run(struct plan *plan)
{
	struct arena_pool pool = {0};
	struct arena arena;
	struct ctx cx = {.arena = &arena};
	enum rc rc;

	arena_init(&arena, &pool);
	plan->outer = &arena;
	rc = sweep_pages(&cx, page, &plan);
	assert_null(arena.chunks);
	arena_finish(&arena);
	arena_pool_finish(&pool);
	return rc;
}

static void each_page_once(void **state)
{
	struct plan plan = {.rc = RC_OK};

	(void)state;
	assert_int_equal(run(&plan), RC_OK);
	assert_int_equal(plan.calls, PAGES);
}

static void a_missed_one_again(void **state)
{
	struct plan plan = {.misses = 4};

	(void)state;
	assert_int_equal(run(&plan), RC_OK);
	assert_int_equal(plan.calls, PAGES + 4);
	assert_int_equal(plan.done, PAGES);
}

static void not_for_ever(void **state)
{
	struct plan plan = {.misses = 1000000};

	(void)state;
	assert_int_equal(run(&plan), RC_CHANGED_MEANWHILE);
	assert_int_equal(plan.done, 2);
}

static void a_failure_ends_it(void **state)
{
	struct plan plan = {.rc = RC_STORE_DOWN};

	(void)state;
	assert_int_equal(run(&plan), RC_STORE_DOWN);
	assert_int_equal(plan.done, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_page_once),
		cmocka_unit_test(a_missed_one_again),
		cmocka_unit_test(not_for_ever),
		cmocka_unit_test(a_failure_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
