/* GET /users/{id} */
#include "http/req.h"
#include "user/user.h"

enum rc user_get(struct req *rq)
{
	struct user *row;
	enum rc rc = user_find(rq, &row);

	if (rc == RC_OK)
		rc = req_etag(rq, row->version);
	return rc == RC_OK ? REPLY(rq, 200, user, row) : rc;
}
