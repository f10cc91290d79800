/* GET /users/me -- who asks. */
#include "http/req.h"
#include "user/user.h"

enum rc user_me(struct req *rq)
{
	/* The operator and API keys are nobody: no user has the nil id. */
	rq->id = rq->cx.principal.user_id;
	return user_get(rq);
}
