/* GET /users/{id}/export -- all that is kept about a person, in one document that a machine can read. */
#include "auth/oidc.h"
#include "auth/session.h"
#include "booking/client.h"
#include "http/req.h"
#include "user/permit.h"
#include "user/privacy.h"
#include "user/queries.h"

SHAPE_DEFINE(notification, NOTIFICATION);

static enum rc write_notifications(struct req *rq, struct writer *w, const struct user *row)
{
	const struct q_notifications_of_user_in in = {.tenant_id = row->tenant_id, .user_id = row->id};
	struct notification *rows;
	size_t count;
	enum rc rc = q_notifications_of_user(&rq->cx, &in, &rows, &count);

	if (rc == RC_OK)
		write_list(w, &notification_shape, rows, count);
	return rc;
}

static enum rc write_sessions(struct req *rq, struct writer *w, const struct user *row)
{
	const struct q_sessions_of_user_in in = {.tenant_id = row->tenant_id, .user_id = row->id};
	struct session *rows;
	size_t count;
	enum rc rc = q_sessions_of_user(&rq->cx, &in, &rows, &count);

	if (rc == RC_OK)
		write_list(w, &session_shape, rows, count);
	return rc;
}

static enum rc write_identities(struct req *rq, struct writer *w, const struct user *row)
{
	const struct q_identities_of_user_in in = {.tenant_id = row->tenant_id, .user_id = row->id};
	struct identity_link *rows;
	size_t count;
	enum rc rc = q_identities_of_user(&rq->cx, &in, &rows, &count);

	if (rc == RC_OK)
		write_list(w, &identity_link_shape, rows, count);
	return rc;
}

static enum rc write_all(struct req *rq, struct writer *w, const struct user *row)
{
	enum rc rc;

	write_raw(w, STR("{\"user\":"));
	write_shape(w, &user_shape, row);
	write_raw(w, STR(",\"bookings\":"));
	rc = booking_write_of_user(&rq->cx, &row->tenant_id, &row->id, w);
	write_raw(w, STR(",\"notifications\":"));
	if (rc == RC_OK)
		rc = write_notifications(rq, w, row);
	write_raw(w, STR(",\"sessions\":"));
	if (rc == RC_OK)
		rc = write_sessions(rq, w, row);
	write_raw(w, STR(",\"identities\":"));
	if (rc == RC_OK)
		rc = write_identities(rq, w, row);
	write_char(w, '}');
	return rc;
}

enum rc user_export(struct req *rq)
{
	struct writer writer;
	struct user *row;
	struct str body;
	enum rc rc = user_find(rq, &row);

	if (rc == RC_OK)
		rc = permit_user_exported(&rq->cx.principal, row);
	if (rc != RC_OK)
		return rc;
	writer_init(&writer, rq->cx.arena, 4096);
	rc = write_all(rq, &writer, row);
	if (rc != RC_OK)
		return rc;
	req_header(rq, "Content-Disposition", "attachment; filename=\"export.json\"");
	return writer_take(&writer, &body)
		       ? req_reply_raw(rq, 200, STR("application/json; charset=utf-8"), body)
		       : RC_NO_MEMORY;
}
