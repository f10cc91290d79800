/* What identity keeps for one thread; a part of the user room's own. */
#ifndef AUTH_LOCAL_H
#define AUTH_LOCAL_H

#include "auth/keys.h"
#include "base/cache.h"

struct auth_local {
	bool optional; /* a call without a token acts as the operator */
	/* Of the user service itself; where another process runs it, there is `proven` instead. */
	const char *public_url;
	bool sends_mail;
	struct keys *keys;
	uint64_t keys_version;		 /* moves when they change */
	utime keys_seen;		 /* when their folder was last looked at: prove.c */
	struct cache *tokens;		 /* that were verified: prove.c */
	struct cache *proven;		 /* what the user service said of credentials: elsewhere.c */
	unsigned char token_key[32];	 /* of the hashes that both are found by */
	struct cache *sessions;		 /* principal.c */
	struct cache *api_keys;		 /* api_key.c */
	struct cache *documents;	 /* of identity providers: discovery.c */
	utime access_life;		 /* of an access token */
	utime session_idle, session_cap; /* of a session: since its last use, since its beginning */
};

struct auth_local *auth_local_create(const struct config *config, const struct world *world,
				     bool here) MUST_USE;
void auth_local_destroy(struct auth_local *local);

/* The keys as they are in their folder now. */
struct keys *auth_local_keys(struct auth_local *local);

/*
 * A credential is found again by a hash under a key of this thread alone: by 16 bytes of it, and the others
 * must be the same too. Of the credential itself nothing is kept.
 */
struct credential_hash {
	struct uuid key;
	unsigned char rest[16];
};

struct credential_hash credential_hash(const struct auth_local *local, struct str credential);

#endif
