/* PUT /tenants/{id}, PUT /tenants/{id}/settings -- change what was sent, and nothing else. */
#include "http/req.h"
#include "tenant/queries.h"

/* Its address, what it pays for and whether it is served are between the operator and the tenant. */
static enum rc permit_change(const struct principal *who, const struct tenant *old, const struct tenant *row)
{
	bool same = old->plan == row->plan && old->is_active == row->is_active &&
		    strcmp(old->domain, row->domain) == 0;

	return same || who->role == ROLE_OPERATOR ? RC_OK : RC_FORBIDDEN;
}

enum rc tenant_update(struct req *rq)
{
	const struct tenant_new *change = BODY(rq, tenant_new);
	struct tenant *row, old;
	enum rc rc = tenant_find(rq, &row);

	if (rc == RC_OK)
		rc = req_if_match(rq, row->version);
	if (rc != RC_OK)
		return rc;
	old = *row;
	if (HAS(change, tenant_new, settings))
		rc = settings_merge(rq, row, &change->settings, &settings_loc);
	if (rc == RC_OK) {
		struct settings settings = row->settings;

		SHAPE_COPY(tenant, row, tenant_new, change, COPY_SENT);
		row->settings = settings;
		rc = tenant_derive(rq, row);
	}
	if (rc == RC_OK)
		rc = permit_change(&rq->cx.principal, &old, row);
	if (rc == RC_OK)
		rc = tenant_store(rq, row);
	if (rc == RC_OK)
		rc = req_etag(rq, row->version);
	return rc == RC_OK ? REPLY(rq, 200, tenant, row) : rc;
}

enum rc settings_update(struct req *rq)
{
	struct tenant *row;
	enum rc rc = tenant_find(rq, &row);

	if (rc == RC_OK)
		rc = req_if_match(rq, row->version);
	if (rc == RC_OK)
		rc = settings_merge(rq, row, BODY(rq, settings_new), settings_loc.up);
	if (rc == RC_OK)
		rc = tenant_derive(rq, row);
	if (rc == RC_OK)
		rc = tenant_store(rq, row);
	if (rc == RC_OK)
		rc = req_etag(rq, row->version);
	return rc == RC_OK ? REPLY(rq, 200, settings, &row->settings) : rc;
}
