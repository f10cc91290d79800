/* See posture.h. docs/security/modes.md is its documentation. */
#include "app/posture.h"

#include "base/arena.h"
#include "base/host.h"
#include "base/log.h"
#include "db/db.h"
#include "events/redis_url.h"
#include "neighbour/signature.h"

#define SECRET_KEY_BYTES_MIN 64
#define TOKEN_BYTES_MIN	     16
#define DISTINCT_MIN	     10 /* 64 random hexadecimal digits have 16, almost surely */

/* --- Questions to a setting: does it breach the rule? ------------------------------ */

/* scheme://[user:password@]host[:port][/...] */
static bool split(const char *url, struct str *ret_scheme, struct str *ret_host)
{
	const char *slashes = strstr(url, "://"), *at;
	struct str rest, authority;

	if (slashes == NULL)
		return false;
	rest = str_from(slashes + 3);
	authority = str_cut(&rest, '/');
	at = authority.len > 0 ? memrchr(authority.p, '@', authority.len) : NULL;
	if (at != NULL) {
		authority.len -= (size_t)(at + 1 - authority.p);
		authority.p = at + 1;
	}
	*ret_scheme = (struct str){url, (size_t)(slashes - url)};
	if (authority.len > 0 && authority.p[0] == '[') {
		str_cut(&authority, '[');
		*ret_host = str_cut(&authority, ']');
	} else {
		*ret_host = str_cut(&authority, ':');
	}
	return ret_host->len > 0;
}

static bool goes_in_clear(const char *url, const char *safe_scheme)
{
	struct str scheme, host;

	return split(url, &scheme, &host) && !str_equal_nocase(scheme, str_from(safe_scheme)) &&
	       !host_is_loopback(host);
}

static bool is_optional(const char *value)
{
	return value != NULL && strcmp(value, "optional") == 0;
}

static bool is_no_mode(const char *value)
{
	return value != NULL && strcmp(value, "optional") != 0 && strcmp(value, "required") != 0;
}

static bool is_no_environment(const char *value)
{
	return strcmp(value, "development") != 0 && strcmp(value, "production") != 0;
}

static bool is_missing(const char *value)
{
	return value == NULL;
}

static bool is_off(const char *value)
{
	return value != NULL && strcmp(value, "off") == 0;
}

static bool is_set(const char *value)
{
	return value != NULL;
}

static bool is_bad_store(const char *value)
{
	enum db_transport transport;
	const char *why;

	return value != NULL && !db_url_check(value, &transport, &why);
}

static bool is_bad_replica(const char *value)
{
	return is_bad_store(value) || (value != NULL && strncmp(value, "sqlite:", 7) == 0);
}

static bool store_is(const char *value, enum db_transport wanted)
{
	enum db_transport transport;
	const char *why;

	return value != NULL && db_url_check(value, &transport, &why) && transport == wanted;
}

static bool is_store_in_clear(const char *value)
{
	return store_is(value, DB_PLAIN);
}

static bool is_store_unverified(const char *value)
{
	return store_is(value, DB_TLS_ONLY);
}

static bool all_loopback(const struct redis_url *url)
{
	for (size_t i = 0; i < url->host_count; i++)
		if (!host_is_loopback(str_from(url->hosts[i].name)))
			return false;
	return true;
}

static bool is_redis_in_clear(const char *value)
{
	struct redis_url url;
	struct arena arena;
	const char *why;
	bool breached;

	if (value == NULL)
		return false;
	arena_init(&arena, NULL);
	breached = redis_url_parse(&arena, str_from(value), &url, &why) && !url.tls && !all_loopback(&url);
	arena_finish(&arena);
	return breached;
}

static bool is_url_of(const char *url, const char *scheme, const char *safe_scheme)
{
	struct str given, host;

	return split(url, &given, &host) &&
	       (str_equal_nocase(given, str_from(scheme)) || str_equal_nocase(given, str_from(safe_scheme)));
}

static bool is_no_mail_server(const char *value)
{
	return value != NULL && !is_url_of(value, "smtp", "smtps");
}

static bool is_no_page(const char *value)
{
	return value != NULL && !is_url_of(value, "http", "https");
}

static bool is_mail_in_clear(const char *value)
{
	return value != NULL && goes_in_clear(value, "smtps");
}

static bool is_page_in_clear(const char *value)
{
	return value != NULL && goes_in_clear(value, "https");
}

static bool is_page_local(const char *value)
{
	struct str scheme, host;

	return value == NULL || (split(value, &scheme, &host) && host_is_loopback(host));
}

static bool is_short(const char *value)
{
	return value != NULL && strlen(value) < SECRET_KEY_BYTES_MIN;
}

static bool is_short_token(const char *value)
{
	return value != NULL && strlen(value) < TOKEN_BYTES_MIN;
}

static bool is_short_key(const char *value)
{
	return value != NULL && strlen(value) < SIGNATURE_KEY_MIN;
}

static bool holds_nocase(const char *text, const char *word)
{
	struct str wanted = str_from(word);

	for (size_t len = strlen(text); len >= wanted.len; len--, text++)
		if (str_equal_nocase((struct str){text, wanted.len}, wanted))
			return true;
	return false;
}

/* Some part of it over and over. */
static bool repeats(const char *text)
{
	size_t len = strlen(text);

	for (size_t period = 1; period <= len / 2; period++)
		if (memcmp(text, text + period, len - period) == 0)
			return true;
	return false;
}

static size_t distinct(const char *text)
{
	bool seen[256] = {false};
	size_t count = 0;

	for (; *text != '\0'; text++) {
		count += !seen[(unsigned char)*text];
		seen[(unsigned char)*text] = true;
	}
	return count;
}

/* Made up by a person, or taken from somebody's documentation: whoever knows it makes tokens for anyone. */
static bool is_guessable(const char *value)
{
	static const char *const words[] = {
		"change-me",  "change_me",   "changeme",     "change this",  "change-this", "change_this",
		"changethis", "replace",     "your-",	     "your_",	     "secret-key",  "secret_key",
		"secretkey",  "supersecret", "super-secret", "super_secret", "example",	    "insecure",
		"default",    "password",    "development",  "testing",	     "jwt-secret",  "jwt_secret",
		"abcdefgh",   "01234567",    "12345678",     "qwerty",	     "marca",
	};

	for (size_t i = 0; value != NULL && i < ARRAY_LEN(words); i++)
		if (holds_nocase(value, words[i]))
			return true;
	return value != NULL && (repeats(value) || distinct(value) < DISTINCT_MIN);
}

/* --- The rules ---------------------------------------------------------------------- */

enum when { ALWAYS, EXPOSED, IN_PRODUCTION };

struct rule {
	const char *variable;
	size_t offset; /* of its text in struct config */
	bool (*breached)(const char *value);
	enum when when;
	bool serves; /* of interest only where it serves */
	bool warns;
	const char *wrong, *mend;
};

#define SETTING(variable, member) variable, offsetof(struct config, member)

#define STORE_ON_THE_WAY(variable, member)                                                         \
	{SETTING(variable, member), is_store_in_clear, EXPOSED,                                    \
	 .wrong = "data and password go over the network without TLS",                             \
	 .mend = "add sslmode=verify-full and sslrootcert=FILE to the URL"},                       \
	{                                                                                          \
		SETTING(variable, member), is_store_unverified, EXPOSED,                           \
			.warns = true,                                                             \
			.wrong = "with sslmode=require anybody on the way can pose as the server", \
			.mend = "set sslmode=verify-full and sslrootcert=FILE in the URL"          \
	}

#define STORE(variable, member)                                                                              \
	{SETTING(variable, member), is_bad_store, ALWAYS, .wrong = "it is no address of a store",            \
	 .mend = "set sqlite:PATH or postgresql://user:password@host/database, where of user and password, " \
		 "what is not letter or digit is percent-encoded"},                                          \
		STORE_ON_THE_WAY(variable, member)

#define REPLICA(variable, member)                                                                           \
	{SETTING(variable, member), is_bad_replica, ALWAYS, .wrong = "it is no address of a PostgreSQL",    \
	 .mend = "set postgresql://user:password@host/database, of a streaming standby of the store's own " \
		 "server; SQLite has none"},                                                                \
		STORE_ON_THE_WAY(variable, member)

#define NEIGHBOUR(variable, member)                                                                      \
	{SETTING(variable, member),                                                                      \
	 is_no_page,                                                                                     \
	 ALWAYS,                                                                                         \
	 .serves = true,                                                                                 \
	 .wrong = "it is no address of a service",                                                       \
	 .mend = "set http://host:port, or https://..."},                                                \
	{                                                                                                \
		SETTING(variable, member), is_page_in_clear, IN_PRODUCTION,                              \
			.serves = true, .warns = true,                                                   \
			.wrong = "what services tell one another goes over the network without TLS",     \
			.mend = "keep that network private, or set https://..., the address of a proxy " \
				"that ends TLS"                                                          \
	}

/* clang-format off */
static const struct rule rules[] = {
	{SETTING("ENVIRONMENT", environment), is_no_environment, ALWAYS,
	 .wrong = "it must be development or production",
	 .mend = "set ENVIRONMENT=production where others than yourself use it"},
	{SETTING("MARCA_AUTH", auth), is_no_mode, ALWAYS, .serves = true,
	 .wrong = "it must be required or optional",
	 .mend = "set MARCA_AUTH=required"},
	{SETTING("MARCA_AUTH", auth), is_optional, EXPOSED, .serves = true,
	 .wrong = "optional makes anybody who can reach it the operator of all tenants",
	 .mend = "set MARCA_AUTH=required, or ENVIRONMENT=development and MARCA_LISTEN=127.0.0.1:8000"},
	{SETTING("SECRET_KEY", secret_key), is_short, ALWAYS, .serves = true,
	 .wrong = "HS512 takes 64 bytes at least",
	 .mend = "set what `openssl rand -base64 64 | tr -d '\\n'` prints, or unset it: EdDSA needs none"},
	{SETTING("SECRET_KEY", secret_key), is_guessable, EXPOSED, .serves = true,
	 .wrong = "it looks like an example or a word, and whoever guesses it can be anybody",
	 .mend = "set what `openssl rand -base64 64 | tr -d '\\n'` prints, or unset it: EdDSA needs none"},
	{SETTING("METRICS_TOKEN", metrics_token), is_short_token, EXPOSED, .serves = true,
	 .wrong = "it can be found out by trying; 16 bytes at least",
	 .mend = "set what `openssl rand -hex 32` prints"},
	{SETTING("SERVICE_KEY", service_key), is_short_key, ALWAYS, .serves = true,
	 .wrong = "it takes 32 bytes at least",
	 .mend = "set what `openssl rand -hex 32` prints, the same for all services"},
	{SETTING("SERVICE_KEY", service_key), is_guessable, EXPOSED, .serves = true,
	 .wrong = "it looks like an example or a word, and whoever guesses it reads every tenant's data",
	 .mend = "set what `openssl rand -hex 32` prints, the same for all services"},
	NEIGHBOUR("TENANT_SERVICE_URL", tenant_service),
	NEIGHBOUR("USER_SERVICE_URL", user_service),
	NEIGHBOUR("RESOURCE_SERVICE_URL", resource_service),
	NEIGHBOUR("BOOKING_SERVICE_URL", booking_service),
	{SETTING("CORS_ORIGINS", cors_origins), is_missing, EXPOSED, .serves = true,
	 .wrong = "it is not said which pages may call",
	 .mend = "set the origins of your pages: CORS_ORIGINS=https://app.example.com,https://..."},
	STORE("DATABASE_URL", database_url),
	STORE("TENANT_DATABASE_URL", tenant_database),
	STORE("USER_DATABASE_URL", user_database),
	STORE("RESOURCE_DATABASE_URL", resource_database),
	STORE("BOOKING_DATABASE_URL", booking_database),
	STORE("AUDIT_DATABASE_URL", audit_database),
	REPLICA("DATABASE_REPLICA_URL", database_replica),
	REPLICA("TENANT_DATABASE_REPLICA_URL", tenant_replica),
	REPLICA("USER_DATABASE_REPLICA_URL", user_replica),
	REPLICA("RESOURCE_DATABASE_REPLICA_URL", resource_replica),
	REPLICA("BOOKING_DATABASE_REPLICA_URL", booking_replica),
	REPLICA("AUDIT_DATABASE_REPLICA_URL", audit_replica),
	{SETTING("REDIS_URL", redis_url), is_redis_in_clear, EXPOSED,
	 .wrong = "events and password go over the network without TLS",
	 .mend = "set rediss://..., and REDIS_CA_FILE where its certificate is of your own authority"},
	{SETTING("SMTP_URL", smtp_url), is_no_mail_server, ALWAYS, .serves = true,
	 .wrong = "it is no address of a mail server",
	 .mend = "set smtps://user:password@host:port"},
	{SETTING("SMTP_URL", smtp_url), is_mail_in_clear, EXPOSED, .serves = true,
	 .wrong = "links that set passwords go over the network without TLS",
	 .mend = "set smtps://..., or a mail server of this machine"},
	{SETTING("PUBLIC_URL", public_url), is_no_page, ALWAYS, .serves = true,
	 .wrong = "it is no address of a page",
	 .mend = "set https://..., where people reach this marca"},
	{SETTING("PUBLIC_URL", public_url), is_page_in_clear, IN_PRODUCTION, .serves = true,
	 .wrong = "tokens and passwords would go over the network without TLS",
	 .mend = "set https://..., the address of the proxy that ends TLS"},
	{SETTING("PUBLIC_URL", public_url), is_page_local, IN_PRODUCTION, .serves = true, .warns = true,
	 .wrong = "links in mail lead to the reader's own machine",
	 .mend = "set https://..., where people reach this marca"},
	{SETTING("MARCA_CONFINE", confine), is_off, EXPOSED, .serves = true, .warns = true,
	 .wrong = "whoever breaks into the process can do all that its user can",
	 .mend = "set MARCA_CONFINE=on, or required"},
	{SETTING("MARCA_CLOCK", clock), is_set, IN_PRODUCTION,
	 .wrong = "a clock that is not the machine's is for tests",
	 .mend = "unset it, or set ENVIRONMENT=development"},
};
/* clang-format on */

_Static_assert(ARRAY_LEN(rules) <= POSTURE_FAULTS_MAX, "room for every fault");

static bool applies(const struct rule *rule, const struct config *config, bool serves)
{
	if (rule->serves && !serves)
		return false;
	return rule->when == ALWAYS || (rule->when == EXPOSED && config_exposed(config)) ||
	       config_in_production(config);
}

static const char *value_of(const struct rule *rule, const struct config *config)
{
	return *(const char *const *)(const void *)((const char *)config + rule->offset);
}

size_t posture_faults(const struct config *config, bool serves, struct posture_fault *ret)
{
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		const struct rule *rule = &rules[i];

		if (applies(rule, config, serves) && rule->breached(value_of(rule, config)))
			ret[count++] =
				(struct posture_fault){rule->variable, rule->wrong, rule->mend, rule->warns};
	}
	return count;
}

bool posture_check(const struct config *config, bool serves)
{
	struct posture_fault faults[POSTURE_FAULTS_MAX];
	size_t count = posture_faults(config, serves, faults);
	bool good = true;

	for (size_t i = 0; i < count; i++) {
		const struct posture_fault *fault = &faults[i];

		complain("%s%s: %s; %s", fault->warns ? "warning: " : "", fault->variable, fault->wrong,
			 fault->mend);
		good &= fault->warns;
	}
	if (!good)
		complain("it does not start like this (%s%s); docs/security/modes.md says why",
			 config_in_production(config) ? "production, " : "development, ", config->listen);
	return good;
}
