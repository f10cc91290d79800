/* The gateway's routes: pages and the state of the process; none is part of the API's documents. */
#include "gateway/gateway.h"

/* clang-format off */
#define PAGE(path_, id_, summary_, handler_, ...)                                                          \
	{                                                                                                  \
		.method = HTTP_GET_, .path = (path_), .id = (id_), .summary = (summary_),                  \
		.access = ACCESS_PUBLIC, .anonymous = true, .hidden = true, .handler = (handler_), __VA_ARGS__                \
	}

static const struct route routes[] = {
	PAGE("/", "landing", "What marca is, and how it is.", gateway_landing, .replies = {{200}, {304}}, .errors = {RC_NO_ROUTE}),
	PAGE("/reset", "reset", "A new password by a link.", gateway_reset, .replies = {{200}, {304}}, .errors = {RC_NO_ROUTE}),
	PAGE("/docs", "docs", "Where the documentation begins.", gateway_docs, .replies = {{308}}),
	PAGE("/openapi.json", "openapi", "The API of all services.", gateway_whole_document, .replies = {{200}}),
	PAGE("/api-docs/{collection}", "apiPage", "Try the API of one service.", gateway_api_page, .replies = {{200}, {304}}, .errors = {RC_NO_ROUTE}),
	PAGE("/api-docs/{collection}/openapi.json", "apiDocument", "The API of one service.", gateway_api_document, .replies = {{200}}, .errors = {RC_NO_ROUTE}),
	PAGE("/assets/{file}", "asset", "What pages are made of.", gateway_asset, .replies = {{200}, {304}}, .errors = {RC_NO_ROUTE}),
	PAGE("/health", "health", "Alive.", gateway_health, .class = RATE_EXEMPT, .replies = {{200}}),
	PAGE("/ready", "ready", "It can do its work.", gateway_ready, .class = RATE_EXEMPT, .replies = {{200}, {503}}),
	PAGE("/metrics", "metrics", "Counters, for Prometheus.", gateway_metrics, .replies = {{200}}, .errors = {RC_NO_ROUTE, RC_UNAUTHENTICATED}),
};
/* clang-format on */

const struct service gateway_service = {
	.name = "gateway",
	.collection = "gateway",
	.title = "Gateway",
	.doc = "Pages, and the state of the process.",
	.room = -1,
	.routes = routes,
	.route_count = ARRAY_LEN(routes),
};
