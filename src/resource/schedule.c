/* See schedule.h. */
#include "resource/schedule.h"

#include "base/utime.h"
#include "json/arena_json.h"
#include "json/tree.h"

#define WEEKDAYS 7

static const char *const weekdays[WEEKDAYS] = {"monday", "tuesday",  "wednesday", "thursday",
					       "friday", "saturday", "sunday"};

struct reading {
	struct schedule *schedule;
	struct issues *issues;
};

static int weekday_called(const char *name)
{
	for (int i = 0; i < WEEKDAYS; i++)
		if (str_equal_nocase(str_from(name), str_from(weekdays[i])))
			return i;
	return -1;
}

static void add(struct reading *reading, const struct loc *loc, int weekday, struct clock_range range)
{
	if (range.open_s >= range.close_s)
		issue_add(reading->issues, loc, ISSUE_EMPTY_RANGE, NULL);
	else if (schedule_add(reading->schedule, weekday, range) != RC_OK)
		issue_add_number(reading->issues, loc, ISSUE_TOO_MANY, SCHEDULE_RANGES_MAX);
}

/* --- One range ---------------------------------------------------------------- */

/* "08:00-12:00", seconds and blanks around the dash allowed */
static void text_read(struct reading *reading, struct str text, const struct loc *loc, int weekday)
{
	const char *dash = memchr(text.p, '-', text.len);
	struct clock_range range;
	struct str open, close;

	if (dash != NULL) {
		open = (struct str){text.p, (size_t)(dash - text.p)};
		close = (struct str){dash + 1, text.len - open.len - 1};
		if (utime_parse_clock(str_trim(open), &range.open_s) &&
		    utime_parse_clock(str_trim(close), &range.close_s)) {
			add(reading, loc, weekday, range);
			return;
		}
	}
	issue_add(reading->issues, loc, ISSUE_BAD_RANGE, NULL);
}

static bool clock_read(struct reading *reading, const struct json_t *object, const char *name,
		       const struct loc *loc, int32_t *ret)
{
	const struct json_t *value = tree_member(object, name);
	const struct loc here = {.up = loc, .name = name};

	if (value == NULL)
		issue_add(reading->issues, &here, ISSUE_MISSING, NULL);
	else if (tree_kind(value) != TREE_TEXT || !utime_parse_clock(tree_text(value), ret))
		issue_add(reading->issues, &here, ISSUE_NOT_CLOCK, NULL);
	else
		return true;
	return false;
}

/* An object with these two members. A weekday below zero was told wrong already. */
static void object_read(struct reading *reading, const struct json_t *object, const char *open_name,
			const char *close_name, const struct loc *loc, int weekday)
{
	struct clock_range range;
	bool open = clock_read(reading, object, open_name, loc, &range.open_s);
	bool close = clock_read(reading, object, close_name, loc, &range.close_s);

	if (open && close && weekday >= 0)
		add(reading, loc, weekday, range);
}

/* --- {"monday": [...], ...} ------------------------------------------------- */

static void day_read(struct reading *reading, const struct json_t *list, const struct loc *loc, int weekday)
{
	if (tree_kind(list) != TREE_LIST) {
		issue_add(reading->issues, loc, ISSUE_NOT_LIST, NULL);
		return;
	}
	for (size_t i = 0; i < tree_count(list); i++) {
		const struct json_t *item = tree_item(list, i);
		const struct loc here = {.up = loc, .index = i};

		if (tree_kind(item) == TREE_TEXT)
			text_read(reading, tree_text(item), &here, weekday);
		else if (tree_kind(item) == TREE_OBJECT)
			object_read(reading, item, "start", "end", &here, weekday);
		else
			issue_add(reading->issues, &here, ISSUE_BAD_RANGE, NULL);
	}
}

static void week_read(struct reading *reading, const struct json_t *value, const struct loc *loc)
{
	for (struct tree_walk walk = {0}; tree_next(value, &walk);) {
		const struct loc here = {.up = loc, .name = walk.name};
		int weekday = weekday_called(walk.name);

		reading->schedule->always_open = false;
		if (weekday < 0)
			issue_add(reading->issues, &here, ISSUE_BAD_WEEKDAY, walk.name);
		else
			day_read(reading, walk.value, &here, weekday);
	}
}

/* --- {"schedule": [{"day_of_week": 0, ...}, ...]} ----------------------------- */

static int weekday_read(struct reading *reading, const struct json_t *entry, const struct loc *loc)
{
	const struct json_t *value = tree_member(entry, "day_of_week");
	const struct loc here = {.up = loc, .name = "day_of_week"};

	if (value == NULL)
		issue_add(reading->issues, &here, ISSUE_MISSING, NULL);
	else if (tree_kind(value) != TREE_INT)
		issue_add(reading->issues, &here, ISSUE_NOT_INT, NULL);
	else if (tree_int(value) < 0)
		issue_add_number(reading->issues, &here, ISSUE_TOO_SMALL, 0);
	else if (tree_int(value) >= WEEKDAYS)
		issue_add_number(reading->issues, &here, ISSUE_TOO_LARGE, WEEKDAYS - 1);
	else
		return (int)tree_int(value);
	return -1;
}

static void entries_read(struct reading *reading, const struct json_t *list, const struct loc *loc)
{
	if (tree_kind(list) != TREE_LIST) {
		issue_add(reading->issues, loc, ISSUE_NOT_LIST, NULL);
		return;
	}
	for (size_t i = 0; i < tree_count(list); i++) {
		const struct json_t *entry = tree_item(list, i);
		const struct loc here = {.up = loc, .index = i};

		reading->schedule->always_open = false;
		if (tree_kind(entry) == TREE_OBJECT)
			object_read(reading, entry, "start_time", "end_time", &here,
				    weekday_read(reading, entry, &here));
		else
			issue_add(reading->issues, &here, ISSUE_NOT_OBJECT, NULL);
	}
}

/* --- The whole -------------------------------------------------------------- */

static bool is_mixed(const struct json_t *value)
{
	for (struct tree_walk walk = {0}; tree_next(value, &walk);)
		if (strcmp(walk.name, "schedule") != 0)
			return true;
	return false;
}

static void schedule_read(const struct json_t *value, const struct loc *loc, struct issues *issues,
			  struct schedule *ret)
{
	struct reading reading = {.schedule = ret, .issues = issues};
	const struct json_t *entries = tree_member(value, "schedule");
	const struct loc here = {.up = loc, .name = "schedule"};

	schedule_init(ret);
	ret->always_open = true; /* until a weekday is named */
	if (entries == NULL)
		week_read(&reading, value, loc);
	else if (is_mixed(value))
		issue_add(issues, loc, ISSUE_MIXED_SCHEDULE, NULL);
	else
		entries_read(&reading, entries, &here);
	schedule_seal(ret);
}

void schedule_check(const struct json_t *value, const struct loc *loc, struct issues *issues)
{
	struct schedule schedule;

	schedule_read(value, loc, issues, &schedule);
}

enum rc schedule_load(struct arena *arena, const char *text, struct schedule *ret)
{
	struct issues issues = {.arena = arena};
	const struct json_t *value;
	const char *why;

	if (text == NULL) {
		schedule_init(ret);
		ret->always_open = true;
		return RC_OK;
	}
	value = arena_json_load(arena, str_from(text), &why);
	if (value == NULL || tree_kind(value) != TREE_OBJECT)
		return RC_INTERNAL;
	schedule_read(value, NULL, &issues, ret);
	return issues.count == 0 ? RC_OK : RC_INTERNAL;
}
