/* See tenant_counts.h. Rows are only ever added, so whoever finds one needs no lock. */
#include "base/tenant_counts.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct tenant_counts {
	size_t max, kinds;
	size_t mask; /* of places */
	pthread_mutex_t lock;
	atomic_size_t rows;
	struct uuid *tenants;
	_Atomic uint64_t *values; /* [row][kind]; row `max` is that of the others */
	_Atomic uint16_t *places; /* row + 1 by hash, with linear probing; 0: free */
};

struct tenant_counts *tenant_counts_create(size_t tenants, size_t kinds)
{
	struct tenant_counts *counts = calloc(1, sizeof(*counts));
	size_t places = 16;

	if (counts == NULL)
		return NULL;
	while (places < 2 * tenants)
		places *= 2;
	pthread_mutex_init(&counts->lock, NULL);
	counts->max = tenants < UINT16_MAX ? tenants : UINT16_MAX - 1;
	counts->kinds = kinds;
	counts->mask = places - 1;
	counts->tenants = calloc(tenants + 1, sizeof(counts->tenants[0]));
	counts->values = calloc((tenants + 1) * kinds, sizeof(counts->values[0]));
	counts->places = calloc(places, sizeof(counts->places[0]));
	if (counts->tenants != NULL && counts->values != NULL && counts->places != NULL)
		return counts;
	tenant_counts_destroy(counts);
	return NULL;
}

void tenant_counts_destroy(struct tenant_counts *counts)
{
	if (counts == NULL)
		return;
	pthread_mutex_destroy(&counts->lock);
	free(counts->tenants);
	free(counts->values);
	free(counts->places);
	free(counts);
}

/* The place of that tenant, or the free one where he would be: there is always one. */
static size_t place_of(const struct tenant_counts *counts, const struct uuid *tenant, size_t *ret_row)
{
	uint64_t half;
	size_t place;

	memcpy(&half, tenant->b + 8, sizeof(half));
	place = (size_t)(half * UINT64_C(0x9e3779b97f4a7c15) >> 32) & counts->mask;
	for (;; place = (place + 1) & counts->mask) {
		unsigned row = atomic_load_explicit(&counts->places[place], memory_order_acquire);

		*ret_row = row > 0 ? row - 1 : counts->max;
		if (row == 0 || uuid_equal(&counts->tenants[row - 1], tenant))
			return place;
	}
}

static size_t add_row(struct tenant_counts *counts, const struct uuid *tenant)
{
	size_t row, place, rows;

	pthread_mutex_lock(&counts->lock);
	place = place_of(counts, tenant, &row); /* another thread may have been first */
	rows = atomic_load(&counts->rows);
	if (row == counts->max && rows < counts->max) {
		row = rows;
		counts->tenants[row] = *tenant;
		atomic_store_explicit(&counts->places[place], (uint16_t)(row + 1), memory_order_release);
		atomic_store_explicit(&counts->rows, rows + 1, memory_order_release);
	}
	pthread_mutex_unlock(&counts->lock);
	return row;
}

void tenant_counts_add(struct tenant_counts *counts, const struct uuid *tenant, size_t kind, uint64_t more)
{
	size_t row;

	place_of(counts, tenant, &row);
	if (row == counts->max && tenant_counts_rows(counts) < counts->max)
		row = add_row(counts, tenant);
	atomic_fetch_add_explicit(&counts->values[row * counts->kinds + kind], more, memory_order_relaxed);
}

size_t tenant_counts_rows(const struct tenant_counts *counts)
{
	return atomic_load_explicit(&counts->rows, memory_order_acquire);
}

struct uuid tenant_counts_tenant(const struct tenant_counts *counts, size_t row)
{
	return counts->tenants[row];
}

uint64_t tenant_counts_get(const struct tenant_counts *counts, size_t row, size_t kind)
{
	size_t at = row == TENANT_COUNTS_OTHERS ? counts->max : row;

	return atomic_load_explicit(&counts->values[at * counts->kinds + kind], memory_order_relaxed);
}
