/* What the handlers of resources share: shapes, what is derived before a row is written, how one is read. */
#include "resource/resource.h"

#include "base/fold.h"
#include "events/payloads.h"
#include "http/req.h"
#include "resource/local.h"
#include "resource/queries.h"
#include "resource/schedule.h"

/* clang-format off */
ENUM_DEFINE(resource_status, RESOURCE_STATUS);
SHAPE_DEFINE(resource_new, RESOURCE_NEW, .doc = "What can be booked, as registered.");
SHAPE_DEFINE(resource, RESOURCE, .doc = "What can be booked: a thing, a place or a person.");
SHAPE_DEFINE(resource_filter, RESOURCE_FILTER);
SHAPE_DEFINE(availability_query, AVAILABILITY_QUERY);
SHAPE_DEFINE(slot, SLOT, .doc = "A period that can be booked.");
SHAPE_DEFINE(availability, AVAILABILITY, .doc = "What a resource offers on one local day.");
/* clang-format on */

enum rc resource_tenant(struct req *rq, struct uuid *ret)
{
	return req_own_tenant(rq, ret) ? RC_OK : resource_tenant_of(&rq->cx, &rq->id, ret);
}

enum rc resource_find(struct req *rq, struct resource **ret)
{
	struct q_resource_by_id_in in = {.id = rq->id};
	struct resource *row;
	enum rc rc = resource_tenant(rq, &in.tenant_id);

	if (rc == RC_OK)
		rc = q_resource_by_id(&rq->cx, &in, &row);
	if (rc != RC_OK)
		return rc;
	if (row == NULL)
		return RC_RESOURCE_UNKNOWN;
	*ret = row;
	return RC_OK;
}

enum rc resource_classify(struct req *rq, struct resource *row)
{
	struct category *category;
	enum rc rc = category_read(rq, &row->tenant_id, &row->category_id, &category);

	if (rc == RC_OK)
		row->category = *category;
	return rc;
}

enum rc resource_derive(struct req *rq, struct resource *row)
{
	row->search_name = fold_text(rq->cx.arena, row->name);
	return row->search_name != NULL ? RC_OK : RC_NO_MEMORY;
}

enum rc resource_event(struct ctx *cx, const struct resource *row, const char *stream, const char *type,
		       struct outbox_row *ret)
{
	const struct resource_ids payload = {.resource_id = row->id, .tenant_id = row->tenant_id};

	*ret = outbox_row(cx, stream, type, &row->tenant_id, &row->id);
	ret->created_at = outbox_time(cx, row->updated_at);
	return outbox_payload(ret, cx->arena, &resource_ids_shape, &payload) ? RC_OK : RC_NO_MEMORY;
}

void resource_script(struct script *script, struct ctx *cx, const struct uuid *tenant,
		     const struct uuid *category, size_t steps)
{
	script_init(script, cx, ROOM_resource, tenant, category);
	script_reserve(script, 1 + steps);
	script->also = *tenant;
	SCRIPT_ADD(script, category_touch, .tenant_id = *tenant, .id = *category);
}

struct step *resource_add_removal(struct script *script, const struct resource *row,
				  const struct outbox_row *event)
{
	struct step *removal = SCRIPT_ADD(script, resource_remove, .tenant_id = row->tenant_id, .id = row->id,
					  .version = row->version, .deleted_at = event->created_at,
					  .change_id = event->change_id);

	outbox_add(script, &q_resource_event_query, event);
	return removal;
}
