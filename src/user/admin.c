/*
 * The first of a tenant's staff: with the tenant's creation (client.h), or by `marca admin create`. Where
 * another process has the users, it is asked, by the two internal routes at the end.
 */
#include "user/admin.h"
#include "neighbour/neighbour.h"
#include "user/local.h"
#include "user/queries.h"
#include "user/user.h"

enum rc user_store_admin(struct ctx *cx, const struct uuid *tenant_id, const struct new_admin *admin,
			 const char *hash, struct uuid *ret_id)
{
	struct user row = {
		.id = uuid_v7(cx->world, cx->now),
		.tenant_id = *tenant_id,
		.name = admin->name,
		.email = admin->email,
		.user_type = user_type_admin,
		.is_active = true,
		.permissions = {.can_book = true,
				.can_manage_resources = true,
				.can_manage_users = true,
				.can_view_all_bookings = true},
		.password_hash = hash,
		.created_at = cx->now,
	};
	struct script script;
	enum rc rc = user_derive(cx, &row);

	if (rc != RC_OK)
		return rc;
	script_init(&script, cx, ROOM_user, &row.tenant_id, &row.id);
	script_add(&script, &q_user_insert_query, &row);
	rc = db_write(&script);
	if (rc == RC_STORE_CONSTRAINT)
		return RC_EMAIL_TAKEN;
	if (rc == RC_OK)
		*ret_id = row.id;
	return rc;
}

static enum rc add_here(struct ctx *cx, const struct uuid *tenant_id, const struct new_admin *admin,
			struct uuid *ret_id)
{
	const struct user_local *local = cx->locals[ROOM_user];
	const char *hash;
	enum rc rc = password_hash(local->shared->passwords, cx->arena, admin->password, &hash);

	return rc == RC_OK ? user_store_admin(cx, tenant_id, admin, hash, ret_id) : rc;
}

static enum rc take_back_here(struct ctx *cx, const struct uuid *tenant_id, const struct uuid *id)
{
	struct script script;

	script_init(&script, cx, ROOM_user, tenant_id, id);
	SCRIPT_ADD(&script, user_take_back, .tenant_id = *tenant_id, .id = *id);
	return db_write(&script);
}

/* --- Asking, wherever the users are -------------------------------------------------- */

static const struct neighbour_route asked = {
	.path = ADMINS_PATH,
	.in = &admin_asked_shape,
	.out = &admin_made_shape,
	.failures = {RC_EMAIL_TAKEN},
};
static const struct neighbour_route undone = {.path = ADMINS_UNDO_PATH, .in = &admin_made_shape};

enum rc user_add_admin(struct ctx *cx, const struct uuid *tenant_id, const struct new_admin *admin,
		       struct uuid *ret_id)
{
	struct neighbour *there = db_elsewhere(cx->ports[ROOM_user]);
	const struct admin_asked in = {.tenant_id = *tenant_id,
				       .name = admin->name,
				       .email = admin->email,
				       .password = admin->password};
	void *made;
	enum rc rc;

	if (there == NULL)
		return add_here(cx, tenant_id, admin, ret_id);
	rc = neighbour_call(there, cx, &asked, &in, &made);
	if (rc == RC_OK)
		*ret_id = ((const struct admin_made *)made)->id;
	return rc;
}

enum rc user_take_back(struct ctx *cx, const struct uuid *tenant_id, const struct uuid *id)
{
	struct neighbour *there = db_elsewhere(cx->ports[ROOM_user]);
	const struct admin_made in = {.tenant_id = *tenant_id, .id = *id};

	if (there == NULL)
		return take_back_here(cx, tenant_id, id);
	return neighbour_call(there, cx, &undone, &in, NULL);
}

/* --- Answering those who ask ----------------------------------------------------------- */

SHAPE_DEFINE(admin_asked, ADMIN_ASKED);
SHAPE_DEFINE(admin_made, ADMIN_MADE);

enum rc admin_answer(struct req *rq)
{
	const struct admin_asked *in = BODY(rq, admin_asked);
	const struct new_admin admin = {.name = in->name, .email = in->email, .password = in->password};
	struct admin_made made = {.tenant_id = in->tenant_id};
	enum rc rc = add_here(&rq->cx, &in->tenant_id, &admin, &made.id);

	return rc == RC_OK ? REPLY(rq, 200, admin_made, &made) : rc;
}

enum rc admin_undo_answer(struct req *rq)
{
	const struct admin_made *in = BODY(rq, admin_made);
	enum rc rc = take_back_here(&rq->cx, &in->tenant_id, &in->id);

	return rc == RC_OK ? req_reply_empty(rq, 204) : rc;
}
