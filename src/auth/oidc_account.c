/*
 * Whose account a login by a provider is for: whoever was linked to that subject; at the first login the user
 * of the tenant with the same e-mail address, if the provider says that it is his; else a new one, where the
 * provider's row allows. See oidc.h.
 *
 * Whoever signed up by that address and a password need not be the person whose it is: he may have waited for
 * that person to come. So the password and the sessions of an account that nobody has proved are over then.
 */
#include "auth/oidc.h"

#include "base/fold.h"
#include "user/queries.h"
#include "user/user.h"

/* Two logins of one new person at once: the second finds what the first has made. */
#define TRIES 3

static struct account account_of(const struct provider *provider, const struct linked_user *user)
{
	return (struct account){.tenant_id = provider->tenant_id,
				.id = user->id,
				.auth_epoch = user->auth_epoch};
}

/* *ret NULL: nobody. */
static enum rc find_linked(struct req *rq, const struct provider *provider, const struct id_claims *claims,
			   struct linked_user **ret)
{
	const struct q_identity_user_in in = {.tenant_id = provider->tenant_id,
					      .issuer = provider->issuer,
					      .subject = claims->subject};

	return q_identity_user(&rq->cx, &in, ret);
}

static void add_link(struct req *rq, struct script *script, const struct provider *provider,
		     const struct id_claims *claims, const struct uuid *user_id)
{
	SCRIPT_ADD(script, identity_insert, .tenant_id = provider->tenant_id, .issuer = provider->issuer,
		   .subject = claims->subject, .user_id = *user_id, .created_at = rq->cx.now);
}

/* --- Someone who is known by his address --------------------------------------------- */

/* An address can be given to another person, but a subject is one person's for ever: so who is linked already
 * is no other subject's. */
static enum rc check_unlinked(struct req *rq, const struct provider *provider, const char *subject,
			      const struct uuid *user_id)
{
	const struct q_identity_of_user_in in = {.tenant_id = provider->tenant_id,
						 .user_id = *user_id,
						 .issuer = provider->issuer};
	struct q_identity_of_user_out *link;
	enum rc rc = q_identity_of_user(&rq->cx, &in, &link);

	if (rc != RC_OK || link == NULL || strcmp(link->subject, subject) == 0)
		return rc;
	return oidc_refuse(provider, "the address is that of a user who is someone else there");
}

static enum rc link_known(struct req *rq, const struct provider *provider, const struct id_claims *claims,
			  const struct linked_user *user)
{
	const struct user row = {.id = user->id, .tenant_id = provider->tenant_id, .updated_at = UTIME_NONE};
	struct outbox_row event;
	struct script script;
	enum rc rc = check_unlinked(rq, provider, claims->subject, &user->id);

	if (rc != RC_OK)
		return rc;
	rc = user_event(&rq->cx, &row, STREAM_TENANTS, "user.changed", &event);
	if (rc != RC_OK)
		return rc;
	script_init(&script, &rq->cx, ROOM_user, &provider->tenant_id, &user->id);
	add_link(rq, &script, provider, claims, &user->id);
	SCRIPT_ADD(&script, address_proved, .tenant_id = provider->tenant_id, .id = user->id,
		   .updated_at = event.created_at, .change_id = event.change_id);
	outbox_add(&script, &q_user_event_query, &event);
	return db_write(&script);
}

/* --- Someone new ------------------------------------------------------------------------ */

static enum rc make_user(struct req *rq, const struct provider *provider, const struct id_claims *claims,
			 struct user *ret)
{
	struct arena *arena = rq->cx.arena;
	struct str email = str_from(claims->email), local = str_cut(&email, '@');
	const char *name = claims->name;

	/* As long as a name may be, and not empty; else what stands before the @. */
	if (name == NULL || *name == '\0' || strlen(name) > 200)
		name = arena_text(arena, local);
	*ret = (struct user){
		.tenant_id = provider->tenant_id,
		.id = uuid_v7(rq->cx.world, rq->cx.now),
		.name = name,
		.email = claims->email,
		.user_type = user_type_user,
		.is_active = true,
		.permissions = provider->permissions,
		.created_at = rq->cx.now,
	};
	return name != NULL ? user_derive(&rq->cx, ret) : RC_NO_MEMORY;
}

static enum rc create(struct req *rq, const struct provider *provider, const struct id_claims *claims,
		      struct linked_user *ret)
{
	struct script script;
	struct user user;
	enum rc rc = make_user(rq, provider, claims, &user);

	if (rc != RC_OK)
		return rc;
	script_init(&script, &rq->cx, ROOM_user, &user.tenant_id, &user.id);
	script_add(&script, &q_user_insert_query, &user);
	add_link(rq, &script, provider, claims, &user.id);
	rc = db_write(&script);
	if (rc == RC_OK)
		*ret = (struct linked_user){.id = user.id, .is_active = true};
	return rc;
}

/* --- The whole --------------------------------------------------------------------------- */

static enum rc first_login(struct req *rq, const struct provider *provider, const struct id_claims *claims,
			   struct linked_user *ret)
{
	struct q_identity_candidate_in in = {.tenant_id = provider->tenant_id};
	struct linked_user *known;
	enum rc rc;

	if (claims->email == NULL || !claims->email_verified)
		return oidc_refuse(provider, "no e-mail address, or not a verified one");
	if (strlen(claims->email) > 254 || !format_email.valid(str_from(claims->email)))
		return oidc_refuse(provider, "an e-mail address that is none");
	in.email_key = fold_case(rq->cx.arena, claims->email);
	if (in.email_key == NULL)
		return RC_NO_MEMORY;
	rc = q_identity_candidate(&rq->cx, &in, &known);
	if (rc != RC_OK)
		return rc;
	if (known != NULL && known->is_active) {
		rc = link_known(rq, provider, claims, known);
		if (rc == RC_OK)
			rc = find_linked(rq, provider, claims, &known); /* his epoch may be another */
		if (rc == RC_OK && known == NULL)
			return oidc_refuse(provider, "the user is no more");
		if (rc == RC_OK)
			*ret = *known;
		return rc;
	}
	if (known != NULL)
		return oidc_refuse(provider, "the user is not active");
	if (!provider->auto_create)
		return oidc_refuse(provider, "nobody has that address, and the provider makes no accounts");
	return create(rq, provider, claims, ret);
}

static enum rc find_or_link(struct req *rq, const struct provider *provider, const struct id_claims *claims,
			    struct account *ret)
{
	struct linked_user *linked, user;
	enum rc rc = find_linked(rq, provider, claims, &linked);

	if (rc != RC_OK)
		return rc;
	if (linked != NULL)
		user = *linked;
	else
		rc = first_login(rq, provider, claims, &user);
	if (rc != RC_OK)
		return rc;
	if (!user.is_active)
		return oidc_refuse(provider, "the user is not active");
	*ret = account_of(provider, &user);
	return RC_OK;
}

enum rc oidc_account(struct req *rq, const struct provider *provider, const struct id_claims *claims,
		     struct account *ret)
{
	enum rc rc = RC_STORE_CONSTRAINT;

	for (int try = 0; try < TRIES && rc == RC_STORE_CONSTRAINT; try++)
		rc = find_or_link(rq, provider, claims, ret);
	return rc == RC_STORE_CONSTRAINT ? oidc_refuse(provider, "the account changes just now") : rc;
}

enum rc oidc_session(struct req *rq, const struct account *who, struct tokens *ret)
{
	enum rc rc = session_open(rq, who, session_method_provider, ret);

	return rc == RC_USER_UNKNOWN ? oidc_refuse(NULL, "the user changes just now") : rc;
}
