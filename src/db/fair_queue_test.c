/* Whose job comes when. */
#include "db/fair_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define MANY 1000

/* Lanes apart. */
static const struct uuid greedy = {{[15] = 1}}, modest = {{[15] = 2}}, third = {{[15] = 3}};

static struct fair_queue queue;
static struct job jobs[FAIR_QUEUE_MAX + 1];

static int set_up(void **state)
{
	(void)state;
	fair_queue_init(&queue);
	return 0;
}

static void put(struct job *job, const struct uuid *tenant)
{
	assert_true(fair_queue_put(&queue, job, tenant));
}

static struct job *next(void)
{
	struct job *job;

	assert_int_equal(fair_queue_take(&queue, &job, 1), 1);
	return job;
}

static void test_one_tenant_in_order(void **state)
{
	struct job *taken[MANY + 1];

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		put(&jobs[i], &greedy);
	assert_int_equal(fair_queue_take(&queue, taken, MANY / 2), MANY / 2);
	put(&jobs[MANY], &greedy);
	assert_int_equal(fair_queue_take(&queue, taken + MANY / 2, MANY), MANY / 2 + 1);
	for (size_t i = 0; i <= MANY; i++)
		assert_ptr_equal(taken[i], &jobs[i]);
	assert_int_equal(queue.count, 0);
	assert_int_equal(fair_queue_take(&queue, taken, 1), 0);
}

/* However many another has before him, one waits for one of each. */
static void test_a_modest_one_is_next(void **state)
{
	(void)state;
	for (size_t i = 0; i < MANY; i++)
		put(&jobs[i], &greedy);
	put(&jobs[MANY], &modest);
	put(&jobs[MANY + 1], &third);
	put(&jobs[MANY + 2], &modest);
	assert_ptr_equal(next(), &jobs[0]);
	assert_ptr_equal(next(), &jobs[MANY]);
	assert_ptr_equal(next(), &jobs[MANY + 1]);
	assert_ptr_equal(next(), &jobs[1]);
	assert_ptr_equal(next(), &jobs[MANY + 2]);
	assert_ptr_equal(next(), &jobs[2]);
	assert_ptr_equal(next(), &jobs[3]);
}

/* Turns go on from one take to the next: else the first of each would be the same tenant's. */
static void test_turns_go_on(void **state)
{
	struct job *taken[3];

	(void)state;
	for (size_t i = 0; i < 6; i++)
		put(&jobs[i], i % 2 == 0 ? &greedy : &modest);
	assert_int_equal(fair_queue_take(&queue, taken, 3), 3);
	assert_ptr_equal(taken[2], &jobs[2]);
	assert_ptr_equal(next(), &jobs[3]);
}

static size_t flood(const struct uuid *tenant, struct job *from)
{
	size_t n = 0;

	while (fair_queue_put(&queue, &from[n], tenant))
		n++;
	return n;
}

/* One that floods fills half, and another half of what is left: a third finds room whatever they do. */
static void test_room_for_another(void **state)
{
	size_t n;

	(void)state;
	n = flood(&greedy, jobs);
	assert_int_equal(n, FAIR_QUEUE_MAX / 2);
	n += flood(&modest, jobs + n);
	assert_int_equal(n, FAIR_QUEUE_MAX * 3 / 4);
	assert_int_equal(flood(&greedy, jobs + n), 0);
	put(&jobs[n], &third);
	assert_ptr_equal(next(), &jobs[0]);
	assert_int_equal(flood(&greedy, jobs), 0); /* more than its part still */
}

/* However many do: the last piece of room is for whoever has none. */
static void test_room_for_the_last(void **state)
{
	struct uuid tenant = {{0}};
	size_t n = 0;

	(void)state;
	for (unsigned char i = 1; i < 200; i++) {
		tenant.b[15] = i;
		n += flood(&tenant, jobs + n);
	}
	assert_in_range(n, FAIR_QUEUE_MAX / 2, FAIR_QUEUE_MAX);
	assert_int_equal(flood(&tenant, jobs), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_one_tenant_in_order, set_up),
		cmocka_unit_test_setup(test_a_modest_one_is_next, set_up),
		cmocka_unit_test_setup(test_turns_go_on, set_up),
		cmocka_unit_test_setup(test_room_for_another, set_up),
		cmocka_unit_test_setup(test_room_for_the_last, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
