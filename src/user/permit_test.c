/* Who may make, alter and remove whom: that nobody gets, or gives, what he does not hold. */
#include "user/permit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants those before it. */
#include <cmocka.h>

static const struct uuid tenant = {{1}}, me = {{2}}, other = {{3}};

static struct principal person(enum role role, unsigned rights)
{
	return (struct principal){.role = role, .rights = rights, .tenant_id = tenant, .user_id = me};
}

static struct user user(const struct uuid *id, enum user_type type, unsigned rights)
{
	return (struct user){
		.id = *id,
		.tenant_id = tenant,
		.name = "Ana",
		.email = "ana@exemplo.com",
		.user_type = type,
		.is_active = true,
		.permissions = {.can_book = (rights & RIGHT_BOOK) != 0,
				.can_manage_resources = (rights & RIGHT_RESOURCES) != 0,
				.can_manage_users = (rights & RIGHT_USERS) != 0,
				.can_view_all_bookings = (rights & RIGHT_VIEW) != 0},
	};
}

/* All sixteen sets of rights of the manager against all sixteen of the managed. */
static void test_managed(void **state)
{
	(void)state;
	for (unsigned holds = 0; holds <= RIGHTS_ALL; holds++) {
		const struct principal who = person(ROLE_USER, holds), admin = person(ROLE_ADMIN, RIGHTS_ALL);
		const struct user boss = user(&other, user_type_admin, 0);

		assert_int_equal(permit_user_managed(&who, &boss), RC_FORBIDDEN);
		assert_int_equal(permit_user_managed(&admin, &boss), RC_OK);
		for (unsigned has = 0; has <= RIGHTS_ALL; has++) {
			const struct user row = user(&other, user_type_user, has);
			bool may = (holds & RIGHT_USERS) != 0 && (has & ~holds) == 0;
			bool sees = may && (holds & RIGHT_VIEW) != 0;

			assert_int_equal(user_rights(&row), has);
			assert_int_equal(permit_user_managed(&who, &row), may ? RC_OK : RC_FORBIDDEN);
			assert_int_equal(permit_user_managed(&admin, &row), RC_OK);
			assert_int_equal(permit_user_exported(&who, &row), sees ? RC_OK : RC_FORBIDDEN);
			assert_int_equal(permit_user_exported(&admin, &row), RC_OK);
		}
	}
}

static void test_seen(void **state)
{
	const struct principal plain = person(ROLE_USER, RIGHTS_ALL & ~RIGHT_USERS),
			       manager = person(ROLE_USER, RIGHT_USERS);
	const struct principal key = {.role = ROLE_USER, .rights = RIGHT_BOOK, .tenant_id = tenant};

	(void)state;
	assert_true(permit_user_seen(&plain, &me));
	assert_false(permit_user_seen(&plain, &other));
	assert_true(permit_user_seen(&manager, &other));
	assert_false(permit_user_seen(&key, &other));
	assert_false(permit_user_seen(&key, &UUID_NONE));
}

static void name(struct user *row)
{
	row->name = "Eva";
}
static void phone(struct user *row)
{
	row->phone = "+55 11 91234-5678";
}
static void metadata(struct user *row)
{
	row->metadata = "{}";
}
static void nothing(struct user *row)
{
	(void)row;
}
static void email(struct user *row)
{
	row->email = "eva@exemplo.com";
}
static void department(struct user *row)
{
	row->department = "Recepção";
}
static void inactive(struct user *row)
{
	row->is_active = false;
}
static void admin(struct user *row)
{
	row->user_type = user_type_admin;
}
static void book(struct user *row)
{
	row->permissions.can_book = true;
}
static void resources(struct user *row)
{
	row->permissions.can_manage_resources = true;
}
static void users(struct user *row)
{
	row->permissions.can_manage_users = true;
}
static void view(struct user *row)
{
	row->permissions.can_view_all_bookings = true;
}

static const struct {
	void (*change)(struct user *row);
	bool by_self, by_manager; /* who holds can_manage_users and nothing else */
} changes[] = {
	{nothing, true, true}, {name, true, true},	  {phone, true, true},	   {metadata, true, true},
	{email, false, true},  {department, false, true}, {inactive, false, true}, {admin, false, false},
	{book, false, false},  {resources, false, false}, {users, false, true},	   {view, false, false},
};

static enum rc changed(const struct principal *who, const struct uuid *id, void (*change)(struct user *row),
		       unsigned has, bool sets_password)
{
	struct user old = user(id, user_type_user, has), row = old;

	change(&row);
	return permit_user_change(who, &old, &row, sets_password);
}

static void test_changes(void **state)
{
	const struct principal self = person(ROLE_USER, 0), manager = person(ROLE_USER, RIGHT_USERS),
			       boss = person(ROLE_ADMIN, RIGHTS_ALL);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		void (*change)(struct user *) = changes[i].change;

		assert_int_equal(changed(&self, &me, change, 0, false) == RC_OK, changes[i].by_self);
		assert_int_equal(changed(&self, &other, change, 0, false), RC_FORBIDDEN);
		assert_int_equal(changed(&manager, &other, change, 0, false) == RC_OK, changes[i].by_manager);
		assert_int_equal(changed(&manager, &me, change, RIGHT_USERS, false) == RC_OK,
				 changes[i].by_manager);
		assert_int_equal(changed(&boss, &other, change, RIGHTS_ALL, false), RC_OK);
		assert_int_equal(changed(&boss, &me, change, RIGHTS_ALL, false), RC_OK);
	}
}

/* One's own is changed where the old one is asked for; another's by whoever may alter him. */
static void test_passwords(void **state)
{
	const struct principal self = person(ROLE_USER, 0), manager = person(ROLE_USER, RIGHT_USERS),
			       boss = person(ROLE_ADMIN, RIGHTS_ALL),
			       operator= {.role = ROLE_OPERATOR, .rights = RIGHTS_ALL};

	(void)state;
	assert_int_equal(changed(&self, &me, nothing, 0, true), RC_FORBIDDEN);
	assert_int_equal(changed(&manager, &me, nothing, RIGHT_USERS, true), RC_FORBIDDEN);
	assert_int_equal(changed(&boss, &me, nothing, RIGHTS_ALL, true), RC_FORBIDDEN);
	assert_int_equal(changed(&manager, &other, nothing, 0, true), RC_OK);
	assert_int_equal(changed(&manager, &other, nothing, RIGHT_VIEW, true), RC_FORBIDDEN);
	assert_int_equal(changed(&boss, &other, nothing, RIGHTS_ALL, true), RC_OK);
	assert_int_equal(changed(&operator, & me, nothing, RIGHTS_ALL, true), RC_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_managed),
		cmocka_unit_test(test_seen),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_passwords),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
