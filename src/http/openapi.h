/*
 * The OpenAPI 3.1 document of one service or of several, made from their routes tables and
 * shapes. Made rarely, so by way of a tree and not fast.
 */
#ifndef HTTP_OPENAPI_H
#define HTTP_OPENAPI_H

#include "http/route.h"

/* Indented JSON, in the arena, the same bytes each time. Hidden routes are left out. RC_NO_MEMORY. */
enum rc openapi_write(struct arena *arena, const struct service *const *services, size_t count,
		      struct str *ret) MUST_USE;

#endif
