/* What goes with the browser while it is at the provider. See oidc.h. */
#include "auth/oidc.h"

#include "auth/base64url.h"
#include "base/log.h"
#include "user/local.h"

#include <sodium.h>

#define PLACE "oidc_login"

static bool challenge_valid(struct str text)
{
	unsigned char hash[crypto_hash_sha256_BYTES];

	return base64url_exact(text, hash, sizeof(hash));
}

/* clang-format off */
const struct format format_challenge = {
	.pattern = "^[A-Za-z0-9_-]{43}$", .valid = challenge_valid, .issue = ISSUE_BAD_CHALLENGE,
};
SHAPE_DEFINE(oidc_begin, OIDC_BEGIN);
SHAPE_DEFINE(oidc_answer, OIDC_ANSWER);
SHAPE_DEFINE(oidc_exchange, OIDC_EXCHANGE, .doc = "A one-time code, to be exchanged for tokens.");
SHAPE_DEFINE(identity_link, IDENTITY_LINK);
SHAPE_DEFINE(oidc_state, OIDC_STATE);
/* clang-format on */

char *oidc_url(const struct ctx *cx, const struct uuid *provider_id, const char *end)
{
	const struct user_local *local = cx->locals[ROOM_user];
	const char *url = local->auth->public_url;
	char id[UUID_TEXT_LEN + 1];
	size_t len = strlen(url);

	if (len > 0 && url[len - 1] == '/')
		len--;
	return arena_printf(cx->arena, "%.*s/auth/oidc/%s/%s", (int)len, url, uuid_text(id, provider_id),
			    end);
}

char *oidc_challenge(struct arena *arena, const char *verifier)
{
	unsigned char hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, (const unsigned char *)verifier, strlen(verifier));
	return base64url_text(arena, hash, sizeof(hash));
}

void oidc_log_refusal(const struct provider *provider, const char *why)
{
	char id[UUID_TEXT_LEN + 1];

	LOG(WARN, "a login by an identity provider was refused",
	    LOG_TEXT("provider", provider != NULL ? uuid_text(id, &provider->id) : "unknown"),
	    LOG_TEXT("why", why));
}

/* --- The cookie ------------------------------------------------------------------ */

enum rc oidc_cookie(struct req *rq, const char *value)
{
	const char *text = arena_printf(rq->cx.arena,
					OIDC_COOKIE "=%s; Path=/; Max-Age=%d; Secure; HttpOnly; SameSite=Lax",
					value != NULL ? value : "",
					value != NULL ? (int)(OIDC_LOGIN_FOR / UTIME_SECOND) : 0);

	if (text == NULL)
		return RC_NO_MEMORY;
	req_header(rq, "Set-Cookie", text);
	return RC_OK;
}

/* The value of our cookie among those sent; {NULL, 0}: none. */
static struct str cookie_sent(const struct req *rq)
{
	struct str rest = http_header(rq->http, "Cookie"), pair, name;

	while (rest.len > 0) {
		pair = str_trim(str_cut(&rest, ';'));
		name = str_cut(&pair, '=');
		if (str_equal(name, STR(OIDC_COOKIE)))
			return pair;
	}
	return (struct str){0};
}

enum rc oidc_state_seal(struct req *rq, const struct oidc_state *state, const char **ret)
{
	const struct user_local *local = rq->cx.locals[ROOM_user];
	struct writer writer;
	struct str json;

	writer_init(&writer, rq->cx.arena, 1024);
	write_shape(&writer, &oidc_state_shape, state);
	if (!writer_take(&writer, &json))
		return RC_NO_MEMORY;
	return keys_seal(auth_local_keys(local->auth), rq->cx.arena, PLACE, json, ret);
}

enum rc oidc_state_open(struct req *rq, struct oidc_state **ret)
{
	const struct user_local *local = rq->cx.locals[ROOM_user];
	struct issues issues = {.arena = rq->cx.arena};
	const char *sealed = arena_text(rq->cx.arena, cookie_sent(rq)), *json;
	struct oidc_state *state;
	void *object;
	enum rc rc;

	if (sealed == NULL)
		return RC_NO_MEMORY;
	rc = keys_open(auth_local_keys(local->auth), rq->cx.arena, PLACE, sealed, &json);
	if (rc == RC_INTERNAL)
		return oidc_refuse(NULL, "no cookie of ours");
	if (rc == RC_OK)
		rc = shape_parse(&oidc_state_shape, PARSE_WHOLE, str_from(json), &issues, &object);
	if (rc != RC_OK)
		return rc == RC_NO_MEMORY ? rc : oidc_refuse(NULL, "no cookie of ours");
	state = object;
	if (rq->cx.now >= state->expires_at)
		return oidc_refuse(NULL, "too late");
	*ret = state;
	return RC_OK;
}
