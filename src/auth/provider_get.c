/* GET /auth/providers/{id} */
#include "auth/provider.h"

enum rc provider_get(struct req *rq)
{
	struct provider *row;
	enum rc rc = provider_find(rq, &row);

	if (rc == RC_OK)
		rc = provider_derive(rq, row);
	if (rc == RC_OK)
		rc = req_etag(rq, row->version);
	return rc == RC_OK ? REPLY(rq, 200, provider, row) : rc;
}
