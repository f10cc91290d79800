/* See key_folder.h. */
#include "auth/key_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

bool key_folder_path(const struct config *config, char *ret, size_t size)
{
	int len = config->keys != NULL ? snprintf(ret, size, "%s", config->keys)
				       : snprintf(ret, size, "%s/keys", config->data);

	return len > 0 && (size_t)len < size;
}

/* MARCA_DATA itself may be new: its stores may lie elsewhere. */
static bool make_folder(const struct config *config, const char *path)
{
	if (config->keys == NULL && mkdir(config->data, 0700) != 0 && errno != EEXIST)
		return false;
	return mkdir(path, 0700) == 0 || errno == EEXIST;
}

static const char *folder_fault(int fd)
{
	struct stat stat;

	if (fd < 0)
		return strerror(errno);
	if (fstat(fd, &stat) != 0 || (stat.st_mode & 077) != 0)
		return "it is open to others; chmod 700";
	if (stat.st_uid != geteuid() && stat.st_uid != 0 && geteuid() != 0)
		return "it belongs to somebody else";
	return NULL;
}

bool key_folder_open(const struct config *config, bool make, struct key_folder *ret)
{
	struct key_folder folder = {.fd = -1};
	const char *fault;

	if (!key_folder_path(config, folder.path, sizeof(folder.path))) {
		fprintf(stderr, "marca: MARCA_KEYS is too long a path\n");
		return false;
	}
	if (!make || make_folder(config, folder.path))
		folder.fd = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fault = folder_fault(folder.fd);
	if (fault != NULL) {
		fprintf(stderr, "marca: the folder of keys %s: %s (MARCA_KEYS, or keys/ under MARCA_DATA)\n",
			folder.path, fault);
		key_folder_close(&folder);
		return false;
	}
	*ret = folder;
	return true;
}

void key_folder_close(struct key_folder *folder)
{
	if (folder->fd >= 0)
		close(folder->fd);
	folder->fd = -1;
}

bool key_folder_lock(const struct key_folder *folder)
{
	int result;

	do
		result = flock(folder->fd, LOCK_EX);
	while (result != 0 && errno == EINTR);
	return result == 0;
}

void key_folder_unlock(const struct key_folder *folder)
{
	flock(folder->fd, LOCK_UN);
}

static bool set_insert(struct key_set *set, const struct key *key)
{
	size_t at = set->count;

	if (at == KEY_FOLDER_MAX)
		return false;
	for (; at > 0 && key_compare(key, &set->keys[at - 1]) < 0; at--)
		set->keys[at] = set->keys[at - 1];
	set->keys[at] = *key;
	set->count++;
	return true;
}

bool key_folder_read(const struct key_folder *folder, struct key_set ret[KEY_KINDS],
		     void (*fault)(const struct key_folder *folder, const char *name, const char *why,
				   void *arg),
		     void *arg)
{
	int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	enum key_kind kind;
	bool good = true;
	struct key key;

	if (dir == NULL) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	for (int i = 0; i < KEY_KINDS; i++)
		ret[i].count = 0;
	for (struct dirent *entry = readdir(dir); entry != NULL && good; entry = readdir(dir)) {
		const char *why;

		if (!key_is_named(entry->d_name, &kind))
			continue;
		why = key_read(folder->fd, entry->d_name, &key);
		if (why == NULL)
			good = set_insert(&ret[kind], &key);
		else
			fault(folder, entry->d_name, why, arg);
	}
	sodium_memzero(&key, sizeof(key));
	closedir(dir);
	return good;
}

bool key_folder_add(const struct key_folder *folder, enum key_kind kind, const struct key_set *set,
		    const struct world *world, struct key *ret)
{
	int64_t created = world_now(world) / UTIME_SECOND;

	if (set->count == KEY_FOLDER_MAX) {
		fprintf(stderr, "marca: %s holds %d keys of that kind; remove old ones first\n", folder->path,
			KEY_FOLDER_MAX);
		return false;
	}
	/* Whatever the machine's clock says. */
	if (set->count > 0 && created <= set->keys[0].created)
		created = set->keys[0].created + 1;
	key_make(kind, created, world, ret);
	if (key_write(folder->fd, ret))
		return true;
	fprintf(stderr, "marca: no key can be written to %s: %s\n", folder->path, strerror(errno));
	return false;
}
