/* Examples: a field's own where it has one, else what its kind looks like. */
#include "http/openapi_parts.h"

#include <stdio.h>
#include <stdlib.h>

json_t *openapi_own_example(const struct field *field)
{
	json_error_t error;
	json_t *value;

	if (field->example == NULL)
		return NULL;
	value = json_loads(field->example, JSON_DECODE_ANY, &error);
	if (value != NULL)
		return value;
	fprintf(stderr, "field %s: its example is not JSON: %s\n", field->name, error.text);
	abort(); /* a table is wrong; openapi_test.c goes over all of them */
}

static json_t *clock_text(int64_t seconds)
{
	char buf[CLOCK_TEXT_MAX];

	return json_stringn(buf, utime_clock_text(buf, (int32_t)seconds));
}

json_t *openapi_default(const struct field *field)
{
	if (!field->has_default)
		return NULL;
	switch (field->kind) {
	case KIND_INT:
		return json_integer(field->dflt);
	case KIND_CLOCK:
		return clock_text(field->dflt);
	case KIND_BOOL:
		return json_boolean(field->dflt);
	case KIND_ENUM:
		return json_string(field->names->text[field->dflt]);
	default:
		return field->dflt_text != NULL ? json_string(field->dflt_text) : NULL;
	}
}

static int64_t number_within(int64_t min, int64_t max)
{
	if (min != 0)
		return min;
	return max == 0 || max > 1 ? 1 : max;
}

/* As long as it must be, and no longer than it may. */
static json_t *text_within(const struct field *field)
{
	static const char words[] = "texto de exemplo ";
	char buf[256];
	size_t len = 5;

	if (field->format != NULL && field->format->name != NULL) {
		if (strcmp(field->format->name, "email") == 0)
			return json_string("ana@exemplo.com");
		if (strcmp(field->format->name, "hostname") == 0)
			return json_string("exemplo.com");
		if (strcmp(field->format->name, "uri") == 0)
			return json_string("https://exemplo.com");
	}
	if (field->max > 0 && (size_t)field->max < len)
		len = (size_t)field->max;
	if ((size_t)field->min > len)
		len = (size_t)field->min < sizeof(buf) ? (size_t)field->min : sizeof(buf);
	for (size_t i = 0; i < len; i++)
		buf[i] = words[i % (sizeof(words) - 1)];
	return json_stringn(buf, len);
}

/* Kinds without fields of their own. */
static json_t *example_of_kind(const struct field *field)
{
	switch (field->kind) {
	case KIND_UUID:
		return json_string("0193a3f2-7c00-7000-8000-000000000001");
	case KIND_INSTANT:
	case KIND_WHEN:
		return json_string("2025-12-05T14:00:00Z");
	case KIND_LOCAL:
		return json_string("2025-12-05T11:00:00-03:00");
	case KIND_DATE:
		return json_string("2025-12-05");
	case KIND_CLOCK:
		return json_string("08:00:00");
	case KIND_INT:
		return json_integer(number_within(field->min, field->max));
	case KIND_INTS:
		return json_pack("[I]", (json_int_t)number_within(field->min, field->max));
	case KIND_WORDS:
		return json_pack("[s]", field->names->text[0]);
	case KIND_BOOL:
		return json_true();
	case KIND_ENUM:
		return json_string(field->names->text[0]);
	case KIND_JSON:
		return json_object();
	default:
		return text_within(field);
	}
}

/* NULL: better left out, as it is neither required nor has anyone said what could stand there. */
static json_t *field_example(struct openapi *doc, const struct field *field, enum openapi_role role)
{
	json_t *value = openapi_own_example(field);

	if (value != NULL)
		return value;
	if (field->kind == KIND_OBJECT)
		return openapi_body_example(doc, field->shape, role);
	if (field->kind == KIND_STORED)
		return openapi_body_example(doc, field->shape, OPENAPI_TAKEN);
	if (field->kind == KIND_LIST)
		return json_pack("[o]", openapi_body_example(doc, field->shape, OPENAPI_TAKEN));
	value = openapi_default(field);
	if (value != NULL || field->need == OPTIONAL)
		return value;
	return example_of_kind(field);
}

json_t *openapi_body_example(struct openapi *doc, const struct shape *shape, enum openapi_role role)
{
	json_t *object = json_object();

	for (size_t i = 0; i < shape->count; i++) {
		const struct field *field = &shape->fields[i];
		json_t *value;

		if (field->hidden || (role == OPENAPI_CHANGE && field->fixed))
			continue;
		value = field_example(doc, field, role);
		if (value != NULL)
			openapi_put(doc, object, field->name, value);
	}
	return object;
}
