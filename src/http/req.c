/* See req.h. */
#include "http/req.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

/* The routes table and the handler disagree: a fault of ours, which would read the wrong struct. */
static void disagree(const struct req *rq, const char *what)
{
	fprintf(stderr, "%s: %s is not what its routes table says\n", rq->route->id, what);
	abort();
}

const void *req_body(const struct req *rq, const struct shape *shape)
{
	if (rq->route->body != shape)
		disagree(rq, "the body");
	return rq->body;
}

const void *req_query(const struct req *rq, const struct shape *shape)
{
	if (rq->route->query != shape)
		disagree(rq, "the query");
	return rq->query;
}

/* Status and media type, as that reply's row in the routes table has them. */
static void begin_reply(struct req *rq, int status, const struct shape *shape, bool list)
{
	rq->reply.status = status;
	if (shape != NULL)
		rq->reply.content_type = STR("application/json; charset=utf-8");
	for (size_t i = 0; i < ROUTE_REPLIES_MAX; i++) {
		const struct route_reply *reply = &rq->route->replies[i];

		if (reply->status == status && reply->shape == shape && reply->list == list) {
			if (shape != NULL && reply->type != NULL)
				rq->reply.content_type = str_from(reply->type);
			return;
		}
	}
	if (rq->strict)
		disagree(rq, "the reply");
}

static enum rc reply_written(struct req *rq, struct writer *writer)
{
	if (!writer_take(writer, &rq->reply.body))
		return RC_NO_MEMORY;
	rq->replied = true;
	return RC_OK;
}

enum rc req_reply(struct req *rq, int status, const struct shape *shape, const void *object)
{
	struct writer writer;

	begin_reply(rq, status, shape, false);
	writer_init(&writer, rq->cx.arena, 1024);
	write_shape(&writer, shape, object);
	return reply_written(rq, &writer);
}

enum rc req_reply_ready(struct req *rq, int status, const struct shape *shape, struct str body)
{
	begin_reply(rq, status, shape, false);
	rq->reply.body = body;
	rq->replied = true;
	return RC_OK;
}

enum rc req_reply_empty(struct req *rq, int status)
{
	begin_reply(rq, status, NULL, false);
	rq->replied = true;
	return RC_OK;
}

enum rc req_reply_raw(struct req *rq, int status, struct str type, struct str body)
{
	begin_reply(rq, status, NULL, false);
	rq->reply.content_type = type;
	rq->reply.body = body;
	rq->replied = true;
	return RC_OK;
}

void req_header(struct req *rq, const char *name, const char *value)
{
	if (rq->reply.header_count == HTTP_REPLY_HEADERS_MAX)
		disagree(rq, "the number of reply headers");
	rq->reply.headers[rq->reply.header_count++] = (struct http_header){str_from(name), str_from(value)};
}

enum rc req_location(struct req *rq, const char *collection, const struct uuid *id)
{
	char text[UUID_TEXT_LEN + 1];
	char *value = arena_printf(rq->cx.arena, "/%s/%s", collection, uuid_text(text, id));

	if (value == NULL)
		return RC_NO_MEMORY;
	req_header(rq, "Location", value);
	return RC_OK;
}

enum rc req_etag(struct req *rq, int64_t version)
{
	struct writer w;
	struct str tag;

	writer_init(&w, rq->cx.arena, 32);
	write_char(&w, '"');
	write_int(&w, version);
	write_raw(&w, (struct str){"\"", 2}); /* with its NUL */
	if (!writer_take(&w, &tag))
		return RC_NO_MEMORY;
	req_header(rq, "ETag", tag.p);
	return RC_OK;
}

static bool between_tags(char c)
{
	return c == ',' || c == ' ' || c == '\t';
}

/* A list of entity tags (RFC 9110, 13.1.1). A weak one never matches here. */
static bool tag_listed(struct str list, const char *tag, size_t len)
{
	for (size_t at = 0; at + len <= list.len; at++) {
		bool starts = at == 0 || between_tags(list.p[at - 1]);
		bool ends = at + len == list.len || between_tags(list.p[at + len]);

		if (starts && ends && memcmp(list.p + at, tag, len) == 0)
			return true;
	}
	return false;
}

enum rc req_if_match(const struct req *rq, int64_t version)
{
	const struct http_exchange *exchange = rq->http;
	char tag[32];
	size_t len = (size_t)snprintf(tag, sizeof(tag), "\"%" PRId64 "\"", version);
	bool asked = false;

	/* The list may come in several lines. */
	for (size_t i = 0; i < exchange->header_count; i++) {
		struct str value = exchange->headers[i].value;

		if (!str_equal_nocase(exchange->headers[i].name, STR("If-Match")))
			continue;
		asked = true;
		if (str_equal(value, STR("*")) || tag_listed(value, tag, len))
			return RC_OK;
	}
	return asked ? RC_STALE : RC_OK;
}

enum rc req_changed_meanwhile(const struct req *rq)
{
	return http_header(rq->http, "If-Match").p != NULL ? RC_STALE : RC_CHANGED_MEANWHILE;
}

bool req_own_tenant(const struct req *rq, struct uuid *ret)
{
	*ret = rq->cx.principal.tenant_id;
	return !uuid_is_none(ret);
}

enum rc req_tenant(const struct req *rq, const struct uuid *named, struct uuid *ret)
{
	struct uuid tenant;
	bool own = req_own_tenant(rq, &tenant);

	if (own && !uuid_is_none(named) && !uuid_equal(named, &tenant))
		return RC_TENANT_UNKNOWN;
	*ret = own ? tenant : *named;
	return RC_OK;
}

enum rc req_invalid(struct req *rq, const char *name, enum issue_kind kind)
{
	static const struct loc body = {.name = "body"};
	struct loc here = {.up = &body, .name = name};

	issue_add(&rq->issues, &here, kind, NULL);
	return issues_rc(&rq->issues);
}

/* What a row takes as JSON, more or less: most lists are then written in one piece. */
#define LIST_ROW 640

/* --- Lists ------------------------------------------------------------------ */

#define CURSOR_BYTES (sizeof(int64_t) + sizeof(struct uuid))
#define CURSOR_TEXT  sodium_base64_ENCODED_LEN(CURSOR_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING)

static bool cursor_decode(const char *text, size_t len, struct cursor *ret)
{
	unsigned char bytes[CURSOR_BYTES];
	size_t size;

	if (sodium_base642bin(bytes, sizeof(bytes), text, len, NULL, &size, NULL,
			      sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
	    size != sizeof(bytes))
		return false;
	memcpy(&ret->number, bytes, sizeof(ret->number));
	memcpy(&ret->id, bytes + sizeof(ret->number), sizeof(ret->id));
	return true;
}

static bool cursor_valid(struct str text)
{
	struct cursor cursor;

	return cursor_decode(text.p, text.len, &cursor);
}

const struct format format_cursor = {.valid = cursor_valid, .issue = ISSUE_BAD_CURSOR};

struct cursor cursor_from(const char *text)
{
	struct cursor cursor = {.number = INT64_MIN};

	if (text != NULL)
		(void)cursor_decode(text, strlen(text), &cursor);
	return cursor;
}

/* The same address with another cursor. */
static enum rc link_next(struct req *rq, const char *cursor)
{
	struct str query = rq->http->query;
	struct writer w;
	struct str link;

	writer_init(&w, rq->cx.arena, rq->http->target.len + 256);
	write_char(&w, '<');
	write_raw(&w, rq->http->path);
	write_char(&w, '?');
	while (query.len > 0) {
		struct str pair = str_cut(&query, '&');

		if (str_starts(pair, STR("cursor=")))
			continue;
		write_raw(&w, pair);
		write_char(&w, '&');
	}
	write_raw(&w, STR("cursor="));
	write_raw(&w, str_from(cursor));
	write_raw(&w, STR(">; rel=\"next\""));
	write_char(&w, '\0');
	if (!writer_take(&w, &link))
		return RC_NO_MEMORY;
	req_header(rq, "Link", link.p);
	req_header(rq, "X-Next-Cursor", cursor);
	return RC_OK;
}

enum rc req_next_page(struct req *rq, const struct cursor *cursor)
{
	unsigned char bytes[CURSOR_BYTES];
	char *text = arena_alloc(rq->cx.arena, CURSOR_TEXT);

	if (text == NULL)
		return RC_NO_MEMORY;
	memcpy(bytes, &cursor->number, sizeof(cursor->number));
	memcpy(bytes + sizeof(cursor->number), &cursor->id, sizeof(cursor->id));
	sodium_bin2base64(text, CURSOR_TEXT, bytes, sizeof(bytes), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	return link_next(rq, text);
}

enum rc req_reply_list(struct req *rq, const struct shape *shape, const void *rows, size_t count,
		       int64_t limit, struct cursor (*key)(const void *row))
{
	struct writer writer;
	struct cursor cursor;
	enum rc rc;

	begin_reply(rq, 200, shape, true);
	if (count > (size_t)limit) {
		count = (size_t)limit;
		cursor = key((const char *)rows + (count - 1) * shape->size);
		rc = req_next_page(rq, &cursor);
		if (rc != RC_OK)
			return rc;
	}
	writer_init(&writer, rq->cx.arena, 1024 + count * LIST_ROW);
	write_list(&writer, shape, rows, count);
	return reply_written(rq, &writer);
}
