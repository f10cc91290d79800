/* What shape_parse() takes, what it refuses and how it tells: a table of bodies, then what the values become.
 */
#include "base/arena_fixture.h"
#include "json/arena_json.h"
#include "json/shape_sample.h"
#include "json/write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct sample *parse(enum parse_mode mode, struct str json, const char **ret_issues)
{
	struct issues issues = {.arena = &arena};
	void *object = NULL;
	enum rc rc = shape_parse(&sample_shape, mode, json, &issues, &object);

	*ret_issues = sample_issues(&issues);
	assert_int_equal(rc, (*ret_issues)[0] == '\0' ? RC_OK : RC_INVALID);
	assert_non_null(object);
	return object;
}

static struct sample *parse_good(const char *json)
{
	const char *issues;
	struct sample *sample = parse(PARSE_WHOLE, str_from(json), &issues);

	assert_string_equal(issues, "");
	return sample;
}

struct row {
	const char *json, *issues;
};

static void expect(enum parse_mode mode, const struct row *rows, size_t count)
{
	const char *issues;

	for (size_t i = 0; i < count; i++) {
		parse(mode, str_from(rows[i].json), &issues);
		if (strcmp(issues, rows[i].issues) != 0)
			fail_msg("%s\n  gives    \"%s\"\n  and not  \"%s\"", rows[i].json, issues,
				 rows[i].issues);
	}
}

/* A body with the one required field and another one. */
#define AND(member) "{\"text\":\"a\"," member "}"

/* clang-format off */
static const struct row creations[] = {
	/* What is not JSON, or no object */
	{"", "body:json_invalid"},
	{"{", "body:json_invalid"},
	{"{'text':1}", "body:json_invalid"},
	{"{\"text\":\"a\",}", "body:json_invalid"},
	{"{\"text\":\"a\"} x", "body:json_invalid"},
	{"{\"text\":\"a\"}{}", "body:json_invalid"},
	{"{\"text\":NaN}", "body:json_invalid"},
	{"\xef\xbb\xbf{\"text\":\"a\"}", "body:json_invalid"},
	{"null", "body:dict_type"},
	{"[]", "body:dict_type"},
	{"7", "body:dict_type"},
	{"\"text\"", "body:dict_type"},

	/* Duplicates, bad UTF-8, U+0000, in names, values and what is kept */
	{"{\"text\":\"a\",\"text\":\"a\"}", "body:json_invalid"},
	{AND("\"x\":{\"y\":1,\"y\":2}"), "body:json_invalid"},
	{"{\"text\":\"a\",\"te\\u0078t\":\"a\"}", "body:json_invalid"},
	{"{\"text\":\"\xff\"}", "body:json_invalid"},
	{"{\"text\":\"\xc0\xaf\"}", "body:json_invalid"},
	{"{\"text\":\"\xed\xa0\x80\"}", "body:json_invalid"},
	{"{\"text\":\"\xf4\x90\x80\x80\"}", "body:json_invalid"},
	{"{\"text\":\"\\ud800\"}", "body:json_invalid"},
	{"{\"text\":\"\\u0000\"}", "body:json_invalid"},
	{"{\"te\\u0000xt\":\"a\"}", "body:json_invalid"},
	{AND("\"meta\":{\"a\":\"\\u0000\"}"), "body:json_invalid"},
	{"{\"text\":\"\n\"}", "body:json_invalid"},

	/* Numbers past what a number can hold */
	{AND("\"free\":9223372036854775808"), "body:json_invalid"},
	{AND("\"meta\":{\"a\":1e999}"), "body:json_invalid"},
	{AND("\"free\":9223372036854775807"), ""},

	/* Each kind */
	{"{}", "body.text:missing"},
	{"{\"text\":null}", "body.text:null_forbidden"},
	{"{\"text\":7}", "body.text:string_type"},
	{"{\"text\":\"\"}", "body.text:string_too_short"},
	{"{\"text\":\"\xc3\xa1\xc3\xa9\xc3\xad\xc3\xb3\xc3\xba\"}", ""},
	{"{\"text\":\"123456\"}", "body.text:string_too_long"},
	{AND("\"id\":\"0193a3f2-7c00-7000-8000-00000000000\""), "body.id:uuid_parsing"},
	{AND("\"id\":7"), "body.id:string_type"},
	{AND("\"when\":\"2025-13-01T00:00\""), "body.when:datetime_parsing"},
	{AND("\"when\":1764590400"), "body.when:string_type"},
	{AND("\"date\":\"2025-02-29\""), "body.date:date_parsing"},
	{AND("\"clock\":\"24:01\""), "body.clock:time_parsing"},
	{AND("\"clock\":\"8:00\""), "body.clock:time_parsing"},
	{AND("\"bounded\":4"), "body.bounded:greater_than_equal"},
	{AND("\"bounded\":481"), "body.bounded:less_than_equal"},
	{AND("\"bounded\":\"30\""), "body.bounded:int_type"},
	{AND("\"bounded\":30.0"), "body.bounded:int_type"},
	{AND("\"bounded\":true"), "body.bounded:int_type"},
	{AND("\"bounded\":null"), "body.bounded:null_forbidden"},
	{AND("\"flag\":1"), "body.flag:bool_type"},
	{AND("\"flag\":\"true\""), "body.flag:bool_type"},
	{AND("\"flag\":null"), "body.flag:null_forbidden"},
	{AND("\"colour\":\"Red\""), "body.colour:enum"},
	{AND("\"colour\":0"), "body.colour:string_type"},
	{AND("\"colour\":null"), "body.colour:null_forbidden"},
	{AND("\"zone\":null"), "body.zone:null_forbidden"},
	{AND("\"email\":\"ana\""), "body.email:value_error"},
	{AND("\"email\":\"\""), "body.email:value_error"},

	/* Objects and lists, with the way that leads into them */
	{AND("\"object\":null"), "body.object:null_forbidden"},
	{AND("\"object\":[]"), "body.object:dict_type"},
	{AND("\"object\":{\"n\":10}"), "body.object.label:missing body.object.n:less_than_equal"},
	{AND("\"object\":{\"label\":\"nine\"}"), "body.object:value_error"},
	{AND("\"object\":{\"label\":\"nine\",\"n\":10}"), "body.object.n:less_than_equal"},
	{AND("\"list\":{}"), "body.list:list_type"},
	{AND("\"list\":[{\"label\":\"a\"},7,{\"label\":\"\"}]"), "body.list.1:dict_type body.list.2.label:string_too_short"},
	{AND("\"list\":[7,7,7,7]"), "body.list:too_long"},
	{AND("\"list\":[null]"), "body.list.0:dict_type"},
	{AND("\"days\":[0,7,-1,\"1\"]"), "body.days.1:less_than_equal body.days.2:greater_than_equal body.days.3:int_type"},
	{AND("\"days\":7"), "body.days:list_type"},
	{AND("\"colours\":[\"green\",\"red\"]"), ""},
	{AND("\"colours\":[]"), ""},
	{AND("\"colours\":[\"red\",\"red\"]"), "body.colours.1:value_error"},
	{AND("\"colours\":[\"blue\",1]"), "body.colours.0:enum body.colours.1:string_type"},
	{AND("\"colours\":[\"red\",\"red\",\"red\"]"), "body.colours:too_long"},
	{AND("\"colours\":\"red\""), "body.colours:list_type"},
	{AND("\"colours\":null"), "body.colours:null_forbidden"},
	{AND("\"days\":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]"), "body.days:too_long"},
	{AND("\"meta\":[]"), "body.meta:dict_type"},
	{AND("\"meta\":\"{}\""), "body.meta:dict_type"},
	{AND("\"meta\":{\"bad\":1}"), "body.meta.bad:value_error"},
	{AND("\"profile_meta\":{\"bad\":1}"), "body.meta.bad:value_error"},
	{AND("\"kept\":{\"n\":0}"), "body.kept.label:missing body.kept.n:greater_than_equal"},
	{AND("\"kept\":7"), "body.kept:dict_type"},

	/* Null where there may be none; what is unknown; all that is wrong at once */
	{AND("\"id\":null,\"when\":null,\"date\":null,\"clock\":null,\"free\":null,\"email\":null,\"list\":null,"
	     "\"days\":null,\"meta\":null,\"kept\":null"), ""},
	{AND("\"unknown\":[{}],\"Text\":7"), ""},
	{"{\"id\":1,\"bounded\":1,\"flag\":1,\"colour\":1,\"list\":1}",
	 "body.text:missing body.id:string_type body.bounded:greater_than_equal body.flag:bool_type "
	 "body.colour:string_type body.list:list_type"},
};

static const struct row changes[] = {
	{"{}", ""},
	{"", "body:json_invalid"},
	{"[]", "body:dict_type"},
	{"{\"text\":null}", "body.text:null_forbidden"},
	{"{\"text\":\"\"}", "body.text:string_too_short"},
	{"{\"email\":null,\"kept\":null}", ""},
	{"{\"zone\":null}", "body.zone:null_forbidden"},
	{"{\"object\":{}}", ""},
	{"{\"object\":{\"label\":null}}", "body.object.label:null_forbidden"},
	/* What is fixed is not even looked at; what stands in a list or is kept, is whole. */
	{"{\"origin\":7}", ""},
	{"{\"list\":[{}]}", "body.list.0.label:missing"},
	{"{\"kept\":{}}", "body.kept.label:missing"},
	/* Rules across fields wait for the merged object. */
	{"{\"object\":{\"label\":\"nine\",\"n\":1}}", ""},
};
/* clang-format on */

static void creations_are_refused_as_they_should(void **state)
{
	(void)state;
	expect(PARSE_WHOLE, creations, ARRAY_LEN(creations));
}

static void changes_are_refused_as_they_should(void **state)
{
	(void)state;
	expect(PARSE_CHANGE, changes, ARRAY_LEN(changes));
}

static void absent_fields_take_their_defaults(void **state)
{
	(void)state;
	struct sample *sample = parse_good("{\"text\":\"a\"}");

	assert_string_equal(sample->text, "a");
	assert_true(uuid_is_none(&sample->id));
	assert_true(sample->when.at == UTIME_NONE);
	assert_null(sample->date);
	assert_true(sample->clock == INT64_MIN);
	assert_int_equal(sample->bounded, 30);
	assert_true(sample->free == INT64_MIN);
	assert_true(sample->flag);
	assert_int_equal(sample->colour, colour_green);
	assert_string_equal(sample->zone, "UTC");
	assert_int_equal(sample->object.n, 3);
	assert_null(sample->list.items);
	assert_null(sample->meta);
	assert_null(sample->kept);
	assert_true(HAS(sample, sample, text));
	assert_false(HAS(sample, sample, bounded));
	assert_false(HAS(sample, sample, object));
}

static void values_become_what_they_mean(void **state)
{
	(void)state;
	struct sample *sample = parse_good(
		"{\"text\":\"\\u00e1\\ud83d\\ude00\",\"id\":\"0193A3F2-7C00-7000-8000-0000000000ff\","
		"\"when\":\"2025-12-05T14:00:00-03:00\",\"date\":\"2025-12-05\",\"clock\":\"24:00\","
		"\"bounded\":480,"
		"\"free\":-7,\"flag\":false,\"colour\":\"red\",\"list\":[{\"label\":\"a\"},{\"label\":\"b\","
		"\"n\":9}],"
		"\"days\":[0,6],\"meta\":{\"z\":[0.1,19.9,1e300,1.0,-2],\"a\":{\"b\":null}},"
		"\"kept\":{\"x\":1,\"label\":\"a\"},\"origin\":\"web\",\"inside\":7}");
	const struct inner *items = sample->list.items;

	assert_string_equal(sample->text, "\xc3\xa1\xf0\x9f\x98\x80");
	assert_int_equal(sample->id.b[15], 0xff);
	assert_true(sample->when.at == INT64_C(1764954000) * UTIME_SECOND && !sample->when.local);
	assert_string_equal(sample->date, "2025-12-05");
	assert_int_equal(sample->clock, 86400);
	assert_int_equal(sample->free, -7);
	assert_false(sample->flag);
	assert_int_equal(sample->colour, colour_red);
	assert_int_equal(sample->list.count, 2);
	assert_int_equal(items[0].n, 3);
	assert_string_equal(items[1].label, "b");
	assert_int_equal(((const int64_t *)sample->days.items)[1], 6);
	assert_string_equal(sample->meta, "{\"z\":[0.1,19.9,1e+300,1.0,-2],\"a\":{\"b\":null}}");
	/* What is kept is canonical: with its defaults, without what nobody knows. */
	assert_string_equal(sample->kept, "{\"label\":\"a\",\"n\":3}");
	/* Hidden fields are the store's own. */
	assert_true(sample->inside == INT64_MIN);
}

static void a_time_without_offset_is_local(void **state)
{
	(void)state;
	struct sample *sample = parse_good(AND("\"when\":\"2025-12-05T14:00\""));

	assert_true(sample->when.local);
	assert_true(sample->when.at == INT64_C(1764943200) * UTIME_SECOND);
}

static void the_name_goes_before_the_alias(void **state)
{
	(void)state;
	struct sample *sample = parse_good(AND("\"profile_meta\":{\"a\":1},\"meta\":{\"b\":2}"));

	assert_string_equal(sample->meta, "{\"b\":2}");
	assert_string_equal(parse_good(AND("\"profile_meta\":{\"a\":1}"))->meta, "{\"a\":1}");
}

static void a_change_tells_null_from_absent(void **state)
{
	(void)state;
	const char *issues;
	struct sample *sample =
		parse(PARSE_CHANGE,
		      STR("{\"email\":null,\"free\":null,\"origin\":\"app\",\"object\":{\"n\":5}}"), &issues);

	assert_string_equal(issues, "");
	assert_true(HAS(sample, sample, email));
	assert_null(sample->email);
	assert_true(HAS(sample, sample, free));
	assert_true(sample->free == INT64_MIN);
	assert_false(HAS(sample, sample, text));
	assert_false(HAS(sample, sample, origin));
	assert_true(HAS(sample, sample, object));
	assert_true(HAS(&sample->object, inner, n));
	assert_false(HAS(&sample->object, inner, label));
}

static void a_change_is_merged_where_it_was_sent(void **state)
{
	(void)state;
	const char *issues;
	struct sample *row = parse_good("{\"text\":\"a\",\"email\":\"a@b.cd\",\"free\":1,\"origin\":\"web\","
					"\"object\":{\"label\":\"x\",\"n\":2}}");
	struct sample *change =
		parse(PARSE_CHANGE, STR("{\"email\":null,\"bounded\":7,\"object\":{\"n\":5}}"), &issues);

	SHAPE_COPY(sample, row, sample, change, COPY_SENT);
	assert_string_equal(row->text, "a");
	assert_null(row->email);
	assert_int_equal(row->bounded, 7);
	assert_int_equal(row->free, 1);
	assert_string_equal(row->origin, "web");
	assert_string_equal(row->object.label, "x");
	assert_int_equal(row->object.n, 5);
	assert_true(HAS(row, sample, bounded) && HAS(row, sample, text));
}

static void what_was_never_sent_is_told(void **state)
{
	(void)state;
	const char *unused;
	struct issues issues = {.arena = &arena};
	struct loc body = {.name = "body"}, inner = {.up = &body, .name = "inner"};
	struct sample *change = parse(PARSE_CHANGE, STR("{\"bounded\":7}"), &unused);

	assert_int_equal(shape_check_required(&sample_shape, change, &inner, &issues), RC_INVALID);
	assert_string_equal(sample_issues(&issues), "body.inner.text:missing");
}

/* `depth` brackets, one within the other. */
static struct str nested(int depth, const char *open, const char *close)
{
	struct writer w;
	struct str text;

	writer_init(&w, &arena, 256);
	write_raw(&w, STR("{\"text\":\"[[{\\\"[\",\"x\":"));
	for (int i = 1; i < depth; i++)
		write_raw(&w, str_from(open));
	for (int i = 1; i < depth; i++)
		write_raw(&w, str_from(close));
	write_char(&w, '}');
	assert_true(writer_take(&w, &text));
	return text;
}

static void depth_ends_at_32(void **state)
{
	(void)state;
	const char *issues;

	parse(PARSE_WHOLE, nested(32, "[", "]"), &issues);
	assert_string_equal(issues, "");
	parse(PARSE_WHOLE, nested(33, "[", "]"), &issues);
	assert_string_equal(issues, "body:json_invalid");
	parse(PARSE_WHOLE, nested(33, "{\"a\":[", "]}"), &issues);
	assert_string_equal(issues, "body:json_invalid");
	parse(PARSE_WHOLE, nested(60000, "[", ""), &issues);
	assert_string_equal(issues, "body:json_invalid");
}

static void a_raw_nul_is_no_json(void **state)
{
	(void)state;
	const char *issues;

	parse(PARSE_WHOLE, STR("{\"text\":\"a\0b\"}"), &issues);
	assert_string_equal(issues, "body:json_invalid");
	parse(PARSE_WHOLE, STR("{\"text\":\"a\"}\0"), &issues);
	assert_string_equal(issues, "body:json_invalid");
	parse(PARSE_WHOLE, (struct str){NULL, 0}, &issues);
	assert_string_equal(issues, "body:json_invalid");
}

/* Found by shape_fuzz.c: the reason went into the answer with half a character in it. */
static void the_reason_is_utf8(void **state)
{
	(void)state;
	static const char *const bodies[] = {"[\"x\\u0\xd9\x9a\"]", "{\"text\":\xff}", "\xc3\xa1",
					     "[1 \xc3\xa1]"};

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct issues issues = {.arena = &arena};
		void *object;

		assert_int_equal(shape_parse(&sample_shape, PARSE_WHOLE, str_from(bodies[i]), &issues,
					     &object),
				 RC_INVALID);
		assert_non_null(issues.first->arg);
		assert_true(arena_json_utf8(&arena, str_from(issues.first->arg)));
	}
}

/* However much is wrong, a hundred of it is enough to tell. */
static void issues_end_at_100(void **state)
{
	(void)state;
	struct issues issues = {.arena = &arena};
	struct loc loc = {.name = "body"};
	size_t told = 0;

	for (int i = 0; i < 1000; i++)
		issue_add_number(&issues, &loc, ISSUE_TOO_LARGE, i);
	for (const struct issue *i = issues.first; i != NULL; i = i->next)
		told++;
	assert_int_equal(told, 100);
	assert_int_equal(issues.count, 1000);
	assert_int_equal(issues_rc(&issues), RC_INVALID);
	assert_string_equal(issues.last->arg, "99");
}

static void issue_table_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < ISSUE_COUNT; i++) {
		assert_non_null(issue_table[i].type);
		for (size_t lang = 0; lang < LANG_COUNT; lang++)
			assert_true(strlen(issue_table[i].text[lang]) > 0);
		/* The argument stands in both languages or in none. */
		assert_int_equal(strstr(issue_table[i].text[LANG_PT], "{0}") != NULL,
				 strstr(issue_table[i].text[LANG_EN], "{0}") != NULL);
	}
}

/* clang-format off */
#define HAPPENED(F, T)                                                                     \
	F(T, INSTANT, at,    REQUIRED, "When.")                                            \
	F(T, INSTANT, until, OPTIONAL, "To.")
SHAPE_DECLARE(happened, HAPPENED);
SHAPE_DEFINE(happened, HAPPENED);
/* clang-format on */

static const char *happened_parse(const char *json, struct happened **ret)
{
	struct issues issues = {.arena = &arena};
	void *object;

	(void)!shape_parse(&happened_shape, PARSE_WHOLE, str_from(json), &issues, &object);
	*ret = object;
	return sample_issues(&issues);
}

/* Such as stand in the payload of an event. */
static void what_we_write_of_instants_we_read(void **state)
{
	struct happened *it;

	(void)state;
	assert_string_equal(happened_parse("{\"at\":\"1970-01-01T00:00:01.5Z\"}", &it), "");
	assert_int_equal(it->at, 1500000);
	assert_int_equal(it->until, UTIME_NONE);
	assert_string_equal(happened_parse("{\"at\":\"1970-01-01T01:00:00+01:00\",\"until\":null}", &it), "");
	assert_int_equal(it->at, 0);
	assert_string_not_equal(happened_parse("{\"at\":\"1970-01-01T00:00:01\"}", &it), "");
	assert_string_not_equal(happened_parse("{\"at\":\"x\"}", &it), "");
	assert_string_not_equal(happened_parse("{\"at\":1}", &it), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(creations_are_refused_as_they_should, begin, end),
		cmocka_unit_test_setup_teardown(changes_are_refused_as_they_should, begin, end),
		cmocka_unit_test_setup_teardown(absent_fields_take_their_defaults, begin, end),
		cmocka_unit_test_setup_teardown(values_become_what_they_mean, begin, end),
		cmocka_unit_test_setup_teardown(a_time_without_offset_is_local, begin, end),
		cmocka_unit_test_setup_teardown(the_name_goes_before_the_alias, begin, end),
		cmocka_unit_test_setup_teardown(a_change_tells_null_from_absent, begin, end),
		cmocka_unit_test_setup_teardown(a_change_is_merged_where_it_was_sent, begin, end),
		cmocka_unit_test_setup_teardown(what_was_never_sent_is_told, begin, end),
		cmocka_unit_test_setup_teardown(what_we_write_of_instants_we_read, begin, end),
		cmocka_unit_test_setup_teardown(depth_ends_at_32, begin, end),
		cmocka_unit_test_setup_teardown(a_raw_nul_is_no_json, begin, end),
		cmocka_unit_test_setup_teardown(the_reason_is_utf8, begin, end),
		cmocka_unit_test_setup_teardown(issues_end_at_100, begin, end),
		cmocka_unit_test_setup_teardown(issue_table_is_whole, begin, end),
	};

	arena_json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
