/* Secrets: their three sources, that none is taken twice, and that nothing shows them afterwards. */
#include "base/secret.h"

#include "base/log.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define CANARY "canary-7f3a9c"

static char folder[] = "/tmp/marca-secret-XXXXXX";

/* A file of that content and mode; its path is valid until the next call. */
static const char *file(const char *name, const char *content, mode_t mode)
{
	static char path[256];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	unlink(path);
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(content, out);
	fclose(out);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

static void expect(const char *variable, const char *value)
{
	const char *got = "";

	assert_true(secret_read(variable, &got));
	if (value == NULL)
		assert_null(got);
	else
		assert_string_equal(got, value);
}

static void test_environment(void **state)
{
	(void)state;
	expect("T_NONE", NULL);
	setenv("T_EMPTY", "", 1);
	expect("T_EMPTY", NULL);
	setenv("T_ENV", CANARY, 1);
	expect("T_ENV", CANARY);
	assert_null(getenv("T_ENV"));
	expect("T_ENV", CANARY); /* though it is gone from there */
	setenv("T_ENV", CANARY "2", 1);
	expect("T_ENV", CANARY "2");
}

static void test_file(void **state)
{
	static const struct {
		const char *content, *value;
	} good[] = {
		{CANARY, CANARY},
		{CANARY "\n", CANARY},
		{CANARY "\r\n", CANARY},
		{" " CANARY " \n", " " CANARY " "},
		{"é", "é"},
	};
	static const char *const bad[] = {"",		"\n", "\r\n\n", CANARY "\n\n", CANARY "\nmore\n",
					  CANARY "\x01"};
	const char *got = "unchanged";
	char name[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		setenv("T_FILE_FILE", file("good", good[i].content, 0400), 1);
		expect("T_FILE", good[i].value);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		snprintf(name, sizeof(name), "bad%zu", i);
		setenv("T_BAD_FILE", file(name, bad[i], 0600), 1);
		assert_false(secret_read("T_BAD", &got));
	}
	assert_string_equal(got, "unchanged");
}

static void test_who_may_read(void **state)
{
	static const struct {
		mode_t mode;
		bool good;
	} cases[] = {{0400, true}, {0600, true}, {0640, true}, {0604, false}, {0444, false}, {0602, false}};
	const char *got;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		setenv("T_MODE_FILE", file("mode", CANARY, cases[i].mode), 1);
		assert_int_equal(secret_read("T_MODE", &got), cases[i].good);
	}
	setenv("T_MODE_FILE", "/nowhere/at/all", 1);
	assert_false(secret_read("T_MODE", &got));
	setenv("T_MODE_FILE", folder, 1);
	assert_false(secret_read("T_MODE", &got));
	setenv("T_MODE_FILE", "/dev/zero", 1);
	assert_false(secret_read("T_MODE", &got));
}

static void test_size(void **state)
{
	char text[SECRET_BYTES_MAX + 2];
	const char *got;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[SECRET_BYTES_MAX + 1] = '\0';
	setenv("T_SIZE_FILE", file("size", text, 0400), 1);
	assert_false(secret_read("T_SIZE", &got));
	text[SECRET_BYTES_MAX] = '\0';
	setenv("T_SIZE_FILE", file("size", text, 0400), 1);
	assert_true(secret_read("T_SIZE", &got));
	assert_int_equal(strlen(got), SECRET_BYTES_MAX);
}

static void test_credential(void **state)
{
	(void)state;
	setenv("CREDENTIALS_DIRECTORY", folder, 1);
	file("T_CREDENTIAL", CANARY "\n", 0400);
	expect("T_CREDENTIAL", CANARY);
	expect("T_NO_CREDENTIAL", NULL);
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void test_two_sources(void **state)
{
	const char *got;

	(void)state;
	setenv("T_TWO", CANARY, 1);
	setenv("T_TWO_FILE", file("two", CANARY, 0400), 1);
	assert_false(secret_read("T_TWO", &got));
	unsetenv("T_TWO_FILE");
	setenv("T_TWO", CANARY, 1);
	file("T_TWO", CANARY, 0400);
	setenv("CREDENTIALS_DIRECTORY", folder, 1);
	assert_false(secret_read("T_TWO", &got));
	unsetenv("CREDENTIALS_DIRECTORY");
}

/* What one log line says. */
static const char *logged(const char *text)
{
	static char line[4096];
	int ends[2], kept = dup(STDERR_FILENO);
	ssize_t len;

	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	LOG(ERROR, "a library says", LOG_TEXT("said", text));
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(ends[1]);
	len = read(ends[0], line, sizeof(line) - 1);
	close(ends[0]);
	assert_true(len > 0);
	line[len] = '\0';
	return line;
}

static void test_log_masks(void **state)
{
	(void)state;
	secret_hide("postgresql://marca:pass%2Fword1@db/marca?sslmode=require&sslpassword=of-the-key");
	secret_hide("redis://:rediss3cret@cache");
	secret_hide("a whole secret");
	assert_null(strstr(logged("password \"pass%2Fword1\" is wrong"), "word1"));
	assert_null(strstr(logged("password \"pass/word1\" is wrong"), "word1"));
	assert_null(strstr(logged("of-the-key"), "of-the"));
	assert_null(strstr(logged("x rediss3cretrediss3cret y"), "s3c"));
	assert_null(strstr(logged("a whole secret"), "whole"));
	assert_non_null(strstr(logged("x a whole secret y"), "x *** y"));
	/* Neither the user, nor the host, nor what only resembles it. */
	assert_non_null(strstr(logged("marca at db: a whole secre"), "marca at db: a whole secre"));
}

/* Too short to be masked without making the log unreadable. */
static void test_short_ones_stay(void **state)
{
	(void)state;
	secret_hide("redis://:error@cache");
	assert_non_null(strstr(logged("x"), "error"));
	assert_non_null(strstr(logged("an error"), "an error"));
}

static int set_up(void **state)
{
	(void)state;
	log_init(LOG_LEVEL_DEBUG, 0);
	return mkdtemp(folder) == NULL;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
	(void)info;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static int tear_down(void **state)
{
	(void)state;
	return nftw(folder, remove_one, 4, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_environment),  cmocka_unit_test(test_file),
		cmocka_unit_test(test_who_may_read), cmocka_unit_test(test_size),
		cmocka_unit_test(test_credential),   cmocka_unit_test(test_two_sources),
		cmocka_unit_test(test_log_masks),    cmocka_unit_test(test_short_ones_stay),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
