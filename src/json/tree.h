/*
 * A parsed JSON value, for what no shape can describe: forms that a client may choose from, and keys that
 * data name. Shapes take everything else.
 */
#ifndef JSON_TREE_H
#define JSON_TREE_H

#include "base/base.h"

struct json_t;

enum tree_kind { TREE_NULL, TREE_BOOL, TREE_INT, TREE_REAL, TREE_TEXT, TREE_LIST, TREE_OBJECT };

enum tree_kind tree_kind(const struct json_t *value);

/* Of a TREE_BOOL, a TREE_INT, a TREE_TEXT, a TREE_LIST. The text stands as long as the tree. */
bool tree_bool(const struct json_t *value);
int64_t tree_int(const struct json_t *value);
struct str tree_text(const struct json_t *value);
size_t tree_count(const struct json_t *list);
const struct json_t *tree_item(const struct json_t *list, size_t index);

/* Of a TREE_OBJECT; NULL when it has no such member. */
const struct json_t *tree_member(const struct json_t *object, const char *name);

/* The same of any tree, or of none (NULL): a member of just that kind, or NULL; a number, or false; a text,
 * or "". */
const struct json_t *tree_want(const struct json_t *object, const char *name, enum tree_kind kind);
bool tree_want_int(const struct json_t *object, const char *name, int64_t *ret) MUST_USE;
struct str tree_want_text(const struct json_t *object, const char *name);

/* Walks a TREE_OBJECT in the order in which it came: `for (struct tree_walk w = {0}; tree_next(object, &w);)`
 */
struct tree_walk {
	void *at;
	const char *name;
	const struct json_t *value;
};
bool tree_next(const struct json_t *object, struct tree_walk *walk);

#endif
