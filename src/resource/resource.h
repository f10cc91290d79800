/* The shapes of a resource, what it offers on a day, and what the room's handlers share. */
#ifndef RESOURCE_RESOURCE_H
#define RESOURCE_RESOURCE_H

#include "db/db.h"
#include "events/outbox.h"
#include "http/route.h"
#include "resource/category.h"

#define RESOURCE_STATUS(X, E) X(E, disponivel) X(E, manutencao) X(E, indisponivel)
ENUM_DECLARE(resource_status, RESOURCE_STATUS);

/* clang-format off */
#define SCHEDULE_DOC                                                                                              \
	"When it can be booked, local time, in one of three forms that mean the same: "                           \
	"`{\"monday\": [\"08:00-12:00\"]}`, `{\"monday\": [{\"start\": \"08:00\", \"end\": \"12:00\"}]}` or "     \
	"`{\"schedule\": [{\"day_of_week\": 0, \"start_time\": \"08:00\", \"end_time\": \"12:00\"}]}` (0 = Monday). " \
	"Null, `{}` and `{\"schedule\": []}`: the tenant's working hours, every day. Otherwise a weekday that is " \
	"not named, or has an empty list, is closed. A range may end at 24:00; at most 48 a weekday. Returned as sent."

#define RESOURCE_FIELDS(F, T)                                                                                     \
	F(T, UUID, tenant_id,   REQUIRED, "The organisation it belongs to.", .fixed = true)                       \
	F(T, UUID, category_id, REQUIRED, "Its category, of the same tenant.")                                    \
	F(T, TEXT, name,        REQUIRED, "Name of the resource.", .example = "\"Sala 1 - Spinning\"", .min = 1, .max = 200) \
	F(T, TEXT, description, OPTIONAL, "For people who choose.", .example = "\"Sala equipada para aulas de spinning\"", .max = 2000) \
	F(T, ENUM(resource_status), status, OPTIONAL, "Only what is `disponivel` takes bookings.", DEFAULT(resource_status_disponivel)) \
	F(T, INT,  capacity,    OPTIONAL, "How many people it takes; where its category allows multiple bookings, how many of them at once.", \
	  .example = "20", .min = 1, .max = 100000)                                                               \
	F(T, TEXT, location,    OPTIONAL, "Where it is.", .example = "\"Andar 2\"", .max = 200)                   \
	F(T, JSON, attributes,  OPTIONAL, "What the category's custom_fields ask for, and anything more; replaced as a whole.", \
	  .example = "{\"piso\": \"madeira\"}")                                                                   \
	F(T, JSON, availability_schedule, OPTIONAL, SCHEDULE_DOC,                                                 \
	  .example = "{\"monday\": [\"08:00-12:00\", \"13:00-18:00\"]}", .check = schedule_check)                 \
	F(T, TEXT, image_url,   OPTIONAL, "Address of a picture.", .example = "\"https://exemplo.com/sala-1.jpg\"", \
	  .max = 2000, .format = &format_url)

#define RESOURCE_NEW(F, T) RESOURCE_FIELDS(F, T)
SHAPE_DECLARE(resource_new, RESOURCE_NEW);

#define RESOURCE(F, T)                                                                                            \
	F(T, UUID, id, REQUIRED, "Of the resource.")                                                              \
	RESOURCE_FIELDS(F, T)                                                                                     \
	F(T, INSTANT, created_at, REQUIRED, "When it was created.")                                               \
	F(T, INSTANT, updated_at, REQUIRED, "When it last changed.")                                              \
	F(T, OBJECT(category), category, REQUIRED, "Its category, whole.")                                        \
	F(T, TEXT, search_name, OPTIONAL, "The name, folded.", .hidden = true)                                    \
	F(T, INT,  version, REQUIRED, "Counts changes.", .hidden = true)                                          \
	F(T, UUID, change_id, OPTIONAL, "The event of the last change.", .hidden = true)
SHAPE_DECLARE(resource, RESOURCE);

#define RESOURCE_FILTER(F, T)                                                                                     \
	F(T, UUID, tenant_id,   OPTIONAL, "Whose resources: your own tenant's, unless you are the operator, who must name one.") \
	F(T, UUID, category_id, OPTIONAL, "Only of this category.")                                               \
	F(T, ENUM(resource_status), status, OPTIONAL, "Only in this status.")                                     \
	F(T, TEXT, search, OPTIONAL, "A part of the name; case and accents do not matter.", .max = 200)           \
	PAGE_FIELDS(F, T)
SHAPE_DECLARE(resource_filter, RESOURCE_FILTER);

/* Text, so that what is no date is answered 400 in the words of api.md, and not 422. */
#define AVAILABILITY_QUERY(F, T)                                                                                  \
	F(T, TEXT, data, OPTIONAL, "Which local day, YYYY-MM-DD; must be given.", .alias = "date", .example = "\"2025-12-05\"")
SHAPE_DECLARE(availability_query, AVAILABILITY_QUERY);

#define SLOT(F, T)                                                                                                \
	F(T, LOCAL, start_time, REQUIRED, "From.", .example = "\"2025-12-05T08:00:00-03:00\"")                    \
	F(T, LOCAL, end_time,   REQUIRED, "To; exclusive.", .example = "\"2025-12-05T09:00:00-03:00\"")
SHAPE_DECLARE(slot, SLOT);

#define AVAILABILITY(F, T)                                                                                        \
	F(T, UUID, resource_id, REQUIRED, "Of which resource.")                                                   \
	F(T, UUID, tenant_id,   REQUIRED, "Whose it is.")                                                         \
	F(T, DATE, date,        REQUIRED, "The local day that was asked for.", .example = "\"2025-12-05\"")       \
	F(T, TEXT, timezone,    REQUIRED, "IANA name of the tenant's zone.", .example = "\"America/Sao_Paulo\"")  \
	F(T, LIST(slot), slots, REQUIRED, "What can be booked, in order.")
SHAPE_DECLARE(availability, AVAILABILITY);
/* clang-format on */

extern const struct service resource_service;

/* The tenant of the resource of the path: that of whoever asks, or for the operator the resource's own;
 * RC_RESOURCE_UNKNOWN. */
enum rc resource_tenant(struct req *rq, struct uuid *ret) MUST_USE;
/* The resource of the path, with its category; RC_RESOURCE_UNKNOWN. */
enum rc resource_find(struct req *rq, struct resource **ret) MUST_USE;
/* Puts it into the category of category_id; RC_CATEGORY_UNKNOWN, also when that is another tenant's. */
enum rc resource_classify(struct req *rq, struct resource *row) MUST_USE;
/* What the service derives before a row is written: name for search. */
enum rc resource_derive(struct req *rq, struct resource *row) MUST_USE;
/* The event of a change to this resource: {resource_id, tenant_id}. */
enum rc resource_event(struct ctx *cx, const struct resource *row, const char *stream, const char *type,
		       struct outbox_row *ret) MUST_USE;
/* A script of this room, with room for so many steps more: takes the category's row first, and moves the
 * version of the tenant. */
void resource_script(struct script *script, struct ctx *cx, const struct uuid *tenant,
		     const struct uuid *category, size_t steps);
/* Adds the removal of this resource, with its event: so many steps. Returns the one that gives a row when it
 * came about. */
#define RESOURCE_REMOVAL_STEPS 2
struct step *resource_add_removal(struct script *script, const struct resource *row,
				  const struct outbox_row *event);

/* Its attributes against the custom_fields of its category. RC_INVALID tells the issues. */
enum rc attributes_check(struct req *rq, const struct resource *row) MUST_USE;

/* The handlers, one file each. */
enum rc resource_create(struct req *rq);
enum rc resource_list(struct req *rq);
enum rc resource_get(struct req *rq);
enum rc resource_update(struct req *rq);
enum rc resource_delete(struct req *rq);
enum rc resource_availability(struct req *rq);

#endif
