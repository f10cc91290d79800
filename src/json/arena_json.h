/*
 * jansson, with its memory taken from an arena: parsing a body costs no malloc.
 * The only place (besides shape.c, which walks the tree) that calls it for requests.
 */
#ifndef JSON_ARENA_JSON_H
#define JSON_ARENA_JSON_H

#include "base/arena.h"

struct json_t;

/* Once a process, before any other call. */
void arena_json_init(void);

/* A tree that lives in the arena; do not decref it. NULL with a reason (in the arena) when it is not strict
 * JSON. */
struct json_t *arena_json_load(struct arena *arena, struct str text, const char **ret_why) MUST_USE;

/* Compact, keys as they came. NULL: memory. */
char *arena_json_dump(struct arena *arena, const struct json_t *value) MUST_USE;

/* Valid UTF-8? */
bool arena_json_utf8(struct arena *arena, struct str text);

#endif
