/*
 * Histogram: how many values fell below each of a scale's bounds, and their sum. Constant memory; a value
 * costs two additions. The shape is Prometheus's, but counts are kept for each bucket alone and are added up
 * by whoever reads, so that a value touches one of them.
 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include "base/base.h"

#include <stdatomic.h>

#define HISTOGRAM_BOUNDS 17

/* Upper bounds, inclusive, rising; one more bucket takes what is above the last. */
struct histogram_scale {
	uint64_t bounds[HISTOGRAM_BOUNDS];
	double unit; /* of one, in what is told: 1e-9 where bounds are ns and seconds are told */
};

extern const struct histogram_scale histogram_durations; /* ns: 50 us to 10 s */
extern const struct histogram_scale histogram_sizes;	 /* 1 to 65536 */

struct histogram {
	_Atomic uint64_t counts[HISTOGRAM_BOUNDS + 1], sum;
};

/* From several threads. */
void histogram_add(struct histogram *histogram, const struct histogram_scale *scale, uint64_t value);
/* Where one thread alone adds: no bus is locked. */
void histogram_add_alone(struct histogram *histogram, const struct histogram_scale *scale, uint64_t value);

/* What several histograms of one scale hold together. Begin with all zero. */
struct histogram_sum {
	uint64_t counts[HISTOGRAM_BOUNDS + 1], sum;
};
void histogram_read(const struct histogram *histogram, struct histogram_sum *sum);

/* One more in a counter that one thread alone writes, and any may read. */
static inline void counter_add(_Atomic uint64_t *counter, uint64_t more)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + more,
			      memory_order_relaxed);
}

static inline uint64_t counter_read(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

#endif
