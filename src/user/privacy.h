/* What a person may ask of what is kept about him (LGPD article 18, GDPR articles 15, 17 and 20). */
#ifndef USER_PRIVACY_H
#define USER_PRIVACY_H

#include "user/user.h"

/* A user's row as erasing needs it: also of one who was deleted before. */
struct user_trace {
	struct uuid tenant_id, id;
	enum user_type user_type;
	struct permissions permissions;
	int64_t version;
	utime updated_at, deleted_at, erased_at; /* the last two: UTIME_NONE */
};

/* clang-format off */
#define NOTIFICATION(F, T)                                                                                 \
	F(T, UUID,    id,          REQUIRED, "Of the event that it tells.")                                \
	F(T, UUID,    booking_id,  REQUIRED, "Of which booking.")                                          \
	F(T, TEXT,    type,        REQUIRED, "What happened.")                                             \
	F(T, JSON,    payload,     REQUIRED, "What the event says.")                                       \
	F(T, INSTANT, occurred_at, REQUIRED, "When it happened.")                                          \
	F(T, INSTANT, sent_at,     OPTIONAL, "When the person was told.")
SHAPE_DECLARE(notification, NOTIFICATION);
/* clang-format on */

/* The handlers. */
enum rc user_export(struct req *rq);
enum rc user_erase(struct req *rq);

#endif
