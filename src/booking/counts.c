/* See counts.h. */
#include "booking/counts.h"

#include "base/config.h"

#include <stdio.h>

void booking_count(const struct ctx *cx, const struct uuid *tenant, enum booking_count kind, uint64_t more)
{
	struct tenant_counts *counts = cx->locals[ROOM_booking];

	if (counts != NULL && more > 0)
		tenant_counts_add(counts, tenant, kind, more);
}

void *booking_counts_create(const struct config *config, const struct world *world, bool here)
{
	struct tenant_counts *counts = tenant_counts_create((size_t)config->metrics_tenants, BOOKING_COUNTS);

	(void)world;
	(void)here;
	if (counts == NULL)
		fprintf(stderr, "marca: no memory for the counters of bookings\n");
	return counts;
}

void booking_counts_destroy(void *counts)
{
	tenant_counts_destroy(counts);
}

void *booking_counts_local(const struct config *config, void *counts)
{
	(void)config;
	return counts;
}

void booking_counts_local_end(void *counts)
{
	(void)counts; /* the process's */
}
