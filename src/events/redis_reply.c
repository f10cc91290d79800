/* See redis_reply.h. hiredis calls back for each element, with the element that holds it. */
#include "events/redis_reply.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>

/* Of one reply, as bytes that wait for their end and as memory: 256 events of the largest payloads are less.
 */
#define REPLY_MAX ((size_t)64 * 1024 * 1024)

struct reply_reader {
	redisReader *hiredis;
	struct arena *arena;
	size_t left; /* that this reply may still take */
	const char *why;
};

static const struct redis_reply nil = {.kind = REPLY_NIL};

bool reply_is_error(const struct redis_reply *reply, const char *word)
{
	size_t len = strlen(word);

	return reply->kind == REPLY_ERROR && reply->text.len >= len &&
	       memcmp(reply->text.p, word, len) == 0 && (reply->text.p[len] == ' ' || reply->text.len == len);
}

const struct redis_reply *reply_member(const struct redis_reply *list, const char *name)
{
	if (list->kind != REPLY_LIST)
		return &nil;
	for (size_t i = 0; i + 1 < list->count; i += 2)
		if (list->items[i].kind == REPLY_TEXT && str_equal(list->items[i].text, str_from(name)))
			return &list->items[i + 1];
	return &nil;
}

/* --- hiredis's call-backs ------------------------------------------------------ */

static void *take(struct reply_reader *reader, size_t size)
{
	if (size > reader->left) {
		reader->why = "its answer is too long";
		return NULL;
	}
	reader->left -= size;
	return arena_alloc(reader->arena, size);
}

/* Its place in the list that holds it, or memory of its own. */
static struct redis_reply *element(const redisReadTask *task, enum reply_kind kind)
{
	struct redis_reply *list = task->parent != NULL ? task->parent->obj : NULL, *reply;

	reply = list != NULL ? &list->items[task->idx] : take(task->privdata, sizeof(*reply));
	if (reply != NULL)
		reply->kind = kind;
	return reply;
}

static void *on_text(const redisReadTask *task, char *text, size_t len)
{
	enum reply_kind kind = task->type == REDIS_REPLY_ERROR	  ? REPLY_ERROR
			       : task->type == REDIS_REPLY_STATUS ? REPLY_STATUS
								  : REPLY_TEXT;
	struct redis_reply *reply = element(task, kind);
	char *copy = take(task->privdata, len + 1);

	if (reply == NULL || copy == NULL)
		return NULL;
	memcpy(copy, text, len);
	reply->text = (struct str){copy, len};
	return reply;
}

static void *on_list(const redisReadTask *task, int count)
{
	struct redis_reply *reply = element(task, REPLY_LIST);

	if (reply == NULL)
		return NULL;
	reply->items = take(task->privdata, ((size_t)count + 1) * sizeof(*reply->items));
	reply->count = (size_t)count;
	return reply->items != NULL ? reply : NULL;
}

static void *on_number(const redisReadTask *task, long long number)
{
	struct redis_reply *reply = element(task, REPLY_NUMBER);

	if (reply != NULL)
		reply->number = number;
	return reply;
}

static void *on_nil(const redisReadTask *task)
{
	return element(task, REPLY_NIL);
}

static void on_free(void *reply)
{
	(void)reply; /* the arena's */
}

/* --- Bytes -------------------------------------------------------------------------- */

struct reply_reader *reply_reader_create(void)
{
	static redisReplyObjectFunctions functions = {on_text, on_list, on_number, on_nil, on_free};
	struct reply_reader *reader = calloc(1, sizeof(*reader));

	if (reader == NULL)
		return NULL;
	reader->hiredis = redisReaderCreateWithFunctions(&functions);
	if (reader->hiredis == NULL) {
		free(reader);
		return NULL;
	}
	reader->hiredis->privdata = reader;
	return reader;
}

void reply_reader_destroy(struct reply_reader *reader)
{
	if (reader == NULL)
		return;
	redisReaderFree(reader->hiredis);
	free(reader);
}

bool reply_reader_has_more(const struct reply_reader *reader)
{
	return reader->hiredis->len > reader->hiredis->pos;
}

bool reply_reader_feed(struct reply_reader *reader, const char *bytes, size_t len)
{
	if (reader->hiredis->len - reader->hiredis->pos + len > REPLY_MAX) {
		reader->why = "its answer is too long";
		return false;
	}
	if (redisReaderFeed(reader->hiredis, bytes, len) == REDIS_OK)
		return true;
	reader->why = reader->hiredis->errstr;
	return false;
}

bool reply_reader_next(struct reply_reader *reader, struct arena *arena, struct redis_reply **ret)
{
	void *reply;

	reader->arena = arena;
	if (reader->hiredis->ridx < 0)
		reader->left = REPLY_MAX;
	if (redisReaderGetReply(reader->hiredis, &reply) != REDIS_OK) {
		if (reader->why == NULL)
			reader->why = reader->hiredis->errstr;
		return false;
	}
	*ret = reply;
	return true;
}

const char *reply_reader_why(const struct reply_reader *reader)
{
	return reader->why;
}
