/*
 * Access tokens: JWT (RFC 7519) in JWS compact form (RFC 7515), typ "at+jwt" with the claims of RFC 9068,
 * checked as RFC 8725 asks. Pure: no store, no clock.
 *
 * The header is not parsed: it must be, byte for byte, the one that marca writes for one of its keys. So the
 * algorithm is the key's and never the token's word, and there is no kid to search by, no crit, jku, x5u or
 * jwk to be led by. Two algorithms:
 *
 *   EdDSA  Ed25519 (RFC 8037) by the keys of keys.h. The default.
 *   HS512  by SECRET_KEY, where that is set: then people's tokens are signed so, for services that check them
 *          by the shared secret. Whoever knows that secret could make a token: so never the operator's.
 */
#ifndef AUTH_TOKEN_H
#define AUTH_TOKEN_H

#include "base/arena.h"
#include "base/errors.h"
#include "base/principal.h"

struct keys; /* auth/keys.h */

#define TOKEN_MAX 4096 /* characters */
#define TOKEN_SKEW \
	(5 * UTIME_SECOND) /* iat and nbf may be so far ahead: other machines' clocks; exp is exact */
#define TOKEN_LIFE (24 * UTIME_HOUR) /* no token is good for longer, whoever signed it */

/* What a token says. Nothing in it is a right: those are read from the store. */
struct token_claims {
	bool is_operator;	     /* "role": "operator"; the three below are nil then */
	struct uuid tenant_id;	     /* "tid" */
	struct uuid user_id;	     /* "sub" */
	struct uuid session_id;	     /* "sid" */
	struct uuid id;		     /* "jti" */
	utime issued_at, expires_at; /* whole seconds in the token */
};

enum rc token_sign(const struct keys *keys, struct arena *arena, const struct token_claims *claims,
		   const char **ret) MUST_USE;

/* RC_UNAUTHENTICATED whatever is wrong with it; RC_NO_MEMORY. */
enum rc token_verify(const struct keys *keys, struct arena *arena, struct str token, utime now,
		     struct token_claims *ret) MUST_USE;

#endif
