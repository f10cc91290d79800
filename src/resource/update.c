/* PUT /resources/{id} -- change what was sent, and nothing else. */
#include "http/req.h"
#include "resource/queries.h"

/* The row as changed, with its event. */
static enum rc store(struct req *rq, struct resource *row)
{
	struct outbox_row event;
	struct script script;
	struct step *update;
	enum rc rc = resource_event(&rq->cx, row, STREAM_TENANTS, "resource.changed", &event);

	if (rc != RC_OK)
		return rc;
	row->updated_at = event.created_at;
	row->change_id = event.change_id;
	resource_script(&script, &rq->cx, &row->tenant_id, &row->category_id, 2);
	update = script_add(&script, &q_resource_update_query, row);
	outbox_add(&script, &q_resource_event_query, &event);
	rc = db_write(&script);
	if (rc != RC_OK)
		return rc;
	if (update->rows.count == 0)
		return req_changed_meanwhile(rq);
	row->version++;
	return RC_OK;
}

/* A category may ask for more than when a resource was written: that is told when either is next sent. */
static enum rc merge(struct req *rq, struct resource *row)
{
	const struct resource_new *change = BODY(rq, resource_new);
	bool moved = HAS(change, resource_new, category_id);
	enum rc rc = RC_OK;

	SHAPE_COPY(resource, row, resource_new, change, COPY_SENT);
	if (moved)
		rc = resource_classify(rq, row);
	if (rc == RC_OK && (moved || HAS(change, resource_new, attributes)))
		rc = attributes_check(rq, row);
	return rc == RC_OK ? resource_derive(rq, row) : rc;
}

enum rc resource_update(struct req *rq)
{
	struct resource *row;
	enum rc rc = resource_find(rq, &row);

	if (rc == RC_OK)
		rc = req_if_match(rq, row->version);
	if (rc == RC_OK)
		rc = merge(rq, row);
	if (rc == RC_OK)
		rc = store(rq, row);
	if (rc == RC_OK)
		rc = req_etag(rq, row->version);
	return rc == RC_OK ? REPLY(rq, 200, resource, row) : rc;
}
