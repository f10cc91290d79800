/* See chain_fixture.h: the trail, and chance. */
#include "audit/chain_fixture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct trail original;
struct uuid tenants[TENANTS];
struct arena arena;

static struct arena kept; /* the original's texts */
static uint64_t state;

/* --- Chance ------------------------------------------------------------------------- */

/* xorshift64*: Vigna, 2016. */
static uint64_t next(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * UINT64_C(2685821657736338717);
}

size_t below(size_t limit)
{
	return (size_t)(next() >> 11) % limit;
}

struct uuid an_id(void)
{
	uint64_t words[2] = {next(), next()};
	struct uuid id;

	memcpy(id.b, words, sizeof(id.b));
	return id;
}

/* --- The original -------------------------------------------------------------------- */

static const char *copied(struct arena *to, const struct chain_hash *hash)
{
	return arena_copy(to, hash->text, sizeof(hash->text));
}

struct audit_event an_event(struct arena *to, const struct audit_head *head)
{
	static const char *const types[] = {"booking.created", "booking.cancelled", "user.deleted"};
	static const char *const streams[] = {"booking-events", "deletion-events"};
	struct audit_event row = {
		.tenant_id = head->tenant_id,
		.number = head->number + 1,
		.event_id = an_id(),
		.stream = streams[below(2)],
		.sequence = (int64_t)below(1000),
		.type = types[below(3)],
		.subject_id = an_id(),
		.version = 1 + (int64_t)below(9),
		.ordinal = (int64_t)below(2),
		.occurred_at = (int64_t)next(),
		.trace_id = arena_printf(to, "%016" PRIx64 "%016" PRIx64, next(), next()),
		.payload = arena_printf(to, "{\"notes\": \"%" PRIx64 "\",  \"n\":%zu}", next(), below(99)),
		.recorded_at = (int64_t)next(),
		.erased_at = UTIME_NONE,
	};

	return row;
}

void hash_row(struct arena *to, struct audit_event *row, const char *before)
{
	const struct chain_hash payload = chain_payload_hash(row->payload);
	struct chain_hash hash;

	row->payload_hash = copied(to, &payload);
	hash = chain_row_hash(before, row);
	row->hash = copied(to, &hash);
}

static void append(struct trail *trail, struct audit_head *head)
{
	struct audit_event *row = &trail->rows[trail->count++];

	*row = an_event(&kept, head);
	hash_row(&kept, row, head->hash);
	head->number = row->number;
	head->hash = row->hash;
}

void trail_init(uint64_t seed)
{
	state = seed | 1;
	arena_init(&kept, NULL);
	original.head_count = TENANTS;
	for (size_t i = 0; i < TENANTS; i++) {
		struct chain_hash start;

		tenants[i] = an_id();
		start = chain_start(&tenants[i]);
		original.heads[i] = (struct audit_head){tenants[i], 0, copied(&kept, &start)};
	}
	while (original.count < EVENTS)
		append(&original, &original.heads[original.count % TENANTS]);
}

void trail_finish(void)
{
	arena_finish(&kept);
}

struct audit_event *row_of(struct trail *trail, const struct uuid *tenant, int64_t number)
{
	for (size_t i = 0; i < trail->count; i++) {
		struct audit_event *row = &trail->rows[i];

		if (row->number == number && uuid_equal(&row->tenant_id, tenant))
			return row;
	}
	fprintf(stderr, "no row %" PRId64 "\n", number);
	abort();
}

void take_out(struct trail *trail, const struct audit_event *row)
{
	size_t at = (size_t)(row - trail->rows);

	memmove(&trail->rows[at], &trail->rows[at + 1], (trail->count - at - 1) * sizeof(trail->rows[0]));
	trail->count--;
}

const struct audit_head *head_of(const struct trail *trail, const struct uuid *tenant)
{
	for (size_t i = 0; i < trail->head_count; i++)
		if (uuid_equal(&trail->heads[i].tenant_id, tenant))
			return &trail->heads[i];
	return NULL;
}
