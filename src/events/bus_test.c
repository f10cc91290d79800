/*
 * What every bus must do, as bus.h has it: `bus_test embedded|redis`, the latter on a server of its own. The
 * scenes are in bus_test_writing.c, bus_test_reading.c and bus_test_operator.c; what only the embedded bus
 * can get wrong is in bus_test_embedded.c.
 */
#include "events/bus_fixture.h"

#include "json/arena_json.h"

#include <stdio.h>
#include <stdlib.h>

#define SCENES_MAX 64
#define NOT_RUN	   77 /* as meson knows it */

static bool redis;

static void run_scene(void **state)
{
	const struct scene *scene = *state;
	struct bed *bed = bed_create(redis);

	bed_play(bed, scene->first, scene->stopped);
	if (scene->then[0] != NULL)
		bed_play(bed, scene->then, false);
	bed_destroy(bed);
}

static size_t add(struct CMUnitTest tests[SCENES_MAX], size_t count, const struct scene *scenes)
{
	for (; scenes->name != NULL; scenes++) {
		if (count == SCENES_MAX)
			abort();
		tests[count++] = (struct CMUnitTest){.name = scenes->name, .test_func = run_scene};
		/* cmocka hands it on as the state, and would have it writable. */
		memcpy(&tests[count - 1].initial_state, &(const struct scene *){scenes}, sizeof(scenes));
	}
	return count;
}

/* False: said so. */
static bool have_server(void)
{
	if (redis_start())
		return true;
	fprintf(stderr, "\n*** NOT TESTED on Redis: redis-server is not installed ***\n\n");
	return false;
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[SCENES_MAX];
	size_t count = 0;
	int failed;

	arena_json_init();
	redis = argc == 2 && strcmp(argv[1], "redis") == 0;
	if (argc != 2 || (!redis && strcmp(argv[1], "embedded") != 0)) {
		fprintf(stderr, "usage: bus_test embedded|redis\n");
		return EXIT_FAILURE;
	}
	if (redis && !have_server())
		return getenv("CI") != NULL ? EXIT_FAILURE : NOT_RUN;
	count = add(tests, count, bus_scenes_writing);
	count = add(tests, count, bus_scenes_reading);
	count = add(tests, count, bus_scenes_operator);
	if (!redis)
		count = add(tests, count, bus_scenes_embedded);
	failed = _cmocka_run_group_tests(argv[1], tests, count, NULL, NULL);
	if (redis)
		redis_stop();
	return failed;
}
