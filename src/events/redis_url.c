/* See redis_url.h. The form is redis-cli's and the client libraries'. */
#include "events/redis_url.h"

#include "json/shape.h"

#include <arpa/inet.h>

#define DATABASE_MAX 1000000

static const struct {
	const char *schemes[2]; /* in the clear, by TLS */
	int port;		/* where none is given */
} kinds[REDIS_KIND_COUNT] = {
	[REDIS_ONE] = {{"redis://", "rediss://"}, 6379},
	[REDIS_SENTINELS] = {{"redis+sentinel://", "rediss+sentinel://"}, 26379},
	[REDIS_CLUSTER] = {{"redis+cluster://", "rediss+cluster://"}, 6379},
};

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
	for (size_t i = 0; i < ARRAY_LEN(kinds) * 2; i++) {
		struct str given = str_from(kinds[i / 2].schemes[i % 2]);

		if (rest->len <= given.len || !str_equal_nocase((struct str){rest->p, given.len}, given))
			continue;
		url->kind = (enum redis_kind)(i / 2);
		url->tls = i % 2 == 1;
		rest->p += given.len;
		rest->len -= given.len;
		return NULL;
	}
	return "it must begin with redis://, redis+sentinel:// or redis+cluster:// (rediss for TLS), and "
	       "name a host";
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
	return host.len > 0 && host.len <= REDIS_HOST_MAX;
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

struct redis_host redis_host_of(const char *name, int port)
{
	unsigned char address[sizeof(struct in6_addr)];

	return (struct redis_host){name,
				   inet_pton(AF_INET, name, address) != 1 &&
					   inet_pton(AF_INET6, name, address) != 1,
				   port};
}

static const char *host_and_port(struct arena *arena, struct str rest, int port, struct redis_host *ret)
{
	bool brackets = rest.len > 0 && rest.p[0] == '[';
	struct str host, digits;
	const char *why = split(rest, &host, &digits), *name;

	if (why != NULL)
		return why;
	if (digits.p != NULL && (!number(digits, 65535, &port) || port == 0))
		return "the port must be a number from 1 to 65535 (an IPv6 address stands in brackets)";
	if (!brackets && !is_name(host))
		return "the host is no name (what a password holds of / ? # @ is percent-encoded)";
	name = arena_text(arena, host);
	if (name == NULL)
		return "out of memory";
	*ret = redis_host_of(name, port);
	if (brackets && (ret->is_name || strchr(name, ':') == NULL))
		return "what stands in brackets is no IPv6 address";
	return NULL;
}

static size_t before(struct str text, char end)
{
	const char *at = text.len > 0 ? memchr(text.p, end, text.len) : NULL;

	return at != NULL ? (size_t)(at - text.p) : text.len;
}

/* One, or several between commas where others than Redis itself are asked. */
static const char *host_list(struct arena *arena, struct str rest, struct redis_url *url)
{
	const char *why = NULL;
	bool more = true;

	while (more && why == NULL) {
		size_t len = url->kind == REDIS_ONE ? rest.len : before(rest, ',');
		struct str one = {rest.p, len};

		if (url->host_count == REDIS_HOSTS_MAX)
			return "it names more than 16 hosts";
		why = host_and_port(arena, one, kinds[url->kind].port, &url->hosts[url->host_count++]);
		more = len < rest.len;
		rest.p += len + more;
		rest.len -= len + more;
	}
	return why;
}

/* What follows the hosts. */
static const char *path(struct arena *arena, struct str rest, struct redis_url *url)
{
	if (url->kind == REDIS_CLUSTER)
		return rest.len > 0
			       ? "after the hosts of a cluster comes nothing: it has no numbered databases"
			       : NULL;
	if (url->kind == REDIS_SENTINELS) {
		struct str master = str_cut(&rest, '/');

		if (!is_name(master))
			return "after the sentinels must stand /name, of the master that they watch";
		url->master = arena_text(arena, master);
		if (url->master == NULL)
			return "out of memory";
	}
	return rest.len == 0 || number(rest, DATABASE_MAX, &url->db)
		       ? NULL
		       : "after the host may only come /db, a number";
}

const char *redis_key_prefix(const struct redis_url *url)
{
	return url->kind == REDIS_CLUSTER ? "{marca}:" : "";
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
		*ret_why = host_list(arena, authority, &url);
	if (*ret_why == NULL)
		*ret_why = path(arena, text, &url);
	if (*ret_why != NULL)
		return false;
	*ret = url;
	return true;
}
