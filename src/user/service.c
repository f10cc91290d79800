/* The user service: its routes, and what it keeps for each thread. */
#include "auth/auth.h"
#include "user/admin.h"
#include "user/client.h"
#include "user/privacy.h"
#include "user/user.h"

/* clang-format off */
static const struct route routes[] = {
	{
		.method = HTTP_POST_, .path = ADMINS_PATH, .id = "internalAdmin", .summary = "The first admin of a tenant.",
		.access = ACCESS_SERVICE, .hidden = true, .class = RATE_EXEMPT, .body = &admin_asked_shape,
		.handler = admin_answer,
		.replies = {{200, &admin_made_shape}}, .errors = {RC_EMAIL_TAKEN},
	}, {
		.method = HTTP_POST_, .path = ADMINS_UNDO_PATH, .id = "internalAdminUndo",
		.summary = "Take him back: his tenant did not come about.",
		.access = ACCESS_SERVICE, .hidden = true, .class = RATE_EXEMPT, .body = &admin_made_shape,
		.handler = admin_undo_answer,
		.replies = {{204}},
	},
	{
		.method = HTTP_POST_, .path = "/users", .id = "createUser",
		.summary = "Register a person of a tenant.", .access = ACCESS_USERS,
		.doc = "Only an admin makes an admin; and nobody gives a permission that he does not hold himself (403).",
		.body = &user_new_shape, .versioned = true, .handler = user_create,
		.replies = {{201, &user_shape, .doc = "The new user."}},
		.errors = {RC_TENANT_UNKNOWN, RC_EMAIL_TAKEN},
	}, {
		.method = HTTP_GET_, .path = "/users", .id = "listUsers",
		.summary = "List the people of a tenant.", .access = ACCESS_USERS,
		.query = &user_filter_shape, .handler = user_list,
		.replies = {{200, &user_shape, .list = true, .doc = "A page of users."}},
		.errors = {RC_TENANT_UNKNOWN},
	}, {
		.method = HTTP_GET_, .path = "/users/me", .id = "getMe",
		.summary = "Who asks.", .access = ACCESS_USER,
		.versioned = true, .handler = user_me,
		.replies = {{200, &user_shape, .doc = "The user whose token was sent."}},
		.errors = {RC_USER_UNKNOWN},
	}, {
		.method = HTTP_POST_, .path = "/users/login", .id = "loginUser",
		.summary = "A password for tokens: as `POST /auth/login`.", .doc = AUTH_LOGIN_DOC,
		.access = ACCESS_PUBLIC, .anonymous = true, .class = RATE_LOGIN,
		.body = &login_shape, .form = true, .handler = auth_login,
		.replies = {{200, &tokens_shape, .doc = "Logged in: a new session."}},
		.errors = {RC_BAD_CREDENTIALS, RC_TENANT_NEEDED},
	}, {
		.method = HTTP_GET_, .path = "/users/{id}", .id = "getUser",
		.summary = "One user.", .access = ACCESS_USER,
		.doc = "Oneself; or, with `can_manage_users`, anybody of the tenant.",
		.versioned = true, .handler = user_get,
		.replies = {{200, &user_shape, .doc = "The user."}},
		.errors = {RC_USER_UNKNOWN},
	}, {
		.method = HTTP_PUT_, .path = "/users/{id}", .id = "updateUser",
		.summary = "Change what is sent of a user.", .access = ACCESS_USER,
		.doc = "Of oneself: name, phone and metadata. With `can_manage_users`, the rest, and other people: but not "
		       "admins, nor who holds a permission that one does not hold oneself, nor so that he would (403); an admin "
		       "may do all of this. One's own password is changed by `POST /auth/password`, and not here (403).",
		.body = &user_new_shape, .change = true, .versioned = true, .handler = user_update,
		.replies = {{200, &user_shape, .doc = "The user as it is now."}},
		.errors = {RC_USER_UNKNOWN, RC_EMAIL_TAKEN, RC_FORBIDDEN},
	}, {
		.method = HTTP_POST_, .path = "/users/{id}/password-link", .id = "makePasswordLink",
		.summary = "A single-use link by which this user chooses a new password.",
		.doc = "For staff to pass on, where no mail reaches him. It is good for 30 minutes and for one use, and voided "
		       "by any change of the password. Only of somebody who may do nothing that you may not: an admin's is "
		       "made by an admin or the operator.",
		.access = ACCESS_USERS, .class = RATE_LOGIN, .handler = user_password_link,
		.replies = {{201, &reset_link_shape, .doc = "The link. It is shown this once."}},
		.errors = {RC_USER_UNKNOWN, RC_USER_INACTIVE, RC_FORBIDDEN},
	}, {
		.method = HTTP_DELETE_, .path = "/users/{id}", .id = "deleteUser",
		.summary = "Remove a user; future bookings are cancelled.", .access = ACCESS_USERS,
		.doc = "Only an admin removes an admin, or who holds a permission that one does not hold oneself (403).",
		.versioned = true, .handler = user_delete,
		.replies = {{204, .doc = "Removed."}},
		.errors = {RC_USER_UNKNOWN},
	}, {
		.method = HTTP_GET_, .path = "/users/{id}/export", .id = "exportUser",
		.summary = "All that is kept about a person: the user, bookings, notifications, logins.",
		.doc = "Oneself; or with both `can_manage_users` and `can_view_all_bookings` whom one may change.",
		.access = ACCESS_USER, .handler = user_export,
		.replies = {{200, .type = "application/json", .doc = "One JSON object: user, bookings, notifications, sessions."}},
		.errors = {RC_USER_UNKNOWN, RC_FORBIDDEN},
	}, {
		.method = HTTP_POST_, .path = "/users/{id}/erase", .id = "eraseUser",
		.summary = "Forget a person for good.",
		.doc = "The user is removed, and nothing is known of him any more: name, address, notes and reasons "
		       "of his bookings, what events said of them. Future bookings are cancelled; the books stay. "
		       "What lies in streams and in the audit trail follows within seconds. Oneself, or whom one may remove.",
		.access = ACCESS_USER, .handler = user_erase,
		.replies = {{204, .doc = "Forgotten."}},
		.errors = {RC_USER_UNKNOWN, RC_FORBIDDEN, RC_CHANGED_MEANWHILE},
	},
};
/* clang-format on */

const struct service user_service = {
	.name = "user",
	.collection = "users",
	.title = "Users",
	.doc = "The people of each tenant, and what they may do.",
	.room = ROOM_user,
	.routes = routes,
	.route_count = ARRAY_LEN(routes),
	.shared_create = user_shared_create,
	.shared_destroy = user_shared_destroy,
	.local_create = user_local_create,
	.local_destroy = user_local_destroy,
};
