/*
 * See message.h. llhttp is given a head only when it is whole and has passed head_scan(), so its spans
 * never break; and where the two understood a head differently, it is refused.
 */
#include "http/message.h"

#define PARTIAL_LEAST 1024
#define BODY_LEAST    4096

#define EXTENSIONS_MAX 256

/* The chunked form of a body may be so much longer than the body: enough for chunks of one byte each. */
#define WIRE_BASE     1024
#define WIRE_PER_BYTE 8

static struct message *of(llhttp_t *parser)
{
	return CONTAINER_OF(parser, struct message, parser);
}

static int stop(struct message *message, enum rc fault)
{
	message->fault = fault;
	return HPE_USER;
}

static int on_header_field(llhttp_t *parser, const char *at, size_t len)
{
	struct message *m = of(parser);

	/* head_scan() counted them; one more is a trailer, or a different reading of the head. */
	if (m->exchange.header_count == m->head.headers)
		return stop(m, RC_MALFORMED);
	m->headers[m->exchange.header_count++].name = (struct str){at, len};
	return 0;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t len)
{
	struct message *m = of(parser);
	struct str *value = &m->headers[m->exchange.header_count - 1].value;

	/* llhttp may hand over the value of a header that it knows in parts; they lie side by side. */
	if (value->p == NULL)
		value->p = at;
	value->len = (size_t)(at + len - value->p);
	return 0;
}

static int on_headers_complete(llhttp_t *parser)
{
	struct message *m = of(parser);
	const struct head *head = &m->head;
	bool chunked = (parser->flags & F_CHUNKED) != 0;

	if (chunked != head->chunked || parser->content_length != head->content_length ||
	    (parser->http_minor == 1) != head->http_11 || m->exchange.header_count != head->headers)
		return stop(m, RC_MALFORMED);
	m->keep_alive = llhttp_should_keep_alive(parser) != 0;
	parser->upgrade = 0; /* we speak nothing else: the request is served as plain HTTP */
	return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
	struct message *m = of(parser);
	size_t need, size;
	char *larger;

	if (len > m->body_max - m->exchange.body.len)
		return stop(m, RC_BODY_TOO_LARGE);
	need = m->exchange.body.len + len;
	if (need > m->body_size) {
		size = need > BODY_LEAST ? need : BODY_LEAST;
		size = size > 2 * m->body_size ? size : 2 * m->body_size;
		if (m->head.lengths > 0 && size > m->head.content_length)
			size = (size_t)m->head.content_length;
		larger = arena_alloc(&m->arena, size);
		if (larger == NULL)
			return stop(m, RC_NO_MEMORY);
		if (m->exchange.body.len > 0)
			memcpy(larger, m->body, m->exchange.body.len);
		m->body = larger;
		m->body_size = size;
	}
	memcpy(m->body + m->exchange.body.len, at, len);
	m->exchange.body = (struct str){m->body, need};
	return 0;
}

/* A chunk that cannot fit is refused when it is announced. */
static int on_chunk_header(llhttp_t *parser)
{
	struct message *m = of(parser);

	return parser->content_length > m->body_max - m->exchange.body.len ? stop(m, RC_BODY_TOO_LARGE) : 0;
}

static int on_chunk_extension(llhttp_t *parser, const char *at, size_t len)
{
	struct message *m = of(parser);

	(void)at;
	m->extensions += len;
	return m->extensions > EXTENSIONS_MAX ? stop(m, RC_MALFORMED) : 0;
}

static int on_message_complete(llhttp_t *parser)
{
	of(parser)->whole = true;
	return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
	.on_header_field = on_header_field,
	.on_header_value = on_header_value,
	.on_headers_complete = on_headers_complete,
	.on_body = on_body,
	.on_chunk_header = on_chunk_header,
	.on_chunk_extension_name = on_chunk_extension,
	.on_chunk_extension_value = on_chunk_extension,
	.on_message_complete = on_message_complete,
};

struct message *message_create(struct arena_pool *pool)
{
	struct message *message;
	struct arena arena;

	arena_init(&arena, pool);
	message = arena_alloc(&arena, sizeof(*message));
	if (message == NULL)
		return NULL;
	message->arena = arena;
	message->exchange.arena = &message->arena;
	message->exchange.method = HTTP_OTHER_;
	llhttp_init(&message->parser, HTTP_REQUEST, &settings);
	return message;
}

void message_destroy(struct message *message)
{
	struct arena arena;

	if (message == NULL)
		return;
	arena = message->arena; /* which holds the message itself */
	arena_finish(&arena);
}

struct str http_header_named(const struct http_exchange *exchange, struct str name)
{
	for (size_t i = 0; i < exchange->header_count; i++)
		if (str_equal_nocase(exchange->headers[i].name, name))
			return exchange->headers[i].value;
	return (struct str){NULL, 0};
}

static enum http_method method_of(struct str name)
{
	static const char *const names[] = {
		[HTTP_GET_] = "GET",	     [HTTP_HEAD_] = "HEAD",   [HTTP_POST_] = "POST",
		[HTTP_PUT_] = "PUT",	     [HTTP_PATCH_] = "PATCH", [HTTP_DELETE_] = "DELETE",
		[HTTP_OPTIONS_] = "OPTIONS",
	};

	for (int i = 0; i < (int)ARRAY_LEN(names); i++)
		if (str_equal(name, str_from(names[i])))
			return (enum http_method)i;
	return HTTP_OTHER_;
}

/* The request line, once head_scan() found it good. `bytes` must live in the arena. */
static void tell_request_line(struct message *m, const char *bytes)
{
	struct http_exchange *ex = &m->exchange;
	const char *mark;

	ex->method_name = (struct str){bytes + m->head.start, m->head.method_len};
	ex->method = method_of(ex->method_name);
	ex->target = (struct str){bytes + m->head.target_at, m->head.target_len};
	ex->path = ex->target;
	mark = memchr(ex->target.p, '?', ex->target.len);
	if (mark != NULL) {
		ex->path.len = (size_t)(mark - ex->target.p);
		ex->query = (struct str){mark + 1, ex->target.len - ex->path.len - 1};
	}
}

/* A head that broke below its request line: that line is still worth having in the log, and tells HEAD from
 * GET. */
static enum rc refused_head(struct message *m, const char *bytes, enum rc fault)
{
	const char *line;

	if (m->head.method_len == 0)
		return fault;
	line = arena_copy(&m->arena, bytes, m->head.target_at + m->head.target_len);
	if (line != NULL)
		tell_request_line(m, line);
	return fault;
}

/* llhttp_execute(), but that a long value, such as a token, is read by sixteen bytes where the processor can.
 */
#ifdef __x86_64__
int llhttp_sse42_execute(llhttp_t *parser, const char *from, const char *to);

static llhttp_errno_t execute(llhttp_t *parser, const char *bytes, size_t len)
{
	if (__builtin_cpu_supports("sse4.2"))
		return (llhttp_errno_t)llhttp_sse42_execute(parser, bytes, bytes + len);
	return llhttp_execute(parser, bytes, len);
}
#else
#define execute llhttp_execute
#endif

static enum rc parse_head(struct message *m, const char *bytes)
{
	struct http_header *headers;
	llhttp_errno_t err;

	tell_request_line(m, bytes);
	headers = arena_array(&m->arena, m->head.headers, sizeof(*headers));
	if (headers == NULL)
		return RC_NO_MEMORY;
	m->headers = headers;
	m->exchange.headers = headers;
	err = execute(&m->parser, bytes + m->head.start, m->head.at - m->head.start);
	for (size_t i = 0; i < m->exchange.header_count; i++)
		headers[i].value = str_trim(headers[i].value);
	if (err == HPE_INVALID_METHOD)
		return RC_BAD_METHOD;
	if (err != HPE_OK && !m->whole)
		return m->fault != RC_OK ? m->fault : RC_MALFORMED;
	return RC_OK;
}

/* Keeps what has come of a head that is not whole yet. */
static enum rc keep_partial(struct message *m, const char *bytes, size_t len)
{
	size_t size = m->partial_size > 0 ? m->partial_size : PARTIAL_LEAST;
	char *larger;

	while (size < m->partial_len + len)
		size *= 2;
	if (size > m->partial_size) {
		larger = arena_alloc(&m->arena, size);
		if (larger == NULL)
			return RC_NO_MEMORY;
		if (m->partial_len > 0)
			memcpy(larger, m->partial, m->partial_len);
		m->partial = larger;
		m->partial_size = size;
	}
	memcpy(m->partial + m->partial_len, bytes, len);
	m->partial_len += len;
	return RC_OK;
}

/* The usual case: the whole head lies in one read, and is copied once. */
static enum rc take_first_piece(struct message *m, const struct head_limits *limits, const char *bytes,
				size_t len)
{
	const char *copy;
	enum rc rc = head_scan(&m->head, limits, bytes, len);

	if (rc != RC_OK)
		return refused_head(m, bytes, rc);
	if (!m->head.done)
		return keep_partial(m, bytes, len);
	copy = arena_copy(&m->arena, bytes, m->head.at);
	return copy != NULL ? parse_head(m, copy) : RC_NO_MEMORY;
}

static enum rc take_next_piece(struct message *m, const struct head_limits *limits, const char *bytes,
			       size_t len)
{
	enum rc rc = keep_partial(m, bytes, len);

	if (rc != RC_OK)
		return rc;
	rc = head_scan(&m->head, limits, m->partial, m->partial_len);
	if (rc != RC_OK)
		return refused_head(m, m->partial, rc);
	return m->head.done ? parse_head(m, m->partial) : RC_OK;
}

enum rc message_take_head(struct message *message, const struct head_limits *limits, const char *bytes,
			  size_t len, size_t *ret_used)
{
	size_t had = message->partial_len;
	enum rc rc;

	/* No more than shows that the head is too large. */
	if (had + len > limits->bytes + 1)
		len = limits->bytes + 1 - had;
	rc = had == 0 ? take_first_piece(message, limits, bytes, len)
		      : take_next_piece(message, limits, bytes, len);
	if (rc == RC_OK)
		*ret_used = message->head.done ? message->head.at - had : len;
	return rc;
}

/* llhttp lets a chunked body end in a bare LF. */
static bool ends_in_crlf(const struct message *m, const char *bytes, size_t used)
{
	return !m->head.chunked || (used > 1 ? bytes[used - 2] : m->last_byte) == '\r';
}

enum rc message_take_body(struct message *message, const char *bytes, size_t len, size_t *ret_used)
{
	llhttp_errno_t err = llhttp_execute(&message->parser, bytes, len);
	size_t used = len;

	if (message->whole)
		used = (size_t)(llhttp_get_error_pos(&message->parser) - bytes);
	else if (err != HPE_OK)
		return message->fault != RC_OK ? message->fault : RC_MALFORMED;
	if (message->whole && !ends_in_crlf(message, bytes, used))
		return RC_MALFORMED;
	message->last_byte = bytes[used - 1];
	message->wire += used;
	if (message->head.chunked && message->wire / WIRE_PER_BYTE > message->body_max + WIRE_BASE)
		return RC_BODY_TOO_LARGE;
	*ret_used = used;
	return RC_OK;
}
