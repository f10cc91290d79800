/*
 * POST /auth/password/forgot -- a link to a new password, by mail.
 *
 * The answer tells nothing of who exists, nor does its time: whoever is named, one row is written, and the
 * task that sends mail looks whether there is such a person.
 */
#include "auth/message.h"
#include "auth/password.h"
#include "base/fold.h"
#include "base/log.h"
#include "user/local.h"

static enum rc leave_message(struct req *rq, const struct uuid *tenant_id, const char *email_key)
{
	struct script script;

	script_init(&script, &rq->cx, ROOM_user, tenant_id, tenant_id);
	message_add(&script, message_kind_password_link, tenant_id, email_key, rq->lang);
	return db_write(&script);
}

/* Once a process is enough. */
static void warn(struct user_shared *shared)
{
	if (!atomic_exchange(&shared->told_no_mail, true))
		LOG(WARN, "somebody has forgotten his password, and SMTP_URL is not set: no mail is sent. "
			  "Staff can make a link by POST /users/{id}/password-link");
}

enum rc auth_password_forgot(struct req *rq)
{
	const struct password_forgot *in = BODY(rq, password_forgot);
	const struct user_local *local = rq->cx.locals[ROOM_user];
	const char *email_key = fold_case(rq->cx.arena, in->email);
	struct uuid tenant_id;
	enum rc rc = email_key != NULL ? password_rate(rq, "forgot", email_key) : RC_NO_MEMORY;

	if (rc == RC_OK)
		rc = login_tenant(&rq->cx, &in->tenant_id, in->domain, &tenant_id);
	if (rc == RC_TENANT_UNKNOWN) /* who has which domain is no secret: /tenants/by-domain */
		return req_reply_empty(rq, 202);
	if (rc != RC_OK)
		return rc;
	if (!local->auth->sends_mail)
		warn(local->shared);
	else
		rc = leave_message(rq, &tenant_id, email_key);
	return rc == RC_OK ? req_reply_empty(rq, 202) : rc;
}
