/*
 * What events say: one shape a payload, known to those who write events and to those who consume them. The
 * contract is api.md, section 7; docs/events.md has the table that is made from these.
 */
#ifndef EVENTS_PAYLOADS_H
#define EVENTS_PAYLOADS_H

#include "events/event.h"
#include "json/shape.h"

/* clang-format off */
#define BOOKING_CREATED(F, T)                                                                              \
	F(T, UUID,    booking_id,  REQUIRED, "The booking.")                                               \
	F(T, UUID,    user_id,     REQUIRED, "Who answers for it.")                                        \
	F(T, UUID,    resource_id, REQUIRED, "What is booked.")                                            \
	F(T, TEXT,    status,      REQUIRED, "Its first status.", .example = "\"pendente\"")               \
	F(T, INSTANT, start_time,  REQUIRED, "From.")                                                      \
	F(T, INSTANT, end_time,    REQUIRED, "To; exclusive.")
SHAPE_DECLARE(booking_created, BOOKING_CREATED);

#define BOOKING_UPDATED(F, T)                                                                              \
	F(T, UUID, booking_id,  REQUIRED, "The booking.")                                                  \
	F(T, UUID, resource_id, REQUIRED, "What is booked now.")                                           \
	F(T, JSON, changes,     REQUIRED, "Field by field: {old, new}.",                                   \
	  .example = "{\"notes\": {\"old\": null, \"new\": \"x\"}}")
SHAPE_DECLARE(booking_updated, BOOKING_UPDATED);

#define BOOKING_CANCELLED(F, T)                                                                            \
	F(T, UUID, booking_id,   REQUIRED, "The booking.")                                                 \
	F(T, UUID, resource_id,  REQUIRED, "What was booked.")                                             \
	F(T, UUID, user_id,      REQUIRED, "Who answered for it.")                                         \
	F(T, TEXT, reason,       OPTIONAL, "Why.")                                                         \
	F(T, TEXT, cancelled_by, OPTIONAL, "Who cancelled it.")
SHAPE_DECLARE(booking_cancelled, BOOKING_CANCELLED);

#define BOOKING_STATUS_CHANGED(F, T)                                                                       \
	F(T, UUID, booking_id,  REQUIRED, "The booking.")                                                  \
	F(T, UUID, resource_id, REQUIRED, "What is booked.")                                               \
	F(T, UUID, user_id,     REQUIRED, "Who answers for it.")                                           \
	F(T, TEXT, old_status,  REQUIRED, "From.", .example = "\"pendente\"")                              \
	F(T, TEXT, new_status,  REQUIRED, "To.", .example = "\"confirmado\"")
SHAPE_DECLARE(booking_status_changed, BOOKING_STATUS_CHANGED);

#define BOOKING_ERASED(F, T)                                                                               \
	F(T, UUID, booking_id,  REQUIRED, "The booking.")                                                  \
	F(T, UUID, resource_id, REQUIRED, "What is booked.")
SHAPE_DECLARE(booking_erased, BOOKING_ERASED);

#define TENANT_IDS(F, T) F(T, UUID, tenant_id, REQUIRED, "Which tenant.")
SHAPE_DECLARE(tenant_ids, TENANT_IDS);

#define USER_IDS(F, T)                                                                                     \
	F(T, UUID, user_id, REQUIRED, "Which user.")                                                       \
	F(T, UUID, tenant_id, REQUIRED, "Of which tenant.")
SHAPE_DECLARE(user_ids, USER_IDS);

#define SESSION_IDS(F, T)                                                                                  \
	F(T, UUID, session_id, REQUIRED, "Which session.")                                                 \
	F(T, UUID, user_id, REQUIRED, "Whose.")                                                            \
	F(T, UUID, tenant_id, REQUIRED, "Of which tenant.")
SHAPE_DECLARE(session_ids, SESSION_IDS);

#define API_KEY_IDS(F, T)                                                                                  \
	F(T, UUID, api_key_id, REQUIRED, "Which API key.")                                                 \
	F(T, UUID, tenant_id, REQUIRED, "Of which tenant.")
SHAPE_DECLARE(api_key_ids, API_KEY_IDS);

#define PROVIDER_IDS(F, T)                                                                                 \
	F(T, UUID, provider_id, REQUIRED, "Which identity provider.")                                      \
	F(T, UUID, tenant_id, REQUIRED, "Of which tenant.")
SHAPE_DECLARE(provider_ids, PROVIDER_IDS);

#define RESOURCE_IDS(F, T)                                                                                 \
	F(T, UUID, resource_id, REQUIRED, "Which resource.")                                               \
	F(T, UUID, tenant_id, REQUIRED, "Of which tenant.")
SHAPE_DECLARE(resource_ids, RESOURCE_IDS);

#define CATEGORY_IDS(F, T)                                                                                 \
	F(T, UUID, category_id, REQUIRED, "Which category: all of its resources.")                         \
	F(T, UUID, tenant_id, REQUIRED, "Of which tenant.")
SHAPE_DECLARE(category_ids, CATEGORY_IDS);
/* clang-format on */

struct event_type {
	const char *type, *stream;
	const struct shape *payload;
	const char *when;
};

/* Every type, ended by one without a name. */
extern const struct event_type event_types[];

#endif
