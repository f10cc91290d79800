/* POST /auth/oidc/token -- a page's one-time code for tokens. */
#include "auth/oidc.h"

#include "auth/secret.h"
#include "user/queries.h"

#include <sodium.h>

static enum rc spend(struct req *rq, const struct secret *secret, struct login_code **ret)
{
	struct script script;
	struct step *step;
	enum rc rc;

	script_init(&script, &rq->cx, ROOM_user, &secret->tenant_id, &secret->id);
	step = SCRIPT_ADD(&script, login_code_spend, .tenant_id = secret->tenant_id, .id = secret->id,
			  .hash = secret->hash, .now = rq->cx.now);
	rc = db_write(&script);
	if (rc != RC_OK)
		return rc;
	if (step->rows.count == 0)
		return oidc_refuse(NULL, "a code that is none, or was used, or too late");
	*ret = step->rows.items;
	return RC_OK;
}

static bool proves(struct req *rq, const char *verifier, const char *challenge)
{
	const char *made = oidc_challenge(rq->cx.arena, verifier);

	return made != NULL && strlen(made) == strlen(challenge) &&
	       sodium_memcmp(made, challenge, strlen(challenge)) == 0;
}

enum rc oidc_exchange(struct req *rq)
{
	const struct oidc_exchange *in = BODY(rq, oidc_exchange);
	struct q_login_account_in by = {0};
	struct login_code *code;
	struct tokens tokens = {0};
	struct account *who;
	struct secret secret;
	enum rc rc;

	if (!secret_parse(SECRET_CODE, str_from(in->code), &secret))
		return oidc_refuse(NULL, "a code that is none");
	rc = spend(rq, &secret, &code);
	if (rc == RC_OK && !proves(rq, in->code_verifier, code->challenge))
		rc = oidc_refuse(NULL, "another verifier");
	if (rc != RC_OK)
		return rc;
	by = (struct q_login_account_in){.tenant_id = secret.tenant_id, .id = code->user_id};
	rc = q_login_account(&rq->cx, &by, &who);
	if (rc == RC_OK && who == NULL)
		rc = oidc_refuse(NULL, "the user is no more");
	if (rc == RC_OK)
		rc = oidc_session(rq, who, &tokens);
	return rc == RC_OK ? tokens_reply(rq, &tokens) : rc;
}
