/* Identity: its routes. */
#include "auth/api_key.h"
#include "auth/auth.h"
#include "auth/identity.h"
#include "auth/keys.h"
#include "auth/oidc.h"
#include "auth/password.h"
#include "auth/provider.h"
#include "auth/session.h"

/* clang-format off */
static const struct route routes[] = {
	{
		.method = HTTP_POST_, .path = IDENTITY_PATH, .id = "internalPrincipal", .summary = "Who is behind a credential.",
		.access = ACCESS_SERVICE, .hidden = true, .class = RATE_EXEMPT, .body = &credential_shape,
		.handler = identity_answer,
		.replies = {{200, &proven_shape}}, .errors = {RC_UNAUTHENTICATED},
	},
	{
		.method = HTTP_GET_, .path = "/.well-known/jwks.json", .id = "getJwks",
		.summary = "The public keys that verify access tokens.", .access = ACCESS_PUBLIC, .anonymous = true,
		.doc = "A JWK set (RFC 7517). May be kept for five minutes; a `kid` that is not in it is a reason to ask again.",
		.handler = auth_jwks,
		.replies = {{200, &jwk_set_shape, .type = "application/jwk-set+json", .doc = "The keys."}},
	}, {
		.method = HTTP_POST_, .path = "/auth/login", .id = "login",
		.summary = "A password for tokens.", .doc = AUTH_LOGIN_DOC,
		.access = ACCESS_PUBLIC, .anonymous = true, .class = RATE_LOGIN,
		.body = &login_shape, .form = true, .handler = auth_login,
		.replies = {{200, &tokens_shape, .doc = "Logged in: a new session."}},
		.errors = {RC_BAD_CREDENTIALS, RC_TENANT_NEEDED},
	}, {
		.method = HTTP_POST_, .path = "/auth/refresh", .id = "refreshTokens",
		.summary = "A refresh token for new tokens, once.",
		.doc = "Each refresh token is good for one exchange, and the newest one alone. One that comes a second "
		       "time was copied: it ends the session, for whoever holds its tokens.",
		.access = ACCESS_PUBLIC, .anonymous = true, .class = RATE_LOGIN,
		.body = &refresh_shape, .handler = auth_refresh,
		.replies = {{200, &tokens_shape, .doc = "The session goes on."}},
		.errors = {RC_TOKEN_SPENT},
	}, {
		.method = HTTP_POST_, .path = "/auth/logout", .id = "logout",
		.summary = "End this session, or all of this user's.", .access = ACCESS_USER,
		.body = &logout_shape, .body_optional = true, .handler = auth_logout,
		.replies = {{204, .doc = "Ended: its tokens are worth nothing any more."}},
		.errors = {RC_SESSION_UNKNOWN, RC_CHANGED_MEANWHILE},
	}, {
		.method = HTTP_POST_, .path = "/auth/password", .id = "changePassword",
		.summary = "Another password for oneself.",
		.doc = "Ends every session of this user, also the one that asks, and answers with the tokens of a new one. "
		       "Links to a new password are void. He is told by mail, where `SMTP_URL` is set.",
		.access = ACCESS_USER, .class = RATE_LOGIN, .body = &password_new_shape, .handler = auth_password_change,
		.replies = {{200, &tokens_shape, .doc = "Changed: a new session."}},
		.errors = {RC_WRONG_PASSWORD, RC_FORBIDDEN, RC_CHANGED_MEANWHILE},
	}, {
		.method = HTTP_POST_, .path = "/auth/password/forgot", .id = "forgotPassword",
		.summary = "A link to a new password, by mail.",
		.doc = "The answer is the same, after the same time, whether or not there is such a person. The link is good for "
		       "30 minutes and for one use; an address is sent one a minute. Without a tenant, each account of that address "
		       "is sent one, of the oldest three.",
		.access = ACCESS_PUBLIC, .anonymous = true, .class = RATE_LOGIN,
		.body = &password_forgot_shape, .handler = auth_password_forgot,
		.replies = {{202, .doc = "Whoever that is will be sent a link, if he is known and active."}},
	}, {
		.method = HTTP_POST_, .path = "/auth/password/reset", .id = "resetPassword",
		.summary = "A new password by such a link.",
		.doc = "Ends every session of that user. It opens none: log in with the new password.",
		.access = ACCESS_PUBLIC, .anonymous = true, .class = RATE_LOGIN,
		.body = &password_reset_shape, .handler = auth_password_reset,
		.replies = {{204, .doc = "Changed."}},
		.errors = {RC_LINK_SPENT},
	}, {
		.method = HTTP_POST_, .path = "/auth/signup", .id = "signUp",
		.summary = "Register oneself with a tenant.",
		.doc = "Where its setting `self_signup` is true. Whoever registers so may book, and nothing else.",
		.access = ACCESS_PUBLIC, .anonymous = true, .class = RATE_LOGIN,
		.body = &signup_shape, .handler = auth_signup,
		.replies = {{201, &user_shape, .doc = "The new user. Log in by `POST /auth/login`."}},
		.errors = {RC_TENANT_UNKNOWN, RC_SIGNUP_CLOSED, RC_EMAIL_TAKEN},
	}, {
		.method = HTTP_GET_, .path = "/auth/sessions", .id = "listSessions",
		.summary = "Where one is logged in.",
		.doc = "Another user's sessions are shown to whoever may change him: see `PUT /users/{id}`.",
		.access = ACCESS_USER, .query = &session_filter_shape, .handler = session_list,
		.replies = {{200, &session_shape, .list = true, .doc = "A page of sessions that have not ended."}},
		.errors = {RC_USER_UNKNOWN, RC_FORBIDDEN},
	}, {
		.method = HTTP_DELETE_, .path = "/auth/sessions/{id}", .id = "endSession",
		.summary = "End one session.",
		.doc = "One's own; or that of a user whom one may change: see `PUT /users/{id}`.",
		.access = ACCESS_USER, .handler = session_delete,
		.replies = {{204, .doc = "Ended."}},
		.errors = {RC_SESSION_UNKNOWN},
	}, {
		.method = HTTP_POST_, .path = "/auth/api-keys", .id = "createApiKey",
		.summary = "Make an API key: the one time that it is told.",
		.doc = "A program of the tenant calls by it, in `Authorization: Bearer mk_...` or `X-API-Key: mk_...`. It may do "
		       "what its scopes say, for every user of the tenant, until it is revoked or has expired.",
		.access = ACCESS_ADMIN, .body = &api_key_new_shape, .handler = api_key_create,
		.replies = {{201, &api_key_made_shape, .doc = "The new key."}},
		.errors = {RC_TENANT_UNKNOWN},
	}, {
		.method = HTTP_GET_, .path = "/auth/api-keys", .id = "listApiKeys",
		.summary = "List the API keys of a tenant.",
		.doc = "Those that were revoked are not among them; those that have expired are.",
		.access = ACCESS_ADMIN, .query = &api_key_filter_shape, .handler = api_key_list,
		.replies = {{200, &api_key_shape, .list = true, .doc = "A page of API keys."}},
		.errors = {RC_TENANT_UNKNOWN},
	}, {
		.method = HTTP_DELETE_, .path = "/auth/api-keys/{id}", .id = "revokeApiKey",
		.summary = "Revoke an API key: nobody calls by it any more.", .access = ACCESS_ADMIN,
		.handler = api_key_delete,
		.replies = {{204, .doc = "Revoked."}},
		.errors = {RC_KEY_UNKNOWN},
	}, {
		.method = HTTP_POST_, .path = "/auth/providers", .id = "createProvider",
		.summary = "Register a tenant's own identity provider.",
		.doc = "OpenID Connect. What its people are told to register there is `redirect_uri` of the reply. The provider is asked "
		       "when somebody logs in by it first.",
		.access = ACCESS_ADMIN, .body = &provider_new_shape, .versioned = true, .handler = provider_create,
		.replies = {{201, &provider_shape, .doc = "The new provider."}},
		.errors = {RC_TENANT_UNKNOWN},
	}, {
		.method = HTTP_GET_, .path = "/auth/providers", .id = "listProviders",
		.summary = "List the identity providers of a tenant.",
		.access = ACCESS_ADMIN, .query = &provider_filter_shape, .handler = provider_list,
		.replies = {{200, &provider_shape, .list = true, .doc = "A page of providers."}},
		.errors = {RC_TENANT_UNKNOWN},
	}, {
		.method = HTTP_GET_, .path = "/auth/providers/{id}", .id = "getProvider",
		.summary = "One identity provider.", .access = ACCESS_ADMIN,
		.versioned = true, .handler = provider_get,
		.replies = {{200, &provider_shape, .doc = "The provider."}},
		.errors = {RC_PROVIDER_UNKNOWN},
	}, {
		.method = HTTP_PUT_, .path = "/auth/providers/{id}", .id = "updateProvider",
		.summary = "Change what is sent of an identity provider.", .access = ACCESS_ADMIN,
		.doc = "Its issuer stays: for another one register another provider. Whoever is known by the same issuer stays known.",
		.body = &provider_new_shape, .change = true, .versioned = true, .handler = provider_update,
		.replies = {{200, &provider_shape, .doc = "The provider as it is now."}},
		.errors = {RC_PROVIDER_UNKNOWN},
	}, {
		.method = HTTP_DELETE_, .path = "/auth/providers/{id}", .id = "deleteProvider",
		.summary = "Remove an identity provider: nobody logs in by it any more.", .access = ACCESS_ADMIN,
		.versioned = true, .handler = provider_delete,
		.replies = {{204, .doc = "Removed. Sessions that it has opened go on."}},
		.errors = {RC_PROVIDER_UNKNOWN},
	}, {
		.method = HTTP_GET_, .path = "/auth/oidc/{id}/login", .id = "beginOidcLogin",
		.summary = "Log in by a tenant's identity provider: a browser goes here.",
		.doc = "Sends the browser to the provider, and from there to `/auth/oidc/{id}/callback`. With `redirect` a page takes over in the end.",
		.access = ACCESS_PUBLIC, .anonymous = true, .class = RATE_LOGIN,
		.query = &oidc_begin_shape, .handler = oidc_login,
		.replies = {{302, .doc = "To the provider."}},
		.errors = {RC_PROVIDER_UNKNOWN, RC_PROVIDER_DOWN},
	}, {
		.method = HTTP_GET_, .path = "/auth/oidc/{id}/callback", .id = "endOidcLogin",
		.summary = "Where an identity provider sends the browser back to.",
		.access = ACCESS_PUBLIC, .anonymous = true, .class = RATE_LOGIN,
		.query = &oidc_answer_shape, .handler = oidc_callback,
		.replies = {{200, &tokens_shape, .doc = "Logged in, where no page waits."},
			    {302, .doc = "To the page that waits: with `code`, or with `error`."}},
		.errors = {RC_LOGIN_FAILED, RC_PROVIDER_DOWN},
	}, {
		.method = HTTP_POST_, .path = "/auth/oidc/token", .id = "exchangeOidcCode",
		.summary = "A page's one-time code for tokens.",
		.doc = "Good once and for a minute, and for nobody who does not know `code_verifier`.",
		.access = ACCESS_PUBLIC, .anonymous = true, .class = RATE_LOGIN,
		.body = &oidc_exchange_shape, .handler = oidc_exchange,
		.replies = {{200, &tokens_shape, .doc = "Logged in: a new session."}},
		.errors = {RC_LOGIN_FAILED},
	},
};
/* clang-format on */

const struct service auth_service = {
	.name = "auth",
	.collection = "auth",
	.title = "Identity",
	.doc = "Logging in, sessions, API keys and identity providers.",
	.room = ROOM_user,
	.routes = routes,
	.route_count = ARRAY_LEN(routes),
};
