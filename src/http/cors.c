/* See cors.h. */
#include "http/cors.h"

#include "base/log.h"

#include <stdatomic.h>
#include <stdlib.h>

#define VARY "Vary: Origin\r\n"
#define EXPOSE                                                                                            \
	"Access-Control-Expose-Headers: ETag, Link, Location, X-Next-Cursor, X-Request-ID, Retry-After, " \
	"RateLimit, RateLimit-Policy\r\n"
#define TAKEN \
	"Authorization, Content-Type, Idempotency-Key, If-Match, X-Request-ID, traceparent, Accept-Language"

#define PORT_MAX 65535

/* --- Origins, as they are configured -------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_host_char(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '.';
}

static struct str from(struct str text, size_t at)
{
	return (struct str){text.p + at, text.len - at};
}

/* "[::1]" and "app.example.com" alike. 0: none. */
static size_t host_len(struct str text)
{
	size_t len = 0;

	if (text.len > 0 && text.p[0] == '[') {
		for (len = 1; len < text.len && (is_digit(text.p[len]) || text.p[len] == ':' ||
						 (text.p[len] >= 'a' && text.p[len] <= 'f'));)
			len++;
		return len > 2 && len < text.len && text.p[len] == ']' ? len + 1 : 0;
	}
	while (len < text.len && is_host_char(text.p[len]))
		len++;
	return len > 0 && text.p[0] != '.' && text.p[0] != '-' ? len : 0;
}

/* ":8443", or nothing. */
static bool is_port(struct str text)
{
	long port = 0;

	if (text.len == 0)
		return true;
	if (text.p[0] != ':' || text.len < 2 || text.len > 6)
		return false;
	for (size_t i = 1; i < text.len; i++) {
		if (!is_digit(text.p[i]))
			return false;
		port = port * 10 + (text.p[i] - '0');
	}
	return text.p[1] != '0' && port <= PORT_MAX;
}

/* Browsers leave out the port that the scheme has anyway. */
static struct str without_default_port(struct str origin, bool https)
{
	struct str port = https ? STR(":443") : STR(":80");

	if (origin.len > port.len && str_starts(from(origin, origin.len - port.len), port))
		origin.len -= port.len;
	return origin;
}

/* `text` in lower case. */
static bool parse_origin(struct str text, struct str *ret)
{
	struct str http = STR("http://"), https = STR("https://");
	bool is_https = str_starts(text, https);
	struct str rest;
	size_t len;

	if (!is_https && !str_starts(text, http))
		return false;
	rest = from(text, is_https ? https.len : http.len);
	len = host_len(rest);
	if (len == 0 || !is_port(from(rest, len)))
		return false;
	*ret = without_default_port(text, is_https);
	return true;
}

static char *lower(struct arena *arena, struct str text)
{
	char *copy = arena_text(arena, text);

	for (char *c = copy; c != NULL && *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + ('a' - 'A'));
	return copy;
}

/* --- The setting ------------------------------------------------------------------ */

static bool is_development(const struct config *config)
{
	return strcmp(config->environment, "development") == 0;
}

static bool allow_any(const struct config *config, struct cors *cors, const char **ret_why)
{
	if (!is_development(config)) {
		*ret_why = "a list of origins: any origin (*) is for development";
		return false;
	}
	if (config->cors_credentials != 0) {
		*ret_why = "a list of origins where CORS_ALLOW_CREDENTIALS=1";
		return false;
	}
	cors->on = cors->any = true;
	cors->any_lines = STR("Access-Control-Allow-Origin: *\r\n" EXPOSE VARY);
	return true;
}

static bool allow_one(const struct config *config, struct arena *arena, struct str item, struct cors *cors,
		      const char **ret_why)
{
	struct str name;
	char *lines;

	*ret_why = "origins such as https://app.example.com or http://localhost:5173, separated by commas";
	if (cors->count == CORS_ORIGINS_MAX || !parse_origin(str_from(lower(arena, item)), &name))
		return false;
	lines = arena_printf(arena, "Access-Control-Allow-Origin: %.*s\r\n%s%s", (int)name.len, name.p,
			     config->cors_credentials != 0 ? "Access-Control-Allow-Credentials: true\r\n"
							   : "",
			     EXPOSE VARY);
	if (lines == NULL)
		return false;
	cors->origins[cors->count++] = (struct cors_origin){name, str_from(lines)};
	cors->on = true;
	return true;
}

bool cors_parse(const struct config *config, struct arena *arena, struct cors *ret, struct str *ret_bad,
		const char **ret_why)
{
	struct str list = str_from(config->cors_origins);
	struct cors cors = {.headers = TAKEN, .max_age = arena_printf(arena, "%d", config->cors_max_age)};
	bool good = cors.max_age != NULL;

	*ret_why = "shorter: there is no memory for it";
	*ret_bad = list;
	if (str_trim(list).len == 0) {
		*ret_bad = STR("(unset)");
		good = good && (is_development(config) ? allow_any(config, &cors, ret_why) : true);
	} else if (str_equal(str_trim(list), STR("*"))) {
		good = good && allow_any(config, &cors, ret_why);
	}
	while (good && !cors.any && list.len > 0) {
		*ret_bad = str_trim(str_cut(&list, ','));
		good = allow_one(config, arena, *ret_bad, &cors, ret_why);
	}
	if (good)
		*ret = cors;
	return good;
}

bool cors_create(const struct config *config, struct cors **ret)
{
	struct cors *cors = calloc(1, sizeof(*cors));
	struct arena arena;
	const char *why;
	struct str bad;

	if (cors == NULL)
		return false;
	arena_init(&arena, NULL);
	if (!cors_parse(config, &arena, cors, &bad, &why)) {
		complain("CORS_ORIGINS: %.*s: must be %s", (int)bad.len, bad.p, why);
		arena_finish(&arena);
		free(cors);
		return false;
	}
	cors->arena = arena;
	*ret = cors;
	return true;
}

void cors_destroy(struct cors *cors)
{
	while (cors != NULL) {
		struct cors *older = cors->older;

		arena_finish(&cors->arena);
		free(cors);
		cors = older;
	}
}

void cors_apply(struct cors_now *now, struct cors *cors)
{
	cors->older = atomic_load_explicit(&now->cors, memory_order_relaxed);
	atomic_store_explicit(&now->cors, cors, memory_order_release);
}

const struct cors *cors_of(const struct cors_now *now)
{
	return atomic_load_explicit(&now->cors, memory_order_acquire);
}

/* --- Requests ----------------------------------------------------------------------- */

/* The one Origin of the request. Absent when there is none, or several: browsers send one. */
static struct str origin_of(const struct http_exchange *exchange)
{
	struct str origin = {NULL, 0};

	for (size_t i = 0; i < exchange->header_count; i++) {
		if (!str_equal_nocase(exchange->headers[i].name, STR("Origin")))
			continue;
		if (origin.p != NULL)
			return (struct str){NULL, 0};
		origin = exchange->headers[i].value;
	}
	return origin;
}

/* Hosts and schemes are the same in either case. Absent: it may not. */
static struct str lines_for(const struct cors *cors, struct str origin)
{
	if (origin.p != NULL && cors->any)
		return cors->any_lines;
	for (size_t i = 0; origin.len > 0 && i < cors->count; i++)
		if (str_equal_nocase(cors->origins[i].name, origin))
			return cors->origins[i].lines;
	return (struct str){NULL, 0};
}

struct str cors_lines(const struct cors *cors, const struct http_exchange *exchange)
{
	struct str lines = {NULL, 0};

	if (!cors->on)
		return lines;
	lines = lines_for(cors, origin_of(exchange));
	/* A cache must not give this answer to a page of another origin. */
	return lines.p != NULL ? lines : STR(VARY);
}

bool cors_is_preflight(const struct cors *cors, const struct http_exchange *exchange)
{
	return exchange->method == HTTP_OPTIONS_ &&
	       http_header(exchange, "Access-Control-Request-Method").p != NULL &&
	       lines_for(cors, origin_of(exchange)).p != NULL;
}
