/* Files of a backup: see backup.h. */
#include "app/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK (256 * 1024)

static bool failed(const char *what, const char *path)
{
	fprintf(stderr, "marca: cannot %s %s: %s\n", what, path, strerror(errno));
	return false;
}

/* Every chunk of an open file, also to `to` (-1: nowhere). */
static bool pump(int from, int to, crypto_generichash_state *state, int64_t *ret_bytes,
		 struct progress *progress)
{
	static unsigned char chunk[CHUNK];
	ssize_t len;

	*ret_bytes = 0;
	while ((len = read(from, chunk, sizeof(chunk))) > 0) {
		crypto_generichash_update(state, chunk, (size_t)len);
		for (ssize_t done = 0, one; to >= 0 && done < len; done += one) {
			one = write(to, chunk + done, (size_t)(len - done));
			if (one < 0)
				return false;
		}
		*ret_bytes += len;
		if (!progress_add(progress, 0, len)) {
			errno = EINTR;
			return false;
		}
	}
	return len == 0;
}

bool backup_hash(const char *path, int64_t *ret_bytes, char ret_hash[DUMP_HASH_LEN + 1],
		 struct progress *progress)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	crypto_generichash_state state;
	bool good;

	if (fd < 0)
		return failed("read", path);
	dump_hash_begin(&state);
	good = pump(fd, -1, &state, ret_bytes, progress);
	dump_hash_end(&state, ret_hash);
	if (!good)
		failed("read", path);
	close(fd);
	return good;
}

bool backup_copy(const char *from, const char *to, struct progress *progress)
{
	int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int out = in >= 0 ? open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
	crypto_generichash_state state;
	int64_t bytes;
	bool good = out >= 0;

	dump_hash_begin(&state);
	good = good && pump(in, out, &state, &bytes, progress) && fsync(out) == 0;
	if (!good)
		failed(in < 0 ? "read" : "write", in < 0 ? from : to);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return good;
}

bool backup_each(const char *folder, bool (*fn)(void *arg, const char *name), void *arg)
{
	DIR *dir = opendir(folder);
	bool good = true;

	if (dir == NULL)
		return failed("read", folder);
	for (struct dirent *entry = readdir(dir); good && entry != NULL; entry = readdir(dir))
		if (entry->d_name[0] != '.')
			good = fn(arg, entry->d_name);
	closedir(dir);
	return good;
}

static bool remove_one(void *folder, const char *name)
{
	char path[MOVING_PATH_MAX];

	if (moving_path(path, "%s/%s", (const char *)folder, name))
		unlink(path); /* not of keys/, which is a folder */
	return true;
}

void backup_remove(const char *folder)
{
	char keys[MOVING_PATH_MAX], path[MOVING_PATH_MAX];

	if (!moving_path(keys, "%s/keys", folder) || !moving_path(path, "%s", folder))
		return;
	if (access(keys, F_OK) == 0) {
		(void)!backup_each(keys, remove_one, keys);
		rmdir(keys);
	}
	if (access(path, F_OK) == 0) {
		(void)!backup_each(path, remove_one, path);
		rmdir(path);
	}
}
