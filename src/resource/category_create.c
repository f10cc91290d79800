/* POST /categories/ */
#include "http/req.h"
#include "resource/queries.h"
#include "tenant/client.h"

enum rc category_create(struct req *rq)
{
	const struct category_new *in = BODY(rq, category_new);
	struct category row = {
		.id = uuid_v7(rq->cx.world, rq->cx.now),
		.version = 1,
		.created_at = rq->cx.now,
		.updated_at = rq->cx.now,
	};
	struct tenant_rules tenant;
	struct script script;
	enum rc rc;

	SHAPE_COPY(category, &row, category_new, in, COPY_ALL);
	rc = req_tenant(rq, &in->tenant_id, &row.tenant_id);
	if (rc == RC_OK)
		rc = tenant_rules(&rq->cx, &row.tenant_id, &tenant);
	if (rc != RC_OK)
		return rc;
	rc = category_derive(rq, &row);
	if (rc != RC_OK)
		return rc;

	script_init(&script, &rq->cx, ROOM_resource, &row.tenant_id, &row.id);
	script_add(&script, &q_category_insert_query, &row);
	rc = db_write(&script);
	if (rc == RC_OK)
		rc = req_location(rq, "categories", &row.id);
	if (rc == RC_OK)
		rc = req_etag(rq, row.version);
	return rc == RC_OK ? REPLY(rq, 201, category, &row) : rc;
}
