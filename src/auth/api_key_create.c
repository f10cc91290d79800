/* POST /auth/api-keys -- the one time that a key is told. */
#include "auth/api_key.h"

#include "auth/auth.h"
#include "auth/secret.h"
#include "user/queries.h"

static enum rc store(struct req *rq, struct api_key *row)
{
	struct outbox_row event;
	struct script script;
	enum rc rc = api_key_event(&rq->cx, row, "api_key.created", &event);

	if (rc != RC_OK)
		return rc;
	row->change_id = event.change_id;
	script_init(&script, &rq->cx, ROOM_user, &row->tenant_id, &row->id);
	script_add(&script, &q_api_key_insert_query, row);
	outbox_add(&script, &q_api_key_event_query, &event);
	return db_write(&script);
}

enum rc api_key_create(struct req *rq)
{
	const struct api_key_new *in = BODY(rq, api_key_new);
	struct api_key row = {
		.id = uuid_v7(rq->cx.world, rq->cx.now),
		.created_by = rq->cx.principal.user_id,
		.created_at = rq->cx.now,
		.last_used_at = UTIME_NONE,
	};
	struct api_key_made made = {0};
	struct secret secret;
	enum rc rc;

	if (in->expires_at != UTIME_NONE && in->expires_at <= rq->cx.now)
		return req_invalid(rq, "expires_at", ISSUE_PAST);
	SHAPE_COPY(api_key, &row, api_key_new, in, COPY_ALL);
	rc = auth_named_tenant(rq, &in->tenant_id, &row.tenant_id);
	if (rc == RC_OK)
		rc = secret_make(rq->cx.world, rq->cx.arena, SECRET_API_KEY, &row.id, &row.tenant_id,
				 &made.key, &secret);
	row.hash = secret.hash;
	if (rc == RC_OK)
		rc = store(rq, &row);
	if (rc != RC_OK)
		return rc;
	row.prefix = api_key_prefix(rq->cx.arena, &row.id);
	if (row.prefix == NULL)
		return RC_NO_MEMORY;
	SHAPE_COPY(api_key_made, &made, api_key, &row, COPY_ALL);
	req_header(rq, "Cache-Control", "no-store");
	return REPLY(rq, 201, api_key_made, &made);
}
