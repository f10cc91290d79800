/* POST /resources/ */
#include "http/req.h"
#include "resource/queries.h"
#include "tenant/client.h"

static enum rc store(struct req *rq, const struct resource *row)
{
	struct script script;
	struct step *insert;
	enum rc rc;

	resource_script(&script, &rq->cx, &row->tenant_id, &row->category_id, 1);
	insert = script_add(&script, &q_resource_insert_query, row);
	rc = db_write(&script);
	if (rc != RC_OK)
		return rc;
	/* No row: the category was changed or deleted since it was read. */
	return insert->rows.count > 0 ? RC_OK : RC_CHANGED_MEANWHILE;
}

enum rc resource_create(struct req *rq)
{
	const struct resource_new *in = BODY(rq, resource_new);
	struct resource row = {
		.id = uuid_v7(rq->cx.world, rq->cx.now),
		.version = 1,
		.created_at = rq->cx.now,
		.updated_at = rq->cx.now,
	};
	struct tenant_rules tenant;
	enum rc rc;

	SHAPE_COPY(resource, &row, resource_new, in, COPY_ALL);
	rc = req_tenant(rq, &in->tenant_id, &row.tenant_id);
	if (rc == RC_OK)
		rc = tenant_rules(&rq->cx, &row.tenant_id, &tenant);
	if (rc != RC_OK)
		return rc;
	rc = resource_classify(rq, &row);
	if (rc == RC_OK)
		rc = attributes_check(rq, &row);
	if (rc == RC_OK)
		rc = resource_derive(rq, &row);
	if (rc == RC_OK)
		rc = store(rq, &row);
	if (rc == RC_OK)
		rc = req_location(rq, "resources", &row.id);
	if (rc == RC_OK)
		rc = req_etag(rq, row.version);
	return rc == RC_OK ? REPLY(rq, 201, resource, &row) : rc;
}
