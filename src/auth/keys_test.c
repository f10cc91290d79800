/* The folder of keys, what a running process notices of it, and sealing. */
#include "auth/keys_test.h"

#include <sys/wait.h>

/* --- One key ---------------------------------------------------------------------- */

/* RFC 8037, A.1 to A.3: the private key, its public half, and the thumbprint. */
static void the_rfcs_key_has_its_thumbprint(void **state)
{
	static const unsigned char public_key[] =
		"\xd7\x5a\x98\x01\x82\xb1\x0a\xb7\xd5\x4b\xfe\xd3\xc9\x64\x07\x3a"
		"\x0e\xe1\x72\xf3\xda\xa6\x23\x25\xaf\x02\x1a\x68\xf7\x07\x51\x1a";
	unsigned char seed[KEY_SEED_BYTES];
	struct key key;

	(void)state;
	assert_true(base64url_exact(STR("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"), seed, sizeof(seed)));
	key_from_seed(KEY_SIGN, 0, seed, &key);
	assert_memory_equal(key.public_key, public_key, sizeof(key.public_key));
	assert_string_equal(key.kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

/* --- The folder ------------------------------------------------------------------- */

static struct stat stat_of(const struct bed *bed, const char *name)
{
	char path[256];
	struct stat stat_;

	snprintf(path, sizeof(path), "%s/%s", bed->folder, name);
	assert_int_equal(stat(path, &stat_), 0);
	return stat_;
}

static void the_first_start_makes_keys_for_nobody_else(void **state)
{
	struct bed *bed = *state;
	struct keys *keys = bed_keys(bed);

	assert_int_equal(stat_of(bed, "").st_mode & 0777, 0700);
	for (int kind = 0; kind < KEY_KINDS; kind++) {
		assert_int_equal(keys->sets[kind].count, 1);
		assert_int_equal(stat_of(bed, key_name(&keys->sets[kind].keys[0]).text).st_mode & 0777, 0600);
	}
	keys_destroy(keys);
}

static void a_second_start_has_the_same_keys(void **state)
{
	struct keys *one = bed_keys(*state), *two = bed_keys(*state);

	for (int kind = 0; kind < KEY_KINDS; kind++) {
		assert_int_equal(two->sets[kind].count, 1);
		assert_memory_equal(&one->sets[kind].keys[0], &two->sets[kind].keys[0], sizeof(struct key));
	}
	keys_destroy(one);
	keys_destroy(two);
}

/* Ten processes at once. */
static void many_first_starts_make_one_key(void **state)
{
	struct keys *keys;
	int status;

	for (int i = 0; i < 10; i++) {
		if (fork() == 0)
			_exit(keys_create(&((struct bed *)*state)->config, &((struct bed *)*state)->world,
					  KEYS_MAKE) == NULL);
	}
	for (int i = 0; i < 10; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	keys = bed_keys(*state);
	for (int kind = 0; kind < KEY_KINDS; kind++)
		assert_int_equal(keys->sets[kind].count, 1);
	keys_destroy(keys);
}

static void a_command_makes_nothing(void **state)
{
	struct bed *bed = *state;

	assert_null(keys_create(&bed->config, &bed->world, KEYS_FOUND));
	assert_int_equal(access(bed->folder, F_OK), -1);
}

static bool opens(const struct bed *bed)
{
	struct keys *keys = keys_create(&bed->config, &bed->world, KEYS_MAKE);
	bool good = keys != NULL;

	keys_destroy(keys);
	return good;
}

static void key_path(const struct bed *bed, enum key_kind kind, char ret[256])
{
	struct keys *keys = bed_keys(bed);

	snprintf(ret, 256, "%s/%s", bed->folder, key_name(keys_newest(keys, kind)).text);
	keys_destroy(keys);
}

static void what_others_can_read_is_refused(void **state)
{
	static const mode_t modes[] = {0640, 0604, 0620, 0602, 0610, 0666};
	struct bed *bed = *state;
	char path[256];

	key_path(bed, KEY_SIGN, path);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		assert_int_equal(chmod(path, modes[i]), 0);
		assert_false(opens(bed));
	}
	assert_int_equal(chmod(path, 0400), 0);
	assert_true(opens(bed));
	assert_int_equal(chmod(bed->folder, 0750), 0);
	assert_false(opens(bed));
	assert_int_equal(chmod(bed->folder, 0700), 0);
	assert_true(opens(bed));
}

static void put(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_TRUNC);

	assert_true(file >= 0);
	assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
	close(file);
}

static void a_file_that_is_no_key_is_refused(void **state)
{
	static const char *const contents[] = {
		"",
		"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2",	   /* cut off */
		"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",	   /* a key, but another */
		"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\n\n", /* more than a key */
		"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",	   /* another base64 */
	};
	struct bed *bed = *state;
	char path[256];

	key_path(bed, KEY_SIGN, path);
	for (size_t i = 0; i < ARRAY_LEN(contents); i++) {
		put(path, contents[i]);
		assert_false(opens(bed));
	}
}

static void other_files_are_nobodys_business(void **state)
{
	static const char *const names[] = {"README", ".new", "1-a.ed25519", "001764590400-kid.ed25519"};
	struct bed *bed = *state;
	char path[256];

	assert_true(opens(bed));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", bed->folder, names[i]);
		close(open(path, O_WRONLY | O_CREAT, 0666));
	}
	assert_true(opens(bed));
}

/* --- What a running process notices ------------------------------------------------- */

static void a_new_key_signs_at_once_and_the_old_one_stays(void **state)
{
	struct keys *keys = bed_keys(*state);
	struct key old = *keys_newest(keys, KEY_SIGN);

	assert_false(bed_refresh(keys));
	bed_rotate(*state, KEY_SIGN);
	assert_true(bed_refresh(keys));
	assert_int_equal(keys->sets[KEY_SIGN].count, 2);
	assert_string_not_equal(keys_newest(keys, KEY_SIGN)->kid, old.kid);
	assert_non_null(keys_by_kid(keys, KEY_SIGN, str_from(old.kid)));
	assert_false(bed_refresh(keys));
	keys_destroy(keys);
}

/* The change alone tells, without help. */
static void a_change_is_noticed_by_the_folders_time(void **state)
{
	struct keys *keys = bed_keys(*state);

	usleep(20000); /* another tick of the file system */
	bed_rotate(*state, KEY_SIGN);
	assert_true(keys_refresh(keys));
	assert_int_equal(keys->sets[KEY_SIGN].count, 2);
	keys_destroy(keys);
}

static void a_key_that_was_removed_is_gone(void **state)
{
	struct bed *bed = *state;
	struct keys *keys;
	struct key old;
	char path[256];

	key_path(bed, KEY_SIGN, path);
	bed_rotate(bed, KEY_SIGN);
	keys = bed_keys(bed);
	old = keys->sets[KEY_SIGN].keys[1];
	assert_int_equal(unlink(path), 0);
	assert_true(bed_refresh(keys));
	assert_int_equal(keys->sets[KEY_SIGN].count, 1);
	assert_null(keys_by_kid(keys, KEY_SIGN, str_from(old.kid)));
	keys_destroy(keys);
}

static void an_empty_or_lost_folder_changes_nothing(void **state)
{
	struct bed *bed = *state;
	struct keys *keys = bed_keys(bed);
	char path[256];

	key_path(bed, KEY_SIGN, path);
	unlink(path);
	assert_false(bed_refresh(keys));
	assert_int_equal(keys->sets[KEY_SIGN].count, 1);
	keys_destroy(keys);
}

/* A file that somebody opened to others while we run is left out; the rest is taken. */
static void a_bad_file_is_left_out_while_running(void **state)
{
	struct bed *bed = *state;
	struct keys *keys;
	char path[256];

	key_path(bed, KEY_SIGN, path);
	bed_rotate(bed, KEY_SIGN);
	keys = bed_keys(bed);
	assert_int_equal(chmod(path, 0644), 0);
	assert_true(bed_refresh(keys));
	assert_int_equal(keys->sets[KEY_SIGN].count, 1);
	keys_destroy(keys);
}

static void so_many_and_no_more(void **state)
{
	struct bed *bed = *state;
	struct keys *keys;
	struct key key;

	for (int i = 1; i < KEY_FOLDER_MAX; i++)
		bed_rotate(bed, KEY_SIGN);
	keys = bed_keys(bed);
	for (int i = 1; i < KEY_FOLDER_MAX; i++)
		assert_true(key_compare(&keys->sets[KEY_SIGN].keys[i - 1], &keys->sets[KEY_SIGN].keys[i]) <
			    0);
	assert_false(key_folder_add(&keys->folder, KEY_SIGN, &keys->sets[KEY_SIGN], &bed->world, &key));
	keys_destroy(keys);
}

/* --- SECRET_KEY, and the public set --------------------------------------------------- */

static void a_short_secret_key_is_refused(void **state)
{
	struct bed *bed = *state;

	bed->config.secret_key = &SECRET_64[1];
	assert_false(opens(bed));
	bed->config.secret_key = SECRET_64;
	assert_true(opens(bed));
}

static void the_public_set_is_public(void **state)
{
	struct bed *bed = *state;
	struct keys *keys;
	struct jwk_set set;
	const struct jwk *jwks;
	unsigned char x[crypto_sign_PUBLICKEYBYTES];

	bed->config.secret_key = SECRET_64;
	bed_rotate(bed, KEY_SIGN);
	keys = bed_keys(bed);
	assert_int_equal(keys_jwks(keys, &bed->arena, &set), RC_OK);
	assert_int_equal(set.keys.count, 2); /* neither SECRET_KEY nor what seals */
	jwks = set.keys.items;
	for (size_t i = 0; i < 2; i++) {
		const struct key *key = &keys->sets[KEY_SIGN].keys[i];

		assert_string_equal(jwks[i].kid, key->kid);
		assert_true(base64url_exact(str_from(jwks[i].x), x, sizeof(x)));
		assert_memory_equal(x, key->public_key, sizeof(x));
	}
	keys_destroy(keys);
}

/* --- Sealing ---------------------------------------------------------------------------- */

static void what_was_sealed_opens_at_its_place_alone(void **state)
{
	struct bed *bed = *state;
	struct keys *keys = bed_keys(bed);
	const char *sealed, *again, *opened;

	assert_int_equal(keys_seal(keys, &bed->arena, "provider:1", STR("s3cret"), &sealed), RC_OK);
	assert_int_equal(keys_seal(keys, &bed->arena, "provider:1", STR("s3cret"), &again), RC_OK);
	assert_string_not_equal(sealed, again);
	assert_null(strstr(sealed, "s3cret"));
	assert_int_equal(keys_open(keys, &bed->arena, "provider:1", sealed, &opened), RC_OK);
	assert_string_equal(opened, "s3cret");
	assert_int_equal(keys_open(keys, &bed->arena, "provider:2", sealed, &opened), RC_INTERNAL);
	assert_int_equal(keys_open(keys, &bed->arena, "", sealed, &opened), RC_INTERNAL);
	keys_destroy(keys);
}

static void sealed_text_that_was_changed_does_not_open(void **state)
{
	struct bed *bed = *state;
	struct keys *keys = bed_keys(bed);
	const char *sealed, *opened;
	char *text;

	assert_int_equal(keys_seal(keys, &bed->arena, "p", STR("s3cret"), &sealed), RC_OK);
	text = arena_text(&bed->arena, str_from(sealed));
	for (size_t i = 0; text[i] != '\0'; i++) {
		char right = text[i];

		text[i] = right == 'A' ? 'B' : 'A';
		assert_int_equal(keys_open(keys, &bed->arena, "p", text, &opened), RC_INTERNAL);
		text[i] = right;
	}
	for (size_t len = strlen(text); len-- > 0;) {
		text[len] = '\0';
		assert_int_equal(keys_open(keys, &bed->arena, "p", text, &opened), RC_INTERNAL);
	}
	keys_destroy(keys);
}

static void an_older_key_still_opens(void **state)
{
	struct bed *bed = *state;
	struct keys *keys = bed_keys(bed);
	const char *before, *after, *opened;

	assert_int_equal(keys_seal(keys, &bed->arena, "p", STR(""), &before), RC_OK);
	bed_rotate(bed, KEY_SEAL);
	assert_true(bed_refresh(keys));
	assert_int_equal(keys_seal(keys, &bed->arena, "p", STR("new"), &after), RC_OK);
	assert_memory_not_equal(before, after, KEY_KID_LEN);
	assert_int_equal(keys_open(keys, &bed->arena, "p", before, &opened), RC_OK);
	assert_string_equal(opened, "");
	assert_int_equal(keys_open(keys, &bed->arena, "p", after, &opened), RC_OK);
	keys_destroy(keys);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bed_open, bed_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_rfcs_key_has_its_thumbprint),
		TEST(the_first_start_makes_keys_for_nobody_else),
		TEST(a_second_start_has_the_same_keys),
		TEST(many_first_starts_make_one_key),
		TEST(a_command_makes_nothing),
		TEST(what_others_can_read_is_refused),
		TEST(a_file_that_is_no_key_is_refused),
		TEST(other_files_are_nobodys_business),
		TEST(a_new_key_signs_at_once_and_the_old_one_stays),
		TEST(a_change_is_noticed_by_the_folders_time),
		TEST(a_key_that_was_removed_is_gone),
		TEST(an_empty_or_lost_folder_changes_nothing),
		TEST(a_bad_file_is_left_out_while_running),
		TEST(so_many_and_no_more),
		TEST(a_short_secret_key_is_refused),
		TEST(the_public_set_is_public),
		TEST(what_was_sealed_opens_at_its_place_alone),
		TEST(sealed_text_that_was_changed_does_not_open),
		TEST(an_older_key_still_opens),
	};

	return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
