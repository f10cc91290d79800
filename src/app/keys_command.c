/*
 * marca keys -- lists, adds and removes the keys of MARCA_KEYS; marca token -- a token for whoever runs
 * marca. Both work on the folder alone, beside running servers, which see what changed at their next token.
 */
#include "app/app.h"
#include "app/commands.h"
#include "auth/keyring.h"
#include "auth/token.h"
#include "json/shape.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MINUTES_DEFAULT 60
#define MINUTES_MAX	((int64_t)(TOKEN_LIFE / UTIME_MINUTE))

struct options {
	const char *kid;
	bool json, seal, force;
	int64_t minutes;
};

struct run {
	struct app app;
	struct options options;
	struct arena arena;
	struct ctx cx;
	struct keys *keys;
};

struct verb {
	const char *name;
	const char *options; /* those that it takes */
	bool takes_kid;
	enum keys_mode mode;
	bool (*fn)(struct run *run);
};

/* --- list -------------------------------------------------------------------------- */

/* clang-format off */
#define KEY_LINE(F, T)                                                                    \
	F(T, TEXT,    kid,        REQUIRED, "Its id.")                                     \
	F(T, TEXT,    algorithm,  REQUIRED, "EdDSA signs tokens, XChaCha20-Poly1305 seals.") \
	F(T, INSTANT, created_at, REQUIRED, "Since when.")                                 \
	F(T, BOOL,    newest,     REQUIRED, "This one signs, or seals.")
SHAPE_DECLARE(key_line, KEY_LINE);
SHAPE_DEFINE(key_line, KEY_LINE);
/* clang-format on */

static const struct {
	const char *algorithm, *newest, *older;
} kinds[KEY_KINDS] = {
	[KEY_SIGN] = {"EdDSA", "signs", "verifies"},
	[KEY_SEAL] = {"XChaCha20-Poly1305", "seals", "opens"},
};

static bool list_key(struct run *run, const struct key *key, bool newest)
{
	const struct key_line line = {.kid = key->kid,
				      .algorithm = kinds[key->kind].algorithm,
				      .created_at = key->created * UTIME_SECOND,
				      .newest = newest};
	char created[UTIME_TEXT_MAX];

	if (run->options.json)
		return command_print_json(&run->cx, &key_line_shape, &line) == RC_OK;
	utime_text(created, line.created_at, 0, true);
	printf("%s  %-18s  %s  %s\n", line.kid, line.algorithm, created,
	       newest ? kinds[key->kind].newest : kinds[key->kind].older);
	return true;
}

static bool verb_list(struct run *run)
{
	bool good = true;

	for (int kind = 0; kind < KEY_KINDS; kind++)
		for (size_t i = 0; i < run->keys->sets[kind].count && good; i++)
			good = list_key(run, &run->keys->sets[kind].keys[i], i == 0);
	return good;
}

/* --- rotate, remove ------------------------------------------------------------------ */

static bool verb_rotate(struct run *run)
{
	enum key_kind kind = run->options.seal ? KEY_SEAL : KEY_SIGN;
	struct key key;
	bool good = key_folder_lock(&run->keys->folder);

	if (good) {
		keys_refresh(run->keys);
		good = key_folder_add(&run->keys->folder, kind, &run->keys->sets[kind], &run->app.world,
				      &key);
		key_folder_unlock(&run->keys->folder);
	}
	if (good)
		printf("%s\n", key.kid);
	sodium_memzero(&key, sizeof(key));
	return good;
}

static const struct key *find_key(const struct run *run)
{
	struct str kid = str_from(run->options.kid);
	const struct key *key = keys_by_kid(run->keys, KEY_SIGN, kid);

	return key != NULL ? key : keys_by_kid(run->keys, KEY_SEAL, kid);
}

/* Why it has to stay; NULL: it may go. */
static const char *remove_fault(const struct run *run, const struct key *key)
{
	if (key == NULL)
		return "there is no such key; `marca keys list` tells them";
	if (run->keys->sets[key->kind].count == 1)
		return key->kind == KEY_SIGN
			       ? "it is the only key that signs; `marca keys rotate` first"
			       : "it is the only key that seals; `marca keys rotate --seal` first";
	if (key->kind == KEY_SEAL && !run->options.force)
		return "what it has sealed (secrets of identity providers) can never be opened again; "
		       "--force "
		       "if nothing is left of that";
	return NULL;
}

static bool remove_key(const struct run *run)
{
	const struct key *key = find_key(run);
	const char *fault = remove_fault(run, key);
	int folder = run->keys->folder.fd;

	if (fault != NULL) {
		fprintf(stderr, "marca: %s: %s\n", run->options.kid, fault);
		return false;
	}
	if (unlinkat(folder, key_name(key).text, 0) == 0 && fsync(folder) == 0)
		return true;
	fprintf(stderr, "marca: %s cannot be removed: %s\n", run->options.kid, strerror(errno));
	return false;
}

static bool verb_remove(struct run *run)
{
	bool good = key_folder_lock(&run->keys->folder);

	if (good) {
		keys_refresh(run->keys);
		good = remove_key(run);
		key_folder_unlock(&run->keys->folder);
	}
	return good;
}

/* --- token --------------------------------------------------------------------------- */

static bool verb_token(struct run *run)
{
	const struct token_claims claims = {
		.is_operator = true,
		.id = uuid_v7(run->cx.world, run->cx.now),
		.issued_at = run->cx.now,
		.expires_at = run->cx.now + run->options.minutes * UTIME_MINUTE,
	};
	const char *token;

	if (token_sign(run->keys, run->cx.arena, &claims, &token) != RC_OK)
		return false;
	printf("%s\n", token);
	return true;
}

/* --- The command line ------------------------------------------------------------------ */

static const struct verb keys_verbs[] = {
	{"list", "json", false, KEYS_FOUND, verb_list},
	{"rotate", "seal", false, KEYS_MAKE, verb_rotate},
	{"remove", "force", true, KEYS_FOUND, verb_remove},
};

static const struct verb token_verb = {"token", "minutes", false, KEYS_FOUND, verb_token};

static bool take_minutes(struct options *options, const char *text)
{
	char *end;

	errno = 0;
	options->minutes = strtoll(text, &end, 10);
	if (errno == 0 && end != text && *end == '\0' && options->minutes >= 1 &&
	    options->minutes <= MINUTES_MAX)
		return true;
	fprintf(stderr, "marca: --minutes %s: must be a whole number from 1 to %lld\n", text,
		(long long)MINUTES_MAX);
	return false;
}

/* One option of `verb`, and how many words it took; 0: it has none such. */
static int take_option(const struct verb *verb, struct config *config, struct options *options, int argc,
		       char **argv)
{
	const char *name = argv[0] + 2;

	if (strcmp(argv[0], "--data") == 0 && argc > 1) {
		config->data = argv[1];
		return 2;
	}
	if (strncmp(argv[0], "--", 2) != 0 || strcmp(verb->options, name) != 0)
		return 0;
	if (strcmp(name, "minutes") == 0)
		return argc > 1 && take_minutes(options, argv[1]) ? 2 : 0;
	options->json |= strcmp(name, "json") == 0;
	options->seal |= strcmp(name, "seal") == 0;
	options->force |= strcmp(name, "force") == 0;
	return 1;
}

static bool take_options(const struct verb *verb, struct config *config, struct options *options, int argc,
			 char **argv)
{
	int at = 0;

	if (verb->takes_kid && argc > 0)
		options->kid = argv[at++]; /* it may begin with a dash */
	while (at < argc) {
		int taken = take_option(verb, config, options, argc - at, argv + at);

		if (taken == 0)
			return false;
		at += taken;
	}
	return !verb->takes_kid || options->kid != NULL;
}

static int run_verb(const struct command *command, const struct verb *verb, int argc, char **argv)
{
	struct run run = {.options.minutes = MINUTES_DEFAULT};
	struct config config;
	bool good;

	if (!config_read(&config))
		return 1;
	if (!take_options(verb, &config, &run.options, argc, argv))
		return command_usage(command);
	if (!app_init(&run.app, &config))
		return 1;
	run.keys = keys_create(&run.app.config, &run.app.world, verb->mode);
	if (run.keys == NULL)
		return 1;
	arena_init(&run.arena, NULL);
	run.cx = (struct ctx){.arena = &run.arena, .world = &run.app.world, .now = world_now(&run.app.world)};
	good = verb->fn(&run);
	arena_finish(&run.arena);
	keys_destroy(run.keys);
	return good ? 0 : 1;
}

int command_keys(const struct command *command, int argc, char **argv)
{
	for (size_t i = 0; argc > 0 && i < ARRAY_LEN(keys_verbs); i++)
		if (strcmp(keys_verbs[i].name, argv[0]) == 0)
			return run_verb(command, &keys_verbs[i], argc - 1, argv + 1);
	return command_usage(command);
}

int command_token(const struct command *command, int argc, char **argv)
{
	return run_verb(command, &token_verb, argc, argv);
}
