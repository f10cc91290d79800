/* See chain_fixture.h: what may be done to a trail by somebody who can write its store. */
#include "audit/chain_fixture.h"

#define LAST_ROWS 5 /* taken off an end at most */

/* One byte another, one more, or one fewer. */
static const char *another_text(const char *text)
{
	size_t len = strlen(text), at = below(len);
	char *other = arena_printf(&arena, "%s%c", text, "0a} "[below(4)]);
	size_t kind = below(3);

	if (kind == 0)
		return other;
	other[len] = '\0';
	if (kind == 1)
		other[at] = other[at] == 'a' ? 'b' : 'a';
	else
		memmove(other + at, other + at + 1, len - at);
	return other;
}

static struct uuid another_id(struct uuid id)
{
	id.b[below(sizeof(id.b))] ^= (uint8_t)(1u << below(8));
	return id;
}

static int64_t another_number(int64_t number)
{
	return below(2) == 0 ? number ^ (INT64_C(1) << below(63)) : number + (below(2) == 0 ? 1 : -1);
}

/* What no place in the chain hangs on. */
static void edit_content(struct audit_event *row)
{
	switch (below(11)) {
	case 0:
		row->event_id = another_id(row->event_id);
		break;
	case 1:
		row->stream = another_text(row->stream);
		break;
	case 2:
		row->sequence = another_number(row->sequence);
		break;
	case 3:
		row->type = another_text(row->type);
		break;
	case 4:
		row->subject_id = another_id(row->subject_id);
		break;
	case 5:
		row->version = another_number(row->version);
		break;
	case 6:
		row->ordinal = another_number(row->ordinal);
		break;
	case 7:
		row->occurred_at = another_number(row->occurred_at);
		break;
	case 8:
		row->trace_id = another_text(row->trace_id);
		break;
	case 9:
		row->payload = another_text(row->payload);
		break;
	default:
		row->recorded_at = another_number(row->recorded_at);
		break;
	}
}

static struct audit_event *a_row(struct trail *trail)
{
	return &trail->rows[below(trail->count)];
}

static int64_t edit(struct trail *trail)
{
	struct audit_event *row = a_row(trail);

	switch (below(6)) {
	case 0:
		row->hash = another_text(row->hash);
		return row->number;
	case 1:
		row->payload_hash = another_text(row->payload_hash);
		return row->number;
	default:
		edit_content(row);
		return row->number;
	}
}

/* To another number, or another tenant: one that there is, or none. */
static int64_t move(struct trail *trail)
{
	struct audit_event *row = a_row(trail);

	switch (below(3)) {
	case 0:
		row->number = another_number(row->number);
		break;
	case 1:
		row->tenant_id = another_id(row->tenant_id);
		break;
	default:
		row->tenant_id = uuid_equal(&row->tenant_id, &tenants[0]) ? tenants[1] : tenants[0];
		break;
	}
	return 0;
}

static int64_t delete_some(struct trail *trail)
{
	for (size_t left = 1 + below(4); left > 0; left--)
		take_out(trail, a_row(trail));
	return 0;
}

static int64_t delete_one(struct trail *trail)
{
	struct audit_event *row = a_row(trail);
	const struct audit_head *head = head_of(trail, &row->tenant_id);
	int64_t number = row->number;

	take_out(trail, row);
	return number < head->number ? number : number - 1; /* the last one lacks where the chain ends */
}

/* And those after it move up, so that there is no gap. */
static int64_t delete_and_close(struct trail *trail)
{
	struct audit_event gone = *a_row(trail);

	take_out(trail, row_of(trail, &gone.tenant_id, gone.number));
	for (size_t i = 0; i < trail->count; i++) {
		struct audit_event *row = &trail->rows[i];

		row->number -= row->number > gone.number && uuid_equal(&row->tenant_id, &gone.tenant_id);
	}
	return 0;
}

static int64_t swap(struct trail *trail)
{
	struct audit_event *a = a_row(trail), *b = a_row(trail), whole;
	int64_t number;

	while (a->number == b->number)
		b = a_row(trail);
	if (below(2) == 0) { /* the numbers alone: within a tenant, the rows change places */
		number = a->number;
		a->number = b->number;
		b->number = number;
		return 0;
	}
	whole = *a; /* what they say, but not where they stand */
	*a = *b;
	a->tenant_id = whole.tenant_id;
	a->number = whole.number;
	whole.tenant_id = b->tenant_id;
	whole.number = b->number;
	*b = whole;
	return 0;
}

static int64_t swap_payloads(struct trail *trail)
{
	struct audit_event *a = a_row(trail), *b = a_row(trail);
	const char *payload = a->payload, *hash = a->payload_hash;

	while (a == b)
		b = a_row(trail);
	a->payload = b->payload;
	a->payload_hash = b->payload_hash;
	b->payload = payload;
	b->payload_hash = hash;
	return 0;
}

static int64_t truncate_end(struct trail *trail)
{
	const struct audit_head *head = &trail->heads[below(TENANTS)];
	int64_t rows = 1 + (int64_t)below(LAST_ROWS);

	for (int64_t i = 0; i < rows; i++)
		take_out(trail, row_of(trail, &head->tenant_id, head->number - i));
	return head->number - rows;
}

/* A whole tenant, but for its head. */
static int64_t delete_chain(struct trail *trail)
{
	const struct uuid tenant = tenants[below(TENANTS)];

	for (size_t i = trail->count; i > 0; i--)
		if (uuid_equal(&trail->rows[i - 1].tenant_id, &tenant))
			take_out(trail, &trail->rows[i - 1]);
	return 0;
}

/* In between (those after it move down), or at the end; hashed as it should be, or not. */
static int64_t insert(struct trail *trail)
{
	const struct audit_head *head = &trail->heads[below(TENANTS)];
	struct audit_head before = {head->tenant_id, (int64_t)below((size_t)head->number + 1), NULL};
	struct chain_hash start = chain_start(&head->tenant_id);
	struct audit_event forged = an_event(&arena, &before);

	before.hash = before.number == 0 ? start.text : row_of(trail, &head->tenant_id, before.number)->hash;
	hash_row(&arena, &forged, before.hash);
	for (size_t i = 0; i < trail->count; i++) {
		struct audit_event *row = &trail->rows[i];

		row->number += row->number >= forged.number && uuid_equal(&row->tenant_id, &head->tenant_id);
	}
	if (below(2) == 0)
		forged.hash = another_text(forged.hash);
	trail->rows[trail->count++] = forged;
	return 0;
}

/* The same row once more, under the number of another or beyond the end. */
static int64_t repeat(struct trail *trail)
{
	struct audit_event row = *a_row(trail);

	row.number = 1 + (int64_t)below(EVENTS);
	trail->rows[trail->count++] = row;
	return 0;
}

/* Edited, and made good by itself: what comes after it does not follow. */
static int64_t hash_again(struct trail *trail)
{
	struct audit_event *row = a_row(trail);
	const struct audit_head *head = head_of(trail, &row->tenant_id);
	struct chain_hash start = chain_start(&row->tenant_id);
	const char *before =
		row->number == 1 ? start.text : row_of(trail, &row->tenant_id, row->number - 1)->hash;

	edit_content(row);
	hash_row(&arena, row, before);
	return row->number < head->number ? row->number + 1 : row->number;
}

static int64_t edit_head(struct trail *trail)
{
	struct audit_head *head = &trail->heads[below(trail->head_count)];
	int64_t number = head->number;

	switch (below(4)) {
	case 0:
		head->number = another_number(head->number);
		break;
	case 1:
		head->hash = another_text(head->hash);
		break;
	case 2:
		head->tenant_id = another_id(head->tenant_id);
		return 0;
	default:
		*head = trail->heads[--trail->head_count];
		break;
	}
	return number;
}

static int64_t forge_head(struct trail *trail)
{
	struct audit_head *head = &trail->heads[below(trail->head_count)];

	*head = (struct audit_head){an_id(), 1 + (int64_t)below(9), head->hash};
	return 0;
}

const struct mutation mutations[] = {
	{"edit", edit},
	{"move", move},
	{"delete some", delete_some},
	{"delete one", delete_one},
	{"delete and close", delete_and_close},
	{"swap", swap},
	{"swap payloads", swap_payloads},
	{"truncate", truncate_end},
	{"delete a chain", delete_chain},
	{"insert", insert},
	{"repeat", repeat},
	{"hash again", hash_again},
	{"edit a head", edit_head},
	{"forge a head", forge_head},
};
const size_t mutation_count = ARRAY_LEN(mutations);
