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

/* The kernel's random bytes, fetched by the page: a system call an id would cost more than the id. */
static void real_random(const struct world *world, void *ret, size_t size)
{
	static _Thread_local unsigned char pool[1024];
	static _Thread_local size_t left;

	(void)world;
	if (size > sizeof(pool)) {
		randombytes_buf(ret, size);
		return;
	}
	if (size > left) {
		randombytes_buf(pool, sizeof(pool));
		left = sizeof(pool);
	}
	left -= size;
	memcpy(ret, pool + left, size);
	sodium_memzero(pool + left, size);
}

void world_init(struct world *world, utime start)
{
	*world = (struct world){
		.now = real_now,
		.random = real_random,
		.shift = start == UTIME_NONE ? 0 : start - machine_now(),
	};
}
