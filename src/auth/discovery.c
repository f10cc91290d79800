/* See discovery.h. */
#include "auth/discovery.h"

#include "base/log.h"
#include "user/local.h"
#include "json/arena_json.h"
#include "json/tree.h"

#include <stdlib.h>

#define KEPT_FOR    UTIME_HOUR
#define RENEW_AFTER UTIME_MINUTE

static const char well_known[] = "/.well-known/openid-configuration";

/* --- Asking it ------------------------------------------------------------------- */

static void log_failure(const struct provider *provider, const char *url, const char *why, int status)
{
	char id[UUID_TEXT_LEN + 1];

	LOG(WARN, "an identity provider is of no use just now",
	    LOG_TEXT("provider", uuid_text(id, &provider->id)), LOG_TEXT("url", url), LOG_TEXT("why", why),
	    LOG_NUMBER("status", status));
}

enum rc provider_call(struct req *rq, const struct provider *provider, const struct http_call *call,
		      struct http_answer *ret)
{
	static const enum rc failures[HTTP_OUTCOME_COUNT] = {
		[HTTP_ANSWERED] = RC_OK,
		[HTTP_REFUSED] = RC_PROVIDER_DOWN,
		[HTTP_UNREACHABLE] = RC_PROVIDER_DOWN,
		[HTTP_LATE] = RC_PROVIDER_DOWN,
		[HTTP_TOO_LARGE] = RC_PROVIDER_DOWN,
		[HTTP_BUSY] = RC_OVERLOADED,
		[HTTP_NO_MEMORY] = RC_NO_MEMORY,
	};
	const struct user_local *local = rq->cx.locals[ROOM_user];
	enum http_outcome outcome = http_client_call(local->shared->http, rq->cx.arena, call, ret);

	if (outcome != HTTP_ANSWERED)
		log_failure(provider, call->url, http_outcome_text[outcome], 0);
	return failures[outcome];
}

/* --- What is kept of it -------------------------------------------------------------- */

enum document_kind { METADATA, JWKS };

struct document {
	utime renewed_at; /* asked for again though it was kept; UTIME_NONE: it was not */
	size_t len;
	char text[];
};

static void keep(struct req *rq, const struct provider *provider, enum document_kind kind, uint64_t version,
		 utime renewed_at, struct str text)
{
	const struct user_local *local = rq->cx.locals[ROOM_user];
	struct document *kept = malloc(sizeof(*kept) + text.len);

	if (kept == NULL)
		return;
	*kept = (struct document){.renewed_at = renewed_at, .len = text.len};
	memcpy(kept->text, text.p, text.len);
	cache_put(local->auth->documents, &provider->id, kind, version, rq->cx.now + KEPT_FOR, kept);
}

static enum rc fetch(struct req *rq, const struct provider *provider, const char *url, struct str *ret)
{
	const struct http_call call = {.url = url, .headers = {"Accept: application/json"}};
	struct http_answer answer;
	enum rc rc = provider_call(rq, provider, &call, &answer);

	if (rc != RC_OK)
		return rc;
	if (answer.status != 200) {
		log_failure(provider, url, "status", answer.status);
		return RC_PROVIDER_DOWN;
	}
	*ret = answer.body;
	return RC_OK;
}

/* The document as it is kept, or as the provider gives it now: where none is kept, or to renew it. */
static enum rc find(struct req *rq, const struct provider *provider, enum document_kind kind, const char *url,
		    bool renew, struct str *ret, bool *ret_new)
{
	const struct user_local *local = rq->cx.locals[ROOM_user];
	uint64_t version = db_version(rq->cx.ports[ROOM_user], &provider->id);
	const struct document *kept =
		cache_get(local->auth->documents, &provider->id, kind, version, rq->cx.now);
	utime renewed_at = kept != NULL ? rq->cx.now : UTIME_NONE;
	enum rc rc;

	*ret_new =
		kept == NULL ||
		(renew && (kept->renewed_at == UTIME_NONE || rq->cx.now >= kept->renewed_at + RENEW_AFTER));
	if (*ret_new) {
		rc = fetch(rq, provider, url, ret);
		if (rc == RC_OK)
			keep(rq, provider, kind, version, renewed_at, *ret);
		return rc;
	}
	*ret = (struct str){arena_copy(rq->cx.arena, kept->text, kept->len), kept->len};
	return ret->p != NULL ? RC_OK : RC_NO_MEMORY;
}

enum rc discovery_jwks(struct req *rq, const struct provider *provider, const struct discovery *discovery,
		       bool anew, struct str *ret, bool *ret_new)
{
	return find(rq, provider, JWKS, discovery->jwks_uri, anew, ret, ret_new);
}

/* --- What it says ----------------------------------------------------------------------- */

static bool takes(struct req *rq, const char *url)
{
	const struct user_local *local = rq->cx.locals[ROOM_user];

	return http_client_takes(local->shared->http, url);
}

/* NULL: absent, or not an address that may be asked. Browsers are sent to no other either. */
static const char *url_of(struct req *rq, const struct json_t *metadata, const char *name)
{
	const struct json_t *member = tree_member(metadata, name);
	const char *url;

	if (member == NULL || tree_kind(member) != TREE_TEXT)
		return NULL;
	url = arena_text(rq->cx.arena, tree_text(member));
	return url != NULL && takes(rq, url) ? url : NULL;
}

static bool lists(const struct json_t *metadata, const char *name, const char *word)
{
	const struct json_t *list = tree_member(metadata, name);

	for (size_t i = 0; list != NULL && tree_kind(list) == TREE_LIST && i < tree_count(list); i++) {
		const struct json_t *item = tree_item(list, i);

		if (tree_kind(item) == TREE_TEXT && str_equal(tree_text(item), str_from(word)))
			return true;
	}
	return false;
}

static bool says_true(const struct json_t *metadata, const char *name)
{
	const struct json_t *member = tree_member(metadata, name);

	return member != NULL && tree_kind(member) == TREE_BOOL && tree_bool(member);
}

/* It must be the issuer that it was asked as: else it could speak for another (Discovery 1.0, 4.3). */
static bool is_issuer(const struct json_t *metadata, const char *issuer)
{
	const struct json_t *member = tree_member(metadata, "issuer");

	return member != NULL && tree_kind(member) == TREE_TEXT &&
	       str_equal(tree_text(member), str_from(issuer));
}

/* NULL: it is as it must be. */
static const char *read_metadata(struct req *rq, const struct provider *provider, struct str json,
				 struct discovery *ret)
{
	static const char methods[] = "token_endpoint_auth_methods_supported";
	const char *why;
	const struct json_t *metadata = arena_json_load(rq->cx.arena, json, &why);

	if (metadata == NULL || tree_kind(metadata) != TREE_OBJECT)
		return "no JSON object";
	if (!is_issuer(metadata, provider->issuer))
		return "another issuer";
	*ret = (struct discovery){
		.authorization_endpoint = url_of(rq, metadata, "authorization_endpoint"),
		.token_endpoint = url_of(rq, metadata, "token_endpoint"),
		.jwks_uri = url_of(rq, metadata, "jwks_uri"),
		.userinfo_endpoint = url_of(rq, metadata, "userinfo_endpoint"),
		/* Not told: client_secret_basic. */
		.secret_basic = tree_member(metadata, methods) == NULL ||
				lists(metadata, methods, "client_secret_basic"),
		.secret_post = lists(metadata, methods, "client_secret_post"),
		.tells_issuer = says_true(metadata, "authorization_response_iss_parameter_supported"),
	};
	return ret->authorization_endpoint != NULL && ret->token_endpoint != NULL && ret->jwks_uri != NULL
		       ? NULL
		       : "an endpoint is missing, or may not be asked";
}

enum rc discovery_find(struct req *rq, const struct provider *provider, struct discovery *ret)
{
	size_t len = strlen(provider->issuer);
	const char *url, *why;
	struct discovery found;
	struct str json;
	bool is_new;
	enum rc rc;

	if (len > 0 && provider->issuer[len - 1] == '/')
		len--;
	url = arena_printf(rq->cx.arena, "%.*s%s", (int)len, provider->issuer, well_known);
	if (url == NULL)
		return RC_NO_MEMORY;
	rc = find(rq, provider, METADATA, url, false, &json, &is_new);
	if (rc != RC_OK)
		return rc;
	why = read_metadata(rq, provider, json, &found);
	if (why != NULL) {
		log_failure(provider, url, why, 200);
		return RC_PROVIDER_DOWN;
	}
	*ret = found;
	return RC_OK;
}
