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
};

struct tips {
	struct tip *first;
};

enum rc audit_begin(struct delivery *delivery)
{
	delivery->state = arena_alloc(delivery->cx->arena, sizeof(struct tips));
	return delivery->state != NULL ? RC_OK : RC_NO_MEMORY;
}

static enum rc tip_read(struct ctx *cx, struct tips *tips, const struct uuid *tenant, struct tip **ret)
{
	const struct q_audit_head_read_in in = {.tenant_id = *tenant};
	const struct chain_hash start = chain_start(tenant);
	struct tip *tip = arena_alloc(cx->arena, sizeof(*tip));
	struct audit_head *head;
	enum rc rc = q_audit_head_read(cx, &in, &head);

	if (rc != RC_OK || tip == NULL)
		return rc != RC_OK ? rc : RC_NO_MEMORY;
	if (head != NULL)
		tip->head = *head;
	else
		tip->head = (struct audit_head){
			.tenant_id = *tenant,
			.hash = arena_copy(cx->arena, start.text, sizeof(start.text)),
		};
	tip->next = tips->first;
	tips->first = tip;
	*ret = tip;
	return tip->head.hash != NULL ? RC_OK : RC_NO_MEMORY;
}

static enum rc tip_of(struct delivery *delivery, const struct uuid *tenant, struct tip **ret)
{
	struct tips *tips = delivery->state;

	for (struct tip *tip = tips->first; tip != NULL; tip = tip->next) {
		if (uuid_equal(&tip->head.tenant_id, tenant)) {
			*ret = tip;
			return RC_OK;
		}
	}
	return tip_read(delivery->cx, tips, tenant, ret);
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
	struct tip *tip;
	bool known;
	enum rc rc = is_known(delivery->cx, event, &known);

	if (rc != RC_OK || known)
		return rc;
	rc = tip_of(delivery, &event->tenant_id, &tip);
	if (rc == RC_OK)
		rc = row_after(delivery->cx, &tip->head, event, &row);
	if (rc != RC_OK)
		return rc;
	tip->head.number = row.number;
	tip->head.hash = row.hash;
	script_add(delivery->script, &q_audit_event_insert_query, &row);
	script_add(delivery->script, &q_audit_head_set_query, &tip->head);
	if (strcmp(event->type, "booking.erased") == 0)
		SCRIPT_ADD(delivery->script, audit_erase, .tenant_id = event->tenant_id,
			   .subject_id = event->subject_id, .payload = AUDIT_ERASED,
			   .erased_at = delivery->cx->now);
	return RC_OK;
}
