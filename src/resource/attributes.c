/* What a category asks of its resources' attributes. Keys that it does not name are the client's own. */
#include "http/req.h"
#include "resource/resource.h"
#include "json/arena_json.h"
#include "json/tree.h"

static bool fits(const struct json_t *value, enum attribute_type type)
{
	enum tree_kind kind = tree_kind(value);
	int64_t days;

	switch (type) {
	case attribute_type_number:
		return kind == TREE_INT || kind == TREE_REAL;
	case attribute_type_integer:
		return kind == TREE_INT;
	case attribute_type_boolean:
		return kind == TREE_BOOL;
	case attribute_type_date:
		return kind == TREE_TEXT && utime_parse_date(tree_text(value), &days);
	default:
		return kind == TREE_TEXT;
	}
}

static void check(const struct json_t *attributes, const struct category_metadata *metadata,
		  struct issues *issues)
{
	static const struct loc body = {.name = "body"};
	const struct loc up = {.up = &body, .name = "attributes"};
	const struct custom_field *fields = metadata->custom_fields.items;

	for (size_t i = 0; i < metadata->custom_fields.count; i++) {
		const struct json_t *value =
			attributes != NULL ? tree_member(attributes, fields[i].key) : NULL;
		const struct loc here = {.up = &up, .name = fields[i].key};

		if (value != NULL && tree_kind(value) != TREE_NULL) {
			if (!fits(value, fields[i].type))
				issue_add(issues, &here, ISSUE_BAD_ATTRIBUTE,
					  attribute_type_names.text[fields[i].type]);
		} else if (fields[i].required) {
			issue_add(issues, &here, ISSUE_MISSING, NULL);
		}
	}
}

enum rc attributes_check(struct req *rq, const struct resource *row)
{
	struct issues stored = {.arena = rq->cx.arena};
	const struct json_t *attributes = NULL;
	const char *why;
	void *metadata;
	enum rc rc;

	if (row->category.category_metadata == NULL)
		return RC_OK;
	rc = shape_parse(&category_metadata_shape, PARSE_WHOLE, str_from(row->category.category_metadata),
			 &stored, &metadata);
	if (rc == RC_OK && row->attributes != NULL) {
		attributes = arena_json_load(rq->cx.arena, str_from(row->attributes), &why);
		rc = attributes != NULL ? RC_OK : RC_INTERNAL;
	}
	if (rc != RC_OK) /* both were checked when they were written */
		return rc == RC_NO_MEMORY ? rc : RC_INTERNAL;
	check(attributes, metadata, &rq->issues);
	return issues_rc(&rq->issues);
}
