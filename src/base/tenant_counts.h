/*
 * Counters by tenant, in constant memory: the first so many tenants of whom something is counted have a row
 * each, from then until the process ends; all the others share the last row. So a label never has more values
 * than that, and a tenant's counters never fall. Counting takes no lock but for a tenant's first time.
 */
#ifndef BASE_TENANT_COUNTS_H
#define BASE_TENANT_COUNTS_H

#include "base/uuid.h"

struct tenant_counts;

/* `tenants` may be 0: then all share one row. `kinds`: counters of a row. NULL: memory. */
struct tenant_counts *tenant_counts_create(size_t tenants, size_t kinds) MUST_USE;
/* NULL is fine. */
void tenant_counts_destroy(struct tenant_counts *counts);

/* On any thread. */
void tenant_counts_add(struct tenant_counts *counts, const struct uuid *tenant, size_t kind, uint64_t more);

/* Rows that have a tenant; there may be more of them when it is asked again. */
size_t tenant_counts_rows(const struct tenant_counts *counts);
struct uuid tenant_counts_tenant(const struct tenant_counts *counts, size_t row);

/* The row of all the others. */
#define TENANT_COUNTS_OTHERS SIZE_MAX
uint64_t tenant_counts_get(const struct tenant_counts *counts, size_t row, size_t kind);

#endif
