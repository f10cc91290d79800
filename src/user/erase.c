/*
 * POST /users/{id}/erase -- nothing is known of a person any more. His row stays and says nothing, since
 * bookings name it; what logs him in, and what he was told, is gone with the same commit. The rest follows by
 * events: user.deleted cancels what was still to come, user.erased takes his words out of bookings, outboxes,
 * streams and the trail. Also of one who was deleted before.
 */
#include "events/payloads.h"
#include "http/req.h"
#include "user/effects.h"
#include "user/permit.h"
#include "user/privacy.h"
#include "user/queries.h"

/* Himself; or whoever may remove him. Whom he may not even see, he is not told of. */
static enum rc may_erase(const struct principal *who, const struct user_trace *row)
{
	const struct user user = {.user_type = row->user_type, .permissions = row->permissions};

	if (!permit_user_seen(who, &row->id))
		return RC_USER_UNKNOWN;
	return uuid_equal(&who->user_id, &row->id) ? RC_OK : permit_user_managed(who, &user);
}

static enum rc tenant_of(struct req *rq, struct uuid *ret)
{
	const struct q_user_tenant_even_deleted_in in = {.id = rq->id};
	struct q_user_tenant_even_deleted_out *row;
	enum rc rc = q_user_tenant_even_deleted(&rq->cx, &in, &row);

	if (rc == RC_OK && row == NULL)
		return RC_USER_UNKNOWN;
	if (rc == RC_OK)
		*ret = row->tenant_id;
	return rc;
}

static enum rc find(struct req *rq, struct user_trace **ret)
{
	struct q_user_even_deleted_in in = {.id = rq->id};
	struct user_trace *row;
	enum rc rc = RC_OK;

	if (!req_own_tenant(rq, &in.tenant_id))
		rc = tenant_of(rq, &in.tenant_id);
	if (rc == RC_OK)
		rc = q_user_even_deleted(&rq->cx, &in, &row);
	if (rc != RC_OK)
		return rc;
	if (row == NULL || row->erased_at != UTIME_NONE)
		return RC_USER_UNKNOWN;
	*ret = row;
	return RC_OK;
}

/* user.deleted, unless that was told before, and user.erased: of one change. */
static enum rc add_events(struct script *script, const struct user_trace *row, struct outbox_row *erased)
{
	const struct user_ids payload = {.user_id = row->id, .tenant_id = row->tenant_id};
	struct ctx *cx = script->cx;
	struct outbox_row deleted = *erased;

	if (row->deleted_at == UTIME_NONE) {
		deleted.type = "user.deleted";
		if (!outbox_payload(&deleted, cx->arena, &user_ids_shape, &payload))
			return RC_NO_MEMORY;
		outbox_add(script, &q_user_event_query, &deleted);
		*erased = outbox_next(cx, &deleted, "user.erased");
	}
	if (!outbox_payload(erased, cx->arena, &user_ids_shape, &payload))
		return RC_NO_MEMORY;
	outbox_add(script, &q_user_event_query, erased);
	return RC_OK;
}

static enum rc erase(struct ctx *cx, const struct user_trace *row, bool *ret_done)
{
	struct outbox_row event = outbox_row(cx, STREAM_DELETIONS, "user.erased", &row->tenant_id, &row->id);
	char nobody[UUID_TEXT_LEN + 1];
	struct script script;
	struct step *change;
	enum rc rc;

	event.created_at = outbox_time(cx, row->updated_at);
	script_init(&script, cx, ROOM_user, &row->tenant_id, &row->id);
	script_reserve(&script, 16);
	/* By his address, which is gone after the next step. */
	SCRIPT_ADD(&script, messages_forget, .tenant_id = row->tenant_id, .user_id = row->id);
	change = SCRIPT_ADD(&script, user_erase, .tenant_id = row->tenant_id, .id = row->id,
			    .version = row->version, .erased_at = event.created_at,
			    .change_id = event.change_id, .nobody = uuid_text(nobody, &row->id));
	SCRIPT_ADD(&script, notifications_forget, .tenant_id = row->tenant_id, .user_id = row->id);
	SCRIPT_ADD(&script, links_forget, .tenant_id = row->tenant_id, .user_id = row->id);
	SCRIPT_ADD(&script, refresh_forget, .tenant_id = row->tenant_id, .user_id = row->id);
	SCRIPT_ADD(&script, sessions_forget, .tenant_id = row->tenant_id, .user_id = row->id);
	SCRIPT_ADD(&script, identities_forget, .tenant_id = row->tenant_id, .user_id = row->id);
	SCRIPT_ADD(&script, login_codes_forget, .tenant_id = row->tenant_id, .user_id = row->id);
	rc = add_events(&script, row, &event);
	if (rc == RC_OK)
		rc = db_write(&script);
	if (rc == RC_OK)
		*ret_done = change->rows.count > 0;
	return rc;
}

enum rc user_erase(struct req *rq)
{
	struct user_trace *row;
	bool done;
	enum rc rc = find(rq, &row);

	if (rc == RC_OK)
		rc = may_erase(&rq->cx.principal, row);
	if (rc == RC_OK)
		rc = erase(&rq->cx, row, &done);
	if (rc != RC_OK)
		return rc;
	return done ? req_reply_empty(rq, 204) : RC_CHANGED_MEANWHILE;
}

#define PAGE 50

/* One that somebody changed meanwhile waits for the next call. */
enum rc user_erase_long_deleted(struct ctx *cx, utime before)
{
	const struct q_users_long_deleted_in in = {.before = before, .limit = PAGE};
	struct user_trace *rows;
	size_t count;
	bool done;
	enum rc rc = q_users_long_deleted(cx, &in, &rows, &count);

	for (size_t i = 0; rc == RC_OK && i < count; i++)
		rc = erase(cx, &rows[i], &done);
	return rc;
}
