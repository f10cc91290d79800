/*
 * What the files openapi*.c share: the document while it grows. What several operations have in common
 * becomes a component when it is first referred to, so that nothing unused is ever in the document.
 */
#ifndef HTTP_OPENAPI_PARTS_H
#define HTTP_OPENAPI_PARTS_H

#include "http/route.h"

#include <jansson.h>

enum openapi_section {
	OPENAPI_SCHEMAS,
	OPENAPI_PARAMETERS,
	OPENAPI_HEADERS,
	OPENAPI_RESPONSES,
	OPENAPI_EXAMPLES,
	OPENAPI_SECTIONS
};

#define OPENAPI_GIVEN_MAX 128
#define OPENAPI_NAME_MAX  96

struct openapi {
	json_t *sections[OPENAPI_SECTIONS];
	const struct shape *given[OPENAPI_GIVEN_MAX]; /* that stand in replies */
	size_t given_count;
	bool failed; /* memory; told once, at the end */
};

/* Takes `value` over, as json_object_set_new() does; NULL, or no memory, is remembered. */
void openapi_put(struct openapi *doc, json_t *object, const char *key, json_t *value);
void openapi_append(struct openapi *doc, json_t *array, json_t *value);
void openapi_put_text(struct openapi *doc, json_t *object, const char *key, const char *text);

/* {"$ref": "#/components/<section>/<name>"} */
json_t *openapi_ref(enum openapi_section section, const char *name);
bool openapi_has(const struct openapi *doc, enum openapi_section section, const char *name);
void openapi_add(struct openapi *doc, enum openapi_section section, const char *name, json_t *value);

/* "tenant_new" -> "TenantNew", "Bad request" -> "BadRequest" */
void openapi_pascal(char ret[OPENAPI_NAME_MAX], const char *words);

/* --- openapi_schema.c: from shapes ---------------------------------------- */

/* One shape can have three schemas: as it is taken, as a change of it is taken, as it is given. */
enum openapi_role { OPENAPI_TAKEN, OPENAPI_CHANGE, OPENAPI_GIVEN };

json_t *openapi_shape_ref(struct openapi *doc, const struct shape *shape, enum openapi_role role);

/* Remembers that this shape, and what it holds, is given. Goes before the first openapi_shape_ref(). */
void openapi_mark_given(struct openapi *doc, const struct shape *shape);

/* A field of a query, as a parameter. */
json_t *openapi_query_parameter(struct openapi *doc, const struct field *field);

/* --- openapi_example.c ------------------------------------------------------ */

/* NULL: the field has none of its own. */
json_t *openapi_own_example(const struct field *field);
json_t *openapi_default(const struct field *field);
json_t *openapi_body_example(struct openapi *doc, const struct shape *shape, enum openapi_role role);

/* --- openapi_reply.c -------------------------------------------------------- */

json_t *openapi_responses(struct openapi *doc, const struct service *service, const struct route *route);

#endif
