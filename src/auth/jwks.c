/* GET /.well-known/jwks.json -- the public keys, for whoever checks tokens himself. */
#include "auth/auth.h"
#include "user/local.h"

enum rc auth_jwks(struct req *rq)
{
	const struct user_local *local = rq->cx.locals[ROOM_user];
	struct jwk_set set = {0};
	enum rc rc;

	keys_refresh(local->auth->keys);
	rc = keys_jwks(local->auth->keys, rq->cx.arena, &set);
	if (rc != RC_OK)
		return rc;
	/* Whoever finds no kid in what he kept asks again: so a new key needs no shorter time. */
	req_header(rq, "Cache-Control", "public, max-age=300");
	return REPLY(rq, 200, jwk_set, &set);
}
