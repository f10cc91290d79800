/*
 * API keys: by them a tenant's own programs call, as long as nobody revokes them. A key is a secret of
 * secret.h; what it may do is its scopes, which are a user's permissions by the same words, or `admin`. It is
 * no person: it acts for every user of its tenant.
 */
#ifndef AUTH_API_KEY_H
#define AUTH_API_KEY_H

#include "events/outbox.h"
#include "http/req.h"

/* The first four in the order of enum right. */
#define API_SCOPE(X, E) \
	X(E, can_book)  \
	X(E, can_manage_resources) X(E, can_manage_users) X(E, can_view_all_bookings) X(E, admin)
ENUM_DECLARE(api_scope, API_SCOPE);

/* clang-format off */
#define API_KEY_FIELDS(F, T)                                                                                       \
	F(T, TEXT, name, REQUIRED, "What it is for.", .example = "\"Site de agendamento\"", .min = 1, .max = 100)  \
	F(T, WORDS(api_scope), scopes, REQUIRED, "What it may do: permissions as of a user; `admin` is all that staff may.", \
	  .example = "[\"can_book\", \"can_view_all_bookings\"]")                                                  \
	F(T, INSTANT, expires_at, OPTIONAL, "When it ends by itself; null: never.", .example = "\"2026-12-01T00:00:00Z\"")

#define API_KEY_NEW(F, T)                                                                                          \
	F(T, UUID, tenant_id, OPTIONAL, "Whose key: your own tenant's, unless you are the operator, who must name one.") \
	API_KEY_FIELDS(F, T)
SHAPE_DECLARE(api_key_new, API_KEY_NEW);

#define API_KEY_SHOWN(F, T)                                                                                        \
	F(T, UUID, id, REQUIRED, "Of the key.")                                                                    \
	F(T, UUID, tenant_id, REQUIRED, "Whose programs call by it.")                                              \
	F(T, TEXT, prefix, REQUIRED, "How the key begins: to know it again.", .example = "\"mk_AZOj8nwAcACAAAAA\"") \
	API_KEY_FIELDS(F, T)                                                                                       \
	F(T, UUID, created_by, OPTIONAL, "Which user made it; null: the operator, or another key.")                \
	F(T, INSTANT, created_at, REQUIRED, "When it was made.")                                                   \
	F(T, INSTANT, last_used_at, OPTIONAL, "When it was last used, to the minute; null: never.")

#define API_KEY(F, T)                                                                                              \
	API_KEY_SHOWN(F, T)                                                                                        \
	F(T, TEXT, hash, REQUIRED, "All that is kept of the key.", .hidden = true)                                 \
	F(T, INT, version, REQUIRED, "Counts changes.", .hidden = true)                                            \
	F(T, UUID, change_id, OPTIONAL, "The event of the last change.", .hidden = true)
SHAPE_DECLARE(api_key, API_KEY);

#define API_KEY_MADE(F, T)                                                                                         \
	API_KEY_SHOWN(F, T)                                                                                        \
	F(T, TEXT, key, REQUIRED, "The key itself. It is told now and never again.", .example = "\"mk_AZOj8nwAcACAAAAA...\"")
SHAPE_DECLARE(api_key_made, API_KEY_MADE);

#define API_KEY_FILTER(F, T)                                                                                       \
	F(T, UUID, tenant_id, OPTIONAL, "Whose keys: your own tenant's, unless you are the operator, who must name one.") \
	PAGE_FIELDS(F, T)
SHAPE_DECLARE(api_key_filter, API_KEY_FILTER);
/* clang-format on */

/* Who calls by it, now. RC_UNAUTHENTICATED when it is none of ours, or is no more. */
enum rc api_key_principal(struct ctx *cx, struct str key, struct principal *ret) MUST_USE;

/* How the key of that id begins, which tells nothing of its secret. NULL: memory. */
char *api_key_prefix(struct arena *arena, const struct uuid *id) MUST_USE;

/* The event of a change to it. */
enum rc api_key_event(struct ctx *cx, const struct api_key *row, const char *type,
		      struct outbox_row *ret) MUST_USE;

/* The handlers, one file each. */
enum rc api_key_create(struct req *rq);
enum rc api_key_list(struct req *rq);
enum rc api_key_delete(struct req *rq);

#endif
