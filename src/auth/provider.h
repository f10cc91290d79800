/*
 * Identity providers: a tenant's people log in by its own (OpenID Connect), and who they are is that one's
 * word. Its client secret is sealed in the store, and never told again.
 */
#ifndef AUTH_PROVIDER_H
#define AUTH_PROVIDER_H

#include "http/req.h"
#include "user/user.h"

extern const struct format format_scopes;

/* clang-format off */
#define PROVIDER_FIELDS(F, T)                                                                                      \
	F(T, TEXT, name, REQUIRED, "For people.", .example = "\"Contas da Academia\"", .min = 1, .max = 100)       \
	F(T, TEXT, issuer, REQUIRED, "The provider's address, as its ID tokens tell it: https. Set once.",        \
	  .example = "\"https://login.academiafit.com\"", .min = 1, .max = 500, .fixed = true)                     \
	F(T, TEXT, client_id, REQUIRED, "As the provider knows this marca.", .example = "\"marca\"", .min = 1, .max = 255) \
	F(T, TEXT, scopes, OPTIONAL, "What to ask for, separated by blanks; `openid` among them.",                 \
	  DEFAULT_TEXT("openid email profile"), .min = 1, .max = 500, .format = &format_scopes)                    \
	F(T, BOOL, auto_create, OPTIONAL, "Whoever logs in and is not known here gets an account, as a plain user.", DEFAULT(false))

#define PROVIDER_NEW(F, T)                                                                                         \
	F(T, UUID, tenant_id, OPTIONAL, "Whose provider: your own tenant's, unless you are the operator, who must name one.", \
	  .fixed = true)                                                                                           \
	PROVIDER_FIELDS(F, T)                                                                                      \
	F(T, OBJECT(permissions), permissions, OPTIONAL, "What he may do then.")                                   \
	F(T, TEXT, client_secret, OPTIONAL, "From the provider; none for a public client. Never told again; null takes it away.", \
	  .secret = true, .example = "\"correct horse battery\"", .min = 1, .max = 1000)
SHAPE_DECLARE(provider_new, PROVIDER_NEW);

#define PROVIDER(F, T)                                                                                             \
	F(T, UUID, id, REQUIRED, "Of the provider.")                                                               \
	F(T, UUID, tenant_id, REQUIRED, "Whose people log in by it.")                                              \
	PROVIDER_FIELDS(F, T)                                                                                      \
	F(T, OBJECT(permissions), permissions, REQUIRED, "What he may do then.")                                   \
	F(T, BOOL, has_client_secret, REQUIRED, "One was given.")                                                  \
	F(T, TEXT, redirect_uri, REQUIRED, "To be registered with the provider.",                                  \
	  .example = "\"https://marca.example.com/auth/oidc/0193a3f2-8c00-7000-8000-000000000000/callback\"")                                           \
	F(T, TEXT, login_url, REQUIRED, "Where a browser goes to log in by it.",                                   \
	  .example = "\"https://marca.example.com/auth/oidc/0193a3f2-7c00-7000-8000-000000000001/login\"")         \
	F(T, INSTANT, created_at, REQUIRED, "When it was created.")                                                \
	F(T, INSTANT, updated_at, REQUIRED, "When it last changed.")                                               \
	F(T, TEXT, client_secret, OPTIONAL, "Sealed.", .hidden = true)                                             \
	F(T, INT, version, REQUIRED, "Counts changes.", .hidden = true)                                            \
	F(T, UUID, change_id, OPTIONAL, "The event of the last change.", .hidden = true)
SHAPE_DECLARE(provider, PROVIDER);

#define PROVIDER_FILTER(F, T)                                                                                      \
	F(T, UUID, tenant_id, OPTIONAL, "Whose providers: your own tenant's, unless you are the operator, who must name one.") \
	PAGE_FIELDS(F, T)
SHAPE_DECLARE(provider_filter, PROVIDER_FILTER);
/* clang-format on */

/* The provider of the path, of the caller's tenant; RC_PROVIDER_UNKNOWN. */
enum rc provider_find(struct req *rq, struct provider **ret) MUST_USE;

/* The provider that someone logs in by, whoever he is. RC_PROVIDER_UNKNOWN also where its tenant is not
 * active. */
enum rc provider_for_login(struct req *rq, const struct uuid *id, struct provider **ret) MUST_USE;

/* row->client_secret as it was sent, to as it is kept; and back: NULL where there is none. */
enum rc provider_seal_secret(struct req *rq, struct provider *row) MUST_USE;
enum rc provider_open_secret(struct req *rq, const struct provider *row, const char **ret) MUST_USE;

/* What is told of it besides what is kept. */
enum rc provider_derive(struct req *rq, struct provider *row) MUST_USE;

/* The event of a change to it. */
enum rc provider_event(struct ctx *cx, const struct provider *row, const char *type,
		       struct outbox_row *ret) MUST_USE;

/* The handlers, one file each. */
enum rc provider_create(struct req *rq);
enum rc provider_list(struct req *rq);
enum rc provider_get(struct req *rq);
enum rc provider_update(struct req *rq);
enum rc provider_delete(struct req *rq);

#endif
