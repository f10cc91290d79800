/*
 * A client's connection: reads requests one at a time, hands each to the callbacks, writes the
 * reply, and decides when to close. Private to src/http.
 */
#ifndef HTTP_CONNECTION_H
#define HTTP_CONNECTION_H

#include "base/base.h"

struct http_loop;
struct wheel_entry;

/* Takes the next connection from the listener. False when memory is short: it stays there. */
bool connection_accept(struct http_loop *loop) MUST_USE;

/* Goes on with all connections of loop->ready. */
void connection_run_ready(struct http_loop *loop);

/* For the loop's wheel: its deadline has passed; the server drains; the server ends now. */
void connection_expired(struct wheel_entry *entry);
void connection_drain(struct wheel_entry *entry);
void connection_cut(struct wheel_entry *entry);

#endif
