/*
 * See rate_share.h. In Redis a key has its TAT in microseconds of Redis's own clock, so that the clocks of
 * the processes need not agree, and is gone once there is nothing to pay back:
 *
 *   marca:rate:<kind>:<id in hex>, in a cluster behind {marca}:
 *
 * What is told is what was let through; what comes back is how far ahead of now the TAT lies. A process that
 * could not tell for long owes no more than one burst for each key; and no key is held back for longer than
 * two, however many processes let it through.
 */
#include "events/rate_share.h"

#include "base/log.h"
#include "events/redis_link.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define TELL_MS	 200
#define TELL_MAX 512 /* keys in one script: Redis does nothing else meanwhile */

/* ARGV: what was used of each key, and the most that it may lie ahead. */
static const char script[] =
	"local time = redis.call('TIME')\n"
	"local now = time[1] * 1000000 + time[2]\n"
	"local ahead = {}\n"
	"for i, key in ipairs(KEYS) do\n"
	"  local tat = math.max(tonumber(redis.call('GET', key) or 0) or 0, now) + tonumber(ARGV[2 * i - "
	"1])\n"
	"  tat = math.min(tat, now + tonumber(ARGV[2 * i]))\n"
	"  redis.call('SET', key, string.format('%.0f', tat), 'PX', math.ceil((tat - now) / 1000))\n"
	"  ahead[i] = tat - now\n"
	"end\n"
	"return ahead\n";

struct rate_share {
	struct rate_share_options options;
	struct arena arena; /* as long as this */
	struct redis_url url;
	struct tls_trust *trust; /* NULL: in the clear */
	struct redis_link *link;
	struct rate_use *uses;
	_Atomic bool works;
	bool told_of_loss;
};

bool rate_share_works(const struct rate_share *share)
{
	return atomic_load(&share->works);
}

/* --- One exchange ------------------------------------------------------------------ */

static void write_key(struct redis_batch *batch, struct ctx *cx, const char *prefix,
		      const struct rate_key *key)
{
	char id[2 * RATE_ID_SIZE + 1] = "";

	hex_text(id, key->id, RATE_ID_SIZE);
	redis_str(batch, str_from(arena_printf(cx->arena, "%smarca:rate:%c:%s", prefix, key->kind, id)));
}

static int64_t microseconds_up(int64_t ns)
{
	return (ns + 999) / 1000;
}

static enum rc ask(struct rate_share *share, struct ctx *cx, const struct rate_use *uses, size_t count,
		   const struct redis_reply **ret)
{
	struct redis_batch batch;
	enum rc rc;

	redis_batch_init(&batch, cx);
	redis_begin(&batch, "EVAL");
	redis_words(&batch, script, NULL);
	redis_number(&batch, (int64_t)count);
	for (size_t i = 0; i < count; i++)
		write_key(&batch, cx, redis_key_prefix(&share->url), &uses[i].key);
	for (size_t i = 0; i < count; i++) {
		redis_number(&batch, microseconds_up(uses[i].used));
		redis_number(&batch, microseconds_up(2 * uses[i].limit.depth));
	}
	rc = redis_call(share->link, cx, &batch, 0, ret);
	return rc == RC_OK && ((*ret)->kind != REPLY_LIST || (*ret)->count != count) ? RC_BUS_DOWN : rc;
}

/* By the clock of http_exchange.received_ns. From before the exchange: what it took is the sender's gain. */
static enum rc tell(struct rate_share *share, struct ctx *cx, const struct rate_use *uses, size_t count)
{
	int64_t now = (int64_t)tasks_clock(share->options.tasks) * 1000000;
	const struct redis_reply *reply;
	enum rc rc = ask(share, cx, uses, count, &reply);

	for (size_t i = 0; rc == RC_OK && i < count; i++) {
		int64_t most = microseconds_up(2 * uses[i].limit.depth), ahead = reply->items[i].number;

		if (reply->items[i].kind == REPLY_NUMBER && ahead > 0)
			rate_raise(share->options.table, &uses[i].key,
				   now + (ahead < most ? ahead : most) * 1000);
	}
	return rc;
}

/* --- The task ------------------------------------------------------------------------ */

/* One line when it goes, and one when it is back. */
static void note_outcome(struct rate_share *share, const struct task *task, bool works)
{
	if (!works && !share->told_of_loss && !task_stopping(task))
		LOG(WARN, "Redis does not take part in the rates; each process counts for itself");
	if (works && share->told_of_loss)
		LOG(INFO, "rates are shared through Redis again");
	share->told_of_loss = !works;
	atomic_store(&share->works, works);
}

static void run(struct task *task, void *arg)
{
	struct rate_share *share = arg;
	struct arena arena;
	struct ctx cx;

	for (task_sleep(task, TELL_MS); !task_stopping(task); task_sleep(task, TELL_MS)) {
		size_t count = rate_collect(share->options.table, share->uses);
		enum rc rc = RC_OK;

		if (count == 0)
			continue;
		task_arena(task, &arena);
		task_begin(task, &arena, &cx);
		for (size_t at = 0; rc == RC_OK && at < count; at += TELL_MAX)
			rc = tell(share, &cx, share->uses + at,
				  count - at < TELL_MAX ? count - at : TELL_MAX);
		note_outcome(share, task, rc == RC_OK);
		arena_finish(&arena);
	}
}

/* --- Life ------------------------------------------------------------------------------ */

static bool set_up(struct rate_share *share)
{
	const struct rate_share_options *options = &share->options;
	const char *why;

	if (!redis_url_parse(&share->arena, str_from(options->redis_url), &share->url, &why)) {
		LOG(ERROR, "REDIS_URL is no good", LOG_TEXT("why", why));
		return false;
	}
	if (share->url.tls) {
		share->trust = tls_trust_create(options->redis_ca);
		if (share->trust == NULL)
			return false;
	}
	const struct redis_link_options link = {options->tasks, &share->url, share->trust};

	share->uses = calloc(RATE_USES_MAX, sizeof(*share->uses));
	share->link = redis_link_create(&link);
	return share->uses != NULL && share->link != NULL && rate_table_note(options->table) &&
	       tasks_add(options->tasks, run, share) != NULL;
}

enum rc rate_share_create(const struct rate_share_options *options, struct rate_share **ret)
{
	struct rate_share *share = calloc(1, sizeof(*share));

	if (share == NULL)
		return RC_NO_MEMORY;
	/* Writing to a Redis that has gone is an error like any other. */
	signal(SIGPIPE, SIG_IGN);
	share->options = *options;
	arena_init(&share->arena, NULL);
	if (!set_up(share)) {
		rate_share_destroy(share);
		return RC_INTERNAL;
	}
	*ret = share;
	return RC_OK;
}

void rate_share_destroy(struct rate_share *share)
{
	if (share == NULL)
		return;
	redis_link_destroy(share->link);
	tls_trust_destroy(share->trust);
	free(share->uses);
	arena_finish(&share->arena);
	free(share);
}
