/*
 * ID tokens of OpenID Connect providers, checked as OpenID Connect Core 1.0 (3.1.3.7) and RFC 8725 say. Pure:
 * no store, no clock, no network.
 */
#ifndef AUTH_ID_TOKEN_H
#define AUTH_ID_TOKEN_H

#include "base/arena.h"
#include "base/utime.h"

#define ID_TOKEN_MAX ((size_t)16 * 1024)

/* What the login that it is for began with. */
struct id_expected {
	const char *issuer, *client_id, *nonce;
	const char *access_token; /* that came with it; NULL: none */
	utime now;
};

/* Who someone is to his provider. Texts lie in the arena. */
struct id_claims {
	const char *subject;
	const char *email; /* NULL: not told */
	bool email_verified;
	const char *name; /* NULL: not told */
};

enum id_verdict {
	ID_GOOD,
	ID_BAD,
	ID_NO_KEY, /* none of the keys is the one that it names: there may be newer ones */
	ID_NO_MEMORY,
};

/* *ret_why: of ID_BAD, for the log. */
enum id_verdict id_token_verify(struct arena *arena, struct str jwks, struct str token,
				const struct id_expected *expected, struct id_claims *ret,
				const char **ret_why) MUST_USE;

/* The same claims from an answer of the provider's userinfo endpoint (5.3.2). False: not an object, or about
 * another subject. */
bool id_claims_read(struct arena *arena, struct str json, const char *subject,
		    struct id_claims *ret) MUST_USE;

#endif
