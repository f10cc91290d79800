/*
 * What the process takes of the machine, as the kernel tells it (proc(5)). The files are opened at the start,
 * and read again each time: a confined process can open nothing below /proc.
 */
#include "app/metrics.h"

#include "base/log.h"
#include "gateway/ready.h"
#include "trace/tracer.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static struct {
	int memory;	/* /proc/self/statm; -1: not there */
	DIR *files;	/* /proc/self/fd */
	double started; /* s since 1970; 0: not known */
} seen = {.memory = -1};

static bool read_file(int file, char *to, size_t size)
{
	ssize_t len = file >= 0 ? pread(file, to, size - 1, 0) : -1;

	if (len <= 0)
		return false;
	to[len] = '\0';
	return true;
}

static bool read_path(const char *path, char *to, size_t size)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	bool good = read_file(file, to, size);

	if (file >= 0)
		close(file);
	return good;
}

/* The 22nd field of /proc/self/stat, in ticks since the machine's start, which /proc/stat calls btime. The
 * second is the program's name in brackets, and may hold blanks. */
static double start_time(void)
{
	static char text[65536]; /* a line for each interrupt of the machine comes before it */
	unsigned long long ticks = 0, boot = 0;
	const char *at;

	if (!read_path("/proc/self/stat", text, sizeof(text)))
		return 0;
	at = strrchr(text, ')');
	for (int field = 2; at != NULL && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (at != NULL)
		ticks = strtoull(at, NULL, 10);
	if (!read_path("/proc/stat", text, sizeof(text)))
		return 0;
	at = strstr(text, "\nbtime ");
	if (at != NULL)
		boot = strtoull(at + 7, NULL, 10);
	return boot > 0 ? (double)boot + (double)ticks / (double)sysconf(_SC_CLK_TCK) : 0;
}

void metrics_begin(void)
{
	seen.memory = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	seen.files = opendir("/proc/self/fd");
	seen.started = start_time();
}

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec * 1e-6;
}

/* Without "." and "..". */
static int count_files(void)
{
	int count = -2;

	rewinddir(seen.files);
	while (readdir(seen.files) != NULL)
		count++;
	return count;
}

static void memory(struct metrics *page)
{
	char text[128], *end;
	double size = (double)sysconf(_SC_PAGESIZE), pages;

	if (!read_file(seen.memory, text, sizeof(text)))
		return;
	pages = (double)strtoull(text, &end, 10);
	METRIC_PUT(page, resident, size * (double)strtoull(end, NULL, 10));
	METRIC_PUT(page, virtual, size * pages);
}

static void checks(struct app *app, struct metrics *page)
{
	struct ready ready;

	ready_check(page->cx, &app->gateway, &ready);
	METRIC_PUT(page, ready, ready.good);
	for (size_t i = 0; i < ready.count; i++)
		METRIC_PUT(page, check_up, ready.checks[i].state == CHECK_OK, ready.checks[i].name);
}

static void spans(const struct app *app, struct metrics *page)
{
	struct tracer_stats stats;

	if (app->tracer == NULL)
		return;
	tracer_stats(app->tracer, &stats);
	METRIC_PUT(page, spans_sent, stats.sent);
	METRIC_PUT(page, spans_dropped, stats.dropped);
}

void metrics_of_process(struct app *app, struct metrics *page)
{
	struct rlimit limit;
	struct rusage usage;

	METRIC_PUT(page, build, 1, MARCA_VERSION);
	for (size_t i = 0; i < app->gateway.service_count; i++)
		if (app->here[app->gateway.services[i]->room])
			METRIC_PUT(page, services, 1, app->gateway.services[i]->name);
	checks(app, page);
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		METRIC_PUT(page, cpu, seconds(usage.ru_utime) + seconds(usage.ru_stime));
	memory(page);
	if (seen.files != NULL)
		METRIC_PUT(page, open_fds, count_files());
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		METRIC_PUT(page, max_fds, limit.rlim_cur);
	if (seen.started > 0)
		METRIC_PUT(page, start_time, seen.started);
	METRIC_PUT(page, log_dropped, log_dropped());
	spans(app, page);
}
