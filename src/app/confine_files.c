/* See confine_kernel.h. By bare system calls: glibc has none for Landlock, and Debian 12's headers end at
 * version 2. */
#include "app/confine_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CREATE_RULESET_VERSION 1u

/* Rights by the version that brought them. */
#define FS_EXECUTE     (UINT64_C(1) << 0)
#define FS_WRITE_FILE  (UINT64_C(1) << 1)
#define FS_READ_FILE   (UINT64_C(1) << 2)
#define FS_READ_DIR    (UINT64_C(1) << 3)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_REG    (UINT64_C(1) << 8)
#define FS_ALL_OF_1    ((UINT64_C(1) << 13) - 1)
#define FS_REFER       (UINT64_C(1) << 13) /* 2 */
#define FS_TRUNCATE    (UINT64_C(1) << 14) /* 3 */
#define NET_BIND_TCP   (UINT64_C(1) << 0)  /* 4 */
#define FS_IOCTL_DEV   (UINT64_C(1) << 15) /* 5 */
#define SCOPE_SIGNAL   (UINT64_C(1) << 1)  /* 6 */

#define FS_TO_READ  (FS_READ_FILE | FS_READ_DIR)
#define FS_TO_WRITE (FS_TO_READ | FS_WRITE_FILE | FS_REMOVE_FILE | FS_MAKE_REG | FS_TRUNCATE)
/* Of those, what a rule for a single file may say. */
#define FS_OF_FILE (FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE)

struct ruleset {
	uint64_t fs, net, scoped;
};

#define RULE_PATH 1
struct path_rule {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

#define RULE_PORT 2
struct port_rule {
	uint64_t allowed, port;
};

/* What is taken away, and how much of the struct that kernel knows. */
static size_t ruleset_of(int abi, int port, struct ruleset *ret)
{
	ret->fs = FS_ALL_OF_1 | (abi >= 2 ? FS_REFER : 0) | (abi >= 3 ? FS_TRUNCATE : 0) |
		  (abi >= 5 ? FS_IOCTL_DEV : 0);
	ret->net = abi >= 4 && port != 0 ? NET_BIND_TCP : 0;
	ret->scoped = abi >= 6 ? SCOPE_SIGNAL : 0;
	return abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
}

static bool allow_path(int ruleset, const struct ruleset *handled, const struct confine_path *path)
{
	struct path_rule rule = {.allowed = (path->write ? FS_TO_WRITE : FS_TO_READ) & handled->fs};
	struct stat info;
	bool good;

	rule.parent = open(path->path, O_PATH | O_CLOEXEC);
	if (rule.parent < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES;
	good = fstat(rule.parent, &info) == 0;
	if (good && !S_ISDIR(info.st_mode))
		rule.allowed &= FS_OF_FILE;
	good = good && syscall(SYS_landlock_add_rule, ruleset, RULE_PATH, &rule, 0) == 0;
	close(rule.parent);
	return good;
}

static bool allow_port(int ruleset, const struct ruleset *handled, int port)
{
	const struct port_rule rule = {.allowed = NET_BIND_TCP, .port = (uint64_t)port};

	return handled->net == 0 || syscall(SYS_landlock_add_rule, ruleset, RULE_PORT, &rule, 0) == 0;
}

/* The kernel confines the calling thread only. */
static bool is_alone(void)
{
	struct stat info;

	return stat("/proc/self/task", &info) != 0 || info.st_nlink == 3; /* ".", "..", and one of us */
}

enum confined confine_files(const struct confine_path *paths, size_t count, int port, int *ret_abi)
{
	int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
	struct ruleset handled;
	bool good = true;
	size_t size;
	int ruleset;

	if (abi < 1)
		return CONFINE_UNSUPPORTED;
	size = ruleset_of(abi, port, &handled);
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, size, 0);
	if (ruleset < 0 || !is_alone()) {
		close(ruleset);
		return CONFINE_FAILED;
	}
	for (size_t i = 0; i < count && good; i++)
		good = allow_path(ruleset, &handled, &paths[i]);
	good = good && allow_port(ruleset, &handled, port) &&
	       syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
	close(ruleset);
	*ret_abi = abi;
	return good ? CONFINED : CONFINE_FAILED;
}

enum confined confine_privileges(void)
{
	const struct rlimit none = {0, 0};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    setrlimit(RLIMIT_CORE, &none) != 0)
		return CONFINE_FAILED;
	return CONFINED;
}
