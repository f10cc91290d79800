/* For tests of keys and tokens: a folder of keys of their own, and what a test does to it. */
#ifndef AUTH_KEYS_TEST_H
#define AUTH_KEYS_TEST_H

#include "auth/base64url.h"
#include "auth/keyring.h"
#include "json/arena_json.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
/* cmocka wants those before it. */
#include <cmocka.h>

#define SECRET_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct bed {
	char data[64], folder[80];
	struct config config;
	struct world world;
	struct arena arena;
};

static inline int bed_open(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	assert_true(sodium_init() >= 0);
	arena_json_init();
	world_init(&bed->world, UTIME_NONE);
	arena_init(&bed->arena, NULL);
	snprintf(bed->data, sizeof(bed->data), "/tmp/marca-keys-XXXXXX");
	assert_non_null(mkdtemp(bed->data));
	snprintf(bed->folder, sizeof(bed->folder), "%s/keys", bed->data);
	bed->config = (struct config){.data = bed->data, .public_url = "https://marca.example"};
	*state = bed;
	return 0;
}

static inline int bed_close(void **state)
{
	struct bed *bed = *state;
	DIR *dir = opendir(bed->folder);

	if (dir != NULL) {
		for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
			unlinkat(dirfd(dir), entry->d_name, 0);
		closedir(dir);
		rmdir(bed->folder);
	}
	assert_int_equal(rmdir(bed->data), 0);
	arena_finish(&bed->arena);
	free(bed);
	return 0;
}

static inline struct keys *bed_keys(const struct bed *bed)
{
	struct keys *keys = keys_create(&bed->config, &bed->world, KEYS_MAKE);

	assert_non_null(keys);
	return keys;
}

/* As another process does it. */
static inline void bed_rotate(const struct bed *bed, enum key_kind kind)
{
	struct keys *keys = bed_keys(bed);
	struct key key;

	assert_true(key_folder_add(&keys->folder, kind, &keys->sets[kind], &bed->world, &key));
	keys_destroy(keys);
}

/* Whoever looks later than a tick of the file system sees the change; tests do not wait for that. */
static inline bool bed_refresh(struct keys *keys)
{
	keys->change.tv_sec--;
	return keys_refresh(keys);
}

#endif
