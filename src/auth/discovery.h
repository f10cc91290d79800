/*
 * What an identity provider says of itself (OpenID Connect Discovery 1.0), and its keys. Asked of it when
 * first needed, and kept by each thread for an hour. Keys are asked for anew when a token names one that is
 * not among them, at most once a minute: so a provider may rotate its keys, and forged tokens do not make us
 * ask it more.
 */
#ifndef AUTH_DISCOVERY_H
#define AUTH_DISCOVERY_H

#include "auth/provider.h"
#include "http/client.h"

/* Texts lie in the arena. */
struct discovery {
	const char *authorization_endpoint, *token_endpoint, *jwks_uri;
	const char *userinfo_endpoint;	/* NULL: none */
	bool secret_basic, secret_post; /* how it takes a client's secret */
	bool tells_issuer;		/* in its redirects (RFC 9207) */
};

/* RC_PROVIDER_DOWN: it does not answer, or what it answers is of no use. */
enum rc discovery_find(struct req *rq, const struct provider *provider, struct discovery *ret) MUST_USE;

/* Its JWK set. `anew`: it has others than those last given; *ret_new tells whether it was asked. */
enum rc discovery_jwks(struct req *rq, const struct provider *provider, const struct discovery *discovery,
		       bool anew, struct str *ret, bool *ret_new) MUST_USE;

/* Asks the provider. RC_OK for any answer; RC_PROVIDER_DOWN, RC_OVERLOADED, RC_NO_MEMORY. */
enum rc provider_call(struct req *rq, const struct provider *provider, const struct http_call *call,
		      struct http_answer *ret) MUST_USE;

#endif
