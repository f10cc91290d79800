/* See route.h. */
#include "http/route.h"

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
	case RC_MALFORMED:
	case RC_INTERNAL:
	case RC_NO_MEMORY:
	case RC_OVERLOADED:
		return true;
	case RC_STORE_DOWN:
	case RC_SETTINGS_DOWN:
		return service->room >= 0;
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
