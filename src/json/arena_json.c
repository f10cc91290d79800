/* See arena_json.h. The arena in use is the thread's, for the length of one call. */
#include "json/arena_json.h"

#include <jansson.h>
#include <stdlib.h>

static _Thread_local struct arena *in_use;

static void *take(size_t size)
{
	return in_use != NULL ? arena_alloc(in_use, size) : malloc(size);
}

static void give(void *p)
{
	if (in_use == NULL)
		free(p);
}

void arena_json_init(void)
{
	json_set_alloc_funcs(take, give);
	json_object_seed(0);
}

json_t *arena_json_load(struct arena *arena, struct str text, const char **ret_why)
{
	json_error_t error;
	json_t *tree;

	in_use = arena;
	tree = json_loadb(text.p != NULL ? text.p : "", text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	in_use = NULL;
	if (tree == NULL)
		*ret_why = arena_printf(arena, "%s (line %d, column %d)", error.text, error.line, error.column);
	return tree;
}

struct sink {
	struct arena *arena;
	char *text;
	size_t len, cap;
};

static int sink_put(const char *bytes, size_t size, void *data)
{
	struct sink *sink = data;

	if (size >= sink->cap - sink->len) {
		size_t cap = (sink->cap + size) * 2;
		char *bigger = arena_alloc(sink->arena, cap);

		if (bigger == NULL)
			return -1;
		memcpy(bigger, sink->text, sink->len);
		sink->text = bigger;
		sink->cap = cap;
	}
	memcpy(sink->text + sink->len, bytes, size);
	sink->len += size;
	sink->text[sink->len] = '\0';
	return 0;
}

char *arena_json_dump(struct arena *arena, const json_t *value)
{
	struct sink sink = {.arena = arena, .text = arena_alloc(arena, 256), .cap = 256};
	int failed;

	if (sink.text == NULL)
		return NULL;
	in_use = arena;
	failed = json_dump_callback(value, sink_put, &sink, JSON_COMPACT | JSON_ENCODE_ANY);
	in_use = NULL;
	return failed ? NULL : sink.text;
}

bool arena_json_utf8(struct arena *arena, struct str text)
{
	bool good;

	in_use = arena;
	good = json_stringn(text.p != NULL ? text.p : "", text.len) != NULL;
	in_use = NULL;
	return good;
}
