/*
 * Identity: how someone proves who he is. A second service of the user room: the same store, so that a
 * password and the sessions that it opened can never disagree. People themselves are src/user's.
 */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include "http/req.h"

extern const struct service auth_service;

/*
 * For the dispatcher: sets rq->cx.principal from the header Authorization, or X-API-Key. Without one: anyone,
 * or the operator where MARCA_AUTH is optional. RC_UNAUTHENTICATED when what was sent proves nothing (any
 * more).
 */
enum rc auth_authenticate(struct req *rq) MUST_USE;

/* GET /.well-known/jwks.json */
enum rc auth_jwks(struct req *rq) MUST_USE;

/* The tenant that a body names (nil: none), which must be there: one's own, or any for the operator, who must
 * name one. RC_TENANT_UNKNOWN, RC_INVALID. */
enum rc auth_named_tenant(struct req *rq, const struct uuid *named, struct uuid *ret) MUST_USE;

/* POST /auth/login; also POST /users/login, where clients of before look for it. */
enum rc auth_login(struct req *rq) MUST_USE;
extern const struct shape login_shape, tokens_shape;

#define AUTH_LOGIN_DOC                                                                                       \
	"JSON, or a form as OAuth2 clients send it for the grant type `password` (`username` is the e-mail " \
	"address; `scope` and what names the client are ignored). A tenant is named by `tenant_id` or by "   \
	"`domain`. Without one, the password opens whichever account of that address it belongs to; where "  \
	"it belongs to several, 400 asks for the tenant. Wrong address, wrong password, no password, not "   \
	"active, no such tenant: the answer is the same, after the same time."

/* POST /users/{id}/password-link: where the people are. */
enum rc user_password_link(struct req *rq) MUST_USE;
extern const struct shape reset_link_shape;

#endif
