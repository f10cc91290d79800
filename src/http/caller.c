/* See caller.h. */
#include "http/caller.h"

#include "base/host.h"

/* "localhost:8000", "[::1]:8000": without port and brackets. */
static struct str host_of(struct str authority)
{
	char end = ':';

	if (authority.len > 0 && authority.p[0] == '[') {
		authority.p++;
		authority.len--;
		end = ']';
	}
	return str_cut(&authority, end);
}

/* A proxy here, which may name this machine in Host, brings somebody else; unless it is one of
 * TRUSTED_PROXIES, and has said by X-Forwarded-For that it is somebody here all the same. One before that may
 * have said otherwise. */
static bool brought(const struct http_exchange *exchange)
{
	struct str real = http_header(exchange, "X-Real-IP");

	if (http_header(exchange, "Forwarded").p != NULL || http_header(exchange, "Via").p != NULL)
		return true;
	if (!exchange->by_proxy)
		return real.p != NULL || http_header(exchange, "X-Forwarded-For").p != NULL;
	return real.p != NULL && !host_is_loopback(real);
}

bool caller_is_here(const struct http_exchange *exchange)
{
	struct str origin = http_header(exchange, "Origin"), host = http_header(exchange, "Host");

	if (!host_is_loopback(str_from(exchange->peer)) || brought(exchange))
		return false;
	if (host.len == 0 || !host_is_loopback(host_of(host)))
		return false;
	if (origin.p == NULL)
		return true;
	(void)str_cut(&origin, ':');
	return str_starts(origin, STR("//")) &&
	       host_is_loopback(host_of((struct str){origin.p + 2, origin.len - 2}));
}
