/* See neighbour.h. */
#include "neighbour/local.h"

#include "base/log.h"
#include "base/world.h"
#include "json/arena_json.h"
#include "json/tree.h"
#include "json/write.h"

#include <stdlib.h>

#define SPARE_MAX  10.0
#define SPARE_STEP 0.1 /* a call earns so much of a repetition */
#define ANSWER_MAX ((size_t)8 * 1024 * 1024)
#define PING_MS	   1000 /* all three may hang, and who asks /ready waits for 5 s (deploy/kubernetes) */

/* --- May it be asked? ------------------------------------------------------- */

static bool admits(struct neighbour *neighbour, utime now)
{
	bool good;

	pthread_mutex_lock(&neighbour->lock);
	good = circuit_admits(&neighbour->circuit, now);
	if (good)
		neighbour->stats.calls++;
	else
		neighbour->stats.refused++;
	neighbour->spare =
		neighbour->spare + SPARE_STEP < SPARE_MAX ? neighbour->spare + SPARE_STEP : SPARE_MAX;
	pthread_mutex_unlock(&neighbour->lock);
	return good;
}

/* How it went. True when it may be tried once more. */
static bool note(struct neighbour *neighbour, utime now, bool good, bool more)
{
	bool opened;

	pthread_mutex_lock(&neighbour->lock);
	opened = circuit_is_open(&neighbour->circuit);
	circuit_tell(&neighbour->circuit, now, good);
	opened = !opened && circuit_is_open(&neighbour->circuit);
	neighbour->stats.failed += !good;
	more = more && !good && neighbour->spare >= 1.0 && circuit_admits(&neighbour->circuit, now);
	if (more) {
		neighbour->spare -= 1.0;
		neighbour->stats.repeated++;
	}
	pthread_mutex_unlock(&neighbour->lock);
	if (opened)
		LOG(ERROR, "a neighbour does not answer, and is not asked for a while",
		    LOG_TEXT("neighbour", neighbour->options.name));
	return more;
}

static bool set_headers(struct neighbour *neighbour, struct ctx *cx, const char *path, struct http_call *call)
{
	char value[SIGNATURE_MAX];

	signature_make(value, &neighbour->key, world_now(cx->world), str_from(path), call->body);
	call->headers[0] = "Content-Type: application/json";
	call->headers[1] = arena_printf(cx->arena, SIGNATURE_HEADER ": %s", value);
	return call->headers[1] != NULL;
}

/* An answer of marca's own, and not of something in between that could not reach it. */
static bool answered(enum http_outcome how, const struct http_answer *answer)
{
	return how == HTTP_ANSWERED && answer->status != 502 && answer->status != 504 &&
	       (answer->status != 503 || str_starts(answer->type, STR("application/problem+json")));
}

enum rc neighbour_post(struct neighbour *neighbour, struct ctx *cx, const char *path, struct str body,
		       bool safe, struct http_answer *ret)
{
	struct http_call call = {
		.method = HTTP_POST_,
		.url = arena_printf(cx->arena, "%s%s", neighbour->base, path),
		.body = body,
		.timeout_ms = safe ? NEIGHBOUR_TIMEOUT_MS : NEIGHBOUR_CALL_MS,
		.answer_max = ANSWER_MAX,
	};
	enum http_outcome how;
	bool good;
	int tries = 0;

	if (call.url == NULL || !set_headers(neighbour, cx, path, &call))
		return RC_NO_MEMORY;
	if (!admits(neighbour, world_now(cx->world)))
		return RC_STORE_DOWN;
	do {
		how = http_client_call(neighbour->options.http, cx->arena, &call, ret);
		/* One who says more than is taken is there, and would say it again. */
		good = answered(how, ret) || how == HTTP_TOO_LARGE;
		tries++;
	} while (note(neighbour, world_now(cx->world), good, safe && tries < NEIGHBOUR_TRIES));
	if (answered(how, ret))
		return RC_OK;
	LOG(WARN, "a neighbour gave no answer", LOG_TEXT("neighbour", neighbour->options.name),
	    LOG_TEXT("outcome", http_outcome_text[how]));
	return how == HTTP_NO_MEMORY ? RC_NO_MEMORY : how == HTTP_BUSY ? RC_OVERLOADED : RC_STORE_DOWN;
}

/* --- Calls of its routes ------------------------------------------------------ */

static bool expects(const struct neighbour_route *route, enum rc rc)
{
	for (size_t i = 0; i < ARRAY_LEN(route->failures) && route->failures[i] != RC_OK; i++)
		if (route->failures[i] == rc)
			return true;
	return rc == RC_STORE_DOWN || rc == RC_OVERLOADED || rc == RC_NO_MEMORY;
}

/* What a problem+json body says it was. */
static enum rc failure_of(struct neighbour *neighbour, struct ctx *cx, const struct neighbour_route *route,
			  const struct http_answer *answer)
{
	const char *why;
	const struct json_t *tree = arena_json_load(cx->arena, answer->body, &why), *code;

	code = tree != NULL && tree_kind(tree) == TREE_OBJECT ? tree_member(tree, "error") : NULL;
	for (int rc = RC_OK + 1; code != NULL && rc < RC_COUNT; rc++)
		if (expects(route, (enum rc)rc) && tree_kind(code) == TREE_TEXT &&
		    str_equal(tree_text(code), str_from(error_table[rc].code)))
			return (enum rc)rc;
	LOG(ERROR,
	    "a neighbour refuses what it is asked: another SERVICE_KEY, another clock, another version?",
	    LOG_TEXT("neighbour", neighbour->options.name), LOG_TEXT("path", route->path),
	    LOG_NUMBER("status", answer->status));
	return RC_STORE_DOWN;
}

static enum rc take_answer(struct neighbour *neighbour, struct ctx *cx, const struct neighbour_route *route,
			   const struct http_answer *answer, void **ret)
{
	struct issues issues = {.arena = cx->arena};
	void *got = NULL;
	enum rc rc = shape_parse(route->out, PARSE_WHOLE, answer->body, &issues, &got);

	if (rc == RC_OK)
		*ret = got;
	if (rc == RC_OK || rc == RC_NO_MEMORY)
		return rc;
	LOG(ERROR, "a neighbour's answer is not what was asked for: is it of another version?",
	    LOG_TEXT("neighbour", neighbour->options.name), LOG_TEXT("path", route->path));
	return RC_STORE_DOWN;
}

enum rc neighbour_call(struct neighbour *neighbour, struct ctx *cx, const struct neighbour_route *route,
		       const void *in, void **ret)
{
	struct http_answer answer;
	struct writer writer;
	struct str body;
	enum rc rc;

	writer_init(&writer, cx->arena, 512);
	write_shape(&writer, route->in, in);
	if (!writer_take(&writer, &body))
		return RC_NO_MEMORY;
	rc = neighbour_post(neighbour, cx, route->path, body, route->again, &answer);
	if (rc != RC_OK)
		return rc;
	if (answer.status >= 300)
		return failure_of(neighbour, cx, route, &answer);
	return route->out != NULL ? take_answer(neighbour, cx, route, &answer, ret) : RC_OK;
}

/* --- Life --------------------------------------------------------------------- */

/* "http://host:8000/tenants/" is "http://host:8000". */
static char *base_of(const struct neighbour_options *options)
{
	size_t len = strlen(options->url), tail = strlen(options->collection);

	while (len > 0 && options->url[len - 1] == '/')
		len--;
	if (len > tail + 1 && options->url[len - tail - 1] == '/' &&
	    memcmp(options->url + len - tail, options->collection, tail) == 0)
		len -= tail + 1;
	return strndup(options->url, len);
}

struct neighbour *neighbour_create(const struct neighbour_options *options)
{
	struct neighbour *neighbour = calloc(1, sizeof(*neighbour));

	if (neighbour == NULL)
		return NULL;
	neighbour->options = *options;
	neighbour->end = &neighbour->oldest;
	neighbour->spare = SPARE_MAX;
	neighbour->key = signature_key(options->key);
	pthread_mutex_init(&neighbour->lock, NULL);
	neighbour->base = base_of(options);
	if (neighbour->base == NULL) {
		neighbour_destroy(neighbour);
		return NULL;
	}
	return neighbour;
}

void neighbour_destroy(struct neighbour *neighbour)
{
	if (neighbour == NULL)
		return;
	pthread_mutex_destroy(&neighbour->lock);
	free(neighbour->base);
	explicit_bzero(&neighbour->key, sizeof(neighbour->key));
	free(neighbour);
}

/* Is it there at all? Asked past the breaker, which it neither opens nor closes. */
static enum rc ping(void *arg)
{
	const struct neighbour *neighbour = arg;
	struct http_answer answer = {0};
	struct http_call call = {.method = HTTP_GET_, .timeout_ms = PING_MS};
	struct arena arena;
	enum http_outcome how = HTTP_NO_MEMORY;

	arena_init(&arena, NULL);
	call.url = arena_printf(&arena, "%s/health", neighbour->base);
	if (call.url != NULL)
		how = http_client_call(neighbour->options.http, &arena, &call, &answer);
	arena_finish(&arena);
	return how == HTTP_ANSWERED && answer.status == 200 ? RC_OK : RC_STORE_DOWN;
}

struct db_elsewhere neighbour_elsewhere(struct neighbour *neighbour)
{
	return (struct db_elsewhere){.read = neighbour_read, .ping = ping, .arg = neighbour};
}

void neighbour_stats(struct neighbour *neighbour, struct neighbour_stats *ret)
{
	pthread_mutex_lock(&neighbour->lock);
	*ret = neighbour->stats;
	ret->open = circuit_is_open(&neighbour->circuit);
	pthread_mutex_unlock(&neighbour->lock);
}

const char *neighbour_name(const struct neighbour *neighbour)
{
	return neighbour->options.name;
}
