/* The first of a tenant's staff: with the tenant's creation (client.h), or by `marca admin create`. */
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

enum rc user_add_admin(struct ctx *cx, const struct uuid *tenant_id, const struct new_admin *admin,
		       struct uuid *ret_id)
{
	const struct user_local *local = cx->locals[ROOM_user];
	const char *hash;
	enum rc rc = password_hash(local->shared->passwords, cx->arena, admin->password, &hash);

	return rc == RC_OK ? user_store_admin(cx, tenant_id, admin, hash, ret_id) : rc;
}

enum rc user_take_back(struct ctx *cx, const struct uuid *tenant_id, const struct uuid *id)
{
	struct script script;

	script_init(&script, cx, ROOM_user, tenant_id, id);
	SCRIPT_ADD(&script, user_take_back, .tenant_id = *tenant_id, .id = *id);
	return db_write(&script);
}
