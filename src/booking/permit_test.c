/* Who may do what with which booking: every kind of principal against his own booking and another's. */
#include "booking/permit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants those before it. */
#include <cmocka.h>

#define TENANT            \
	{                 \
		{         \
			1 \
		}         \
	}
#define ME                \
	{                 \
		{         \
			2 \
		}         \
	}

static const struct uuid me = ME, other = {{3}}, nobody = {{0}};

enum who { OPERATOR, ADMIN, PLAIN, BOOKS, VIEWS, KEY, KEY_BOOKS, KEY_VIEWS, ADMIN_KEY, ANYONE, WHO_COUNT };

static const struct principal principals[WHO_COUNT] = {
	[OPERATOR] = {.role = ROLE_OPERATOR, .rights = RIGHTS_ALL},
	[ADMIN] = {.role = ROLE_ADMIN, .rights = RIGHTS_ALL, .tenant_id = TENANT, .user_id = ME},
	[PLAIN] = {.role = ROLE_USER, .tenant_id = TENANT, .user_id = ME},
	[BOOKS] = {.role = ROLE_USER, .rights = RIGHT_BOOK, .tenant_id = TENANT, .user_id = ME},
	[VIEWS] = {.role = ROLE_USER, .rights = RIGHT_VIEW, .tenant_id = TENANT, .user_id = ME},
	[KEY] = {.role = ROLE_USER, .rights = RIGHT_RESOURCES | RIGHT_USERS, .tenant_id = TENANT},
	[KEY_BOOKS] = {.role = ROLE_USER, .rights = RIGHT_BOOK, .tenant_id = TENANT},
	[KEY_VIEWS] = {.role = ROLE_USER, .rights = RIGHT_VIEW, .tenant_id = TENANT},
	[ADMIN_KEY] = {.role = ROLE_ADMIN, .rights = RIGHTS_ALL, .tenant_id = TENANT},
	[ANYONE] = {.role = ROLE_ANYONE},
};

struct expected {
	bool acts_for_self, acts_for_other, sees_self, sees_other, confirms;
};

static const struct expected table[WHO_COUNT] = {
	[OPERATOR] = {true, true, true, true, true},   [ADMIN] = {true, true, true, true, true},
	[PLAIN] = {true, false, true, false, false},   [BOOKS] = {true, false, true, false, false},
	[VIEWS] = {true, false, true, true, false},    [KEY] = {false, false, false, false, false},
	[KEY_BOOKS] = {true, true, true, true, false}, [KEY_VIEWS] = {false, false, true, true, false},
	[ADMIN_KEY] = {true, true, true, true, true},  [ANYONE] = {false, false, false, false, false},
};

static void test_table(void **state)
{
	(void)state;
	for (int i = 0; i < WHO_COUNT; i++) {
		const struct principal *who = &principals[i];
		const struct expected *expected = &table[i];

		assert_int_equal(permit_acts_for(who, &me), expected->acts_for_self);
		assert_int_equal(permit_acts_for(who, &other), expected->acts_for_other);
		assert_int_equal(permit_sees(who, &me), expected->sees_self);
		assert_int_equal(permit_sees(who, &other), expected->sees_other);
		assert_int_equal(permit_status(who, booking_status_confirmado) == RC_OK, expected->confirms);
		assert_int_equal(permit_status(who, booking_status_concluido) == RC_OK, expected->confirms);
		assert_int_equal(permit_status(who, booking_status_sem_dados) == RC_OK, expected->confirms);
		assert_int_equal(permit_status(who, booking_status_cancelado), RC_OK);
	}
}

/* Whose bookings the list shows: everybody's, one's own, or none but a 403. */
static void test_lists(void **state)
{
	static const struct {
		enum who who;
		const struct uuid *asked, *shown;
		enum rc rc;
	} lists[] = {
		{OPERATOR, NULL, NULL, RC_OK},
		{OPERATOR, &other, &other, RC_OK},
		{ADMIN, NULL, NULL, RC_OK},
		{ADMIN, &other, &other, RC_OK},
		{VIEWS, NULL, NULL, RC_OK},
		{VIEWS, &other, &other, RC_OK},
		{PLAIN, NULL, &me, RC_OK},
		{PLAIN, &me, &me, RC_OK},
		{PLAIN, &other, NULL, RC_FORBIDDEN},
		{PLAIN, &nobody, NULL, RC_FORBIDDEN},
		{KEY_VIEWS, NULL, NULL, RC_OK},
		{KEY_BOOKS, NULL, NULL, RC_FORBIDDEN},
		{KEY_BOOKS, &nobody, NULL, RC_FORBIDDEN},
		{KEY, &other, NULL, RC_FORBIDDEN},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const struct uuid *shown = NULL;

		assert_int_equal(permit_list(&principals[lists[i].who], lists[i].asked, &shown), lists[i].rc);
		assert_true((shown == NULL) == (lists[i].shown == NULL));
		assert_true(shown == NULL || uuid_equal(shown, lists[i].shown));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
