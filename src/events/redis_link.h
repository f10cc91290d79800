/*
 * A link to Redis: commands go out, replies come back in order, and a connection that broke is made anew by
 * the next call. Many tasks may call on one link at once; a blocking read holds up all that come after it,
 * and so wants a link of its own.
 *
 * Calls fail with RC_BUS_DOWN when the link is lost, or Redis silent for 5 s; then it is not known whether
 * the commands were done. An error that Redis answers with is a reply like any other.
 */
#ifndef EVENTS_REDIS_LINK_H
#define EVENTS_REDIS_LINK_H

#include "base/ctx.h"
#include "base/log.h"
#include "events/redis_reply.h"
#include "events/redis_tls.h"
#include "events/tasks.h"
#include "json/write.h"

struct redis_link;

struct redis_link_options {
	struct tasks *tasks;
	const struct redis_url *url;
	const struct tls_trust *trust; /* NULL: in the clear */
};

/* Connects when it is first used. NULL: memory. */
struct redis_link *redis_link_create(const struct redis_link_options *options) MUST_USE;
/* On the tasks' thread, or when it has ended. Nobody may wait on it. NULL is fine. */
void redis_link_destroy(struct redis_link *link);

/* --- Commands ------------------------------------------------------------------- */

/* Commands that are sent at once, in an arena. What goes wrong is told by redis_call(). */
struct redis_batch {
	struct writer bytes;
	size_t count;
	/* The words of the last one. */
	const char **words;
	size_t *lens;
	size_t word_count, room;
};

void redis_batch_init(struct redis_batch *batch, struct ctx *cx);
/* A new command. Its words stand until the next is begun, or the batch is sent. */
void redis_begin(struct redis_batch *batch, const char *name);
/* An absent one says that memory was short. */
void redis_str(struct redis_batch *batch, struct str word);
/* Some words, ended by NULL. */
void redis_words(struct redis_batch *batch, ...) __attribute__((sentinel));
void redis_number(struct redis_batch *batch, int64_t number);

/*
 * Waits for a reply to each command; replies[] has room for them. wait_ms: the longest that Redis may wait by
 * itself (BLOCK), which also says that the call ends, with RC_BUS_DOWN, when the tasks stop. A batch can be
 * sent again.
 */
enum rc redis_call(struct redis_link *link, struct ctx *cx, struct redis_batch *batch, int wait_ms,
		   const struct redis_reply **replies) MUST_USE;

/* RC_OK when the reply is of that kind. Else Redis refused: it is logged, and RC_BUS_DOWN. */
enum rc redis_expect(const struct redis_reply *reply, enum reply_kind kind, const char *what) MUST_USE;
/* Logs that the reply holds what it cannot: RC_BUS_DOWN. */
static inline enum rc redis_nonsense(const char *what)
{
	LOG(ERROR, "Redis gave an answer that makes no sense", LOG_TEXT("what", what));
	return RC_BUS_DOWN;
}

#endif
