/* GET /health, /ready, /metrics -- how the process is, for those who watch over it. */
#include "gateway/gateway.h"

#include "gateway/ready.h"
#include "http/caller.h"

#include <sodium.h>

#define JSON STR("application/json; charset=utf-8")

/* Alive: the loop answers. Says nothing of what stands behind it. */
enum rc gateway_health(struct req *rq)
{
	return req_reply_raw(rq, 200, JSON,
			     STR("{\"status\":\"ok\",\"service\":\"marca\",\"version\":\"" MARCA_VERSION
				 "\"}"));
}

/* "tenant,user,resource" */
static void write_services(struct writer *w, const struct gateway *gateway)
{
	bool first = true;

	write_char(w, '"');
	for (size_t i = 0; i < gateway->service_count; i++) {
		if (!gateway->here[gateway->services[i]->room])
			continue;
		if (!first)
			write_char(w, ',');
		first = false;
		write_raw(w, str_from(gateway->services[i]->name));
	}
	write_char(w, '"');
}

/* 503 has the same body. */
enum rc gateway_ready(struct req *rq)
{
	const struct gateway *gateway = req_app(rq);
	struct ready ready;
	struct writer w;
	struct str body;

	ready_check(&rq->cx, gateway, &ready);
	writer_init(&w, rq->cx.arena, 512);
	write_raw(&w, STR("{\"status\":"));
	write_text(&w, str_from(ready.status));
	write_raw(&w, STR(",\"service\":"));
	write_services(&w, gateway);
	write_raw(&w, STR(",\"checks\":{"));
	for (size_t i = 0; i < ready.count; i++) {
		if (i > 0)
			write_char(&w, ',');
		write_text(&w, str_from(ready.checks[i].name));
		write_char(&w, ':');
		write_text(&w, str_from(check_state_text[ready.checks[i].state]));
	}
	write_raw(&w, STR("}}"));
	if (!writer_take(&w, &body))
		return RC_NO_MEMORY;
	return req_reply_raw(rq, ready.good ? 200 : 503, JSON, body);
}

/* As long as the token is, whatever was sent. */
static bool token_sent(const struct req *rq, struct str token)
{
	struct str header = http_header(rq->http, "Authorization"), scheme = STR("Bearer ");

	return header.len == scheme.len + token.len &&
	       str_equal_nocase((struct str){header.p, scheme.len}, scheme) &&
	       sodium_memcmp(header.p + scheme.len, token.p, token.len) == 0;
}

/* Names of tenants are in it: not for strangers, who are not even told that it is there. */
static enum rc may_see_metrics(const struct req *rq, const struct gateway *gateway)
{
	if (gateway->metrics_token != NULL)
		return token_sent(rq, str_from(gateway->metrics_token)) ? RC_OK : RC_UNAUTHENTICATED;
	return !gateway->exposed || caller_is_here(rq->http) ? RC_OK : RC_NO_ROUTE;
}

/* Prometheus text format, version 0.0.4. */
enum rc gateway_metrics(struct req *rq)
{
	const struct gateway *gateway = req_app(rq);
	enum rc rc = may_see_metrics(rq, gateway);
	struct writer w;
	struct str body;

	if (rc != RC_OK)
		return rc;
	writer_init(&w, rq->cx.arena, 65536);
	gateway->metrics(gateway->arg, &rq->cx, &w);
	if (!writer_take(&w, &body))
		return RC_NO_MEMORY;
	return req_reply_raw(rq, 200, STR("text/plain; version=0.0.4; charset=utf-8"), body);
}
