/* Identity: its routes. */
#include "auth/auth.h"

const struct service auth_service = {
	.name = "auth",
	.collection = "auth",
	.title = "Identity",
	.doc = "Logging in, sessions, API keys and identity providers.",
	.room = ROOM_user,
};
