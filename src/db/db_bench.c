/*
 * db_bench sqlite|postgres [SECONDS [FIBERS [FAILING]]]
 *
 * Scripts a second with so many fibers in flight (64), each a lock row and two inserts, and each waiting for
 * its durable commit. FAILING: of a hundred scripts, so many whose last step a constraint refuses.
 */
#include "db/db_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#define FIBERS_MAX 1024

struct load {
	struct fixture *fixture;
	struct errand errand;
	utime until;
	struct uuid key;
	int failing; /* percent */
	int64_t done, refused;
};

static enum rc write_one(struct load *load, struct ctx *cx, bool doomed)
{
	const struct uuid *tenant = &load->fixture->tenant;
	struct uuid first = new_id(load->fixture), second = new_id(load->fixture);
	char names[2][UUID_TEXT_LEN + 1];
	struct script script;

	script_init(&script, cx, ROOM_testroom, tenant, &load->key);
	SCRIPT_ADD(&script, counter_raise, .tenant_id = *tenant, .id = load->key);
	SCRIPT_ADD(&script, thing_insert, .tenant_id = *tenant, .id = first,
		   .name = uuid_text(names[0], &first), .document = "{}");
	SCRIPT_ADD(&script, thing_insert, .tenant_id = *tenant, .id = doomed ? first : second,
		   .name = uuid_text(names[1], &second), .document = "{\"kind\": \"created\"}");
	return db_write(&script);
}

static void write_on(void *arg)
{
	struct load *load = arg;
	struct arena arena;
	struct ctx cx = {.world = &load->fixture->world, .ports = load->fixture->ports, .arena = &arena};

	arena_init(&arena, &load->fixture->pool);
	while (world_now(cx.world) < load->until) {
		if (write_one(load, &cx, rand() % 100 < load->failing) == RC_OK)
			load->done++;
		else
			load->refused++;
		arena_finish(&arena);
	}
}

static void run(struct fixture *fixture, int seconds, int fibers, int failing)
{
	static struct load loads[FIBERS_MAX];
	utime began = world_now(&fixture->world);
	int64_t done = 0, refused = 0;
	double took;

	for (int i = 0; i < fibers; i++) {
		loads[i] = (struct load){.fixture = fixture,
					 .until = began + seconds * UTIME_SECOND,
					 .key = new_id(fixture),
					 .failing = failing};
		if (harness_go(&fixture->harness, &loads[i].errand, write_on, &loads[i]) != RC_OK)
			abort();
	}
	harness_wait(&fixture->harness);
	took = (double)(world_now(&fixture->world) - began) / UTIME_SECOND;
	for (int i = 0; i < fibers; i++) {
		done += loads[i].done;
		refused += loads[i].refused;
	}
	printf("%.0f scripts/s committed, %.0f/s refused, with %d fibers\n", (double)done / took,
	       (double)refused / took, fibers);
}

static int number(char **argv, int argc, int i, int otherwise)
{
	return argc > i ? (int)strtol(argv[i], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
	bool postgres = argc > 1 && strcmp(argv[1], "postgres") == 0;
	int fibers = number(argv, argc, 3, 64);
	struct fixture *fixture = postgres ? fixture_postgres() : fixture_sqlite();

	if (fixture == NULL || fibers > FIBERS_MAX)
		return EXIT_FAILURE;
	fixture_open(fixture);
	run(fixture, number(argv, argc, 2, 3), fibers, number(argv, argc, 4, 0));
	fixture_destroy(fixture);
	return EXIT_SUCCESS;
}
