/* POST /auth/password/reset -- another password, by a link; POST /users/{id}/password-link -- such a link. */
#include "auth/auth.h"
#include "auth/local.h"
#include "auth/password.h"
#include "auth/secret.h"
#include "tenant/client.h"
#include "user/local.h"
#include "user/permit.h"
#include "user/queries.h"

/* What the link is for; RC_LINK_SPENT whatever is wrong with it. */
static enum rc find_person(struct req *rq, const char *token, struct person **ret)
{
	struct q_link_person_in by = {.now = rq->cx.now};
	struct tenant_rules tenant;
	struct person *person;
	struct secret secret;
	enum rc rc;

	if (!secret_parse(SECRET_LINK, str_from(token), &secret))
		return RC_LINK_SPENT;
	by.tenant_id = secret.tenant_id;
	by.id = secret.id;
	rc = q_link_person(&rq->cx, &by, &person);
	if (rc == RC_OK && !secret_matches(&secret, person != NULL ? person->link_hash : NULL))
		rc = RC_LINK_SPENT;
	if (rc == RC_OK)
		rc = tenant_rules(&rq->cx, &person->tenant_id, &tenant);
	if (rc == RC_TENANT_UNKNOWN || (rc == RC_OK && !tenant.is_active))
		rc = RC_LINK_SPENT;
	if (rc == RC_OK)
		*ret = person;
	return rc;
}

enum rc auth_password_reset(struct req *rq)
{
	const struct password_reset *in = BODY(rq, password_reset);
	struct person *person;
	int64_t epoch;
	bool done;
	enum rc rc = find_person(rq, in->token, &person);

	if (rc == RC_OK)
		rc = password_store(rq, person, "new_password", in->new_password, &done, &epoch);
	if (rc != RC_OK)
		return rc;
	/* Of those who use a link at the same time the others find the epoch moved. */
	return done ? req_reply_empty(rq, 204) : RC_LINK_SPENT;
}

enum rc user_password_link(struct req *rq)
{
	const struct user_local *local = rq->cx.locals[ROOM_user];
	struct q_person_by_id_in by;
	struct reset_link reply = {0};
	struct person *person;
	struct user *user;
	enum rc rc = user_find(rq, &user);

	if (rc == RC_OK)
		rc = permit_user_change(&rq->cx.principal, user, user, true);
	if (rc != RC_OK)
		return rc;
	by = (struct q_person_by_id_in){.tenant_id = user->tenant_id, .id = user->id};
	rc = q_person_by_id(&rq->cx, &by, &person);
	if (rc == RC_OK && person == NULL) /* nobody who is not active logs in */
		rc = RC_USER_INACTIVE;
	if (rc == RC_OK)
		rc = link_make(&rq->cx, person, local->auth->public_url, &reply.link, &reply.expires_at);
	if (rc != RC_OK)
		return rc;
	http_exchange_wipe(rq->http);
	req_header(rq, "Cache-Control", "no-store");
	return REPLY(rq, 201, reset_link, &reply);
}
