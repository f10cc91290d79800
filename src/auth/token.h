/*
 * Access tokens: JWT (RFC 7519) in JWS compact form (RFC 7515), typ "at+jwt" (RFC 9068), checked as RFC 8725
 * asks: the algorithm is the key's, never the token's word. EdDSA (RFC 8037, Ed25519) by the keys of keys.h;
 * HS512 by SECRET_KEY where that is set. Pure: no store, no clock.
 */
#ifndef AUTH_TOKEN_H
#define AUTH_TOKEN_H

#include "base/arena.h"
#include "base/errors.h"
#include "base/principal.h"

struct keys; /* auth/keys.h */

/* What a token says. Nothing in it is a right: those are read from the store. */
struct token_claims {
	bool is_operator;	/* "role": "operator"; the three below are nil then */
	struct uuid tenant_id;	/* "tid" */
	struct uuid user_id;	/* "sub" */
	struct uuid session_id; /* "sid" */
	struct uuid id;		/* "jti" */
	utime issued_at, expires_at;
};

enum rc token_sign(const struct keys *keys, struct arena *arena, const struct token_claims *claims,
		   const char **ret) MUST_USE;

/* RC_UNAUTHENTICATED whatever is wrong with it; RC_NO_MEMORY. */
enum rc token_verify(const struct keys *keys, struct arena *arena, struct str token, utime now,
		     struct token_claims *ret) MUST_USE;

#endif
