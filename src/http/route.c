/* See route.h. */
#include "http/route.h"

const struct access_info access_table[ACCESS_COUNT] = {
	[ACCESS_PUBLIC] = {"Anyone.", ROLE_ANYONE, 0},
	[ACCESS_USER] = {"Whoever belongs to the tenant.", ROLE_USER, 0},
	[ACCESS_BOOK] = {"Whoever holds `can_book`.", ROLE_USER, RIGHT_BOOK},
	[ACCESS_RESOURCES] = {"Whoever holds `can_manage_resources`.", ROLE_USER, RIGHT_RESOURCES},
	[ACCESS_USERS] = {"Whoever holds `can_manage_users`.", ROLE_USER, RIGHT_USERS},
	[ACCESS_ADMIN] = {"Staff of the tenant.", ROLE_ADMIN, 0},
	[ACCESS_OPERATOR] = {"The operator.", ROLE_OPERATOR, 0},
	/* The dispatcher has made sure of that. */
	[ACCESS_SERVICE] = {"Another service of this marca.", ROLE_ANYONE, 0},
};

enum rc access_check(enum access access, const struct principal *who)
{
	const struct access_info *needed = &access_table[access];

	if (who->role >= needed->role && (who->rights & needed->rights) == needed->rights)
		return RC_OK;
	return who->role == ROLE_ANYONE ? RC_UNAUTHENTICATED : RC_FORBIDDEN;
}

bool route_takes_if_match(const struct route *route)
{
	return route->versioned && route->method != HTTP_GET_ && strchr(route->path, '{') != NULL;
}

static bool takes_input(const struct route *route)
{
	return route->body != NULL || route->query != NULL || strchr(route->path, '{') != NULL;
}

static bool declared(const struct route *route, enum rc rc)
{
	for (size_t i = 0; i < ROUTE_ERRORS_MAX && route->errors[i] != RC_OK; i++)
		if (route->errors[i] == rc)
			return true;
	return false;
}

bool route_may_fail(const struct service *service, const struct route *route, enum rc rc)
{
	switch (rc) {
	case RC_NO_ROUTE:
		return route->access == ACCESS_SERVICE || declared(route, rc);
	case RC_MALFORMED:
	case RC_INTERNAL:
	case RC_NO_MEMORY:
	case RC_OVERLOADED:
	case RC_RATE_LIMITED:
		return true;
	case RC_UNAUTHENTICATED: /* a token that is sent must be good, on a public route too */
		return !route->anonymous || declared(route, rc);
	case RC_FORBIDDEN:
		return route->access > ACCESS_USER || declared(route, rc);
	case RC_STORE_DOWN:
	case RC_SETTINGS_DOWN:
		return service->room >= 0 || !route->anonymous;
	case RC_INVALID:
		return takes_input(route) || declared(route, rc);
	case RC_BAD_MEDIA_TYPE:
	case RC_BODY_TOO_LARGE:
		return route->body != NULL;
	case RC_STALE:
	case RC_CHANGED_MEANWHILE:
		return route_takes_if_match(route) || declared(route, rc);
	default:
		return declared(route, rc);
	}
}
