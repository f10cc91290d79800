/* GET /categories/{id} */
#include "http/req.h"
#include "resource/category.h"

enum rc category_get(struct req *rq)
{
	struct category *row;
	enum rc rc = category_find(rq, &row);

	if (rc == RC_OK)
		rc = req_etag(rq, row->version);
	return rc == RC_OK ? REPLY(rq, 200, category, row) : rc;
}
