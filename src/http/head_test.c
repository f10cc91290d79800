/* The table of heads that head_scan() takes and refuses, each given whole and byte by byte. */
#include "http/head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct head_limits limits = {.bytes = 512, .headers = 8, .target = 64};

struct row {
	const char *text;
	enum rc rc;
};

#define H "GET / HTTP/1.1\r\nHost: a\r\n"

/* clang-format off */
static const struct row rows[] = {
	/* Good ones */
	{H "\r\n", RC_OK},
	{"\r\n" H "\r\n", RC_OK},
	{"GET / HTTP/1.0\r\n\r\n", RC_OK},
	{"GET / HTTP/1.1\r\nHost:\r\n\r\n", RC_OK},
	{"GET / HTTP/1.1\r\nhOsT: [::1]:8000\r\n\r\n", RC_OK},
	{"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", RC_OK},
	{"GET /a%20b?c[]=d&e='f'~(g) HTTP/1.1\r\nHost: a\r\n\r\n", RC_OK},
	{H "X: caf\xc3\xa9\tau lait\r\n\r\n", RC_OK},
	{H "X:\r\n\r\n", RC_OK},
	{H "Content-Length: 0\r\n\r\n", RC_OK},
	{H "Content-Length: \t 18446744073709551615 \t\r\n\r\n", RC_OK},
	{H "Transfer-Encoding: chunked\r\n\r\n", RC_OK},
	{H "Transfer-Encoding:Chunked \r\n\r\n", RC_OK},

	/* Line ends and control bytes */
	{"\r\n\r\n" H "\r\n", RC_MALFORMED},
	{"\n" H "\r\n", RC_MALFORMED},
	{"GET / HTTP/1.1\nHost: a\r\n\r\n", RC_MALFORMED},
	{H "X: a\n\r\n", RC_MALFORMED},
	{H "X: a\rb\r\n\r\n", RC_MALFORMED},
	{H "X: a\r\r\n\r\n", RC_MALFORMED},
	{H "\n", RC_MALFORMED},
	{H "X: a\x01\r\n\r\n", RC_MALFORMED},
	{H "X: a\x7f\r\n\r\n", RC_MALFORMED},
	{H "X: a\x0b\r\n\r\n", RC_MALFORMED},
	{H "X: a\r\n b\r\n\r\n", RC_MALFORMED},
	{H "X: a\r\n\tb\r\n\r\n", RC_MALFORMED},
	{"GET / HTTP/1.1\r\n Host: a\r\n\r\n", RC_MALFORMED},
	{H " \r\n\r\n", RC_MALFORMED},

	/* The request line */
	{" GET / HTTP/1.1\r\nHost: a\r\n\r\n", RC_MALFORMED},
	{"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", RC_MALFORMED},
	{"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", RC_MALFORMED},
	{"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", RC_BAD_VERSION},
	{"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", RC_MALFORMED},
	{"GET /\r\nHost: a\r\n\r\n", RC_MALFORMED},
	{"GET\r\nHost: a\r\n\r\n", RC_MALFORMED},
	{"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", RC_MALFORMED},
	{"GETGETGETGETGETGETGETGETGETGETGET / HTTP/1.1\r\nHost: a\r\n\r\n", RC_MALFORMED},
	{"GET / HTTP/1.2\r\nHost: a\r\n\r\n", RC_BAD_VERSION},
	{"GET / HTTP/2.0\r\nHost: a\r\n\r\n", RC_BAD_VERSION},
	{"GET / HTTP/01.1\r\nHost: a\r\n\r\n", RC_BAD_VERSION},
	{"GET / http/1.1\r\nHost: a\r\n\r\n", RC_MALFORMED},
	{"GET / ICY/1.1\r\nHost: a\r\n\r\n", RC_MALFORMED},
	{"PRI * HTTP/2.0\r\n\r\n", RC_BAD_VERSION},
	{"GET a HTTP/1.1\r\nHost: a\r\n\r\n", RC_MALFORMED},
	{"GET * HTTP/1.1\r\nHost: a\r\n\r\n", RC_MALFORMED},
	{"OPTIONS ** HTTP/1.1\r\nHost: a\r\n\r\n", RC_MALFORMED},
	{"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", RC_MALFORMED},
	{"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", RC_MALFORMED},
	{"GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", RC_MALFORMED},
	{"GET /\"a HTTP/1.1\r\nHost: a\r\n\r\n", RC_MALFORMED},
	{"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", RC_MALFORMED},
	{"GET /aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg HTTP/1.1\r\nHost: a\r\n\r\n", RC_URI_TOO_LONG},
	{"GET /aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhhhhhhhhiiiiiiiiiijjjjjjjjjjkkkk", RC_URI_TOO_LONG},

	/* Headers */
	{"GET / HTTP/1.1\r\n\r\n", RC_MALFORMED},
	{H "Host: a\r\n\r\n", RC_MALFORMED},
	{H "Host: b\r\n\r\n", RC_MALFORMED},
	{"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", RC_MALFORMED},
	{"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", RC_MALFORMED},
	{"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", RC_MALFORMED},
	{"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", RC_MALFORMED},
	{"GET / HTTP/1.1\r\nHost : a\r\n\r\n", RC_MALFORMED},
	{H ": a\r\n\r\n", RC_MALFORMED},
	{H "X\r\n\r\n", RC_MALFORMED},
	{H "X Y: a\r\n\r\n", RC_MALFORMED},
	{H "X\xc3\xa9: a\r\n\r\n", RC_MALFORMED},
	{H "1:\r\n2:\r\n3:\r\n4:\r\n5:\r\n6:\r\n7:\r\n\r\n", RC_OK},
	{H "1:\r\n2:\r\n3:\r\n4:\r\n5:\r\n6:\r\n7:\r\n8:\r\n\r\n", RC_HEAD_TOO_LARGE},

	/* How long the body is */
	{H "Content-Length:\r\n\r\n", RC_MALFORMED},
	{H "Content-Length: +1\r\n\r\n", RC_MALFORMED},
	{H "Content-Length: -1\r\n\r\n", RC_MALFORMED},
	{H "Content-Length: 0x1\r\n\r\n", RC_MALFORMED},
	{H "Content-Length: 1 1\r\n\r\n", RC_MALFORMED},
	{H "Content-Length: 1,1\r\n\r\n", RC_MALFORMED},
	{H "Content-Length: 1.0\r\n\r\n", RC_MALFORMED},
	{H "Content-Length: 18446744073709551616\r\n\r\n", RC_BODY_TOO_LARGE},
	{H "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", RC_MALFORMED},
	{H "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", RC_MALFORMED},
	{H "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", RC_MALFORMED},
	{H "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", RC_MALFORMED},
	{"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", RC_MALFORMED},
	{H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", RC_MALFORMED},
	{H "Transfer-Encoding: xchunked\r\n\r\n", RC_MALFORMED},
	{H "Transfer-Encoding: \"chunked\"\r\n\r\n", RC_MALFORMED},
	{H "Transfer-Encoding: chunked, identity\r\n\r\n", RC_MALFORMED},
	{H "Transfer-Encoding: chunked;q=1\r\n\r\n", RC_MALFORMED},
	{H "Transfer-Encoding: ,chunked\r\n\r\n", RC_MALFORMED},
	{H "Transfer-Encoding: \r\n\r\n", RC_MALFORMED},
	{H "Transfer-Encoding: identity\r\n\r\n", RC_MALFORMED},
	{H "Transfer-Encoding : chunked\r\n\r\n", RC_MALFORMED},
	{H "Transfer-Encoding: gzip, chunked\r\n\r\n", RC_NOT_IMPLEMENTED},
	{H "Transfer-Encoding: gzip,chunked\r\n\r\n", RC_NOT_IMPLEMENTED},
};
/* clang-format on */

static enum rc scan_bytewise(struct head *head, const char *text, size_t len)
{
	enum rc rc = RC_OK;

	for (size_t n = 1; n <= len && rc == RC_OK && !head->done; n++)
		rc = head_scan(head, &limits, text, n);
	return rc;
}

static void check(const struct row *row)
{
	struct head whole = {0}, bytewise = {0};
	size_t len = strlen(row->text);
	enum rc rc = head_scan(&whole, &limits, row->text, len);
	enum rc rc_bytewise = scan_bytewise(&bytewise, row->text, len);

	if (rc != row->rc || rc_bytewise != row->rc)
		print_error("%s\n", row->text);
	assert_string_equal(error_table[rc].name != NULL ? error_table[rc].name : "OK",
			    error_table[row->rc].name != NULL ? error_table[row->rc].name : "OK");
	assert_int_equal(rc_bytewise, row->rc);
	assert_int_equal(whole.done, row->rc == RC_OK);
	if (row->rc == RC_OK)
		assert_memory_equal(&whole, &bytewise, sizeof(whole));
}

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check(&rows[i]);
}

/* Every byte value in a header's value, and in the target. */
static void test_every_byte(void **state)
{
	char text[] = "GET /? HTTP/1.1\r\nHost: a\r\nX: a?b\r\n\r\n";
	const size_t len = sizeof(text) - 1;

	(void)state;
	for (int c = 0; c < 256; c++) {
		struct head head = {0};
		bool refused = (c < 0x20 && c != '\t') || c == 0x7f;

		text[30] = (char)c;
		assert_int_equal(head_scan(&head, &limits, text, len), refused ? RC_MALFORMED : RC_OK);
	}
	text[30] = 'a';
	for (int c = 0; c < 256; c++) {
		struct head head = {0};

		text[5] = (char)c;
		if (c <= ' ' || c >= 0x7f || strchr("\"#<>\\^`{|}", c) != NULL)
			assert_int_equal(head_scan(&head, &limits, text, len), RC_MALFORMED);
		else
			assert_int_equal(head_scan(&head, &limits, text, len), RC_OK);
	}
}

static void test_what_is_found(void **state)
{
	const char text[] = "\r\nPOST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 42\r\n\r\nbody";
	struct head head = {0};

	(void)state;
	assert_int_equal(head_scan(&head, &limits, text, sizeof(text) - 1), RC_OK);
	assert_true(head.done);
	assert_int_equal(head.at, sizeof(text) - 1 - 4);
	assert_int_equal(head.start, 2);
	assert_int_equal(head.method_len, 4);
	assert_memory_equal(text + head.target_at, "/a?b", head.target_len);
	assert_int_equal(head.target_len, 4);
	assert_int_equal(head.headers, 2);
	assert_int_equal(head.content_length, 42);
	assert_true(head.http_11);
	assert_false(head.chunked);
}

static void test_too_large(void **state)
{
	char text[600] = H "X: ";
	struct head head = {0}, done = {0};

	(void)state;
	memset(text + strlen(text), 'a', 500);
	assert_int_equal(head_scan(&head, &limits, text, 511), RC_OK);
	assert_false(head.done);
	assert_int_equal(head_scan(&head, &limits, text, 512), RC_HEAD_TOO_LARGE);
	memcpy(text + 509, "\r\n\r\n", 4);
	assert_int_equal(head_scan(&done, &limits, text, 513), RC_HEAD_TOO_LARGE);
	done = (struct head){0};
	memcpy(text + 508, "\r\n\r\n", 4);
	assert_int_equal(head_scan(&done, &limits, text, 513), RC_OK);
	assert_true(done.done);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_what_is_found),
		cmocka_unit_test(test_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
