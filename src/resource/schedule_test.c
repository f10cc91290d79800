/* The three forms of a schedule are read as the same week; what is wrong is told where it stands. */
#include "resource/schedule.h"

#include "base/arena_fixture.h"
#include "json/arena_json.h"
#include "json/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define H(hour) ((hour)*3600)

static struct schedule good(const char *text)
{
	struct schedule schedule;

	if (schedule_load(&arena, text, &schedule) != RC_OK)
		fail_msg("refused: %s", text);
	return schedule;
}

static void assert_same(const struct schedule *a, const struct schedule *b)
{
	assert_int_equal(a->always_open, b->always_open);
	for (int day = 0; day < 7; day++) {
		assert_int_equal(a->days[day].count, b->days[day].count);
		assert_memory_equal(a->days[day].ranges, b->days[day].ranges,
				    a->days[day].count * sizeof(a->days[day].ranges[0]));
	}
}

/* "body.monday.0: string_type" of the first issue; how many in *ret_count. */
static const char *bad(const char *text, size_t *ret_count)
{
	static const struct loc body = {.name = "body"};
	static char told[200];
	struct issues issues = {.arena = &arena};
	const char *why = NULL;
	const struct json_t *value = arena_json_load(&arena, str_from(text), &why);
	char *at = told;

	told[0] = '\0';
	assert_non_null(value);
	schedule_check(value, &body, &issues);
	*ret_count = issues.count;
	if (issues.count == 0)
		return "good";
	for (const struct loc *loc = issues.first->loc; loc->up != NULL; loc = loc->up) {
		if (loc->name != NULL)
			at += snprintf(at, (size_t)(told + sizeof(told) - at), "%s<", loc->name);
		else
			at += snprintf(at, (size_t)(told + sizeof(told) - at), "%zu<", loc->index);
	}
	return told;
}

static void one_issue(const char *text, const char *where)
{
	size_t count;

	assert_string_equal(bad(text, &count), where);
	assert_int_equal(count, 1);
}

static void forms_are_equal(void **state)
{
	struct schedule texts =
		good("{\"monday\":[\"08:00-12:00\",\"13:00-18:00\"],\"sunday\":[\"22:00-24:00\"]}");
	struct schedule objects = good("{\"monday\":[{\"start\":\"13:00\",\"end\":\"18:00\"},"
				       "{\"start\":\"08:00\",\"end\":\"12:00\",\"note\":1}],"
				       "\"sunday\":[{\"start\":\"22:00:00\",\"end\":\"24:00\"}]}");
	struct schedule entries =
		good("{\"schedule\":[{\"day_of_week\":6,\"start_time\":\"22:00\",\"end_time\":\"24:00\"},"
		     "{\"day_of_week\":0,\"start_time\":\"08:00\",\"end_time\":\"12:00\"},"
		     "{\"day_of_week\":0,\"start_time\":\"13:00\",\"end_time\":\"18:00\"}]}");
	struct schedule mixed =
		good("{\"Monday\":[\"08:00 - 12:00\",{\"start\":\"13:00\",\"end\":\"18:00\"}],"
		     "\"SUNDAY\":[\"22:00:00-24:00:00\"],\"friday\":[]}");

	(void)state;
	assert_false(texts.always_open);
	assert_int_equal(texts.days[0].count, 2);
	assert_int_equal(texts.days[0].ranges[0].open_s, H(8));
	assert_int_equal(texts.days[0].ranges[1].close_s, H(18));
	assert_int_equal(texts.days[6].ranges[0].close_s, CLOCK_DAY_END);
	assert_int_equal(texts.days[4].count, 0);
	assert_same(&texts, &objects);
	assert_same(&texts, &entries);
	assert_same(&texts, &mixed);
}

static void nothing_named_is_always_open(void **state)
{
	(void)state;
	assert_true(good(NULL).always_open);
	assert_true(good("{}").always_open);
	assert_true(good("{\"schedule\":[]}").always_open);
}

static void a_day_without_ranges_is_closed(void **state)
{
	struct schedule closed = good("{\"monday\":[]}");

	(void)state;
	assert_false(closed.always_open);
	for (int day = 0; day < 7; day++)
		assert_int_equal(closed.days[day].count, 0);
}

static void ranges_merge(void **state)
{
	struct schedule schedule =
		good("{\"tuesday\":[\"10:00-12:00\",\"08:00-10:00\",\"11:00-13:30\",\"15:00-15:01\"]}");

	(void)state;
	assert_int_equal(schedule.days[1].count, 2);
	assert_int_equal(schedule.days[1].ranges[0].open_s, H(8));
	assert_int_equal(schedule.days[1].ranges[0].close_s, H(13) + 1800);
}

static void faults_are_told_where_they_stand(void **state)
{
	(void)state;
	one_issue("{\"segunda\":[\"08:00-12:00\"]}", "segunda<");
	one_issue("{\"monday\":\"08:00-12:00\"}", "monday<");
	one_issue("{\"monday\":null}", "monday<");
	one_issue("{\"monday\":[\"08:00\"]}", "0<monday<");
	one_issue("{\"monday\":[\"8-12\"]}", "0<monday<");
	one_issue("{\"monday\":[\"08:00-25:00\"]}", "0<monday<");
	one_issue("{\"monday\":[\"08:00-12:00\",7]}", "1<monday<");
	one_issue("{\"monday\":[\"12:00-08:00\"]}", "0<monday<");
	one_issue("{\"monday\":[\"08:00-08:00\"]}", "0<monday<");
	one_issue("{\"monday\":[\"\"]}", "0<monday<");
	one_issue("{\"monday\":[{\"start\":\"08:00\"}]}", "end<0<monday<");
	one_issue("{\"monday\":[{\"start\":8,\"end\":\"12:00\"}]}", "start<0<monday<");
	one_issue("{\"schedule\":[],\"monday\":[]}", "");
	one_issue("{\"schedule\":{}}", "schedule<");
	one_issue("{\"schedule\":[1]}", "0<schedule<");
	one_issue("{\"schedule\":[{\"start_time\":\"08:00\",\"end_time\":\"12:00\"}]}",
		  "day_of_week<0<schedule<");
	one_issue("{\"schedule\":[{\"day_of_week\":7,\"start_time\":\"08:00\",\"end_time\":\"12:00\"}]}",
		  "day_of_week<0<schedule<");
	one_issue("{\"schedule\":[{\"day_of_week\":-1,\"start_time\":\"08:00\",\"end_time\":\"12:00\"}]}",
		  "day_of_week<0<schedule<");
	one_issue("{\"schedule\":[{\"day_of_week\":\"0\",\"start_time\":\"08:00\",\"end_time\":\"12:00\"}]}",
		  "day_of_week<0<schedule<");
	one_issue("{\"schedule\":[{\"day_of_week\":0,\"start_time\":\"12:00\",\"end_time\":\"12:00\"}]}",
		  "0<schedule<");
}

static void all_faults_at_once(void **state)
{
	size_t count;

	(void)state;
	bad("{\"monday\":[\"x\",\"y\"],\"funday\":[],\"tuesday\":[{\"start\":1,\"end\":2}]}", &count);
	assert_int_equal(count, 5);
}

static void too_many_ranges(void **state)
{
	char text[2000] = "{\"monday\":[";
	size_t len = strlen(text), count;

	(void)state;
	for (int i = 0; i < SCHEDULE_RANGES_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\"%02d:%s-%02d:%s\"",
					i > 0 ? "," : "", i / 2, i % 2 ? "30" : "00", i / 2,
					i % 2 ? "45" : "15");
	snprintf(text + len, sizeof(text) - len, "]}");
	assert_int_equal(good(text).days[0].count, SCHEDULE_RANGES_MAX);
	snprintf(text + len, sizeof(text) - len, ",\"23:50-23:55\"]}");
	assert_string_equal(bad(text, &count), "48<monday<");
	assert_int_equal(count, 1);
}

static void what_was_never_checked_is_not_believed(void **state)
{
	struct schedule schedule;

	(void)state;
	assert_int_equal(schedule_load(&arena, "[]", &schedule), RC_INTERNAL);
	assert_int_equal(schedule_load(&arena, "{", &schedule), RC_INTERNAL);
	assert_int_equal(schedule_load(&arena, "{\"monday\":3}", &schedule), RC_INTERNAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_are_equal),
		cmocka_unit_test(nothing_named_is_always_open),
		cmocka_unit_test(a_day_without_ranges_is_closed),
		cmocka_unit_test(ranges_merge),
		cmocka_unit_test(faults_are_told_where_they_stand),
		cmocka_unit_test(all_faults_at_once),
		cmocka_unit_test(too_many_ranges),
		cmocka_unit_test(what_was_never_checked_is_not_believed),
	};

	arena_json_init();
	return cmocka_run_group_tests(tests, begin, end);
}
