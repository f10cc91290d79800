/*
 * A chain is intact as it was recorded, and whatever is done to it is found: 10,000 random edits, deletions,
 * swaps, truncations, forgeries and repairs of single hashes, on chains of several tenants. A seed as the
 * argument repeats a run.
 */
#include "audit/chain_fixture.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define MUTATIONS 10000
#define KINDS_MAX 32

static uint64_t seed;

/* --- Verifying it, as verify.c does ---------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
	const struct audit_event *x = a, *y = b;
	int order = memcmp(x->tenant_id.b, y->tenant_id.b, sizeof(x->tenant_id.b));

	return order != 0 ? order : (x->number > y->number) - (x->number < y->number);
}

static struct chain chain_of(const struct trail *trail, const struct uuid *tenant,
			     const struct chain_note *notes, size_t count)
{
	struct chain chain;

	chain_begin(&chain, tenant, notes, count);
	for (size_t i = 0; i < trail->count; i++)
		if (uuid_equal(&trail->rows[i].tenant_id, tenant))
			(void)chain_feed(&chain, &trail->rows[i]);
	(void)chain_end(&chain, head_of(trail, tenant));
	return chain;
}

/* The first broken chain; or, when all are intact, some intact one. */
static struct chain verified(struct trail *trail)
{
	struct chain chain = {.number = 0};

	qsort(trail->rows, trail->count, sizeof(trail->rows[0]), by_number);
	for (size_t i = 0; i < trail->count; i++) {
		if (i > 0 && uuid_equal(&trail->rows[i].tenant_id, &trail->rows[i - 1].tenant_id))
			continue;
		chain = chain_of(trail, &trail->rows[i].tenant_id, NULL, 0);
		if (chain_broken(&chain))
			return chain;
	}
	for (size_t i = 0; i < trail->head_count; i++) {
		chain = chain_of(trail, &trail->heads[i].tenant_id, NULL, 0);
		if (chain_broken(&chain))
			return chain;
	}
	return chain;
}

/* --- Tests ----------------------------------------------------------------------------- */

static int set_up(void **unused)
{
	(void)unused;
	trail_init(seed);
	return 0;
}

static int tear_down(void **unused)
{
	(void)unused;
	trail_finish();
	return 0;
}

static void test_intact(void **unused)
{
	struct trail trail = original;
	struct chain chain = verified(&trail);

	(void)unused;
	assert_string_equal(chain.fault, "");
	assert_int_equal(chain.number, EVENTS / TENANTS);
}

static void test_nothing_at_all(void **unused)
{
	struct chain chain;

	(void)unused;
	chain_begin(&chain, &tenants[0], NULL, 0);
	assert_true(chain_end(&chain, NULL));
}

static void mutate(struct trail *trail, size_t kind)
{
	int64_t at;
	struct chain chain;

	memcpy(trail, &original, sizeof(*trail));
	at = mutations[kind].fn(trail);
	chain = verified(trail);
	if (!chain_broken(&chain))
		fail_msg("%s: not found; seed %" PRIu64, mutations[kind].name, seed);
	if (at != 0 && chain.fault_at != at)
		fail_msg("%s: at %" PRId64 ", told is %s; seed %" PRIu64, mutations[kind].name, at,
			 chain.fault, seed);
}

static void test_mutations(void **unused)
{
	static struct trail trail;
	size_t counts[KINDS_MAX] = {0};

	(void)unused;
	print_message("seed %" PRIu64 "\n", seed);
	for (size_t i = 0; i < MUTATIONS; i++) {
		size_t kind = below(mutation_count);

		arena_init(&arena, NULL);
		mutate(&trail, kind);
		arena_finish(&arena);
		counts[kind]++;
	}
	for (size_t i = 0; i < mutation_count; i++)
		print_message("%5zu %s\n", counts[i], mutations[i].name);
}

static void check_words(struct trail *trail, const char *words)
{
	struct chain chain = chain_of(trail, &tenants[0], NULL, 0);

	assert_string_equal(chain.fault, words);
}

/* What an operator reads. */
static void test_words(void **unused)
{
	static struct trail trail;

	(void)unused;
	trail = original;
	row_of(&trail, &tenants[0], 17)->type = "booking.created!";
	check_words(&trail, "row 17 was changed, or row 16 with its hash");
	trail = original;
	row_of(&trail, &tenants[0], 1)->version = 99;
	check_words(&trail, "row 1 was changed");
	trail = original;
	row_of(&trail, &tenants[0], 17)->payload = "{}";
	check_words(&trail, "the payload of row 17 was changed");
	trail = original;
	take_out(&trail, row_of(&trail, &tenants[0], 18));
	check_words(&trail, "row 18 is missing");
	take_out(&trail, row_of(&trail, &tenants[0], 19));
	check_words(&trail, "rows 18 to 19 are missing");
	trail = original;
	take_out(&trail, row_of(&trail, &tenants[0], 100));
	take_out(&trail, row_of(&trail, &tenants[0], 99));
	check_words(&trail, "the chain ends at 98, its head says 100");
	trail = original;
	trail.heads[0].hash = trail.heads[1].hash;
	check_words(&trail, "the head has another hash than row 100");
	trail.heads[0].tenant_id = UUID_NONE;
	check_words(&trail, "the chain ends at 100, and has no head");
}

static struct chain_note note_of(struct trail *trail, int64_t number)
{
	struct chain_note note = {.tenant_id = tenants[0], .number = number};

	memcpy(note.hash.text, row_of(trail, &tenants[0], number)->hash, sizeof(note.hash.text));
	return note;
}

/* All rows from that one on hashed again, and the head: as good as new. */
static void make_anew(struct trail *trail, int64_t from)
{
	const char *before = row_of(trail, &tenants[0], from - 1)->hash;

	for (int64_t number = from; number <= trail->heads[0].number; number++) {
		struct audit_event *row = row_of(trail, &tenants[0], number);

		hash_row(&arena, row, before);
		before = row->hash;
	}
	trail->heads[0].hash = before;
}

static void test_notes(void **unused)
{
	static struct trail trail;
	struct chain_note notes[3];
	struct chain chain;

	(void)unused;
	arena_init(&arena, NULL);
	trail = original;
	notes[0] = note_of(&trail, 40);
	notes[1] = notes[0];
	notes[2] = note_of(&trail, 90);
	chain = chain_of(&trail, &tenants[0], notes, 3);
	assert_string_equal(chain.fault, "");

	/* Cut off with its head: good by itself. */
	for (int64_t number = 100; number > 80; number--)
		take_out(&trail, row_of(&trail, &tenants[0], number));
	trail.heads[0].number = 80;
	trail.heads[0].hash = row_of(&trail, &tenants[0], 80)->hash;
	check_words(&trail, "");
	chain = chain_of(&trail, &tenants[0], notes, 3);
	assert_string_equal(chain.fault, "the chain ends at 80, but row 90 was noted");

	trail = original;
	row_of(&trail, &tenants[0], 30)->version = 99;
	make_anew(&trail, 30);
	check_words(&trail, "");
	chain = chain_of(&trail, &tenants[0], notes, 3);
	assert_string_equal(chain.fault, "row 40 has another hash than was noted: the chain was made anew");
	arena_finish(&arena);
}

/* A payload may be erased, and nothing else may stand where it was. */
static void test_erased(void **unused)
{
	static struct trail trail;
	struct audit_event *row;

	(void)unused;
	arena_init(&arena, NULL);
	trail = original;
	row = row_of(&trail, &tenants[0], 30);
	row->payload = AUDIT_ERASED;
	check_words(&trail, "the payload of row 30 was changed");
	row->erased_at = UTIME_SECOND;
	check_words(&trail, "");
	row->payload = "{\"erased\":false}";
	check_words(&trail, "the payload of row 30 was changed");
	arena_finish(&arena);
}

/* These bytes are what every trail that there is was hashed with. */
static void test_known_hashes(void **unused)
{
	const struct uuid id = {{0x01, 0x9b, 0x0d, 0x2f, 0x6c, 0x5e, 0x7a, 0x3b, 0x9f, 0x10, 0x2d, 0x6a, 0x8c,
				 0x4e, 0x1b, 0x37}};
	struct audit_event row = {
		.tenant_id = id,
		.number = 1,
		.event_id = id,
		.stream = "booking-events",
		.sequence = 7,
		.type = "booking.created",
		.subject_id = id,
		.version = 1,
		.occurred_at = 1764590400000000,
		.trace_id = "0af7651916cd43dd8448eb211c80319c",
		.payload = "{\"status\": \"pendente\"}",
		.recorded_at = 1764590400000001,
		.erased_at = UTIME_NONE,
	};
	struct chain_hash start = chain_start(&id), payload = chain_payload_hash(row.payload), hash;

	(void)unused;
	row.payload_hash = payload.text;
	hash = chain_row_hash(start.text, &row);
	assert_string_equal(start.text, "5c9b16df5c9fa6eeac8e6249061bc105e9e73f7bd90b66b24842bd58474545cb");
	assert_string_equal(payload.text, "4c250111636651b67d4560580639fc17afd5e11962e5edde91b20b99e25a760f");
	assert_string_equal(hash.text, "8e13865071ab451db95aeae965656602803109d88cd720d479206cb54318dd3b");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_intact),	     cmocka_unit_test(test_nothing_at_all),
		cmocka_unit_test(test_mutations),    cmocka_unit_test(test_words),
		cmocka_unit_test(test_notes),	     cmocka_unit_test(test_erased),
		cmocka_unit_test(test_known_hashes),
	};
	struct world world;

	world_init(&world, UTIME_NONE);
	if (argc > 1)
		seed = strtoull(argv[1], NULL, 10);
	else
		world.random(&world, &seed, sizeof(seed));
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
