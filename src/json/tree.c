/* See tree.h. */
#include "json/tree.h"

#include <jansson.h>

enum tree_kind tree_kind(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return TREE_OBJECT;
	case JSON_ARRAY:
		return TREE_LIST;
	case JSON_STRING:
		return TREE_TEXT;
	case JSON_INTEGER:
		return TREE_INT;
	case JSON_REAL:
		return TREE_REAL;
	case JSON_TRUE:
	case JSON_FALSE:
		return TREE_BOOL;
	case JSON_NULL:
		break;
	}
	return TREE_NULL;
}

bool tree_bool(const json_t *value)
{
	return json_is_true(value);
}

int64_t tree_int(const json_t *value)
{
	return json_integer_value(value);
}

struct str tree_text(const json_t *value)
{
	return (struct str){json_string_value(value), json_string_length(value)};
}

size_t tree_count(const json_t *list)
{
	return json_array_size(list);
}

const json_t *tree_item(const json_t *list, size_t index)
{
	return json_array_get(list, index);
}

const json_t *tree_member(const json_t *object, const char *name)
{
	return json_object_get(object, name);
}

/* jansson's iterators take what may be changed through them, which we do not. */
static json_t *iterable(const json_t *object)
{
	return (json_t *)(uintptr_t)object;
}

const struct json_t *tree_want(const struct json_t *object, const char *name, enum tree_kind kind)
{
	const struct json_t *value =
		object != NULL && tree_kind(object) == TREE_OBJECT ? tree_member(object, name) : NULL;

	return value != NULL && tree_kind(value) == kind ? value : NULL;
}

bool tree_want_int(const struct json_t *object, const char *name, int64_t *ret)
{
	const struct json_t *value = tree_want(object, name, TREE_INT);

	if (value != NULL)
		*ret = tree_int(value);
	return value != NULL;
}

struct str tree_want_text(const struct json_t *object, const char *name)
{
	const struct json_t *value = tree_want(object, name, TREE_TEXT);

	return value != NULL ? tree_text(value) : STR("");
}

bool tree_next(const json_t *object, struct tree_walk *walk)
{
	walk->at = walk->at == NULL ? json_object_iter(iterable(object))
				    : json_object_iter_next(iterable(object), walk->at);
	if (walk->at == NULL)
		return false;
	walk->name = json_object_iter_key(walk->at);
	walk->value = json_object_iter_value(walk->at);
	return true;
}
