/* See redis_master.h. */
#include "events/redis_master.h"

#include <stdlib.h>

void redis_master_ask(const struct redis_url *url, struct redis_batch *batch)
{
	if (url->kind == REDIS_SENTINELS) {
		redis_begin(batch, "SENTINEL");
		redis_words(batch, "GET-MASTER-ADDR-BY-NAME", url->master, NULL);
	} else {
		redis_begin(batch, "CLUSTER");
		redis_words(batch, "SLOTS", NULL);
	}
}

/* Longer ones, and such with a NUL, are no names. */
static bool is_name(const struct redis_reply *reply)
{
	return reply->kind == REPLY_TEXT && reply->text.len > 0 && reply->text.len <= REDIS_HOST_MAX &&
	       strlen(reply->text.p) == reply->text.len;
}

static bool is_port(long long port)
{
	return port > 0 && port <= 65535;
}

/* [host, "port"] */
static bool read_sentinel(const struct redis_reply *reply, struct redis_host *ret, const char **ret_why)
{
	long long port;

	*ret_why = "the sentinels watch no master of that name";
	if (reply->kind == REPLY_NIL)
		return false;
	*ret_why = "it answers not as a sentinel";
	if (reply->kind != REPLY_LIST || reply->count != 2 || !is_name(&reply->items[0]) ||
	    reply->items[1].kind != REPLY_TEXT)
		return false;
	port = strtoll(reply->items[1].text.p, NULL, 10);
	if (!is_port(port))
		return false;
	*ret = redis_host_of(reply->items[0].text.p, (int)port);
	return true;
}

/* [[from, to, [host, port, ...], replicas ...], ...] */
static bool read_cluster(const struct redis_host *asked, const struct redis_reply *reply,
			 struct redis_host *ret, const char **ret_why)
{
	*ret_why = "it answers not as a node of a cluster";
	if (reply->kind != REPLY_LIST)
		return false;
	for (size_t i = 0; i < reply->count; i++) {
		const struct redis_reply *range = &reply->items[i], *node;

		if (range->kind != REPLY_LIST || range->count < 3 || range->items[0].kind != REPLY_NUMBER ||
		    range->items[1].kind != REPLY_NUMBER || range->items[2].kind != REPLY_LIST)
			return false;
		node = &range->items[2];
		if (range->items[0].number > REDIS_SLOT || range->items[1].number < REDIS_SLOT)
			continue;
		if (node->count < 2 || node->items[1].kind != REPLY_NUMBER || !is_port(node->items[1].number))
			return false;
		*ret = redis_host_of(is_name(&node->items[0]) ? node->items[0].text.p : asked->name,
				     (int)node->items[1].number);
		return true;
	}
	*ret_why = "no node of the cluster has the slot of {marca}";
	return false;
}

bool redis_master_read(const struct redis_url *url, const struct redis_host *asked,
		       const struct redis_reply *reply, struct redis_host *ret, const char **ret_why)
{
	if (reply->kind == REPLY_ERROR) {
		*ret_why = reply->text.p;
		return false;
	}
	return url->kind == REDIS_SENTINELS ? read_sentinel(reply, ret, ret_why)
					    : read_cluster(asked, reply, ret, ret_why);
}
