/*
 * A request as a handler sees it: parsed, in range, on a fiber. A handler makes one
 * reply and returns RC_OK, or returns the row of errors.def that says why not; the dispatcher does the rest.
 */
#ifndef HTTP_REQ_H
#define HTTP_REQ_H

#include "base/ctx.h"
#include "http/route.h"
#include "json/write.h"

struct span;
struct worker;

struct req {
	struct ctx cx; /* first: &rq->cx goes to stores, clients and rules */
	struct http_exchange *http;
	const struct service *service;
	const struct route *route;
	size_t route_index; /* among the router's; its count: no route takes it */
	struct worker *worker;
	const void *body, *query; /* through BODY() and QUERY() */
	struct uuid id;		  /* {id} of the path */
	const char *param;	  /* {name} of the path, decoded; NULL: it was an id */
	enum lang lang;
	struct issues issues;
	struct span *span; /* of the request; NULL: not wanted */
	struct http_reply reply;
	bool replied;
	bool strict; /* a reply that the route's row does not name ends the process: in development, and in
			tests */
	struct rates *limits; /* NULL: none */
	struct rate_state rate;
	size_t trace_headers; /* the first so many of the reply stay, whatever becomes of it */
	/* A list that goes into the body of an error, besides its usual members: `conflicts`. */
	const char *extra_name;
	const struct shape *extra_shape;
	struct list extra;
};

/* The parsed body and query; aborts when the route's row names another shape. */
#define BODY(rq, T)  ((const struct T *)req_body((rq), &T##_shape))
#define QUERY(rq, T) ((const struct T *)req_query((rq), &T##_shape))
const void *req_body(const struct req *rq, const struct shape *shape);
const void *req_query(const struct req *rq, const struct shape *shape);

/* REPLY(rq, 201, booking, &row): the status and shape must stand in the route's row. */
#define REPLY(rq, status, T, object) req_reply((rq), (status), &T##_shape, (object))
enum rc req_reply(struct req *rq, int status, const struct shape *shape, const void *object) MUST_USE;
/* A body of that shape that was made before; it must stand until the handler has returned, and is copied
 * then. */
enum rc req_reply_ready(struct req *rq, int status, const struct shape *shape, struct str body) MUST_USE;
enum rc req_reply_empty(struct req *rq, int status) MUST_USE;
enum rc req_reply_raw(struct req *rq, int status, struct str type, struct str body) MUST_USE;

/* Value must live in the request's arena. */
void req_header(struct req *rq, const char *name, const char *value);
enum rc req_location(struct req *rq, const char *collection, const struct uuid *id) MUST_USE;
enum rc req_etag(struct req *rq, int64_t version) MUST_USE;

/* RC_OK without If-Match, or when it names this version (or *); else RC_STALE. */
enum rc req_if_match(const struct req *rq, int64_t version) MUST_USE;

/* Nothing was changed because the row moved: RC_STALE when the client named a version, else the handler runs
 * again. */
enum rc req_changed_meanwhile(const struct req *rq) MUST_USE;

/* --- Tenants ------------------------------------------------------------------ */

/*
 * The tenant that this request is about: of whoever has one, his own; the operator names one.
 * RC_TENANT_UNKNOWN when he names another's. `named` is nil when none was; that the operator must is told
 * with the query, where that has a tenant_id.
 */
enum rc req_tenant(const struct req *rq, const struct uuid *named, struct uuid *ret) MUST_USE;

/* Does the principal have a tenant? *ret is that one. If not, he is the operator (or, on a public route,
 * anyone). */
bool req_own_tenant(const struct req *rq, struct uuid *ret);

/* Adds an issue with body field `name`; always RC_INVALID. */
enum rc req_invalid(struct req *rq, const char *name, enum issue_kind kind) MUST_USE;

/* --- Lists ------------------------------------------------------------------ */

/* Ask the store for one more than the page holds: that tells whether there is a next one. */
#define PAGE_ROWS(query) ((query)->limit + 1)

/* The position after which the page begins: the sort key of the last row of the page before. Zero: the start.
 */
struct cursor {
	int64_t number;
	struct uuid id;
};

/* The start of the list when `text` is NULL. Its form was checked with the query. */
struct cursor cursor_from(const char *text);

/* Before the reply to a page that ends elsewhere than at a row it shows: the next one begins after `cursor`.
 */
enum rc req_next_page(struct req *rq, const struct cursor *cursor) MUST_USE;

/*
 * 200 with `count` rows, or with `limit` of them and the next cursor, which `key` reads off the
 * last row shown.
 */
#define REPLY_LIST(rq, T, rows, count, limit, key) \
	req_reply_list((rq), &T##_shape, (rows), (count), (limit), (key))
enum rc req_reply_list(struct req *rq, const struct shape *shape, const void *rows, size_t count,
		       int64_t limit, struct cursor (*key)(const void *row)) MUST_USE;

#endif
