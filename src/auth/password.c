/* See password.h: shapes, and what its handlers share. */
#include "auth/password.h"

#include "auth/message.h"
#include "auth/secret.h"
#include "base/fold.h"
#include "events/payloads.h"
#include "tenant/client.h"
#include "user/local.h"
#include "user/queries.h"

static void signup_check(const void *object, const struct loc *loc, struct issues *issues)
{
	const struct signup *signup = object;
	struct loc here = {.up = loc, .name = "password"};

	if (password_is_personal(issues->arena, signup->password, signup->name, signup->email))
		issue_add(issues, &here, ISSUE_PERSONAL_PASSWORD, NULL);
}

/* clang-format off */
SHAPE_DEFINE(password_new, PASSWORD_NEW, .doc = "One's own password, changed.");
SHAPE_DEFINE(password_forgot, PASSWORD_FORGOT, .doc = "Who cannot log in any more.");
SHAPE_DEFINE(password_reset, PASSWORD_RESET, .doc = "A new password by a link.");
SHAPE_DEFINE(reset_link, RESET_LINK, .doc = "A link to a new password.");
SHAPE_DEFINE(signup, SIGNUP, .doc = "A person who registers himself.", .check = signup_check);
/* clang-format on */

/* --- A new password -------------------------------------------------------------- */

static enum rc write_change(struct req *rq, const struct person *person, const char *hash, bool *ret_done,
			    int64_t *ret_epoch)
{
	const struct user_local *local = rq->cx.locals[ROOM_user];
	const struct user_ids payload = {.user_id = person->id, .tenant_id = person->tenant_id};
	struct outbox_row event =
		outbox_row(&rq->cx, STREAM_TENANTS, "user.changed", &person->tenant_id, &person->id);
	struct password_change change = {.tenant_id = person->tenant_id,
					 .id = person->id,
					 .auth_epoch = person->auth_epoch,
					 .password_hash = hash,
					 .change_id = event.change_id};
	const struct q_password_set_out *done;
	struct script script;
	struct step *step;
	enum rc rc;

	change.updated_at = event.created_at = outbox_time(&rq->cx, person->updated_at);
	if (!outbox_payload(&event, rq->cx.arena, &user_ids_shape, &payload))
		return RC_NO_MEMORY;
	script_init(&script, &rq->cx, ROOM_user, &person->tenant_id, &person->id);
	step = script_add(&script, &q_password_set_query, &change);
	outbox_add(&script, &q_user_event_query, &event);
	if (local->auth->sends_mail)
		message_add(&script, message_kind_password_changed, &person->tenant_id, person->email_key,
			    rq->lang);
	rc = db_write(&script);
	if (rc != RC_OK)
		return rc;
	*ret_done = step->rows.count > 0;
	done = step->rows.items;
	if (*ret_done)
		*ret_epoch = done->auth_epoch;
	return RC_OK;
}

enum rc password_store(struct req *rq, const struct person *person, const char *field, const char *password,
		       bool *ret_done, int64_t *ret_epoch)
{
	const struct user_local *local = rq->cx.locals[ROOM_user];
	const char *hash;
	enum rc rc;

	if (password_is_personal(rq->cx.arena, password, person->name, person->email))
		return req_invalid(rq, field, ISSUE_PERSONAL_PASSWORD);
	rc = password_hash(local->shared->passwords, rq->cx.arena, password, &hash);
	return rc == RC_OK ? write_change(rq, person, hash, ret_done, ret_epoch) : rc;
}

/* --- Links ------------------------------------------------------------------------ */

enum rc link_make(struct ctx *cx, const struct person *person, const char *public_url, const char **ret_link,
		  utime *ret_expires)
{
	struct password_link row = {
		.tenant_id = person->tenant_id,
		.id = uuid_v7(cx->world, cx->now),
		.user_id = person->id,
		.auth_epoch = person->auth_epoch,
		.created_at = cx->now,
		.expires_at = cx->now + LINK_LIFE,
	};
	int stem = (int)strlen(public_url);
	struct secret secret;
	struct script script;
	const char *token, *link;
	enum rc rc = secret_make(cx->world, cx->arena, SECRET_LINK, &row.id, &row.tenant_id, &token, &secret);

	if (rc != RC_OK)
		return rc;
	if (stem > 0 && public_url[stem - 1] == '/')
		stem--;
	/* After a #: no browser sends that, so no log has it. */
	link = arena_printf(cx->arena, "%.*s/reset#%s", stem, public_url, token);
	if (link == NULL)
		return RC_NO_MEMORY;
	row.hash = secret.hash;
	script_init(&script, cx, ROOM_user, &row.tenant_id, &row.user_id);
	script_add(&script, &q_link_add_query, &row);
	rc = db_write(&script);
	if (rc != RC_OK)
		return rc;
	*ret_link = link;
	*ret_expires = row.expires_at;
	return RC_OK;
}

/* --- Who --------------------------------------------------------------------------- */

enum rc password_rate(struct req *rq, const char *what, const char *who)
{
	char *account = arena_printf(rq->cx.arena, "%s %s", what, who);

	return account != NULL ? rate_account(rq, str_from(account)) : RC_NO_MEMORY;
}

enum rc login_tenant(struct ctx *cx, const struct uuid *tenant_id, const char *domain, struct uuid *ret)
{
	const char *folded;

	*ret = *tenant_id;
	if (!uuid_is_none(tenant_id) || domain == NULL)
		return RC_OK;
	folded = fold_ascii(cx->arena, domain);
	return folded != NULL ? tenant_of_domain(cx, folded, ret) : RC_NO_MEMORY;
}
