/* Keys apart, threads together, more keys than places, and what is told to other processes. */
#include "base/rate_table.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECOND 1000000000LL
#define NOW    (1000 * SECOND)

static struct world world;

static struct rate_key key_of(unsigned char kind, uint64_t number)
{
	struct rate_key key = {.kind = kind};

	memcpy(key.id, &number, sizeof(number));
	return key;
}

static struct rate_table *table_of(size_t slots)
{
	struct rate_table *table;

	world_init(&world, UTIME_NONE);
	table = rate_table_create(&world, slots);
	assert_non_null(table);
	return table;
}

static int taken(struct rate_table *table, const struct rate_key *key, const struct gcra_limit *limit,
		 int tries)
{
	int count = 0;

	while (tries-- > 0)
		count += rate_take(table, key, limit, NOW).allowed;
	return count;
}

static void keys_are_apart(void **state)
{
	(void)state;
	const struct gcra_limit limit = gcra_limit(3, SECOND);
	struct rate_table *table = table_of(65536);

	for (uint64_t number = 0; number < 100; number++) {
		struct rate_key key = key_of(1, number), other = key_of(2, number);

		assert_int_equal(taken(table, &key, &limit, 10), 3);
		assert_int_equal(taken(table, &other, &limit, 10), 3);
	}
	rate_table_destroy(table);
}

/* Whoever has much to pay back is not washed out by a crowd that comes once each. */
static void a_crowd_does_not_wash_out_the_greedy(void **state)
{
	(void)state;
	const struct gcra_limit slow = gcra_limit(5, 60 * SECOND), quick = gcra_limit(50, SECOND);
	struct rate_table *table = table_of(256);
	struct rate_key greedy = key_of(1, 7);

	assert_int_equal(taken(table, &greedy, &slow, 10), 5);
	for (uint64_t number = 0; number < 100000; number++) {
		struct rate_key passer = key_of(2, number);

		/* A full table lets through. */
		assert_true(rate_take(table, &passer, &quick, NOW).allowed);
	}
	assert_int_equal(taken(table, &greedy, &slow, 10), 0);
	rate_table_destroy(table);
}

#define THREADS 4

struct crowd {
	struct rate_table *table;
	struct gcra_limit limit;
	_Atomic int passed;
};

static void *hammer(void *arg)
{
	struct crowd *crowd = arg;
	struct rate_key key = key_of(1, 1);

	for (int i = 0; i < 20000; i++)
		atomic_fetch_add(&crowd->passed, rate_take(crowd->table, &key, &crowd->limit, NOW).allowed);
	return NULL;
}

static void threads_share_one_limit(void **state)
{
	(void)state;
	struct crowd crowd = {.table = table_of(65536), .limit = gcra_limit(10000, SECOND)};
	const struct rate_key key = key_of(1, 1);
	pthread_t threads[THREADS];

	/* Entered by one: two that enter a key in the same instant may each find a place. */
	assert_true(rate_take(crowd.table, &key, &crowd.limit, NOW).allowed);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hammer, &crowd), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(crowd.passed, 9999);
	rate_table_destroy(crowd.table);
}

static void *come_and_go(void *arg)
{
	struct crowd *crowd = arg;

	for (uint64_t i = 0; i < 100000; i++) {
		struct rate_key key = key_of(1, i % 97);

		(void)rate_take(crowd->table, &key, &crowd->limit, NOW + (int64_t)i * 1000);
	}
	return NULL;
}

/* For the sanitizers: slots that change hands all the time. */
static void threads_fight_over_few_slots(void **state)
{
	(void)state;
	struct crowd crowd = {.table = table_of(8), .limit = gcra_limit(50, SECOND)};
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &crowd), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	rate_table_destroy(crowd.table);
}

static void uses_are_noted_once(void **state)
{
	(void)state;
	const struct gcra_limit limit = gcra_limit(5, 60 * SECOND), quick = gcra_limit(50, SECOND);
	struct rate_use *uses = calloc(RATE_USES_MAX, sizeof(*uses));
	struct rate_key key = key_of(1, 1), other = key_of(2, 1);
	struct rate_table *table = table_of(65536);

	assert_int_equal(rate_collect(table, uses), 0);
	assert_true(rate_table_note(table));
	taken(table, &key, &limit, 10);
	taken(table, &other, &quick, 2);
	assert_int_equal(rate_collect(table, uses), 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(uses[i].used, uses[i].key.kind == 1 ? 60 * SECOND : SECOND / 25);
		assert_int_equal(uses[i].limit.depth, uses[i].key.kind == 1 ? limit.depth : quick.depth);
	}
	/* Refusals use nothing. */
	taken(table, &key, &limit, 10);
	assert_int_equal(rate_collect(table, uses), 0);
	/* However long nobody collects. */
	for (int i = 0; i < 1000; i++)
		(void)rate_take(table, &other, &quick, NOW + i * SECOND);
	assert_int_equal(rate_collect(table, uses), 1);
	assert_int_equal(uses[0].used, quick.depth);
	free(uses);
	rate_table_destroy(table);
}

/* More keys than can be noted: the rest is not told, and nothing breaks. */
static void notes_are_bounded(void **state)
{
	(void)state;
	const struct gcra_limit limit = gcra_limit(5, 60 * SECOND);
	struct rate_use *uses = calloc(RATE_USES_MAX, sizeof(*uses));
	struct rate_table *table = table_of(65536);
	size_t count;

	assert_true(rate_table_note(table));
	for (int round = 0; round < 2; round++) {
		for (uint64_t number = 0; number < 20000; number++) {
			struct rate_key key = key_of(1, number);

			assert_true(rate_take(table, &key, &limit, NOW).allowed);
		}
		count = rate_collect(table, uses);
		assert_true(count > RATE_USES_MAX / 2 && count <= RATE_USES_MAX);
		assert_int_equal(rate_collect(table, uses), 0);
	}
	free(uses);
	rate_table_destroy(table);
}

static void what_others_used_counts(void **state)
{
	(void)state;
	const struct gcra_limit limit = gcra_limit(5, 60 * SECOND);
	struct rate_table *table = table_of(65536);
	struct rate_key key = key_of(1, 1), unseen = key_of(1, 2);

	assert_int_equal(taken(table, &key, &limit, 2), 2);
	rate_raise(table, &key, NOW + 48 * SECOND);
	rate_raise(table, &key, NOW + 1);
	assert_int_equal(taken(table, &key, &limit, 10), 1);
	rate_raise(table, &unseen, NOW + 60 * SECOND);
	assert_int_equal(taken(table, &unseen, &limit, 10), 0);
	rate_table_destroy(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_apart),
		cmocka_unit_test(a_crowd_does_not_wash_out_the_greedy),
		cmocka_unit_test(threads_share_one_limit),
		cmocka_unit_test(threads_fight_over_few_slots),
		cmocka_unit_test(uses_are_noted_once),
		cmocka_unit_test(notes_are_bounded),
		cmocka_unit_test(what_others_used_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
