/* See tzif.h. */
#include "calendar/tzif.h"

#include "calendar/tzrule.h"

#include <stdlib.h>

#define HEADER_SIZE  44
#define TYPE_SIZE    6
#define CYCLE_YEARS  400
#define OFFSET_S_MAX (26 * 3600 - 1) /* RFC 9636: less than 26 hours east, 25 west */

/* One of the file's two blocks. All sizes are those that its header tells, and lie within the file. */
struct block {
	const unsigned char *times; /* time_count big-endian seconds */
	const unsigned char *types; /* time_count indices of infos */
	const unsigned char *infos; /* type_count of TYPE_SIZE: offset, daylight or not, name */
	const unsigned char *end;   /* the first byte after it */
	uint32_t time_count, type_count, leap_count;
};

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be64(const unsigned char *p)
{
	return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

/* The block at `at`, whose times have 4 bytes (the first, for old readers) or 8. */
static bool block_read(const unsigned char *at, const unsigned char *end, size_t time_size, struct block *ret)
{
	size_t ut_count, standard_count, leap_count, time_count, type_count, name_size, size;

	if (end - at < HEADER_SIZE || memcmp(at, "TZif", 4) != 0 || at[4] < '2')
		return false;
	ut_count = be32(at + 20);
	standard_count = be32(at + 24);
	leap_count = be32(at + 28);
	time_count = be32(at + 32);
	type_count = be32(at + 36);
	name_size = be32(at + 40);
	/* 32-bit counts of small things cannot overflow 64 bits. */
	size = time_count * time_size + time_count + type_count * TYPE_SIZE + name_size +
	       leap_count * (time_size + 4) + standard_count + ut_count;
	at += HEADER_SIZE;
	if (size > (size_t)(end - at))
		return false;
	ret->times = at;
	ret->types = ret->times + time_count * time_size;
	ret->infos = ret->types + time_count;
	ret->end = at + size;
	ret->time_count = (uint32_t)time_count;
	ret->type_count = (uint32_t)type_count;
	ret->leap_count = (uint32_t)leap_count;
	return true;
}

static bool type_offset(const struct block *block, uint32_t type, int64_t *ret)
{
	int32_t seconds;

	if (type >= block->type_count)
		return false;
	seconds = (int32_t)be32(block->infos + type * TYPE_SIZE);
	if (seconds < -OFFSET_S_MAX || seconds > OFFSET_S_MAX)
		return false;
	*ret = seconds * UTIME_SECOND;
	return true;
}

/* Instants come in order; a second one at the same instant takes the place of the first. */
static void add(struct tz_table *table, utime start, int64_t offset)
{
	if (table->count > 0 && table->periods[table->count - 1].start == start)
		table->count--;
	if (table->count == 0 || table->periods[table->count - 1].offset != offset)
		table->periods[table->count++] = (struct tz_period){start, offset};
}

/* Seconds that RFC 3339 cannot write are cut to those that it can. */
static utime from_seconds(int64_t seconds)
{
	if (seconds < UTIME_MIN / UTIME_SECOND)
		return UTIME_MIN;
	if (seconds > UTIME_MAX / UTIME_SECOND)
		return UTIME_MAX;
	return seconds * UTIME_SECOND;
}

static bool add_written(struct tz_table *table, const struct block *block)
{
	int64_t offset;
	utime at, last = UTIME_MIN;

	if (!type_offset(block, 0, &offset))
		return false;
	add(table, INT64_MIN, offset);
	for (uint32_t i = 0; i < block->time_count; i++) {
		at = from_seconds(be64(block->times + i * sizeof(int64_t)));
		if (at < last || !type_offset(block, block->types[i], &offset))
			return false;
		add(table, at, offset);
		last = at;
	}
	return true;
}

static int64_t year_of(utime at)
{
	int64_t year;
	unsigned month, day;

	utime_civil_from_days(floor_div(at, UTIME_DAY), &year, &month, &day);
	return year;
}

/* The changes from `last` on, for a whole cycle after the year that `last` is in. */
static void add_ruled(struct tz_table *table, const struct tzrule *rule, utime last)
{
	int64_t daylight = rule->daylight_s * UTIME_SECOND, standard = rule->standard_s * UTIME_SECOND;
	int64_t first_year = year_of(last), to_daylight, to_standard;
	struct tz_period changes[2];

	for (int64_t year = first_year; year <= first_year + CYCLE_YEARS + 1; year++) {
		tzrule_year(rule, year, &to_daylight, &to_standard);
		changes[to_daylight > to_standard] = (struct tz_period){to_daylight * UTIME_SECOND, daylight};
		changes[to_daylight <= to_standard] =
			(struct tz_period){to_standard * UTIME_SECOND, standard};
		for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
			if (changes[i].start < last)
				continue;
			add(table, changes[i].start, changes[i].offset);
			last = changes[i].start;
		}
	}
	table->cycle_end = utime_days_from_civil(first_year + CYCLE_YEARS + 1, 1, 1) * UTIME_DAY;
}

/* "\nrule\n", where the rule may be empty: then the last offset stays. */
static bool footer_read(const unsigned char *at, const unsigned char *end, struct tzrule *ret)
{
	const unsigned char *newline;

	*ret = (struct tzrule){0};
	if (at == end || *at++ != '\n')
		return false;
	newline = memchr(at, '\n', (size_t)(end - at));
	if (newline == NULL)
		return false;
	return newline == at || tzrule_parse((struct str){(const char *)at, (size_t)(newline - at)}, ret);
}

static bool offsets_fit(const struct tzrule *rule)
{
	return rule->standard_s <= OFFSET_S_MAX && rule->daylight_s <= OFFSET_S_MAX;
}

enum rc tzif_read(const unsigned char *bytes, size_t size, struct tz_table *ret)
{
	const unsigned char *end = bytes + size;
	struct tz_table table = {.cycle_end = INT64_MAX};
	struct block old, block;
	struct tzrule rule;
	size_t room;

	if (!block_read(bytes, end, sizeof(int32_t), &old) ||
	    !block_read(old.end, end, sizeof(int64_t), &block) || block.leap_count > 0 ||
	    !footer_read(block.end, end, &rule) || !offsets_fit(&rule))
		return RC_INVALID;
	room = 1 + (size_t)block.time_count + (rule.changes ? 2 * (CYCLE_YEARS + 2) : 0);
	table.periods = calloc(room, sizeof(*table.periods));
	if (table.periods == NULL)
		return RC_NO_MEMORY;
	if (!add_written(&table, &block)) {
		tz_table_free(&table);
		return RC_INVALID;
	}
	if (rule.changes)
		add_ruled(&table, &rule,
			  block.time_count > 0
				  ? from_seconds(be64(block.times + (block.time_count - 1) * sizeof(int64_t)))
				  : UTIME_MIN);
	*ret = table;
	return RC_OK;
}

enum rc tz_table_fixed(int64_t offset, struct tz_table *ret)
{
	struct tz_period *period = malloc(sizeof(*period));

	if (period == NULL)
		return RC_NO_MEMORY;
	*period = (struct tz_period){INT64_MIN, offset};
	*ret = (struct tz_table){.periods = period, .count = 1, .cycle_end = INT64_MAX};
	return RC_OK;
}

void tz_table_free(struct tz_table *table)
{
	free(table->periods);
	*table = (struct tz_table){0};
}
