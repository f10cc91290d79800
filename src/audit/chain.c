/* See chain.h. */
#include "audit/chain.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

/* What is hashed begins with its kind and the version of its form. */
#define LABEL_START "marca audit start 1"
#define LABEL_ROW   "marca audit row 1"

/* --- Hashes --------------------------------------------------------------------- */

static void put_number(crypto_hash_sha256_state *state, uint64_t number)
{
	unsigned char bytes[8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(number >> (56 - 8 * i));
	crypto_hash_sha256_update(state, bytes, sizeof(bytes));
}

/* With its length before it, no two lists of parts are the same bytes. */
static void add(crypto_hash_sha256_state *state, const void *bytes, size_t size)
{
	put_number(state, size);
	crypto_hash_sha256_update(state, bytes, size);
}

static void add_text(crypto_hash_sha256_state *state, const char *text)
{
	add(state, text, strlen(text));
}

static void add_id(crypto_hash_sha256_state *state, const struct uuid *id)
{
	add(state, id->b, sizeof(id->b));
}

static void add_number(crypto_hash_sha256_state *state, int64_t number)
{
	put_number(state, sizeof(number));
	put_number(state, (uint64_t)number);
}

static void begin(crypto_hash_sha256_state *state, const char *label)
{
	crypto_hash_sha256_init(state);
	add_text(state, label);
}

static struct chain_hash in_hex(const unsigned char bytes[crypto_hash_sha256_BYTES])
{
	struct chain_hash hash;

	_Static_assert(2 * crypto_hash_sha256_BYTES == CHAIN_HASH_LEN, "two digits a byte");
	hex_text(hash.text, bytes, crypto_hash_sha256_BYTES);
	hash.text[CHAIN_HASH_LEN] = '\0';
	return hash;
}

static struct chain_hash end(crypto_hash_sha256_state *state)
{
	unsigned char bytes[crypto_hash_sha256_BYTES];

	crypto_hash_sha256_final(state, bytes);
	return in_hex(bytes);
}

struct chain_hash chain_start(const struct uuid *tenant)
{
	crypto_hash_sha256_state state;

	begin(&state, LABEL_START);
	add_id(&state, tenant);
	return end(&state);
}

struct chain_hash chain_payload_hash(const char *payload)
{
	unsigned char bytes[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(bytes, (const unsigned char *)payload, strlen(payload));
	return in_hex(bytes);
}

struct chain_hash chain_row_hash(const char *before, const struct audit_event *row)
{
	crypto_hash_sha256_state state;

	begin(&state, LABEL_ROW);
	add_text(&state, before);
	add_id(&state, &row->tenant_id);
	add_number(&state, row->number);
	add_id(&state, &row->event_id);
	add_text(&state, row->stream);
	add_number(&state, row->sequence);
	add_text(&state, row->type);
	add_id(&state, &row->subject_id);
	add_number(&state, row->version);
	add_number(&state, row->ordinal);
	add_number(&state, row->occurred_at);
	add_text(&state, row->trace_id);
	add_number(&state, row->recorded_at);
	add_text(&state, row->payload_hash);
	return end(&state);
}

/* --- Verifying ------------------------------------------------------------------ */

bool chain_broken(const struct chain *chain)
{
	return chain->fault[0] != '\0';
}

/* Says what is wrong, and at which number. False, so that a check can return it. */
#define BROKEN(chain, at, ...) \
	(snprintf((chain)->fault, sizeof((chain)->fault), __VA_ARGS__), (chain)->fault_at = (at), false)

void chain_begin(struct chain *chain, const struct uuid *tenant, const struct chain_note *notes, size_t count)
{
	*chain = (struct chain){
		.tenant = *tenant,
		.hash = chain_start(tenant),
		.notes = notes,
		.note_count = count,
	};
}

/* Several notes may be of one row. */
static bool notes_match(struct chain *chain)
{
	while (chain->note_count > 0 && chain->notes->number <= chain->number) {
		const struct chain_note *note = chain->notes++;

		chain->note_count--;
		if (note->number < chain->number || strcmp(note->hash.text, chain->hash.text) != 0)
			return BROKEN(chain, note->number,
				      "row %" PRId64
				      " has another hash than was noted: the chain was made anew",
				      note->number);
	}
	return true;
}

static bool in_place(struct chain *chain, const struct audit_event *row)
{
	int64_t due = chain->number + 1;

	if (!uuid_equal(&row->tenant_id, &chain->tenant))
		return BROKEN(chain, row->number, "row %" PRId64 " is another tenant's", row->number);
	if (row->number < due)
		return BROKEN(chain, row->number, "row %" PRId64 " does not belong there", row->number);
	if (row->number == due + 1)
		return BROKEN(chain, due, "row %" PRId64 " is missing", due);
	if (row->number > due)
		return BROKEN(chain, due, "rows %" PRId64 " to %" PRId64 " are missing", due,
			      row->number - 1);
	return true;
}

/* A row that was hashed again is good by itself: only that its successor does not follow it shows that. */
static bool follows(struct chain *chain, const struct audit_event *row, const struct chain_hash *hash)
{
	if (strcmp(hash->text, row->hash) == 0)
		return true;
	if (row->number == 1)
		return BROKEN(chain, 1, "row 1 was changed");
	return BROKEN(chain, row->number, "row %" PRId64 " was changed, or row %" PRId64 " with its hash",
		      row->number, row->number - 1);
}

/* An erased payload is gone, and nothing may stand in its place; the row's own hash still covers what it was.
 */
static bool payload_holds(struct chain *chain, const struct audit_event *row)
{
	struct chain_hash payload;

	if (row->erased_at != UTIME_NONE && strcmp(row->payload, AUDIT_ERASED) == 0)
		return true;
	payload = chain_payload_hash(row->payload);
	if (row->erased_at == UTIME_NONE && strcmp(payload.text, row->payload_hash) == 0)
		return true;
	return BROKEN(chain, row->number, "the payload of row %" PRId64 " was changed", row->number);
}

bool chain_feed(struct chain *chain, const struct audit_event *row)
{
	struct chain_hash hash;

	if (chain_broken(chain) || !in_place(chain, row) || !payload_holds(chain, row))
		return false;
	hash = chain_row_hash(chain->hash.text, row);
	if (!follows(chain, row, &hash))
		return false;
	chain->number = row->number;
	chain->hash = hash;
	return notes_match(chain);
}

bool chain_end(struct chain *chain, const struct audit_head *head)
{
	if (chain_broken(chain))
		return false;
	if (chain->note_count > 0)
		return BROKEN(chain, chain->number + 1,
			      "the chain ends at %" PRId64 ", but row %" PRId64 " was noted", chain->number,
			      chain->notes[chain->note_count - 1].number);
	if (head == NULL && chain->number > 0)
		return BROKEN(chain, chain->number, "the chain ends at %" PRId64 ", and has no head",
			      chain->number);
	if (head != NULL && head->number != chain->number)
		return BROKEN(chain, chain->number, "the chain ends at %" PRId64 ", its head says %" PRId64,
			      chain->number, head->number);
	if (head != NULL && strcmp(head->hash, chain->hash.text) != 0)
		return BROKEN(chain, chain->number, "the head has another hash than row %" PRId64,
			      chain->number);
	return true;
}

bool chain_end_unreadable(struct chain *chain)
{
	return BROKEN(chain, chain->number + 1, "what comes after row %" PRId64 " cannot be read",
		      chain->number);
}
