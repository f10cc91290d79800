/*
 * Circuit breaker: is one who failed asked again yet? After CIRCUIT_FAILURES failures in a row everybody is
 * refused at once, until a pause is over; then one call is let through, and its outcome decides for the
 * others. Each failure then doubles the pause. So nobody waits for a service that is not there, and one that
 * comes up again is not met by all who waited.
 *
 * Pure: the time is handed in. Its owner locks.
 */
#ifndef NEIGHBOUR_CIRCUIT_H
#define NEIGHBOUR_CIRCUIT_H

#include "base/utime.h"

#define CIRCUIT_FAILURES  5
#define CIRCUIT_PAUSE	  (UTIME_SECOND / 4)
#define CIRCUIT_PAUSE_MAX (2 * UTIME_SECOND)

struct circuit {
	int failures; /* in a row */
	bool trying;  /* the one call after a pause is under way */
	utime pause, until;
};

static inline bool circuit_is_open(const struct circuit *circuit)
{
	return circuit->failures >= CIRCUIT_FAILURES;
}

/* May a call be made? One that is must be followed by circuit_tell(). */
bool circuit_admits(struct circuit *circuit, utime now) MUST_USE;
void circuit_tell(struct circuit *circuit, utime now, bool good);

#endif
