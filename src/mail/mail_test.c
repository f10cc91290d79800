/* A letter's lines, and that no text breaks out of where it stands. tests/auth/test_mail.py reads them as
 * others do. */
#include "mail/mail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants those before it. */
#include <cmocka.h>

static const struct mail plain = {
	.from = "marca@example.com",
	.to = "ana@example.com",
	.subject = "Hi",
	.text = "One\nTwo\n",
	.id = {{1, 2, 3}},
	.date = INT64_C(1764590405) * 1000000, /* 2025-12-01T12:00:05Z, a Monday */
};

static struct str written(struct arena *arena, const struct mail *mail)
{
	struct str text;

	assert_int_equal(mail_write(arena, mail, &text), RC_OK);
	return text;
}

static void test_a_plain_one(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, NULL);
	assert_string_equal(written(&arena, &plain).p,
			    "Date: Mon, 1 Dec 2025 12:00:05 +0000\r\n"
			    "From: <marca@example.com>\r\n"
			    "To: <ana@example.com>\r\n"
			    "Subject: =?UTF-8?B?SGk=?=\r\n"
			    "Message-ID: <01020300-0000-0000-0000-000000000000@example.com>\r\n"
			    "Auto-Submitted: auto-generated\r\n"
			    "MIME-Version: 1.0\r\n"
			    "Content-Type: text/plain; charset=utf-8\r\n"
			    "Content-Transfer-Encoding: base64\r\n"
			    "\r\n"
			    "T25lDQpUd28NCg==\r\n");
	arena_finish(&arena);
}

/* Whatever stands in subject and text: lines of at most 76 bytes of ASCII, ended by \r\n. */
static void check_lines(struct str text)
{
	size_t line = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] == '\n') {
			assert_true(i > 0 && text.p[i - 1] == '\r');
			line = 0;
			continue;
		}
		if (text.p[i] == '\r')
			assert_true(i + 1 < text.len && text.p[i + 1] == '\n');
		assert_true((unsigned char)text.p[i] < 0x80);
		assert_true(++line <= 77);
	}
	assert_int_equal(line, 0);
}

static void test_any_text(void **state)
{
	static const char *const parts[] = {"a",  "\n", "\r\n", ".\r\n",    "ç",	   "\xf0\x9f\x94\x91",
					    ": ", "?=", "=?",	"\nBcc: x", "\n.\nQUIT\n", " "};
	char text[1024];

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		struct mail mail = plain;
		struct arena arena;
		size_t len = 0, pieces = round % 97;
		unsigned seed = round;

		for (size_t i = 0; i < pieces; i++) {
			const char *part =
				parts[(seed = seed * 1103515245 + 12345) / 65536 % ARRAY_LEN(parts)];

			memcpy(text + len, part, strlen(part));
			len += strlen(part);
		}
		text[len] = '\0';
		mail.subject = mail.text = text;
		arena_init(&arena, NULL);
		check_lines(written(&arena, &mail));
		arena_finish(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_plain_one),
		cmocka_unit_test(test_any_text),
	};

	return cmocka_run_group_tests_name("mail", tests, NULL, NULL);
}
