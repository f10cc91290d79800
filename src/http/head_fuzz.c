/*
 * Requests as an attacker would write them: our pass over the head, llhttp, and the body. The same
 * bytes come once whole and once in pieces; how they were cut may never change what is understood.
 *
 * The input's first byte says how to cut: into pieces of so many bytes.
 */
#include "http/message.h"

#include <stdlib.h>

#define BODY_MAX 512

static const struct head_limits limits = {.bytes = 1024, .headers = 16, .target = 128};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fact)
{
	if (!fact)
		abort();
}

/* Takes one request; *ret_used is where the next would begin. */
static enum rc take(struct message *m, const char *bytes, size_t len, size_t step, size_t *ret_used)
{
	size_t at = 0, used;
	enum rc rc;

	m->body_max = BODY_MAX;
	while (at < len && !m->whole) {
		size_t count = len - at < step ? len - at : step;
		/* A copy of the right size, so that a read beyond it is seen. */
		char *piece = malloc(count);

		must(piece != NULL);
		memcpy(piece, bytes + at, count);
		rc = m->head.done ? message_take_body(m, piece, count, &used)
				  : message_take_head(m, &limits, piece, count, &used);
		free(piece);
		if (rc != RC_OK)
			return rc;
		must(used > 0 && used <= count);
		at += used;
		if (m->head.done && m->head.content_length > BODY_MAX)
			return RC_BODY_TOO_LARGE;
	}
	*ret_used = at;
	return RC_OK;
}

static void must_be_sound(const struct message *m)
{
	const struct http_exchange *ex = &m->exchange;

	must(ex->path.len > 0 && ex->path.len <= limits.target && ex->header_count <= limits.headers);
	must(ex->path.p[0] == '/' || ex->path.p[0] == '*');
	must(ex->body.len <= BODY_MAX);
	must(!m->head.http_11 || http_header(ex, "host").p != NULL || m->head.hosts == 1);
	must(http_header(ex, "transfer-encoding").p == NULL || http_header(ex, "content-length").p == NULL);
	for (size_t i = 0; i < ex->header_count; i++)
		must(ex->headers[i].name.len > 0);
}

static void must_agree(const struct message *a, const struct message *b)
{
	must(a->whole == b->whole && a->head.done == b->head.done && a->keep_alive == b->keep_alive);
	must(str_equal(a->exchange.target, b->exchange.target));
	must(a->exchange.header_count == b->exchange.header_count);
	for (size_t i = 0; i < a->exchange.header_count; i++) {
		must(str_equal(a->exchange.headers[i].name, b->exchange.headers[i].name));
		must(str_equal(a->exchange.headers[i].value, b->exchange.headers[i].value));
	}
	must(str_equal(a->exchange.body, b->exchange.body));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message *whole = message_create(NULL), *pieces = message_create(NULL);
	size_t step = size > 0 ? data[0] % 32 + 1 : 1, used = 0, used_pieces = 0;
	const char *bytes = (const char *)data + 1;
	enum rc rc, rc_pieces;

	must(whole != NULL && pieces != NULL);
	if (size > 1) {
		rc = take(whole, bytes, size - 1, size - 1, &used);
		rc_pieces = take(pieces, bytes, size - 1, step, &used_pieces);
		/* Which fault it is may depend on where the pieces end; whether there is one may not. */
		must((rc == RC_OK) == (rc_pieces == RC_OK));
		if (rc == RC_OK && whole->head.done)
			must_be_sound(whole);
		if (rc == RC_OK) {
			must(used == used_pieces);
			must_agree(whole, pieces);
		}
	}
	message_destroy(whole);
	message_destroy(pieces);
	return 0;
}
