/* The rule of replica_rule.h, case by case, and the order in which a beat is taken. */
#include "db/replica_rule.h"

#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define LAG_MS 1000

static const struct {
	const char *what;
	struct replica_state state;
	uint64_t last;
	int64_t now_ms;
	bool may;
} cases[] = {
	{"never caught up", {.there = true}, 0, 0, false},
	{"fresh, and nothing was written", {true, true, 0, 5000}, 0, 5100, true},
	{"it has our last commit", {true, true, 7, 5000}, 7, 5100, true},
	{"it has more than our last commit", {true, true, 9, 5000}, 7, 5100, true},
	{"it lacks our last commit", {true, true, 6, 5000}, 7, 5100, false},
	{"it lacks our last commit, and is as fresh as can be", {true, true, 6, 5000}, 7, 5000, false},
	{"the last moment", {true, true, 7, 5000}, 7, 5999, true},
	{"too old for what others wrote", {true, true, 7, 5000}, 7, 6000, false},
	{"it does not answer", {false, true, 7, 5000}, 7, 5100, false},
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (replica_may_answer(&cases[i].state, cases[i].last, cases[i].now_ms, LAG_MS) !=
		    cases[i].may)
			fail_msg("%s", cases[i].what);
}

static void test_no_lag_allowed(void **state)
{
	const struct replica_state fresh = {true, true, 7, 5000};

	(void)state;
	assert_false(replica_may_answer(&fresh, 0, 5000, 0));
}

/* What was committed after the beat was taken is not covered by it, however late it is reached. */
static void test_a_commit_after_the_beat(void **state)
{
	struct replica_state replica = {.there = true};
	const struct replica_beat beat = {.kept = 3, .at_ms = 100};

	(void)state;
	replica_reached(&replica, &beat);
	assert_true(replica_may_answer(&replica, 3, 900, LAG_MS));
	assert_false(replica_may_answer(&replica, 4, 900, LAG_MS));
	assert_false(replica_may_answer(&replica, 3, 1100, LAG_MS)); /* its age is that of the beat */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_no_lag_allowed),
		cmocka_unit_test(test_a_commit_after_the_beat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
