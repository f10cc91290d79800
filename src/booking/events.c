/* The booking service's events and their payloads: api.md, section 7. */
#include "booking/booking.h"
#include "http/req.h"

/* clang-format off */
#define EVENT_CREATED(F, T)                                                                                \
	F(T, UUID,    booking_id,  REQUIRED, "The booking.")                                               \
	F(T, UUID,    user_id,     REQUIRED, "Who answers for it.")                                        \
	F(T, UUID,    resource_id, REQUIRED, "What is booked.")                                            \
	F(T, ENUM(booking_status), status, REQUIRED, "Its first status.")                                  \
	F(T, INSTANT, start_time,  REQUIRED, "From.")                                                      \
	F(T, INSTANT, end_time,    REQUIRED, "To; exclusive.")
SHAPE_DECLARE(event_created, EVENT_CREATED);
SHAPE_DEFINE(event_created, EVENT_CREATED);

#define EVENT_UPDATED(F, T)                                                                                \
	F(T, UUID, booking_id,  REQUIRED, "The booking.")                                                  \
	F(T, UUID, resource_id, REQUIRED, "What is booked now.")                                           \
	F(T, JSON, changes,     REQUIRED, "Field by field: {old, new}.")
SHAPE_DECLARE(event_updated, EVENT_UPDATED);
SHAPE_DEFINE(event_updated, EVENT_UPDATED);

#define EVENT_CANCELLED(F, T)                                                                              \
	F(T, UUID, booking_id,   REQUIRED, "The booking.")                                                 \
	F(T, UUID, resource_id,  REQUIRED, "What was booked.")                                             \
	F(T, UUID, user_id,      REQUIRED, "Who answered for it.")                                         \
	F(T, TEXT, reason,       OPTIONAL, "Why.")                                                         \
	F(T, TEXT, cancelled_by, OPTIONAL, "Who cancelled it.")
SHAPE_DECLARE(event_cancelled, EVENT_CANCELLED);
SHAPE_DEFINE(event_cancelled, EVENT_CANCELLED);

#define EVENT_STATUS(F, T)                                                                                 \
	F(T, UUID, booking_id,  REQUIRED, "The booking.")                                                  \
	F(T, UUID, resource_id, REQUIRED, "What is booked.")                                               \
	F(T, UUID, user_id,     REQUIRED, "Who answers for it.")                                           \
	F(T, ENUM(booking_status), old_status, REQUIRED, "From.")                                          \
	F(T, ENUM(booking_status), new_status, REQUIRED, "To.")
SHAPE_DECLARE(event_status, EVENT_STATUS);
SHAPE_DEFINE(event_status, EVENT_STATUS);
/* clang-format on */

enum rc booking_event_created(struct req *rq, const struct booking *row, struct outbox_row *ret)
{
	const struct event_created payload = {
		.booking_id = row->id,
		.user_id = row->user_id,
		.resource_id = row->resource_id,
		.status = row->status,
		.start_time = row->start_time,
		.end_time = row->end_time,
	};

	*ret = outbox_row(&rq->cx, STREAM_BOOKINGS, "booking.created", &row->tenant_id, &row->id);
	return outbox_payload(ret, rq->cx.arena, &event_created_shape, &payload) ? RC_OK : RC_NO_MEMORY;
}

/* The next row of a change's events. */
static struct outbox_row *next(struct req *rq, const struct booking *row, const char *type,
			       struct booking_events *events)
{
	struct outbox_row *event = &events->rows[events->count];

	if (events->count == 0)
		*event = outbox_row(&rq->cx, STREAM_BOOKINGS, type, &row->tenant_id, &row->id);
	else
		*event = outbox_next(&rq->cx, event - 1, type);
	event->created_at = row->updated_at;
	events->count++;
	return event;
}

static bool value_text(struct req *rq, const struct field *field, const struct booking *row, struct str *ret)
{
	struct writer writer;

	writer_init(&writer, rq->cx.arena, 64);
	write_member(&writer, field, (const char *)row + field->offset);
	return writer_take(&writer, ret);
}

/* Whether a change of this field is told by booking.updated: not what moves with the status, or by itself. */
static bool is_told(const struct field *field)
{
	static const char *const untold[] = {"status",	     "cancellation_reason", "cancelled_at",
					     "cancelled_by", "updated_at",	    "can_cancel"};

	for (size_t i = 0; i < ARRAY_LEN(untold); i++)
		if (strcmp(field->name, untold[i]) == 0)
			return false;
	return !field->hidden;
}

/* {"notes":{"old":null,"new":"x"}}; an empty object when all are alike. */
static bool changes_text(struct req *rq, const struct booking *old, const struct booking *row,
			 const char **ret, bool *ret_any)
{
	struct writer writer;
	struct str before, after, text;

	*ret_any = false;
	writer_init(&writer, rq->cx.arena, 256);
	write_char(&writer, '{');
	for (size_t i = 0; i < booking_shape.count; i++) {
		const struct field *field = &booking_shape.fields[i];

		if (!is_told(field))
			continue;
		if (!value_text(rq, field, old, &before) || !value_text(rq, field, row, &after))
			return false;
		if (str_equal(before, after))
			continue;
		if (*ret_any)
			write_char(&writer, ',');
		*ret_any = true;
		write_text(&writer, str_from(field->name));
		write_raw(&writer, STR(":{\"old\":"));
		write_raw(&writer, before);
		write_raw(&writer, STR(",\"new\":"));
		write_raw(&writer, after);
		write_char(&writer, '}');
	}
	write_char(&writer, '}');
	write_char(&writer, '\0');
	if (!writer_take(&writer, &text))
		return false;
	*ret = text.p;
	return true;
}

static bool add_updated(struct req *rq, const struct booking *old, const struct booking *row,
			struct booking_events *events)
{
	struct event_updated payload = {.booking_id = row->id, .resource_id = row->resource_id};
	bool any;

	if (!changes_text(rq, old, row, &payload.changes, &any))
		return false;
	if (!any)
		return true;
	return outbox_payload(next(rq, row, "booking.updated", events), rq->cx.arena, &event_updated_shape,
			      &payload);
}

static bool add_status(struct req *rq, const struct booking *old, const struct booking *row,
		       struct booking_events *events)
{
	const struct event_status payload = {
		.booking_id = row->id,
		.resource_id = row->resource_id,
		.user_id = row->user_id,
		.old_status = old->status,
		.new_status = row->status,
	};

	return outbox_payload(next(rq, row, "booking.status_changed", events), rq->cx.arena,
			      &event_status_shape, &payload);
}

static bool add_cancelled(struct req *rq, const struct booking *row, struct booking_events *events)
{
	const struct event_cancelled payload = {
		.booking_id = row->id,
		.resource_id = row->resource_id,
		.user_id = row->user_id,
		.reason = row->cancellation_reason,
		.cancelled_by = row->cancelled_by,
	};

	return outbox_payload(next(rq, row, "booking.cancelled", events), rq->cx.arena,
			      &event_cancelled_shape, &payload);
}

enum rc booking_events_of(struct req *rq, const struct booking *old, const struct booking *row,
			  struct booking_events *ret)
{
	bool good;

	ret->count = 0;
	good = add_updated(rq, old, row, ret);
	if (good && old->status != row->status)
		good = row->status == booking_status_cancelado ? add_cancelled(rq, row, ret)
							       : add_status(rq, old, row, ret);
	return good ? RC_OK : RC_NO_MEMORY;
}
