/* POST /users/ -- register a person of a tenant. */
#include "http/req.h"
#include "tenant/client.h"
#include "user/permit.h"
#include "user/queries.h"

enum rc user_create(struct req *rq)
{
	const struct user_new *in = BODY(rq, user_new);
	struct user row = {
		.id = uuid_v7(rq->cx.world, rq->cx.now),
		.version = 1,
		.created_at = rq->cx.now,
		.updated_at = rq->cx.now,
	};
	struct tenant_rules tenant;
	struct script script;
	enum rc rc;

	SHAPE_COPY(user, &row, user_new, in, COPY_ALL);
	rc = permit_user_managed(&rq->cx.principal, &row);
	if (rc == RC_OK)
		rc = req_tenant(rq, &in->tenant_id, &row.tenant_id);
	if (rc == RC_OK)
		rc = tenant_rules(&rq->cx, &row.tenant_id, &tenant);
	if (rc != RC_OK)
		return rc;
	rc = user_derive(&rq->cx, &row);
	if (rc == RC_OK)
		rc = user_set_password(rq, &row, in);
	if (rc != RC_OK)
		return rc;

	script_init(&script, &rq->cx, ROOM_user, &row.tenant_id, &row.id);
	script_add(&script, &q_user_insert_query, &row);
	rc = db_write(&script);
	if (rc == RC_STORE_CONSTRAINT)
		return RC_EMAIL_TAKEN;
	if (rc == RC_OK)
		rc = req_location(rq, "users", &row.id);
	if (rc == RC_OK)
		rc = req_etag(rq, row.version);
	return rc == RC_OK ? REPLY(rq, 201, user, &row) : rc;
}
