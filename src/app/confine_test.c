/*
 * Each in a child that is confined as a serving marca is: what it may do works, and what an intruder would do
 * fails, or ends the process. Left out, saying so, only where the kernel refuses to confine at all.
 */
#include "app/confine_kernel.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

static char root[] = "/tmp/marca-confine-XXXXXX";
static int port;

static const char *in_root(const char *name)
{
	static _Thread_local char path[128];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	return path;
}

/* --- What is tried: 0, or errno --------------------------------------------------------- */

static int try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int result(long returned)
{
	return returned < 0 ? errno : 0;
}

static int reads_data(void)
{
	return try_open(in_root("data/there"), O_RDONLY);
}

static int makes_data(void)
{
	return try_open(in_root("data/new"), O_RDWR | O_CREAT | O_TRUNC);
}

static int removes_data(void)
{
	return result(unlink(in_root("data/there")));
}

static int reads_keys(void)
{
	return try_open(in_root("keys/there"), O_RDONLY);
}

static int reads_one_file(void)
{
	return try_open(in_root("certificate"), O_RDONLY);
}

static void *say_yes(void *arg)
{
	*(bool *)arg = true;
	return NULL;
}

static int starts_thread(void)
{
	pthread_t thread;
	bool ran = false;

	if (pthread_create(&thread, NULL, say_yes, &ran) != 0)
		return errno;
	pthread_join(thread, NULL);
	return ran ? 0 : EINVAL;
}

static int resolves(void)
{
	struct addrinfo *found = NULL;

	if (getaddrinfo("localhost", "443", NULL, &found) != 0)
		return EHOSTUNREACH;
	freeaddrinfo(found);
	return 0;
}

static int connect_to(int to)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)to)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return result(connect(fd, (struct sockaddr *)&address, sizeof(address)));
}

/* Nobody listens there: the kernel has tried. */
static int connects(void)
{
	return connect_to(1) == ECONNREFUSED ? 0 : EINVAL;
}

/* A resolver's thread, pipes, sockets: libcurl's own way. */
static int asks_by_curl(void)
{
	CURL *curl = curl_easy_init();
	CURLcode code = CURLE_FAILED_INIT;

	if (curl != NULL && curl_easy_setopt(curl, CURLOPT_URL, "https://localhost:1/") == CURLE_OK)
		code = curl_easy_perform(curl);
	curl_easy_cleanup(curl);
	return code == CURLE_COULDNT_CONNECT ? 0 : EINVAL;
}

static int aborts(void)
{
	abort();
}

static int writes_keys(void)
{
	return try_open(in_root("keys/there"), O_WRONLY);
}

static int makes_key(void)
{
	return try_open(in_root("keys/new"), O_WRONLY | O_CREAT);
}

static int reads_elsewhere(void)
{
	return try_open("/etc/shadow", O_RDONLY);
}

static int reads_beside(void)
{
	return try_open(in_root("secret"), O_RDONLY);
}

static int reads_around(void)
{
	return try_open(in_root("data/../secret"), O_RDONLY);
}

static int writes_tmp(void)
{
	return try_open("/tmp/marca-confine-escaped", O_WRONLY | O_CREAT);
}

static int reads_memory(void)
{
	return try_open("/proc/self/mem", O_RDWR);
}

static int lists_root(void)
{
	return try_open("/", O_RDONLY | O_DIRECTORY);
}

static int links(void)
{
	return result(symlink("/etc/shadow", in_root("data/link")));
}

static int makes_socket(void)
{
	return result(mknod(in_root("data/socket"), S_IFSOCK | 0600, 0));
}

static int binds(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(port + 1))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return result(bind(fd, (struct sockaddr *)&address, sizeof(address)));
}

static int listens(void)
{
	return result(listen(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 1));
}

static int opens_packet_socket(void)
{
	return result(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int executes(void)
{
	char *const words[] = {(char *)(uintptr_t) "true", NULL};

	return result(execv("/bin/true", words));
}

static int executes_memory(void)
{
	char *const words[] = {(char *)(uintptr_t) "true", NULL};

	return result(syscall(SYS_execveat, 0, "", words, words, 0x1000));
}

static int traces(void)
{
	return result(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int reads_parent(void)
{
	return result(syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0));
}

static int forks(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return result(child);
}

static int kills_parent(void)
{
	return result(kill(getppid(), SIGUSR1));
}

static int kills_parents_thread(void)
{
	return result(syscall(SYS_tgkill, getppid(), getppid(), SIGUSR1));
}

static int unshares(void)
{
	return result(unshare(CLONE_NEWUSER));
}

static int loads_bpf(void)
{
	return result(syscall(SYS_bpf, 0, NULL, 0));
}

static int adds_key(void)
{
	return result(syscall(SYS_add_key, "user", "x", "y", 1, -2));
}

static int sets_uid(void)
{
	return result(setuid(getuid()));
}

static int maps_code(void)
{
	void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return map == MAP_FAILED ? errno : 0;
}

static int makes_code(void)
{
	void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return map == MAP_FAILED ? 0 : result(mprotect(map, 4096, PROT_READ | PROT_EXEC));
}

static int types_on_terminal(void)
{
	return result(ioctl(STDIN_FILENO, TIOCSTI, "x"));
}

static int becomes_dumpable(void)
{
	return result(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int raises_limit(void)
{
	const struct rlimit limit = {1, 1};

	return result(setrlimit(RLIMIT_CORE, &limit));
}

static int calls_ring(void)
{
	return result(syscall(425 /* io_uring_setup */, 1, NULL));
}

#define KILLED 1000 /* and the signal */

static const struct {
	const char *name;
	int (*attempt)(void);
	int files;  /* the outcome with Landlock alone; -1: not its business */
	int either; /* with seccomp as well */
	int abi;    /* of Landlock, that this takes */
} attempts[] = {
	{"reads data", reads_data, 0, 0, 1},
	{"makes data", makes_data, 0, 0, 1},
	{"removes data", removes_data, 0, 0, 1},
	{"reads keys", reads_keys, 0, 0, 1},
	{"reads a file", reads_one_file, 0, 0, 1},
	{"starts a thread", starts_thread, 0, 0, 1},
	{"resolves", resolves, 0, 0, 1},
	{"connects", connects, 0, 0, 1},
	{"asks by curl", asks_by_curl, 0, 0, 1},
	{"aborts", aborts, KILLED + SIGABRT, KILLED + SIGABRT, 1},

	{"writes keys", writes_keys, EACCES, EACCES, 1},
	{"makes a key", makes_key, EACCES, EACCES, 1},
	{"reads elsewhere", reads_elsewhere, EACCES, EACCES, 1},
	{"reads beside", reads_beside, EACCES, EACCES, 1},
	{"reads around", reads_around, EACCES, EACCES, 1},
	{"writes /tmp", writes_tmp, EACCES, EACCES, 1},
	{"reads its memory as a file", reads_memory, EACCES, EACCES, 1},
	{"lists /", lists_root, EACCES, EACCES, 1},
	{"links", links, EACCES, ENOSYS, 1},
	{"makes a socket", makes_socket, EACCES, KILLED + SIGSYS, 1},
	{"binds another port", binds, EACCES, EACCES, 4},
	{"signals its parent", kills_parent, EPERM, ENOSYS, 6},
	{"signals its parent's thread", kills_parents_thread, EPERM, ENOSYS, 6},
	{"executes", executes, EACCES, KILLED + SIGSYS, 1},

	{"executes from memory", executes_memory, -1, KILLED + SIGSYS, 1},
	{"traces", traces, -1, KILLED + SIGSYS, 1},
	{"reads its parent's memory", reads_parent, -1, KILLED + SIGSYS, 1},
	{"unshares", unshares, -1, KILLED + SIGSYS, 1},
	{"loads BPF", loads_bpf, -1, KILLED + SIGSYS, 1},
	{"adds a key", adds_key, -1, KILLED + SIGSYS, 1},
	{"sets its user", sets_uid, -1, KILLED + SIGSYS, 1},
	{"forks", forks, -1, ENOSYS, 1},
	{"listens", listens, -1, ENOSYS, 1},
	{"opens a packet socket", opens_packet_socket, -1, ENOSYS, 1},
	{"maps code that can be written", maps_code, -1, ENOSYS, 1},
	{"makes data code", makes_code, -1, ENOSYS, 1},
	{"types on the terminal", types_on_terminal, -1, ENOSYS, 1},
	{"becomes dumpable", becomes_dumpable, -1, ENOSYS, 1},
	{"raises a limit", raises_limit, -1, ENOSYS, 1},
	{"calls io_uring", calls_ring, -1, ENOSYS, 1},
};

/* --- Children ----------------------------------------------------------------------------- */

enum { PRIVILEGES = 1, FILES = 2, CALLS = 4 };

#define UNCONFINED 250 /* exit status: the kernel did not do as told */

static int confine_child(int what)
{
	const struct confine_path paths[] = {
		{strdup(in_root("data")), true},
		{strdup(in_root("keys")), false},
		{strdup(in_root("certificate")), false},
		{strdup(in_root("not-there")), false},
		{"/etc/hosts", false},
		{"/etc/nsswitch.conf", false},
		{"/lib", false},
		{"/usr/lib", false},
		{"/etc/ld.so.cache", false},
	};
	int abi = 0;

	if ((what & PRIVILEGES) != 0 && confine_privileges() != CONFINED)
		return -1;
	if ((what & FILES) != 0 && confine_files(paths, ARRAY_LEN(paths), port, &abi) != CONFINED)
		return -1;
	if ((what & CALLS) != 0 && confine_calls() != CONFINED)
		return -1;
	return abi;
}

/* Its errno, KILLED + its signal, or UNCONFINED. */
static int run(int what, int (*attempt)(void))
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		if (confine_child(what) < 0)
			_exit(UNCONFINED);
		_exit(attempt());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? KILLED + WTERMSIG(status) : WEXITSTATUS(status);
}

static int nothing(void)
{
	return 0;
}

static int landlock_abi(void)
{
	return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
}

/* Skipping is for kernels that say themselves that they cannot. */
static void need(int what)
{
#ifdef SANITIZED
	print_message("left out: the sanitizers need more than a confined process may do\n");
	skip();
#endif
	if ((what & FILES) != 0 && landlock_abi() < 1) {
		print_message("left out: no Landlock in this kernel (%s)\n", strerror(errno));
		skip();
	}
	if ((what & CALLS) != 0 && prctl(PR_GET_SECCOMP) < 0) {
		print_message("left out: no seccomp in this kernel (%s)\n", strerror(errno));
		skip();
	}
	assert_int_equal(run(what, nothing), 0);
}

static void make(const char *name)
{
	int fd = open(in_root(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static void check_all(int what)
{
	for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
		int wanted = (what & CALLS) != 0 ? attempts[i].either : attempts[i].files, got;

		if (wanted < 0 || attempts[i].abi > landlock_abi())
			continue;
		make("data/there");
		got = run(what, attempts[i].attempt);
		if (got != wanted)
			fail_msg("%s: %d, not %d", attempts[i].name, got, wanted);
	}
}

static void test_files(void **state)
{
	(void)state;
	need(PRIVILEGES | FILES);
	check_all(PRIVILEGES | FILES);
}

static void test_files_and_calls(void **state)
{
	(void)state;
	need(PRIVILEGES | FILES | CALLS);
	check_all(PRIVILEGES | FILES | CALLS);
}

/* What Landlock denies would be granted without: it is the wall that denies it. */
static void test_walls_are_what_denies(void **state)
{
	(void)state;
	need(0);
	for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
		make("data/there");
		if (attempts[i].either == EACCES && run(0, attempts[i].attempt) == EACCES && getuid() == 0)
			fail_msg("%s is denied anyway", attempts[i].name);
	}
	unlink("/tmp/marca-confine-escaped");
	unlink(in_root("keys/new"));
}

static int dumps_no_core(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 && limit.rlim_max == 0 &&
			       prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 &&
			       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1
		       ? 0
		       : EINVAL;
}

static void test_privileges(void **state)
{
	(void)state;
	need(PRIVILEGES);
	assert_int_equal(run(0, dumps_no_core), EINVAL);
	assert_int_equal(run(PRIVILEGES, dumps_no_core), 0);
}

static pthread_barrier_t ready;
static int told;

static void *fork_later(void *arg)
{
	(void)arg;
	pthread_barrier_wait(&ready);
	pthread_barrier_wait(&ready);
	told = forks();
	return NULL;
}

/* A thread that ran before is confined, too: by seccomp. Landlock refuses to begin. */
static int confines_threads(void)
{
	pthread_t thread;
	int abi;

	pthread_barrier_init(&ready, NULL, 2);
	if (pthread_create(&thread, NULL, fork_later, NULL) != 0)
		return EAGAIN;
	pthread_barrier_wait(&ready);
	if (landlock_abi() >= 1 && confine_files(NULL, 0, 0, &abi) != CONFINE_FAILED)
		return EINVAL;
	if (confine_calls() != CONFINED)
		return EINVAL;
	pthread_barrier_wait(&ready);
	pthread_join(thread, NULL);
	return told == ENOSYS ? 0 : EINVAL;
}

static void test_threads(void **state)
{
	(void)state;
	need(PRIVILEGES | CALLS);
	assert_int_equal(run(PRIVILEGES, confines_threads), 0);
}

static int set_up(void **state)
{
	static const char *const folders[] = {"data", "keys"};
	static const char *const files[] = {"keys/there", "certificate", "secret"};

	(void)state;
	if (mkdtemp(root) == NULL)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		if (mkdir(in_root(folders[i]), 0700) != 0)
			return -1;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		make(files[i]);
	port = 20000 + getpid() % 10000;
	return 0;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
	(void)info;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static int tear_down(void **state)
{
	(void)state;
	return nftw(root, remove_one, 4, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_privileges),	cmocka_unit_test(test_files),
		cmocka_unit_test(test_files_and_calls), cmocka_unit_test(test_walls_are_what_denies),
		cmocka_unit_test(test_threads),
	};

	signal(SIGUSR1, SIG_IGN); /* what children try on us */
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
