/*
 * Logging in by a tenant's own identity provider: OpenID Connect's code flow with PKCE. What must be
 *remembered while the browser is away goes with it, sealed, in a cookie: nothing is stored for logins that
 *never come back.
 *
 *	GET  /auth/oidc/{id}/login	  oidc_login.c	  to the provider, with state, nonce and challenge
 *	GET  /auth/oidc/{id}/callback	  oidc_callback.c back from it, with a code
 *					  oidc_tokens.c	  the code for an ID token, which is verified
 *					  oidc_account.c  whose account that is
 *	POST /auth/oidc/token		  oidc_exchange.c a page's one-time code for marca's tokens
 */
#ifndef AUTH_OIDC_H
#define AUTH_OIDC_H

#include "auth/id_token.h"
#include "auth/provider.h"
#include "auth/session.h"

#define OIDC_COOKIE    "__Host-marca_oidc"
#define OIDC_LOGIN_FOR (10 * UTIME_MINUTE)
#define OIDC_CODE_FOR  UTIME_MINUTE

extern const struct format format_challenge;

/* clang-format off */
#define OIDC_BEGIN(F, T)                                                                                           \
	F(T, TEXT, redirect, OPTIONAL, "Page of the tenant, or of an origin of CORS_ORIGINS, that takes over when it is done: " \
	  "`?code=` is added, for `POST /auth/oidc/token`; or `?error=`. Without it the last answer holds the tokens.", \
	  .example = "\"https://academiafit.com/login\"", .max = 500)                                              \
	F(T, TEXT, code_challenge, OPTIONAL, "With `redirect`: base64url of the SHA-256 of a secret that the page makes up, and " \
	  "sends as `code_verifier` in the end (RFC 7636, S256).", .example = "\"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\"", \
	  .format = &format_challenge)
SHAPE_DECLARE(oidc_begin, OIDC_BEGIN);

#define OIDC_ANSWER(F, T)                                                                                          \
	F(T, TEXT, code,  OPTIONAL, "From the provider.", .max = 2048)                                             \
	F(T, TEXT, state, OPTIONAL, "As it was sent to the provider.", .max = 128)                                 \
	F(T, TEXT, iss,   OPTIONAL, "The provider's issuer (RFC 9207).", .max = 500)                               \
	F(T, TEXT, error, OPTIONAL, "Why the provider refuses.", .max = 200)
SHAPE_DECLARE(oidc_answer, OIDC_ANSWER);

#define OIDC_EXCHANGE(F, T)                                                                                        \
	F(T, TEXT, code, REQUIRED, "From the address that the browser came back to.", .secret = true, .min = 1, .max = 128, \
	  .example = "\"mo_AZOj8nwAcACAAAAAAAAAAQ\"")                                                              \
	F(T, TEXT, code_verifier, REQUIRED, "The secret whose hash the login began with.", .secret = true, .min = 43, .max = 128, \
	  .example = "\"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk\"")
SHAPE_DECLARE(oidc_exchange, OIDC_EXCHANGE);

/* Who a user is to a provider, for his export. */
#define IDENTITY_LINK(F, T)                                                                                        \
	F(T, TEXT, issuer, REQUIRED, "The provider.")                                                              \
	F(T, TEXT, subject, REQUIRED, "Who he is there.")                                                          \
	F(T, INSTANT, created_at, REQUIRED, "When he first logged in by it.")
SHAPE_DECLARE(identity_link, IDENTITY_LINK);

/* What goes with the browser, sealed. */
#define OIDC_STATE(F, T)                                                                                           \
	F(T, UUID, provider_id, REQUIRED, "By which.")                                                             \
	F(T, TEXT, state, REQUIRED, "Told back by the provider: it was this browser that began.")                  \
	F(T, TEXT, nonce, REQUIRED, "Told back in the ID token: it was made for this login.")                      \
	F(T, TEXT, verifier, REQUIRED, "PKCE, towards the provider.")                                              \
	F(T, TEXT, redirect, OPTIONAL, "Where the browser goes in the end.")                                       \
	F(T, TEXT, challenge, OPTIONAL, "PKCE, of the page that waits there.")                                     \
	F(T, INSTANT, expires_at, REQUIRED, "When it is too late.")
SHAPE_DECLARE(oidc_state, OIDC_STATE);
/* clang-format on */

/* Whom a login may be for. */
struct linked_user {
	struct uuid id;
	bool is_active;
	int64_t auth_epoch;
};

struct login_code {
	struct uuid tenant_id, id, user_id;
	const char *hash, *challenge;
	utime created_at, expires_at;
};

/* PUBLIC_URL/auth/oidc/<id>/<end>: each provider sends to an address of its own. NULL: memory. */
char *oidc_url(const struct ctx *cx, const struct uuid *provider_id, const char *end) MUST_USE;

/* base64url of the SHA-256 of the text: of a verifier its challenge. NULL: memory. */
char *oidc_challenge(struct arena *arena, const char *verifier) MUST_USE;

/* The state as the cookie's value, and back. RC_LOGIN_FAILED: it is none of ours, or too late. */
enum rc oidc_state_seal(struct req *rq, const struct oidc_state *state, const char **ret) MUST_USE;
enum rc oidc_state_open(struct req *rq, struct oidc_state **ret) MUST_USE;
/* Sets the cookie; or takes it away, with NULL. RC_NO_MEMORY. */
enum rc oidc_cookie(struct req *rq, const char *value) MUST_USE;

/* A login that goes no further: the reason is for the log alone. `provider` may be NULL. */
void oidc_log_refusal(const struct provider *provider, const char *why);

static inline enum rc oidc_refuse(const struct provider *provider, const char *why)
{
	oidc_log_refusal(provider, why);
	return RC_LOGIN_FAILED;
}

/* A code of the provider for who has logged in there. */
enum rc oidc_claims(struct req *rq, const struct provider *provider, const struct oidc_state *state,
		    const struct oidc_answer *answer, struct id_claims *ret) MUST_USE;

/* Whose account that is; a new one where the provider's row says so. */
enum rc oidc_account(struct req *rq, const struct provider *provider, const struct id_claims *claims,
		     struct account *ret) MUST_USE;

/* A session for him, and its tokens. RC_LOGIN_FAILED where he changed at this very moment. */
enum rc oidc_session(struct req *rq, const struct account *who, struct tokens *ret) MUST_USE;

/* The handlers. */
enum rc oidc_login(struct req *rq);
enum rc oidc_callback(struct req *rq);
enum rc oidc_exchange(struct req *rq);

#endif
