/* POST /tenants/ -- register an organisation, with its rules of booking. */
#include "base/log.h"
#include "http/req.h"
#include "tenant/queries.h"

static enum rc store(struct req *rq, struct tenant *row)
{
	struct script script;
	enum rc rc;

	script_init(&script, &rq->cx, ROOM_tenant, &row->id, &row->id);
	script_add(&script, &q_tenant_insert_query, row);
	if (row->settings.has != 0)
		script_add(&script, &q_settings_put_query, row);
	rc = db_write(&script);
	return rc == RC_STORE_CONSTRAINT ? RC_DOMAIN_TAKEN : rc;
}

/*
 * Two stores, and no commit over both. The admin comes first: without his tenant he is nobody, whereas a
 * tenant without him would be half a thing. He is taken back where it is certain that the tenant did not come
 * about; where that is not known (the store went down in the midst of it), he stays, as unreachable as
 * before.
 */
static enum rc store_with_admin(struct req *rq, struct tenant *row, const struct tenant_admin *sent)
{
	const struct new_admin admin = {.name = sent->name, .email = sent->email, .password = sent->password};
	struct uuid id;
	enum rc rc = user_add_admin(&rq->cx, &row->id, &admin, &id);

	if (rc != RC_OK)
		return rc;
	rc = store(rq, row);
	if ((rc == RC_DOMAIN_TAKEN || rc == RC_OVERLOADED) && user_take_back(&rq->cx, &row->id, &id) != RC_OK)
		LOG(WARN,
		    "the admin of a tenant that was refused stays in the store; nobody can log in as him");
	return rc;
}

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
	enum rc rc;

	SHAPE_COPY(tenant, &row, tenant_new, in, COPY_ALL);
	row.settings.has = 0;
	rc = tenant_derive(rq, &row);
	if (rc == RC_OK && HAS(in, tenant_new, settings))
		rc = settings_merge(rq, &row, &in->settings, &settings_loc);
	if (rc != RC_OK)
		return rc;

	if (HAS(in, tenant_new, admin))
		rc = store_with_admin(rq, &row, &in->admin);
	else
		rc = store(rq, &row);
	if (rc == RC_OK)
		rc = req_location(rq, "tenants", &row.id);
	if (rc == RC_OK)
		rc = req_etag(rq, row.version);
	return rc == RC_OK ? REPLY(rq, 201, tenant, &row) : rc;
}
