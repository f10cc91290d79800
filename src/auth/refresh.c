/*
 * POST /auth/refresh -- a refresh token for new tokens, once. Of those who send the same one at once, one is
 * served. Whoever comes after him holds a copy; and since nobody can tell which of the two is the thief, the
 * session is over for both (RFC 9700, 4.14.2).
 */
#include "auth/secret.h"
#include "auth/session.h"
#include "base/log.h"
#include "tenant/client.h"
#include "user/queries.h"

static enum rc used_twice(struct req *rq, const struct session *session)
{
	bool done;
	enum rc rc = session_revoke(&rq->cx, session, &done);

	if (rc != RC_OK)
		return rc;
	if (done)
		LOG(WARN, "a refresh token was used twice: its session is over");
	return RC_TOKEN_SPENT;
}

static enum rc tenant_check(struct req *rq, const struct uuid *tenant_id)
{
	struct tenant_rules tenant;
	enum rc rc = tenant_rules(&rq->cx, tenant_id, &tenant);

	if (rc == RC_TENANT_UNKNOWN || (rc == RC_OK && !tenant.is_active))
		return RC_TOKEN_SPENT;
	return rc;
}

/* The token's session, and whether it was used before. */
static enum rc find(struct req *rq, const struct secret *secret, struct session *ret, bool *ret_used)
{
	const struct q_refresh_find_in in = {.tenant_id = secret->tenant_id,
					     .session_id = secret->id,
					     .hash = secret->hash,
					     .now = rq->cx.now};
	struct q_refresh_find_out *row;
	enum rc rc = tenant_check(rq, &secret->tenant_id);

	if (rc == RC_OK)
		rc = q_refresh_find(&rq->cx, &in, &row);
	if (rc != RC_OK)
		return rc;
	if (row == NULL || row->expires_at <= rq->cx.now)
		return RC_TOKEN_SPENT;
	*ret = (struct session){
		.tenant_id = secret->tenant_id,
		.id = secret->id,
		.user_id = row->user_id,
		.created_at = row->created_at,
		.expires_at = session_end(rq, row->created_at),
	};
	*ret_used = row->used_at != UTIME_NONE;
	return RC_OK;
}

/* One script: spends the token, adds the next, prolongs the session. RC_TOKEN_SPENT: somebody was first. */
static enum rc exchange(struct req *rq, const struct session *session, const struct secret *secret,
			const char **ret_text)
{
	struct ctx *cx = &rq->cx;
	struct refresh_step step = {
		.tenant_id = session->tenant_id,
		.session_id = session->id,
		.hash = secret->hash,
		.now = cx->now,
		.expires_at = session->expires_at,
	};
	struct secret next;
	struct script script;
	struct step *spent;
	const char *text;
	enum rc rc = secret_make(cx->world, cx->arena, SECRET_REFRESH, &session->id, &session->tenant_id,
				 &text, &next);

	if (rc != RC_OK)
		return rc;
	step.next_hash = next.hash;
	script_init(&script, cx, ROOM_user, &session->tenant_id, &session->id);
	spent = script_add(&script, &q_refresh_spend_query, &step);
	script_add(&script, &q_refresh_next_query, &step);
	script_add(&script, &q_session_prolong_query, &step);
	rc = db_write(&script);
	if (rc == RC_OK && spent->rows.count == 0)
		return RC_TOKEN_SPENT;
	*ret_text = text;
	return rc;
}

enum rc auth_refresh(struct req *rq)
{
	const struct refresh *in = BODY(rq, refresh);
	struct session session;
	struct secret secret;
	struct tokens tokens = {0};
	const char *text;
	bool used;
	enum rc rc;

	if (!secret_parse(SECRET_REFRESH, str_from(in->refresh_token), &secret))
		return RC_TOKEN_SPENT;
	rc = find(rq, &secret, &session, &used);
	if (rc != RC_OK)
		return rc;
	rc = used ? RC_TOKEN_SPENT : exchange(rq, &session, &secret, &text);
	if (rc == RC_TOKEN_SPENT)
		return used_twice(rq, &session);
	if (rc == RC_OK)
		rc = session_tokens(rq, &session, text, &tokens);
	if (rc == RC_USER_UNKNOWN)
		rc = RC_TOKEN_SPENT;
	return rc == RC_OK ? tokens_reply(rq, &tokens) : rc;
}
