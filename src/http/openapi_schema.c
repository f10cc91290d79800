/* JSON Schema (draft 2020-12, as OpenAPI 3.1 has it) from shapes. Says of each field what shape.c and write.c
 * do. */
#include "http/openapi_parts.h"

#include <stdio.h>

static const char clock_pattern[] = "^(([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?|24:00(:00)?)$";

/* --- Names ------------------------------------------------------------------ */

static bool is_given(const struct openapi *doc, const struct shape *shape)
{
	for (size_t i = 0; i < doc->given_count; i++)
		if (doc->given[i] == shape)
			return true;
	return false;
}

void openapi_mark_given(struct openapi *doc, const struct shape *shape)
{
	if (is_given(doc, shape))
		return;
	if (doc->given_count == OPENAPI_GIVEN_MAX) {
		doc->failed = true;
		return;
	}
	doc->given[doc->given_count++] = shape;
	for (size_t i = 0; i < shape->count; i++)
		if (shape->fields[i].shape != NULL && !shape->fields[i].hidden)
			openapi_mark_given(doc, shape->fields[i].shape);
}

/* One schema serves both ways when all is required and nothing is read otherwise than it is written. */
static bool same_both_ways(const struct shape *shape)
{
	for (size_t i = 0; i < shape->count; i++) {
		const struct field *field = &shape->fields[i];

		if (field->hidden)
			continue;
		if (field->need == OPTIONAL || field->secret || field->alias != NULL ||
		    field->kind == KIND_WHEN)
			return false;
		if (field->shape != NULL && !same_both_ways(field->shape))
			return false;
	}
	return true;
}

static void schema_name(const struct openapi *doc, const struct shape *shape, enum openapi_role role,
			char ret[OPENAPI_NAME_MAX])
{
	char pascal[OPENAPI_NAME_MAX];
	const char *suffix = "";
	size_t len;

	openapi_pascal(pascal, shape->name);
	len = strlen(pascal);
	if (role == OPENAPI_CHANGE) {
		if (len > 3 && strcmp(pascal + len - 3, "New") == 0)
			pascal[len - 3] = '\0';
		suffix = "Change";
	} else if (role == OPENAPI_TAKEN && is_given(doc, shape) && !same_both_ways(shape)) {
		suffix = "Input";
	}
	snprintf(ret, OPENAPI_NAME_MAX, "%.80s%s", pascal, suffix);
}

/* --- Kinds ------------------------------------------------------------------ */

static json_t *typed(const char *type)
{
	return json_pack("{s:s}", "type", type);
}

static json_t *formatted(const char *format)
{
	return json_pack("{s:s, s:s}", "type", "string", "format", format);
}

static json_t *number_schema(struct openapi *doc, int64_t min, int64_t max)
{
	json_t *schema = json_pack("{s:s, s:s}", "type", "integer", "format", "int64");

	if (min != 0 || max != 0)
		openapi_put(doc, schema, "minimum", json_integer(min));
	if (max > 0)
		openapi_put(doc, schema, "maximum", json_integer(max));
	return schema;
}

static json_t *text_schema(struct openapi *doc, const struct field *field)
{
	json_t *schema = typed("string");

	if (field->min > 0)
		openapi_put(doc, schema, "minLength", json_integer(field->min));
	if (field->max > 0)
		openapi_put(doc, schema, "maxLength", json_integer(field->max));
	if (field->format != NULL) {
		openapi_put_text(doc, schema, "format", field->format->name);
		openapi_put_text(doc, schema, "pattern", field->format->pattern);
	}
	return schema;
}

static json_t *array_schema(struct openapi *doc, json_t *items, int64_t max)
{
	json_t *schema = json_pack("{s:s, s:o}", "type", "array", "items", items);

	if (max > 0)
		openapi_put(doc, schema, "maxItems", json_integer(max));
	return schema;
}

static json_t *enum_ref(struct openapi *doc, const struct names *names)
{
	char name[OPENAPI_NAME_MAX];
	json_t *words;

	openapi_pascal(name, names->name);
	if (!openapi_has(doc, OPENAPI_SCHEMAS, name)) {
		words = json_array();
		for (int i = 0; i < names->count; i++)
			openapi_append(doc, words, json_string(names->text[i]));
		openapi_add(doc, OPENAPI_SCHEMAS, name,
			    json_pack("{s:s, s:o}", "type", "string", "enum", words));
	}
	return openapi_ref(OPENAPI_SCHEMAS, name);
}

static json_t *words_schema(struct openapi *doc, const struct names *names)
{
	json_t *schema = array_schema(doc, enum_ref(doc, names), names->count);

	openapi_put(doc, schema, "uniqueItems", json_true());
	return schema;
}

/* What stands within is always taken whole, even in a change: shape.c. */
static enum openapi_role role_within(enum openapi_role role)
{
	return role == OPENAPI_GIVEN ? OPENAPI_GIVEN : OPENAPI_TAKEN;
}

static json_t *kind_schema(struct openapi *doc, const struct field *field, enum openapi_role role)
{
	switch (field->kind) {
	case KIND_UUID:
		return formatted("uuid");
	case KIND_INSTANT:
	case KIND_WHEN:
	case KIND_LOCAL:
		return formatted("date-time");
	case KIND_DATE:
		return formatted("date");
	case KIND_CLOCK:
		return json_pack("{s:s, s:s}", "type", "string", "pattern", clock_pattern);
	case KIND_TEXT:
		return text_schema(doc, field);
	case KIND_INT:
		return number_schema(doc, field->min, field->max);
	case KIND_BOOL:
		return typed("boolean");
	case KIND_ENUM:
		return enum_ref(doc, field->names);
	case KIND_OBJECT:
		return openapi_shape_ref(doc, field->shape, role);
	case KIND_LIST:
		return array_schema(doc, openapi_shape_ref(doc, field->shape, role_within(role)), field->max);
	case KIND_INTS:
		return array_schema(doc, number_schema(doc, field->min, field->max), INTS_MAX);
	case KIND_WORDS:
		return words_schema(doc, field->names);
	case KIND_JSON:
		return typed("object");
	case KIND_STORED:
		return openapi_shape_ref(doc, field->shape, role_within(role));
	}
	return NULL;
}

/* --- Fields ----------------------------------------------------------------- */

/* As shape.c takes null, and write.c gives it. */
static bool may_be_null(const struct field *field, enum openapi_role role)
{
	if (field->need == REQUIRED || field->has_default || field->kind == KIND_BOOL ||
	    field->kind == KIND_ENUM || field->kind == KIND_WORDS)
		return false;
	return field->kind != (role == OPENAPI_GIVEN ? KIND_LIST : KIND_OBJECT);
}

static json_t *or_null(struct openapi *doc, json_t *schema)
{
	const char *type = json_string_value(json_object_get(schema, "type"));

	if (type == NULL)
		return json_pack("{s:[o, {s:s}]}", "anyOf", schema, "type", "null");
	openapi_put(doc, schema, "type", json_pack("[s, s]", type, "null"));
	return schema;
}

static json_t *description_of(const struct field *field, enum openapi_role role)
{
	const char *zone = "";
	json_t *text, *both;

	if (role == OPENAPI_GIVEN)
		return json_string(field->doc);
	if (field->kind == KIND_WHEN)
		zone = " Without an offset it is the tenant's local time; seconds may be left out.";
	text = json_sprintf("%s%s", field->doc, zone);
	if (field->alias == NULL)
		return text;
	both = json_sprintf("%s Also taken as `%s`.", json_string_value(text), field->alias);
	json_decref(text);
	return both;
}

static void put_examples(struct openapi *doc, json_t *schema, const struct field *field)
{
	json_t *example = openapi_own_example(field);

	if (example != NULL)
		openapi_put(doc, schema, "examples", json_pack("[o]", example));
}

static json_t *field_schema(struct openapi *doc, const struct field *field, enum openapi_role role)
{
	json_t *schema = kind_schema(doc, field, role);
	json_t *dflt = role == OPENAPI_TAKEN ? openapi_default(field) : NULL;

	if (may_be_null(field, role))
		schema = or_null(doc, schema);
	openapi_put(doc, schema, "description", description_of(field, role));
	if (dflt != NULL)
		openapi_put(doc, schema, "default", dflt);
	if (field->secret)
		openapi_put(doc, schema, "writeOnly", json_true());
	put_examples(doc, schema, field);
	return schema;
}

static bool is_required(const struct field *field, enum openapi_role role)
{
	return role == OPENAPI_GIVEN || (role == OPENAPI_TAKEN && field->need == REQUIRED);
}

static json_t *shape_schema(struct openapi *doc, const struct shape *shape, enum openapi_role role)
{
	json_t *schema = typed("object");
	json_t *properties = json_object();
	json_t *required = json_array();

	openapi_put_text(doc, schema, "description", shape->doc);
	for (size_t i = 0; i < shape->count; i++) {
		const struct field *field = &shape->fields[i];

		if (field->hidden || (role == OPENAPI_CHANGE && field->fixed))
			continue;
		if (is_required(field, role))
			openapi_append(doc, required, json_string(field->name));
		openapi_put(doc, properties, field->name, field_schema(doc, field, role));
	}
	if (json_array_size(required) > 0)
		openapi_put(doc, schema, "required", required);
	else
		json_decref(required);
	openapi_put(doc, schema, "properties", properties);
	return schema;
}

json_t *openapi_shape_ref(struct openapi *doc, const struct shape *shape, enum openapi_role role)
{
	char name[OPENAPI_NAME_MAX];

	schema_name(doc, shape, role, name);
	if (!openapi_has(doc, OPENAPI_SCHEMAS, name)) {
		/* Its place is taken first: what it holds comes after it, and may hold it. */
		openapi_add(doc, OPENAPI_SCHEMAS, name, json_object());
		openapi_add(doc, OPENAPI_SCHEMAS, name, shape_schema(doc, shape, role));
	}
	return openapi_ref(OPENAPI_SCHEMAS, name);
}

json_t *openapi_query_parameter(struct openapi *doc, const struct field *field)
{
	json_t *parameter = json_pack("{s:s, s:s}", "name", field->name, "in", "query");
	json_t *schema = kind_schema(doc, field, OPENAPI_TAKEN);
	json_t *dflt = openapi_default(field);
	json_t *example = openapi_own_example(field);

	if (field->need == REQUIRED)
		openapi_put(doc, parameter, "required", json_true());
	openapi_put(doc, parameter, "description", description_of(field, OPENAPI_TAKEN));
	if (dflt != NULL)
		openapi_put(doc, schema, "default", dflt);
	openapi_put(doc, parameter, "schema", schema);
	if (example != NULL)
		openapi_put(doc, parameter, "example", example);
	return parameter;
}
