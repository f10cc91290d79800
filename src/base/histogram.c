/* See histogram.h. */
#include "base/histogram.h"

#define US UINT64_C(1000)
#define MS (1000 * US)
#define S  (1000 * MS)

/* What is answered from a cache takes some tens of us, a commit some ms; at 10 s a client has long given up.
 */
const struct histogram_scale histogram_durations = {
	.bounds = {50 * US, 100 * US, 250 * US, 500 * US, 1 * MS, 2500 * US, 5 * MS, 10 * MS, 25 * MS,
		   50 * MS, 100 * MS, 250 * MS, 500 * MS, 1 * S, 2500 * MS, 5 * S, 10 * S},
	.unit = 1e-9,
};

const struct histogram_scale histogram_sizes = {
	.bounds = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536},
	.unit = 1,
};

/* From the start: most values are small. */
static size_t bucket(const struct histogram_scale *scale, uint64_t value)
{
	size_t i = 0;

	while (i < HISTOGRAM_BOUNDS && value > scale->bounds[i])
		i++;
	return i;
}

void histogram_add(struct histogram *histogram, const struct histogram_scale *scale, uint64_t value)
{
	atomic_fetch_add_explicit(&histogram->counts[bucket(scale, value)], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&histogram->sum, value, memory_order_relaxed);
}

void histogram_add_alone(struct histogram *histogram, const struct histogram_scale *scale, uint64_t value)
{
	counter_add(&histogram->counts[bucket(scale, value)], 1);
	counter_add(&histogram->sum, value);
}

void histogram_read(const struct histogram *histogram, struct histogram_sum *sum)
{
	for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++)
		sum->counts[i] += counter_read(&histogram->counts[i]);
	sum->sum += counter_read(&histogram->sum);
}
