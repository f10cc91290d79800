/*
 * A request while it is read and answered: its arena, what is known of its head, its body so far.
 * It lies in its own arena, so that it outlives its connection when the client leaves while a
 * handler still works. Knows llhttp, no sockets.
 */
#ifndef HTTP_MESSAGE_H
#define HTTP_MESSAGE_H

#include "http/head.h"
#include "http/server.h"

#include <llhttp.h>

struct connection;

struct message {
	struct http_exchange exchange;
	struct arena arena;
	struct connection *connection; /* NULL: the client has gone */
	struct head head;
	llhttp_t parser;
	char *partial; /* the head so far, when it comes in pieces */
	size_t partial_len, partial_size;
	struct http_header *headers; /* exchange.headers while they are gathered */
	char *body;		     /* exchange.body while it grows */
	size_t body_size;	     /* bytes it has room for */
	size_t body_max;	     /* as admitted */
	size_t wire;		     /* bytes of its body as they came, with chunk lines */
	size_t extensions;	     /* bytes of chunk extensions */
	char last_byte;		     /* of the pieces of its body so far */
	enum rc fault;		     /* why a callback of llhttp stopped it */
	bool keep_alive;
	bool in_flight; /* handed to handle(): its handler's until http_send() */
	bool whole;	/* nothing more belongs to it */
};

/* NULL when memory is short. */
struct message *message_create(struct arena_pool *pool) MUST_USE;
void message_destroy(struct message *message);

/*
 * Both take what belongs to the message from bytes[0..len) and say how much that was. Other than RC_OK
 * is a fault after which nothing on this connection can be trusted; the exchange then holds what was
 * understood.
 *
 * message_take_head: the head is complete when message->head.done; only then is *ret_used less than len.
 * message_take_body: complete when message->whole.
 */
enum rc message_take_head(struct message *message, const struct head_limits *limits, const char *bytes,
			  size_t len, size_t *ret_used) MUST_USE;
enum rc message_take_body(struct message *message, const char *bytes, size_t len, size_t *ret_used) MUST_USE;

#endif
