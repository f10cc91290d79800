/* Pages, their assets and the API's documents: bytes that are in the binary, or are made when first asked
 * for. */
#include "gateway/assets.h"
#include "gateway/gateway.h"

#include "http/openapi.h"

enum rc gateway_init(struct gateway *gateway, const struct service *const *services, size_t count,
		     struct db *const *dbs)
{
	if (count > GATEWAY_SERVICES_MAX)
		return RC_INTERNAL;
	*gateway = (struct gateway){.services = services, .service_count = count, .dbs = dbs};
	pthread_mutex_init(&gateway->documents.lock, NULL);
	arena_init(&gateway->documents.arena, NULL);
	return RC_OK;
}

void gateway_finish(struct gateway *gateway)
{
	if (gateway->services == NULL)
		return;
	arena_finish(&gateway->documents.arena);
	pthread_mutex_destroy(&gateway->documents.lock);
}

static enum rc serve(struct req *rq, struct str path)
{
	const struct asset *asset = asset_find(path);
	struct str known = http_header(rq->http, "If-None-Match");

	if (asset == NULL)
		return RC_NO_ROUTE;
	req_header(rq, "ETag", asset->etag);
	req_header(rq, "Cache-Control", "no-cache");
	if (str_equal(known, str_from(asset->etag)))
		return req_reply_empty(rq, 304);
	return req_reply_raw(rq, 200, str_from(asset->content_type),
			     (struct str){(const char *)asset->bytes, asset->size});
}

enum rc gateway_landing(struct req *rq)
{
	return serve(rq, STR("/assets/index.html"));
}

enum rc gateway_reset(struct req *rq)
{
	return serve(rq, STR("/assets/reset.html"));
}

enum rc gateway_asset(struct req *rq)
{
	return serve(rq, rq->http->path);
}

enum rc gateway_docs(struct req *rq)
{
	req_header(rq, "Location", "/");
	return req_reply_empty(rq, 308);
}

/* The service that {collection} of the path names; service_count when there is none. */
static size_t service_named(const struct req *rq, const struct gateway *gateway)
{
	size_t i = 0;

	while (i < gateway->service_count && strcmp(gateway->services[i]->collection, rq->param) != 0)
		i++;
	return i;
}

enum rc gateway_api_page(struct req *rq)
{
	const struct gateway *gateway = req_app(rq);

	if (service_named(rq, gateway) == gateway->service_count)
		return RC_NO_ROUTE;
	return serve(rq, STR("/assets/api-docs.html"));
}

/*
 * A service's document, or at service_count that of all. Made once: it holds this loop up for some
 * milliseconds, and to make all of them at the start would take most of its time, for pages that few
 * processes are asked for.
 */
static enum rc find_document(struct gateway *gateway, size_t index, struct str *ret)
{
	struct documents *documents = &gateway->documents;
	bool all = index == gateway->service_count;
	enum rc rc = RC_OK;

	pthread_mutex_lock(&documents->lock);
	if (documents->text[index].p == NULL)
		rc = openapi_write(&documents->arena, gateway->services + (all ? 0 : index), all ? index : 1,
				   &documents->text[index]);
	*ret = documents->text[index];
	pthread_mutex_unlock(&documents->lock);
	return rc;
}

static enum rc document(struct req *rq, size_t index)
{
	struct str text;
	enum rc rc = find_document(req_app(rq), index, &text);

	if (rc != RC_OK)
		return rc;
	req_header(rq, "Cache-Control", "no-cache");
	return req_reply_raw(rq, 200, STR("application/json; charset=utf-8"), text);
}

enum rc gateway_api_document(struct req *rq)
{
	const struct gateway *gateway = req_app(rq);
	size_t index = service_named(rq, gateway);

	return index < gateway->service_count ? document(rq, index) : RC_NO_ROUTE;
}

enum rc gateway_whole_document(struct req *rq)
{
	return document(rq, ((const struct gateway *)req_app(rq))->service_count);
}
