/* The shapes of the user service: the people of a tenant and what they may do. */
#ifndef USER_USER_H
#define USER_USER_H

#include "events/outbox.h"
#include "http/route.h"
#include "user/client.h"

#define USER_TYPE(X, E) X(E, admin) X(E, user)
ENUM_DECLARE(user_type, USER_TYPE);

/* clang-format off */
#define PERMISSIONS(F, T)                                                                                         \
	F(T, BOOL, can_book,              OPTIONAL, "May book.", DEFAULT(false), .example = "true")               \
	F(T, BOOL, can_manage_resources,  OPTIONAL, "May change categories and resources.", DEFAULT(false))       \
	F(T, BOOL, can_manage_users,      OPTIONAL, "May change users.", DEFAULT(false))                          \
	F(T, BOOL, can_view_all_bookings, OPTIONAL, "Sees the bookings of others.", DEFAULT(false))
SHAPE_DECLARE(permissions, PERMISSIONS);

#define USER_FIELDS(F, T)                                                                                         \
	F(T, UUID, tenant_id,  REQUIRED, "The organisation this person belongs to.", .fixed = true)               \
	F(T, TEXT, name,       REQUIRED, "Full name.", .example = "\"João Silva\"", .min = 1, .max = 200)         \
	F(T, TEXT, email,      REQUIRED, "E-mail address; unique in the tenant, whatever its case.",              \
	  .example = "\"joao.silva@academiafit.com\"", .max = 254, .format = &format_email)                       \
	F(T, TEXT, phone,      OPTIONAL, "Telephone number, as people write it.", .example = "\"+55 11 91234-5678\"", .max = 40) \
	F(T, ENUM(user_type), user_type, OPTIONAL, "`admin` is staff.", DEFAULT(user_type_user))                  \
	F(T, TEXT, department, OPTIONAL, "Where this person works.", .example = "\"Recepção\"", .max = 120)       \
	F(T, BOOL, is_active,  OPTIONAL, "An inactive user does not book.", DEFAULT(true))

#define USER_NEW(F, T)                                                                                            \
	USER_FIELDS(F, T)                                                                                         \
	F(T, OBJECT(permissions), permissions, OPTIONAL, "What this person may do. A change keeps those it does not name.") \
	F(T, JSON, metadata,   OPTIONAL, "Anything more that the tenant keeps of this person; replaced as a whole.", \
	  .alias = "profile_metadata", .example = "{\"plano\": \"anual\"}")                                       \
	F(T, TEXT, password,   OPTIONAL, "Never told again; null takes it away.",                 \
	  NEW_PASSWORD)
SHAPE_DECLARE(user_new, USER_NEW);

#define USER(F, T)                                                                                                \
	F(T, UUID, id, REQUIRED, "Of the user.")                                                                  \
	USER_FIELDS(F, T)                                                                                         \
	F(T, OBJECT(permissions), permissions, REQUIRED, "What this person may do.")                              \
	F(T, JSON, metadata, OPTIONAL, "Anything more that the tenant keeps of this person.",                     \
	  .example = "{\"plano\": \"anual\"}")                                                                    \
	F(T, INSTANT, created_at, REQUIRED, "When it was created.")                                               \
	F(T, INSTANT, updated_at, REQUIRED, "When it last changed.")                                              \
	F(T, TEXT, search_name, OPTIONAL, "The name, folded.", .hidden = true)                                    \
	F(T, TEXT, email_key, OPTIONAL, "The address without its case: what is unique.", .hidden = true)          \
	F(T, TEXT, password_hash, OPTIONAL, "argon2id.", .hidden = true)                                          \
	F(T, BOOL, address_unproved, OPTIONAL, "He signed up himself by it.", .hidden = true)                     \
	F(T, INT,  version, REQUIRED, "Counts changes.", .hidden = true)                                          \
	F(T, UUID, change_id, OPTIONAL, "The event of the last change.", .hidden = true)
SHAPE_DECLARE(user, USER);

#define USER_FILTER(F, T)                                                                                         \
	F(T, UUID, tenant_id, OPTIONAL, "Whose users: your own tenant's, unless you are the operator, who must name one.")  \
	F(T, ENUM(user_type), user_type, OPTIONAL, "Only of this type.")                                          \
	F(T, BOOL, is_active, OPTIONAL, "Only active, or only inactive ones.")                                    \
	F(T, TEXT, search, OPTIONAL, "A part of the name; case and accents do not matter.", .max = 200)           \
	PAGE_FIELDS(F, T)
SHAPE_DECLARE(user_filter, USER_FILTER);
/* clang-format on */

extern const struct service user_service;

/* The user of the path; RC_USER_UNKNOWN, also where whoever asks may not see him. */
enum rc user_find(struct req *rq, struct user **ret) MUST_USE;
/* What the service derives before a row is written: name for search, address for uniqueness. */
enum rc user_derive(struct ctx *cx, struct user *row) MUST_USE;
/* A new member of the staff, derived, with a password by that hash. For user_add_admin() and `marca admin`.
 */
enum rc user_store_admin(struct ctx *cx, const struct uuid *tenant_id, const struct new_admin *admin,
			 const char *hash, struct uuid *ret_id) MUST_USE;
/* Takes the password that was sent, if one was: waits for its hash. RC_OVERLOADED; RC_INVALID when it is what
 * is known of him. */
enum rc user_set_password(struct req *rq, struct user *row, const struct user_new *sent) MUST_USE;
/* The event of a change to this user: {user_id, tenant_id}. */
enum rc user_event(struct ctx *cx, const struct user *row, const char *stream, const char *type,
		   struct outbox_row *ret) MUST_USE;

/* Adds the removal of this user, with its event: so many steps. Returns the one that gives a row when it came
 * about. */
#define USER_REMOVAL_STEPS 2
struct step *user_add_removal(struct script *script, const struct user *row, const struct outbox_row *event);

/* The handlers, one file each. */
enum rc user_create(struct req *rq);
enum rc user_list(struct req *rq);
enum rc user_me(struct req *rq);
enum rc user_get(struct req *rq);
enum rc user_update(struct req *rq);
enum rc user_delete(struct req *rq);

#endif
