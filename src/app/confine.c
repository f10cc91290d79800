/* See confine.h. */
#include "app/confine.h"

#include "app/confine_kernel.h"
#include "auth/key_folder.h"
#include "auth/keys.h"
#include "base/log.h"
#include "base/secret.h"

#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED false
#endif

#define PATHS_MAX 96

/* What libraries read at run time. Data, keys and certificates of our own settings come on top. */
static const char *const system_paths[] = {
	/* name resolution, and the modules that nsswitch.conf names */
	"/etc/hosts",
	"/etc/resolv.conf",
	"/etc/nsswitch.conf",
	"/etc/host.conf",
	"/etc/gai.conf",
	"/etc/services",
	"/etc/protocols",
	"/etc/passwd",
	"/etc/group",
	"/etc/ld.so.cache",
	"/lib",
	"/lib64",
	"/usr/lib",
	"/usr/lib64",
	"/usr/local/lib",
	/* certificates, and OpenSSL's own settings */
	"/etc/ssl/certs",
	"/etc/ssl/cert.pem",
	"/etc/ssl/openssl.cnf",
	"/etc/ca-certificates",
	"/etc/pki/tls/certs",
	"/etc/pki/ca-trust",
	"/usr/share/ca-certificates",
	"/usr/local/share/ca-certificates",
	/* time zones */
	"/usr/share/zoneinfo",
	"/etc/localtime",
	/* malloc()'s questions about the machine */
	"/sys/devices/system/cpu",
	"/proc/sys/vm/overcommit_memory",
	"/dev/null",
	"/dev/random",
	"/dev/urandom",
};

struct paths {
	struct arena arena;
	struct confine_path rows[PATHS_MAX];
	size_t count;
	bool full; /* or no memory: one is missing */
};

static void allow(struct paths *paths, const char *path, bool write)
{
	const char *copy = arena_text(&paths->arena, str_from(path));

	if (copy == NULL || paths->count == PATHS_MAX) {
		paths->full = true;
		return;
	}
	paths->rows[paths->count++] = (struct confine_path){copy, write};
}

static void allow_to_read(void *paths, const char *path)
{
	allow(paths, path, false);
}

/* It is often a link to where systemd-resolved or NetworkManager put a new file now and then: so the folder.
 */
static void allow_resolver(struct paths *paths)
{
	char *path = realpath("/etc/resolv.conf", NULL), *slash = path != NULL ? strrchr(path, '/') : NULL;

	if (slash != NULL && slash != path) {
		*slash = '\0';
		if (strcmp(path, "/etc") != 0)
			allow(paths, path, false);
	}
	free(path);
}

static void allow_folder_of(struct paths *paths, const char *file, bool write)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(file, '/');
	size_t len = slash != NULL ? (size_t)(slash - file) : 0;

	if (slash == NULL)
		snprintf(folder, sizeof(folder), ".");
	else
		snprintf(folder, sizeof(folder), "%.*s/", (int)len, file);
	allow(paths, folder, write);
}

static void allow_to_read_folder_of(void *paths, const char *file)
{
	allow_folder_of(paths, file, false);
}

static void allow_replica(const struct app *app, enum room room, struct paths *paths)
{
	const char *url = app_replica_url(&app->config, room);

	if (url != NULL)
		db_url_files(url, allow_to_read, paths);
}

/* SQLite makes its journals beside the file; libpq reads the certificates that the URL names. */
static void allow_stores(struct app *app, struct paths *paths)
{
	char url[APP_STORE_URL_MAX];

	for (size_t room = 0; room < ROOM_COUNT; room++) {
		if (!app_has_store(app, (enum room)room) ||
		    !app_store_url(&app->config, (enum room)room, url, sizeof(url)))
			continue;
		if (strncmp(url, "sqlite:", 7) == 0)
			allow_folder_of(paths, url + 7, true);
		else
			db_url_files(url, allow_to_read, paths);
		allow_replica(app, (enum room)room, paths);
		sodium_memzero(url, sizeof(url));
	}
}

static void fill(struct app *app, struct paths *paths)
{
	const struct config *config = &app->config;
	char keys[PATH_MAX];

	for (size_t i = 0; i < ARRAY_LEN(system_paths); i++)
		allow(paths, system_paths[i], false);
	allow_resolver(paths);
	allow_stores(app, paths);
	/* What is read again at SIGHUP is often replaced, not written: so the folder. */
	if (config->config_file != NULL)
		allow_folder_of(paths, config->config_file, false);
	secret_files(allow_to_read_folder_of, paths);
	/* Where a store lies in MARCA_DATA, and they do, too, they can be written like all that is there. */
	if (key_folder_path(config, keys, sizeof(keys)))
		allow(paths, keys, false);
#define CONFIG_TEXT(member, variable, dflt, doc)
#define CONFIG_FILE(member, variable, doc) \
	if (config->member != NULL)        \
		allow(paths, config->member, false);
#define CONFIG_SECRET(member, variable, doc)
#define CONFIG_INT(member, variable, dflt, min, max, doc)
#include "base/config.def"
#undef CONFIG_TEXT
#undef CONFIG_FILE
#undef CONFIG_SECRET
#undef CONFIG_INT
}

/* --- How strictly -------------------------------------------------------------------- */

static bool is(const struct app *app, const char *word)
{
	return strcmp(app->config.confine, word) == 0;
}

/* What stays undone is told; whether it starts all the same is MARCA_CONFINE's to say. */
static bool accept(const struct app *app, enum confined result, const char *what)
{
	if (result == CONFINED)
		return true;
	if (!is(app, "required") && result == CONFINE_UNSUPPORTED) {
		LOG(WARN, "this kernel cannot confine it; it goes on without", LOG_TEXT("what", what));
		return true;
	}
	LOG(ERROR, "it cannot be confined; MARCA_CONFINE=off does without", LOG_TEXT("what", what));
	return false;
}

/* LeakSanitizer stops all threads by ptrace, and the others open files of their own. */
static bool wanted(const struct app *app)
{
	return !is(app, "off") && (!SANITIZED || is(app, "required"));
}

static int port_of(const char *listen)
{
	const char *colon = strrchr(listen, ':');

	return colon != NULL ? (int)strtol(colon + 1, NULL, 10) : 0;
}

/* So that their folder need only be read from then on. */
static bool make_keys(const struct app *app)
{
	struct keys *keys = keys_create(&app->config, &app->world, KEYS_MAKE);

	keys_destroy(keys);
	return keys != NULL;
}

static bool begin(struct app *app, struct paths *paths)
{
	enum confined files = CONFINE_FAILED;
	int abi = 0;

	if (!accept(app, confine_privileges(), "privileges"))
		return false;
	fill(app, paths);
	if (!paths->full)
		files = confine_files(paths->rows, paths->count, port_of(app->config.listen), &abi);
	if (files == CONFINED)
		LOG(DEBUG, "confined to its files", LOG_NUMBER("landlock", abi));
	return accept(app, files, "files (Landlock)");
}

bool confine_begin(struct app *app)
{
	struct paths paths = {.count = 0};
	bool good;

	if (!wanted(app))
		return true;
	if (SANITIZED)
		return accept(app, CONFINE_UNSUPPORTED, "a build with sanitizers");
	if (!app_make_data_folder(&app->config) || !make_keys(app))
		return false;
	arena_init(&paths.arena, NULL);
	good = begin(app, &paths);
	arena_finish(&paths.arena);
	return good;
}

bool confine_finish(const struct app *app)
{
	if (!wanted(app))
		return true;
	return accept(app, confine_calls(), "system calls (seccomp)");
}
