/* The breaker opens, tries once, and closes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "neighbour/circuit.h"

static void fail_often(struct circuit *circuit, utime now, int times)
{
	for (int i = 0; i < times; i++) {
		assert_true(circuit_admits(circuit, now));
		circuit_tell(circuit, now, false);
	}
}

static void a_success_between_failures_keeps_it_closed(void **state)
{
	struct circuit circuit = {0};

	(void)state;
	for (int i = 0; i < 3; i++) {
		fail_often(&circuit, 0, CIRCUIT_FAILURES - 1);
		assert_false(circuit_is_open(&circuit));
		circuit_tell(&circuit, 0, true);
	}
}

static void after_the_pause_one_call_decides(void **state)
{
	struct circuit circuit = {0};
	utime now = 0;

	(void)state;
	fail_often(&circuit, now, CIRCUIT_FAILURES);
	assert_true(circuit_is_open(&circuit));
	assert_false(circuit_admits(&circuit, now));
	assert_false(circuit_admits(&circuit, now + CIRCUIT_PAUSE - 1));

	now += CIRCUIT_PAUSE;
	assert_true(circuit_admits(&circuit, now));
	assert_false(circuit_admits(&circuit, now)); /* the others wait for its outcome */
	circuit_tell(&circuit, now, true);
	assert_false(circuit_is_open(&circuit));
	assert_true(circuit_admits(&circuit, now));
}

static void each_failed_try_doubles_the_pause_up_to_its_end(void **state)
{
	struct circuit circuit = {0};
	utime now = 0, pause = CIRCUIT_PAUSE;

	(void)state;
	fail_often(&circuit, now, CIRCUIT_FAILURES);
	for (int i = 0; i < 8; i++) {
		assert_false(circuit_admits(&circuit, now + pause - 1));
		now += pause;
		fail_often(&circuit, now, 1);
		pause = pause * 2 < CIRCUIT_PAUSE_MAX ? pause * 2 : CIRCUIT_PAUSE_MAX;
	}
	assert_int_equal(pause, CIRCUIT_PAUSE_MAX);
}

static void a_late_failure_of_before_does_not_hold_up_a_try(void **state)
{
	struct circuit circuit = {0};

	(void)state;
	/* Ten calls were under way when it opened: all of them end badly, and one by one. */
	for (int i = 0; i < 10; i++)
		assert_true(circuit_admits(&circuit, 0));
	for (int i = 0; i < 10; i++)
		circuit_tell(&circuit, i, false);
	assert_true(circuit_admits(&circuit, CIRCUIT_PAUSE_MAX + 10));
}

static void a_clock_set_back_ends_the_pause(void **state)
{
	struct circuit circuit = {0};

	(void)state;
	fail_often(&circuit, 1000 * UTIME_SECOND, CIRCUIT_FAILURES);
	assert_true(circuit_admits(&circuit, 10 * UTIME_SECOND));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_success_between_failures_keeps_it_closed),
		cmocka_unit_test(after_the_pause_one_call_decides),
		cmocka_unit_test(each_failed_try_doubles_the_pause_up_to_its_end),
		cmocka_unit_test(a_late_failure_of_before_does_not_hold_up_a_try),
		cmocka_unit_test(a_clock_set_back_ends_the_pause),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
