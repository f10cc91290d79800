/* See api_key.h: shapes, and who is behind a key. */
#include "auth/api_key.h"

#include "auth/base64url.h"
#include "auth/key_uses.h"
#include "auth/secret.h"
#include "events/payloads.h"
#include "user/local.h"
#include "user/queries.h"

#include <stdlib.h>

/* Of base64url: twelve whole bytes of the id, which is where a key begins. */
#define PREFIX_LEN 16

/* clang-format off */
ENUM_DEFINE(api_scope, API_SCOPE);
SHAPE_DEFINE(api_key_new, API_KEY_NEW, .doc = "A key as wanted.");
SHAPE_DEFINE(api_key, API_KEY, .doc = "An API key, without the key itself.");
SHAPE_DEFINE(api_key_made, API_KEY_MADE, .doc = "An API key, this once with the key itself.");
SHAPE_DEFINE(api_key_filter, API_KEY_FILTER);
/* clang-format on */

char *api_key_prefix(struct arena *arena, const struct uuid *id)
{
	char text[BASE64URL_LEN(sizeof(id->b)) + 1];

	base64url_write(text, id->b, sizeof(id->b));
	return arena_printf(arena, SECRET_API_KEY "_%.*s", PREFIX_LEN, text);
}

enum rc api_key_event(struct ctx *cx, const struct api_key *row, const char *type, struct outbox_row *ret)
{
	const struct api_key_ids payload = {.api_key_id = row->id, .tenant_id = row->tenant_id};

	*ret = outbox_row(cx, STREAM_TENANTS, type, &row->tenant_id, &row->id);
	ret->created_at = outbox_time(cx, row->created_at);
	return outbox_payload(ret, cx->arena, &api_key_ids_shape, &payload) ? RC_OK : RC_NO_MEMORY;
}

/* --- Who calls ---------------------------------------------------------------- */

/* What a thread keeps of a key, for as long as the store's version of it stands. */
struct known {
	struct uuid tenant_id;
	char hash[SECRET_HASH_LEN + 1];
	int64_t scopes;
	utime expires_at, used_at; /* or UTIME_NONE */
};

static struct principal principal_of(const struct known *known, const struct uuid *id)
{
	bool admin = known->scopes >> api_scope_admin & 1;

	_Static_assert(1 << api_scope_can_book == RIGHT_BOOK &&
			       1 << api_scope_can_manage_resources == RIGHT_RESOURCES &&
			       1 << api_scope_can_manage_users == RIGHT_USERS &&
			       1 << api_scope_can_view_all_bookings == RIGHT_VIEW,
		       "a scope's bit is the right's");
	return (struct principal){
		.role = admin ? ROLE_ADMIN : ROLE_USER,
		.rights = admin ? RIGHTS_ALL : (unsigned)known->scopes & RIGHTS_ALL,
		.tenant_id = known->tenant_id,
		.session_id = *id,
	};
}

static enum rc read_known(struct ctx *cx, const struct secret *secret, struct known *ret)
{
	const struct q_api_key_alive_in in = {.tenant_id = secret->tenant_id, .id = secret->id};
	struct api_key *row;
	enum rc rc = q_api_key_alive(cx, &in, &row);

	if (rc != RC_OK)
		return rc;
	if (row == NULL || strlen(row->hash) != SECRET_HASH_LEN)
		return RC_UNAUTHENTICATED;
	*ret = (struct known){.tenant_id = secret->tenant_id,
			      .scopes = row->scopes,
			      .expires_at = row->expires_at,
			      .used_at = row->last_used_at};
	memcpy(ret->hash, row->hash, sizeof(ret->hash));
	return RC_OK;
}

/* The key's row, from this thread's cache or from the store. NULL in *ret_kept: it could not be kept. */
static enum rc find_known(struct ctx *cx, const struct secret *secret, struct known *ret,
			  struct known **ret_kept)
{
	const struct user_local *local = cx->locals[ROOM_user];
	uint64_t version = db_version(cx->ports[ROOM_user], &secret->id);
	utime until = db_shared(cx->ports[ROOM_user]) ? cx->now + local->ttl : UTIME_MAX;
	struct known *kept = cache_get(local->auth->api_keys, &secret->id, 0, version, cx->now);
	enum rc rc;

	/* By the id alone: a hash is over the tenant's too, so what names another tenant does not match. */
	if (kept == NULL) {
		rc = read_known(cx, secret, ret);
		if (rc != RC_OK)
			return rc;
		kept = until > cx->now ? malloc(sizeof(*kept)) : NULL;
		if (kept != NULL) {
			*kept = *ret;
			cache_put(local->auth->api_keys, &secret->id, 0, version, until, kept);
		}
	}
	if (kept != NULL)
		*ret = *kept;
	*ret_kept = kept;
	return RC_OK;
}

/* Told to whoever writes it down, once a minute. */
static void note_use(struct ctx *cx, const struct secret *secret, const struct known *known,
		     struct known *kept)
{
	const struct user_local *local = cx->locals[ROOM_user];

	if (known->used_at != UTIME_NONE && cx->now < known->used_at + KEY_USE_STEP)
		return;
	if (kept != NULL)
		kept->used_at = cx->now;
	key_uses_note(local->shared->key_uses, &secret->tenant_id, &secret->id, cx->now);
}

enum rc api_key_principal(struct ctx *cx, struct str key, struct principal *ret)
{
	struct secret secret;
	struct known known, *kept;
	enum rc rc;

	if (!secret_parse(SECRET_API_KEY, key, &secret))
		return RC_UNAUTHENTICATED;
	rc = find_known(cx, &secret, &known, &kept);
	if (rc != RC_OK)
		return rc;
	if (!secret_matches(&secret, known.hash) ||
	    (known.expires_at != UTIME_NONE && cx->now >= known.expires_at))
		return RC_UNAUTHENTICATED;
	note_use(cx, &secret, &known, kept);
	*ret = principal_of(&known, &secret.id);
	return RC_OK;
}
