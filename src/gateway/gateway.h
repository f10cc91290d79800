/*
 * The gateway: what stands around the API. Landing page, API documents and their pages, the state of
 * the process for people and machines.
 */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "db/db.h"
#include "http/dispatch.h"

#include <pthread.h>

/* The services in the order of the pages; the gateway itself comes last and is not among them. */
#define GATEWAY_SERVICES_MAX 16

struct gateway {
	const struct service *const *services;
	size_t service_count;
	struct db *const *dbs; /* by room */
	const bool *here;      /* by room: this process runs it */
	const struct http_server *server;
	bool exposed;		   /* strangers may reach it */
	const char *metrics_token; /* NULL: none is asked for */
	/* What the process knows beyond this: the page of /metrics, on the fiber that asks; whether the bus
	 * could be reached some seconds ago. */
	void (*metrics)(void *arg, struct ctx *cx, struct writer *writer);
	bool (*bus_works)(void *arg);
	void *arg;
	struct documents {
		pthread_mutex_t lock;
		struct arena arena;
		struct str text[GATEWAY_SERVICES_MAX + 1]; /* a service's OpenAPI each, then that of all */
	} documents;
};

extern const struct service gateway_service;

/* req_app() must be a struct gateway when the gateway's routes are served. */
enum rc gateway_init(struct gateway *gateway, const struct service *const *services, size_t count,
		     struct db *const *dbs) MUST_USE;
void gateway_finish(struct gateway *gateway);

/* The handlers. */
enum rc gateway_landing(struct req *rq);
enum rc gateway_reset(struct req *rq);
enum rc gateway_docs(struct req *rq);
enum rc gateway_api_page(struct req *rq);
enum rc gateway_api_document(struct req *rq);
enum rc gateway_whole_document(struct req *rq);
enum rc gateway_asset(struct req *rq);
enum rc gateway_health(struct req *rq);
enum rc gateway_ready(struct req *rq);
enum rc gateway_metrics(struct req *rq);

#endif
