/* GET /health, /ready, /metrics -- how the process is, for those who watch over it. */
#include "gateway/gateway.h"

#include <inttypes.h>

/* Alive: the loop answers. Says nothing of what stands behind it. */
enum rc gateway_health(struct req *rq)
{
	return req_reply_raw(rq, 200, STR("application/json; charset=utf-8"),
			     STR("{\"status\":\"ok\",\"service\":\"marca\",\"version\":\"" MARCA_VERSION
				 "\"}"));
}

/* The services that have a store of their own, or are asked elsewhere: not a second one in the room of
 * another, nor one that is not configured. */
static size_t stores(const struct gateway *gateway, const struct service *ret[GATEWAY_SERVICES_MAX])
{
	bool seen[ROOM_COUNT] = {false};
	size_t count = 0;

	for (size_t i = 0; i < gateway->service_count; i++) {
		const struct service *service = gateway->services[i];

		if (!seen[service->room] && gateway->dbs[service->room] != NULL)
			ret[count++] = service;
		seen[service->room] = true;
	}
	return count;
}

/* Ready: every store answers just now. 503 when one does not, with the same body. */
enum rc gateway_ready(struct req *rq)
{
	const struct gateway *gateway = req_app(rq);
	const struct service *owners[GATEWAY_SERVICES_MAX];
	size_t count = stores(gateway, owners);
	bool all = true, good[GATEWAY_SERVICES_MAX];
	struct writer w;
	struct str body;

	for (size_t i = 0; i < count; i++) {
		good[i] = db_ping(gateway->dbs[owners[i]->room]) == RC_OK;
		all &= good[i];
	}
	writer_init(&w, rq->cx.arena, 256);
	write_raw(&w, all ? STR("{\"status\":\"ok\"") : STR("{\"status\":\"unavailable\""));
	write_raw(&w, STR(",\"service\":\"marca\",\"checks\":{"));
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			write_char(&w, ',');
		write_text(&w, str_from(owners[i]->name));
		write_raw(&w, good[i] ? STR(":\"ok\"") : STR(":\"unavailable\""));
	}
	write_raw(&w, STR("}}"));
	if (!writer_take(&w, &body))
		return RC_NO_MEMORY;
	return req_reply_raw(rq, all ? 200 : 503, STR("application/json; charset=utf-8"), body);
}

static void metric_head(struct writer *w, const char *name, const char *type, const char *help)
{
	write_format(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void metric(struct writer *w, const char *name, const char *type, const char *help, uint64_t value)
{
	metric_head(w, name, type, help);
	write_format(w, "%s %" PRIu64 "\n", name, value);
}

static void requests_by_route(struct writer *w, const struct dispatcher *dispatcher)
{
	const struct router *router = dispatcher_router(dispatcher);

	metric_head(w, "marca_requests_total", "counter", "Replies by operation and class of status.");
	for (size_t i = 0; i <= router_count(router); i++) {
		const char *operation = i < router_count(router) ? router_route(router, i)->id : "none";

		for (int class = 1; class < STATUS_CLASSES; class ++) {
			uint64_t count = dispatcher_count(dispatcher, i, class);

			if (count > 0)
				write_format(w,
					     "marca_requests_total{operation=\"%s\",status=\"%dxx\"} %" PRIu64
					     "\n",
					     operation, class, count);
		}
	}
}

/* How many writes share a commit: their quotient. */
static void writes_by_service(struct writer *w, const struct gateway *gateway)
{
	const struct service *owners[GATEWAY_SERVICES_MAX];
	size_t count = stores(gateway, owners);
	struct db_stats stats[GATEWAY_SERVICES_MAX];

	for (size_t i = 0; i < count; i++)
		db_stats(gateway->dbs[owners[i]->room], &stats[i]);
	metric_head(w, "marca_store_writes_total", "counter", "Requests whose change was committed.");
	for (size_t i = 0; i < count; i++)
		write_format(w, "marca_store_writes_total{service=\"%s\"} %" PRIu64 "\n", owners[i]->name,
			     stats[i].writes);
	metric_head(w, "marca_store_commits_total", "counter", "Commits.");
	for (size_t i = 0; i < count; i++)
		write_format(w, "marca_store_commits_total{service=\"%s\"} %" PRIu64 "\n", owners[i]->name,
			     stats[i].commits);
}

/* Prometheus text format, version 0.0.4. */
enum rc gateway_metrics(struct req *rq)
{
	const struct gateway *gateway = req_app(rq);
	struct http_stats stats;
	struct writer w;
	struct str body;

	http_server_stats(gateway->server, &stats);
	writer_init(&w, rq->cx.arena, 4096);
	metric(&w, "marca_connections_accepted_total", "counter", "Connections accepted.", stats.accepted);
	metric(&w, "marca_connections_refused_total", "counter", "Connections over the cap.", stats.refused);
	metric(&w, "marca_connections_open", "gauge", "Connections open now.", stats.open);
	metric(&w, "marca_http_requests_total", "counter", "Requests read.", stats.requests);
	metric(&w, "marca_http_received_bytes_total", "counter", "Bytes read.", stats.bytes_in);
	metric(&w, "marca_http_sent_bytes_total", "counter", "Bytes written.", stats.bytes_out);
	requests_by_route(&w, gateway->dispatcher);
	writes_by_service(&w, gateway);
	if (gateway->more_metrics != NULL)
		gateway->more_metrics(gateway->more_arg, &w);
	if (!writer_take(&w, &body))
		return RC_NO_MEMORY;
	return req_reply_raw(rq, 200, STR("text/plain; version=0.0.4; charset=utf-8"), body);
}
