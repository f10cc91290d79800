/* What the booking service has done since the start of the process, by tenant: for /metrics. */
#ifndef BOOKING_COUNTS_H
#define BOOKING_COUNTS_H

#include "base/ctx.h"
#include "base/tenant_counts.h"

enum booking_count { BOOKINGS_CREATED, BOOKINGS_CANCELLED, BOOKINGS_CONFLICTS, BOOKING_COUNTS };

/* After the commit. Where the thread keeps none (an operator's command), nothing is counted. */
void booking_count(const struct ctx *cx, const struct uuid *tenant, enum booking_count kind, uint64_t more);

/* For service.c: one for the process, which each thread has as its own. */
struct config;
void *booking_counts_create(const struct config *config, const struct world *world, bool here);
void booking_counts_destroy(void *counts);
void *booking_counts_local(const struct config *config, void *counts);
void booking_counts_local_end(void *counts);

#endif
