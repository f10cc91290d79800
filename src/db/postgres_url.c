/*
 * What a PostgreSQL URL says, before libpq takes it: whether the way there is safe, and that no part of a
 * password has slipped, by a character that was not percent-encoded, into host or port, which libpq's
 * messages show.
 */
#include "db/postgres.h"

#include "base/host.h"

#include <stdio.h>
#include <stdlib.h>

#define NOT_ENCODED \
	"it is no PostgreSQL URL; of user and password, what is not letter or digit is percent-encoded"

/* The URL's own word, or else what libpq would take from the environment. */
static const char *word(const PQconninfoOption *own, const PQconninfoOption *dflt, const char *keyword)
{
	const PQconninfoOption *const lists[] = {own, dflt};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		for (const PQconninfoOption *p = lists[i]; p != NULL && p->keyword != NULL; p++)
			if (strcmp(p->keyword, keyword) == 0 && p->val != NULL && p->val[0] != '\0')
				return p->val;
	}
	return NULL;
}

static bool only_of(struct str text, const char *allowed)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i], lower = (char)(c | 0x20);

		if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') && strchr(allowed, c) == NULL)
			return false;
	}
	return true;
}

static bool is_socket(struct str host)
{
	return host.len > 0 && (host.p[0] == '/' || host.p[0] == '@');
}

/* Several stand between commas, as in ports. */
static bool hosts_good(const char *hosts)
{
	struct str rest = str_from(hosts);

	while (rest.len > 0) {
		struct str host = str_cut(&rest, ',');

		if (!is_socket(host) && !only_of(host, ".-_:%"))
			return false;
	}
	return true;
}

static bool hosts_local(const char *hosts)
{
	struct str rest = str_from(hosts);

	while (rest.len > 0) {
		struct str host = str_cut(&rest, ',');

		if (!is_socket(host) && host.len > 0 && !host_is_loopback(host))
			return false;
	}
	return true;
}

/* One @ at most, and before the first slash: any other belongs to a password. What follows the ? is another
 * matter. */
static bool at_good(const char *url)
{
	const char *rest = strstr(url, "://") + 3;
	size_t user = strcspn(rest, "/@");

	if (rest[user] == '@')
		rest += user + 1;
	return memchr(rest, '@', strcspn(rest, "?")) == NULL;
}

static enum db_transport transport(const PQconninfoOption *own, const PQconninfoOption *dflt)
{
	const char *address = word(own, dflt, "hostaddr");
	const char *hosts = address != NULL ? address : word(own, dflt, "host");
	const char *mode = word(own, dflt, "sslmode");
	bool elsewhere = word(own, dflt, "service") != NULL; /* a file says where it is */

	if (!elsewhere && (hosts == NULL || hosts_local(hosts)))
		return DB_LOCAL;
	if (mode == NULL)
		return DB_PLAIN;
	if (strcmp(mode, "verify-full") == 0 || strcmp(mode, "verify-ca") == 0)
		return DB_TLS_VERIFIED;
	return strcmp(mode, "require") == 0 ? DB_TLS_ONLY : DB_PLAIN;
}

bool postgres_url_check(const char *url, enum db_transport *ret, const char **ret_why)
{
	PQconninfoOption *own = PQconninfoParse(url, NULL), *dflt = PQconndefaults();
	const char *hosts = word(own, dflt, "host"), *ports = word(own, dflt, "port");
	const char *address = word(own, dflt, "hostaddr");
	bool good = own != NULL && at_good(url) && (hosts == NULL || hosts_good(hosts)) &&
		    (address == NULL || hosts_good(address)) &&
		    (ports == NULL || strspn(ports, "0123456789,") == strlen(ports));

	*ret_why = NOT_ENCODED;
	if (good)
		*ret = transport(own, dflt);
	PQconninfoFree(own);
	PQconninfoFree(dflt);
	return good;
}

/* https://www.postgresql.org/docs/15/libpq-envars.html, and where libpq looks when nothing says where. */
void postgres_url_files(const char *url, void (*fn)(void *arg, const char *path), void *arg)
{
	static const char *const keywords[] = {"sslcert",   "sslkey",	"sslrootcert", "sslcrl",
					       "sslcrldir", "passfile", "servicefile"};
	static const char *const at_home[] = {".postgresql", ".pgpass", ".pg_service.conf"};
	PQconninfoOption *own = PQconninfoParse(url, NULL), *dflt = PQconndefaults();
	const char *home = getenv("HOME"), *services = getenv("PGSERVICEFILE");
	char path[4096];

	for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
		if (word(own, dflt, keywords[i]) != NULL)
			fn(arg, word(own, dflt, keywords[i]));
	for (size_t i = 0; home != NULL && i < ARRAY_LEN(at_home); i++) {
		snprintf(path, sizeof(path), "%s/%s", home, at_home[i]);
		fn(arg, path);
	}
	if (services != NULL)
		fn(arg, services);
	fn(arg, "/etc/postgresql-common/pg_service.conf");
	PQconninfoFree(own);
	PQconninfoFree(dflt);
}
