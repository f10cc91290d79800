/*
 * The folder MARCA_KEYS: all keys of an installation. Several processes share it; whoever adds or takes holds
 * its lock.
 */
#ifndef AUTH_KEY_FOLDER_H
#define AUTH_KEY_FOLDER_H

#include "auth/key.h"
#include "base/config.h"

#define KEY_FOLDER_MAX 16 /* keys of one kind */

/* Of one kind, newest first. */
struct key_set {
	struct key keys[KEY_FOLDER_MAX];
	size_t count;
};

struct key_folder {
	int fd;
	char path[512];
};

/* Where the configuration has it. */
bool key_folder_path(const struct config *config, char *ret, size_t size) MUST_USE;

/* False, with the reason on standard error: it is not there and is not to be made, or it is open to others.
 */
bool key_folder_open(const struct config *config, bool make, struct key_folder *ret) MUST_USE;
void key_folder_close(struct key_folder *folder);

/* Until the unlocking, or the end of the process, others wait. */
bool key_folder_lock(const struct key_folder *folder) MUST_USE;
void key_folder_unlock(const struct key_folder *folder);

/* Reads all keys. `fault` hears of each file that is no good, which is left out. False: the folder itself
 * cannot be read, or holds more than KEY_FOLDER_MAX of a kind. */
bool key_folder_read(const struct key_folder *folder, struct key_set ret[KEY_KINDS],
		     void (*fault)(const struct key_folder *folder, const char *name, const char *why,
				   void *arg),
		     void *arg) MUST_USE;

/* Under the lock: a new key, newer than all of its kind. False: why on standard error. */
bool key_folder_add(const struct key_folder *folder, enum key_kind kind, const struct key_set *set,
		    const struct world *world, struct key *ret) MUST_USE;

#endif
