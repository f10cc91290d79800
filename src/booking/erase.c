/*
 * When a person is erased: what was written about him in his bookings goes (notes, reasons, who cancelled),
 * from the bookings and from the events that left with them. The bookings stay, for the resource was taken
 * and the books must add up; they name a user of whom nothing is known any more.
 *
 * The events lie in three more places: the outbox (reworded here, so that it can be played again), the
 * streams (the janitor removes them, once every group has had them) and the audit trail, which hears of
 * booking.erased. Each script can be repeated.
 */
#include "booking/booking.h"
#include "booking/effects.h"
#include "booking/queries.h"
#include "events/payloads.h"
#include "events/sweep.h"

#define PAGE 100

struct person {
	struct uuid tenant_id, user_id;
};

/* --- The bookings --------------------------------------------------------------- */

static enum rc add_erasure(struct script *script, const struct booking *row, struct step **ret)
{
	struct ctx *cx = script->cx;
	const struct booking_erased payload = {.booking_id = row->id, .resource_id = row->resource_id};
	struct outbox_row event =
		outbox_row(cx, STREAM_BOOKINGS, "booking.erased", &row->tenant_id, &row->id);

	event.created_at = outbox_time(cx, row->updated_at);
	if (!outbox_payload(&event, cx->arena, &booking_erased_shape, &payload))
		return RC_NO_MEMORY;
	*ret = SCRIPT_ADD(script, booking_erase, .tenant_id = row->tenant_id, .id = row->id,
			  .version = row->version, .change_id = event.change_id,
			  .updated_at = event.created_at);
	outbox_add(script, &q_booking_event_query, &event);
	return RC_OK;
}

static enum rc erase_page(struct ctx *cx, struct sweep *sweep, const void *arg)
{
	const struct person *person = arg;
	const struct q_bookings_with_words_in in = {.tenant_id = person->tenant_id,
						    .user_id = person->user_id,
						    .after_start = sweep->number,
						    .after_id = sweep->id,
						    .limit = PAGE};
	struct step *steps[PAGE];
	struct booking *rows;
	struct script script;
	size_t count;
	enum rc rc = q_bookings_with_words(cx, &in, &rows, &count);

	if (rc != RC_OK || count == 0)
		return rc;
	script_init(&script, cx, ROOM_booking, &person->tenant_id, &person->user_id);
	script_reserve(&script, 2 * count);
	for (size_t i = 0; i < count && rc == RC_OK; i++)
		rc = add_erasure(&script, &rows[i], &steps[i]);
	if (rc == RC_OK)
		rc = db_write(&script);
	for (size_t i = 0; rc == RC_OK && i < count; i++)
		sweep->missed |= steps[i]->rows.count == 0;
	sweep->number = rows[count - 1].start_time;
	sweep->id = rows[count - 1].id;
	sweep->more = count == PAGE;
	return rc;
}

/* --- The outbox ------------------------------------------------------------------- */

/* The same event without a person's words. */
static const char *reword(struct ctx *cx, const char *type, const char *text)
{
	bool updated = strcmp(type, "booking.updated") == 0;
	const struct shape *shape = updated ? &booking_updated_shape : &booking_cancelled_shape;
	struct issues issues = {.arena = cx->arena};
	struct outbox_row row = {0};
	void *payload;

	if (shape_parse(shape, PARSE_WHOLE, str_from(text), &issues, &payload) != RC_OK)
		return "{}"; /* not ours, and so nothing of it can be kept */
	if (updated)
		((struct booking_updated *)payload)->changes = "{}";
	else
		((struct booking_cancelled *)payload)->reason =
			((struct booking_cancelled *)payload)->cancelled_by = NULL;
	return outbox_payload(&row, cx->arena, shape, payload) ? row.payload : NULL;
}

static enum rc reword_page(struct ctx *cx, struct sweep *sweep, const void *arg)
{
	const struct person *person = arg;
	const struct q_outbox_with_words_in in = {.tenant_id = person->tenant_id,
						  .after = sweep->id,
						  .user_id = person->user_id,
						  .limit = PAGE};
	struct q_outbox_with_words_out *rows;
	struct script script;
	const char *payload;
	size_t count;
	enum rc rc = q_outbox_with_words(cx, &in, &rows, &count);

	if (rc != RC_OK || count == 0)
		return rc;
	script_init(&script, cx, ROOM_booking, &person->tenant_id, &person->user_id);
	script_reserve(&script, count);
	for (size_t i = 0; i < count; i++) {
		payload = reword(cx, rows[i].type, rows[i].payload);
		if (payload == NULL)
			return RC_NO_MEMORY;
		SCRIPT_ADD(&script, outbox_reword, .tenant_id = person->tenant_id, .id = rows[i].id,
			   .payload = payload);
	}
	sweep->id = rows[count - 1].id;
	sweep->more = count == PAGE;
	return db_write(&script);
}

/* --- The effects ------------------------------------------------------------------- */

enum rc booking_on_user_erased(struct delivery *delivery, const struct event *event)
{
	const struct person person = {.tenant_id = event->tenant_id, .user_id = event->subject_id};
	enum rc rc = sweep_pages(delivery->cx, erase_page, &person);

	/* In this order: no event with his words is written once the bookings have none. */
	return rc == RC_OK ? sweep_pages(delivery->cx, reword_page, &person) : rc;
}

enum rc booking_on_erased(struct delivery *delivery, const struct event *event)
{
	SCRIPT_ADD(delivery->script, erased_add, .tenant_id = event->tenant_id, .id = event->subject_id);
	return RC_OK;
}
