/* POST /auth/password -- another password, by who knows the one until now. */
#include "auth/password.h"
#include "auth/session.h"
#include "user/local.h"
#include "user/queries.h"

/* Whoever took a session shall not guess the password by it: tries are counted like logins. */
static enum rc prove(struct req *rq, const struct person *person, const char *password)
{
	const struct user_local *local = rq->cx.locals[ROOM_user];
	char id[UUID_TEXT_LEN + 1];
	bool matches, rehash;
	enum rc rc = password_rate(rq, "password", uuid_text(id, &person->id));

	if (rc == RC_OK)
		rc = password_verify(local->shared->passwords, password, person->password_hash, &matches,
				     &rehash);
	return rc == RC_OK && !matches ? RC_WRONG_PASSWORD : rc;
}

/* Every session was ended, also that of whoever asks: he is given another. */
static enum rc open_session(struct req *rq, const struct person *person, int64_t epoch)
{
	const struct account who = {.tenant_id = person->tenant_id, .id = person->id, .auth_epoch = epoch};
	struct tokens tokens = {0};
	enum rc rc = session_open(rq, &who, session_method_password, &tokens);

	return rc == RC_OK ? tokens_reply(rq, &tokens) : rc;
}

enum rc auth_password_change(struct req *rq)
{
	const struct password_new *in = BODY(rq, password_new);
	const struct q_person_by_id_in by = {.tenant_id = rq->cx.principal.tenant_id,
					     .id = rq->cx.principal.user_id};
	struct person *person;
	int64_t epoch;
	bool done;
	enum rc rc;

	if (uuid_is_none(&by.id)) /* the operator and API keys have none */
		return RC_FORBIDDEN;
	rc = q_person_by_id(&rq->cx, &by, &person);
	if (rc == RC_OK && person == NULL)
		rc = RC_UNAUTHENTICATED; /* gone at this very moment */
	if (rc == RC_OK)
		rc = prove(rq, person, in->current_password);
	if (rc == RC_OK)
		rc = password_store(rq, person, "new_password", in->new_password, &done, &epoch);
	if (rc != RC_OK)
		return rc;
	return done ? open_session(rq, person, epoch) : RC_CHANGED_MEANWHILE;
}
