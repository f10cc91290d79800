/*
 * One row an endpoint. From these rows come the router, the parsing of path,
 * query and body, the OpenAPI document, the access rules and the metrics.
 */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include "base/config.h"
#include "base/principal.h"
#include "http/rates.h"
#include "http/server.h"
#include "json/shape.h"

struct req;
struct world; /* base/world.h */

/* Who may ask. What he may ask of which row (his own, his tenant's) is the handler's; see also req_tenant().
 */
enum access {
	ACCESS_PUBLIC,	  /* anyone */
	ACCESS_USER,	  /* whoever belongs to a tenant */
	ACCESS_BOOK,	  /* holds can_book */
	ACCESS_RESOURCES, /* holds can_manage_resources */
	ACCESS_USERS,	  /* holds can_manage_users */
	ACCESS_ADMIN,	  /* staff of the tenant */
	ACCESS_OPERATOR,  /* who runs marca */
	ACCESS_SERVICE,	  /* another service of this marca; nobody else learns that there is such a route */
	ACCESS_COUNT
};

struct access_info {
	const char *doc; /* for the API's documents */
	enum role role;	 /* from this one on; staff and the operator hold every right */
	unsigned rights; /* and all of these */
};

extern const struct access_info access_table[ACCESS_COUNT];

/* RC_OK; RC_UNAUTHENTICATED when he has not said who he is; RC_FORBIDDEN. */
enum rc access_check(enum access access, const struct principal *who) MUST_USE;

struct route_reply {
	int status;
	const struct shape *shape; /* NULL: no body, or one of `type` that is no JSON of a shape */
	bool list;
	const char *type; /* its media type; NULL with a shape: application/json */
	const char *doc;
};

#define ROUTE_REPLIES_MAX 3
#define ROUTE_ERRORS_MAX  20

struct route {
	enum http_method method; /* HEAD follows from GET, OPTIONS from all */
	const char *path;	 /* "/tenants/{id}/settings"; {id} is a UUID, any other {name} a text */
	const char *id;		 /* OpenAPI operationId */
	const char *summary;
	const char *doc; /* more, in Markdown; may be NULL */
	enum access access;
	enum rate_class class; /* http/rates.h */
	const struct shape *body;
	bool change; /* the body is a change: shape.h, PARSE_CHANGE */
	bool body_optional;
	bool form;	 /* the body may also come as a form: application/x-www-form-urlencoded */
	size_t body_max; /* 0: 64 KiB */
	const struct shape *query;
	bool versioned; /* replies carry an ETag; If-Match is honoured */
	bool hidden;	/* a page, not part of the API's documents */
	/* A token that is sent is not looked at: what counts is the body, or there is nothing to ask for. */
	bool anonymous;
	struct route_reply replies[ROUTE_REPLIES_MAX];
	enum rc errors[ROUTE_ERRORS_MAX]; /* besides those that any route can give; ended by 0 */
	enum rc (*handler)(struct req *);
};

/* A service: a row of rooms.def with what it answers. Also used, with no store, by the gateway. */
struct service {
	const char *name;	/* "tenant" */
	const char *collection; /* "tenants": its name in addresses */
	const char *title;	/* for people */
	const char *doc;
	int room; /* enum room, or -1 when it keeps nothing */
	const struct route *routes;
	size_t route_count;
	/* What the room keeps for the whole process (workers, keys), made before the first thread and gone
	 * after the last; `here`: or what of it is needed where another process runs the service. On failure
	 * NULL, having said why. Both may be NULL. */
	void *(*shared_create)(const struct config *, const struct world *, bool here);
	void (*shared_destroy)(void *shared);
	/* What the room keeps for one thread (caches); reached by ctx->locals[room]. `shared`: that of the
	 * process. May be NULL. */
	void *(*local_create)(const struct config *, void *shared);
	void (*local_destroy)(void *local);
};

/* Does it honour If-Match: a change of one thing that carries an ETag? */
bool route_takes_if_match(const struct route *route);

/*
 * Can this route refuse a request so? By its own row, by what it takes, or as any route can. The dispatcher
 * holds handlers to it, and the API's document tells it.
 */
bool route_may_fail(const struct service *service, const struct route *route, enum rc rc);

extern const struct format format_cursor;

/* Every list takes these. */
#define PAGE_FIELDS(F, T)                                                                                 \
	F(T, INT, limit, OPTIONAL, "How many items at most.", DEFAULT(100), .min = 1, .max = 1000)        \
	F(T, TEXT, cursor, OPTIONAL, "Where to go on: the X-Next-Cursor of the page before.", .max = 128, \
	  .format = &format_cursor)

#define BODY_MAX_DEFAULT ((size_t)64 * 1024)
#define BODY_MAX_BULK	 ((size_t)1024 * 1024)

#endif
