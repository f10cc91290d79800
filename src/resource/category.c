/* What the handlers of categories share: shapes, what is derived before a row is written, how one is read. */
#include "resource/category.h"

#include "base/fold.h"
#include "http/req.h"
#include "resource/queries.h"

/* Two meanings of one attribute could never both be met. */
static void category_metadata_check(const void *object, const struct loc *loc, struct issues *issues)
{
	const struct list *list = &((const struct category_metadata *)object)->custom_fields;
	const struct custom_field *fields = list->items;
	const struct loc fields_loc = {.up = loc, .name = "custom_fields"};

	for (size_t i = 0; i < list->count; i++) {
		const struct loc item = {.up = &fields_loc, .index = i};
		const struct loc here = {.up = &item, .name = "key"};

		for (size_t j = 0; j < i; j++) {
			if (strcmp(fields[i].key, fields[j].key) == 0) {
				issue_add(issues, &here, ISSUE_REPEATED, fields[i].key);
				break;
			}
		}
	}
}

/* clang-format off */
ENUM_DEFINE(category_type, CATEGORY_TYPE);
ENUM_DEFINE(attribute_type, ATTRIBUTE_TYPE);
SHAPE_DEFINE(custom_field, CUSTOM_FIELD, .doc = "One attribute that resources of a category have.");
SHAPE_DEFINE(category_metadata, CATEGORY_METADATA, .doc = "How the resources of a category are booked and described.",
	     .check = category_metadata_check);
SHAPE_DEFINE(category_new, CATEGORY_NEW, .doc = "A category, as registered.");
SHAPE_DEFINE(category, CATEGORY, .doc = "What resources of one kind have in common.");
SHAPE_DEFINE(category_filter, CATEGORY_FILTER);
/* clang-format on */

enum rc category_read(struct req *rq, const struct uuid *tenant, const struct uuid *id, struct category **ret)
{
	const struct q_category_by_id_in in = {.tenant_id = *tenant, .id = *id};
	struct category *row;
	enum rc rc = q_category_by_id(&rq->cx, &in, &row);

	if (rc != RC_OK)
		return rc;
	if (row == NULL)
		return RC_CATEGORY_UNKNOWN;
	*ret = row;
	return RC_OK;
}

static enum rc tenant_of(struct req *rq, struct uuid *ret)
{
	const struct q_category_tenant_of_in in = {.id = rq->id};
	struct q_category_tenant_of_out *row;
	enum rc rc = q_category_tenant_of(&rq->cx, &in, &row);

	if (rc != RC_OK)
		return rc;
	if (row == NULL)
		return RC_CATEGORY_UNKNOWN;
	*ret = row->tenant_id;
	return RC_OK;
}

enum rc category_find(struct req *rq, struct category **ret)
{
	struct uuid tenant;
	enum rc rc = req_own_tenant(rq, &tenant) ? RC_OK : tenant_of(rq, &tenant);

	return rc == RC_OK ? category_read(rq, &tenant, &rq->id, ret) : rc;
}

enum rc category_derive(struct req *rq, struct category *row)
{
	row->search_name = fold_text(rq->cx.arena, row->name);
	return row->search_name != NULL ? RC_OK : RC_NO_MEMORY;
}
