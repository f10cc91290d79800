/* A provider's code for who has logged in there: its token endpoint, the ID token, and userinfo. See oidc.h.
 */
#include "auth/oidc.h"

#include "auth/discovery.h"
#include "http/form.h"
#include "json/arena_json.h"
#include "json/tree.h"

#include <sodium.h>

/* --- The token endpoint ----------------------------------------------------------- */

/* RFC 6749, 2.3.1: both encoded as in a form, before base64. NULL: memory. */
static const char *basic_header(struct arena *arena, const char *id, const char *secret)
{
	const char *encoded_id = form_encode(arena, id), *encoded_secret = form_encode(arena, secret), *pair;
	size_t size;
	char *text;

	if (encoded_id == NULL || encoded_secret == NULL)
		return NULL;
	pair = arena_printf(arena, "%s:%s", encoded_id, encoded_secret);
	if (pair == NULL)
		return NULL;
	size = sodium_base64_encoded_len(strlen(pair), sodium_base64_VARIANT_ORIGINAL);
	text = arena_alloc(arena, size);
	if (text == NULL)
		return NULL;
	sodium_bin2base64(text, size, (const unsigned char *)pair, strlen(pair),
			  sodium_base64_VARIANT_ORIGINAL);
	return arena_printf(arena, "Authorization: Basic %s", text);
}

static enum rc token_request(struct req *rq, const struct provider *provider,
			     const struct discovery *discovery, const struct oidc_state *state,
			     const char *code, struct http_call *ret)
{
	struct form form = {rq->cx.arena, arena_text(rq->cx.arena, STR(""))};
	const char *callback = oidc_url(&rq->cx, &provider->id, "callback"), *secret;
	struct http_call call = {
		.method = HTTP_POST_,
		.url = discovery->token_endpoint,
		.headers = {"Content-Type: application/x-www-form-urlencoded", "Accept: application/json"},
	};
	enum rc rc = callback != NULL ? provider_open_secret(rq, provider, &secret) : RC_NO_MEMORY;

	if (rc != RC_OK)
		return rc;
	if (secret != NULL && !discovery->secret_basic && !discovery->secret_post)
		return oidc_refuse(provider, "the provider takes no client secret by basic or post");
	form_add(&form, "grant_type", "authorization_code");
	form_add(&form, "code", code);
	form_add(&form, "redirect_uri", callback);
	form_add(&form, "code_verifier", state->verifier);
	if (secret != NULL && discovery->secret_basic) {
		call.headers[2] = basic_header(rq->cx.arena, provider->client_id, secret);
		if (call.headers[2] == NULL)
			return RC_NO_MEMORY;
	} else {
		form_add(&form, "client_id", provider->client_id);
		form_add(&form, "client_secret", secret);
	}
	if (form.text == NULL)
		return RC_NO_MEMORY;
	call.body = str_from(form.text);
	*ret = call;
	return RC_OK;
}

static const char *text_of(struct arena *arena, const struct json_t *object, const char *name)
{
	const struct json_t *member = tree_member(object, name);

	return member != NULL && tree_kind(member) == TREE_TEXT ? arena_text(arena, tree_text(member)) : NULL;
}

/* A provider that has trouble is down; one that refuses has its reasons, for the log. */
static enum rc read_refusal(struct req *rq, const struct provider *provider, const struct http_answer *answer)
{
	const char *why;
	const struct json_t *object = arena_json_load(rq->cx.arena, answer->body, &why);
	const char *error = NULL;

	if (answer->status >= 500 || answer->status == 429) {
		oidc_log_refusal(provider, "the token endpoint has trouble");
		return RC_PROVIDER_DOWN;
	}
	if (object != NULL && tree_kind(object) == TREE_OBJECT)
		error = text_of(rq->cx.arena, object, "error");
	return oidc_refuse(provider, error != NULL ? error : "the token endpoint refuses");
}

struct got {
	const char *id_token, *access_token; /* the latter NULL: none */
};

static enum rc ask_tokens(struct req *rq, const struct provider *provider, const struct discovery *discovery,
			  const struct oidc_state *state, const char *code, struct got *ret)
{
	const struct json_t *object;
	struct http_answer answer;
	struct http_call call;
	const char *why;
	enum rc rc = token_request(rq, provider, discovery, state, code, &call);

	if (rc == RC_OK)
		rc = provider_call(rq, provider, &call, &answer);
	if (rc != RC_OK)
		return rc;
	if (answer.status != 200)
		return read_refusal(rq, provider, &answer);
	object = arena_json_load(rq->cx.arena, answer.body, &why);
	if (object == NULL || tree_kind(object) != TREE_OBJECT)
		return oidc_refuse(provider, "the token endpoint answers no JSON object");
	*ret = (struct got){text_of(rq->cx.arena, object, "id_token"),
			    text_of(rq->cx.arena, object, "access_token")};
	return ret->id_token != NULL ? RC_OK : oidc_refuse(provider, "no ID token");
}

/* --- The ID token --------------------------------------------------------------------- */

/* With keys asked for anew when it names one that is not known, if that was not done just now. */
static enum rc verify(struct req *rq, const struct provider *provider, const struct discovery *discovery,
		      const struct oidc_state *state, const struct got *got, struct id_claims *ret)
{
	const struct id_expected expected = {
		.issuer = provider->issuer,
		.client_id = provider->client_id,
		.nonce = state->nonce,
		.access_token = got->access_token,
		.now = rq->cx.now,
	};
	enum id_verdict verdict = ID_NO_KEY;
	const char *why = "no such key";
	struct str jwks;
	bool is_new = false;
	enum rc rc = RC_OK;

	for (int try = 0; try < 2 && verdict == ID_NO_KEY && !is_new; try++) {
		rc = discovery_jwks(rq, provider, discovery, try > 0, &jwks, &is_new);
		if (rc != RC_OK)
			return rc;
		verdict = id_token_verify(rq->cx.arena, jwks, str_from(got->id_token), &expected, ret, &why);
	}
	if (verdict == ID_NO_MEMORY)
		return RC_NO_MEMORY;
	return verdict == ID_GOOD ? RC_OK : oidc_refuse(provider, why);
}

/* --- Userinfo -------------------------------------------------------------------------- */

/* Some tell the e-mail address only there (OpenID Connect Core 1.0, 5.4). */
static enum rc add_userinfo(struct req *rq, const struct provider *provider,
			    const struct discovery *discovery, const struct got *got,
			    struct id_claims *claims)
{
	struct http_call call = {.url = discovery->userinfo_endpoint,
				 .headers = {"Accept: application/json"}};
	struct http_answer answer;
	enum rc rc;

	if (claims->email != NULL || call.url == NULL || got->access_token == NULL)
		return RC_OK;
	call.headers[1] = arena_printf(rq->cx.arena, "Authorization: Bearer %s", got->access_token);
	if (call.headers[1] == NULL)
		return RC_NO_MEMORY;
	if (strpbrk(got->access_token, "\r\n") != NULL)
		return oidc_refuse(provider, "an access token that is none");
	rc = provider_call(rq, provider, &call, &answer);
	if (rc != RC_OK)
		return rc;
	if (answer.status != 200)
		return read_refusal(rq, provider, &answer);
	return id_claims_read(rq->cx.arena, answer.body, claims->subject, claims)
		       ? RC_OK
		       : oidc_refuse(provider, "userinfo of another, or none");
}

enum rc oidc_claims(struct req *rq, const struct provider *provider, const struct oidc_state *state,
		    const struct oidc_answer *answer, struct id_claims *ret)
{
	struct discovery discovery;
	struct got got = {0};
	enum rc rc = discovery_find(rq, provider, &discovery);

	if (rc != RC_OK)
		return rc;
	if (answer->iss == NULL ? discovery.tells_issuer : strcmp(answer->iss, provider->issuer) != 0)
		return oidc_refuse(provider, "the redirect is another issuer's");
	rc = ask_tokens(rq, provider, &discovery, state, answer->code, &got);
	if (rc == RC_OK)
		rc = verify(rq, provider, &discovery, state, &got, ret);
	return rc == RC_OK ? add_userinfo(rq, provider, &discovery, &got, ret) : rc;
}
