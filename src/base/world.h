/*
 * What the outside world gives a process: time and chance. Handed in at start
 * and never reached otherwise, so that a test, or a simulation of the whole
 * process, decides both.
 */
#ifndef BASE_WORLD_H
#define BASE_WORLD_H

#include "base/utime.h"

struct world {
	utime (*now)(const struct world *);
	void (*random)(const struct world *, void *ret, size_t size);
	utime shift; /* added to the machine's clock: MARCA_CLOCK */
};

/* The machine's clock and random device. Time starts at `start` and runs on; UTIME_NONE: the real time. */
void world_init(struct world *world, utime start);

static inline utime world_now(const struct world *world)
{
	return world->now(world);
}

#endif
