/* Identity: its routes. */
#include "auth/auth.h"
#include "auth/keys.h"

/* clang-format off */
static const struct route routes[] = {
	{
		.method = HTTP_GET_, .path = "/.well-known/jwks.json", .id = "getJwks",
		.summary = "The public keys that verify access tokens.", .access = ACCESS_PUBLIC,
		.doc = "A JWK set (RFC 7517). May be kept for five minutes; a `kid` that is not in it is a reason to ask again.",
		.handler = auth_jwks,
		.replies = {{200, &jwk_set_shape, .type = "application/jwk-set+json", .doc = "The keys."}},
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
