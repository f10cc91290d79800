/*
 * POST /auth/login, and POST /users/login -- a password for tokens.
 *
 * Nothing tells an address that is known from one that is not: the answer to every failure is the same, and
 * as many hashes are verified for each. That number is one where a tenant is named. Where none is, the
 * password is tried on the oldest LOGIN_ACCOUNTS accounts of the address, and on nobody's for those that it
 * lacks. If it opens one account, that one it is. Only who knows the password of several is asked to name a
 * tenant, and he learns nothing that he did not know.
 */
#include "auth/auth.h"
#include "auth/password.h"
#include "auth/session.h"
#include "base/fold.h"
#include "base/log.h"
#include "tenant/client.h"
#include "user/local.h"
#include "user/queries.h"

#define LOGIN_ACCOUNTS 3

struct candidates {
	size_t tries; /* hashes that are verified, whoever asks */
	size_t count;
	const struct account *accounts;
};

static enum rc find_named(struct req *rq, const struct login *in, const char *email_key,
			  struct candidates *ret)
{
	struct q_account_of_tenant_in by = {.email_key = email_key};
	struct account *account = NULL;
	enum rc rc = login_tenant(&rq->cx, &in->tenant_id, in->domain, &by.tenant_id);

	ret->tries = 1;
	if (rc == RC_TENANT_UNKNOWN)
		return RC_OK;
	if (rc == RC_OK)
		rc = q_account_of_tenant(&rq->cx, &by, &account);
	ret->accounts = account;
	ret->count = account != NULL;
	return rc;
}

static enum rc find(struct req *rq, const struct login *in, struct candidates *ret)
{
	struct q_accounts_anywhere_in by = {.limit = LOGIN_ACCOUNTS};
	struct account *accounts;
	size_t count;
	char *account;
	enum rc rc;

	*ret = (struct candidates){.tries = LOGIN_ACCOUNTS};
	by.email_key = fold_case(rq->cx.arena, in->email);
	account = arena_printf(rq->cx.arena, "login %s", by.email_key != NULL ? by.email_key : "");
	if (by.email_key == NULL || account == NULL)
		return RC_NO_MEMORY;
	/* By the address alone: to name a tenant, or another, gives nobody more tries. */
	rc = rate_account(rq, str_from(account));
	if (rc != RC_OK)
		return rc;
	if (!uuid_is_none(&in->tenant_id) || in->domain != NULL)
		return find_named(rq, in, by.email_key, ret);
	rc = q_accounts_anywhere(&rq->cx, &by, &accounts, &count);
	if (rc != RC_OK)
		return rc;
	ret->accounts = accounts;
	ret->count = count;
	return RC_OK;
}

/* Nobody logs in to a tenant that is gone, or not active. */
static enum rc hash_of(struct req *rq, const struct candidates *candidates, size_t i, const char **ret)
{
	struct tenant_rules tenant;
	enum rc rc;

	*ret = NULL;
	if (candidates->accounts == NULL || i >= candidates->count)
		return RC_OK;
	rc = tenant_rules(&rq->cx, &candidates->accounts[i].tenant_id, &tenant);
	if (rc == RC_TENANT_UNKNOWN)
		return RC_OK;
	if (rc == RC_OK && tenant.is_active)
		*ret = candidates->accounts[i].password_hash;
	return rc;
}

/* The one account that the password opens. */
static enum rc verify(struct req *rq, const struct candidates *candidates, const char *password,
		      const struct account **ret, bool *ret_rehash)
{
	const struct user_local *local = rq->cx.locals[ROOM_user];
	const struct account *found = NULL;
	bool several = false, rehash = false;

	for (size_t i = 0; i < candidates->tries; i++) {
		const char *hash;
		bool matches, old;
		enum rc rc = hash_of(rq, candidates, i, &hash);

		if (rc == RC_OK)
			rc = password_verify(local->shared->passwords, password, hash, &matches, &old);
		if (rc != RC_OK)
			return rc;
		if (!matches)
			continue;
		several |= found != NULL;
		found = &candidates->accounts[i];
		rehash = old;
	}
	if (found == NULL)
		return RC_BAD_CREDENTIALS;
	*ret = found;
	*ret_rehash = rehash;
	return several ? RC_TENANT_NEEDED : RC_OK;
}

/* Keeps the password by today's parameters. That it could not be done now is no reason to turn anyone away.
 */
static void store_rehash(struct req *rq, const struct account *who, const char *password)
{
	const struct user_local *local = rq->cx.locals[ROOM_user];
	struct script script;
	const char *hash;

	if (password_hash(local->shared->passwords, rq->cx.arena, password, &hash) != RC_OK)
		return;
	script_init(&script, &rq->cx, ROOM_user, &who->tenant_id, &who->id);
	SCRIPT_ADD(&script, password_rehash, .tenant_id = who->tenant_id, .id = who->id,
		   .old_hash = who->password_hash, .new_hash = hash);
	if (db_write(&script) != RC_OK)
		LOG(WARN, "a password could not be hashed anew");
}

enum rc auth_login(struct req *rq)
{
	const struct login *in = BODY(rq, login);
	const struct account *who;
	struct candidates candidates;
	struct tokens tokens = {0};
	bool rehash = false;
	enum rc rc = find(rq, in, &candidates);

	if (rc == RC_OK)
		rc = verify(rq, &candidates, in->password, &who, &rehash);
	if (rc != RC_OK)
		return rc;
	if (rehash)
		store_rehash(rq, who, in->password);
	rc = session_open(rq, who, session_method_password, &tokens);
	if (rc == RC_USER_UNKNOWN)
		rc = RC_BAD_CREDENTIALS;
	return rc == RC_OK ? tokens_reply(rq, &tokens) : rc;
}
