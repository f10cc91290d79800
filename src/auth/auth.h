/*
 * Identity: how someone proves who he is. A second service of the user room: the same store, so that a
 * password and the sessions that it opened can never disagree. People themselves are src/user's.
 */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include "http/req.h"

extern const struct service auth_service;

/*
 * For the dispatcher: sets rq->cx.principal from the Authorization header. Without one: anyone, or the
 * operator where MARCA_AUTH is optional. RC_UNAUTHENTICATED when what was sent proves nothing (any more).
 */
enum rc auth_authenticate(struct req *rq) MUST_USE;

/* The handlers. */
enum rc auth_jwks(struct req *rq) MUST_USE;

#endif
