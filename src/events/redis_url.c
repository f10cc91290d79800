/* See redis_url.h. The form is redis-cli's and the client libraries'. */
#include "events/redis_url.h"

#include "json/shape.h"

#include <arpa/inet.h>

#define PORT	     6379
#define HOST_MAX     253
#define DATABASE_MAX 1000000

/* Digits only; more than `max`, or none, is false. */
static bool number(struct str text, int max, int *ret)
{
	int value = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '9' || value > max / 10)
			return false;
		value = value * 10 + (text.p[i] - '0');
	}
	*ret = value;
	return text.len > 0 && value <= max;
}

static const char *scheme(struct str *rest, struct redis_url *url)
{
	static const struct str plain = {"redis://", 8}, tls = {"rediss://", 9};

	url->tls = rest->len > tls.len && str_equal_nocase((struct str){rest->p, tls.len}, tls);
	if (!url->tls &&
	    (rest->len <= plain.len || !str_equal_nocase((struct str){rest->p, plain.len}, plain)))
		return "it must begin with redis:// or rediss://, and name a host";
	rest->p += url->tls ? tls.len : plain.len;
	rest->len -= url->tls ? tls.len : plain.len;
	return NULL;
}

static const char *decode(struct arena *arena, struct str text, const char **ret)
{
	bool good;
	char *decoded = percent_decode(arena, text, false, &good);

	if (decoded == NULL)
		return "out of memory";
	*ret = decoded;
	return good ? NULL : "a % in user or password must begin a percent-encoding, of UTF-8";
}

/* What stands before the last @ of the authority. */
static const char *credentials(struct arena *arena, struct str *authority, struct redis_url *url)
{
	const char *at = memrchr(authority->p, '@', authority->len), *why = NULL;
	struct str given, user;

	if (at == NULL)
		return NULL;
	given = (struct str){authority->p, (size_t)(at - authority->p)};
	authority->len -= given.len + 1;
	authority->p = at + 1;
	if (memchr(given.p, ':', given.len) == NULL)
		return "before the @ must stand user:password, or :password";
	user = str_cut(&given, ':');
	if (given.len == 0)
		return "the password before the @ is empty";
	if (user.len > 0)
		why = decode(arena, user, &url->user);
	return why != NULL ? why : decode(arena, given, &url->password);
}

static bool is_name(struct str host)
{
	for (size_t i = 0; i < host.len; i++) {
		char c = host.p[i], lower = (char)(c | 0x20);

		if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') && c != '.' && c != '-' &&
		    c != '_')
			return false;
	}
	return host.len > 0 && host.len <= HOST_MAX;
}

/* host, host:port, [address], [address]:port. Without a port *ret_port is absent. */
static const char *split(struct str rest, struct str *ret_host, struct str *ret_port)
{
	const char *end = rest.p + rest.len, *from = rest.p, *to;

	if (rest.len > 0 && rest.p[0] == '[') {
		from++;
		to = memchr(rest.p, ']', rest.len);
		if (to == NULL)
			return "the [ of the host is not closed";
		rest.p = to + 1;
	} else {
		to = rest.len > 0 ? memchr(rest.p, ':', rest.len) : NULL;
		if (to == NULL)
			to = end;
		rest.p = to;
	}
	*ret_host = (struct str){from, (size_t)(to - from)};
	*ret_port = (struct str){NULL, 0};
	if (rest.p == end)
		return NULL;
	*ret_port = (struct str){rest.p + 1, (size_t)(end - rest.p - 1)};
	return *rest.p == ':' ? NULL : "after the ] may only come :port";
}

static const char *host_and_port(struct arena *arena, struct str rest, struct redis_url *url)
{
	bool brackets = rest.len > 0 && rest.p[0] == '[';
	unsigned char address[sizeof(struct in6_addr)];
	struct str host, port;
	const char *why = split(rest, &host, &port);

	if (why != NULL)
		return why;
	url->port = PORT;
	if (port.p != NULL && (!number(port, 65535, &url->port) || url->port == 0))
		return "the port must be a number from 1 to 65535 (an IPv6 address stands in brackets)";
	if (!brackets && !is_name(host))
		return "the host is no name (what a password holds of / ? # @ is percent-encoded)";
	url->host = arena_text(arena, host);
	if (url->host == NULL)
		return "out of memory";
	if (brackets && inet_pton(AF_INET6, url->host, address) != 1)
		return "what stands in brackets is no IPv6 address";
	url->host_is_name = !brackets && inet_pton(AF_INET, url->host, address) != 1;
	return NULL;
}

bool redis_url_parse(struct arena *arena, struct str text, struct redis_url *ret, const char **ret_why)
{
	struct redis_url url = {.db = 0};
	struct str authority;

	*ret_why = "blanks and control characters have no place in it";
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.p[i] <= ' ' || text.p[i] == 0x7f)
			return false;
	*ret_why = scheme(&text, &url);
	if (*ret_why != NULL)
		return false;
	if (memchr(text.p, '?', text.len) != NULL || memchr(text.p, '#', text.len) != NULL) {
		*ret_why = "it takes no ? and no # (a password's are percent-encoded)";
		return false;
	}
	authority = str_cut(&text, '/');
	*ret_why = credentials(arena, &authority, &url);
	if (*ret_why == NULL)
		*ret_why = host_and_port(arena, authority, &url);
	if (*ret_why == NULL && text.len > 0 && !number(text, DATABASE_MAX, &url.db))
		*ret_why = "after the host may only come /db, a number";
	if (*ret_why != NULL)
		return false;
	*ret = url;
	return true;
}
