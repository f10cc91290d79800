/* Who asks, in a process without the user service. See identity.h. */
#include "auth/identity.h"
#include "auth/local.h"
#include "neighbour/neighbour.h"
#include "user/local.h"

#include <sodium.h>
#include <stdlib.h>

SHAPE_DEFINE(credential, CREDENTIAL);
SHAPE_DEFINE(proven, PROVEN);

/* --- Asking ----------------------------------------------------------------- */

struct kept {
	unsigned char rest[16];
	uint64_t version;
	struct principal who;
};

/* Moves when something is heard of his user or of what he came by; both only rise. */
static uint64_t version_of(const struct ctx *cx, const struct principal *who)
{
	const struct db_port *port = cx->ports[ROOM_user];

	return db_version(port, &who->user_id) + db_version(port, &who->session_id);
}

static const struct kept *find(struct ctx *cx, const struct auth_local *auth,
			       const struct credential_hash *hash)
{
	const struct kept *kept = cache_get(auth->proven, &hash->key, 0, 0, cx->now);

	if (kept == NULL || sodium_memcmp(kept->rest, hash->rest, sizeof(hash->rest)) != 0 ||
	    kept->version != version_of(cx, &kept->who))
		return NULL;
	return kept;
}

static void keep(struct ctx *cx, const struct auth_local *auth, const struct credential_hash *hash,
		 const struct kept *what, utime until)
{
	struct kept *kept = until > cx->now ? malloc(sizeof(*kept)) : NULL;

	if (kept == NULL)
		return;
	*kept = *what;
	cache_put(auth->proven, &hash->key, 0, 0, until, kept);
}

static const struct neighbour_route question = {
	.path = IDENTITY_PATH,
	.in = &credential_shape,
	.out = &proven_shape,
	.again = true,
	.failures = {RC_UNAUTHENTICATED, RC_INVALID},
};

enum rc identity_ask(struct ctx *cx, struct neighbour *there, struct str credential_, struct principal *ret)
{
	const struct user_local *local = cx->locals[ROOM_user];
	struct credential_hash hash = credential_hash(local->auth, credential_);
	const struct kept *known = find(cx, local->auth, &hash);
	struct credential in = {.credential = arena_text(cx->arena, credential_)};
	struct kept kept = {0};
	/* What is heard while it is asked may be newer than the answer, which is then not kept. */
	uint64_t touches = db_touches(cx->ports[ROOM_user]);
	struct proven *out;
	void *got;
	enum rc rc;

	if (known != NULL) {
		*ret = known->who;
		return RC_OK;
	}
	if (in.credential == NULL)
		return RC_NO_MEMORY;
	rc = neighbour_call(there, cx, &question, &in, &got);
	if (rc != RC_OK)
		return rc == RC_INVALID ? RC_UNAUTHENTICATED : rc;
	out = got;
	*ret = caller_principal(&out->caller);
	memcpy(kept.rest, hash.rest, sizeof(kept.rest));
	kept.who = *ret;
	kept.version = version_of(cx, ret);
	if (touches == db_touches(cx->ports[ROOM_user]))
		keep(cx, local->auth, &hash, &kept,
		     out->until < cx->now + local->ttl ? out->until : cx->now + local->ttl);
	return RC_OK;
}

/* --- Answering ---------------------------------------------------------------- */

enum rc identity_answer(struct req *rq)
{
	struct principal who;
	struct proven out = {0};
	enum rc rc = identity_prove(&rq->cx, str_from(BODY(rq, credential)->credential), &who, &out.until);

	if (rc != RC_OK)
		return rc;
	out.caller = caller_from(&who);
	return REPLY(rq, 200, proven, &out);
}
