/* Who is behind a credential: a token, or an API key. */
#ifndef AUTH_IDENTITY_H
#define AUTH_IDENTITY_H

#include "http/req.h"
#include "neighbour/wire.h"

struct neighbour;

#define IDENTITY_PATH		"/internal/principal"
#define IDENTITY_CREDENTIAL_MAX 4096 /* longer, and it is none */

/* clang-format off */
#define CREDENTIAL(F, T)                                                                                      \
	F(T, TEXT, credential, REQUIRED, "As it was sent.", .secret = true, .min = 1, .max = IDENTITY_CREDENTIAL_MAX)
SHAPE_DECLARE(credential, CREDENTIAL);

#define PROVEN(F, T)                                                                                          \
	F(T, OBJECT(caller), caller, REQUIRED, "Who it is, and what he may do now.")                          \
	F(T, INT, until, REQUIRED, "The credential itself is good until then; microseconds.")
SHAPE_DECLARE(proven, PROVEN);
/* clang-format on */

/* Where the sessions are. *ret_until: when the credential itself ends. RC_UNAUTHENTICATED. */
enum rc identity_prove(struct ctx *cx, struct str credential, struct principal *ret,
		       utime *ret_until) MUST_USE;

/*
 * Where they are not: the user service is asked, and what it said holds until it tells of a change of the
 * user, of the session, of the API key; at most for CACHE_TTL_SECONDS. RC_UNAUTHENTICATED; RC_STORE_DOWN when
 * it does not answer.
 */
enum rc identity_ask(struct ctx *cx, struct neighbour *there, struct str credential,
		     struct principal *ret) MUST_USE;

/* POST /internal/principal: what it is asked. */
enum rc identity_answer(struct req *rq);

#endif
