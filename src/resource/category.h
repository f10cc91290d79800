/* The shapes of a category: what the resources of one kind have in common. */
#ifndef RESOURCE_CATEGORY_H
#define RESOURCE_CATEGORY_H

#include "http/route.h"

#define CATEGORY_TYPE(X, E) X(E, fisico) X(E, humano)
ENUM_DECLARE(category_type, CATEGORY_TYPE);

#define ATTRIBUTE_TYPE(X, E) X(E, string) X(E, text) X(E, number) X(E, integer) X(E, boolean) X(E, date)
ENUM_DECLARE(attribute_type, ATTRIBUTE_TYPE);

/* clang-format off */
#define CUSTOM_FIELD(F, T)                                                                                        \
	F(T, TEXT, key,      REQUIRED, "Its name among a resource's attributes.", .example = "\"piso\"", .min = 1, .max = 64) \
	F(T, ENUM(attribute_type), type, REQUIRED, "What its value is. `string` and `text` are the same; a `date` is YYYY-MM-DD.", \
	  .example = "\"string\"")                                                                                \
	F(T, BOOL, required, OPTIONAL, "Every resource of the category must have it.", DEFAULT(false))
SHAPE_DECLARE(custom_field, CUSTOM_FIELD);

#define CATEGORY_METADATA(F, T)                                                                                   \
	F(T, BOOL, requires_qualification, OPTIONAL, "Whoever serves here needs a qualification.", DEFAULT(false)) \
	F(T, BOOL, allows_multiple_bookings, OPTIONAL,                                                            \
	  "As many bookings as a resource's capacity may overlap; otherwise one.", DEFAULT(false))                \
	F(T, LIST(custom_field), custom_fields, OPTIONAL, "What a resource's attributes are checked against.", .max = 50)
SHAPE_DECLARE(category_metadata, CATEGORY_METADATA);

#define CATEGORY_FIELDS(F, T)                                                                                     \
	F(T, UUID, tenant_id,   REQUIRED, "The organisation it belongs to.", .fixed = true)                       \
	F(T, TEXT, name,        REQUIRED, "Name of the category.", .example = "\"Salas de Aula\"", .min = 1, .max = 200) \
	F(T, TEXT, description, OPTIONAL, "For people who choose.", .example = "\"Espaços para aulas coletivas\"", .max = 2000) \
	F(T, ENUM(category_type), type, REQUIRED, "`fisico`: things and places; `humano`: people.")               \
	F(T, TEXT, icon,        OPTIONAL, "Name of an icon.", .example = "\"room\"", .max = 80)                   \
	F(T, TEXT, color,       OPTIONAL, "Colour by which it is shown.", .example = "\"#4CAF50\"", .max = 7, .format = &format_color) \
	F(T, BOOL, is_active,   OPTIONAL, "Whether it is offered to people who choose.", DEFAULT(true))           \
	F(T, STORED(category_metadata), category_metadata, OPTIONAL, "How its resources are booked and described; replaced as a whole.")

#define CATEGORY_NEW(F, T) CATEGORY_FIELDS(F, T)
SHAPE_DECLARE(category_new, CATEGORY_NEW);

#define CATEGORY(F, T)                                                                                            \
	F(T, UUID, id, REQUIRED, "Of the category.")                                                              \
	CATEGORY_FIELDS(F, T)                                                                                     \
	F(T, INSTANT, created_at, REQUIRED, "When it was created.")                                               \
	F(T, INSTANT, updated_at, REQUIRED, "When it last changed.")                                              \
	F(T, TEXT, search_name, OPTIONAL, "The name, folded.", .hidden = true)                                    \
	F(T, INT,  version, REQUIRED, "Counts changes.", .hidden = true)                                          \
	F(T, UUID, change_id, OPTIONAL, "The event of the last change.", .hidden = true)
SHAPE_DECLARE(category, CATEGORY);

#define CATEGORY_FILTER(F, T)                                                                                     \
	F(T, UUID, tenant_id, OPTIONAL, "Whose categories: your own tenant's, unless you are the operator, who must name one.") \
	F(T, ENUM(category_type), type, OPTIONAL, "Only of this type.")                                           \
	F(T, BOOL, is_active, OPTIONAL, "Only active, or only inactive ones.")                                    \
	F(T, TEXT, search, OPTIONAL, "A part of the name; case and accents do not matter.", .max = 200)           \
	PAGE_FIELDS(F, T)
SHAPE_DECLARE(category_filter, CATEGORY_FILTER);
/* clang-format on */

/* The category of the path; RC_CATEGORY_UNKNOWN. */
enum rc category_find(struct req *rq, struct category **ret) MUST_USE;
/* One of this tenant; RC_CATEGORY_UNKNOWN. */
enum rc category_read(struct req *rq, const struct uuid *tenant_id, const struct uuid *id,
		      struct category **ret) MUST_USE;
/* What the service derives before a row is written: name for search. */
enum rc category_derive(struct req *rq, struct category *row) MUST_USE;

/* The handlers, one file each. */
enum rc category_create(struct req *rq);
enum rc category_list(struct req *rq);
enum rc category_get(struct req *rq);
enum rc category_update(struct req *rq);
enum rc category_delete(struct req *rq);

#endif
