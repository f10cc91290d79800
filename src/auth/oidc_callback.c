/*
 * GET /auth/oidc/{id}/callback -- back from the provider. The cookie says which login it is, and that it was
 * this browser that began it. It must be by the provider whose address this is: else one tenant's provider
 * could send the browser on to another's, and be told the code that comes back from there, though no provider
 * says in its answers who it is (RFC 9700, 4.4). In the end come tokens; or, where a page waits for them, the
 * browser is sent there with a code that is good once, for a minute, and only for who knows the secret that
 * the page began with. So no token is ever in an address, where histories, logs and the Referer header would
 * keep it, and a code that was read there is worth nothing (RFC 9700, 4.3).
 */
#include "auth/oidc.h"

#include "auth/secret.h"
#include "http/form.h"
#include "user/queries.h"

#include <sodium.h>

static bool state_good(const struct oidc_state *state, const char *told)
{
	size_t len = strlen(state->state);

	return told != NULL && strlen(told) == len && sodium_memcmp(told, state->state, len) == 0;
}

static enum rc find_account(struct req *rq, const struct oidc_state *state, const struct oidc_answer *answer,
			    struct account *ret)
{
	struct provider *provider;
	struct id_claims claims;
	enum rc rc = provider_for_login(rq, &state->provider_id, &provider);

	if (rc == RC_PROVIDER_UNKNOWN)
		return oidc_refuse(NULL, "the provider is no more");
	if (rc == RC_OK && (answer->error != NULL || answer->code == NULL))
		return oidc_refuse(provider, answer->error != NULL ? answer->error : "no code");
	if (rc == RC_OK)
		rc = oidc_claims(rq, provider, state, answer, &claims);
	return rc == RC_OK ? oidc_account(rq, provider, &claims, ret) : rc;
}

/* --- Back to a page ------------------------------------------------------------------- */

static enum rc make_code(struct req *rq, const struct oidc_state *state, const struct account *who,
			 const char **ret)
{
	struct login_code row = {
		.tenant_id = who->tenant_id,
		.id = uuid_v7(rq->cx.world, rq->cx.now),
		.user_id = who->id,
		.challenge = state->challenge,
		.created_at = rq->cx.now,
		.expires_at = rq->cx.now + OIDC_CODE_FOR,
	};
	struct secret secret;
	struct script script;
	enum rc rc =
		secret_make(rq->cx.world, rq->cx.arena, SECRET_CODE, &row.id, &row.tenant_id, ret, &secret);

	if (rc != RC_OK)
		return rc;
	row.hash = secret.hash;
	script_init(&script, &rq->cx, ROOM_user, &row.tenant_id, &row.id);
	script_add(&script, &q_login_code_insert_query, &row);
	return db_write(&script);
}

static enum rc send_back(struct req *rq, const struct oidc_state *state, const char *name, const char *value)
{
	bool has_query = strchr(state->redirect, '?') != NULL;
	struct form form = {rq->cx.arena,
			    arena_printf(rq->cx.arena, "%s%s", state->redirect, has_query ? "&" : "?")};
	enum rc rc = oidc_cookie(rq, NULL);

	form_add(&form, name, value);
	if (rc != RC_OK || form.text == NULL)
		return RC_NO_MEMORY;
	req_header(rq, "Location", form.text);
	req_header(rq, "Cache-Control", "no-store");
	return req_reply_empty(rq, 302);
}

static enum rc back_to_page(struct req *rq, const struct oidc_state *state, const struct oidc_answer *answer)
{
	struct account who;
	const char *code;
	enum rc rc = find_account(rq, state, answer, &who);

	if (rc == RC_OK)
		rc = make_code(rq, state, &who, &code);
	return rc == RC_OK ? send_back(rq, state, "code", code)
			   : send_back(rq, state, "error", error_table[rc].code);
}

/* --- Tokens ------------------------------------------------------------------------------ */

static enum rc give_tokens(struct req *rq, const struct oidc_state *state, const struct oidc_answer *answer)
{
	struct tokens tokens = {0};
	struct account who;
	enum rc rc = find_account(rq, state, answer, &who);

	if (rc == RC_OK)
		rc = oidc_session(rq, &who, &tokens);
	if (rc == RC_OK)
		rc = oidc_cookie(rq, NULL);
	return rc == RC_OK ? tokens_reply(rq, &tokens) : rc;
}

enum rc oidc_callback(struct req *rq)
{
	const struct oidc_answer *answer = QUERY(rq, oidc_answer);
	struct oidc_state *state;
	enum rc rc = oidc_state_open(rq, &state);

	if (rc != RC_OK)
		return rc;
	if (!uuid_equal(&state->provider_id, &rq->id))
		return oidc_refuse(NULL, "another provider's login");
	if (!state_good(state, answer->state))
		return oidc_refuse(NULL, "another state");
	return state->redirect != NULL ? back_to_page(rq, state, answer) : give_tokens(rq, state, answer);
}
