/* GET /auth/oidc/{id}/login -- sends the browser to the provider. */
#include "auth/oidc.h"

#include "auth/base64url.h"
#include "auth/discovery.h"
#include "auth/return_address.h"
#include "http/dispatch.h"
#include "http/form.h"
#include "tenant/client.h"
#include "user/local.h"

#include <sodium.h>

#define RANDOM_BYTES 32

/* --- Where it may come back to ------------------------------------------------------- */

static bool is_local(struct str host)
{
	return str_equal(host, STR("localhost")) || str_equal(host, STR("127.0.0.1"));
}

/* Pages of those who may call across origins; where that is anyone (in development), of this machine. */
static bool is_of_cors(const struct cors *cors, const struct return_address *address)
{
	for (size_t i = 0; cors != NULL && i < cors->count; i++)
		if (str_equal(cors->origins[i].name, address->origin))
			return true;
	return cors != NULL && cors->any && is_local(address->host);
}

/* The tenant's own domain, by https. */
static enum rc is_of_tenant(struct req *rq, const struct provider *provider,
			    const struct return_address *address, bool *ret)
{
	const char *host = arena_text(rq->cx.arena, address->host);
	struct uuid tenant_id;
	enum rc rc;

	*ret = false;
	if (host == NULL)
		return RC_NO_MEMORY;
	if (!address->secure || !address->plain_port)
		return RC_OK;
	rc = tenant_of_domain(&rq->cx, host, &tenant_id);
	if (rc == RC_OK)
		*ret = uuid_equal(&tenant_id, &provider->tenant_id);
	return rc == RC_TENANT_UNKNOWN ? RC_OK : rc;
}

static enum rc refuse_query(struct req *rq, const char *name, enum issue_kind kind)
{
	static const struct loc query = {.name = "query"};
	const struct loc here = {.up = &query, .name = name};

	issue_add(&rq->issues, &here, kind, NULL);
	return issues_rc(&rq->issues);
}

static enum rc check_return(struct req *rq, const struct provider *provider, const struct oidc_begin *in)
{
	struct return_address address;
	bool allowed;
	enum rc rc = RC_OK;

	if (in->redirect == NULL)
		return RC_OK;
	if (in->code_challenge == NULL)
		return refuse_query(rq, "code_challenge", ISSUE_MISSING);
	if (!return_address_parse(in->redirect, &address))
		return refuse_query(rq, "redirect", ISSUE_BAD_RETURN);
	allowed = is_of_cors(req_cors(rq), &address);
	if (!allowed)
		rc = is_of_tenant(rq, provider, &address, &allowed);
	return rc != RC_OK || allowed ? rc : refuse_query(rq, "redirect", ISSUE_BAD_RETURN);
}

/* --- The way there ---------------------------------------------------------------------- */

static const char *random_text(struct req *rq)
{
	unsigned char bytes[RANDOM_BYTES];
	const char *text;

	rq->cx.world->random(rq->cx.world, bytes, sizeof(bytes));
	text = base64url_text(rq->cx.arena, bytes, sizeof(bytes));
	sodium_memzero(bytes, sizeof(bytes));
	return text;
}

static enum rc make_state(struct req *rq, const struct provider *provider, const struct oidc_begin *in,
			  struct oidc_state *ret)
{
	*ret = (struct oidc_state){
		.provider_id = provider->id,
		.state = random_text(rq),
		.nonce = random_text(rq),
		.verifier = random_text(rq),
		.redirect = in->redirect,
		.challenge = in->redirect != NULL ? in->code_challenge : NULL,
		.expires_at = rq->cx.now + OIDC_LOGIN_FOR,
	};
	return ret->state != NULL && ret->nonce != NULL && ret->verifier != NULL ? RC_OK : RC_NO_MEMORY;
}

/* OpenID Connect Core 1.0, 3.1.2.1, with RFC 7636. NULL: memory. */
static const char *authorization_url(struct req *rq, const struct provider *provider,
				     const struct discovery *discovery, const struct oidc_state *state)
{
	const char *endpoint = discovery->authorization_endpoint;
	const char *callback = oidc_url(&rq->cx, &provider->id, "callback");
	const char *challenge = oidc_challenge(rq->cx.arena, state->verifier);
	struct form form = {rq->cx.arena, arena_printf(rq->cx.arena, "%s%s", endpoint,
						       strchr(endpoint, '?') != NULL ? "&" : "?")};

	if (callback == NULL || challenge == NULL)
		return NULL;
	form_add(&form, "response_type", "code");
	form_add(&form, "client_id", provider->client_id);
	form_add(&form, "redirect_uri", callback);
	form_add(&form, "scope", provider->scopes);
	form_add(&form, "state", state->state);
	form_add(&form, "nonce", state->nonce);
	form_add(&form, "code_challenge", challenge);
	form_add(&form, "code_challenge_method", "S256");
	return form.text;
}

enum rc oidc_login(struct req *rq)
{
	const struct oidc_begin *in = QUERY(rq, oidc_begin);
	struct discovery discovery;
	struct provider *provider;
	struct oidc_state state;
	const char *url, *sealed;
	enum rc rc = provider_for_login(rq, &rq->id, &provider);

	if (rc == RC_OK)
		rc = check_return(rq, provider, in);
	if (rc == RC_OK)
		rc = discovery_find(rq, provider, &discovery);
	if (rc == RC_OK)
		rc = make_state(rq, provider, in, &state);
	if (rc == RC_OK)
		rc = oidc_state_seal(rq, &state, &sealed);
	if (rc == RC_OK)
		rc = oidc_cookie(rq, sealed);
	if (rc != RC_OK)
		return rc;
	url = authorization_url(rq, provider, &discovery, &state);
	if (url == NULL)
		return RC_NO_MEMORY;
	req_header(rq, "Location", url);
	req_header(rq, "Cache-Control", "no-store");
	return req_reply_empty(rq, 302);
}
