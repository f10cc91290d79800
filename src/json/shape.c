/* See shape.h. One table of kinds says how a value is read; nothing here knows a field by name. */
#include "json/shape.h"

#include "json/arena_json.h"
#include "json/member.h"
#include "json/write.h"

#include <jansson.h>
#include <stdlib.h>

#define DEPTH_MAX 32

/* --- Members ------------------------------------------------------------ */

static size_t member_size(const struct field *field)
{
	switch (field->kind) {
	case KIND_UUID:
		return sizeof(struct uuid);
	case KIND_WHEN:
		return sizeof(struct wire_time);
	case KIND_LOCAL:
		return sizeof(struct local_time);
	case KIND_INSTANT:
	case KIND_CLOCK:
	case KIND_INT:
	case KIND_WORDS:
		return sizeof(int64_t);
	case KIND_BOOL:
		return sizeof(bool);
	case KIND_ENUM:
		return sizeof(int);
	case KIND_OBJECT:
		return field->shape->size;
	case KIND_LIST:
	case KIND_INTS:
		return sizeof(struct list);
	case KIND_DATE:
	case KIND_TEXT:
	case KIND_JSON:
	case KIND_STORED:
		return sizeof(char *);
	}
	return 0;
}

/* What a field holds before anything is read: its default, or "none". */
static void member_reset(const struct field *field, void *member)
{
	switch (field->kind) {
	case KIND_INSTANT:
	case KIND_CLOCK:
	case KIND_INT:
		*(int64_t *)member = field->has_default ? field->dflt : INT64_MIN;
		break;
	case KIND_WORDS:
		*(int64_t *)member = field->dflt;
		break;
	case KIND_WHEN:
		*(struct wire_time *)member = (struct wire_time){.at = UTIME_NONE};
		break;
	case KIND_LOCAL:
		*(struct local_time *)member = (struct local_time){.at = UTIME_NONE};
		break;
	case KIND_BOOL:
		*(bool *)member = field->dflt != 0;
		break;
	case KIND_ENUM:
		*(int *)member = (int)field->dflt;
		break;
	case KIND_TEXT:
		*(const char **)member = field->dflt_text;
		break;
	default:
		memset(member, 0, member_size(field));
	}
}

void shape_reset(const struct shape *shape, void *object)
{
	*has_of(shape, object) = 0;
	for (size_t i = 0; i < shape->count; i++) {
		const struct field *field = &shape->fields[i];

		if (field->kind == KIND_OBJECT)
			shape_reset(field->shape, member_of(field, object));
		else
			member_reset(field, member_of(field, object));
	}
}

static const struct field *field_called(const struct shape *shape, const char *name)
{
	for (size_t i = 0; i < shape->count; i++)
		if (strcmp(shape->fields[i].name, name) == 0)
			return &shape->fields[i];
	return NULL;
}

void shape_copy(const struct shape *to_shape, void *to, const struct shape *from_shape, const void *from,
		enum copy_mode mode)
{
	uint64_t sent = *(const uint64_t *)(const void *)((const char *)from + from_shape->has_offset);

	for (size_t i = 0; i < from_shape->count; i++) {
		const struct field *source = &from_shape->fields[i];
		const struct field *field = field_called(to_shape, source->name);
		const void *member = (const char *)from + source->offset;

		if (field == NULL || field->kind != source->kind ||
		    (mode == COPY_SENT && (sent >> i & 1) == 0))
			continue;
		*has_of(to_shape, to) |= UINT64_C(1) << (field - to_shape->fields);
		if (field->kind == KIND_OBJECT)
			shape_copy(field->shape, member_of(field, to), source->shape, member, mode);
		else
			memcpy(member_of(field, to), member, member_size(field));
	}
}

bool shape_is_secret(const struct shape *shape)
{
	for (size_t i = 0; i < shape->count; i++) {
		const struct field *field = &shape->fields[i];

		if (field->secret || (field->kind == KIND_OBJECT && shape_is_secret(field->shape)))
			return true;
	}
	return false;
}

enum rc shape_check_required(const struct shape *shape, const void *object, const struct loc *loc,
			     struct issues *issues)
{
	uint64_t sent = *(const uint64_t *)(const void *)((const char *)object + shape->has_offset);

	for (size_t i = 0; i < shape->count; i++) {
		struct loc here = {.up = loc, .name = shape->fields[i].name};

		if (shape->fields[i].need == REQUIRED && (sent >> i & 1) == 0)
			issue_add(issues, &here, ISSUE_MISSING, NULL);
	}
	return issues_rc(issues);
}

/* --- Scalars, from text --------------------------------------------------- */

static size_t utf8_length(struct str text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += ((unsigned char)text.p[i] & 0xc0) != 0x80;
	return count;
}

static void text_read(const struct field *field, struct str text, const struct loc *loc,
		      struct issues *issues, void *member)
{
	size_t length = utf8_length(text);
	char *copy;

	if (length < (size_t)field->min)
		issue_add_number(issues, loc, ISSUE_TOO_SHORT, field->min);
	else if (field->max > 0 && length > (size_t)field->max)
		issue_add_number(issues, loc, ISSUE_TOO_LONG, field->max);
	else if (field->format != NULL && !field->format->valid(text))
		issue_add(issues, loc, field->format->issue, NULL);
	copy = arena_text(issues->arena, text);
	issues->no_memory |= copy == NULL;
	*(const char **)member = copy;
}

static void int_check(const struct field *field, int64_t value, const struct loc *loc, struct issues *issues,
		      void *member)
{
	if (value < field->min && (field->min != 0 || field->max != 0))
		issue_add_number(issues, loc, ISSUE_TOO_SMALL, field->min);
	else if (field->max > 0 && value > field->max)
		issue_add_number(issues, loc, ISSUE_TOO_LARGE, field->max);
	*(int64_t *)member = value;
}

static bool int_from_text(struct str text, int64_t *ret)
{
	bool negative = text.len > 0 && text.p[0] == '-';
	int64_t value = 0;

	if (text.len == (size_t)negative)
		return false;
	for (size_t i = negative; i < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_sub_overflow(value, text.p[i] - '0', &value))
			return false;
	}
	if (!negative && value == INT64_MIN)
		return false;
	*ret = negative ? value : -value;
	return true;
}

static void enum_read(const struct field *field, struct str text, const struct loc *loc,
		      struct issues *issues, void *member)
{
	int value = names_find(field->names, text);
	char *list = NULL;

	if (value >= 0) {
		*(int *)member = value;
		return;
	}
	for (int i = 0; i < field->names->count; i++)
		list = arena_printf(issues->arena, "%s%s%s", list != NULL ? list : "",
				    list != NULL ? ", " : "", field->names->text[i]);
	issue_add(issues, loc, ISSUE_NOT_IN_ENUM, list);
}

static void bool_read(struct str text, const struct loc *loc, struct issues *issues, void *member)
{
	bool yes = str_equal_nocase(text, STR("true")) || str_equal(text, STR("1"));
	bool no = str_equal_nocase(text, STR("false")) || str_equal(text, STR("0"));

	if (!yes && !no)
		issue_add(issues, loc, ISSUE_NOT_BOOL, NULL);
	*(bool *)member = yes;
}

/* As we write it: never without an offset. */
static void instant_read(struct str text, const struct loc *loc, struct issues *issues, void *member)
{
	struct wire_time when;

	if (utime_parse(text, &when) && !when.local)
		*(utime *)member = when.at;
	else
		issue_add(issues, loc, ISSUE_NOT_TIME, NULL);
}

static void clock_read(struct str text, const struct loc *loc, struct issues *issues, void *member)
{
	int32_t seconds;

	if (utime_parse_clock(text, &seconds))
		*(int64_t *)member = seconds;
	else
		issue_add(issues, loc, ISSUE_NOT_CLOCK, NULL);
}

static void date_read(const struct field *field, struct str text, const struct loc *loc,
		      struct issues *issues, void *member)
{
	int64_t days;

	if (!utime_parse_date(text, &days))
		issue_add(issues, loc, ISSUE_NOT_DATE, NULL);
	else
		text_read(field, text, loc, issues, member);
}

void field_parse_text(const struct field *field, struct str text, const struct loc *loc,
		      struct issues *issues, void *member)
{
	int64_t number;

	switch (field->kind) {
	case KIND_UUID:
		if (!uuid_parse(text, member))
			issue_add(issues, loc, ISSUE_NOT_UUID, NULL);
		break;
	case KIND_WHEN:
		if (!utime_parse(text, member))
			issue_add(issues, loc, ISSUE_NOT_TIME, NULL);
		break;
	case KIND_INSTANT:
		instant_read(text, loc, issues, member);
		break;
	case KIND_DATE:
		date_read(field, text, loc, issues, member);
		break;
	case KIND_CLOCK:
		clock_read(text, loc, issues, member);
		break;
	case KIND_INT:
		if (int_from_text(text, &number))
			int_check(field, number, loc, issues, member);
		else
			issue_add(issues, loc, ISSUE_NOT_INT, NULL);
		break;
	case KIND_BOOL:
		bool_read(text, loc, issues, member);
		break;
	case KIND_ENUM:
		enum_read(field, text, loc, issues, member);
		break;
	default:
		text_read(field, text, loc, issues, member);
	}
}

/* --- Values, from JSON ---------------------------------------------------- */

static void object_parse(const struct shape *shape, enum parse_mode mode, const json_t *json,
			 const struct loc *loc, struct issues *issues, void *object);

/* Any object, as compact text. */
static void json_keep(const struct field *field, const json_t *value, const struct loc *loc,
		      struct issues *issues, void *member)
{
	if (!json_is_object(value)) {
		issue_add(issues, loc, ISSUE_NOT_OBJECT, NULL);
		return;
	}
	if (field->check != NULL)
		field->check(value, loc, issues);
	*(const char **)member = arena_json_dump(issues->arena, value);
	issues->no_memory |= *(const char **)member == NULL;
}

/* An object of a shape, checked, then written again: canonical, with its defaults. */
static void stored_parse(const struct field *field, const json_t *value, const struct loc *loc,
			 struct issues *issues, void *member)
{
	void *object = arena_alloc(issues->arena, field->shape->size);
	struct writer writer;
	struct str text;

	if (object == NULL) {
		issues->no_memory = true;
		return;
	}
	object_parse(field->shape, PARSE_WHOLE, value, loc, issues, object);
	writer_init(&writer, issues->arena, 256);
	write_shape(&writer, field->shape, object);
	write_char(&writer, '\0');
	if (writer_take(&writer, &text))
		*(const char **)member = text.p;
	else
		issues->no_memory = true;
}

static bool list_room(const struct field *field, const json_t *value, size_t size, const struct loc *loc,
		      struct issues *issues, struct list *ret)
{
	size_t count = json_array_size(value);

	if (!json_is_array(value)) {
		issue_add(issues, loc, ISSUE_NOT_LIST, NULL);
		return false;
	}
	if (field->max > 0 && count > (size_t)field->max) {
		issue_add_number(issues, loc, ISSUE_TOO_MANY, field->max);
		return false;
	}
	ret->items = arena_array(issues->arena, count + 1, size);
	ret->count = ret->items != NULL ? count : 0;
	issues->no_memory |= ret->items == NULL;
	return ret->items != NULL;
}

static void list_parse(const struct field *field, const json_t *value, const struct loc *loc,
		       struct issues *issues, void *member)
{
	struct list list;

	if (!list_room(field, value, field->shape->size, loc, issues, &list))
		return;
	for (size_t i = 0; i < list.count; i++) {
		struct loc here = {.up = loc, .index = i};

		object_parse(field->shape, PARSE_WHOLE, json_array_get(value, i), &here, issues,
			     (char *)list.items + i * field->shape->size);
	}
	*(struct list *)member = list;
}

static void ints_parse(const struct field *field, const json_t *value, const struct loc *loc,
		       struct issues *issues, void *member)
{
	struct field item = {.min = field->min, .max = field->max};
	struct field bounds = {.max = INTS_MAX};
	struct list list;

	if (!list_room(&bounds, value, sizeof(int64_t), loc, issues, &list))
		return;
	for (size_t i = 0; i < list.count; i++) {
		const json_t *number = json_array_get(value, i);
		struct loc here = {.up = loc, .index = i};

		if (json_is_integer(number))
			int_check(&item, json_integer_value(number), &here, issues,
				  (int64_t *)list.items + i);
		else
			issue_add(issues, &here, ISSUE_NOT_INT, NULL);
	}
	*(struct list *)member = list;
}

static void words_parse(const struct field *field, const json_t *value, const struct loc *loc,
			struct issues *issues, void *member)
{
	struct field bounds = {.max = field->names->count};
	struct list list;
	int64_t words = 0;

	if (!list_room(&bounds, value, sizeof(int), loc, issues, &list))
		return;
	for (size_t i = 0; i < list.count; i++) {
		const json_t *item = json_array_get(value, i);
		const char *text = json_string_value(item);
		struct loc here = {.up = loc, .index = i};
		int word = -1;

		if (text == NULL)
			issue_add(issues, &here, ISSUE_NOT_TEXT, NULL);
		else
			enum_read(field, (struct str){text, json_string_length(item)}, &here, issues, &word);
		if (word >= 0 && (words >> word & 1) != 0)
			issue_add(issues, &here, ISSUE_REPEATED, text);
		if (word >= 0)
			words |= INT64_C(1) << word;
	}
	*(int64_t *)member = words;
}

static void value_parse(const struct field *field, enum parse_mode mode, const json_t *value,
			const struct loc *loc, struct issues *issues, void *member)
{
	switch (field->kind) {
	case KIND_INT:
		if (json_is_integer(value))
			int_check(field, json_integer_value(value), loc, issues, member);
		else
			issue_add(issues, loc, ISSUE_NOT_INT, NULL);
		break;
	case KIND_BOOL:
		if (json_is_boolean(value))
			*(bool *)member = json_is_true(value);
		else
			issue_add(issues, loc, ISSUE_NOT_BOOL, NULL);
		break;
	case KIND_OBJECT:
		object_parse(field->shape, mode, value, loc, issues, member);
		break;
	case KIND_LIST:
		list_parse(field, value, loc, issues, member);
		break;
	case KIND_INTS:
		ints_parse(field, value, loc, issues, member);
		break;
	case KIND_WORDS:
		words_parse(field, value, loc, issues, member);
		break;
	case KIND_JSON:
		json_keep(field, value, loc, issues, member);
		break;
	case KIND_STORED:
		stored_parse(field, value, loc, issues, member);
		break;
	default:
		if (json_is_string(value))
			field_parse_text(field,
					 (struct str){json_string_value(value), json_string_length(value)},
					 loc, issues, member);
		else
			issue_add(issues, loc, ISSUE_NOT_TEXT, NULL);
	}
}

static bool may_be_null(const struct field *field)
{
	return field->need == OPTIONAL && !field->has_default && field->kind != KIND_BOOL &&
	       field->kind != KIND_ENUM && field->kind != KIND_WORDS && field->kind != KIND_OBJECT;
}

static const json_t *field_value(const struct field *field, const json_t *json)
{
	const json_t *value = json_object_get(json, field->name);

	return value == NULL && field->alias != NULL ? json_object_get(json, field->alias) : value;
}

static void object_parse(const struct shape *shape, enum parse_mode mode, const json_t *json,
			 const struct loc *loc, struct issues *issues, void *object)
{
	size_t before = issues->count;

	shape_reset(shape, object);
	if (!json_is_object(json)) {
		issue_add(issues, loc, ISSUE_NOT_OBJECT, NULL);
		return;
	}
	for (size_t i = 0; i < shape->count; i++) {
		const struct field *field = &shape->fields[i];
		const json_t *value = field_value(field, json);
		struct loc here = {.up = loc, .name = field->name};

		if (field->hidden || (mode == PARSE_CHANGE && field->fixed))
			continue;
		if (value == NULL) {
			if (field->need == REQUIRED && mode == PARSE_WHOLE)
				issue_add(issues, &here, ISSUE_MISSING, NULL);
			continue;
		}
		*has_of(shape, object) |= UINT64_C(1) << i;
		if (!json_is_null(value))
			value_parse(field, mode, value, &here, issues, member_of(field, object));
		else if (!may_be_null(field))
			issue_add(issues, &here, ISSUE_NULL, NULL);
	}
	if (shape->check != NULL && mode == PARSE_WHOLE && issues->count == before)
		shape->check(object, loc, issues);
}

/* Brackets that are open at once, outside of strings; parsers recurse on them. */
static bool too_deep(struct str json)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < json.len; i++) {
		char c = json.p[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > DEPTH_MAX)
				return true;
		} else if (c == '}' || c == ']') {
			depth--;
		}
	}
	return false;
}

enum rc shape_parse(const struct shape *shape, enum parse_mode mode, struct str json, struct issues *issues,
		    void **ret)
{
	static const struct loc body = {.name = "body"};
	void *object = arena_alloc(issues->arena, shape->size);
	const char *why = NULL;
	json_t *tree;

	if (object == NULL)
		return RC_NO_MEMORY;
	tree = too_deep(json) ? NULL : arena_json_load(issues->arena, json, &why);
	if (tree == NULL) {
		issue_add(issues, &body, ISSUE_NOT_JSON, why != NULL ? why : "nested too deep");
		shape_reset(shape, object);
	} else {
		object_parse(shape, mode, tree, &body, issues, object);
	}
	*ret = object;
	return issues_rc(issues);
}
