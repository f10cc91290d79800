/* POST /auth/providers -- a tenant brings its own identity provider. Nobody is asked yet: the first login
 * does. */
#include "auth/provider.h"

#include "auth/auth.h"
#include "http/client.h"
#include "user/local.h"
#include "user/queries.h"

/* An address that may be asked, and to which a path can be added (OpenID Connect Discovery 1.0, 3). */
static bool issuer_good(const struct req *rq, const char *issuer)
{
	const struct user_local *local = rq->cx.locals[ROOM_user];

	return strchr(issuer, '?') == NULL && http_client_takes(local->shared->http, issuer);
}

static enum rc store(struct req *rq, struct provider *row)
{
	struct outbox_row event;
	struct script script;
	enum rc rc = provider_event(&rq->cx, row, "provider.changed", &event);

	if (rc != RC_OK)
		return rc;
	row->change_id = event.change_id;
	row->created_at = row->updated_at = event.created_at;
	script_init(&script, &rq->cx, ROOM_user, &row->tenant_id, &row->id);
	script_add(&script, &q_provider_insert_query, row);
	outbox_add(&script, &q_provider_event_query, &event);
	return db_write(&script);
}

enum rc provider_create(struct req *rq)
{
	const struct provider_new *in = BODY(rq, provider_new);
	struct provider row = {
		.id = uuid_v7(rq->cx.world, rq->cx.now),
		.updated_at = UTIME_NONE,
		.version = 1,
	};
	enum rc rc;

	if (!issuer_good(rq, in->issuer))
		return req_invalid(rq, "issuer", ISSUE_BAD_ISSUER);
	SHAPE_COPY(provider, &row, provider_new, in, COPY_ALL);
	rc = auth_named_tenant(rq, &in->tenant_id, &row.tenant_id);
	if (rc == RC_OK)
		rc = provider_seal_secret(rq, &row);
	if (rc == RC_OK)
		rc = store(rq, &row);
	if (rc == RC_OK)
		rc = provider_derive(rq, &row);
	if (rc == RC_OK)
		rc = req_location(rq, "auth/providers", &row.id);
	if (rc == RC_OK)
		rc = req_etag(rq, row.version);
	return rc == RC_OK ? REPLY(rq, 201, provider, &row) : rc;
}
