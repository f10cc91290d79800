/* Answers to the question where the master is, and such that are none. What real ones answer: tests/growing.
 */
#include "events/redis_master.h"
#include "json/arena_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct answer {
	enum redis_kind kind;
	struct str resp;
	const char *name; /* NULL: a refusal, with that reason */
	int port;
	const char *why;
};

#define RESP(text)                     \
	{                              \
		text, sizeof(text) - 1 \
	}
#define SLOTS(from, to, host, port) "*3\r\n:" from "\r\n:" to "\r\n*2\r\n" host "\r\n:" port "\r\n"

/* clang-format off */
static const struct answer answers[] = {
	{REDIS_SENTINELS, RESP("*2\r\n$8\r\n10.0.0.9\r\n$4\r\n7000\r\n"), "10.0.0.9", 7000, NULL},
	{REDIS_SENTINELS, RESP("*2\r\n$5\r\ncache\r\n$4\r\n6379\r\n"), "cache", 6379, NULL},
	{REDIS_SENTINELS, RESP("*-1\r\n"), NULL, 0, "no master of that name"},
	{REDIS_SENTINELS, RESP("$1\r\nx\r\n"), NULL, 0, "not as a sentinel"},
	{REDIS_SENTINELS, RESP("*2\r\n$1\r\nh\r\n:7000\r\n"), NULL, 0, "not as a sentinel"},
	{REDIS_SENTINELS, RESP("*2\r\n$1\r\nh\r\n$5\r\n70000\r\n"), NULL, 0, "not as a sentinel"},
	{REDIS_SENTINELS, RESP("*2\r\n$1\r\nh\r\n$1\r\nx\r\n"), NULL, 0, "not as a sentinel"},
	{REDIS_SENTINELS, RESP("*2\r\n$0\r\n\r\n$4\r\n7000\r\n"), NULL, 0, "not as a sentinel"},
	{REDIS_SENTINELS, RESP("*2\r\n$3\r\na\0b\r\n$4\r\n7000\r\n"), NULL, 0, "not as a sentinel"},
	{REDIS_SENTINELS, RESP("-ERR unknown command\r\n"), NULL, 0, "ERR unknown command"},
	{REDIS_CLUSTER, RESP("*2\r\n" SLOTS("0", "853", "$1\r\na", "1") SLOTS("854", "900", "$1\r\nb", "2")), "b", 2, NULL},
	{REDIS_CLUSTER, RESP("*2\r\n" SLOTS("0", "854", "$1\r\na", "1") SLOTS("855", "900", "$1\r\nb", "2")), "a", 1, NULL},
	{REDIS_CLUSTER, RESP("*1\r\n" SLOTS("0", "16383", "$-1", "7001")), "asked", 7001, NULL},
	{REDIS_CLUSTER, RESP("*1\r\n" SLOTS("0", "16383", "$0\r\n", "7001")), "asked", 7001, NULL},
	{REDIS_CLUSTER, RESP("*1\r\n" SLOTS("855", "16383", "$1\r\na", "1")), NULL, 0, "has the slot"},
	{REDIS_CLUSTER, RESP("*0\r\n"), NULL, 0, "has the slot"},
	{REDIS_CLUSTER, RESP("*1\r\n" SLOTS("0", "16383", "$1\r\na", "0")), NULL, 0, "not as a node"},
	{REDIS_CLUSTER, RESP("*1\r\n*1\r\n:0\r\n"), NULL, 0, "not as a node"},
	{REDIS_CLUSTER, RESP("*1\r\n:0\r\n"), NULL, 0, "not as a node"},
	{REDIS_CLUSTER, RESP("+OK\r\n"), NULL, 0, "not as a node"},
	{REDIS_CLUSTER, RESP("-ERR This instance has cluster support disabled\r\n"), NULL, 0, "cluster support disabled"},
};
/* clang-format on */

static void answers_are_read(void **state)
{
	const struct redis_host asked = {"asked", true, 1};
	struct arena arena;

	(void)state;
	arena_init(&arena, NULL);
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		const struct answer *answer = &answers[i];
		const struct redis_url url = {.kind = answer->kind};
		struct reply_reader *reader = reply_reader_create();
		struct redis_host host = {"untouched", true, 7};
		const char *why = "";
		struct redis_reply *reply;

		assert_true(reply_reader_feed(reader, answer->resp.p, answer->resp.len));
		assert_true(reply_reader_next(reader, &arena, &reply));
		assert_non_null(reply);
		if (redis_master_read(&url, &asked, reply, &host, &why) != (answer->name != NULL))
			fail_msg("%zu: %s", i, why);
		if (answer->name == NULL)
			assert_non_null(strstr(why, answer->why));
		assert_string_equal(host.name, answer->name != NULL ? answer->name : "untouched");
		assert_int_equal(host.port, answer->name != NULL ? answer->port : 7);
		reply_reader_destroy(reader);
	}
	arena_finish(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(answers_are_read)};

	arena_json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
