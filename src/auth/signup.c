/* POST /auth/signup -- a person registers himself, where the tenant's settings say that he may. */
#include "auth/password.h"
#include "tenant/client.h"
#include "user/local.h"
#include "user/queries.h"
#include "user/user.h"

static enum rc find_tenant(struct req *rq, const struct signup *in, struct uuid *ret)
{
	struct tenant_rules tenant;
	enum rc rc;

	if (uuid_is_none(&in->tenant_id) && in->domain == NULL)
		return req_invalid(rq, "tenant_id", ISSUE_MISSING);
	rc = login_tenant(&rq->cx, &in->tenant_id, in->domain, ret);
	if (rc == RC_OK)
		rc = tenant_rules(&rq->cx, ret, &tenant);
	if (rc == RC_OK && !(tenant.is_active && tenant.self_signup))
		rc = RC_SIGNUP_CLOSED;
	return rc;
}

/* Whatever was sent: somebody who may book, and nothing else. */
static enum rc store(struct req *rq, struct user *row)
{
	struct script script;
	enum rc rc = user_derive(&rq->cx, row);

	if (rc != RC_OK)
		return rc;
	script_init(&script, &rq->cx, ROOM_user, &row->tenant_id, &row->id);
	script_add(&script, &q_user_insert_query, row);
	rc = db_write(&script);
	return rc == RC_STORE_CONSTRAINT ? RC_EMAIL_TAKEN : rc;
}

enum rc auth_signup(struct req *rq)
{
	const struct signup *in = BODY(rq, signup);
	const struct user_local *local = rq->cx.locals[ROOM_user];
	struct user row = {
		.id = uuid_v7(rq->cx.world, rq->cx.now),
		.name = in->name,
		.email = in->email,
		.phone = in->phone,
		.user_type = user_type_user,
		.is_active = true,
		.permissions = {.can_book = true},
		.address_unproved = true,
		.version = 1,
		.created_at = rq->cx.now,
		.updated_at = rq->cx.now,
	};
	enum rc rc = find_tenant(rq, in, &row.tenant_id);

	if (rc == RC_OK)
		rc = password_hash(local->shared->passwords, rq->cx.arena, in->password, &row.password_hash);
	if (rc == RC_OK)
		rc = store(rq, &row);
	if (rc == RC_OK)
		rc = req_location(rq, "users", &row.id);
	return rc == RC_OK ? REPLY(rq, 201, user, &row) : rc;
}
