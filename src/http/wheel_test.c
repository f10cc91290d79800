/* The wheel against the plain rule: due exactly once, never early, at most a tick and a bit late. */
#include "http/wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define ENTRIES 500

struct item {
	struct wheel_entry entry;
	uint64_t fired_at;
	int fired;
};

static struct wheel wheel;
static struct item items[ENTRIES];
static uint64_t now;

static struct item *of(struct wheel_entry *entry)
{
	return CONTAINER_OF(entry, struct item, entry);
}

static void on_expired(struct wheel_entry *entry)
{
	of(entry)->fired++;
	of(entry)->fired_at = now;
}

static int setup(void **state)
{
	(void)state;
	now = 1000000;
	wheel_init(&wheel, now);
	memset(items, 0, sizeof(items));
	return 0;
}

static void run_until(uint64_t end, uint64_t step)
{
	while (now < end) {
		now += step;
		wheel_turn(&wheel, now, on_expired);
	}
}

static void test_on_time(void **state)
{
	(void)state;
	srand(1);
	for (int i = 0; i < ENTRIES; i++)
		wheel_set(&wheel, &items[i].entry, now + (uint64_t)(rand() % 60000));
	run_until(now + 61000, 37);
	for (int i = 0; i < ENTRIES; i++) {
		assert_int_equal(items[i].fired, 1);
		assert_true(items[i].fired_at >= items[i].entry.due);
		assert_true(items[i].fired_at <= items[i].entry.due + WHEEL_TICK_MS + 37);
	}
}

static void test_moved(void **state)
{
	(void)state;
	wheel_set(&wheel, &items[0].entry, now + 300);
	wheel_set(&wheel, &items[0].entry, now + 30000);
	wheel_set(&wheel, &items[1].entry, now + 30000);
	wheel_set(&wheel, &items[1].entry, now + 300);
	wheel_set(&wheel, &items[2].entry, WHEEL_NEVER);
	wheel_set(&wheel, &items[3].entry, now + 300);
	wheel_remove(&items[3].entry);
	wheel_remove(&items[3].entry);
	run_until(now + 1000, 100);
	assert_int_equal(items[0].fired, 0);
	assert_int_equal(items[1].fired, 1);
	run_until(now + 60000, 100);
	assert_int_equal(items[0].fired, 1);
	assert_int_equal(items[2].fired, 0);
	assert_int_equal(items[3].fired, 0);
}

/* A process that was stopped for an hour. */
static void test_long_sleep(void **state)
{
	(void)state;
	for (int i = 0; i < ENTRIES; i++)
		wheel_set(&wheel, &items[i].entry, now + (uint64_t)i * 40);
	now += 3600000;
	wheel_turn(&wheel, now, on_expired);
	for (int i = 0; i < ENTRIES; i++)
		assert_int_equal(items[i].fired, 1);
}

static void on_visit(struct wheel_entry *entry)
{
	of(entry)->fired++;
	wheel_remove(entry);
}

static void test_each(void **state)
{
	(void)state;
	for (int i = 0; i < ENTRIES; i++)
		wheel_set(&wheel, &items[i].entry, now + (uint64_t)i * 40);
	wheel_each(&wheel, on_visit);
	wheel_each(&wheel, on_visit);
	for (int i = 0; i < ENTRIES; i++)
		assert_int_equal(items[i].fired, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_on_time, setup),
		cmocka_unit_test_setup(test_moved, setup),
		cmocka_unit_test_setup(test_long_sleep, setup),
		cmocka_unit_test_setup(test_each, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
