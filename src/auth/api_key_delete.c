/* DELETE /auth/api-keys/{id} -- from its commit on, nobody calls by it. */
#include "auth/api_key.h"

#include "user/queries.h"

/* The operator's are any tenant's. */
static enum rc tenant_of(struct req *rq, struct uuid *ret)
{
	const struct q_api_key_tenant_of_in in = {.id = rq->id};
	struct q_api_key_tenant_of_out *row;
	enum rc rc;

	if (req_own_tenant(rq, ret))
		return RC_OK;
	rc = q_api_key_tenant_of(&rq->cx, &in, &row);
	if (rc != RC_OK)
		return rc;
	if (row == NULL)
		return RC_KEY_UNKNOWN;
	*ret = row->tenant_id;
	return RC_OK;
}

enum rc api_key_delete(struct req *rq)
{
	struct api_key row = {.id = rq->id, .created_at = UTIME_NONE};
	struct outbox_row event;
	struct script script;
	struct step *revocation;
	enum rc rc = tenant_of(rq, &row.tenant_id);

	if (rc == RC_OK)
		rc = api_key_event(&rq->cx, &row, "api_key.revoked", &event);
	if (rc != RC_OK)
		return rc;
	script_init(&script, &rq->cx, ROOM_user, &row.tenant_id, &row.id);
	revocation = SCRIPT_ADD(&script, api_key_revoke, .tenant_id = row.tenant_id, .id = row.id,
				.revoked_at = event.created_at, .change_id = event.change_id);
	outbox_add(&script, &q_api_key_event_query, &event);
	rc = db_write(&script);
	if (rc != RC_OK)
		return rc;
	return revocation->rows.count > 0 ? req_reply_empty(rq, 204) : RC_KEY_UNKNOWN;
}
