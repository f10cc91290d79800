/*
 * Changing a password: by who knows the one before, by a single-use link, by who may change users. Whatever
 * changes it raises the user's epoch, so that every session and every link of before is over, and tells him
 * by mail.
 */
#ifndef AUTH_PASSWORD_H
#define AUTH_PASSWORD_H

#include "http/req.h"
#include "user/client.h"

/* clang-format off */
#define PASSWORD_NEW(F, T)                                                                                          \
	F(T, TEXT, current_password, REQUIRED, "The one until now.", .secret = true, .min = 1, .max = 128,          \
	  .example = "\"correct horse battery\"")                                                                   \
	F(T, TEXT, new_password,     REQUIRED, "The one from now on.", NEW_PASSWORD)
SHAPE_DECLARE(password_new, PASSWORD_NEW);

#define PASSWORD_FORGOT(F, T)                                                                                       \
	F(T, TEXT, email,     REQUIRED, "E-mail address of the account.", .example = "\"joao.silva@academiafit.com\"", \
	  .max = 254, .format = &format_email)                                                                      \
	F(T, UUID, tenant_id, OPTIONAL, "Of which tenant.")                                                         \
	F(T, TEXT, domain,    OPTIONAL, "Or the tenant's domain.", .example = "\"academia-fit.com\"", .max = 253)
SHAPE_DECLARE(password_forgot, PASSWORD_FORGOT);

#define PASSWORD_RESET(F, T)                                                                                        \
	F(T, TEXT, token,        REQUIRED, "What stands in the link after the `#`.", .secret = true, .min = 1, .max = 128, \
	  .example = "\"ml_AZOj8nwAcACAAAAAAAAAAQ\"")                                                               \
	F(T, TEXT, new_password, REQUIRED, "The one from now on.", NEW_PASSWORD)
SHAPE_DECLARE(password_reset, PASSWORD_RESET);

#define RESET_LINK(F, T)                                                                                            \
	F(T, TEXT,    link,       REQUIRED, "To pass on to that person; it is not shown again.",                    \
	  .example = "\"https://app.example.com/reset#ml_AZOj8nwAcACAAAAAAAAAAQ\"")                                 \
	F(T, INSTANT, expires_at, REQUIRED, "Until when it is good, if it is not used before.")
SHAPE_DECLARE(reset_link, RESET_LINK);

#define SIGNUP(F, T)                                                                                                \
	F(T, UUID, tenant_id, OPTIONAL, "With which tenant.")                                                       \
	F(T, TEXT, domain,    OPTIONAL, "Or the tenant's domain.", .example = "\"academia-fit.com\"", .max = 253)   \
	F(T, TEXT, name,      REQUIRED, "Full name.", .example = "\"João Silva\"", .min = 1, .max = 200)            \
	F(T, TEXT, email,     REQUIRED, "E-mail address; unique in the tenant, whatever its case.",                 \
	  .example = "\"joao.silva@academiafit.com\"", .max = 254, .format = &format_email)                         \
	F(T, TEXT, phone,     OPTIONAL, "Telephone number, as people write it.", .example = "\"+55 11 91234-5678\"", .max = 40) \
	F(T, TEXT, password,  REQUIRED, "Never told again.", NEW_PASSWORD)
SHAPE_DECLARE(signup, SIGNUP);
/* clang-format on */

/* A user who is active, and what he proves himself by. */
struct person {
	struct uuid tenant_id, id;
	const char *name, *email, *email_key;
	const char *password_hash; /* NULL: none */
	int64_t auth_epoch;
	utime updated_at;
	const char *link_hash;
};

/* Another password. auth_epoch: what it was when he was read. */
struct password_change {
	struct uuid tenant_id, id;
	int64_t auth_epoch;
	const char *password_hash;
	utime updated_at;
	struct uuid change_id;
};

struct password_link {
	struct uuid tenant_id, id, user_id;
	int64_t auth_epoch;
	const char *hash;
	utime created_at, expires_at;
};

#define LINK_LIFE (30 * UTIME_MINUTE)

/*
 * Gives that person this password, unless it was changed since he was read (*ret_done false). Waits for its
 * hash. RC_INVALID, with an issue at body.<field>, when it is what is known of him; RC_OVERLOADED.
 */
enum rc password_store(struct req *rq, const struct person *person, const char *field, const char *password,
		       bool *ret_done, int64_t *ret_epoch) MUST_USE;

/* A link to a new password, stored. Its text lies in the arena. RC_NO_MEMORY, or what the store says. */
enum rc link_make(struct ctx *cx, const struct person *person, const char *public_url, const char **ret_link,
		  utime *ret_expires) MUST_USE;

/* Counts this request against that address, or that person: rates.h. */
enum rc password_rate(struct req *rq, const char *what, const char *who) MUST_USE;

/* The tenant that was named by its id or its domain; nil when neither was. RC_TENANT_UNKNOWN: no such domain.
 */
enum rc login_tenant(struct ctx *cx, const struct uuid *tenant_id, const char *domain,
		     struct uuid *ret) MUST_USE;

/* The handlers, one file each. */
enum rc auth_password_change(struct req *rq);
enum rc auth_password_forgot(struct req *rq);
enum rc auth_password_reset(struct req *rq);
enum rc auth_signup(struct req *rq);

#endif
