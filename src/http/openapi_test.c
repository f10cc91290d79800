/*
 * The document of a service that has a bit of everything. What a linter can see (references, unused parts,
 * operationIds) is checked here too, so that a fault is found before there is a document to lint.
 */
#include "http/openapi.h"
#include "http/req.h"
#include "json/arena_json.h"
#include "json/shape_sample.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* clang-format off */
#define THING(F, T)                                                                        \
	F(T, UUID,    id,      REQUIRED, "Its id.")                                        \
	F(T, TEXT,    note,    OPTIONAL, "A note.", .example = "\"x\"")                    \
	F(T, ENUM(colour), colour, OPTIONAL, "A word.", DEFAULT(colour_red))               \
	F(T, OBJECT(inner), object, OPTIONAL, "An object.")                                \
	F(T, LIST(inner),   list,   OPTIONAL, "A list.")                                   \
	F(T, LOCAL,   here,    REQUIRED, "Local.")                                         \
	F(T, INSTANT, at,      REQUIRED, "When.")                                          \
	F(T, INT,     version, REQUIRED, "The store's own.", .hidden = true)
SHAPE_DECLARE(thing, THING);
SHAPE_DEFINE(thing, THING, .doc = "A thing.");

#define THING_NEW(F, T)                                                                    \
	F(T, TEXT, name,     REQUIRED, "Its name.", .min = 1, .max = 20, .example = "\"Sala\"")  \
	F(T, TEXT, password, REQUIRED, "Never told.", .min = 8, .max = 128, .secret = true) \
	F(T, UUID, owner,    REQUIRED, "Whose it is.", .fixed = true)                      \
	F(T, INT,  count,    OPTIONAL, "How many.", DEFAULT(2), .min = 1, .max = 9)        \
	F(T, JSON, meta,     OPTIONAL, "Anything.", .alias = "profile_meta")               \
	F(T, OBJECT(inner), object, OPTIONAL, "An object.")
SHAPE_DECLARE(thing_new, THING_NEW);
SHAPE_DEFINE(thing_new, THING_NEW, .doc = "A thing, as it is made.");

#define THING_FILTER(F, T)                                                                 \
	F(T, UUID, owner,    REQUIRED, "Whose.")                                           \
	F(T, ENUM(colour), colour, OPTIONAL, "Of that colour.")                            \
	F(T, DATE, date,     OPTIONAL, "That day.", .alias = "data", .example = "\"2025-12-05\"") \
	PAGE_FIELDS(F, T)
SHAPE_DECLARE(thing_filter, THING_FILTER);
SHAPE_DEFINE(thing_filter, THING_FILTER);

static const struct route routes[] = {
	{
		.method = HTTP_POST_, .path = "/things", .id = "createThing", .summary = "Make a thing.",
		.doc = "More of it.", .body = &thing_new_shape, .versioned = true,
		.replies = {{201, &thing_shape, .doc = "The new thing."}},
		.errors = {RC_TENANT_UNKNOWN, RC_CONFLICT, RC_BAD_DURATION},
	}, {
		.method = HTTP_GET_, .path = "/things", .id = "listThings", .summary = "List things.",
		.query = &thing_filter_shape, .replies = {{200, &thing_shape, .list = true}},
	}, {
		.method = HTTP_PUT_, .path = "/things/{id}", .id = "updateThing", .summary = "Change a thing.",
		.body = &thing_new_shape, .change = true, .versioned = true, .body_max = BODY_MAX_BULK,
		.replies = {{200, &thing_shape}}, .errors = {RC_TENANT_UNKNOWN, RC_SETTINGS_DOWN, RC_CONFLICT},
	}, {
		.method = HTTP_DELETE_, .path = "/things/{id}", .id = "deleteThing", .summary = "Remove a thing.",
		.versioned = true, .replies = {{204}}, .errors = {RC_TENANT_UNKNOWN},
	}, {
		.method = HTTP_PATCH_, .path = "/things/{id}/cancel", .id = "cancelThing", .summary = "Cancel it.",
		.body = &sample_shape, .body_optional = true, .form = true, .access = ACCESS_USER, .replies = {{200, &sample_shape}, {204}},
	}, {
		.method = HTTP_GET_, .path = "/things/{id}/agenda.ics", .id = "agenda", .summary = "As a calendar.",
		.replies = {{200, .type = "text/calendar", .doc = "A calendar."}},
	}, {
		.method = HTTP_GET_, .path = "/things/by-name/{name}", .id = "thingByName", .summary = "By its name.",
		.replies = {{200, &thing_shape}},
	}, {
		.method = HTTP_GET_, .path = "/secret", .id = "secret", .summary = "A page.", .hidden = true,
		.replies = {{200, .type = "text/html"}},
	},
};

static const struct route ping_routes[] = {
	{
		.method = HTTP_GET_, .path = "/ping", .id = "ping", .summary = "Is it there?", .anonymous = true,
		.replies = {{200, .type = "text/plain"}},
	},
};

static const struct route page_routes[] = {
	{.method = HTTP_GET_, .path = "/", .id = "landing", .summary = "A page.", .hidden = true},
};
/* clang-format on */

static const struct service things = {
	.name = "thing",
	.collection = "things",
	.title = "Things",
	.doc = "All about things.",
	.room = 0,
	.routes = routes,
	.route_count = ARRAY_LEN(routes),
};
static const struct service ping = {.name = "ping",
				    .title = "Ping",
				    .doc = "Health.",
				    .room = -1,
				    .routes = ping_routes,
				    .route_count = 1};
static const struct service pages = {.name = "pages",
				     .title = "Pages",
				     .doc = "For people.",
				     .room = -1,
				     .routes = page_routes,
				     .route_count = 1};

static const struct service *const services[] = {&things, &ping, &pages};
static struct arena arena;
static struct str text;
static json_t *doc;

static int begin(void **state)
{
	(void)state;
	arena_init(&arena, NULL);
	if (openapi_write(&arena, services, ARRAY_LEN(services), &text) != RC_OK)
		return -1;
	doc = json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES, NULL);
	return doc == NULL;
}

static int end(void **state)
{
	(void)state;
	json_decref(doc);
	arena_finish(&arena);
	return 0;
}

/* What stands at "paths|/things|get|..."; fails when nothing does. References are followed. */
static json_t *maybe_at(const char *where)
{
	char part[128];
	json_t *node = doc;

	while (*where != '\0' && node != NULL) {
		size_t len = strcspn(where, "|");
		const char *ref;

		snprintf(part, sizeof(part), "%.*s", (int)len, where);
		node = json_is_array(node) ? json_array_get(node, (size_t)strtoul(part, NULL, 10))
					   : json_object_get(node, part);
		where += where[len] == '|' ? len + 1 : len;
		ref = *where != '\0' ? json_string_value(json_object_get(node, "$ref")) : NULL;
		if (ref != NULL) {
			char section[32], name[96];

			assert_int_equal(sscanf(ref, "#/components/%31[a-z]/%95s", section, name), 2);
			node = json_object_get(json_object_get(json_object_get(doc, "components"), section),
					       name);
		}
	}
	return node;
}

static json_t *at(const char *where)
{
	json_t *node = maybe_at(where);

	if (node == NULL)
		fail_msg("there is no %s", where);
	return node;
}

/* The JSON text at that place. */
static void assert_json(const char *where, const char *wanted)
{
	char *found = json_dumps(at(where), JSON_COMPACT | JSON_ENCODE_ANY);

	if (strcmp(found, wanted) != 0)
		fail_msg("%s\n  is       %s\n  and not  %s", where, found, wanted);
	free(found);
}

static void assert_absent(const char *where)
{
	if (maybe_at(where) != NULL)
		fail_msg("%s should not be there", where);
}

/* The keys of the object there, each followed by a blank. */
static void assert_keys(const char *where, const char *wanted)
{
	char *keys = arena_text(&arena, STR(""));
	const char *key;
	json_t *value;

	json_object_foreach(at(where), key, value) keys = arena_printf(&arena, "%s%s ", keys, key);
	if (strcmp(keys, wanted) != 0)
		fail_msg("%s\n  has      %s\n  and not  %s", where, keys, wanted);
}

static void the_document_has_its_head(void **state)
{
	(void)state;
	assert_json("openapi", "\"3.1.0\"");
	assert_json("info|title", "\"marca\"");
	assert_json("info|version", "\"" MARCA_VERSION "\"");
	assert_json("info|license|identifier", "\"Apache-2.0\"");
	assert_json("servers", "[{\"url\":\"/\"}]");
	assert_json("security", "[{\"bearer\":[]},{\"apiKey\":[]}]");
	assert_json("tags|0|name", "\"things\"");
	assert_json("tags|1|name", "\"ping\"");
	assert_absent("tags|2");
	assert_keys("paths",
		    "/things /things/{id} /things/{id}/cancel /things/{id}/agenda.ics /things/by-name/{name} "
		    "/ping ");
}

static void statuses_are_all_there(void **state)
{
	(void)state;
	assert_keys("paths|/things|post|responses", "201 400 401 404 409 413 415 422 429 500 503 default ");
	assert_keys("paths|/things|get|responses", "200 400 401 422 429 500 503 default ");
	assert_keys("paths|/things/{id}|put|responses",
		    "200 400 401 404 409 412 413 415 422 429 500 503 default ");
	assert_keys("paths|/things/{id}|delete|responses",
		    "204 400 401 404 409 412 422 429 500 503 default ");
	assert_keys("paths|/things/{id}/cancel|patch|responses",
		    "200 204 400 401 413 415 422 429 500 503 default ");
	assert_keys("paths|/ping|get|responses", "200 400 429 500 503 default ");
}

#define PROBLEM "content|application/problem+json|"

static void errors_are_grouped_by_status(void **state)
{
	(void)state;
	assert_keys("paths|/things|post|responses|400|" PROBLEM "examples", "bad_request invalid_duration ");
	assert_keys("paths|/things|get|responses|400|" PROBLEM "examples", "bad_request ");
	assert_keys("paths|/things/{id}|put|responses|503|" PROBLEM "examples",
		    "out_of_memory overloaded store_unavailable settings_unavailable ");
	assert_keys("paths|/ping|get|responses|503|" PROBLEM "examples", "out_of_memory overloaded ");
	assert_json("paths|/things|get|responses|503",
		    "{\"$ref\":\"#/components/responses/ServiceUnavailable\"}");
	assert_json("paths|/things|post|responses|404",
		    "{\"$ref\":\"#/components/responses/TenantNotFound\"}");
	assert_json("paths|/things/{id}|put|responses|404",
		    "{\"$ref\":\"#/components/responses/TenantNotFound\"}");
	assert_json("components|responses|ValidationError|" PROBLEM "schema",
		    "{\"$ref\":\"#/components/schemas/ValidationProblem\"}");
	assert_json("components|responses|Conflict|" PROBLEM "schema",
		    "{\"$ref\":\"#/components/schemas/ConflictProblem\"}");
	assert_json("paths|/things/{id}|put|responses|409|" PROBLEM "schema|anyOf",
		    "[{\"$ref\":\"#/components/schemas/ConflictProblem\"},{\"$ref\":\"#/components/schemas/"
		    "Problem\"}]");
	assert_json("components|examples|invalid_duration|value|message",
		    "\"Dura\xc3\xa7\xc3\xa3o deve ser m\xc3\xbaltiplo de 30 minutos.\"");
	assert_json("components|examples|invalid_duration|value|status", "400");
	assert_json("components|responses|TenantNotFound|description", "\"No such tenant\"");
}

static void headers_are_told(void **state)
{
	(void)state;
	assert_keys("paths|/things|post|responses|201|headers",
		    "X-Request-ID traceparent RateLimit-Policy RateLimit ETag Location ");
	assert_keys("paths|/things|get|responses|200|headers",
		    "X-Request-ID traceparent RateLimit-Policy RateLimit Link X-Next-Cursor ");
	assert_keys("paths|/things/{id}|put|responses|200|headers",
		    "X-Request-ID traceparent RateLimit-Policy RateLimit ETag ");
	assert_keys("paths|/things/{id}|delete|responses|204|headers",
		    "X-Request-ID traceparent RateLimit-Policy RateLimit ");
	assert_keys("paths|/things|get|responses|503|headers",
		    "X-Request-ID traceparent RateLimit-Policy RateLimit Content-Language Retry-After ");
	assert_json("paths|/things/{id}|put|parameters", "[{\"$ref\":\"#/components/parameters/IfMatch\"}]");
	assert_absent("paths|/things|post|parameters");
}

static void parameters_are_told(void **state)
{
	(void)state;
	assert_json("paths|/things/{id}|parameters",
		    "[{\"$ref\":\"#/components/parameters/Id\"},{\"$ref\":\"#/components/parameters/"
		    "AcceptLanguage\"}]");
	assert_json("components|parameters|Id|required", "true");
	assert_json("components|parameters|Id|schema", "{\"type\":\"string\",\"format\":\"uuid\"}");
	assert_json("paths|/things/by-name/{name}|parameters|0",
		    "{\"name\":\"name\",\"in\":\"path\",\"required\":true,\"schema\":{\"type\":\"string\","
		    "\"minLength\":1}}");
	assert_json("paths|/things|get|parameters|0",
		    "{\"name\":\"owner\",\"in\":\"query\",\"required\":true,\"description\":\"Whose.\","
		    "\"schema\":{\"type\":\"string\",\"format\":\"uuid\"}}");
	assert_json("paths|/things|get|parameters|1|schema", "{\"$ref\":\"#/components/schemas/Colour\"}");
	assert_json("paths|/things|get|parameters|2",
		    "{\"name\":\"date\",\"in\":\"query\",\"description\":\"That day. Also taken as `data`.\","
		    "\"schema\":{\"type\":\"string\",\"format\":\"date\"},\"example\":\"2025-12-05\"}");
	assert_json("paths|/things|get|parameters|3|schema",
		    "{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":1,"
		    "\"maximum\":1000,\"default\":100}");
}

static void bodies_are_told(void **state)
{
	(void)state;
	assert_json("paths|/things|post|requestBody|required", "true");
	assert_json("paths|/things|post|requestBody|description", "\"At most 64 KiB.\"");
	assert_json("paths|/things/{id}|put|requestBody|description", "\"At most 1024 KiB.\"");
	assert_json("paths|/things/{id}/cancel|patch|requestBody|required", "false");
	assert_json("paths|/things|post|requestBody|content|application/json|schema",
		    "{\"$ref\":\"#/components/schemas/ThingNew\"}");
	assert_json("paths|/things/{id}|put|requestBody|content|application/json|schema",
		    "{\"$ref\":\"#/components/schemas/ThingChange\"}");
	assert_json("paths|/things|post|requestBody|content|application/json|example",
		    "{\"name\":\"Sala\",\"password\":\"texto "
		    "de\",\"owner\":\"0193a3f2-7c00-7000-8000-000000000001\","
		    "\"count\":2,\"object\":{\"label\":\"texto\",\"n\":3}}");
	assert_absent("paths|/things/{id}|put|requestBody|content|application/json|example|owner");
	assert_json("paths|/things|get|responses|200|content|application/json|schema",
		    "{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Thing\"}}");
	assert_json("paths|/things/{id}/agenda.ics|get|responses|200|content",
		    "{\"text/calendar\":{\"schema\":{\"type\":\"string\"}}}");
	assert_absent("paths|/things/{id}|delete|responses|204|content");
}

static void security_is_told(void **state)
{
	(void)state;
	assert_json("paths|/ping|get|security", "[]");
	assert_json("paths|/things|get|security", "[{},{\"bearer\":[]},{\"apiKey\":[]}]");
	assert_json("paths|/things/{id}/cancel|patch|security", "[{\"bearer\":[]},{\"apiKey\":[]}]");
	assert_json("components|securitySchemes|bearer|scheme", "\"bearer\"");
	assert_json("paths|/things|post|description", "\"More of it.\\n\\nFor: Anyone.\"");
}

static void forms_are_told(void **state)
{
	(void)state;
	assert_keys("paths|/things/{id}/cancel|patch|requestBody|content",
		    "application/json application/x-www-form-urlencoded ");
	assert_keys("paths|/things|post|requestBody|content", "application/json ");
}

#define TAKEN  "components|schemas|ThingNew|"
#define CHANGE "components|schemas|ThingChange|"
#define GIVEN  "components|schemas|Thing|"

static void schemas_are_as_taken(void **state)
{
	(void)state;
	assert_json(TAKEN "required", "[\"name\",\"password\",\"owner\"]");
	assert_json(TAKEN "properties|password|writeOnly", "true");
	assert_json(TAKEN "properties|name|examples", "[\"Sala\"]");
	assert_json(TAKEN "properties|count|default", "2");
	assert_json(TAKEN "properties|count|type", "\"integer\"");
	assert_json(TAKEN "properties|meta|type", "[\"object\",\"null\"]");
	assert_json(TAKEN "properties|meta|description", "\"Anything. Also taken as `profile_meta`.\"");
	/* `inner` is given too, where its optional field is always there: so it is taken by another name. */
	assert_json(TAKEN "properties|object",
		    "{\"$ref\":\"#/components/schemas/InnerInput\",\"description\":\"An object.\"}");
	assert_json("components|schemas|InnerInput|required", "[\"label\"]");
}

static void schemas_of_changes(void **state)
{
	(void)state;
	assert_absent(CHANGE "required");
	assert_absent(CHANGE "properties|owner");
	assert_absent(CHANGE "properties|count|default");
	assert_json(CHANGE "properties|object",
		    "{\"$ref\":\"#/components/schemas/InnerChange\",\"description\":\"An object.\"}");
	assert_absent("components|schemas|InnerChange|required");
}

static void schemas_are_as_given(void **state)
{
	(void)state;
	assert_json(GIVEN "required", "[\"id\",\"note\",\"colour\",\"object\",\"list\",\"here\",\"at\"]");
	assert_absent(GIVEN "properties|version");
	assert_json(GIVEN "properties|note|type", "[\"string\",\"null\"]");
	assert_absent(GIVEN "properties|colour|default");
	assert_json(GIVEN "properties|object|anyOf",
		    "[{\"$ref\":\"#/components/schemas/Inner\"},{\"type\":\"null\"}]");
	assert_json(GIVEN "properties|list|type", "\"array\"");
	assert_json(GIVEN "properties|here|format", "\"date-time\"");
	assert_json("components|schemas|Inner|required", "[\"label\",\"n\"]");
	assert_json("components|schemas|Colour|enum", "[\"red\",\"green\"]");
}

static void every_kind_has_its_schema(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"id", "[\"string\",\"null\"]"},   {"when", "[\"string\",\"null\"]"},
		{"bounded", "\"integer\""},	   {"free", "[\"integer\",\"null\"]"},
		{"flag", "\"boolean\""},	   {"zone", "\"string\""},
		{"list", "[\"array\",\"null\"]"},  {"days", "[\"array\",\"null\"]"},
		{"meta", "[\"object\",\"null\"]"}, {"origin", "[\"string\",\"null\"]"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_json(arena_printf(&arena, "components|schemas|SampleInput|properties|%s|type",
					 rows[i][0]),
			    rows[i][1]);
	assert_json("components|schemas|SampleInput|properties|colours",
		    "{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Colour\"},\"maxItems\":2,"
		    "\"uniqueItems\":true,\"description\":\"A set of words.\"}");
	assert_json("components|schemas|SampleInput|properties|days|items",
		    "{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":0,\"maximum\":6}");
	assert_json("components|schemas|SampleInput|properties|zone|default", "\"UTC\"");
	assert_json("components|schemas|SampleInput|properties|email|format", "\"email\"");
	assert_json("components|schemas|SampleInput|properties|kept|anyOf|0",
		    "{\"$ref\":\"#/components/schemas/InnerInput\"}");
	assert_json("components|schemas|SampleInput|properties|list|maxItems", "3");
	assert_absent("components|schemas|SampleInput|properties|inside");
	assert_json("components|schemas|Sample|properties|list|type", "\"array\"");
	assert_json("components|schemas|Sample|properties|kept|anyOf|0",
		    "{\"$ref\":\"#/components/schemas/Inner\"}");
}

/* --- What a linter sees --------------------------------------------------------- */

static void check_ref(const char *ref)
{
	char section[32], name[96];

	assert_int_equal(sscanf(ref, "#/components/%31[a-z]/%95s", section, name), 2);
	if (json_object_get(json_object_get(json_object_get(doc, "components"), section), name) == NULL)
		fail_msg("%s leads nowhere", ref);
}

static void check_refs(const json_t *node)
{
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_string(json_object_get(node, "$ref")))
		check_ref(json_string_value(json_object_get(node, "$ref")));
	json_array_foreach(node, i, value) check_refs(value);
	json_object_foreach((json_t *)(uintptr_t)node, key, value) check_refs(value);
}

static void references_lead_somewhere(void **state)
{
	(void)state;
	check_refs(doc);
}

static void components_are_used(void **state)
{
	(void)state;
	const char *section, *name;
	json_t *parts, *part;

	json_object_foreach(at("components"), section, parts)
		json_object_foreach(parts, name,
				    part) if (strcmp(section, "securitySchemes") != 0 &&
					      strstr(text.p, arena_printf(&arena, "\"#/components/%s/%s\"",
									  section, name)) == NULL)
			fail_msg("nobody uses %s %s", section, name);
}

static void operations_are_named_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		const char *wanted = arena_printf(&arena, "\"operationId\": \"%s\"", routes[i].id);
		const char *first = strstr(text.p, wanted);

		assert_int_equal(first != NULL, !routes[i].hidden);
		assert_true(first == NULL || strstr(first + 1, wanted) == NULL);
	}
}

static void the_same_bytes_each_time(void **state)
{
	(void)state;
	struct str again;

	assert_int_equal(openapi_write(&arena, services, ARRAY_LEN(services), &again), RC_OK);
	assert_true(str_equal(text, again));
	assert_int_equal(text.p[text.len - 1], '\n');
}

static void one_service_alone(void **state)
{
	(void)state;
	const struct service *const alone[] = {&ping};
	struct str small;

	assert_int_equal(openapi_write(&arena, alone, 1, &small), RC_OK);
	assert_non_null(strstr(small.p, "\"/ping\""));
	assert_null(strstr(small.p, "\"/things\""));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_document_has_its_head),
		cmocka_unit_test(statuses_are_all_there),
		cmocka_unit_test(errors_are_grouped_by_status),
		cmocka_unit_test(headers_are_told),
		cmocka_unit_test(parameters_are_told),
		cmocka_unit_test(bodies_are_told),
		cmocka_unit_test(security_is_told),
		cmocka_unit_test(forms_are_told),
		cmocka_unit_test(schemas_are_as_taken),
		cmocka_unit_test(schemas_of_changes),
		cmocka_unit_test(schemas_are_as_given),
		cmocka_unit_test(every_kind_has_its_schema),
		cmocka_unit_test(references_lead_somewhere),
		cmocka_unit_test(components_are_used),
		cmocka_unit_test(operations_are_named_once),
		cmocka_unit_test(the_same_bytes_each_time),
		cmocka_unit_test(one_service_alone),
	};

	arena_json_init();
	/* openapi_test --print: the document itself, for a linter */
	if (argc > 1 && strcmp(argv[1], "--print") == 0) {
		void *state = NULL;

		if (begin(&state) != 0)
			return 1;
		fwrite(text.p, 1, text.len, stdout);
		return end(&state);
	}
	return cmocka_run_group_tests(tests, begin, end);
}
