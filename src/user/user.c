/* What the handlers of users share: shapes, what is derived before a row is written, how one is read. */
#include "user/user.h"

#include "base/fold.h"
#include "events/payloads.h"
#include "http/req.h"
#include "user/client.h"
#include "user/local.h"
#include "user/permit.h"
#include "user/queries.h"

static void user_new_check(const void *object, const struct loc *loc, struct issues *issues)
{
	const struct user_new *user = object;
	struct loc here = {.up = loc, .name = "password"};

	if (user->password != NULL &&
	    password_is_personal(issues->arena, user->password, user->name, user->email))
		issue_add(issues, &here, ISSUE_PERSONAL_PASSWORD, NULL);
}

/* clang-format off */
ENUM_DEFINE(user_type, USER_TYPE);
SHAPE_DEFINE(permissions, PERMISSIONS, .doc = "What a person may do.");
SHAPE_DEFINE(user_new, USER_NEW, .doc = "A person of a tenant, as registered.", .check = user_new_check);
SHAPE_DEFINE(user, USER, .doc = "A person of a tenant.");
SHAPE_DEFINE(user_filter, USER_FILTER);
/* clang-format on */

enum rc user_find(struct req *rq, struct user **ret)
{
	struct q_user_by_id_in in = {.id = rq->id};
	struct user *row;
	enum rc rc = RC_OK;

	if (!req_own_tenant(rq, &in.tenant_id))
		rc = user_tenant_of(&rq->cx, &rq->id, &in.tenant_id);
	if (rc == RC_OK)
		rc = q_user_by_id(&rq->cx, &in, &row);
	if (rc != RC_OK)
		return rc;
	if (row == NULL || !permit_user_seen(&rq->cx.principal, &row->id))
		return RC_USER_UNKNOWN;
	*ret = row;
	return RC_OK;
}

enum rc user_derive(struct ctx *cx, struct user *row)
{
	row->search_name = fold_text(cx->arena, row->name);
	row->email_key = fold_case(cx->arena, row->email);
	return row->search_name != NULL && row->email_key != NULL ? RC_OK : RC_NO_MEMORY;
}

enum rc user_set_password(struct req *rq, struct user *row, const struct user_new *sent)
{
	const struct user_local *local = rq->cx.locals[ROOM_user];

	if (!HAS(sent, user_new, password))
		return RC_OK;
	if (sent->password == NULL) {
		row->password_hash = NULL;
		return RC_OK;
	}
	if (password_is_personal(rq->cx.arena, sent->password, row->name, row->email))
		return req_invalid(rq, "password", ISSUE_PERSONAL_PASSWORD);
	return password_hash(local->shared->passwords, rq->cx.arena, sent->password, &row->password_hash);
}

enum rc user_event(struct ctx *cx, const struct user *row, const char *stream, const char *type,
		   struct outbox_row *ret)
{
	const struct user_ids payload = {.user_id = row->id, .tenant_id = row->tenant_id};

	*ret = outbox_row(cx, stream, type, &row->tenant_id, &row->id);
	ret->created_at = outbox_time(cx, row->updated_at);
	return outbox_payload(ret, cx->arena, &user_ids_shape, &payload) ? RC_OK : RC_NO_MEMORY;
}

struct step *user_add_removal(struct script *script, const struct user *row, const struct outbox_row *event)
{
	struct step *removal = SCRIPT_ADD(script, user_remove, .tenant_id = row->tenant_id, .id = row->id,
					  .version = row->version, .deleted_at = event->created_at,
					  .change_id = event->change_id);

	outbox_add(script, &q_user_event_query, event);
	return removal;
}
