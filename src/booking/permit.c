/* See permit.h. */
#include "booking/permit.h"

static bool is_key(const struct principal *who)
{
	return who->role == ROLE_USER && uuid_is_none(&who->user_id);
}

bool permit_acts_for(const struct principal *who, const struct uuid *user_id)
{
	if (is_key(who))
		return (who->rights & RIGHT_BOOK) != 0;
	return principal_acts_for(who, user_id);
}

bool permit_sees(const struct principal *who, const struct uuid *user_id)
{
	return (who->rights & RIGHT_VIEW) != 0 || permit_acts_for(who, user_id);
}

enum rc permit_list(const struct principal *who, const struct uuid *asked, const struct uuid **ret)
{
	bool sees_all = (who->rights & RIGHT_VIEW) != 0;

	if (!sees_all && (is_key(who) || (asked != NULL && !uuid_equal(asked, &who->user_id))))
		return RC_FORBIDDEN;
	*ret = sees_all ? asked : &who->user_id;
	return RC_OK;
}

enum rc permit_status(const struct principal *who, enum booking_status to)
{
	return to == booking_status_cancelado || principal_is_staff(who) ? RC_OK : RC_FORBIDDEN;
}
