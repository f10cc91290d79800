/* What a cache keeps, gives up, and drops: every value exactly once. */
#include "base/cache.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int dropped;

static void drop(void *value)
{
	(*(int *)value)++;
	dropped++;
}

static struct uuid key_of(unsigned number)
{
	struct uuid key = {{0}};

	memcpy(key.b + 8, &number, sizeof(number));
	return key;
}

static void a_version_stands_or_falls(void **state)
{
	struct cache *cache = cache_create(8, drop);
	struct uuid key = key_of(1), other = key_of(2);
	int value = 0;

	(void)state;
	cache_put(cache, &key, 7, 3, UTIME_MAX, &value);
	assert_ptr_equal(cache_get(cache, &key, 7, 3, 0), &value);
	assert_null(cache_get(cache, &key, 7, 4, 0));
	assert_null(cache_get(cache, &key, 8, 3, 0));
	assert_null(cache_get(cache, &other, 7, 3, 0));
	assert_ptr_equal(cache_get(cache, &key, 7, 3, UTIME_MAX - 1), &value);
	assert_int_equal(value, 0);
	cache_destroy(cache);
	assert_int_equal(value, 1);
}

static void an_end_comes(void **state)
{
	struct cache *cache = cache_create(8, drop);
	struct uuid key = key_of(1);
	int values[2] = {0};

	(void)state;
	cache_put(cache, &key, 0, 1, 100, &values[0]);
	assert_ptr_equal(cache_get(cache, &key, 0, 1, 99), &values[0]);
	assert_null(cache_get(cache, &key, 0, 1, 100));
	assert_null(cache_get(cache, &key, 0, 1, 101));
	/* Who has nothing else may still have it. */
	assert_ptr_equal(cache_stale(cache, &key, 0), &values[0]);
	assert_null(cache_stale(cache, &key, 1));
	/* Its place is taken by what was read anew. */
	cache_put(cache, &key, 0, 1, 200, &values[1]);
	assert_int_equal(values[0], 1);
	assert_ptr_equal(cache_get(cache, &key, 0, 1, 101), &values[1]);
	cache_destroy(cache);
	assert_int_equal(values[1], 1);
}

static void what_was_used_least_gives_way(void **state)
{
	static int values[64];
	struct cache *cache = cache_create(4, drop); /* one set */
	struct uuid first = key_of(0), key;

	(void)state;
	dropped = 0;
	for (unsigned i = 0; i < ARRAY_LEN(values); i++) {
		key = key_of(i);
		cache_put(cache, &key, 0, 0, UTIME_MAX, &values[i]);
		assert_ptr_equal(cache_get(cache, &first, 0, 0, 0), &values[0]);
	}
	assert_int_equal(dropped, ARRAY_LEN(values) - 4);
	assert_int_equal(values[0], 0);
	cache_destroy(cache);
	for (unsigned i = 0; i < ARRAY_LEN(values); i++)
		assert_int_equal(values[i], 1);
	cache_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_version_stands_or_falls),
		cmocka_unit_test(an_end_comes),
		cmocka_unit_test(what_was_used_least_gives_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
