/* A value is counted in the bucket of the least bound that it does not exceed, whoever adds it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/histogram.h"

static void bounds_rise(void **state)
{
	(void)state;
	for (size_t i = 1; i < HISTOGRAM_BOUNDS; i++) {
		assert_true(histogram_durations.bounds[i] > histogram_durations.bounds[i - 1]);
		assert_true(histogram_sizes.bounds[i] > histogram_sizes.bounds[i - 1]);
	}
}

static void bounds_are_inclusive(void **state)
{
	struct histogram histogram = {0};
	struct histogram_sum sum = {0};
	uint64_t total = 0;

	(void)state;
	for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
		uint64_t bound = histogram_sizes.bounds[i];

		histogram_add(&histogram, &histogram_sizes, bound);
		histogram_add_alone(&histogram, &histogram_sizes, bound + 1);
		total += 2 * bound + 1;
	}
	histogram_read(&histogram, &sum);
	assert_int_equal(sum.sum, total);
	/* 1 | 2 and 1 + 1 | 4 and 2 + 1 | ... | 65536 + 1 */
	assert_int_equal(sum.counts[0], 1);
	for (size_t i = 1; i < HISTOGRAM_BOUNDS; i++)
		assert_int_equal(sum.counts[i], 2);
	assert_int_equal(sum.counts[HISTOGRAM_BOUNDS], 1);
}

static void zero_and_the_largest_have_a_place(void **state)
{
	struct histogram histogram = {0};
	struct histogram_sum sum = {0};

	(void)state;
	histogram_add(&histogram, &histogram_durations, 0);
	histogram_add(&histogram, &histogram_durations, UINT64_MAX);
	histogram_read(&histogram, &sum);
	assert_int_equal(sum.counts[0], 1);
	assert_int_equal(sum.counts[HISTOGRAM_BOUNDS], 1);
}

static void several_are_read_as_one(void **state)
{
	struct histogram one = {0}, two = {0};
	struct histogram_sum sum = {0};

	(void)state;
	histogram_add_alone(&one, &histogram_sizes, 3);
	histogram_add_alone(&two, &histogram_sizes, 4);
	histogram_read(&one, &sum);
	histogram_read(&two, &sum);
	assert_int_equal(sum.counts[2], 2);
	assert_int_equal(sum.sum, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds_rise),
		cmocka_unit_test(bounds_are_inclusive),
		cmocka_unit_test(zero_and_the_largest_have_a_place),
		cmocka_unit_test(several_are_read_as_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
