/* See redis_fixture.h. */
#include "events/redis_fixture.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define WORDS_MAX 48
#define START_MS  10000

/* --- Programs --------------------------------------------------------------------- */

static pid_t spawn(const struct redis_fixture *fixture, const char *const *words, int out)
{
	char *argv[WORDS_MAX + 1] = {NULL};
	pid_t pid;

	for (size_t i = 0; words[i] != NULL && i < WORDS_MAX; i++)
		argv[i] = (char *)(uintptr_t)words[i];
	pid = fork();
	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that crashes leaves nothing behind */
	if (chdir(fixture->folder) != 0 || freopen("log", "a", out >= 0 ? stderr : stdout) == NULL)
		_exit(126);
	if (out >= 0)
		dup2(out, STDOUT_FILENO);
	else
		dup2(STDOUT_FILENO, STDERR_FILENO);
	execvp(argv[0], argv);
	_exit(127);
}

static int run(const struct redis_fixture *fixture, const char *const *words)
{
	pid_t pid = spawn(fixture, words, -1);
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
#define RUN(fixture, ...) run((fixture), (const char *const[]){__VA_ARGS__, NULL})

char *redis_fixture_cli(const struct redis_fixture *fixture, const char *const *words)
{
	const char *all[WORDS_MAX + 1] = {"redis-cli", "-h", "127.0.0.1", "-p"};
	char port[8], *text = calloc(1, 1 << 20);
	size_t count = 4, len = 0;
	int ends[2], status;
	ssize_t more;
	pid_t pid;

	assert_non_null(text);
	snprintf(port, sizeof(port), "%d", fixture->port);
	all[count++] = port;
	while (*words != NULL && count < WORDS_MAX)
		all[count++] = *words++;
	assert_int_equal(pipe(ends), 0);
	pid = spawn(fixture, all, ends[1]);
	close(ends[1]);
	while ((more = read(ends[0], text + len, (1 << 20) - 1 - len)) > 0)
		len += (size_t)more;
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return text;
}

/* --- The server ------------------------------------------------------------------- */

static bool connected(int port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool good = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

	close(fd);
	return good;
}

static int free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static void add(const char **words, size_t *count, const char *const *more, size_t more_count)
{
	memcpy(words + *count, more, more_count * sizeof(*more));
	*count += more_count;
}

void redis_fixture_start(struct redis_fixture *fixture)
{
	/* clang-format off */
	static const char *const always[] = {"redis-server", "--bind", "127.0.0.1", "127.0.0.2",
		"--appendonly", "yes", "--appendfsync", "no", "--save", ""};
	static const char *const plain[] = {"--port"};
	static const char *const tls[] = {"--tls-cert-file", "redis.pem", "--tls-key-file", "redis.key",
		"--tls-ca-cert-file", "ca.pem", "--tls-auth-clients", "no", "--port", "0", "--tls-port"};
	/* clang-format on */
	const char *words[WORDS_MAX + 1];
	size_t count = 0;
	char port[8];

	if (fixture->port == 0)
		fixture->port = free_port();
	snprintf(port, sizeof(port), "%d", fixture->port);
	add(words, &count, always, ARRAY_LEN(always));
	if (fixture->tls)
		add(words, &count, tls, ARRAY_LEN(tls));
	else
		add(words, &count, plain, ARRAY_LEN(plain));
	words[count++] = port;
	words[count] = NULL;
	fixture->pid = spawn(fixture, words, -1);
	for (int i = 0; !connected(fixture->port); i++) {
		if (i == START_MS / 10 || waitpid(fixture->pid, NULL, WNOHANG) != 0)
			fail_msg("redis-server does not start: see %s/log", fixture->folder);
		usleep(10000);
	}
}

void redis_fixture_stop(struct redis_fixture *fixture, bool keep)
{
	if (fixture->pid == 0)
		return;
	kill(fixture->pid, keep ? SIGTERM : SIGKILL);
	assert_int_equal(waitpid(fixture->pid, NULL, 0), fixture->pid);
	fixture->pid = 0;
	if (!keep)
		assert_int_equal(RUN(fixture, "rm", "-rf", "appendonlydir"), 0);
}

bool redis_fixture_init(struct redis_fixture *fixture)
{
	*fixture = (struct redis_fixture){.folder = "/tmp/marca-redis-XXXXXX"};
	assert_non_null(mkdtemp(fixture->folder));
	if (RUN(fixture, "redis-server", "--version") == 0)
		return true;
	fprintf(stderr, "redis-server is not installed: scripts/setup --test\n");
	redis_fixture_finish(fixture);
	return false;
}

void redis_fixture_finish(struct redis_fixture *fixture)
{
	redis_fixture_stop(fixture, false);
	assert_int_equal(RUN(fixture, "rm", "-rf", fixture->folder), 0);
}

/* --- Certificates ----------------------------------------------------------------- */

static void make_ca(const struct redis_fixture *fixture, const char *key, const char *certificate)
{
	assert_int_equal(RUN(fixture, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
			     "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=a CA",
			     "-keyout", key, "-out", certificate),
			 0);
}

void redis_fixture_certificates(struct redis_fixture *fixture)
{
	make_ca(fixture, "ca.key", "ca.pem");
	make_ca(fixture, "other.key", "other.pem");
	assert_int_equal(RUN(fixture, "openssl", "req", "-newkey", "ec", "-pkeyopt",
			     "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=redis", "-addext",
			     "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", "redis.key", "-out",
			     "redis.csr"),
			 0);
	assert_int_equal(RUN(fixture, "openssl", "x509", "-req", "-in", "redis.csr", "-CA", "ca.pem",
			     "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-copy_extensions", "copy",
			     "-out", "redis.pem"),
			 0);
}
