/* What the bookings' tenants do, by tenant: the first ones of whom something is counted, and all the others.
 */
#include "app/metrics.h"

#include "booking/counts.h"

static const struct {
	enum metric metric;
	enum booking_count kind;
} counters[] = {
	{METRIC_bookings_created, BOOKINGS_CREATED},
	{METRIC_bookings_cancelled, BOOKINGS_CANCELLED},
	{METRIC_bookings_conflicts, BOOKINGS_CONFLICTS},
};

static void put(struct metrics *page, size_t counter, const struct tenant_counts *counts, size_t row,
		const char *tenant)
{
	double value = (double)tenant_counts_get(counts, row, counters[counter].kind);

	metric_put(page, counters[counter].metric, value, METRIC_VALUES(tenant));
}

void metrics_of_bookings(struct app *app, struct metrics *page)
{
	const struct tenant_counts *counts = app->here[ROOM_booking] ? app->shared[ROOM_booking] : NULL;
	size_t rows = counts != NULL ? tenant_counts_rows(counts) : 0;
	char tenant[UUID_TEXT_LEN + 1];

	for (size_t i = 0; counts != NULL && i < ARRAY_LEN(counters); i++) {
		for (size_t row = 0; row < rows; row++) {
			struct uuid id = tenant_counts_tenant(counts, row);

			put(page, i, counts, row, uuid_text(tenant, &id));
		}
		put(page, i, counts, TENANT_COUNTS_OTHERS, "other");
	}
}
