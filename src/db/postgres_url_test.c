/* PostgreSQL URLs: which ways are safe, and that a mistyped one is refused before libpq can print parts of
 * it. */
#include "db/db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_transports(void **state)
{
	static const struct {
		const char *url;
		enum db_transport transport;
	} cases[] = {
		{"sqlite:/tmp/marca.db", DB_LOCAL},
		{"postgresql:///marca", DB_LOCAL},
		{"postgresql://localhost/marca", DB_LOCAL},
		{"postgresql://marca@127.0.0.1:5432/marca", DB_LOCAL},
		{"postgresql://marca@[::1]:5432/marca", DB_LOCAL},
		{"postgresql://%2Fvar%2Frun%2Fpostgresql/marca", DB_LOCAL},
		{"postgresql:///marca?host=/run/postgresql", DB_LOCAL},
		{"postgresql:///marca?host=@abstract", DB_LOCAL},
		{"postgresql://localhost,127.0.0.2/marca", DB_LOCAL},
		{"postgres://db.example.com/marca", DB_PLAIN},
		{"postgresql://db/marca?sslmode=prefer", DB_PLAIN},
		{"postgresql://db/marca?sslmode=allow", DB_PLAIN},
		{"postgresql://db/marca?sslmode=disable", DB_PLAIN},
		{"postgresql://db/marca?sslmode=require", DB_TLS_ONLY},
		{"postgresql://db/marca?sslmode=verify-ca", DB_TLS_VERIFIED},
		{"postgresql://u:p@db:1,db2:2/marca?sslmode=verify-full", DB_TLS_VERIFIED},
		{"postgresql://localhost,db/marca", DB_PLAIN},
		{"postgresql://localhost/marca?hostaddr=10.0.0.1", DB_PLAIN},
		{"postgresql://127.example.com/marca", DB_PLAIN},
		{"postgresql://localhost/marca?service=elsewhere", DB_PLAIN},
		{"postgresql://localhost.example.com/marca", DB_PLAIN},
	};
	const char *why;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		enum db_transport transport;

		if (!db_url_check(cases[i].url, &transport, &why) || transport != cases[i].transport)
			fail_msg("%s", cases[i].url);
	}
}

/* libpq heeds the environment where the URL is silent. */
static void test_environment(void **state)
{
	enum db_transport transport;
	const char *why;

	(void)state;
	setenv("PGHOST", "db.example.com", 1);
	assert_true(db_url_check("postgresql:///marca", &transport, &why));
	assert_int_equal(transport, DB_PLAIN);
	setenv("PGSSLMODE", "verify-full", 1);
	assert_true(db_url_check("postgresql:///marca", &transport, &why));
	assert_int_equal(transport, DB_TLS_VERIFIED);
	assert_true(db_url_check("postgresql:///marca?sslmode=disable", &transport, &why));
	assert_int_equal(transport, DB_PLAIN);
	unsetenv("PGHOST");
	unsetenv("PGSSLMODE");
}

static void test_mistyped(void **state)
{
	static const char *const urls[] = {
		"mysql://localhost/marca",
		"SECRETPART",
		"postgresql://marca:SECRET/PART@localhost/marca",
		"postgresql://marca:12/PART@localhost/marca",
		"postgresql://marca:SECRET@PART@localhost/marca",
		"postgresql://marca:SECRETPART%@localhost/marca",
		"postgresql://marca:SECRET%zzPART@localhost/marca",
		"postgresql://marca:SECRET PART/@localhost/marca",
		"postgresql://localhost:SECRETPART/marca",
		"postgresql://local host/marca",
		"postgresql://localhost/marca?SECRETPART",
		"postgresql://localhost/marca?SECRET=PART",
		"postgresql://[SECRETPART/marca",
		"postgresql://localhost/SECRET@PART",
	};
	enum db_transport transport;
	const char *why;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		why = NULL;
		if (db_url_check(urls[i], &transport, &why))
			fail_msg("%s", urls[i]);
		assert_non_null(why);
		assert_null(strstr(why, "SECRET"));
		assert_null(strstr(why, "PART"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_transports),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_mistyped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
