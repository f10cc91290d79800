/*
 * PUT /auth/providers/{id} -- change what was sent, and nothing else. Its issuer stays: the secret that was
 * given for one would be told to another.
 */
#include "auth/provider.h"

#include "user/queries.h"

static enum rc store(struct req *rq, struct provider *row)
{
	struct outbox_row event;
	struct script script;
	struct step *update;
	enum rc rc = provider_event(&rq->cx, row, "provider.changed", &event);

	if (rc != RC_OK)
		return rc;
	row->updated_at = event.created_at;
	row->change_id = event.change_id;
	script_init(&script, &rq->cx, ROOM_user, &row->tenant_id, &row->id);
	update = script_add(&script, &q_provider_update_query, row);
	outbox_add(&script, &q_provider_event_query, &event);
	rc = db_write(&script);
	if (rc != RC_OK)
		return rc;
	if (update->rows.count == 0)
		return req_changed_meanwhile(rq);
	row->version++;
	return RC_OK;
}

enum rc provider_update(struct req *rq)
{
	const struct provider_new *change = BODY(rq, provider_new);
	struct provider *row;
	enum rc rc = provider_find(rq, &row);

	if (rc == RC_OK)
		rc = req_if_match(rq, row->version);
	if (rc != RC_OK)
		return rc;
	SHAPE_COPY(provider, row, provider_new, change, COPY_SENT);
	if (HAS(change, provider_new, client_secret))
		rc = provider_seal_secret(rq, row);
	if (rc == RC_OK)
		rc = store(rq, row);
	if (rc == RC_OK)
		rc = provider_derive(rq, row);
	if (rc == RC_OK)
		rc = req_etag(rq, row->version);
	return rc == RC_OK ? REPLY(rq, 200, provider, row) : rc;
}
