/* See dispatch.h. Reads top to bottom in the order in which a request is checked (api.md, "order of checks").
 */
#include "http/dispatch.h"

#include "base/fiber.h"
#include "base/log.h"
#include "http/problem.h"
#include "http/request_log.h"
#include "http/request_trace.h"
#include "http/security_headers.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* Each round of clients that change one row at once has a winner; so many may come before the last of them.
 */
#define HANDLER_TRIES 128

/* One thread's counters; they stay when it has ended. */
struct counters {
	struct counters *next;
	struct traffic routes[]; /* the last is of requests without a route */
};

struct dispatcher {
	struct router *router;
	struct dispatcher_options options;
	_Atomic enum log_requests log_requests;
	pthread_mutex_t lock; /* of the list */
	struct counters *counters;
};

/* One loop thread. */
struct worker {
	struct dispatcher *dispatcher;
	struct http_loop *loop;
	struct traffic *traffic;
	struct room_locals rooms;
};

/* --- Counters --------------------------------------------------------------- */

static struct traffic *counters_add(struct dispatcher *dispatcher)
{
	size_t routes = router_count(dispatcher->router) + 1;
	struct counters *counters = calloc(1, sizeof(*counters) + routes * sizeof(counters->routes[0]));

	if (counters == NULL)
		return NULL;
	pthread_mutex_lock(&dispatcher->lock);
	counters->next = dispatcher->counters;
	dispatcher->counters = counters;
	pthread_mutex_unlock(&dispatcher->lock);
	return counters->routes;
}

void dispatcher_traffic(struct dispatcher *dispatcher, size_t route, struct traffic_sum *ret)
{
	*ret = (struct traffic_sum){.began = 0};
	pthread_mutex_lock(&dispatcher->lock);
	for (const struct counters *c = dispatcher->counters; c != NULL; c = c->next)
		traffic_read(&c->routes[route], ret);
	pthread_mutex_unlock(&dispatcher->lock);
}

void dispatcher_set_log_requests(struct dispatcher *dispatcher, enum log_requests which)
{
	atomic_store_explicit(&dispatcher->log_requests, which, memory_order_relaxed);
}

const struct router *dispatcher_router(const struct dispatcher *dispatcher)
{
	return dispatcher->router;
}

/* --- Parsing ---------------------------------------------------------------- */

/* The media type of the body, without its parameters. */
static struct str media_type(const struct req *rq)
{
	struct str type = http_header(rq->http, "Content-Type");

	return str_trim(str_cut(&type, ';'));
}

static bool is_json(struct str type)
{
	if (type.p == NULL)
		return true; /* untold: taken for what it must be */
	return str_equal_nocase(type, STR("application/json")) ||
	       (type.len > 5 && str_equal_nocase((struct str){type.p + type.len - 5, 5}, STR("+json")));
}

static bool is_form(const struct req *rq)
{
	return rq->route->form && str_equal_nocase(media_type(rq), STR("application/x-www-form-urlencoded"));
}

static void parse_param(struct req *rq, struct str encoded)
{
	static const struct loc path = {.name = "path"};
	const char *open = strchr(rq->route->path, '{');
	struct loc here = {.up = &path};
	struct str name;
	bool is_id, good;

	if (open == NULL)
		return;
	name = (struct str){open + 1, strcspn(open + 1, "}")};
	is_id = str_equal(name, STR("id"));
	if (is_id && uuid_parse(encoded, &rq->id)) /* as it nearly always comes */
		return;
	here.name = arena_text(rq->cx.arena, name);
	rq->param = percent_decode(rq->cx.arena, encoded, false, &good);
	if (here.name == NULL || rq->param == NULL)
		rq->issues.no_memory = true;
	else if (!good)
		issue_add(&rq->issues, &here, ISSUE_NOT_UTF8, NULL);
	else if (is_id && !uuid_parse(str_from(rq->param), &rq->id))
		issue_add(&rq->issues, &here, ISSUE_NOT_UUID, NULL);
}

/* A list is of the caller's own tenant. Who has none must name one. */
static void need_tenant(struct req *rq)
{
	static const struct loc query = {.name = "query"};
	static const struct loc here = {.up = &query, .name = "tenant_id"};

	if (uuid_is_none(&rq->cx.principal.tenant_id) &&
	    !shape_was_sent(rq->route->query, rq->query, here.name))
		issue_add(&rq->issues, &here, ISSUE_MISSING, NULL);
}

static enum rc parse_query(struct req *rq)
{
	void *query = NULL;
	enum rc rc = shape_parse_query(rq->route->query, rq->http->query, &rq->issues, &query);

	rq->query = query;
	if (rc != RC_NO_MEMORY)
		need_tenant(rq);
	return rc;
}

static enum rc parse_body(struct req *rq)
{
	const struct route *route = rq->route;
	struct str body = rq->http->body;
	void *object = NULL;
	enum rc rc;

	if (is_form(rq)) {
		rc = shape_parse_form(route->body, body, &rq->issues, &object);
		rq->body = object;
		return rc;
	}
	if (body.len == 0 && route->body_optional)
		body = STR("{}");
	rc = shape_parse(route->body, route->change ? PARSE_CHANGE : PARSE_WHOLE, body, &rq->issues, &object);
	rq->body = object;
	return rc;
}

/* Everything that is wrong with path, query and body is told at once. */
static enum rc parse(struct req *rq, struct str param)
{
	enum rc rc = RC_OK;

	if (rq->route->body != NULL && rq->http->body.len > 0 && !is_json(media_type(rq)) && !is_form(rq))
		return RC_BAD_MEDIA_TYPE;
	parse_param(rq, param);
	if (rq->route->query != NULL)
		rc = parse_query(rq);
	if (rq->route->body != NULL && rc != RC_NO_MEMORY)
		rc = parse_body(rq);
	return rc == RC_OK ? issues_rc(&rq->issues) : rc;
}

/* --- A request, from routing to its reply --------------------------------- */

/* The failure as it may be told. One that the route's row does not name is a fault of ours. */
static enum rc checked_failure(const struct req *rq, enum rc rc)
{
	if (route_may_fail(rq->service, rq->route, rc))
		return rc;
	LOG(ERROR, "a handler failed as its routes table does not say", LOG_TEXT("operation", rq->route->id),
	    LOG_TEXT("failure", error_table[rc].name));
	if (rq->strict)
		abort();
	return RC_INTERNAL;
}

/* Of what a failed handler had begun, only the trace stays. */
static void reply_clear(struct req *rq)
{
	rq->reply.header_count = rq->trace_headers;
	rq->reply.content_type = rq->reply.body = (struct str){0};
	rq->replied = false;
}

/* What handlers need not think of. */
static void complete_reply(struct req *rq)
{
	const struct dispatcher_options *options = &rq->worker->dispatcher->options;

	rates_tell(rq);
	rq->reply.lines[0] = security_headers(&rq->reply, options->https);
	if (options->cors != NULL)
		rq->reply.lines[1] = cors_lines(cors_of(options->cors), rq->http);
}

/* NULL: none takes it. What was refused before its handler was looked for has one, too. */
static const struct route *route_of(const struct req *rq)
{
	const struct router *router = rq->worker->dispatcher->router;

	return rq->route_index < router_count(router) ? router_route(router, rq->route_index) : NULL;
}

static void send_reply(struct req *rq)
{
	const struct dispatcher *dispatcher = rq->worker->dispatcher;
	uint64_t began = rq->http->received_ns, ns = began > 0 ? http_clock_ns() - began : 0;

	complete_reply(rq);
	ctx_enter(&rq->cx);
	request_log(atomic_load_explicit(&dispatcher->log_requests, memory_order_relaxed), rq, route_of(rq),
		    ns);
	ctx_enter(NULL);
	request_trace_end(rq, route_of(rq), ns);
	traffic_answered(&rq->worker->traffic[rq->route_index], rq->reply.status, ns);
	http_send(rq->http, &rq->reply);
}

struct call {
	struct req *rq;
	struct str param;
};

/* Who asks. A route that is not for anyone says so before it looks at what was sent. */
static enum rc identify(struct req *rq)
{
	const struct dispatcher_options *options = &rq->worker->dispatcher->options;
	struct principal *who = &rq->cx.principal;
	enum rc rc = RC_OK;

	if (rq->route->access == ACCESS_SERVICE)
		return options->neighbour != NULL ? options->neighbour(rq) : RC_NO_ROUTE;
	if (rq->route->anonymous)
		return RC_OK;
	if (options->authenticate == NULL)
		*who = (struct principal){.role = ROLE_OPERATOR, .rights = RIGHTS_ALL};
	else
		rc = options->authenticate(rq);
	if (rc == RC_OK && who->role == ROLE_ANYONE && rq->route->access != ACCESS_PUBLIC)
		rc = RC_UNAUTHENTICATED;
	return rc;
}

static enum rc run_handler(struct req *rq, struct str param)
{
	enum rc rc = identify(rq);
	int tries = 0;

	if (rc == RC_OK)
		rc = rates_check(rq);
	if (rc == RC_OK)
		rc = parse(rq, param);
	if (rc == RC_OK)
		rc = access_check(rq->route->access, &rq->cx.principal);
	if (rc != RC_OK)
		return rc;
	do {
		reply_clear(rq);
		rc = rq->route->handler(rq);
	} while (rc == RC_CHANGED_MEANWHILE && ++tries < HANDLER_TRIES);
	if (rc == RC_OK && !rq->replied) {
		fprintf(stderr, "%s: returned RC_OK without a reply\n", rq->route->id);
		abort();
	}
	return rc;
}

static void serve(void *arg)
{
	struct call call = *(struct call *)arg;
	enum rc rc;

	ctx_enter(&call.rq->cx);
	rc = run_handler(call.rq, call.param);
	if (rc != RC_OK) {
		rc = checked_failure(call.rq, rc);
		reply_clear(call.rq);
		problem_reply(call.rq, rc);
	}
	send_reply(call.rq);
}

static const char *const method_names[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};

static void header_methods(struct req *rq, const char *name, unsigned allowed)
{
	const char *text = "OPTIONS";

	for (size_t i = ARRAY_LEN(method_names); i-- > 0 && text != NULL;)
		if (allowed >> i & 1)
			text = arena_printf(rq->cx.arena, "%s, %s", method_names[i], text);
	if (text != NULL)
		req_header(rq, name, text);
}

static void refuse(struct req *rq, enum rc rc)
{
	problem_reply(rq, rc);
	send_reply(rq);
}

/* No route takes it: nothing there, another method, or the question which methods there are. */
static void no_route(struct req *rq, const struct router_match *match)
{
	const struct cors *cors = req_cors(rq);

	if (match->allowed == 0) {
		refuse(rq, RC_NO_ROUTE);
		return;
	}
	header_methods(rq, "Allow", match->allowed);
	if (rq->http->method != HTTP_OPTIONS_) {
		refuse(rq, RC_BAD_METHOD);
		return;
	}
	rq->reply.status = 204;
	if (cors != NULL && cors_is_preflight(cors, rq->http)) {
		header_methods(rq, "Access-Control-Allow-Methods", match->allowed);
		req_header(rq, "Access-Control-Allow-Headers", cors->headers);
		req_header(rq, "Access-Control-Max-Age", cors->max_age);
	}
	send_reply(rq);
}

/* So little memory that there is not even a request: a fixed answer. */
static void answer_without_memory(struct http_exchange *exchange)
{
	struct http_reply reply = {
		.status = 503,
		.content_type = STR("application/problem+json"),
		.body = STR("{\"status\":503,\"success\":false,\"error\":\"out_of_memory\"}"),
		.close = true,
	};

	reply.lines[0] = security_headers(&reply, false);
	http_send(exchange, &reply);
}

static struct req *req_create(struct http_exchange *exchange)
{
	struct worker *worker = http_loop_user(exchange->loop);
	struct req *rq = arena_alloc(exchange->arena, sizeof(*rq));

	if (rq == NULL)
		return NULL;
	rq->http = exchange;
	rq->worker = worker;
	rq->strict = worker->dispatcher->options.strict;
	rq->issues.arena = exchange->arena;
	rq->cx.arena = exchange->arena;
	rq->cx.world = worker->dispatcher->options.world;
	rq->cx.now = world_now(rq->cx.world);
	rq->cx.ports = worker->rooms.ports;
	rq->cx.locals = worker->rooms.locals;
	rq->cx.only_reads = exchange->method == HTTP_GET_ || exchange->method == HTTP_HEAD_;
	rq->limits = worker->dispatcher->options.rates;
	if (exchange->admitted != NULL)
		rq->rate = *(const struct rate_state *)exchange->admitted;
	rq->lang = lang_from(http_header(exchange, "Accept-Language"));
	rq->cx.tracer = worker->dispatcher->options.tracer;
	request_trace_begin(rq);
	return rq;
}

static void handle(struct http_exchange *exchange, enum rc fault)
{
	struct req *rq = req_create(exchange);
	const struct router *router;
	struct router_match match;
	struct call call;

	if (rq == NULL) {
		answer_without_memory(exchange);
		return;
	}
	router = rq->worker->dispatcher->router;
	match = router_find(router, exchange->method, exchange->path);
	rq->route_index = match.route != NULL ? match.index : router_count(router);
	traffic_began(&rq->worker->traffic[rq->route_index]);
	/* That nothing takes it is told before its size, where its head could be read; and what would be
	 * taken. */
	if (fault != RC_OK && fault != RC_BAD_METHOD && (fault != RC_BODY_TOO_LARGE || match.route != NULL)) {
		refuse(rq, fault);
		return;
	}
	if (match.route == NULL) {
		no_route(rq, &match);
		return;
	}
	rq->route = match.route;
	rq->service = match.service;
	if (match.route->body != NULL && shape_is_secret(match.route->body))
		http_exchange_wipe(exchange);
	call = (struct call){.rq = rq, .param = match.param};
	if (fiber_run(http_loop_fibers(exchange->loop), serve, &call) != RC_OK)
		refuse(rq, RC_NO_MEMORY);
}

/* Before anything else is done for it: may that address ask at all? */
static enum rc admit_address(const struct worker *worker, struct http_exchange *exchange)
{
	struct rates *rates = worker->dispatcher->options.rates;
	struct rate_state *state;
	struct router_match match;
	enum rc rc;

	if (rates == NULL)
		return RC_OK;
	state = arena_alloc(exchange->arena, sizeof(*state));
	if (state == NULL)
		return RC_NO_MEMORY;
	exchange->admitted = state;
	rc = rates_admit(rates, exchange, state);
	if (rc == RC_OK)
		return RC_OK;
	match = router_find(worker->dispatcher->router, exchange->method, exchange->path);
	if (match.route == NULL || match.route->class != RATE_EXEMPT)
		return rc;
	exchange->admitted = NULL;
	return RC_OK;
}

static enum rc admit(struct http_exchange *exchange, size_t *ret_body_max)
{
	const struct worker *worker = http_loop_user(exchange->loop);
	struct router_match match;
	enum rc rc;

	*ret_body_max = BODY_MAX_DEFAULT;
	rc = admit_address(worker, exchange);
	if (rc != RC_OK || exchange->method == HTTP_GET_) /* no route reads a body of it */
		return rc;
	match = router_find(worker->dispatcher->router, exchange->method, exchange->path);
	if (match.route != NULL && match.route->body_max > 0)
		*ret_body_max = match.route->body_max;
	return RC_OK;
}

/* --- Threads ------------------------------------------------------------------ */

static void worker_stop(void *user)
{
	struct worker *worker = user;

	worker->dispatcher->options.close(worker->dispatcher->options.app, &worker->rooms);
	free(worker);
}

static void worker_rest(void *user)
{
	struct worker *worker = user;

	worker->dispatcher->options.rest(&worker->rooms);
}

static void *worker_start(struct http_loop *loop, void *arg)
{
	struct worker *worker = calloc(1, sizeof(*worker));

	if (worker == NULL)
		return NULL;
	worker->dispatcher = arg;
	worker->loop = loop;
	worker->traffic = counters_add(worker->dispatcher);
	if (worker->traffic == NULL ||
	    !worker->dispatcher->options.open(worker->dispatcher->options.app, &worker->rooms)) {
		worker_stop(worker);
		return NULL;
	}
	return worker;
}

const struct cors *req_cors(const struct req *rq)
{
	const struct cors_now *now = rq->worker->dispatcher->options.cors;

	return now != NULL ? cors_of(now) : NULL;
}

void *req_app(const struct req *rq)
{
	return rq->worker->dispatcher->options.app;
}

enum rc dispatcher_create(const struct dispatcher_options *options, struct dispatcher **ret)
{
	struct dispatcher *dispatcher = calloc(1, sizeof(*dispatcher));

	if (dispatcher == NULL)
		return RC_NO_MEMORY;
	dispatcher->options = *options;
	dispatcher_set_log_requests(dispatcher, options->log_requests);
	pthread_mutex_init(&dispatcher->lock, NULL);
	dispatcher->router = router_create(options->services, options->service_count);
	if (dispatcher->router == NULL) {
		dispatcher_destroy(dispatcher);
		return RC_NO_MEMORY;
	}
	*ret = dispatcher;
	return RC_OK;
}

void dispatcher_destroy(struct dispatcher *dispatcher)
{
	struct counters *next;

	if (dispatcher == NULL)
		return;
	router_destroy(dispatcher->router);
	for (struct counters *c = dispatcher->counters; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	pthread_mutex_destroy(&dispatcher->lock);
	free(dispatcher);
}

struct http_callbacks dispatcher_callbacks(struct dispatcher *dispatcher)
{
	return (struct http_callbacks){
		.admit = admit,
		.handle = handle,
		.thread_start = worker_start,
		.thread_rest = worker_rest,
		.thread_stop = worker_stop,
		.arg = dispatcher,
	};
}
