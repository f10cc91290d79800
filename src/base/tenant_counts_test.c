/* The first tenants have a row each, the others share one, and nothing is lost between threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/tenant_counts.h"

#include <pthread.h>

enum { MADE, LOST, KINDS };

#define TENANTS	 50
#define THREADS	 4
#define A_THREAD 20000

/* Alike in the half that is hashed, two by two. */
static struct uuid tenant(unsigned number)
{
	struct uuid id = {{0}};

	id.b[0] = (unsigned char)number;
	id.b[15] = (unsigned char)(number / 2);
	return id;
}

static uint64_t sum(const struct tenant_counts *counts, size_t kind)
{
	uint64_t all = tenant_counts_get(counts, TENANT_COUNTS_OTHERS, kind);

	for (size_t row = 0; row < tenant_counts_rows(counts); row++)
		all += tenant_counts_get(counts, row, kind);
	return all;
}

static void first_tenants_have_rows(void **state)
{
	struct tenant_counts *counts = tenant_counts_create(3, KINDS);

	(void)state;
	assert_non_null(counts);
	for (unsigned i = 1; i <= 5; i++) {
		struct uuid id = tenant(i);

		tenant_counts_add(counts, &id, MADE, i);
		tenant_counts_add(counts, &id, MADE, i);
		tenant_counts_add(counts, &id, LOST, 1);
	}
	assert_int_equal(tenant_counts_rows(counts), 3);
	for (unsigned i = 1; i <= 3; i++) {
		struct uuid id = tenant(i), row = tenant_counts_tenant(counts, i - 1);

		assert_true(uuid_equal(&id, &row));
		assert_int_equal(tenant_counts_get(counts, i - 1, MADE), 2 * i);
		assert_int_equal(tenant_counts_get(counts, i - 1, LOST), 1);
	}
	assert_int_equal(tenant_counts_get(counts, TENANT_COUNTS_OTHERS, MADE), 2 * (4 + 5));
	assert_int_equal(tenant_counts_get(counts, TENANT_COUNTS_OTHERS, LOST), 2);
	tenant_counts_destroy(counts);
}

static void none_has_a_row_of_his_own(void **state)
{
	struct tenant_counts *counts = tenant_counts_create(0, KINDS);
	struct uuid id = tenant(1);

	(void)state;
	tenant_counts_add(counts, &id, LOST, 7);
	assert_int_equal(tenant_counts_rows(counts), 0);
	assert_int_equal(tenant_counts_get(counts, TENANT_COUNTS_OTHERS, LOST), 7);
	tenant_counts_destroy(counts);
}

static void *add_all(void *counts)
{
	for (unsigned i = 0; i < A_THREAD; i++) {
		struct uuid id = tenant(1 + i % (2 * TENANTS));

		tenant_counts_add(counts, &id, MADE, 1);
	}
	return NULL;
}

static void threads_lose_nothing(void **state)
{
	struct tenant_counts *counts = tenant_counts_create(TENANTS, KINDS);
	pthread_t threads[THREADS];

	(void)state;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_all, counts), 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(tenant_counts_rows(counts), TENANTS);
	for (size_t row = 0; row < TENANTS; row++)
		assert_int_equal(tenant_counts_get(counts, row, MADE), THREADS * A_THREAD / (2 * TENANTS));
	assert_int_equal(sum(counts, MADE), THREADS * A_THREAD);
	tenant_counts_destroy(counts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_tenants_have_rows),
		cmocka_unit_test(none_has_a_row_of_his_own),
		cmocka_unit_test(threads_lose_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
