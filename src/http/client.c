/*
 * See client.h. libcurl's multi interface on one thread. Each transfer lies on the stack of the fiber that
 * waits for it: made there, handed to the thread, given back.
 */
#include "http/client.h"

#include "base/fiber.h"
#include "http/address.h"
#include "http/traceparent.h"
#include "trace/span.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define TIMEOUT_MS	   5000
#define CONNECT_TIMEOUT_MS 3000
#define ANSWER_MAX	   ((size_t)256 * 1024)
#define URL_MAX		   4096
/* A slow server takes at most so many of all calls' connections. */
#define CONNECTIONS_A_HOST 16
#define CONNECTIONS_KEPT   32
/* libcurl keeps its own deadlines; this only bounds a wait for nothing. */
#define REST_MS 60000

const char *const http_outcome_text[HTTP_OUTCOME_COUNT] =
	{[HTTP_ANSWERED] = "answered",	[HTTP_REFUSED] = "refused",	[HTTP_UNREACHABLE] = "unreachable",
	 [HTTP_LATE] = "late",		[HTTP_TOO_LARGE] = "too large", [HTTP_BUSY] = "busy",
	 [HTTP_NO_MEMORY] = "no memory"};

static const char *const methods[] = {[HTTP_GET_] = "GET",
				      [HTTP_POST_] = "POST",
				      [HTTP_PUT_] = "PUT",
				      [HTTP_PATCH_] = "PATCH",
				      [HTTP_DELETE_] = "DELETE"};

struct transfer {
	struct transfer *next;
	struct fiber *fiber;
	const struct http_client *client;
	CURLU *url;
	CURL *easy;
	struct curl_slist *headers;
	bool plain; /* no TLS */
	char *body;
	size_t len, size, max;
	bool refused, too_large, no_memory;
	CURLcode code;
};

struct http_client {
	struct http_client_options options;
	CURLM *multi;
	pthread_mutex_t lock;
	pthread_t thread;
	bool started;
	bool closing;
	struct transfer *oldest, **end; /* that the thread has not seen yet */
	size_t under_way;
};

/* --- May it be asked? ------------------------------------------------------- */

static bool part_is(CURLU *url, CURLUPart part, const char *text)
{
	char *found = NULL;
	bool is = curl_url_get(url, part, &found, 0) == CURLUE_OK && strcmp(found, text) == 0;

	curl_free(found);
	return is;
}

static bool has_part(CURLU *url, CURLUPart part)
{
	char *found = NULL;
	bool has = curl_url_get(url, part, &found, 0) == CURLUE_OK;

	curl_free(found);
	return has;
}

/* Of a host that is an address and no name: may it be asked? The brackets of IPv6 do not belong to it. */
static bool host_allowed(const struct http_client *client, CURLU *url)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	char *host = NULL;
	bool allowed = true;

	if (client->options.development || client->options.trusted)
		return true;
	if (curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		return false;
	if (host[0] == '[')
		host[strlen(host) - 1] = '\0';
	if (inet_pton(AF_INET, host, &v4.sin_addr) == 1)
		allowed = address_is_public((const struct sockaddr *)&v4);
	else if (host[0] == '[')
		allowed = inet_pton(AF_INET6, host + 1, &v6.sin6_addr) == 1 &&
			  address_is_public((const struct sockaddr *)&v6);
	curl_free(host);
	return allowed;
}

/* What libcurl reads is what it then asks: one parser. NULL: not a URL that may be asked. */
static CURLU *url_taken(const struct http_client *client, const char *text, bool *ret_plain)
{
	CURLU *url = strnlen(text, URL_MAX + 1) <= URL_MAX ? curl_url() : NULL;

	if (url == NULL)
		return NULL;
	if (curl_url_set(url, CURLUPART_URL, text, CURLU_DISALLOW_USER) == CURLUE_OK &&
	    !has_part(url, CURLUPART_FRAGMENT)) {
		*ret_plain = part_is(url, CURLUPART_SCHEME, "http");
		if ((part_is(url, CURLUPART_SCHEME, "https") ||
		     (*ret_plain && (client->options.development || client->options.trusted))) &&
		    host_allowed(client, url))
			return url;
	}
	curl_url_cleanup(url);
	return NULL;
}

bool http_client_takes(const struct http_client *client, const char *text)
{
	bool plain;
	CURLU *url = url_taken(client, text, &plain);

	curl_url_cleanup(url);
	return url != NULL;
}

static bool may_connect(const struct transfer *transfer, const struct sockaddr *address)
{
	if (transfer->client->options.trusted)
		return true;
	if (!transfer->client->options.development)
		return address_is_public(address);
	return !transfer->plain || address_is_loopback(address);
}

/* The one place where a socket is made, for the address that it will be connected to. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *transfer = arg;

	if (purpose != CURLSOCKTYPE_IPCXN || !may_connect(transfer, &address->addr)) {
		transfer->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* --- What comes -------------------------------------------------------------- */

/* Answers hold tokens: nothing of them stays in memory that is given back. */
static void drop_body(struct transfer *transfer)
{
	if (transfer->body != NULL)
		explicit_bzero(transfer->body, transfer->len);
	free(transfer->body);
}

static bool grow(struct transfer *transfer, size_t needed)
{
	size_t size = transfer->size > 0 ? transfer->size : 4096;
	char *body;

	if (needed <= transfer->size)
		return true;
	while (size < needed)
		size *= 2;
	body = malloc(size);
	if (body == NULL)
		return false;
	if (transfer->len > 0)
		memcpy(body, transfer->body, transfer->len);
	drop_body(transfer);
	transfer->body = body;
	transfer->size = size;
	return true;
}

/* Less than all ends the transfer. */
static size_t take_body(char *bytes, size_t one, size_t len, void *arg)
{
	struct transfer *transfer = arg;

	(void)one;
	if (len > transfer->max - transfer->len) {
		transfer->too_large = true;
		return 0;
	}
	if (!grow(transfer, transfer->len + len)) {
		transfer->no_memory = true;
		return 0;
	}
	memcpy(transfer->body + transfer->len, bytes, len);
	transfer->len += len;
	return len;
}

/* --- The thread ---------------------------------------------------------------- */

static void finish(struct http_client *client, struct transfer *transfer, CURLcode code)
{
	transfer->code = code;
	pthread_mutex_lock(&client->lock);
	client->under_way--;
	pthread_mutex_unlock(&client->lock);
	fiber_wake(transfer->fiber); /* from here on it may be gone */
}

static void begin_waiting(struct http_client *client)
{
	struct transfer *transfer, *next;

	pthread_mutex_lock(&client->lock);
	transfer = client->oldest;
	client->oldest = NULL;
	client->end = &client->oldest;
	pthread_mutex_unlock(&client->lock);
	for (; transfer != NULL; transfer = next) {
		next = transfer->next;
		if (curl_multi_add_handle(client->multi, transfer->easy) != CURLM_OK)
			finish(client, transfer, CURLE_OUT_OF_MEMORY);
	}
}

static void finish_done(struct http_client *client)
{
	struct transfer *transfer;
	CURLMsg *message;
	CURLcode code;
	int left;

	while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE)
			continue;
		code = message->data.result;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		curl_multi_remove_handle(client->multi, transfer->easy);
		finish(client, transfer, code);
	}
}

static bool is_closing(struct http_client *client)
{
	bool closing;

	pthread_mutex_lock(&client->lock);
	closing = client->closing;
	pthread_mutex_unlock(&client->lock);
	return closing;
}

static void *work(void *arg)
{
	struct http_client *client = arg;
	int running;

	while (!is_closing(client)) {
		begin_waiting(client);
		curl_multi_perform(client->multi, &running);
		finish_done(client);
		curl_multi_poll(client->multi, NULL, 0, REST_MS, NULL);
	}
	return NULL;
}

/* --- The asking side --------------------------------------------------------------- */

static bool enqueue(struct http_client *client, struct transfer *transfer)
{
	bool room;

	pthread_mutex_lock(&client->lock);
	if (!client->started)
		client->started = pthread_create(&client->thread, NULL, work, client) == 0;
	room = client->started && client->under_way < HTTP_CALLS_MAX;
	if (room) {
		*client->end = transfer;
		client->end = &transfer->next;
		client->under_way++;
	}
	pthread_mutex_unlock(&client->lock);
	if (room)
		curl_multi_wakeup(client->multi);
	return room;
}

static bool set_headers(struct transfer *transfer, const struct http_call *call)
{
	/* No wait for "100 Continue". */
	struct curl_slist *more = curl_slist_append(NULL, "Expect:");

	transfer->headers = more;
	for (size_t i = 0; more != NULL && i < ARRAY_LEN(call->headers) && call->headers[i] != NULL; i++)
		more = curl_slist_append(transfer->headers, call->headers[i]);
	return more != NULL &&
	       curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers) == CURLE_OK;
}

static bool set_request(CURL *easy, const struct http_call *call)
{
	bool good = true;

	if (call->method == HTTP_GET_)
		return curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) == CURLE_OK;
	if (call->method != HTTP_DELETE_ || call->body.len > 0)
		good = curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK &&
		       curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len) ==
			       CURLE_OK &&
		       curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body.p != NULL ? call->body.p : "") ==
			       CURLE_OK;
	return good && curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, methods[call->method]) == CURLE_OK;
}

/* Whatever holds for every call. */
static bool set_rules(struct transfer *transfer, const struct http_call *call)
{
	const char *ca_file = transfer->client->options.ca_file;
	long timeout = call->timeout_ms > 0 ? call->timeout_ms : TIMEOUT_MS;
	CURL *easy = transfer->easy;
	CURLcode code = CURLE_OK;

#define SET(option, value) (code = code != CURLE_OK ? code : curl_easy_setopt(easy, (option), (value)))
	SET(CURLOPT_CURLU, transfer->url);
	SET(CURLOPT_PROTOCOLS_STR, transfer->plain ? "http" : "https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_HTTP_VERSION,
	    transfer->client->options.trusted ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_HTTP09_ALLOWED, 0L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	if (ca_file != NULL)
		SET(CURLOPT_CAINFO, ca_file);
	SET(CURLOPT_USERAGENT, "marca/" MARCA_VERSION);
	SET(CURLOPT_NOSIGNAL, 1L);
	/* A name that is still looked up when the time is over is left to its own thread. */
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_TIMEOUT_MS, timeout);
	SET(CURLOPT_CONNECTTIMEOUT_MS, timeout < CONNECT_TIMEOUT_MS ? timeout : (long)CONNECT_TIMEOUT_MS);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_OPENSOCKETDATA, transfer);
	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_WRITEDATA, transfer);
	SET(CURLOPT_PRIVATE, transfer);
#undef SET
	return code == CURLE_OK;
}

static enum http_outcome prepare(struct transfer *transfer, const struct http_call *call)
{
	transfer->max = call->answer_max > 0 ? call->answer_max : ANSWER_MAX;
	transfer->url = url_taken(transfer->client, call->url, &transfer->plain);
	if (transfer->url == NULL)
		return HTTP_REFUSED;
	transfer->easy = curl_easy_init();
	if (transfer->easy == NULL || !set_rules(transfer, call) || !set_request(transfer->easy, call) ||
	    !set_headers(transfer, call))
		return HTTP_NO_MEMORY;
	return HTTP_ANSWERED;
}

static enum http_outcome outcome(const struct transfer *transfer)
{
	if (transfer->code == CURLE_OK)
		return HTTP_ANSWERED;
	if (transfer->too_large)
		return HTTP_TOO_LARGE;
	if (transfer->no_memory || transfer->code == CURLE_OUT_OF_MEMORY)
		return HTTP_NO_MEMORY;
	if (transfer->refused && transfer->code == CURLE_COULDNT_CONNECT)
		return HTTP_REFUSED;
	return transfer->code == CURLE_OPERATION_TIMEDOUT ? HTTP_LATE : HTTP_UNREACHABLE;
}

static enum http_outcome answer(const struct transfer *transfer, struct arena *arena, struct http_answer *ret)
{
	struct http_answer got = {
		.body = {arena_text(arena, (struct str){transfer->body, transfer->len}), transfer->len}};
	const char *type = NULL;
	long status = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_TYPE, &type);
	got.status = (int)status;
	if (type != NULL)
		got.type = str_from(arena_text(arena, str_from(type)));
	if (got.body.p == NULL || (type != NULL && got.type.p == NULL))
		return HTTP_NO_MEMORY;
	*ret = got;
	return HTTP_ANSWERED;
}

/* --- Of which trace it is ---------------------------------------------------------------- */

static bool add_header(struct transfer *transfer, const char *line)
{
	struct curl_slist *more = curl_slist_append(transfer->headers, line);

	if (more == NULL)
		return false;
	transfer->headers = more;
	return curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers) == CURLE_OK;
}

static bool add_trace(struct transfer *transfer, const struct ctx *cx)
{
	static const char name[] = "traceparent: ", state[] = "tracestate: ";
	char line[sizeof(state) + TRACESTATE_MAX];

	if (cx->span_id[0] == '\0')
		return true;
	memcpy(line, name, sizeof(name));
	traceparent_write(line + sizeof(name) - 1, cx->trace_id, cx->span_id, cx->sampled);
	if (!add_header(transfer, line))
		return false;
	if (cx->trace_state == NULL)
		return true;
	snprintf(line, sizeof(line), "%s%s", state, cx->trace_state);
	return add_header(transfer, line);
}

/* The host, and no more: paths and queries may tell of somebody. */
static void describe(struct span *span, const struct transfer *transfer, const struct http_call *call)
{
	char *host = NULL;

	if (span == NULL)
		return;
	span_text(span, "http.request.method", methods[call->method]);
	if (transfer->url != NULL && curl_url_get(transfer->url, CURLUPART_HOST, &host, 0) == CURLUE_OK)
		span_text(span, "server.address", host);
	curl_free(host);
}

static void end_span(struct span *span, enum http_outcome how, const struct http_answer *answer)
{
	char status[16];

	if (span == NULL)
		return;
	if (how != HTTP_ANSWERED) {
		span_end(span, http_outcome_text[how]);
		return;
	}
	span_number(span, "http.response.status_code", answer->status);
	snprintf(status, sizeof(status), "%d", answer->status);
	span_end(span, answer->status >= 400 ? status : NULL);
}

enum http_outcome http_client_call(struct http_client *client, struct arena *arena,
				   const struct http_call *call, struct http_answer *ret)
{
	struct transfer transfer = {.client = client, .fiber = fiber_self()};
	struct ctx *cx = ctx_current();
	struct span *span = span_begin(cx, SPAN_CLIENT, methods[call->method]);
	enum http_outcome how = prepare(&transfer, call);

	if (how == HTTP_ANSWERED && cx != NULL && !add_trace(&transfer, cx))
		how = HTTP_NO_MEMORY;
	describe(span, &transfer, call);
	if (how == HTTP_ANSWERED && !enqueue(client, &transfer))
		how = HTTP_BUSY;
	if (how == HTTP_ANSWERED) {
		fiber_wait();
		how = outcome(&transfer);
	}
	if (how == HTTP_ANSWERED)
		how = answer(&transfer, arena, ret);
	end_span(span, how, ret);
	curl_easy_cleanup(transfer.easy);
	curl_slist_free_all(transfer.headers);
	curl_url_cleanup(transfer.url);
	drop_body(&transfer);
	return how;
}

/* --- Life ----------------------------------------------------------------------------- */

struct http_client *http_client_create(const struct http_client_options *options)
{
	struct http_client *client;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return NULL;
	client = calloc(1, sizeof(*client));
	if (client == NULL) {
		curl_global_cleanup();
		return NULL;
	}
	client->options = *options;
	client->end = &client->oldest;
	pthread_mutex_init(&client->lock, NULL);
	client->multi = curl_multi_init();
	if (client->multi == NULL) {
		http_client_destroy(client);
		return NULL;
	}
	curl_multi_setopt(client->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)CONNECTIONS_A_HOST);
	curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
	return client;
}

void http_client_destroy(struct http_client *client)
{
	if (client == NULL)
		return;
	if (client->started) {
		pthread_mutex_lock(&client->lock);
		client->closing = true;
		pthread_mutex_unlock(&client->lock);
		curl_multi_wakeup(client->multi);
		pthread_join(client->thread, NULL);
	}
	curl_multi_cleanup(client->multi);
	pthread_mutex_destroy(&client->lock);
	free(client);
	curl_global_cleanup();
}
