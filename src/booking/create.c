/*
 * POST /bookings/ -- book a resource for a period.
 *
 * Two callers asking for the same hour: exactly one gets 201, the other 409. resource_lock
 * makes them queue; booking_insert sees who came first.
 */
#include "booking/counts.h"
#include "booking/permit.h"
#include "booking/queries.h"
#include "http/req.h"

#define TRIES 8 /* of a booking for which there is room each time that one looks */

/* Crockford's alphabet: nothing in it is taken for something else when read out. */
static const char *code_make(struct req *rq)
{
	static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	unsigned char random[8];
	char code[9];

	rq->cx.world->random(rq->cx.world, random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		code[i] = alphabet[random[i] & 31];
	code[8] = '\0';
	return arena_text(rq->cx.arena, str_from(code));
}

/* The row as it will be: local times become instants, the tenant's habits fill what was not said. */
static enum rc draft(struct req *rq, const struct parties *parties, struct booking *row)
{
	const struct booking_new *in = BODY(rq, booking_new);

	row->id = uuid_v7(rq->cx.world, rq->cx.now);
	row->confirmation_code = code_make(rq);
	if (row->confirmation_code == NULL)
		return RC_NO_MEMORY;
	row->capacity = parties->resource.capacity;
	row->version = 1;
	row->cancelled_at = UTIME_NONE;
	row->created_at = row->updated_at = rq->cx.now;
	if (!HAS(in, booking_new, status) && parties->tenant.policy.auto_confirm)
		row->status = booking_status_confirmado;
	return booking_times(rq, &parties->tenant, in, row);
}

static const struct query *insert_query(const struct booking *row)
{
	return row->capacity > 1 ? &q_booking_insert_shared_query : &q_booking_insert_query;
}

/* The lock's row that is new is opened by a second script. *ret: was there room? */
static enum rc insert(struct req *rq, struct booking *row, const struct outbox_row *event, bool *ret)
{
	struct script script;
	struct step *lock, *insert;
	bool fresh = false;
	enum rc rc;

	do {
		lock = booking_script(&script, &rq->cx, row, fresh);
		script.abreast = true;
		insert = script_add(&script, insert_query(row), row);
		outbox_add(&script, &q_booking_event_query, event);
		rc = db_write(&script);
		fresh = rc == RC_OK && insert->rows.count == 0 && booking_lock_is_fresh(lock);
	} while (fresh);
	if (rc == RC_OK)
		*ret = insert->rows.count > 0;
	/* The code is another booking's: once in a million millions. */
	return rc == RC_STORE_CONSTRAINT ? RC_CHANGED_MEANWHILE : rc;
}

/* Where whoever was in the way has gone by the time that he is looked for, there may be room now. */
static enum rc store(struct req *rq, struct booking *row)
{
	struct outbox_row event;
	bool done = false;
	enum rc rc = booking_event_created(&rq->cx, row, &event);

	if (rc != RC_OK)
		return rc;
	row->change_id = event.change_id;
	for (int i = 0; !done && i < TRIES; i++) {
		rc = insert(rq, row, &event, &done);
		if (rc != RC_OK)
			return rc;
		if (!done && (rc = booking_refused(rq, row)) != RC_CHANGED_MEANWHILE)
			return rc;
	}
	if (!done)
		return rc;
	booking_count(&rq->cx, &row->tenant_id, BOOKINGS_CREATED, 1);
	return RC_OK;
}

/* Everybody books for himself; staff for others too, and confirmed at once if they like. */
static enum rc permit(const struct principal *who, const struct booking *row)
{
	if (!permit_acts_for(who, &row->user_id))
		return RC_FORBIDDEN;
	return row->status == booking_status_pendente || principal_is_staff(who) ? RC_OK : RC_FORBIDDEN;
}

enum rc booking_create(struct req *rq)
{
	struct booking row = {0};
	struct parties parties;
	enum rc rc;

	SHAPE_COPY(booking, &row, booking_new, BODY(rq, booking_new), COPY_ALL);
	rc = permit(&rq->cx.principal, &row);
	if (rc == RC_OK)
		rc = req_tenant(rq, &row.tenant_id, &row.tenant_id);
	if (rc == RC_OK)
		rc = parties_find(rq, &row, &parties);
	if (rc == RC_OK)
		rc = draft(rq, &parties, &row);
	if (rc == RC_OK)
		rc = booking_check(rq, &row, &parties);
	if (rc == RC_OK && !booking_blocks(row.status))
		rc = RC_BAD_TRANSITION;
	if (rc == RC_OK)
		rc = store(rq, &row);
	if (rc == RC_OK)
		rc = req_location(rq, "bookings", &row.id);
	if (rc == RC_OK)
		rc = req_etag(rq, row.version);
	if (rc != RC_OK)
		return rc;
	row.can_cancel = booking_can_cancel(&row, &parties.tenant, rq->cx.now);
	return REPLY(rq, 201, booking, &row);
}
