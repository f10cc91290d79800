/* GET /health, /ready, /metrics -- how the process is, for those who watch over it. */
#include "gateway/gateway.h"

#include <inttypes.h>
#include <stdio.h>

/* Alive: the loop answers. Says nothing of what stands behind it. */
enum rc gateway_health(struct req *rq)
{
	return req_reply_raw(rq, 200, STR("application/json; charset=utf-8"),
			     STR("{\"status\":\"ok\",\"service\":\"marca\",\"version\":\"" MARCA_VERSION
				 "\"}"));
}

/* Ready: every store answers just now. 503 when one does not, with the same body. */
enum rc gateway_ready(struct req *rq)
{
	const struct gateway *gateway = req_app(rq);
	bool all = true, good[ROOM_COUNT];
	struct writer w;
	struct str body;

	for (size_t i = 0; i < gateway->service_count; i++) {
		good[i] = db_ping(gateway->dbs[gateway->services[i]->room]) == RC_OK;
		all &= good[i];
	}
	writer_init(&w, rq->cx.arena, 256);
	write_raw(&w, all ? STR("{\"status\":\"ok\"") : STR("{\"status\":\"unavailable\""));
	write_raw(&w, STR(",\"service\":\"marca\",\"checks\":{"));
	for (size_t i = 0; i < gateway->service_count; i++) {
		if (i > 0)
			write_char(&w, ',');
		write_text(&w, str_from(gateway->services[i]->name));
		write_raw(&w, good[i] ? STR(":\"ok\"") : STR(":\"unavailable\""));
	}
	write_raw(&w, STR("}}"));
	if (!writer_take(&w, &body))
		return RC_NO_MEMORY;
	return req_reply_raw(rq, all ? 200 : 503, STR("application/json; charset=utf-8"), body);
}

static void metric(struct writer *w, const char *name, const char *type, const char *help, uint64_t value)
{
	char line[256];
	int len = snprintf(line, sizeof(line), "# HELP %s %s\n# TYPE %s %s\n%s %" PRIu64 "\n", name, help,
			   name, type, name, value);

	write_raw(w, (struct str){line, (size_t)len});
}

static void requests_by_route(struct writer *w, const struct dispatcher *dispatcher)
{
	const struct router *router = dispatcher_router(dispatcher);
	char line[256];
	int len;

	write_raw(w, STR("# HELP marca_requests_total Replies by operation and class of status.\n"
			 "# TYPE marca_requests_total counter\n"));
	for (size_t i = 0; i <= router_count(router); i++) {
		const char *operation = i < router_count(router) ? router_route(router, i)->id : "none";

		for (int class = 1; class < STATUS_CLASSES; class ++) {
			uint64_t count = dispatcher_count(dispatcher, i, class);

			if (count == 0)
				continue;
			len = snprintf(line, sizeof(line),
				       "marca_requests_total{operation=\"%s\",status=\"%dxx\"} %" PRIu64 "\n",
				       operation, class, count);
			write_raw(w, (struct str){line, (size_t)len});
		}
	}
}

/* How many writes share a commit: their quotient. */
static void writes_by_service(struct writer *w, const struct gateway *gateway)
{
	struct db_stats stats[ROOM_COUNT];
	char line[256];
	int len;

	for (size_t i = 0; i < gateway->service_count; i++)
		db_stats(gateway->dbs[gateway->services[i]->room], &stats[i]);
	for (int commits = 0; commits < 2; commits++) {
		write_raw(
			w,
			commits ? STR("# HELP marca_store_commits_total Commits.\n"
				      "# TYPE marca_store_commits_total counter\n")
				: STR("# HELP marca_store_writes_total Requests whose change was committed.\n"
				      "# TYPE marca_store_writes_total counter\n"));
		for (size_t i = 0; i < gateway->service_count; i++) {
			len = snprintf(line, sizeof(line),
				       "marca_store_%s_total{service=\"%s\"} %" PRIu64 "\n",
				       commits ? "commits" : "writes", gateway->services[i]->name,
				       commits ? stats[i].commits : stats[i].writes);
			write_raw(w, (struct str){line, (size_t)len});
		}
	}
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
	if (!writer_take(&w, &body))
		return RC_NO_MEMORY;
	return req_reply_raw(rq, 200, STR("text/plain; version=0.0.4; charset=utf-8"), body);
}
