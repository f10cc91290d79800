/*
 * One text for a JSON value, however a store has written it: no blanks, the members of an object in the order
 * of their names' bytes, texts escaped as write.h does, numbers without exponents, digit by digit as they
 * are (5.0 and 5 stay two). PostgreSQL's jsonb has an order and an escaping of its own, and loses the
 * writer's; what is equal to it is equal here.
 */
#ifndef JSON_CANONICAL_H
#define JSON_CANONICAL_H

#include "json/write.h"

/* The memory is the writer's arena's. False: it is no JSON, or nested deeper than what marca takes in. */
bool write_canonical(struct writer *writer, struct str text) MUST_USE;

#endif
