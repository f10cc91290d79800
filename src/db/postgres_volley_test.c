/* Which steps of a group go as one statement: postgres_volley.c. That they do what they do alone is in
 * db_test.c. */
#include "db/postgres.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka wants those before it. */
#include <cmocka.h>

#define SCRIPTS_MAX 8

/* By the letters that stand for them below. `b` looks for rows such as it adds. */
static const struct query queries[] = {
	{.name = "l", .together = ""},
	{.name = "b", .together = "", .looks_at_own = true},
	{.name = "e", .together = ""},
	{.name = "x"},
};

static const struct query *query_of(char letter)
{
	for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
		if (queries[i].name[0] == letter)
			return &queries[i];
	}
	return NULL;
}

static struct script scripts[SCRIPTS_MAX], *group[SCRIPTS_MAX];

/* "1lbe": a script of key 1, abreast; "-1lbe": not. */
static void read_script(struct script *script, const char *word)
{
	*script = (struct script){.steps = script->own, .abreast = *word != '-'};
	word += *word == '-';
	script->key.b[0] = (uint8_t)*word++;
	for (; *word != '\0'; word++)
		script->own[script->count++].query = query_of(*word);
}

static size_t read_group(const char *text)
{
	char word[16];
	size_t count = 0;
	int len;

	for (; sscanf(text, " %15s%n", word, &len) == 1; text += len) {
		assert_in_range(count, 0, SCRIPTS_MAX - 1);
		read_script(&scripts[count], word);
		group[count] = &scripts[count];
		count++;
	}
	return count;
}

/* "l3": l, for three inputs. */
static void check(const char *text, bool singly, const char *expected)
{
	struct pg_volleys volleys = {group, read_group(text), .singly = singly};
	struct pg_volley volley;
	char told[256] = "";
	size_t len = 0;

	while (pg_volley_next(&volleys, &volley))
		len += (size_t)snprintf(told + len, sizeof(told) - len, "%s%s%zu", len > 0 ? " " : "",
					volley.query->name, volley.count);
	assert_string_equal(told, expected);
}

static void test_abreast(void **state)
{
	(void)state;
	check("1lbe", false, "l1 b1 e1");
	check("1lbe 2lbe 3lbe", false, "l3 b3 e3");
	check("1lbe 2lbe 3lbe", true, "l1 b1 e1 l1 b1 e1 l1 b1 e1");
	/* Those of one key one after another: the second is to see what the first has made. */
	check("1lbe 1lbe 2lbe", false, "l1 b1 e1 l2 b2 e2");
	check("1lbe 2lbe 2lbe 3lbe", false, "l2 b2 e2 l2 b2 e2");
	/* Only those that say so, and are alike. */
	check("1lbe -2lbe 3lbe", false, "l1 b1 e1 l1 b1 e1 l1 b1 e1");
	check("1lbe 2lb 3lbe 4lbe", false, "l1 b1 e1 l1 b1 l2 b2 e2");
	check("1lxe 2lxe", false, "l1 x1 e1 l1 x1 e1");
	check("", false, "");
}

static void test_within_a_script(void **state)
{
	(void)state;
	check("-1llee", false, "l2 e2");
	check("-1leeex", false, "l1 e3 x1");
	check("-1leeex", true, "l1 e1 e1 e1 x1");
	check("-1lbb", false, "l1 b1 b1"); /* the second may be in the way of the first */
	check("-1xx", false, "x1 x1");
	check("1llee 2llee", false, "l2 l2 e2 e2"); /* across, and so not within */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_abreast),
		cmocka_unit_test(test_within_a_script),
	};

	return cmocka_run_group_tests_name("postgres_volley", tests, NULL, NULL);
}
