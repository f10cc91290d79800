/* See arena_json.h. The arena in use is the thread's, for the length of one call. */
#include "json/arena_json.h"

#include "json/write.h"

#include <jansson.h>
#include <stdio.h>
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

/* jansson quotes what stands near the fault: it may be a password, and may cut a character in two. */
static const char *why_not(struct arena *arena, const json_error_t *error)
{
	const char *quote = strstr(error->text, " near '");
	int len = (int)(quote != NULL ? quote - error->text : (ptrdiff_t)strlen(error->text));

	return arena_printf(arena, "%.*s (line %d, column %d)", len, error->text, error->line, error->column);
}

json_t *arena_json_load(struct arena *arena, struct str text, const char **ret_why)
{
	json_error_t error;
	json_t *tree;

	in_use = arena;
	tree = json_loadb(text.p != NULL ? text.p : "", text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
			  &error);
	in_use = NULL;
	if (tree == NULL)
		*ret_why = why_not(arena, &error);
	return tree;
}

/* The shortest decimals that read back as the same number: 0.1, where jansson writes 0.10000000000000001. */
static void write_real(struct writer *writer, double value)
{
	char text[40];
	int len = 0;

	for (int precision = 15; precision <= 17; precision++) {
		len = snprintf(text, sizeof(text), "%.*g", precision, value);
		if (strtod(text, NULL) == value)
			break;
	}
	write_raw(writer, (struct str){text, (size_t)len});
	if (strpbrk(text, ".e") == NULL)
		write_raw(writer, STR(".0")); /* it stays a real */
}

static void write_tree(struct writer *writer, json_t *value);

static void write_object(struct writer *writer, json_t *object)
{
	char before = '{';

	if (json_object_size(object) == 0)
		write_char(writer, before);
	for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
		write_char(writer, before);
		write_text(writer, str_from(json_object_iter_key(at)));
		write_char(writer, ':');
		write_tree(writer, json_object_iter_value(at));
		before = ',';
	}
	write_char(writer, '}');
}

static void write_array(struct writer *writer, json_t *array)
{
	write_char(writer, '[');
	for (size_t i = 0; i < json_array_size(array); i++) {
		if (i > 0)
			write_char(writer, ',');
		write_tree(writer, json_array_get(array, i));
	}
	write_char(writer, ']');
}

/* As deep as what shape.c lets in. */
static void write_tree(struct writer *writer, json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		write_object(writer, value);
		break;
	case JSON_ARRAY:
		write_array(writer, value);
		break;
	case JSON_STRING:
		write_text(writer, (struct str){json_string_value(value), json_string_length(value)});
		break;
	case JSON_INTEGER:
		write_int(writer, json_integer_value(value));
		break;
	case JSON_REAL:
		write_real(writer, json_real_value(value));
		break;
	case JSON_TRUE:
		write_raw(writer, STR("true"));
		break;
	case JSON_FALSE:
		write_raw(writer, STR("false"));
		break;
	case JSON_NULL:
		write_raw(writer, STR("null"));
		break;
	}
}

char *arena_json_dump(struct arena *arena, const json_t *value)
{
	struct writer writer;
	struct str text;

	writer_init(&writer, arena, 256);
	/* Iterators change nothing, though jansson's prototypes do not say so. */
	write_tree(&writer, (json_t *)(uintptr_t)value);
	write_char(&writer, '\0');
	return writer_take(&writer, &text) ? writer.buf : NULL;
}

static bool is_ascii(struct str text)
{
	unsigned char bits = 0;

	for (size_t i = 0; i < text.len; i++)
		bits |= (unsigned char)text.p[i];
	return bits < 0x80;
}

bool arena_json_utf8(struct arena *arena, struct str text)
{
	bool good;

	if (is_ascii(text)) /* nearly always, and jansson would copy it */
		return true;
	in_use = arena;
	good = json_stringn(text.p != NULL ? text.p : "", text.len) != NULL;
	in_use = NULL;
	return good;
}
