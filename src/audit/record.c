/*
 * The audit's consumer group: each event becomes the next row of its tenant's chain. A script takes many
 * events, so where each chain ends is read once a script and then kept here.
 */
#include "audit/chain.h"
#include "audit/queries.h"
#include "events/consumer.h"

/*
 * The framework forgets in time which events a group has had, but never within an hour. One that is older
 * may come again after that, when an operator has a stream read anew: so it is looked for in the trail
 * itself.
 */
#define MAY_BE_FORGOTTEN UTIME_HOUR

/* Where a chain ends once the script has run so far. */
struct tip {
	struct tip *next;
	struct audit_head head;
	bool moved;
};

struct tips {
	struct tip *first;
};

static enum rc tip_add(struct delivery *delivery, const struct uuid *tenant, const struct rows *found)
{
	const struct chain_hash start = chain_start(tenant);
	struct arena *arena = delivery->cx->arena;
	struct tips *tips = delivery->state;
	struct tip *tip = arena_alloc(arena, sizeof(*tip));

	if (tip == NULL)
		return RC_NO_MEMORY;
	*tip = (struct tip){.next = tips->first};
	if (found->count > 0)
		tip->head = *(const struct audit_head *)found->items;
	else
		tip->head = (struct audit_head){
			.tenant_id = *tenant,
			.hash = arena_copy(arena, start.text, sizeof(start.text)),
		};
	tips->first = tip;
	return tip->head.hash != NULL ? RC_OK : RC_NO_MEMORY;
}

/* Of all tenants that have events in the script. */
static enum rc tips_read(struct delivery *delivery, const void **ins, struct rows *found, size_t count)
{
	enum rc rc = db_read_each(delivery->cx, &q_audit_head_read_query, ins, count, found);

	for (size_t i = 0; rc == RC_OK && i < count; i++)
		rc = tip_add(delivery, &((const struct q_audit_head_read_in *)ins[i])->tenant_id, &found[i]);
	return rc;
}

enum rc audit_begin(struct delivery *delivery, const struct event *const *events, size_t count)
{
	struct arena *arena = delivery->cx->arena;
	const void **ins = arena_array(arena, count, sizeof(*ins));
	struct rows *found = arena_array(arena, count, sizeof(*found));
	size_t tenants = 0;

	delivery->state = arena_alloc(arena, sizeof(struct tips));
	if (delivery->state == NULL || ins == NULL || found == NULL)
		return RC_NO_MEMORY;
	*(struct tips *)delivery->state = (struct tips){NULL};
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && uuid_equal(&events[i]->tenant_id, &events[i - 1]->tenant_id))
			continue;
		ins[tenants] = arena_copy(arena, &events[i]->tenant_id, sizeof(events[i]->tenant_id));
		if (ins[tenants++] == NULL)
			return RC_NO_MEMORY;
	}
	return tips_read(delivery, ins, found, tenants);
}

/* NULL: an event that audit_begin() was not told of. */
static struct tip *tip_of(const struct delivery *delivery, const struct uuid *tenant)
{
	const struct tips *tips = delivery->state;
	struct tip *tip = tips->first;

	while (tip != NULL && !uuid_equal(&tip->head.tenant_id, tenant))
		tip = tip->next;
	return tip;
}

static enum rc is_known(struct ctx *cx, const struct event *event, bool *ret)
{
	const struct q_audit_event_find_in in = {.tenant_id = event->tenant_id, .event_id = event->id};
	struct q_audit_event_find_out *row = NULL;
	enum rc rc = RC_OK;

	if (event->occurred_at < cx->now - MAY_BE_FORGOTTEN)
		rc = q_audit_event_find(cx, &in, &row);
	*ret = row != NULL;
	return rc;
}

/* The row that comes after that head. */
static enum rc row_after(struct ctx *cx, const struct audit_head *head, const struct event *event,
			 struct audit_event *ret)
{
	const struct chain_hash payload = chain_payload_hash(event->payload);
	struct chain_hash hash;

	*ret = (struct audit_event){
		.tenant_id = event->tenant_id,
		.number = head->number + 1,
		.event_id = event->id,
		.stream = event->stream,
		.sequence = event->sequence,
		.type = event->type,
		.subject_id = event->subject_id,
		.version = event->version,
		.ordinal = event->ordinal,
		.occurred_at = event->occurred_at,
		.trace_id = event->trace_id,
		.payload = event->payload,
		.recorded_at = cx->now,
		.erased_at = UTIME_NONE,
		.payload_hash = arena_copy(cx->arena, payload.text, sizeof(payload.text)),
	};
	if (ret->payload_hash == NULL)
		return RC_NO_MEMORY;
	hash = chain_row_hash(head->hash, ret);
	ret->hash = arena_copy(cx->arena, hash.text, sizeof(hash.text));
	return ret->hash != NULL ? RC_OK : RC_NO_MEMORY;
}

enum rc audit_record(struct delivery *delivery, const struct event *event)
{
	struct audit_event row;
	struct tip *tip = tip_of(delivery, &event->tenant_id);
	bool known;
	enum rc rc = is_known(delivery->cx, event, &known);

	if (rc != RC_OK || known)
		return rc;
	rc = tip != NULL ? RC_OK : RC_INTERNAL;
	if (rc == RC_OK)
		rc = row_after(delivery->cx, &tip->head, event, &row);
	if (rc != RC_OK)
		return rc;
	tip->head.number = row.number;
	tip->head.hash = row.hash;
	tip->moved = true;
	script_add(delivery->script, &q_audit_event_insert_query, &row);
	if (strcmp(event->type, "booking.erased") == 0)
		SCRIPT_ADD(delivery->script, audit_erase, .tenant_id = event->tenant_id,
			   .subject_id = event->subject_id, .payload = AUDIT_ERASED,
			   .erased_at = delivery->cx->now);
	return RC_OK;
}

enum rc audit_finish(struct delivery *delivery)
{
	const struct tips *tips = delivery->state;

	for (const struct tip *tip = tips->first; tip != NULL; tip = tip->next) {
		if (tip->moved)
			script_add(delivery->script, &q_audit_head_set_query, &tip->head);
	}
	return RC_OK;
}
