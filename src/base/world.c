/* See world.h. */
#include "base/world.h"

#include <sodium.h>
#include <time.h>

static utime machine_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (utime)ts.tv_sec * UTIME_SECOND + ts.tv_nsec / 1000;
}

static utime real_now(const struct world *world)
{
	return machine_now() + world->shift;
}

static void real_random(const struct world *world, void *ret, size_t size)
{
	(void)world;
	randombytes_buf(ret, size);
}

void world_init(struct world *world, utime start)
{
	*world = (struct world){
		.now = real_now,
		.random = real_random,
		.shift = start == UTIME_NONE ? 0 : start - machine_now(),
	};
}
