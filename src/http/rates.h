/*
 * How many requests somebody may make: by address before anything else is done, then by whom he proves to be,
 * by his tenant and by the class of the route; logins by account as well. 429 tells when to come again
 * (Retry-After), and where a limit is configured every reply tells how near it is: RateLimit-Policy and
 * RateLimit of draft-ietf-httpapi-ratelimit-headers-11. docs/security/rates.md says it for people.
 */
#ifndef HTTP_RATES_H
#define HTTP_RATES_H

#include "base/config.h"
#include "base/errors.h"
#include "base/gcra.h"
#include "http/client_address.h"

struct rate_table;
struct rates;
struct req;
struct world;

/* Of a route: how its requests are counted, besides each one of its sender's. */
enum rate_class {
	RATE_BY_METHOD, /* GET reads, others write */
	RATE_READ,
	RATE_WRITE,
	RATE_LOGIN,  /* proves who someone is, or helps him to: login, refresh, reset, sign-up */
	RATE_EXEMPT, /* never refused: the probe of whoever restarts what does not answer */
};

enum rate_policy {
	RATE_POLICY_ADDRESS,
	RATE_POLICY_PRINCIPAL,
	RATE_POLICY_WRITES,
	RATE_POLICY_TENANT,
	RATE_POLICY_LOGINS,
	RATE_POLICY_ACCOUNT,
	RATE_POLICIES
};

/* What the limits said to one request. */
struct rate_state {
	struct address address;
	unsigned applied;	  /* bits by enum rate_policy */
	enum rate_policy nearest; /* the one that refused, or of which least is left */
	int64_t remaining, wait;  /* its: requests, ns */
	bool refused;
	bool account_counted;
};

/* What the settings say of it. False, told by complain(): one is no good, or memory. */
struct rate_rules;
bool rate_rules_create(const struct config *config, struct rate_rules **ret) MUST_USE;
void rate_rules_destroy(struct rate_rules *rules);

/* False, told by complain(): a setting is no good, or memory. */
bool rates_create(const struct config *config, const struct world *world, struct rates **ret) MUST_USE;
void rates_destroy(struct rates *rates);

/* From now on those rules count, which are `rates`' own from here on. What has been counted stays. On one
 * thread at a time; others may be asking. The rules of before are kept: some kilobytes a reload. */
void rates_apply(struct rates *rates, struct rate_rules *rules);

/* For sharing them with other processes. */
struct rate_table *rates_table(struct rates *rates);

/*
 * For handlers that take a password, or send mail to an account: counts this request against the account,
 * once however often it is called. RC_RATE_LIMITED. `account` is any text that names it and nothing else,
 * such as the tenant's id and the folded e-mail, whether or not there is such an account; what must not share
 * a limit with it begins with another word. Before the password is looked at. On a request's fiber.
 */
enum rc rate_account(struct req *req, struct str account) MUST_USE;

/* --- For the dispatcher --------------------------------------------------- */

/* Who sends it, and whether that address may. The head is known, the body not yet. */
enum rc rates_admit(struct rates *rates, struct http_exchange *exchange, struct rate_state *ret) MUST_USE;
/* Once cx.principal is known. */
enum rc rates_check(struct req *rq) MUST_USE;
/* RateLimit-Policy and RateLimit, and Retry-After on a 429. */
void rates_tell(struct req *rq);

/* How many were refused by it. */
uint64_t rates_refused(const struct rates *rates, enum rate_policy policy);
const char *rate_policy_name(enum rate_policy policy);

#endif
