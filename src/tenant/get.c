/* GET /tenants/{id}, GET /tenants/{id}/settings, GET /tenants/by-domain/{domain} */
#include "base/fold.h"
#include "http/req.h"
#include "tenant/queries.h"

enum rc tenant_get(struct req *rq)
{
	struct tenant *row;
	enum rc rc = tenant_find(rq, &row);

	if (rc == RC_OK)
		rc = req_etag(rq, row->version);
	return rc == RC_OK ? REPLY(rq, 200, tenant, row) : rc;
}

enum rc settings_get(struct req *rq)
{
	struct tenant *row;
	enum rc rc = tenant_find(rq, &row);

	if (rc == RC_OK && row->settings.has == 0)
		return RC_SETTINGS_UNKNOWN;
	if (rc == RC_OK)
		rc = req_etag(rq, row->version);
	return rc == RC_OK ? REPLY(rq, 200, settings, &row->settings) : rc;
}

/* Anyone may ask: a booking page knows its own address and nothing else yet. */
enum rc tenant_by_domain(struct req *rq)
{
	const struct q_tenant_brand_in in = {.domain = fold_ascii(rq->cx.arena, rq->param)};
	struct brand *brand;
	enum rc rc;

	if (in.domain == NULL)
		return RC_NO_MEMORY;
	rc = q_tenant_brand(&rq->cx, &in, &brand);
	if (rc != RC_OK)
		return rc;
	return brand != NULL ? REPLY(rq, 200, brand, brand) : RC_TENANT_UNKNOWN;
}
