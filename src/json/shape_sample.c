/* See shape_sample.h. */
#include "json/shape_sample.h"

#include <jansson.h>
#include <stdlib.h>

void sample_meta_check(const json_t *value, const struct loc *loc, struct issues *issues)
{
	struct loc here = {.up = loc, .name = "bad"};

	if (json_object_get(value, "bad") != NULL)
		issue_add(issues, &here, ISSUE_BAD_ATTRIBUTE, "texto");
}

/* A rule across fields: what is labelled "nine" is nine. */
static void inner_check(const void *object, const struct loc *loc, struct issues *issues)
{
	const struct inner *inner = object;

	if (strcmp(inner->label, "nine") == 0 && inner->n != 9)
		issue_add(issues, loc, ISSUE_BAD_HOURS, NULL);
}

ENUM_DEFINE(colour, COLOUR);
SHAPE_DEFINE(inner, INNER, .doc = "Within another.", .check = inner_check);
SHAPE_DEFINE(sample, SAMPLE, .doc = "Every kind.");

static const char *loc_text(struct arena *arena, const struct loc *loc)
{
	const char *up = loc->up != NULL ? loc_text(arena, loc->up) : "";
	const char *dot = loc->up != NULL ? "." : "";
	const char *text = loc->name != NULL ? arena_printf(arena, "%s%s%s", up, dot, loc->name)
					     : arena_printf(arena, "%s%s%zu", up, dot, loc->index);

	if (text == NULL)
		abort();
	return text;
}

const char *sample_issues(const struct issues *issues)
{
	const char *all = "";

	for (const struct issue *i = issues->first; i != NULL; i = i->next) {
		all = arena_printf(issues->arena, "%s%s%s:%s", all, all[0] != '\0' ? " " : "",
				   loc_text(issues->arena, i->loc), issue_table[i->kind].type);
		if (all == NULL)
			abort();
	}
	return all;
}
