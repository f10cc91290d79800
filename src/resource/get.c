/* GET /resources/{id} */
#include "http/req.h"
#include "resource/resource.h"

enum rc resource_get(struct req *rq)
{
	struct resource *row;
	enum rc rc = resource_find(rq, &row);

	if (rc == RC_OK)
		rc = req_etag(rq, row->version);
	return rc == RC_OK ? REPLY(rq, 200, resource, row) : rc;
}
