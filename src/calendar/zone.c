/* See zone.h. A zone is a sorted table of offsets (tzif.h), searched by halves. */
#include "calendar/zone.h"

#include "calendar/tzif.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ZONEINFO_DIR  "/usr/share/zoneinfo"
#define FILE_SIZE_MAX 65536 /* the longest of 2026 has 3,562 bytes */
#define OFFSET_MAX    (26 * UTIME_HOUR)

struct zone {
	struct tz_table table;
};

/* In the folder, and good to read, but no names: files of the system's own, and other countings of time. */
static bool is_reserved(const char *name)
{
	static const char *const files[] = {"localtime", "posixrules"};
	static const char *const folders[] = {"posix/", "right/"};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		if (strcmp(name, files[i]) == 0)
			return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		if (strncmp(name, folders[i], strlen(folders[i])) == 0)
			return true;
	}
	return false;
}

/* Letters, digits, "_", "+", "-" and inner slashes: so neither "..", nor a path from the root. */
static bool is_name(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
	size_t len = strlen(name);

	return len > 0 && strspn(name, allowed) == len && name[0] != '/' && name[len - 1] != '/' &&
	       strstr(name, "//") == NULL && !is_reserved(name);
}

/* At most `max` bytes of a file. RC_INVALID: there is no such file. RC_OVERLOADED: it cannot be read now. */
static enum rc file_read(const char *path, unsigned char *buf, size_t max, size_t *ret_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t size = 0;
	ssize_t got = 1;

	if (fd < 0)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == EIO ? RC_OVERLOADED
											     : RC_INVALID;
	while (size < max && got > 0) {
		got = read(fd, buf + size, max - size);
		if (got > 0)
			size += (size_t)got;
		else if (got < 0 && errno == EINTR)
			got = 1;
	}
	close(fd);
	if (got < 0)
		return errno == EISDIR ? RC_INVALID : RC_OVERLOADED;
	*ret_size = size;
	return RC_OK;
}

static enum rc table_open(const char *dir, const char *name, struct tz_table *ret)
{
	char path[PATH_MAX];
	unsigned char *bytes;
	size_t size;
	enum rc rc;
	int len = snprintf(path, sizeof(path), "%s/%s", dir, name);

	if (len < 0 || (size_t)len >= sizeof(path))
		return RC_INVALID;
	bytes = malloc(FILE_SIZE_MAX);
	if (bytes == NULL)
		return RC_NO_MEMORY;
	rc = file_read(path, bytes, FILE_SIZE_MAX, &size);
	if (rc == RC_OK)
		rc = tzif_read(bytes, size, ret);
	free(bytes);
	return rc;
}

enum rc zone_open_in(const char *dir, const char *iana_name, struct zone **ret)
{
	struct zone *zone;
	enum rc rc;

	if (!is_name(iana_name))
		return RC_INVALID;
	zone = calloc(1, sizeof(*zone));
	if (zone == NULL)
		return RC_NO_MEMORY;
	/* The default of every tenant, which must work where no tz database is installed. */
	rc = strcmp(iana_name, "UTC") == 0 ? tz_table_fixed(0, &zone->table)
					   : table_open(dir, iana_name, &zone->table);
	if (rc != RC_OK) {
		zone_close(zone);
		return rc;
	}
	*ret = zone;
	return RC_OK;
}

enum rc zone_open(const char *iana_name, struct zone **ret)
{
	return zone_open_in(ZONEINFO_DIR, iana_name, ret);
}

void zone_close(struct zone *zone)
{
	if (zone == NULL)
		return;
	tz_table_free(&zone->table);
	free(zone);
}

/* How far back to go so that `at` comes into the part that is written out. */
static utime cycle_shift(const struct tz_table *table, utime at)
{
	return at < table->cycle_end ? 0 : ((at - table->cycle_end) / TZ_CYCLE + 1) * TZ_CYCLE;
}

/* The last period that began at `at` or before. */
static size_t period_at(const struct tz_table *table, utime at)
{
	const struct tz_period *first = table->periods;
	size_t count = table->count, half;

	while (count > 1) {
		half = count / 2;
		first = first[half].start <= at ? first + half : first;
		count -= half;
	}
	return (size_t)(first - table->periods);
}

static utime offset_at(const struct zone *zone, utime at)
{
	const struct tz_table *table = &zone->table;

	return table->periods[period_at(table, at - cycle_shift(table, at))].offset;
}

int32_t zone_offset(const struct zone *zone, utime at)
{
	return (int32_t)(offset_at(zone, at) / UTIME_SECOND);
}

utime zone_local(const struct zone *zone, utime at)
{
	return at + offset_at(zone, at);
}

int64_t zone_date(const struct zone *zone, utime at)
{
	return floor_div(zone_local(zone, at), UTIME_DAY);
}

static bool has_ended(const struct tz_table *table, size_t period, utime at)
{
	return period + 1 < table->count && at >= table->periods[period + 1].start;
}

enum zone_fit zone_resolve(const struct zone *zone, utime local, struct zone_instants *ret)
{
	const struct tz_table *table = &zone->table;
	const struct tz_period *periods = table->periods;
	utime shift = cycle_shift(table, local), at;
	size_t i;

	local -= shift;
	/* The first period that shows this reading or later ones. */
	for (i = period_at(table, local - OFFSET_MAX); has_ended(table, i, local - periods[i].offset);)
		i++;
	at = local - periods[i].offset;
	if (at < periods[i].start) {
		ret->first = ret->second = periods[i].start + shift;
		return ZONE_GAP;
	}
	ret->first = ret->second = at + shift;
	if (i + 1 == table->count || local - periods[i + 1].offset < periods[i + 1].start)
		return ZONE_UNIQUE;
	ret->second = local - periods[i + 1].offset + shift;
	return ZONE_FOLD;
}
