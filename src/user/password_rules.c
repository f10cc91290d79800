/* See password_rules.h. */
#include "user/password_rules.h"

#include "base/fold.h"
#include "user/common_passwords.h"

static bool is_uncommon(struct str password)
{
	uint64_t hash = common_password_hash(password.p, password.len);
	size_t low = 0, high = COMMON_PASSWORDS_COUNT;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (common_passwords[middle] == hash)
			return false;
		if (common_passwords[middle] < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return true;
}

const struct format format_password = {
	.name = "password",
	.valid = is_uncommon,
	.issue = ISSUE_COMMON_PASSWORD,
};

static bool is_same(struct arena *arena, const char *password, struct str known)
{
	const char *text = known.len > 0 ? arena_text(arena, known) : NULL;
	const char *one = text != NULL ? fold_text(arena, text) : NULL;
	const char *other = fold_text(arena, password);

	return one != NULL && other != NULL && strcmp(one, other) == 0;
}

bool password_is_personal(struct arena *arena, const char *password, const char *name, const char *email)
{
	struct str rest = str_from(email), local = str_cut(&rest, '@');

	return is_same(arena, password, str_from(name)) || is_same(arena, password, str_from(email)) ||
	       is_same(arena, password, local);
}
