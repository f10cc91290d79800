/* See session.h: shapes, and what begins and ends a session. */
#include "auth/session.h"
#include "base/log.h"

#include "auth/secret.h"
#include "auth/token.h"
#include "events/payloads.h"
#include "user/local.h"
#include "user/queries.h"

#define USER_AGENT_MAX 200

/* clang-format off */
ENUM_DEFINE(session_method, SESSION_METHOD);
ENUM_DEFINE(grant_type, GRANT_TYPE);
SHAPE_DEFINE(login, LOGIN, .doc = "Who wants to log in.");
SHAPE_DEFINE(refresh, REFRESH, .doc = "A refresh token, to be exchanged for new tokens.");
SHAPE_DEFINE(logout, LOGOUT, .doc = "What to end.");
SHAPE_DEFINE(tokens, TOKENS, .doc = "What a client needs from now on.");
SHAPE_DEFINE(session, SESSION, .doc = "A login that has not ended.");
SHAPE_DEFINE(session_filter, SESSION_FILTER);
/* clang-format on */

/* --- Beginning ---------------------------------------------------------------- */

/* A header may hold any bytes: only what can be shown is kept, and not more than helps to know it again. */
static enum rc user_agent(struct req *rq, const char **ret)
{
	struct str sent = http_header(rq->http, "User-Agent");
	char *text;

	if (sent.len > USER_AGENT_MAX)
		sent.len = USER_AGENT_MAX;
	text = sent.p != NULL ? arena_text(rq->cx.arena, sent) : NULL;
	if (sent.p != NULL && text == NULL)
		return RC_NO_MEMORY;
	for (char *at = text; at != NULL && *at != '\0'; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	*ret = text;
	return RC_OK;
}

utime session_end(const struct req *rq, utime created_at)
{
	const struct auth_local *auth = ((const struct user_local *)rq->cx.locals[ROOM_user])->auth;
	utime end = rq->cx.now + auth->session_idle, cap = created_at + auth->session_cap;

	return end < cap ? end : cap;
}

enum rc session_open(struct req *rq, const struct account *who, enum session_method method,
		     struct tokens *ret)
{
	struct ctx *cx = &rq->cx;
	struct session row = {
		.tenant_id = who->tenant_id,
		.id = uuid_v7(cx->world, cx->now),
		.user_id = who->id,
		.auth_epoch = who->auth_epoch,
		.method = method,
		.address = rq->http->peer,
		.created_at = cx->now,
		.expires_at = session_end(rq, cx->now),
	};
	struct secret secret;
	struct script script;
	struct step *opened;
	const char *text;
	char tenant[UUID_TEXT_LEN + 1], user[UUID_TEXT_LEN + 1];
	enum rc rc = user_agent(rq, &row.user_agent);

	if (rc == RC_OK)
		rc = secret_make(cx->world, cx->arena, SECRET_REFRESH, &row.id, &row.tenant_id, &text,
				 &secret);
	if (rc != RC_OK)
		return rc;
	script_init(&script, cx, ROOM_user, &row.tenant_id, &row.id);
	opened = script_add(&script, &q_session_insert_query, &row);
	SCRIPT_ADD(&script, refresh_insert, .tenant_id = row.tenant_id, .session_id = row.id,
		   .hash = secret.hash, .created_at = cx->now, .expires_at = row.expires_at);
	rc = db_write(&script);
	if (rc == RC_OK && opened->rows.count == 0)
		rc = RC_USER_UNKNOWN;
	if (rc == RC_OK)
		LOG(INFO, "logged in", LOG_TEXT("operation", rq->route->id),
		    LOG_TEXT("tenant_id", uuid_text(tenant, &row.tenant_id)),
		    LOG_TEXT("user_id", uuid_text(user, &row.user_id)));
	return rc == RC_OK ? session_tokens(rq, &row, text, ret) : rc;
}

enum rc session_tokens(struct req *rq, const struct session *session, const char *refresh_token,
		       struct tokens *ret)
{
	struct auth_local *auth = ((const struct user_local *)rq->cx.locals[ROOM_user])->auth;
	const struct q_user_by_id_in in = {.tenant_id = session->tenant_id, .id = session->user_id};
	struct token_claims claims = {
		.tenant_id = session->tenant_id,
		.user_id = session->user_id,
		.session_id = session->id,
		.id = uuid_v7(rq->cx.world, rq->cx.now),
		.issued_at = rq->cx.now,
		.expires_at = rq->cx.now + auth->access_life,
	};
	struct user *user;
	enum rc rc = q_user_by_id(&rq->cx, &in, &user);

	if (rc == RC_OK && user == NULL)
		rc = RC_USER_UNKNOWN; /* deleted at this very moment */
	if (claims.expires_at > session->expires_at)
		claims.expires_at = session->expires_at;
	if (rc == RC_OK)
		rc = token_sign(auth_local_keys(auth), rq->cx.arena, &claims, &ret->access_token);
	if (rc != RC_OK)
		return rc;
	ret->token_type = "bearer";
	ret->expires_in = (claims.expires_at - claims.issued_at) / UTIME_SECOND;
	ret->refresh_token = refresh_token;
	ret->user = *user;
	return RC_OK;
}

enum rc tokens_reply(struct req *rq, const struct tokens *tokens)
{
	req_header(rq, "Cache-Control", "no-store");
	return REPLY(rq, 200, tokens, tokens);
}

/* --- Ending --------------------------------------------------------------------- */

enum rc session_revoke(struct ctx *cx, const struct session *session, bool *ret_done)
{
	const struct session_ids payload = {.session_id = session->id,
					    .user_id = session->user_id,
					    .tenant_id = session->tenant_id};
	struct outbox_row event =
		outbox_row(cx, STREAM_TENANTS, "session.revoked", &session->tenant_id, &session->id);
	struct script script;
	struct step *revocation;
	enum rc rc;

	if (!outbox_payload(&event, cx->arena, &session_ids_shape, &payload))
		return RC_NO_MEMORY;
	script_init(&script, cx, ROOM_user, &session->tenant_id, &session->id);
	revocation = SCRIPT_ADD(&script, session_revoke, .tenant_id = session->tenant_id, .id = session->id,
				.revoked_at = cx->now, .change_id = event.change_id);
	outbox_add(&script, &q_session_event_query, &event);
	rc = db_write(&script);
	if (rc == RC_OK)
		*ret_done = revocation->rows.count > 0;
	return rc;
}
