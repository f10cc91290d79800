/* What the tenant service asks of the user service: the first admin of a tenant, and to take him back. */
#ifndef USER_ADMIN_H
#define USER_ADMIN_H

#include "http/req.h"

#define ADMINS_PATH	 "/internal/admins"
#define ADMINS_UNDO_PATH "/internal/admins/undo"

/* clang-format off */
#define ADMIN_ASKED(F, T)                                                                                     \
	F(T, UUID, tenant_id, REQUIRED, "Of which tenant; it need not exist yet.")                            \
	F(T, TEXT, name, REQUIRED, "His full name.", .min = 1, .max = 200)                                    \
	F(T, TEXT, email, REQUIRED, "What he logs in by.", .max = 254, .format = &format_email)               \
	F(T, TEXT, password, REQUIRED, "Checked already.", .secret = true, .min = 1, .max = 512)
SHAPE_DECLARE(admin_asked, ADMIN_ASKED);

#define ADMIN_MADE(F, T)                                                                                      \
	F(T, UUID, tenant_id, REQUIRED, "Of which tenant.")                                                   \
	F(T, UUID, id, REQUIRED, "The user.")
SHAPE_DECLARE(admin_made, ADMIN_MADE);
/* clang-format on */

/* POST /internal/admins, /internal/admins/undo */
enum rc admin_answer(struct req *rq);
enum rc admin_undo_answer(struct req *rq);

#endif
