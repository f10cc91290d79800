/* See client.h. In process: one query by the primary index. */
#include "user/client.h"

#include "user/queries.h"

enum rc user_brief(struct ctx *cx, const struct uuid *id, struct user_brief *ret)
{
	const struct q_user_brief_by_id_in in = {.id = *id};
	struct user_brief *row;
	enum rc rc = q_user_brief_by_id(cx, &in, &row);

	if (rc != RC_OK)
		return rc;
	if (row == NULL)
		return RC_USER_UNKNOWN;
	*ret = *row;
	return RC_OK;
}
