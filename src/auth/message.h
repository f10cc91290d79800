/*
 * Mail to people about their accounts. A handler leaves a row that says to whom and about what, in the script
 * of what it does; a task of the process finds it and sends (post.h). So no mail is lost with the process,
 * none is sent of what did not come about, and nobody waits for a mail server. What a mail says is made when
 * it is sent: no secret of it lies in the store.
 */
#ifndef AUTH_MESSAGE_H
#define AUTH_MESSAGE_H

#include "base/errors.h"
#include "db/db.h"
#include "json/shape.h"

/* clang-format off */
#define MESSAGE_KIND(X, E) X(E, password_link) X(E, password_changed)
ENUM_DECLARE(message_kind, MESSAGE_KIND);
/* clang-format on */

struct message {
	struct uuid tenant_id; /* nil: whichever has that address */
	enum message_kind kind;
	const char *recipient; /* folded: users.email_key */
	struct uuid id;
	int64_t language; /* enum lang */
	int64_t attempts;
	utime created_at, expires_at, next_at;
	/* For the queries alone. */
	utime quiet_since, claimed_until, retry_at;
};

/*
 * Adds the row. Not a second one of that kind to that address while the first was not sent, nor within a
 * minute of it.
 */
void message_add(struct script *script, enum message_kind kind, const struct uuid *tenant_id,
		 const char *recipient, enum lang language);

#endif
