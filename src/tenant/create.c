/* POST /tenants/ -- register an organisation, with its rules of booking. */
#include "http/req.h"
#include "tenant/queries.h"

enum rc tenant_create(struct req *rq)
{
	const struct tenant_new *in = BODY(rq, tenant_new);
	struct tenant row = {
		.id = uuid_v7(rq->cx.world, rq->cx.now),
		.version = 1,
		.created_at = rq->cx.now,
		.updated_at = rq->cx.now,
		.change_id = uuid_v7(rq->cx.world, rq->cx.now),
	};
	struct script script;
	enum rc rc;

	SHAPE_COPY(tenant, &row, tenant_new, in, COPY_ALL);
	row.settings.has = 0;
	rc = tenant_derive(rq, &row);
	if (rc == RC_OK && HAS(in, tenant_new, settings))
		rc = settings_merge(rq, &row, &in->settings, &settings_loc);
	if (rc != RC_OK)
		return rc;

	script_init(&script, &rq->cx, ROOM_tenant, &row.id, &row.id);
	script_add(&script, &q_tenant_insert_query, &row);
	if (row.settings.has != 0)
		script_add(&script, &q_settings_put_query, &row);
	rc = db_write(&script);
	if (rc == RC_STORE_CONSTRAINT)
		return RC_DOMAIN_TAKEN;
	if (rc == RC_OK)
		rc = req_location(rq, "tenants", &row.id);
	if (rc == RC_OK)
		rc = req_etag(rq, row.version);
	return rc == RC_OK ? REPLY(rq, 201, tenant, &row) : rc;
}
