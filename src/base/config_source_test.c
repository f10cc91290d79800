/* The file of settings: what its lines may be, which one is at fault, and that the environment counts before
 * it. */
#include "base/config_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/marca-settings-XXXXXX";
static char path[64], said_path[64];

static enum setting_kind kind_of(const char *name)
{
	if (strcmp(name, "T_SECRET") == 0)
		return SETTING_SECRET;
	return name[0] == 'T' ? SETTING_PLAIN : SETTING_UNKNOWN;
}

/* With standard error in a file, of which `said` gets what was told. */
static bool opens(const char *content, size_t len, mode_t mode, char said[1024])
{
	FILE *out = fopen(path, "w");
	int old = dup(STDERR_FILENO);
	size_t count;
	bool good;

	assert_non_null(out);
	fwrite(content, 1, len, out);
	fclose(out);
	assert_int_equal(chmod(path, mode), 0);
	assert_non_null(freopen(said_path, "w", stderr));
	good = config_source_open(kind_of);
	fflush(stderr);
	dup2(old, STDERR_FILENO);
	close(old);
	out = fopen(said_path, "r");
	assert_non_null(out);
	count = fread(said, 1, 1023, out);
	said[count] = '\0';
	fclose(out);
	return good;
}

static const struct {
	const char *content;
	mode_t mode;
	const char *tell; /* NULL: it is fine */
} files[] = {
	{"", 0644, NULL},
	{"\n# a comment\n  # another = one\nT_A=1\nT_B = two words \nT_C=\nT_E=a=b # no comment\n\tT_D=3",
	 0644, NULL},
	{"T_SECRET=x\n", 0600, NULL},
	{"T_SECRET=x\n", 0640, NULL},
	{"T_A=1\nT_SECRET=x\n", 0604, "line 2: it is a secret, and everybody may read this file"},
	{"T_A=1\n\nT_B\n", 0644, "line 3: it is no KEY=VALUE"},
	{"=1\n", 0644, "line 1: it is no KEY=VALUE: KEY"},
	{"T A=1\n", 0644, "line 1: it is no KEY=VALUE: KEY"},
	{"export T_A=1\n", 0644, "line 1: it is no KEY=VALUE: KEY"},
	{"1T=1\n", 0644, "line 1: it is no KEY=VALUE: KEY"},
	{"X=1\n", 0644, "line 1: there is no such setting"},
	{"T_A=1\nT_B=2\nT_A=1\n", 0644, "line 3: it is set twice"},
	{"T_A=\nT_A=\n", 0644, "line 2: it is set twice"},
	{"T_A=\"1\"\n", 0644, "line 1: quotes are not taken away"},
	{"T_A='1'\n", 0644, "line 1: quotes are not taken away"},
	{"T_A=1\r\n", 0644, "line 1: it holds a control character"},
	{"T_A=\x1b[31m\n", 0644, "line 1: it holds a control character"},
	{"X=1\nT_A\n", 0644, "line 2: it is no KEY=VALUE"}, /* all faults at once */
};

static void test_lines(void **state)
{
	char said[1024];

	(void)state;
	setenv("MARCA_CONFIG_FILE", path, 1);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		bool good = opens(files[i].content, strlen(files[i].content), files[i].mode, said);

		if (good != (files[i].tell == NULL) ||
		    (files[i].tell != NULL && strstr(said, files[i].tell) == NULL) ||
		    (good && said[0] != '\0'))
			fail_msg("%zu: \"%s\" of:\n%s", i, said, files[i].content);
		if (strstr(files[i].content, "SECRET=x") != NULL)
			assert_null(strstr(said, "x\n"));
	}
	assert_false(opens("T_A=1\n\0T_B=2\n", 13, 0644, said));
	assert_non_null(strstr(said, "it is no text"));
}

static void test_size(void **state)
{
	char said[1024];
	char *large = malloc(CONFIG_SOURCE_BYTES_MAX + 1);

	(void)state;
	assert_non_null(large);
	memset(large, '#', CONFIG_SOURCE_BYTES_MAX + 1);
	assert_true(opens(large, CONFIG_SOURCE_BYTES_MAX, 0644, said));
	assert_false(opens(large, CONFIG_SOURCE_BYTES_MAX + 1, 0644, said));
	assert_non_null(strstr(said, "it is too long"));
	free(large);
}

static void test_values(void **state)
{
	char said[1024];

	(void)state;
	assert_true(opens(files[1].content, strlen(files[1].content), 0644, said));
	assert_string_equal(config_source_get("T_A"), "1");
	assert_string_equal(config_source_get("T_B"), "two words");
	assert_null(config_source_get("T_C"));
	assert_string_equal(config_source_get("T_D"), "3");
	assert_string_equal(config_source_get("T_E"), "a=b # no comment");
	assert_null(config_source_get("T_F"));
	setenv("T_A", "environment", 1);
	setenv("T_B", "", 1);
	assert_string_equal(config_source_get("T_A"), "environment");
	assert_string_equal(config_source_of_file("T_A"), "1");
	assert_string_equal(config_source_get("T_B"), "two words");
	config_source_close();
	assert_null(config_source_get("T_B"));
	assert_ptr_equal(config_source_keep("one"), config_source_keep("one"));
	assert_null(config_source_keep(NULL));
}

static void test_no_file(void **state)
{
	(void)state;
	unsetenv("MARCA_CONFIG_FILE");
	assert_true(config_source_open(kind_of));
	setenv("MARCA_CONFIG_FILE", "/nowhere/marca.conf", 1);
	assert_false(config_source_open(kind_of));
	setenv("MARCA_CONFIG_FILE", folder, 1);
	assert_false(config_source_open(kind_of));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_no_file),
	};
	int failed;

	if (mkdtemp(folder) == NULL)
		return EXIT_FAILURE;
	snprintf(path, sizeof(path), "%s/marca.conf", folder);
	snprintf(said_path, sizeof(said_path), "%s/said", folder);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	unlink(said_path);
	rmdir(folder);
	return failed;
}
