/* Each rule of posture.c both ways: what breaches it, and the nearest thing that does not. */
#include "app/posture.h"

#include "json/arena_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define GOOD_KEY "q0Zr8vXnW2mLk5TtYc9HbJdPfGs7RaEiUoV1wQzNxMlKjC3hB6gDyF4uIpOeSrTA"

static const struct config development = {.listen = "127.0.0.1:8000",
					  .environment = "development",
					  .public_url = "http://127.0.0.1:8000"};

static const struct config production = {
	.listen = "127.0.0.1:8000",
	.environment = "production",
	.public_url = "https://marca.example.com",
	.cors_origins = "https://app.example.com",
};

/* Development, but on an address that others reach. */
static const struct config exposed = {
	.listen = "0.0.0.0:8000",
	.environment = "development",
	.public_url = "http://192.168.0.2:8000",
	.cors_origins = "http://192.168.0.2:3000",
};

#define OF(member) offsetof(struct config, member)

struct answer {
	const struct config *base;
	size_t offset;
	const char *value;
	const char *variable; /* at fault; NULL: nothing is */
	bool warns;
};

static const struct answer answers[] = {
	{&development, OF(environment), "development", NULL},
	{&development, OF(environment), "Production", "ENVIRONMENT"},
	{&development, OF(environment), "", "ENVIRONMENT"},

	{&development, OF(auth), "optional", NULL},
	{&development, OF(auth), "required", NULL},
	{&development, OF(auth), "none", "MARCA_AUTH"},
	{&development, OF(auth), "Optional", "MARCA_AUTH"},
	{&exposed, OF(auth), NULL, NULL},
	{&exposed, OF(auth), "required", NULL},
	{&exposed, OF(auth), "optional", "MARCA_AUTH"},
	{&production, OF(auth), NULL, NULL},
	{&production, OF(auth), "optional", "MARCA_AUTH"},

	{&development, OF(secret_key), "secret", "SECRET_KEY"},
	{&exposed, OF(metrics_token), "fifteen letters", "METRICS_TOKEN"},
	{&development, OF(secret_key), "your-secret-key" GOOD_KEY, NULL},
	{&exposed, OF(secret_key), "secret", "SECRET_KEY"},
	{&production, OF(secret_key), NULL, NULL},
	{&production, OF(secret_key), GOOD_KEY, NULL},
	{&production, OF(secret_key), "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
	 NULL},
	{&production, OF(secret_key), "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a0",
	 "SECRET_KEY"},
	{&production, OF(secret_key), "your-secret-key" GOOD_KEY, "SECRET_KEY"},
	{&production, OF(secret_key), GOOD_KEY "CHANGEME", "SECRET_KEY"},
	{&production, OF(secret_key), "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	 "SECRET_KEY"},
	{&production, OF(secret_key), "Zr8vXnW2mLk5TtYc9HbJdZr8vXnW2mLk5TtYc9HbJdZr8vXnW2mLk5TtYc9HbJdZr8v",
	 "SECRET_KEY"},

	{&development, OF(cors_origins), NULL, NULL},
	{&exposed, OF(cors_origins), NULL, "CORS_ORIGINS"},
	{&production, OF(cors_origins), NULL, "CORS_ORIGINS"},

	{&development, OF(database_url), "postgresql://db/marca", NULL},
	{&development, OF(database_url), "mysql://db/marca", "DATABASE_URL"},
	{&development, OF(audit_database), "postgresql://marca:a/b@db/marca", "AUDIT_DATABASE_URL"},
	{&exposed, OF(database_url), "postgresql://db/marca", "DATABASE_URL"},
	{&production, OF(database_url), "sqlite:./marca.db", NULL},
	{&production, OF(database_url), "postgresql://marca@localhost/marca", NULL},
	{&production, OF(database_url), "postgresql:///marca?host=/run/postgresql", NULL},
	{&production, OF(database_url), "postgresql://db/marca", "DATABASE_URL"},
	{&production, OF(database_url), "postgresql://db/marca?sslmode=prefer", "DATABASE_URL"},
	{&production, OF(database_url), "postgresql://db/marca?sslmode=require", "DATABASE_URL", true},
	{&production, OF(database_url), "postgresql://db/marca?sslmode=verify-ca", NULL},
	{&production, OF(database_url), "postgresql://db/marca?sslmode=verify-full", NULL},
	{&production, OF(tenant_database), "postgresql://db/marca", "TENANT_DATABASE_URL"},
	{&production, OF(user_database), "postgresql://db/marca", "USER_DATABASE_URL"},
	{&production, OF(resource_database), "postgresql://db/marca", "RESOURCE_DATABASE_URL"},
	{&production, OF(booking_database), "postgresql://db/marca", "BOOKING_DATABASE_URL"},
	{&production, OF(audit_database), "postgresql://db/marca", "AUDIT_DATABASE_URL"},

	{&development, OF(database_replica), "postgresql://db2/marca", NULL},
	{&development, OF(database_replica), "sqlite:./marca.db", "DATABASE_REPLICA_URL"},
	{&development, OF(database_replica), "mysql://db2/marca", "DATABASE_REPLICA_URL"},
	{&exposed, OF(database_replica), "postgresql://db2/marca", "DATABASE_REPLICA_URL"},
	{&production, OF(database_replica), "postgresql://db2/marca?sslmode=require", "DATABASE_REPLICA_URL",
	 true},
	{&production, OF(database_replica), "postgresql://db2/marca?sslmode=verify-full", NULL},
	{&production, OF(tenant_replica), "postgresql://db2/marca", "TENANT_DATABASE_REPLICA_URL"},
	{&production, OF(user_replica), "postgresql://db2/marca", "USER_DATABASE_REPLICA_URL"},
	{&production, OF(resource_replica), "postgresql://db2/marca", "RESOURCE_DATABASE_REPLICA_URL"},
	{&production, OF(booking_replica), "postgresql://db2/marca", "BOOKING_DATABASE_REPLICA_URL"},
	{&production, OF(audit_replica), "postgresql://db2/marca", "AUDIT_DATABASE_REPLICA_URL"},

	{&development, OF(redis_url), "redis://cache", NULL},
	{&exposed, OF(redis_url), "redis://cache", "REDIS_URL"},
	{&production, OF(redis_url), "redis://:password@10.0.0.1:6379/1", "REDIS_URL"},
	{&production, OF(redis_url), "redis://127.0.0.1", NULL},
	{&production, OF(redis_url), "redis://[::1]:6379", NULL},
	{&production, OF(redis_url), "rediss://cache", NULL},
	{&production, OF(redis_url), "redis+sentinel://127.0.0.1,[::1]/m", NULL},
	{&production, OF(redis_url), "redis+sentinel://127.0.0.1,10.0.0.1/m", "REDIS_URL"},
	{&production, OF(redis_url), "redis+cluster://127.0.0.1,cache", "REDIS_URL"},
	{&production, OF(redis_url), "rediss+cluster://10.0.0.1,cache", NULL},

	{&development, OF(smtp_url), "smtp://mail.example.com:25", NULL},
	{&exposed, OF(smtp_url), "smtp://mail.example.com:25", "SMTP_URL"},
	{&production, OF(smtp_url), "smtp://user:pass@mail.example.com:25", "SMTP_URL"},
	{&production, OF(smtp_url), "smtp://localhost@mail.example.com:25", "SMTP_URL"},
	{&production, OF(smtp_url), "smtp://localhost:25", NULL},
	{&production, OF(smtp_url), "smtps://user:pass@mail.example.com", NULL},

	{&development, OF(smtp_url), "mail.example.com", "SMTP_URL"},
	{&development, OF(smtp_url), "https://mail.example.com", "SMTP_URL"},
	{&development, OF(smtp_url), "smtp://", "SMTP_URL"},

	{&development, OF(public_url), "marca.example.com", "PUBLIC_URL"},
	{&development, OF(public_url), "ftp://marca.example.com", "PUBLIC_URL"},
	{&exposed, OF(public_url), "http://marca.example.com", NULL},
	{&production, OF(public_url), "http://marca.example.com", "PUBLIC_URL"},
	{&production, OF(public_url), "http://127.0.0.1:8000", "PUBLIC_URL", true},
	{&production, OF(public_url), "https://marca.example.com", NULL},

	{&development, OF(confine), "off", NULL},
	{&exposed, OF(confine), "off", "MARCA_CONFINE", true},
	{&production, OF(confine), "off", "MARCA_CONFINE", true},
	{&production, OF(confine), "on", NULL},
	{&production, OF(confine), "required", NULL},

	{&development, OF(clock), "2025-12-01T12:00:00Z", NULL},
	{&exposed, OF(clock), "2025-12-01T12:00:00Z", NULL},
	{&production, OF(clock), "2025-12-01T12:00:00Z", "MARCA_CLOCK"},
};

static bool told(const struct answer *answer, const struct posture_fault *faults, size_t count)
{
	bool found = answer->variable == NULL && count == 0;

	for (size_t i = 0; i < count && answer->variable != NULL; i++)
		found |=
			strcmp(faults[i].variable, answer->variable) == 0 && faults[i].warns == answer->warns;
	return found;
}

static void test_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		const struct answer *answer = &answers[i];
		struct posture_fault faults[POSTURE_FAULTS_MAX];
		struct config config = *answer->base;

		memcpy((char *)&config + answer->offset, &answer->value, sizeof(answer->value));
		if (!told(answer, faults, posture_faults(&config, true, faults)))
			fail_msg("row %zu: %s", i, answer->value != NULL ? answer->value : "unset");
	}
}

/* Every setting that has a rule is seen to breach it above. */
static void test_all_at_once(void **state)
{
	struct config config = production;
	struct posture_fault faults[POSTURE_FAULTS_MAX];

	(void)state;
	config.auth = "optional";
	config.secret_key = "secret";
	config.cors_origins = NULL;
	config.database_url = "postgresql://db/marca";
	config.redis_url = "redis://cache";
	config.smtp_url = "smtp://mail";
	config.public_url = "http://marca.example.com";
	config.clock = "2025-12-01T12:00:00Z";
	assert_int_equal(posture_faults(&config, true, faults), 9); /* the key is both short and guessable */
	assert_false(posture_check(&config, true));
	/* A command talks to nobody but the stores. */
	assert_int_equal(posture_faults(&config, false, faults), 3);
	assert_string_equal(faults[0].variable, "DATABASE_URL");
	assert_string_equal(faults[1].variable, "REDIS_URL");
	assert_string_equal(faults[2].variable, "MARCA_CLOCK");
}

static void test_warning_starts(void **state)
{
	struct config config = production;

	(void)state;
	config.database_url = "postgresql://db/marca?sslmode=require";
	assert_true(posture_check(&config, true));
	config.database_url = NULL;
	assert_true(posture_check(&config, true));
	assert_true(posture_check(&development, true));
	assert_true(posture_check(&exposed, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_all_at_once),
		cmocka_unit_test(test_warning_starts),
	};

	arena_json_init(); /* redis_url.c decodes into the arena */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
