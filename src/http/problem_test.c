/* The body of every refusal, in both languages; and which language a client gets. */
#include "http/problem.h"
#include "json/arena_json.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena arena;
static struct http_exchange exchange;

static int begin(void **state)
{
	(void)state;
	arena_init(&arena, NULL);
	exchange = (struct http_exchange){.arena = &arena, .path = STR("/tenants/7")};
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_finish(&arena);
	return 0;
}

static struct req request(enum lang lang)
{
	return (struct req){
		.cx = {.arena = &arena, .trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"},
		.http = &exchange,
		.lang = lang,
		.issues = {.arena = &arena},
	};
}

static json_t *body_of(struct req *rq, enum rc rc)
{
	const char *why = NULL;
	json_t *body;

	problem_reply(rq, rc);
	body = arena_json_load(&arena, rq->reply.body, &why);
	if (body == NULL)
		fail_msg("RC_%s: %s in %.*s", error_table[rc].name, why, (int)rq->reply.body.len,
			 rq->reply.body.p);
	return body;
}

static const char *text_in(const json_t *body, const char *name)
{
	const char *text = json_string_value(json_object_get(body, name));

	if (text == NULL)
		fail_msg("there is no text \"%s\"", name);
	return text;
}

static const char *header_of(const struct req *rq, const char *name)
{
	for (size_t i = 0; i < rq->reply.header_count; i++)
		if (str_equal_nocase(rq->reply.headers[i].name, str_from(name)))
			return rq->reply.headers[i].value.p;
	return NULL;
}

static void check_row(enum rc rc, enum lang lang)
{
	const struct error_info *error = &error_table[rc];
	struct req rq = request(lang);
	json_t *body;

	rq.cx.error_args[0] = "30";
	body = body_of(&rq, rc);
	assert_int_equal(rq.reply.status, error->status);
	assert_true(str_equal(rq.reply.content_type, STR("application/problem+json; charset=utf-8")));
	assert_string_equal(header_of(&rq, "Content-Language"), lang == LANG_PT ? "pt-BR" : "en");
	assert_int_equal(header_of(&rq, "Retry-After") != NULL, error->status == 503);
	assert_string_equal(text_in(body, "type"), arena_printf(&arena, "urn:marca:error:%s", error->code));
	assert_string_equal(text_in(body, "title"), problem_title(error->status, lang));
	assert_int_equal(json_integer_value(json_object_get(body, "status")), error->status);
	assert_string_equal(text_in(body, "detail"), text_in(body, "message"));
	assert_null(strstr(text_in(body, "message"), "{0}"));
	assert_string_equal(text_in(body, "instance"), "/tenants/7");
	assert_true(json_is_false(json_object_get(body, "success")));
	assert_string_equal(text_in(body, "error"), error->code);
	assert_string_equal(text_in(body, "trace_id"), "4bf92f3577b34da6a3ce929d0e0e4736");
	assert_int_equal(json_object_get(body, "errors") != NULL, rc == RC_INVALID);
	assert_null(json_object_get(body, "conflicts"));
}

static void every_row_has_its_body(void **state)
{
	(void)state;
	for (int rc = RC_OK + 1; rc < RC_COUNT; rc++)
		for (int lang = 0; lang < LANG_COUNT; lang++)
			check_row((enum rc)rc, (enum lang)lang);
}

/* A code tells one error; a client that knows it needs no text. */
static void codes_differ(void **state)
{
	(void)state;
	for (size_t i = RC_OK + 1; i < RC_COUNT; i++) {
		assert_true(error_table[i].status >= 400 && error_table[i].status < 600);
		for (size_t j = RC_OK + 1; j < i; j++)
			assert_string_not_equal(error_table[i].code, error_table[j].code);
	}
}

static void texts_are_filled(void **state)
{
	(void)state;
	struct req rq = request(LANG_PT);

	assert_int_equal(error_set(&rq.cx, RC_BAD_DURATION, 30), RC_BAD_DURATION);
	assert_string_equal(text_in(body_of(&rq, RC_BAD_DURATION), "message"),
			    "Dura\xc3\xa7\xc3\xa3o deve ser m\xc3\xbaltiplo de 30 minutos.");
	rq = request(LANG_EN);
	assert_int_equal(error_set(&rq.cx, RC_BAD_DURATION, -1), RC_BAD_DURATION);
	assert_string_equal(text_in(body_of(&rq, RC_BAD_DURATION), "message"),
			    "The duration must be a multiple of -1 minutes.");
}

static void what_was_sent_is_escaped(void **state)
{
	(void)state;
	struct req rq = request(LANG_EN);

	exchange.path = STR("/a\"b\\c\n\x01");
	assert_string_equal(text_in(body_of(&rq, RC_NO_ROUTE), "instance"), "/a\"b\\c\n\x01");
}

/* Of a head that was refused there may be nothing to tell. */
static void a_request_without_a_path(void **state)
{
	(void)state;
	struct req rq = request(LANG_PT);

	exchange.path = (struct str){NULL, 0};
	assert_string_equal(text_in(body_of(&rq, RC_MALFORMED), "instance"), "");
}

static void issues_are_told_with_their_places(void **state)
{
	(void)state;
	struct req rq = request(LANG_EN);
	struct loc body = {.name = "body"}, list = {.up = &body, .name = "li\"st"},
		   item = {.up = &list, .index = 12}, name = {.up = &item, .name = "name"};
	json_t *errors, *first, *loc;

	issue_add_number(&rq.issues, &name, ISSUE_TOO_LONG, 200);
	issue_add(&rq.issues, &list, ISSUE_NOT_IN_ENUM, "\"a\", b");
	errors = json_object_get(body_of(&rq, RC_INVALID), "errors");
	assert_int_equal(json_array_size(errors), 2);
	first = json_array_get(errors, 0);
	loc = json_object_get(first, "loc");
	assert_int_equal(json_array_size(loc), 4);
	assert_string_equal(json_string_value(json_array_get(loc, 0)), "body");
	assert_string_equal(json_string_value(json_array_get(loc, 1)), "li\"st");
	assert_int_equal(json_integer_value(json_array_get(loc, 2)), 12);
	assert_string_equal(json_string_value(json_array_get(loc, 3)), "name");
	assert_string_equal(text_in(first, "msg"), "Must have at most 200 characters");
	assert_string_equal(text_in(first, "type"), "string_too_long");
	assert_string_equal(text_in(json_array_get(errors, 1), "msg"), "Must be one of: \"a\", b");
}

#define CONFLICT_ITEM(F, T) F(T, UUID, booking_id, REQUIRED, "Which.")
SHAPE_DECLARE(conflict_item, CONFLICT_ITEM);
SHAPE_DEFINE(conflict_item, CONFLICT_ITEM);

static void a_list_may_ride_along(void **state)
{
	(void)state;
	struct req rq = request(LANG_PT);
	struct conflict_item items[] = {{.booking_id = {{1}}}, {.booking_id = {{2}}}};
	json_t *conflicts;

	rq.extra_name = "conflicts";
	rq.extra_shape = &conflict_item_shape;
	rq.extra = (struct list){items, 2};
	conflicts = json_object_get(body_of(&rq, RC_CONFLICT), "conflicts");
	assert_int_equal(json_array_size(conflicts), 2);
	assert_string_equal(text_in(json_array_get(conflicts, 1), "booking_id"),
			    "02000000-0000-0000-0000-000000000000");
}

/* --- Languages ---------------------------------------------------------------- */

static void languages(void **state)
{
	(void)state;
	static const struct {
		const char *accept;
		enum lang lang;
	} rows[] = {
		{"", LANG_PT},
		{"*", LANG_PT},
		{"en", LANG_EN},
		{"EN-us", LANG_EN},
		{"pt-BR", LANG_PT},
		{"fr", LANG_PT},
		{"fr, en;q=0.1", LANG_EN},
		{"en, pt", LANG_PT},
		{"pt;q=0.5, en;q=0.8", LANG_EN},
		{"en;q=0.5, pt;q=0.8", LANG_PT},
		{"en-US,en;q=0.9,pt-BR;q=0.8", LANG_EN},
		{"pt-BR,pt;q=0.9,en-US;q=0.8,en;q=0.7", LANG_PT},
		{"de-CH, fr;q=0.9, en;q=0.8, *;q=0.5", LANG_EN},
		{"pt;q=0, en;q=0.001", LANG_EN},
		{"en;q=0", LANG_PT},
		{"en;q=1.000,pt;q=0.999", LANG_EN},
		{"en ; q=0.9 , pt ; q=0.8", LANG_EN},
		{"en;Q=0.9,pt;q=0.8", LANG_EN},
		{"en\t;q=1,\tpt;q=0.1", LANG_EN},
		{"\ten", LANG_EN},
		/* Another language that only begins so, and what is no quality */
		{"enm", LANG_PT},
		{"e", LANG_PT},
		{"en;q=x", LANG_PT},
		{"en;q=", LANG_PT},
		{"en;q", LANG_PT},
		{"en;", LANG_EN},
		{"en;q=2", LANG_PT},
		{",,,", LANG_PT},
		{";q=1", LANG_PT},
		{"en;q=1", LANG_EN},
		{"en;q=0.", LANG_PT},
		{"en;q=1.", LANG_EN},
		{"en;q=0.0009,pt;q=0", LANG_PT},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (lang_from(str_from(rows[i].accept)) != rows[i].lang)
			fail_msg("\"%s\" should give %s", rows[i].accept,
				 rows[i].lang == LANG_PT ? "pt-BR" : "en");
	assert_int_equal(lang_from((struct str){NULL, 0}), LANG_PT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_row_has_its_body, begin, end),
		cmocka_unit_test_setup_teardown(codes_differ, begin, end),
		cmocka_unit_test_setup_teardown(texts_are_filled, begin, end),
		cmocka_unit_test_setup_teardown(what_was_sent_is_escaped, begin, end),
		cmocka_unit_test_setup_teardown(a_request_without_a_path, begin, end),
		cmocka_unit_test_setup_teardown(issues_are_told_with_their_places, begin, end),
		cmocka_unit_test_setup_teardown(a_list_may_ride_along, begin, end),
		cmocka_unit_test(languages),
	};

	arena_json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
