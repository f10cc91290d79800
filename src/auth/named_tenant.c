/* Whose something is to be, where a body may name a tenant: one's own; the operator names one. */
#include "auth/auth.h"

#include "tenant/client.h"

enum rc auth_named_tenant(struct req *rq, const struct uuid *named, struct uuid *ret)
{
	struct tenant_rules tenant;
	enum rc rc = req_tenant(rq, named, ret);

	if (rc == RC_OK && uuid_is_none(ret))
		return req_invalid(rq, "tenant_id", ISSUE_MISSING);
	return rc == RC_OK ? tenant_rules(&rq->cx, ret, &tenant) : rc;
}
