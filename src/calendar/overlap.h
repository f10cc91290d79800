/*
 * Overlap: where bookings stand in each other's way. A resource holds `capacity` bookings at once (one,
 * unless its category allows more); where that many overlap it is full. Availability and booking
 * both ask overlap_full(), so they cannot disagree.
 */
#ifndef CALENDAR_OVERLAP_H
#define CALENDAR_OVERLAP_H

#include "base/arena.h"
#include "calendar/policy.h"

/* The bookings that block time. Sorted by start; they may overlap. An empty span blocks nothing. */
struct busy {
	const struct span *spans;
	size_t count;
	int32_t capacity; /* >= 1 */
};

/* An array in the arena. */
struct spans {
	struct span *items;
	size_t count;
};

/* Where capacity or more of them overlap: sorted, disjoint, merged. RC_NO_MEMORY. O(count log capacity). */
enum rc overlap_full(struct arena *arena, const struct busy *busy, struct spans *ret) MUST_USE;

/* Rule 8: RC_CONFLICT when no place is free at some instant of `wanted`. RC_NO_MEMORY. */
enum rc overlap_check(struct arena *arena, const struct busy *busy, struct span wanted) MUST_USE;

/* The most bookings that overlap at any one instant of `wanted`; capacity does not matter. RC_NO_MEMORY. */
enum rc overlap_peak(struct arena *arena, const struct busy *busy, struct span wanted, size_t *ret) MUST_USE;

#endif
