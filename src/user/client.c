/*
 * See client.h. One query by the primary index, here or asked of who has it, kept for as long as the store's
 * version of the user stands; and not for longer than CACHE_TTL_SECONDS where another process may change what
 * this one only hears of.
 */
#include "user/client.h"

#include "base/config.h"
#include "user/local.h"
#include "user/queries.h"

#include <stdlib.h>

#define CACHED_USERS 4096

static enum rc read_brief(struct ctx *cx, const struct uuid *tenant, const struct uuid *id,
			  struct user_brief *ret)
{
	const struct q_user_brief_by_id_in in = {.tenant_id = *tenant, .id = *id};
	struct user_brief *row;
	enum rc rc = q_user_brief_by_id(cx, &in, &row);

	if (rc != RC_OK)
		return rc;
	if (row == NULL)
		return RC_USER_UNKNOWN;
	*ret = *row;
	return RC_OK;
}

static void keep(struct ctx *cx, const struct uuid *id, uint64_t version, const struct user_brief *brief)
{
	const struct user_local *local = cx->locals[ROOM_user];
	utime until = db_shared(cx->ports[ROOM_user]) ? cx->now + local->ttl : UTIME_MAX;
	struct user_brief *kept = until > cx->now ? malloc(sizeof(*kept)) : NULL;

	if (kept == NULL)
		return;
	*kept = *brief;
	cache_put(local->briefs, id, 0, version, until, kept);
}

enum rc user_brief(struct ctx *cx, const struct uuid *tenant, const struct uuid *id, struct user_brief *ret)
{
	const struct user_local *local = cx->locals[ROOM_user];
	uint64_t version = db_version(cx->ports[ROOM_user], id);
	const struct user_brief *kept = cache_get(local->briefs, id, 0, version, cx->now);
	enum rc rc;

	/* What is kept of another tenant's user is not even known of: the store is asked, as for one who is
	 * not there. */
	if (kept != NULL && uuid_equal(&kept->tenant_id, tenant)) {
		*ret = *kept;
		return RC_OK;
	}
	rc = read_brief(cx, tenant, id, ret);
	if (rc == RC_OK)
		keep(cx, id, version, ret);
	return rc;
}

enum rc user_tenant_of(struct ctx *cx, const struct uuid *id, struct uuid *ret)
{
	const struct q_user_tenant_of_in in = {.id = *id};
	struct q_user_tenant_of_out *row;
	enum rc rc = q_user_tenant_of(cx, &in, &row);

	if (rc != RC_OK)
		return rc;
	if (row == NULL)
		return RC_USER_UNKNOWN;
	*ret = row->tenant_id;
	return RC_OK;
}

/* What only the service itself does: passwords, identity providers. */
static bool open_service(struct user_shared *shared, const struct config *config)
{
	const struct http_client_options http = {.development = !config_exposed(config),
						 .ca_file = config->outgoing_ca};

	shared->passwords = password_pool_create(config->password_threads);
	shared->key_uses = key_uses_create();
	shared->http = http_client_create(&http);
	return shared->passwords != NULL && shared->key_uses != NULL && shared->http != NULL;
}

void *user_shared_create(const struct config *config, const struct world *world, bool here)
{
	struct user_shared *shared = calloc(1, sizeof(*shared));

	if (shared == NULL)
		return NULL;
	shared->world = world;
	shared->here = here;
	if (here && !open_service(shared, config)) {
		user_shared_destroy(shared);
		return NULL;
	}
	return shared;
}

void user_shared_destroy(void *arg)
{
	struct user_shared *shared = arg;

	if (shared == NULL)
		return;
	http_client_destroy(shared->http);
	key_uses_destroy(shared->key_uses);
	password_pool_destroy(shared->passwords);
	free(shared);
}

void *user_local_create(const struct config *config, void *shared)
{
	struct user_local *local = calloc(1, sizeof(*local));

	if (local == NULL)
		return NULL;
	local->shared = shared;
	local->ttl = config->cache_ttl * UTIME_SECOND;
	local->briefs = cache_create(CACHED_USERS, free);
	local->auth = auth_local_create(config, local->shared->world, local->shared->here);
	if (local->briefs == NULL || local->auth == NULL) {
		user_local_destroy(local);
		return NULL;
	}
	return local;
}

void user_local_destroy(void *arg)
{
	struct user_local *local = arg;

	if (local == NULL)
		return;
	auth_local_destroy(local->auth);
	cache_destroy(local->briefs);
	free(local);
}
