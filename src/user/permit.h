/*
 * Who may do what with which user, beyond what the routes table asks of everybody. Pure: the principal and
 * the rows, nothing else. Nobody gives away, or takes for himself, a right that he does not hold.
 */
#ifndef USER_PERMIT_H
#define USER_PERMIT_H

#include "base/principal.h"
#include "user/user.h"

/* A user's rights, as his row has them: an admin holds every one. */
unsigned user_rights(const struct user *row);

/* Whom he is hidden from is answered as if he did not exist. */
bool permit_user_seen(const struct principal *who, const struct uuid *user_id);

/*
 * May he make, alter, or remove this user? Staff may; who only holds can_manage_users may where the user is
 * no admin and holds no right that he does not hold himself: by the password that he sets he could have them.
 * RC_FORBIDDEN.
 */
enum rc permit_user_managed(const struct principal *who, const struct user *row) MUST_USE;

/* May he have all that is kept about this user, his bookings with it? RC_FORBIDDEN. */
enum rc permit_user_exported(const struct principal *who, const struct user *row) MUST_USE;

/* Is what only others may change of him as it was? His type, permissions, address and the like. */
bool permit_same_standing(const struct user *old, const struct user *row);

/*
 * A change from one row to the other. Of himself, who does not manage users changes his name, phone and
 * metadata: an address is what he logs in by, and is changed by whoever manages users. A password of one's
 * own is changed where the old one is asked for (`sets_password`). RC_FORBIDDEN.
 */
enum rc permit_user_change(const struct principal *who, const struct user *old, const struct user *row,
			   bool sets_password) MUST_USE;

#endif
