/* See message.h. */
#include "auth/message.h"

#include "user/queries.h"

#define QUIET (60 * UTIME_SECOND)
#define LIFE  (60 * UTIME_MINUTE) /* what was not sent by then helps nobody any more */

ENUM_DEFINE(message_kind, MESSAGE_KIND);

void message_add(struct script *script, enum message_kind kind, const struct uuid *tenant_id,
		 const char *recipient, enum lang language)
{
	const struct ctx *cx = script->cx;
	const struct message row = {
		.tenant_id = *tenant_id,
		.kind = kind,
		.recipient = recipient,
		.id = uuid_v7(cx->world, cx->now),
		.language = language,
		.created_at = cx->now,
		.expires_at = cx->now + LIFE,
		.quiet_since = cx->now - QUIET,
	};

	script_add(script, &q_message_add_query, &row);
}
