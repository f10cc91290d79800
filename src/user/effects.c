/* See effects.h. A notification waits in a table for whoever sends it; users go page by page. */
#include "user/effects.h"

#include "events/sweep.h"
#include "user/queries.h"
#include "user/user.h"

#define USERS_PAGE 100

/* --- Notifications ------------------------------------------------------------ */

/* What the three payloads have in common. */
/* clang-format off */
#define TO_TELL(F, T)                                                                                      \
	F(T, UUID, booking_id, REQUIRED, "Of what.")                                                       \
	F(T, UUID, user_id,    REQUIRED, "Whom.")
SHAPE_DECLARE(to_tell, TO_TELL);
SHAPE_DEFINE(to_tell, TO_TELL);
/* clang-format on */

enum rc user_notify(struct delivery *delivery, const struct event *event)
{
	const struct to_tell *to_tell = event_payload(delivery->cx, event, &to_tell_shape);

	if (to_tell == NULL)
		return RC_INVALID;
	SCRIPT_ADD(delivery->script, notification_add, .tenant_id = event->tenant_id, .id = event->id,
		   .user_id = to_tell->user_id, .booking_id = to_tell->booking_id, .type = event->type,
		   .payload = event->payload, .occurred_at = event->occurred_at,
		   .created_at = delivery->cx->now);
	return RC_OK;
}

/* --- The users of a tenant ------------------------------------------------------ */

/* One script has one key, and each user is kept under his own: so each is let go here, whatever the outcome.
 */
static enum rc commit(struct script *script, const struct user *rows, size_t count)
{
	struct ctx *cx = script->cx;
	enum rc rc = db_write(script);

	for (size_t i = 0; i < count; i++)
		db_port_touch(cx->ports[ROOM_user], &rows[i].id);
	return rc;
}

static enum rc remove_all(struct ctx *cx, const struct user *rows, size_t count, bool *ret_missed)
{
	struct step **removals = arena_array(cx->arena, count, sizeof(*removals));
	struct outbox_row event;
	struct script script;
	enum rc rc = removals != NULL ? RC_OK : RC_NO_MEMORY;

	script_init(&script, cx, ROOM_user, &rows[0].tenant_id, &rows[0].id);
	script_reserve(&script, count * USER_REMOVAL_STEPS);
	for (size_t i = 0; i < count && rc == RC_OK; i++) {
		rc = user_event(cx, &rows[i], STREAM_DELETIONS, "user.deleted", &event);
		if (rc == RC_OK)
			removals[i] = user_add_removal(&script, &rows[i], &event);
	}
	if (rc == RC_OK)
		rc = commit(&script, rows, count);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < count; i++)
		*ret_missed |= removals[i]->rows.count == 0;
	return RC_OK;
}

static enum rc remove_page(struct ctx *cx, struct sweep *sweep, const void *arg)
{
	const struct q_users_page_in in = {.tenant_id = *(const struct uuid *)arg,
					   .after = sweep->id,
					   .is_active = INT_NONE,
					   .limit = USERS_PAGE};
	struct user *rows;
	size_t count;
	enum rc rc = q_users_page(cx, &in, &rows, &count);

	if (rc != RC_OK || count == 0)
		return rc;
	sweep->id = rows[count - 1].id;
	sweep->more = count == USERS_PAGE;
	return remove_all(cx, rows, count, &sweep->missed);
}

enum rc user_on_tenant_deleted(struct delivery *delivery, const struct event *event)
{
	SCRIPT_ADD(delivery->script, api_keys_end, .tenant_id = event->tenant_id,
		   .revoked_at = delivery->cx->now);
	SCRIPT_ADD(delivery->script, providers_end, .tenant_id = event->tenant_id,
		   .deleted_at = delivery->cx->now);
	return sweep_pages(delivery->cx, remove_page, &event->tenant_id);
}
