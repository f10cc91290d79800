/* What the handlers of identity providers share. See provider.h. */
#include "auth/provider.h"

#include "auth/oidc.h"
#include "events/payloads.h"
#include "tenant/client.h"
#include "user/local.h"
#include "user/queries.h"

/* Words of RFC 6749, 3.3, with one blank between; "openid" is one of them. */
static bool scopes_valid(struct str text)
{
	bool openid = false;

	if (text.len == 0 || text.p[text.len - 1] == ' ')
		return false;
	while (text.len > 0) {
		struct str word = str_cut(&text, ' ');

		for (size_t i = 0; i < word.len; i++)
			if (word.p[i] < '!' || word.p[i] > '~' || word.p[i] == '"' || word.p[i] == '\\')
				return false;
		if (word.len == 0)
			return false;
		openid |= str_equal(word, STR("openid"));
	}
	return openid;
}

/* clang-format off */
const struct format format_scopes = {.valid = scopes_valid, .issue = ISSUE_BAD_SCOPES};
SHAPE_DEFINE(provider_new, PROVIDER_NEW, .doc = "An identity provider, as registered.");
SHAPE_DEFINE(provider, PROVIDER, .doc = "An identity provider of a tenant.");
SHAPE_DEFINE(provider_filter, PROVIDER_FILTER);
/* clang-format on */

/* --- Finding ---------------------------------------------------------------------- */

static enum rc find(struct ctx *cx, const struct uuid *tenant_id, const struct uuid *id,
		    struct provider **ret)
{
	const struct q_provider_by_id_in in = {.tenant_id = *tenant_id, .id = *id};
	struct provider *row;
	enum rc rc = q_provider_by_id(cx, &in, &row);

	if (rc != RC_OK)
		return rc;
	if (row == NULL)
		return RC_PROVIDER_UNKNOWN;
	*ret = row;
	return RC_OK;
}

/* The operator's are any tenant's. */
static enum rc tenant_of(struct req *rq, struct uuid *ret)
{
	const struct q_provider_tenant_of_in in = {.id = rq->id};
	struct q_provider_tenant_of_out *row;
	enum rc rc;

	if (req_own_tenant(rq, ret))
		return RC_OK;
	rc = q_provider_tenant_of(&rq->cx, &in, &row);
	if (rc != RC_OK)
		return rc;
	if (row == NULL)
		return RC_PROVIDER_UNKNOWN;
	*ret = row->tenant_id;
	return RC_OK;
}

enum rc provider_find(struct req *rq, struct provider **ret)
{
	struct uuid tenant_id;
	enum rc rc = tenant_of(rq, &tenant_id);

	return rc == RC_OK ? find(&rq->cx, &tenant_id, &rq->id, ret) : rc;
}

enum rc provider_for_login(struct req *rq, const struct uuid *id, struct provider **ret)
{
	const struct q_provider_for_login_in in = {.id = *id};
	struct q_provider_for_login_out *row;
	struct tenant_rules tenant;
	enum rc rc = q_provider_for_login(&rq->cx, &in, &row);

	if (rc == RC_OK && row == NULL)
		rc = RC_PROVIDER_UNKNOWN;
	if (rc == RC_OK)
		rc = tenant_rules(&rq->cx, &row->tenant_id, &tenant);
	if (rc == RC_TENANT_UNKNOWN || (rc == RC_OK && !tenant.is_active))
		rc = RC_PROVIDER_UNKNOWN;
	return rc == RC_OK ? find(&rq->cx, &row->tenant_id, id, ret) : rc;
}

/* --- Its secret --------------------------------------------------------------------- */

static const char *place_of(struct req *rq, const struct provider *row)
{
	char id[UUID_TEXT_LEN + 1];

	return arena_printf(rq->cx.arena, "identity_provider:%s", uuid_text(id, &row->id));
}

enum rc provider_seal_secret(struct req *rq, struct provider *row)
{
	const struct user_local *local = rq->cx.locals[ROOM_user];
	const char *place = place_of(rq, row);

	if (row->client_secret == NULL)
		return RC_OK;
	if (place == NULL)
		return RC_NO_MEMORY;
	return keys_seal(auth_local_keys(local->auth), rq->cx.arena, place, str_from(row->client_secret),
			 &row->client_secret);
}

enum rc provider_open_secret(struct req *rq, const struct provider *row, const char **ret)
{
	const struct user_local *local = rq->cx.locals[ROOM_user];
	const char *place = place_of(rq, row);

	if (row->client_secret == NULL) {
		*ret = NULL;
		return RC_OK;
	}
	if (place == NULL)
		return RC_NO_MEMORY;
	return keys_open(auth_local_keys(local->auth), rq->cx.arena, place, row->client_secret, ret);
}

/* --- What is told of it --------------------------------------------------------------- */

enum rc provider_derive(struct req *rq, struct provider *row)
{
	row->has_client_secret = row->client_secret != NULL;
	row->redirect_uri = oidc_url(&rq->cx, &row->id, "callback");
	row->login_url = oidc_url(&rq->cx, &row->id, "login");
	return row->redirect_uri != NULL && row->login_url != NULL ? RC_OK : RC_NO_MEMORY;
}

enum rc provider_event(struct ctx *cx, const struct provider *row, const char *type, struct outbox_row *ret)
{
	const struct provider_ids payload = {.provider_id = row->id, .tenant_id = row->tenant_id};

	*ret = outbox_row(cx, STREAM_TENANTS, type, &row->tenant_id, &row->id);
	ret->created_at = outbox_time(cx, row->updated_at);
	return outbox_payload(ret, cx->arena, &provider_ids_shape, &payload) ? RC_OK : RC_NO_MEMORY;
}
