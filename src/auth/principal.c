/* Who is behind a session, and what he may do now. See session.h. */
#include "auth/session.h"

#include "user/local.h"
#include "user/queries.h"

#include <stdlib.h>

/* What is kept of a session, for as long as the store's versions of it and of its user stand. */
struct known {
	struct principal who;
	utime expires_at;
};

static unsigned rights_of(const struct live_session *live)
{
	const struct permissions *may = &live->permissions;

	if (live->user_type == user_type_admin)
		return RIGHTS_ALL;
	return (may->can_book ? RIGHT_BOOK : 0u) | (may->can_manage_resources ? RIGHT_RESOURCES : 0u) |
	       (may->can_manage_users ? RIGHT_USERS : 0u) | (may->can_view_all_bookings ? RIGHT_VIEW : 0u);
}

static enum rc read_known(struct ctx *cx, const struct uuid *tenant_id, const struct uuid *session_id,
			  struct known *ret)
{
	const struct q_session_alive_in in = {.tenant_id = *tenant_id, .id = *session_id};
	struct live_session *live;
	enum rc rc = q_session_alive(cx, &in, &live);

	if (rc != RC_OK)
		return rc;
	if (live == NULL)
		return RC_UNAUTHENTICATED;
	*ret = (struct known){
		.who =
			{
				.role = live->user_type == user_type_admin ? ROLE_ADMIN : ROLE_USER,
				.rights = rights_of(live),
				.tenant_id = *tenant_id,
				.user_id = live->user_id,
				.session_id = *session_id,
			},
		.expires_at = live->expires_at,
	};
	return RC_OK;
}

/* Both only rise, so their sum moves when either does. */
static uint64_t version_of(const struct ctx *cx, const struct uuid *user_id, const struct uuid *session_id)
{
	const struct db_port *port = cx->ports[ROOM_user];

	return db_version(port, user_id) + db_version(port, session_id);
}

static void keep(struct ctx *cx, uint64_t version, const struct known *known)
{
	const struct user_local *local = cx->locals[ROOM_user];
	utime until = db_shared(cx->ports[ROOM_user]) ? cx->now + local->ttl : UTIME_MAX;
	struct known *kept;

	/* It may be prolonged elsewhere: what is kept must not say that it has ended. */
	if (until > known->expires_at)
		until = known->expires_at;
	kept = until > cx->now ? malloc(sizeof(*kept)) : NULL;
	if (kept == NULL)
		return;
	*kept = *known;
	cache_put(local->auth->sessions, &known->who.session_id, 0, version, until, kept);
}

enum rc session_principal(struct ctx *cx, const struct uuid *tenant_id, const struct uuid *user_id,
			  const struct uuid *session_id, struct principal *ret)
{
	const struct user_local *local = cx->locals[ROOM_user];
	uint64_t version = version_of(cx, user_id, session_id);
	const struct known *kept = cache_get(local->auth->sessions, session_id, 0, version, cx->now);
	struct known known;
	enum rc rc = RC_OK;

	if (kept != NULL)
		known = *kept;
	else
		rc = read_known(cx, tenant_id, session_id, &known);
	if (rc != RC_OK)
		return rc;
	if (kept == NULL)
		keep(cx, version, &known);
	if (cx->now >= known.expires_at || !uuid_equal(&known.who.user_id, user_id) ||
	    !uuid_equal(&known.who.tenant_id, tenant_id))
		return RC_UNAUTHENTICATED;
	*ret = known.who;
	return RC_OK;
}
