/* The booking service's events and their payloads: api.md, section 7. */
#include "booking/booking.h"
#include "events/payloads.h"

enum rc booking_event_created(struct ctx *cx, const struct booking *row, struct outbox_row *ret)
{
	const struct booking_created payload = {
		.booking_id = row->id,
		.user_id = row->user_id,
		.resource_id = row->resource_id,
		.status = booking_status_names.text[row->status],
		.start_time = row->start_time,
		.end_time = row->end_time,
	};

	*ret = outbox_row(cx, STREAM_BOOKINGS, "booking.created", &row->tenant_id, &row->id);
	return outbox_payload(ret, cx->arena, &booking_created_shape, &payload) ? RC_OK : RC_NO_MEMORY;
}

/* The next row of a change's events. */
static struct outbox_row *next(struct ctx *cx, const struct booking *row, const char *type,
			       struct booking_events *events)
{
	struct outbox_row *event = &events->rows[events->count];

	if (events->count == 0)
		*event = outbox_row(cx, STREAM_BOOKINGS, type, &row->tenant_id, &row->id);
	else
		*event = outbox_next(cx, event - 1, type);
	event->created_at = row->updated_at;
	events->count++;
	return event;
}

static bool value_text(struct ctx *cx, const struct field *field, const struct booking *row, struct str *ret)
{
	struct writer writer;

	writer_init(&writer, cx->arena, 64);
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
static bool changes_text(struct ctx *cx, const struct booking *old, const struct booking *row,
			 const char **ret, bool *ret_any)
{
	struct writer writer;
	struct str before, after, text;

	*ret_any = false;
	writer_init(&writer, cx->arena, 256);
	write_char(&writer, '{');
	for (size_t i = 0; i < booking_shape.count; i++) {
		const struct field *field = &booking_shape.fields[i];

		if (!is_told(field))
			continue;
		if (!value_text(cx, field, old, &before) || !value_text(cx, field, row, &after))
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

static bool add_updated(struct ctx *cx, const struct booking *old, const struct booking *row,
			struct booking_events *events)
{
	struct booking_updated payload = {.booking_id = row->id, .resource_id = row->resource_id};
	bool any;

	if (!changes_text(cx, old, row, &payload.changes, &any))
		return false;
	if (!any)
		return true;
	return outbox_payload(next(cx, row, "booking.updated", events), cx->arena, &booking_updated_shape,
			      &payload);
}

static bool add_status(struct ctx *cx, const struct booking *old, const struct booking *row,
		       struct booking_events *events)
{
	const struct booking_status_changed payload = {
		.booking_id = row->id,
		.resource_id = row->resource_id,
		.user_id = row->user_id,
		.old_status = booking_status_names.text[old->status],
		.new_status = booking_status_names.text[row->status],
	};

	return outbox_payload(next(cx, row, "booking.status_changed", events), cx->arena,
			      &booking_status_changed_shape, &payload);
}

static bool add_cancelled(struct ctx *cx, const struct booking *row, struct booking_events *events)
{
	const struct booking_cancelled payload = {
		.booking_id = row->id,
		.resource_id = row->resource_id,
		.user_id = row->user_id,
		.reason = row->cancellation_reason,
		.cancelled_by = row->cancelled_by,
	};

	return outbox_payload(next(cx, row, "booking.cancelled", events), cx->arena, &booking_cancelled_shape,
			      &payload);
}

enum rc booking_events_of(struct ctx *cx, const struct booking *old, const struct booking *row,
			  struct booking_events *ret)
{
	bool good;

	ret->count = 0;
	good = add_updated(cx, old, row, ret);
	if (good && old->status != row->status)
		good = row->status == booking_status_cancelado ? add_cancelled(cx, row, ret)
							       : add_status(cx, old, row, ret);
	return good ? RC_OK : RC_NO_MEMORY;
}
