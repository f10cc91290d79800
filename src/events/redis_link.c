/*
 * See redis_link.h. The first fiber that finds the link closed opens it, top to bottom; others that come
 * meanwhile wait for the outcome. libuv's call-backs only note what came and wake whom it concerns.
 *
 * Fibers wait by fiber_wait(), not by task_wait(): a ring that means something else to a task must not get
 * lost here.
 */
#include "events/redis_link.h"

#include "base/fiber.h"
#include "events/redis_master.h"
#include "events/redis_wire.h"

#include <hiredis/hiredis.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#define SILENCE_MS    5000
#define BACKOFF_MS    50
#define BACKOFF_STEPS 6 /* 50 ms, 100, ... 1.6 s, 2 s */
#define BACKOFF_MAX   2000

/* Commands on their way, on their caller's stack. */
struct call {
	struct call *next;
	struct fiber *fiber;
	struct arena *arena;
	const struct redis_reply **replies;
	size_t want, got;
	int patience_ms;
	bool blocks; /* until the tasks stop */
	bool lost;
};

/* Waits until another fiber has opened the link, or failed to. */
struct guest {
	struct guest *next;
	struct fiber *fiber;
};

struct redis_link {
	struct redis_link_options options;
	enum { CLOSED, OPENING, OPEN } state;
	struct redis_host at;	       /* that it is, or was last, connected to */
	char name[REDIS_HOST_MAX + 1]; /* of a master that was asked for */
	size_t turn;		       /* which of the URL's hosts knew it last */
	struct redis_wire *wire;
	struct reply_reader *reader;
	struct call *first, **end;
	struct guest *guests;
	struct task *task;	/* of the last call: knows whether all shall stop */
	struct fiber *stepping; /* who opens waits for a step */
	bool stepped;		/* it was done */
	uv_timer_t timer;	/* of the step, or of the first call */
	uv_check_t check;	/* for the stop */
	int handles;
	uint64_t lost_at; /* ms; 0: never */
	int failures;	  /* to open it, in a row */
	bool told;	  /* that it is lost, or cannot be had */
	char why[160];	  /* it was lost last */
};

/* --- Commands ------------------------------------------------------------------- */

void redis_batch_init(struct redis_batch *batch, struct ctx *cx)
{
	*batch = (struct redis_batch){.count = 0};
	writer_init(&batch->bytes, cx->arena, 512);
}

/* The last command's words become bytes. */
static void seal(struct redis_batch *batch)
{
	char *bytes;
	int len;

	if (batch->word_count == 0 || batch->bytes.failed)
		return;
	len = redisFormatCommandArgv(&bytes, (int)batch->word_count, batch->words, batch->lens);
	batch->word_count = 0;
	if (len < 0) {
		batch->bytes.failed = true;
		return;
	}
	write_raw(&batch->bytes, (struct str){bytes, (size_t)len});
	redisFreeCommand(bytes);
}

static bool grow(struct redis_batch *batch)
{
	size_t room = batch->room * 2 + 16;
	const char **words = arena_array(batch->bytes.arena, room, sizeof(*words));
	size_t *lens = arena_array(batch->bytes.arena, room, sizeof(*lens));

	if (words == NULL || lens == NULL) {
		batch->bytes.failed = true;
		return false;
	}
	if (batch->word_count > 0) {
		memcpy(words, batch->words, batch->word_count * sizeof(*words));
		memcpy(lens, batch->lens, batch->word_count * sizeof(*lens));
	}
	batch->words = words;
	batch->lens = lens;
	batch->room = room;
	return true;
}

void redis_str(struct redis_batch *batch, struct str word)
{
	batch->bytes.failed |= word.p == NULL;
	if (batch->word_count == batch->room && !grow(batch))
		return;
	batch->words[batch->word_count] = word.p;
	batch->lens[batch->word_count] = word.len;
	batch->word_count++;
}

void redis_begin(struct redis_batch *batch, const char *name)
{
	seal(batch);
	batch->count++;
	redis_str(batch, str_from(name));
}

void redis_words(struct redis_batch *batch, ...)
{
	const char *word;
	va_list list;

	va_start(list, batch);
	while ((word = va_arg(list, const char *)) != NULL)
		redis_str(batch, str_from(word));
	va_end(list);
}

void redis_number(struct redis_batch *batch, int64_t number)
{
	char *text = arena_printf(batch->bytes.arena, "%lld", (long long)number);

	redis_str(batch, str_from(text));
}

enum rc redis_expect(const struct redis_reply *reply, enum reply_kind kind, const char *what)
{
	if (reply->kind == kind)
		return RC_OK;
	if (reply->kind != REPLY_ERROR)
		return redis_nonsense(what);
	LOG(ERROR, "Redis refused", LOG_TEXT("what", what), LOG_TEXT("said", reply->text.p));
	return RC_BUS_DOWN;
}

/* --- Losing it -------------------------------------------------------------------- */

static void end_step(struct redis_link *link, bool done)
{
	struct fiber *fiber = link->stepping;

	if (fiber == NULL)
		return;
	link->stepping = NULL;
	link->stepped = done;
	uv_timer_stop(&link->timer);
	fiber_wake(fiber);
}

static void hang_up(struct redis_link *link)
{
	wire_close(link->wire);
	reply_reader_destroy(link->reader);
	link->wire = NULL;
	link->reader = NULL;
}

/* Everything that waits on it fails. */
static void cut(struct redis_link *link, const char *why)
{
	struct call *call = link->first, *next;

	snprintf(link->why, sizeof(link->why), "%s", why);
	hang_up(link);
	link->first = NULL;
	link->end = &link->first;
	uv_timer_stop(&link->timer);
	for (; call != NULL; call = next) {
		next = call->next;
		call->lost = true;
		fiber_wake(call->fiber);
	}
	end_step(link, false);
	link->lost_at = tasks_clock(link->options.tasks);
	if (link->state == OPEN)
		link->state = CLOSED;
}

static void lose(struct redis_link *link, const char *why)
{
	link->told |= link->state == OPEN;
	if (link->state == OPEN)
		LOG(WARN, "the connection to Redis is lost", LOG_TEXT("host", link->at.name),
		    LOG_NUMBER("port", link->at.port), LOG_TEXT("why", why));
	cut(link, why);
}

static void on_timer(uv_timer_t *timer)
{
	struct redis_link *link = timer->data;

	if (link->stepping != NULL)
		end_step(link, false);
	else
		lose(link, "it does not answer in time");
}

static void start_timer(struct redis_link *link, int ms)
{
	/* libuv's time stands still while a task works. */
	uv_update_time(link->timer.loop);
	uv_timer_start(&link->timer, on_timer, (uint64_t)ms, 0);
}

/* After each round of the loop: a stop cuts short what may take long. A call that does not block is worth
 * waiting for: it may acknowledge what was done. */
static void on_check(uv_check_t *check)
{
	struct redis_link *link = check->data;

	if (link->task == NULL || !task_stopping(link->task))
		return;
	if (link->stepping != NULL)
		end_step(link, false);
	else if (link->first != NULL && link->first->blocks)
		cut(link, "the tasks stop");
}

/* --- Replies ---------------------------------------------------------------------- */

/* The time that the first of the calls has. */
static void watch(struct redis_link *link)
{
	if (link->first != NULL)
		start_timer(link, link->first->patience_ms);
	else
		uv_timer_stop(&link->timer);
}

/*
 * Whoever answers so is not, or is no more, one to write to: another connection may lead to another. A
 * cluster that moves our slot says ASK and TRYAGAIN until it has: that is waited for, like a fail-over.
 */
static bool disowns(const struct redis_reply *reply)
{
	static const char *const words[] = {"READONLY", "NOAUTH",   "MASTERDOWN", "MOVED",
					    "ASK",	"TRYAGAIN", "CLUSTERDOWN"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (reply_is_error(reply, words[i]))
			return true;
	return false;
}

/* True: the first call has one more reply. */
static bool take_reply(struct redis_link *link, bool *disowned)
{
	struct call *call = link->first;
	struct redis_reply *reply;

	if (!reply_reader_next(link->reader, call->arena, &reply)) {
		lose(link, reply_reader_why(link->reader));
		return false;
	}
	if (reply == NULL)
		return false;
	*disowned |= disowns(reply);
	call->replies[call->got++] = reply;
	if (call->got < call->want)
		return true;
	link->first = call->next;
	if (link->first == NULL)
		link->end = &link->first;
	fiber_wake(call->fiber);
	return true;
}

static void on_bytes(void *arg, const char *bytes, size_t len)
{
	struct redis_link *link = arg;
	bool disowned = false;

	if (!reply_reader_feed(link->reader, bytes, len)) {
		lose(link, reply_reader_why(link->reader));
		return;
	}
	while (link->first != NULL && take_reply(link, &disowned))
		;
	if (link->wire == NULL)
		return;
	if (disowned && link->state == OPEN)
		lose(link, "it is no master that knows us");
	else if (link->first == NULL && reply_reader_has_more(link->reader))
		lose(link, "it answers what nobody asked");
	else if (link->stepping == NULL)
		watch(link);
}

static enum rc exchange(struct redis_link *link, struct ctx *cx, struct redis_batch *batch, int wait_ms,
			const struct redis_reply **replies)
{
	struct call call = {
		.fiber = fiber_self(),
		.arena = cx->arena,
		.replies = replies,
		.want = batch->count,
		.patience_ms = (wait_ms > 0 ? wait_ms : 0) + SILENCE_MS,
		.blocks = wait_ms > 0,
	};
	struct str bytes;

	if (!writer_take(&batch->bytes, &bytes))
		return RC_NO_MEMORY;
	if (!wire_send(link->wire, bytes.p, bytes.len)) {
		lose(link, "no memory to send");
		return RC_BUS_DOWN;
	}
	*link->end = &call;
	link->end = &call.next;
	if (link->first == &call)
		watch(link);
	fiber_wait();
	return call.lost ? RC_BUS_DOWN : RC_OK;
}

/* --- Opening ---------------------------------------------------------------------- */

static void on_opened(void *arg)
{
	end_step(arg, true);
}

static void on_lost(void *arg, const char *why)
{
	lose(arg, why);
}

/* True when what was begun is done within that time. */
static bool step(struct redis_link *link, int ms)
{
	start_timer(link, ms);
	link->stepping = fiber_self();
	fiber_wait();
	return link->stepped;
}

/* So that a Redis that is down is not asked all the time, nor by all at the same instant. */
static void hold_back(struct redis_link *link, struct ctx *cx)
{
	int steps = link->failures < BACKOFF_STEPS ? link->failures : BACKOFF_STEPS;
	uint64_t now = tasks_clock(link->options.tasks), delay = (uint64_t)BACKOFF_MS << steps;
	uint16_t chance;

	if (link->lost_at == 0)
		return;
	if (delay > BACKOFF_MAX)
		delay = BACKOFF_MAX;
	cx->world->random(cx->world, &chance, sizeof(chance));
	delay = delay / 2 + delay * chance / 2 / UINT16_MAX;
	if (link->lost_at + delay > now)
		(void)step(link, (int)(link->lost_at + delay - now));
}

static bool connect_it(struct redis_link *link)
{
	static const struct wire_user user = {on_opened, on_bytes, on_lost};

	link->reader = reply_reader_create();
	link->wire = link->reader != NULL
			     ? wire_open(link->timer.loop, &link->at, link->options.trust, &user, link)
			     : NULL;
	if (link->wire == NULL) {
		cut(link, "no memory");
		return false;
	}
	/* It may have been opened, and lost again before this fiber's turn came. */
	if (step(link, SILENCE_MS) && link->wire != NULL)
		return true;
	if (link->wire != NULL)
		cut(link, "it does not answer in time");
	return false;
}

/*
 * AUTH, SELECT, and a PING, which says whether a Redis that just started has read its data. A user may be one
 * who may not ping; and the connection's name is for people.
 */
static bool greet(struct redis_link *link, struct ctx *cx)
{
	const struct redis_url *url = link->options.url;
	const struct redis_reply *replies[4] = {NULL};
	size_t ping = (url->password != NULL) + (url->db != 0);
	struct redis_batch batch;
	enum rc rc;

	redis_batch_init(&batch, cx);
	if (url->password != NULL) {
		redis_begin(&batch, "AUTH");
		if (url->user != NULL)
			redis_words(&batch, url->user, NULL);
		redis_words(&batch, url->password, NULL);
	}
	if (url->db != 0) {
		redis_begin(&batch, "SELECT");
		redis_number(&batch, url->db);
	}
	redis_begin(&batch, "PING");
	redis_begin(&batch, "CLIENT");
	redis_words(&batch, "SETNAME", "marca", NULL);
	seal(&batch);
	rc = exchange(link, cx, &batch, 0, replies);
	/* One that has too many clients says so, and closes: a refusal tells more than the loss. */
	for (size_t i = 0; i <= ping && replies[i] != NULL; i++) {
		if (replies[i]->kind != REPLY_ERROR || (i == ping && reply_is_error(replies[i], "NOPERM")))
			continue;
		if (link->wire != NULL)
			cut(link, "");
		snprintf(link->why, sizeof(link->why), "%s", replies[i]->text.p);
		return false;
	}
	return rc == RC_OK && link->wire != NULL;
}

/* A sentinel, or a node of the cluster, says where the master is. */
static bool ask_for_master(struct redis_link *link, struct ctx *cx)
{
	const struct redis_url *url = link->options.url;
	const struct redis_reply *reply = NULL;
	struct redis_batch batch;
	const char *why = link->why;
	bool found;

	if (url->kind == REDIS_CLUSTER && !greet(link, cx))
		return false;
	redis_batch_init(&batch, cx);
	redis_master_ask(url, &batch);
	seal(&batch);
	if (exchange(link, cx, &batch, 0, &reply) != RC_OK || reply == NULL)
		return false;
	found = redis_master_read(url, &link->at, reply, &link->at, &why);
	if (!found) {
		cut(link, why);
		return false;
	}
	hang_up(link);
	snprintf(link->name, sizeof(link->name), "%s", link->at.name);
	link->at.name = link->name;
	return true;
}

/* The one that knew it last is asked first. */
static bool find_master(struct redis_link *link, struct ctx *cx)
{
	const struct redis_url *url = link->options.url;

	for (size_t i = 0; i < url->host_count && !task_stopping(link->task); i++) {
		size_t turn = (link->turn + i) % url->host_count;

		link->at = url->hosts[turn];
		if (url->kind == REDIS_ONE)
			return true;
		if (connect_it(link) && ask_for_master(link, cx)) {
			link->turn = turn;
			return true;
		}
	}
	return false;
}

/* The outcome, for the log and for whoever waited for it. */
static enum rc settle(struct redis_link *link, bool open)
{
	struct guest *guest = link->guests, *next;

	link->state = open ? OPEN : CLOSED;
	if (!open && link->failures == 0 && !task_stopping(link->task))
		LOG(WARN, "cannot connect to Redis; trying on", LOG_TEXT("host", link->at.name),
		    LOG_NUMBER("port", link->at.port), LOG_TEXT("why", link->why));
	if (open && link->told)
		LOG(INFO, "connected to Redis again", LOG_TEXT("host", link->at.name),
		    LOG_NUMBER("port", link->at.port));
	link->told = !open;
	link->failures = open ? 0 : link->failures + 1;
	link->guests = NULL;
	for (; guest != NULL; guest = next) {
		next = guest->next;
		fiber_wake(guest->fiber);
	}
	return open ? RC_OK : RC_BUS_DOWN;
}

static enum rc ensure_open(struct redis_link *link, struct ctx *cx)
{
	struct guest guest = {.next = link->guests, .fiber = fiber_self()};

	if (link->state == OPEN)
		return RC_OK;
	if (link->state == OPENING) {
		link->guests = &guest;
		fiber_wait();
		return link->state == OPEN ? RC_OK : RC_BUS_DOWN;
	}
	link->state = OPENING;
	hold_back(link, cx);
	return settle(link, find_master(link, cx) && connect_it(link) && greet(link, cx));
}

enum rc redis_call(struct redis_link *link, struct ctx *cx, struct redis_batch *batch, int wait_ms,
		   const struct redis_reply **replies)
{
	enum rc rc;

	seal(batch);
	if (batch->count == 0)
		return RC_OK;
	link->task = task_self();
	rc = ensure_open(link, cx);
	return rc == RC_OK ? exchange(link, cx, batch, wait_ms, replies) : rc;
}

/* --- Life --------------------------------------------------------------------------- */

struct redis_link *redis_link_create(const struct redis_link_options *options)
{
	struct redis_link *link = calloc(1, sizeof(*link));
	uv_loop_t *loop = tasks_loop(options->tasks);

	if (link == NULL)
		return NULL;
	link->options = *options;
	link->at = options->url->hosts[0];
	link->end = &link->first;
	uv_timer_init(loop, &link->timer);
	uv_check_init(loop, &link->check);
	link->timer.data = link->check.data = link;
	link->handles = 2;
	uv_check_start(&link->check, on_check);
	return link;
}

static void on_closed(uv_handle_t *handle)
{
	struct redis_link *link = handle->data;

	if (--link->handles == 0)
		free(link);
}

void redis_link_destroy(struct redis_link *link)
{
	if (link == NULL)
		return;
	wire_close(link->wire);
	reply_reader_destroy(link->reader);
	/* A loop that has ended has closed all handles. */
	if (uv_is_closing((uv_handle_t *)&link->timer)) {
		free(link);
		return;
	}
	uv_close((uv_handle_t *)&link->timer, on_closed);
	uv_close((uv_handle_t *)&link->check, on_closed);
}
