/* For tests: an arena that each of them, or the group of them, has fresh. Included by one file of a test. */
#ifndef BASE_ARENA_FIXTURE_H
#define BASE_ARENA_FIXTURE_H

#include "base/arena.h"

static struct arena arena;

static int begin(void **state)
{
	(void)state;
	arena_init(&arena, NULL);
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_finish(&arena);
	return 0;
}

#endif
