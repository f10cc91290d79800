/* What the algorithm promises, on cases and on random arrivals. */
#include "base/gcra.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SECOND	 1000000000LL
#define ARRIVALS 400

static void burst_then_steps(void **state)
{
	(void)state;
	const struct gcra_limit limit = gcra_limit(5, 60 * SECOND);
	const int64_t start = 1000 * SECOND;
	struct gcra_verdict v = {0};

	for (int i = 0; i < 5; i++) {
		v = gcra(&limit, v.tat, start);
		assert_true(v.allowed);
		assert_int_equal(v.remaining, 4 - i);
	}
	assert_int_equal(v.wait, 12 * SECOND);
	v = gcra(&limit, v.tat, start);
	assert_false(v.allowed);
	assert_int_equal(v.wait, 12 * SECOND);
	assert_int_equal(v.tat, start + 60 * SECOND);
	assert_false(gcra(&limit, v.tat, start + 12 * SECOND - 1).allowed);
	assert_true(gcra(&limit, v.tat, start + 12 * SECOND).allowed);
	/* Idle for the whole window: as new. */
	assert_int_equal(gcra(&limit, v.tat, start + 60 * SECOND).remaining, 4);
}

static void limits_of_odd_quotas(void **state)
{
	(void)state;
	assert_int_equal(gcra_limit(0, SECOND).step, 0);
	assert_int_equal(gcra_limit(1, SECOND).step, SECOND);
	assert_int_equal(gcra_limit(1, SECOND).depth, SECOND);
	/* A step that is no whole number of ns still lets the quota through at once, and no more. */
	const struct gcra_limit third = gcra_limit(300000, SECOND);

	assert_int_equal(third.depth / third.step, 300000);
	assert_int_equal(gcra_limit(5, 1).step, 1);
}

/* xorshift64: the same arrivals in every run. */
static uint64_t chance(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Between any two requests that were let through lie no more than the burst and what the rate gives. */
static void check_bound(const struct gcra_limit *limit, const int64_t *passed, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = i; j < count; j++)
			assert_true((int64_t)(j - i + 1) * limit->step <=
				    limit->depth + passed[j] - passed[i]);
}

/* Of one state: what it says of the future is so. */
static void check_promises(const struct gcra_limit *limit, struct gcra_verdict v, int64_t now)
{
	struct gcra_verdict next = v;

	for (int64_t i = 0; i < v.remaining; i++) {
		next = gcra(limit, next.tat, now);
		assert_true(next.allowed);
	}
	assert_false(gcra(limit, next.tat, now).allowed);
	assert_true(gcra(limit, next.tat, now + next.wait).allowed);
	assert_false(gcra(limit, next.tat, now + next.wait - 1).allowed);
	assert_true((v.wait == 0) == (v.remaining > 0));
}

static void random_arrivals(uint64_t seed)
{
	const struct gcra_limit limit =
		gcra_limit((int64_t)(1 + chance(&seed) % 20), (int64_t)(1 + chance(&seed) % (10 * SECOND)));
	int64_t now = (int64_t)(chance(&seed) % (1000 * SECOND)), tat = 0, passed[ARRIVALS];
	size_t count = 0;

	for (size_t i = 0; i < ARRIVALS; i++) {
		struct gcra_verdict v;

		/* Crowds, and gaps of about a step. */
		if (chance(&seed) % 3 == 0)
			now += (int64_t)(chance(&seed) % (uint64_t)(3 * limit.step));
		v = gcra(&limit, tat, now);
		check_promises(&limit, v, now);
		assert_true(v.tat >= tat && v.tat - now <= limit.depth);
		if (v.allowed)
			passed[count++] = now;
		else
			assert_int_equal(v.tat, tat);
		tat = v.tat;
	}
	assert_true(count > 0);
	check_bound(&limit, passed, count);
}

static void promises_hold_for_any_arrivals(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++)
		random_arrivals(seed * 0x9e3779b97f4a7c15ULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(burst_then_steps),
		cmocka_unit_test(limits_of_odd_quotas),
		cmocka_unit_test(promises_hold_for_any_arrivals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
