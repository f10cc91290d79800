/* The shapes of the booking service, and what its handlers share. */
#ifndef BOOKING_BOOKING_H
#define BOOKING_BOOKING_H

#include "calendar/policy.h"
#include "events/outbox.h"
#include "http/route.h"
#include "resource/client.h"
#include "tenant/client.h"

#define BOOKING_STATUS(X, E) X(E, pendente) X(E, confirmado) X(E, cancelado) X(E, concluido) X(E, sem_dados)
ENUM_DECLARE(booking_status, BOOKING_STATUS);

#define FREQUENCY(X, E) X(E, daily) X(E, weekly) X(E, monthly)
ENUM_DECLARE(frequency, FREQUENCY);

/* clang-format off */
#define RECURRING_PATTERN(F, T)                                                                                   \
	F(T, ENUM(frequency), frequency, REQUIRED, "How often.")                                                  \
	F(T, INT,  interval,     OPTIONAL, "Every how many days, weeks or months.", DEFAULT(1), .min = 1, .max = 52) \
	F(T, DATE, end_date,     OPTIONAL, "The last day, local.", .example = "\"2026-03-31\"")                   \
	F(T, INTS, days_of_week, OPTIONAL, "On which days; 0 = Monday.", .example = "[0, 2, 4]", .max = 6)
SHAPE_DECLARE(recurring_pattern, RECURRING_PATTERN);

#define BOOKING_NEW(F, T)                                                                                         \
	F(T, UUID, tenant_id,   REQUIRED, "The organisation that owns the resource.", .fixed = true)              \
	F(T, UUID, resource_id, REQUIRED, "What is booked.")                                                      \
	F(T, UUID, user_id,     REQUIRED, "Who answers for the booking.")                                         \
	F(T, UUID, client_id,   OPTIONAL, "Whom it is for, if someone else.")                                     \
	F(T, WHEN, start_time,  REQUIRED, "First instant, inclusive; without offset, the tenant's local time.",   \
	  .example = "\"2025-12-05T14:00:00Z\"")                                                                  \
	F(T, WHEN, end_time,    REQUIRED, "First instant after; exclusive.", .example = "\"2025-12-05T15:00:00Z\"") \
	F(T, TEXT, notes,       OPTIONAL, "Shown to staff.", .example = "\"Aula de Spinning - Iniciantes\"", .max = 2000) \
	F(T, ENUM(booking_status), status, OPTIONAL, "By default `pendente`, or `confirmado` where the tenant confirms at once.", \
	  DEFAULT(booking_status_pendente))                                                                       \
	F(T, BOOL, recurring_enabled, OPTIONAL, "Part of a series.", DEFAULT(false))                              \
	F(T, STORED(recurring_pattern), recurring_pattern, OPTIONAL, "How it recurs.")
SHAPE_DECLARE(booking_new, BOOKING_NEW);

#define BOOKING(F, T)                                                                                             \
	F(T, UUID,    id,          REQUIRED, "Of the booking.")                                                   \
	F(T, UUID,    tenant_id,   REQUIRED, "The organisation that owns the resource.")                          \
	F(T, UUID,    resource_id, REQUIRED, "What is booked.")                                                   \
	F(T, UUID,    user_id,     REQUIRED, "Who answers for the booking.")                                      \
	F(T, UUID,    client_id,   OPTIONAL, "Whom it is for, if someone else.")                                  \
	F(T, INSTANT, start_time,  REQUIRED, "First instant, inclusive.")                                         \
	F(T, INSTANT, end_time,    REQUIRED, "First instant after; exclusive.")                                   \
	F(T, ENUM(booking_status), status, REQUIRED, "`pendente` and `confirmado` block time.")                   \
	F(T, TEXT,    notes,       OPTIONAL, "Shown to staff.")                                                   \
	F(T, TEXT,    confirmation_code, REQUIRED, "What a person can read out; unique in the tenant.", .example = "\"K7RM2XWP\"") \
	F(T, BOOL,    recurring_enabled, REQUIRED, "Part of a series.")                                           \
	F(T, STORED(recurring_pattern), recurring_pattern, OPTIONAL, "How it recurs.")                            \
	F(T, TEXT,    cancellation_reason, OPTIONAL, "Why it was cancelled.")                                     \
	F(T, INSTANT, cancelled_at, OPTIONAL, "When it was cancelled.")                                           \
	F(T, TEXT,    cancelled_by, OPTIONAL, "Who cancelled it.")                                                \
	F(T, INSTANT, created_at,  REQUIRED, "When it was made.")                                                 \
	F(T, INSTANT, updated_at,  REQUIRED, "When it last changed.")                                             \
	F(T, BOOL,    can_cancel,  REQUIRED, "Whether it can be cancelled at this instant.")                      \
	F(T, INT,     version,     REQUIRED, "Counts changes.", .hidden = true)                                   \
	F(T, UUID,    change_id,   OPTIONAL, "The last change, as its events name it.", .hidden = true)           \
	F(T, INT,     capacity,    OPTIONAL, "Bookings at once, for the statements that count.", .hidden = true)
SHAPE_DECLARE(booking, BOOKING);

#define CONFLICT(F, T)                                                                     \
	F(T, UUID,    booking_id, REQUIRED, "The booking that is in the way.")             \
	F(T, INSTANT, start_time, REQUIRED, "From.")                                       \
	F(T, INSTANT, end_time,   REQUIRED, "To; exclusive.")
SHAPE_DECLARE(conflict, CONFLICT);

#define BOOKING_FILTER(F, T)                                                                                      \
	F(T, UUID, tenant_id,   OPTIONAL, "Whose bookings: your own tenant's, unless you are the operator, who must name one.") \
	F(T, UUID, resource_id, OPTIONAL, "Only of this resource.")                                               \
	F(T, UUID, user_id,     OPTIONAL, "Only of this user.")                                                   \
	F(T, ENUM(booking_status), status, OPTIONAL, "Only in this status.")                                      \
	F(T, TEXT, start_date,  OPTIONAL, "Only what ends after it: a date, or a time; local unless it has an offset.", \
	  .example = "\"2025-12-05\"", .max = 40, .format = &format_day_or_time)                                  \
	F(T, TEXT, end_date,    OPTIONAL, "Only what begins before it; a date counts with its whole day.",        \
	  .example = "\"2025-12-06\"", .max = 40, .format = &format_day_or_time)                                  \
	PAGE_FIELDS(F, T)
SHAPE_DECLARE(booking_filter, BOOKING_FILTER);

#define CANCELLATION(F, T) F(T, TEXT, reason, OPTIONAL, "Why.", .example = "\"Imprevisto\"", .max = 500)
SHAPE_DECLARE(cancellation, CANCELLATION);

#define CANCELLATION_QUERY(F, T) F(T, TEXT, cancelled_by, OPTIONAL, "Who cancels.", .max = 200)
SHAPE_DECLARE(cancellation_query, CANCELLATION_QUERY);

#define STATUS_CHANGE(F, T) F(T, ENUM(booking_status), status, OPTIONAL, "The new status.")
SHAPE_DECLARE(status_change, STATUS_CHANGE);

#define STATUS_QUERY(F, T) F(T, ENUM(booking_status), status_param, OPTIONAL, "The new status; before the body's.")
SHAPE_DECLARE(status_query, STATUS_QUERY);
/* clang-format on */

/* What a list's queries take (queries.sql); each of them reads its own part. */
struct booking_page {
	struct uuid tenant_id, user_id, resource_id;
	utime earliest;	   /* begins later */
	utime until_start; /* the last key that it may hold; a nil id: begins before */
	struct uuid until_id;
	utime after_start; /* the key that it follows */
	struct uuid after_id;
	utime ends_after;
	const char *status; /* NULL: in any */
	int64_t limit, skip;
};

extern const struct service booking_service;

/* Rule 1 of api.md, section 6: all three exist, belong together, and take bookings. */
struct parties {
	struct tenant_rules tenant;
	struct resource_rules resource;
};
enum rc parties_find(struct req *rq, const struct booking *row, struct parties *ret) MUST_USE;
/* Of rule 1 what is about the user alone. */
enum rc booking_check_user(struct req *rq, const struct booking *row) MUST_USE;

/* Rules 2 to 9, for a row whose period is set. The conflict that rule 8 sees now; the script sees it again
 * under lock. */
enum rc booking_check(struct req *rq, const struct booking *row, const struct parties *parties) MUST_USE;

/* A client's time in the tenant's zone; an issue at `loc` when there is no such time. */
void booking_when(struct req *rq, const struct tenant_rules *rules, const struct loc *loc,
		  struct wire_time when, utime *ret);

/* The times that were sent, into the row; RC_INVALID. */
enum rc booking_times(struct req *rq, const struct tenant_rules *rules, const struct booking_new *sent,
		      struct booking *row) MUST_USE;

/*
 * Why a row with a period was not let in: RC_CONFLICT, with every booking that is in its way; when there is
 * room now, what booking_gone() says.
 */
enum rc booking_refused(struct req *rq, const struct booking *row) MUST_USE;

/* Which party of a row that was not let in has been deleted meanwhile: RC_TENANT_UNKNOWN,
 * RC_RESOURCE_UNKNOWN, RC_USER_UNKNOWN; RC_CHANGED_MEANWHILE when it is none. */
enum rc booking_gone(struct ctx *cx, const struct booking *row) MUST_USE;

/* The booking of the path, with can_cancel; RC_BOOKING_UNKNOWN, also where whoever asks may not see it.
 * `rules` are its tenant's. */
enum rc booking_find(struct req *rq, struct booking **ret, struct tenant_rules *rules) MUST_USE;
/* The same, to change it: RC_FORBIDDEN where he may see it and no more; RC_STALE. */
enum rc booking_find_own(struct req *rq, struct booking **ret, struct tenant_rules *rules) MUST_USE;

bool booking_blocks(enum booking_status status);
bool booking_can_cancel(const struct booking *row, const struct tenant_rules *rules, utime now);

/* May a booking move from one status to the other? The same to the same is not a move. */
bool status_may_become(enum booking_status from, enum booking_status to);

/* Marks a row as cancelled, where the window allows; booking_store() comes next. RC_BAD_TRANSITION,
 * RC_CANCEL_TOO_LATE. */
enum rc booking_mark_cancelled(struct ctx *cx, struct booking *row, const struct tenant_rules *rules,
			       const char *reason, const char *by) MUST_USE;
/* Who asks, as a booking keeps it: a user's id, `api_key:` with the key's, `operator`; NULL without a token.
 */
enum rc booking_cancelled_by(const struct req *rq, const char **ret) MUST_USE;
/* The same whatever its status and the window. */
void booking_set_cancelled(struct booking *row, const char *reason, const char *by, utime now);

/*
 * A script that writes bookings of this row's resource: its lock row is taken first. Returns that step. When
 * nothing has come of the rest because booking_lock_is_fresh(), the script is made once more, with `fresh`.
 */
struct step *booking_script(struct script *script, struct ctx *cx, const struct booking *row, bool fresh);
bool booking_lock_is_fresh(const struct step *lock);

/*
 * Adds what differs between the row as read and as it shall be, with the events that follow from it: so many
 * steps at most. *ret: the step that gives a row when it came about; NULL when nothing differs.
 */
#define BOOKING_CHANGE_STEPS (1 + BOOKING_EVENTS_MAX)
enum rc booking_add_change(struct script *script, const struct booking *old, struct booking *row,
			   struct step **ret) MUST_USE;

/* Commits it. */
enum rc booking_store(struct req *rq, const struct booking *old, struct booking *row) MUST_USE;

bool booking_moved(const struct booking *old, const struct booking *row);

/* 200 with the row as it is now. */
enum rc booking_reply(struct req *rq, struct booking *row, const struct tenant_rules *rules) MUST_USE;

/* The events of a change, in order (api.md, section 7): of its fields, then of its status. None when nothing
 * differs. */
#define BOOKING_EVENTS_MAX 2
struct booking_events {
	struct outbox_row rows[BOOKING_EVENTS_MAX];
	size_t count;
};
enum rc booking_event_created(struct ctx *cx, const struct booking *row, struct outbox_row *ret) MUST_USE;
enum rc booking_events_of(struct ctx *cx, const struct booking *old, const struct booking *row,
			  struct booking_events *ret) MUST_USE;

/* The handlers. */
enum rc booking_create(struct req *rq);
enum rc booking_list(struct req *rq);
enum rc booking_get(struct req *rq);
enum rc booking_update(struct req *rq);
enum rc booking_cancel(struct req *rq);
enum rc booking_cancel_quietly(struct req *rq);
enum rc booking_set_status(struct req *rq);

#endif
