/* See rates.h. */
#include "http/rates.h"

#include "base/log.h"
#include "base/rate_table.h"
#include "http/req.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>

#define SLOTS  65536
#define SECOND 1000000000LL

/* Of an IPv6 address: what one subscriber has. */
#define V6_PREFIX_SIZE 8

/* In the order in which they stand in RateLimit-Policy. */
static const struct {
	const char *name;
	unsigned char kind; /* of its keys: the same in every version, since processes share them */
	int seconds;	    /* the window */
	size_t member;
	int production; /* what a negative setting means there; in development: no limit */
} policies[RATE_POLICIES] = {
	[RATE_POLICY_ADDRESS] = {"address", 'a', 1, offsetof(struct config, rate_ip), 50},
	[RATE_POLICY_PRINCIPAL] = {"principal", 'p', 1, offsetof(struct config, rate_principal), 50},
	[RATE_POLICY_WRITES] = {"writes", 'w', 1, offsetof(struct config, rate_write), 20},
	[RATE_POLICY_TENANT] = {"tenant", 't', 1, offsetof(struct config, rate_tenant), 500},
	[RATE_POLICY_LOGINS] = {"logins", 'l', 60, offsetof(struct config, rate_login_ip), 60},
	[RATE_POLICY_ACCOUNT] = {"account", 'n', 60, offsetof(struct config, rate_login), 5},
};

/* What the settings say. Never changed: a reload puts others in their place, and these stay for whoever reads
 * them. */
struct rate_rules {
	struct rate_rules *older;
	struct gcra_limit limits[RATE_POLICIES];
	struct proxies proxies;
	struct arena arena;		       /* of the texts */
	const char *texts[1 << RATE_POLICIES]; /* RateLimit-Policy, by what applied */
};

struct rates {
	struct rate_table *table;
	_Atomic(struct rate_rules *) rules;
	_Atomic uint64_t refused[RATE_POLICIES];
};

static const struct rate_rules *rules_now(struct rates *rates)
{
	return atomic_load_explicit(&rates->rules, memory_order_acquire);
}

const char *rate_policy_name(enum rate_policy policy)
{
	return policies[policy].name;
}

uint64_t rates_refused(const struct rates *rates, enum rate_policy policy)
{
	return atomic_load_explicit(&rates->refused[policy], memory_order_relaxed);
}

struct rate_table *rates_table(struct rates *rates)
{
	return rates->table;
}

/* --- Counting ------------------------------------------------------------------- */

static void remember(struct rate_state *state, enum rate_policy policy, const struct gcra_verdict *verdict)
{
	bool first = state->applied == 0;

	state->applied |= 1U << policy;
	if (!first && verdict->allowed && verdict->remaining >= state->remaining)
		return;
	state->nearest = policy;
	state->remaining = verdict->remaining;
	state->wait = verdict->wait;
	state->refused = !verdict->allowed;
}

static enum rc take(struct rates *rates, struct rate_state *state, uint64_t now_ns, enum rate_policy policy,
		    const void *id, size_t size)
{
	const struct gcra_limit *limit = &rules_now(rates)->limits[policy];
	struct rate_key key = {.kind = policies[policy].kind};
	struct gcra_verdict verdict;

	if (limit->step == 0)
		return RC_OK;
	memcpy(key.id, id, size);
	verdict = rate_take(rates->table, &key, limit, (int64_t)now_ns);
	remember(state, policy, &verdict);
	if (verdict.allowed)
		return RC_OK;
	atomic_fetch_add_explicit(&rates->refused[policy], 1, memory_order_relaxed);
	return RC_RATE_LIMITED;
}

static enum rc take_address(struct rates *rates, struct rate_state *state, uint64_t now_ns,
			    enum rate_policy policy)
{
	size_t size = address_is_v4(&state->address) ? sizeof(state->address.b) : V6_PREFIX_SIZE;

	return take(rates, state, now_ns, policy, state->address.b, size);
}

enum rc rates_admit(struct rates *rates, struct http_exchange *exchange, struct rate_state *ret)
{
	*ret = (struct rate_state){.address = client_address(&rules_now(rates)->proxies, exchange)};
	return take_address(rates, ret, exchange->received_ns, RATE_POLICY_ADDRESS);
}

static enum rate_class class_of(const struct route *route)
{
	if (route->class != RATE_BY_METHOD)
		return route->class;
	return route->method == HTTP_GET_ ? RATE_READ : RATE_WRITE;
}

/* The person, or what he came by where there is none. NULL: nobody in particular. */
static const struct uuid *sender(const struct principal *who)
{
	if (!uuid_is_none(&who->user_id))
		return &who->user_id;
	return uuid_is_none(&who->session_id) ? NULL : &who->session_id;
}

/* The tenant comes last: what its people are refused does not use up what all of them have. */
enum rc rates_check(struct req *rq)
{
	const struct principal *who = &rq->cx.principal;
	const struct uuid *id = sender(who);
	enum rate_class class = class_of(rq->route);
	uint64_t now = rq->http->received_ns;
	enum rc rc = RC_OK;

	if (rq->limits == NULL || class == RATE_EXEMPT)
		return RC_OK;
	if (class == RATE_LOGIN)
		rc = take_address(rq->limits, &rq->rate, now, RATE_POLICY_LOGINS);
	if (rc == RC_OK && id != NULL)
		rc = take(rq->limits, &rq->rate, now, RATE_POLICY_PRINCIPAL, id->b, sizeof(id->b));
	if (rc == RC_OK && id != NULL && class == RATE_WRITE)
		rc = take(rq->limits, &rq->rate, now, RATE_POLICY_WRITES, id->b, sizeof(id->b));
	if (rc == RC_OK && !uuid_is_none(&who->tenant_id))
		rc = take(rq->limits, &rq->rate, now, RATE_POLICY_TENANT, who->tenant_id.b,
			  sizeof(who->tenant_id.b));
	return rc;
}

enum rc rate_account(struct req *rq, struct str account)
{
	unsigned char id[RATE_ID_SIZE];

	if (rq->limits == NULL || rq->rate.account_counted)
		return RC_OK;
	rq->rate.account_counted = true;
	crypto_generichash(id, sizeof(id), (const unsigned char *)account.p, account.len, NULL, 0);
	return take(rq->limits, &rq->rate, rq->http->received_ns, RATE_POLICY_ACCOUNT, id, sizeof(id));
}

/* --- Telling ---------------------------------------------------------------------- */

static int64_t seconds_up(int64_t ns)
{
	int64_t seconds = (ns + SECOND - 1) / SECOND;

	return seconds > 0 ? seconds : 1;
}

/*
 * Whoever spreads what remains over `t` goes at the rate that lasts: so "r=4;t=48" of five a minute. With
 * nothing left, t is when the next one may come; it is the same as Retry-After, as the draft wants it.
 */
static int64_t effective_window(const struct rate_rules *rules, const struct rate_state *state)
{
	return seconds_up(state->remaining > 0 ? state->remaining * rules->limits[state->nearest].step
					       : state->wait);
}

static const char *limit_text(struct req *rq, int64_t seconds)
{
	struct writer w;
	struct str text;

	writer_init(&w, rq->cx.arena, 64);
	write_char(&w, '"');
	write_raw(&w, str_from(policies[rq->rate.nearest].name));
	write_raw(&w, STR("\";r="));
	write_int(&w, rq->rate.remaining);
	write_raw(&w, STR(";t="));
	write_int(&w, seconds);
	write_char(&w, '\0');
	return writer_take(&w, &text) ? text.p : NULL;
}

void rates_tell(struct req *rq)
{
	const struct rate_state *state = &rq->rate;
	const struct rate_rules *rules;
	const char *text;
	int64_t seconds;

	if (state->applied == 0)
		return;
	rules = rules_now(rq->limits);
	seconds = effective_window(rules, state);
	req_header(rq, "RateLimit-Policy", rules->texts[state->applied]);
	text = limit_text(rq, seconds);
	if (text != NULL)
		req_header(rq, "RateLimit", text);
	text = state->refused ? arena_printf(rq->cx.arena, "%lld", (long long)seconds) : NULL;
	if (text != NULL)
		req_header(rq, "Retry-After", text);
}

/* --- Life ------------------------------------------------------------------------- */

static int setting(const struct config *config, size_t policy)
{
	int value;

	memcpy(&value, (const char *)config + policies[policy].member, sizeof(value));
	if (value >= 0)
		return value;
	return config_in_production(config) ? policies[policy].production : 0;
}

/* RateLimit-Policy for each set of limits that may apply to a request. */
static bool make_texts(struct rate_rules *rules, const int quotas[RATE_POLICIES])
{
	for (size_t set = 1; set < ARRAY_LEN(rules->texts); set++) {
		const char *text = "";

		for (size_t i = 0; i < RATE_POLICIES && text != NULL; i++)
			if (set >> i & 1)
				text = arena_printf(&rules->arena, "%s%s\"%s\";q=%d;w=%d", text,
						    text[0] != '\0' ? ", " : "", policies[i].name, quotas[i],
						    policies[i].seconds);
		rules->texts[set] = text;
		if (text == NULL)
			return false;
	}
	return true;
}

static bool fill(struct rate_rules *rules, const struct config *config)
{
	int quotas[RATE_POLICIES];
	struct str bad;

	if (!proxies_parse(str_from(config->trusted_proxies), &rules->proxies, &bad)) {
		complain("TRUSTED_PROXIES: \"%.*s\": must be up to %d addresses or networks such as "
			 "10.0.0.1,10.1.0.0/16",
			 (int)bad.len, bad.p, PROXIES_MAX);
		return false;
	}
	for (size_t i = 0; i < RATE_POLICIES; i++) {
		quotas[i] = setting(config, i);
		rules->limits[i] = gcra_limit(quotas[i], policies[i].seconds * SECOND);
	}
	if (make_texts(rules, quotas))
		return true;
	complain("no memory for the rates");
	return false;
}

bool rate_rules_create(const struct config *config, struct rate_rules **ret)
{
	struct rate_rules *rules = calloc(1, sizeof(*rules));

	if (rules == NULL)
		return false;
	arena_init(&rules->arena, NULL);
	if (!fill(rules, config)) {
		rate_rules_destroy(rules);
		return false;
	}
	*ret = rules;
	return true;
}

void rate_rules_destroy(struct rate_rules *rules)
{
	while (rules != NULL) {
		struct rate_rules *older = rules->older;

		arena_finish(&rules->arena);
		free(rules);
		rules = older;
	}
}

void rates_apply(struct rates *rates, struct rate_rules *rules)
{
	rules->older = atomic_load_explicit(&rates->rules, memory_order_relaxed);
	atomic_store_explicit(&rates->rules, rules, memory_order_release);
}

bool rates_create(const struct config *config, const struct world *world, struct rates **ret)
{
	struct rates *rates = calloc(1, sizeof(*rates));
	struct rate_rules *rules = NULL;

	if (rates == NULL || !rate_rules_create(config, &rules)) {
		rates_destroy(rates);
		return false;
	}
	rates_apply(rates, rules);
	rates->table = rate_table_create(world, SLOTS);
	if (rates->table == NULL) {
		complain("no memory for the rates");
		rates_destroy(rates);
		return false;
	}
	*ret = rates;
	return true;
}

void rates_destroy(struct rates *rates)
{
	if (rates == NULL)
		return;
	rate_table_destroy(rates->table);
	rate_rules_destroy(atomic_load(&rates->rules));
	free(rates);
}
