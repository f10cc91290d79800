/* Query strings and percent-encoding. See shape.h. */
#include "json/arena_json.h"
#include "json/member.h"

char *percent_decode(struct arena *arena, struct str text, bool plus_is_blank, bool *ret_good)
{
	char *out = arena_alloc(arena, text.len + 1);
	size_t len = 0;

	*ret_good = true;
	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];

		if (c == '%') {
			int high = i + 2 < text.len ? hex_value(text.p[i + 1]) : -1;
			int low = i + 2 < text.len ? hex_value(text.p[i + 2]) : -1;

			if (i + 2 >= text.len || high < 0 || low < 0) {
				*ret_good = false;
				return out;
			}
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && plus_is_blank) {
			c = ' ';
		}
		out[len++] = c;
	}
	*ret_good = memchr(out, '\0', len) == NULL && arena_json_utf8(arena, (struct str){out, len});
	return out;
}

static const struct field *field_named(const struct shape *shape, struct str name, size_t *ret_index)
{
	for (size_t i = 0; i < shape->count; i++) {
		const struct field *field = &shape->fields[i];

		if (str_equal(str_from(field->name), name) ||
		    (field->alias != NULL && str_equal(str_from(field->alias), name))) {
			*ret_index = i;
			return field;
		}
	}
	return NULL;
}

bool shape_was_sent(const struct shape *shape, const void *object, const char *name)
{
	size_t index;

	return field_named(shape, str_from(name), &index) == NULL ||
	       (*(const uint64_t *)(const void *)((const char *)object + shape->has_offset) >> index & 1) !=
		       0;
}

static const struct loc in_query = {.name = "query"}, in_body = {.name = "body"};

static void pair_parse(const struct shape *shape, struct str pair, const struct loc *where,
		       struct issues *issues, void *object)
{
	size_t index;
	bool good;
	char *name = percent_decode(issues->arena, str_cut(&pair, '='), true, &good);
	const struct field *field = name != NULL && good ? field_named(shape, str_from(name), &index) : NULL;
	struct loc here = {.up = where};
	char *value;

	issues->no_memory |= name == NULL;
	if (field == NULL || field->hidden || pair.len == 0)
		return;
	here.name = field->name;
	value = percent_decode(issues->arena, pair, true, &good);
	if (value == NULL) {
		issues->no_memory = true;
		return;
	}
	if (where == &in_body && (*has_of(shape, object) >> index & 1) != 0)
		issue_add(issues, &here, ISSUE_REPEATED, field->name);
	*has_of(shape, object) |= UINT64_C(1) << index;
	if (good)
		field_parse_text(field, str_from(value), &here, issues, member_of(field, object));
	else
		issue_add(issues, &here, ISSUE_NOT_UTF8, NULL);
}

static enum rc pairs_parse(const struct shape *shape, struct str pairs, const struct loc *where,
			   struct issues *issues, void **ret)
{
	void *object = arena_alloc(issues->arena, shape->size);

	if (object == NULL)
		return RC_NO_MEMORY;
	shape_reset(shape, object);
	while (pairs.len > 0)
		pair_parse(shape, str_cut(&pairs, '&'), where, issues, object);
	for (size_t i = 0; i < shape->count; i++) {
		struct loc here = {.up = where, .name = shape->fields[i].name};

		if (shape->fields[i].need == REQUIRED && !shape->fields[i].hidden &&
		    (*has_of(shape, object) >> i & 1) == 0)
			issue_add(issues, &here, ISSUE_MISSING, NULL);
	}
	*ret = object;
	return issues_rc(issues);
}

enum rc shape_parse_query(const struct shape *shape, struct str query, struct issues *issues, void **ret)
{
	return pairs_parse(shape, query, &in_query, issues, ret);
}

enum rc shape_parse_form(const struct shape *shape, struct str form, struct issues *issues, void **ret)
{
	return pairs_parse(shape, form, &in_body, issues, ret);
}
