/*
 * The audit trail: every event of every tenant, in a database of its own, added to and never changed. Each
 * tenant's rows are a chain (audit/chain.h); audit_heads says where it ends.
 */
#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

#include "http/route.h"

struct delivery;
struct event;

/* clang-format off */
#define AUDIT_EVENT(F, T)                                                                                         \
	F(T, INT,     number,       REQUIRED, "Its place in the tenant's trail: 1, 2, ... without gaps.", .min = 1)   \
	F(T, UUID,    event_id,     REQUIRED, "Of the event.")                                                    \
	F(T, UUID,    tenant_id,    REQUIRED, "Whose event it is.")                                               \
	F(T, TEXT,    stream,       REQUIRED, "By which stream it came.", .example = "\"booking-events\"")        \
	F(T, INT,     sequence,     REQUIRED, "Its place in the stream.")                                         \
	F(T, TEXT,    type,         REQUIRED, "What happened.", .example = "\"booking.created\"")                 \
	F(T, UUID,    subject_id,   REQUIRED, "What it happened to.")                                             \
	F(T, INT,     version,      REQUIRED, "Of the subject, after the change.")                                \
	F(T, INT,     ordinal,      REQUIRED, "Among the events of one change.", .hidden = true)                  \
	F(T, INSTANT, occurred_at,  REQUIRED, "When it happened.")                                                \
	F(T, INSTANT, recorded_at,  REQUIRED, "When it was added to the trail.")                                  \
	F(T, TEXT,    trace_id,     REQUIRED, "Of the request that caused it, W3C trace context.",                \
	  .example = "\"0af7651916cd43dd8448eb211c80319c\"")                                                      \
	F(T, JSON,    payload,      REQUIRED, "What the event says; see its type.",                               \
	  .example = "{\"booking_id\": \"019b0d2f-6c5e-7a3b-9f10-2d6a8c4e1b37\"}")                                \
	F(T, TEXT,    payload_hash, REQUIRED, "SHA-256 of the payload's bytes.", .hidden = true)                  \
	F(T, TEXT,    hash,         REQUIRED, "SHA-256 of this event and of all before it.",                      \
	  .example = "\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"")                     \
	F(T, INSTANT, erased_at,    OPTIONAL, "When the payload was erased at a person's request; its hash stays.")
SHAPE_DECLARE(audit_event, AUDIT_EVENT);

#define AUDIT_FILTER(F, T)                                                                                        \
	F(T, UUID, tenant_id,  OPTIONAL, "Whose trail: your own tenant's, unless you are the operator, who must name one.") \
	F(T, UUID, subject_id, OPTIONAL, "Only what happened to this booking, user, resource ...")                \
	F(T, TEXT, type,       OPTIONAL, "Only this type of event.", .example = "\"booking.cancelled\"", .max = 64) \
	F(T, TEXT, from,       OPTIONAL, "Only what happened then or later: a date, or a time; local unless it has an offset.", \
	  .example = "\"2025-12-05\"", .max = 40, .format = &format_day_or_time)                                  \
	F(T, TEXT, to,         OPTIONAL, "Only what happened before; a date counts with its whole day.",          \
	  .example = "\"2025-12-06\"", .max = 40, .format = &format_day_or_time)                                  \
	PAGE_FIELDS(F, T)
SHAPE_DECLARE(audit_filter, AUDIT_FILTER);
/* clang-format on */

/* What stands where a payload was erased. */
#define AUDIT_ERASED "{\"erased\":true}"

/* The end of a tenant's chain: its last row's number and hash. */
struct audit_head {
	struct uuid tenant_id;
	int64_t number;
	const char *hash;
};

extern const struct service audit_service;

/* --- The consumer group: events/consumer.h ------------------------------------ */

/* The steps that one event adds at most. */
#define AUDIT_STEPS 3

/*
 * One event at the end of its tenant's chain. Where two scripts add to one chain at once, one of them fails
 * by RC_STORE_CONSTRAINT as a whole, and its events are to be tried again, from audit_begin() on.
 */
enum rc audit_begin(struct delivery *delivery, const struct event *const *events, size_t count) MUST_USE;
enum rc audit_record(struct delivery *delivery, const struct event *event) MUST_USE;
enum rc audit_finish(struct delivery *delivery) MUST_USE;

/* The handler. */
enum rc audit_list(struct req *rq);

#endif
