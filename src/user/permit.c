/* See permit.h. */
#include "user/permit.h"

unsigned user_rights(const struct user *row)
{
	const struct permissions *may = &row->permissions;

	if (row->user_type == user_type_admin)
		return RIGHTS_ALL;
	return (may->can_book ? RIGHT_BOOK : 0u) | (may->can_manage_resources ? RIGHT_RESOURCES : 0u) |
	       (may->can_manage_users ? RIGHT_USERS : 0u) | (may->can_view_all_bookings ? RIGHT_VIEW : 0u);
}

static bool is_self(const struct principal *who, const struct uuid *user_id)
{
	return !uuid_is_none(&who->user_id) && uuid_equal(&who->user_id, user_id);
}

static bool manages(const struct principal *who)
{
	return (who->rights & RIGHT_USERS) != 0;
}

bool permit_user_seen(const struct principal *who, const struct uuid *user_id)
{
	return manages(who) || is_self(who, user_id);
}

enum rc permit_user_managed(const struct principal *who, const struct user *row)
{
	if (principal_is_staff(who))
		return RC_OK;
	if (!manages(who) || row->user_type == user_type_admin || (user_rights(row) & ~who->rights) != 0)
		return RC_FORBIDDEN;
	return RC_OK;
}

enum rc permit_user_exported(const struct principal *who, const struct user *row)
{
	if (is_self(who, &row->id))
		return RC_OK;
	return (who->rights & RIGHT_VIEW) != 0 ? permit_user_managed(who, row) : RC_FORBIDDEN;
}

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool permit_same_standing(const struct user *old, const struct user *row)
{
	const struct permissions *had = &old->permissions, *has = &row->permissions;

	return old->user_type == row->user_type && old->is_active == row->is_active &&
	       same_text(old->department, row->department) && same_text(old->email, row->email) &&
	       had->can_book == has->can_book && had->can_manage_resources == has->can_manage_resources &&
	       had->can_manage_users == has->can_manage_users &&
	       had->can_view_all_bookings == has->can_view_all_bookings;
}

enum rc permit_user_change(const struct principal *who, const struct user *old, const struct user *row,
			   bool sets_password)
{
	enum rc rc;

	if (is_self(who, &old->id) && sets_password)
		return RC_FORBIDDEN;
	if (!manages(who))
		return is_self(who, &old->id) && permit_same_standing(old, row) ? RC_OK : RC_FORBIDDEN;
	rc = permit_user_managed(who, old);
	return rc == RC_OK ? permit_user_managed(who, row) : rc;
}
