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

bool caller_is_here(const struct http_exchange *exchange)
{
	static const char *const by_a_proxy[] = {"X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"};
	struct str origin = http_header(exchange, "Origin"), host = http_header(exchange, "Host");

	if (!host_is_loopback(str_from(exchange->peer)))
		return false;
	/* A proxy here, which may name this machine in Host, brings somebody else; unless it is one of
	 * TRUSTED_PROXIES, and has said by X-Forwarded-For that it is somebody here all the same. */
	for (size_t i = exchange->by_proxy ? 2 : 0; i < ARRAY_LEN(by_a_proxy); i++)
		if (http_header(exchange, by_a_proxy[i]).p != NULL)
			return false;
	if (host.len == 0 || !host_is_loopback(host_of(host)))
		return false;
	if (origin.p == NULL)
		return true;
	(void)str_cut(&origin, ':');
	return str_starts(origin, STR("//")) &&
	       host_is_loopback(host_of((struct str){origin.p + 2, origin.len - 2}));
}
