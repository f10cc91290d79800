/*
 * Sessions: what a login opens. Each has one refresh token at a time, exchanged at every use; a token that
 * comes a second time was stolen by one of the two who sent it, and ends the session. A session is over when
 * it was revoked, when it has expired, and when its user's epoch has moved on (another password).
 */
#ifndef AUTH_SESSION_H
#define AUTH_SESSION_H

#include "http/req.h"
#include "user/user.h"

#define SESSION_METHOD(X, E) X(E, password) X(E, provider)
ENUM_DECLARE(session_method, SESSION_METHOD);

#define GRANT_TYPE(X, E) X(E, password)
ENUM_DECLARE(grant_type, GRANT_TYPE);

/* clang-format off */
#define LOGIN(F, T)                                                                                                 \
	F(T, TEXT, email,     REQUIRED, "E-mail address, in any case.", .alias = "username",                        \
	  .example = "\"joao.silva@academiafit.com\"", .min = 1, .max = 254)                                       \
	F(T, TEXT, password,  REQUIRED, "The password.", .secret = true, .example = "\"correct horse battery\"",    \
	  .min = 1, .max = 128)                                                                                     \
	F(T, UUID, tenant_id, OPTIONAL, "Of which tenant.")                                                         \
	F(T, TEXT, domain,    OPTIONAL, "Or the tenant's domain.", .example = "\"academiafit.com\"", .max = 253)    \
	F(T, ENUM(grant_type), grant_type, OPTIONAL, "As OAuth2 clients send it.", DEFAULT(grant_type_password))
SHAPE_DECLARE(login, LOGIN);

#define REFRESH(F, T)                                                                                               \
	F(T, TEXT, refresh_token, REQUIRED, "The newest one of the session.", .secret = true, .min = 1, .max = 128, \
	  .example = "\"mr_AZOj8nwAcACAAAAAAAAAAQ\"")
SHAPE_DECLARE(refresh, REFRESH);

#define LOGOUT(F, T)                                                                                                \
	F(T, BOOL, all, OPTIONAL, "End every session of this user, not only this one.", DEFAULT(false))
SHAPE_DECLARE(logout, LOGOUT);

#define TOKENS(F, T)                                                                                                \
	F(T, TEXT, access_token,  REQUIRED, "For the header `Authorization: Bearer ...`.", .example = "\"eyJ...\"") \
	F(T, TEXT, token_type,    REQUIRED, "Always `bearer`.", .example = "\"bearer\"")                            \
	F(T, INT,  expires_in,    REQUIRED, "Seconds until the access token ends.", .example = "600")               \
	F(T, TEXT, refresh_token, REQUIRED, "For `POST /auth/refresh`, once.", .example = "\"mr_AZOj8nw...\"")      \
	F(T, OBJECT(user), user,  REQUIRED, "Who has logged in.")
SHAPE_DECLARE(tokens, TOKENS);

#define SESSION(F, T)                                                                                               \
	F(T, UUID, id, REQUIRED, "Of the session.")                                                                 \
	F(T, UUID, user_id, REQUIRED, "Whose it is.")                                                               \
	F(T, ENUM(session_method), method, REQUIRED, "How it began: `password`, or an identity `provider`.")        \
	F(T, TEXT, user_agent, OPTIONAL, "What the client called itself at the login.",                             \
	  .example = "\"Mozilla/5.0 (X11; Linux x86_64)\"")                                                         \
	F(T, TEXT, address, OPTIONAL, "Where the login came from.", .example = "\"203.0.113.7\"")                   \
	F(T, INSTANT, created_at, REQUIRED, "When it began.")                                                       \
	F(T, INSTANT, used_at, REQUIRED, "When it was last renewed.")                                               \
	F(T, INSTANT, expires_at, REQUIRED, "When it ends, unless it is renewed before.")                           \
	F(T, BOOL, current, REQUIRED, "It is the one that asks.")                                                   \
	F(T, UUID, tenant_id, REQUIRED, "Of the user.", .hidden = true)                                             \
	F(T, INT, auth_epoch, REQUIRED, "The user's, when it began.", .hidden = true)
SHAPE_DECLARE(session, SESSION);

#define SESSION_FILTER(F, T)                                                                                        \
	F(T, UUID, user_id, OPTIONAL, "Another user's: for who may change users.")                                  \
	PAGE_FIELDS(F, T)
SHAPE_DECLARE(session_filter, SESSION_FILTER);
/* clang-format on */

/* Who may log in. */
struct account {
	struct uuid tenant_id, id;
	const char *password_hash;
	int64_t auth_epoch;
};

/* An exchange of a refresh token for the next. */
struct refresh_step {
	struct uuid tenant_id, session_id;
	const char *hash, *next_hash;
	utime now, expires_at;
};

/* What a session gives now. */
struct live_session {
	struct uuid user_id;
	utime expires_at;
	enum user_type user_type;
	struct permissions permissions;
};

/* A new session, and what its client is given. Nothing of the request's own token goes into it.
 * RC_USER_UNKNOWN: the account has changed since it was read. */
enum rc session_open(struct req *rq, const struct account *who, enum session_method method,
		     struct tokens *ret) MUST_USE;

/* When a session that began then ends, if it is used now. */
utime session_end(const struct req *rq, utime created_at);

/* Adds the access token and the user to a refresh token. RC_USER_UNKNOWN. */
enum rc session_tokens(struct req *rq, const struct session *session, const char *refresh_token,
		       struct tokens *ret) MUST_USE;

/* Ends it, with its event. *ret_done: it had not ended before. */
enum rc session_revoke(struct ctx *cx, const struct session *session, bool *ret_done) MUST_USE;

/* The principal behind a session: from this thread's cache, for as long as neither it nor its user changes.
 * RC_UNAUTHENTICATED when it is over. */
enum rc session_principal(struct ctx *cx, const struct uuid *tenant_id, const struct uuid *user_id,
			  const struct uuid *session_id, struct principal *ret) MUST_USE;

/* The reply to a login or a renewal: never to be kept by whoever carries it. */
enum rc tokens_reply(struct req *rq, const struct tokens *tokens) MUST_USE;

/* The handlers, one file each. auth_login() is in auth.h. */
enum rc auth_refresh(struct req *rq);
enum rc auth_logout(struct req *rq);
enum rc session_list(struct req *rq);
enum rc session_delete(struct req *rq);

#endif
