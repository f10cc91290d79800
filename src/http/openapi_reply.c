/*
 * The answers of a route: what its row declares, and every refusal that it can give, one response a status
 * with one example a code. A set of refusals that several routes share is a component.
 */
#include "http/openapi_parts.h"
#include "http/problem.h"

#include <stdio.h>

/* --- Headers ---------------------------------------------------------------- */

static const struct {
	const char *name, *doc;
} headers[] = {
	{"X-Request-ID", "The request's own id: the one that was sent, or a new one."},
	{"traceparent", "W3C trace context; its trace id is also the `trace_id` of an error."},
	{"ETag", "The version of what is shown, for `If-Match`."},
	{"Location", "The address of what was created."},
	{"Link", "The next page: `<...>; rel=\"next\"`. Absent on the last one."},
	{"X-Next-Cursor", "The `cursor` of the next page. Absent on the last one."},
	{"Content-Language", "The language of `title`, `detail` and `message`."},
	{"Retry-After", "Seconds to wait before trying again."},
	{"RateLimit-Policy", "The limits that this request is counted against: `q` requests in `w` seconds "
			     "each. Where any is set."},
	{"RateLimit",
	 "Of the limit that is nearest: `r` more requests within `t` seconds. Where any is set."},
	{"WWW-Authenticate", "How to authenticate: RFC 6750."},
};

static void put_header(struct openapi *doc, json_t *list, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		if (strcmp(headers[i].name, name) != 0)
			continue;
		if (!openapi_has(doc, OPENAPI_HEADERS, name))
			openapi_add(doc, OPENAPI_HEADERS, name,
				    json_pack("{s:s, s:{s:s}}", "description", headers[i].doc, "schema",
					      "type", "string"));
		openapi_put(doc, list, name, openapi_ref(OPENAPI_HEADERS, name));
	}
}

static json_t *headers_of_all(struct openapi *doc)
{
	json_t *list = json_object();

	put_header(doc, list, "X-Request-ID");
	put_header(doc, list, "traceparent");
	put_header(doc, list, "RateLimit-Policy");
	put_header(doc, list, "RateLimit");
	return list;
}

/* --- What a route's row declares -------------------------------------------- */

static const char *reply_doc(const struct route_reply *reply)
{
	if (reply->doc != NULL)
		return reply->doc;
	return reply->status == 201 ? "Created." : reply->status == 204 ? "Done; there is no body." : "OK.";
}

static json_t *reply_content(struct openapi *doc, const struct route_reply *reply)
{
	json_t *schema;

	if (reply->shape == NULL)
		return json_pack("{s:{s:{s:s}}}", reply->type, "schema", "type",
				 strstr(reply->type, "json") != NULL ? "object" : "string");
	schema = openapi_shape_ref(doc, reply->shape, OPENAPI_GIVEN);
	if (reply->list)
		schema = json_pack("{s:s, s:o}", "type", "array", "items", schema);
	return json_pack("{s:{s:o}}", reply->type != NULL ? reply->type : "application/json", "schema",
			 schema);
}

static json_t *reply_response(struct openapi *doc, const struct route *route, const struct route_reply *reply)
{
	json_t *response = json_pack("{s:s}", "description", reply_doc(reply));
	json_t *list = headers_of_all(doc);

	if (route->versioned && reply->shape != NULL && !reply->list)
		put_header(doc, list, "ETag");
	if (reply->status == 201)
		put_header(doc, list, "Location");
	if (reply->list) {
		put_header(doc, list, "Link");
		put_header(doc, list, "X-Next-Cursor");
	}
	openapi_put(doc, response, "headers", list);
	if (reply->shape != NULL || reply->type != NULL)
		openapi_put(doc, response, "content", reply_content(doc, reply));
	return response;
}

/* --- Problems ----------------------------------------------------------------- */

static json_t *problem_schema(void)
{
	/* clang-format off */
	return json_pack("{s:s, s:s, s:[sssssssss],"
			 " s:{s:{s:s, s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:s},"
			 "    s:{s:s, s:s}, s:{s:s, s:b, s:s}, s:{s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:s, s:s}}}",
		"type", "object",
		"description", "Why a request was refused: problem details (RFC 9457).",
		"required", "type", "title", "status", "detail", "instance", "success", "error", "message", "trace_id",
		"properties",
		"type", "type", "string", "format", "uri", "description", "The kind of problem: `urn:marca:error:<error>`.",
		"title", "type", "string", "description", "What all errors of this status share, for people.",
		"status", "type", "integer", "description", "The HTTP status.",
		"detail", "type", "string", "description", "What is wrong, for people.",
		"instance", "type", "string", "description", "The path that was asked for.",
		"success", "type", "boolean", "const", 0, "description", "Always false.",
		"error", "type", "string", "description", "What is wrong, for programs.",
		"message", "type", "string", "description", "The same as `detail`.",
		"trace_id", "type", "string", "pattern", "^[0-9a-f]{32}$",
			"description", "Finds the request in the logs.");
	/* clang-format on */
}

/* A problem with one member more. */
static json_t *problem_with(const char *member, const char *text, json_t *item)
{
	return json_pack("{s:s, s:[o, {s:s, s:[s], s:{s:{s:s, s:o}}}]}", "description", text, "allOf",
			 openapi_ref(OPENAPI_SCHEMAS, "Problem"), "type", "object", "required", member,
			 "properties", member, "type", "array", "items", item);
}

static json_t *issue_item(void)
{
	return json_pack("{s:s, s:[sss], s:{s:{s:s, s:s, s:{s:[ss]}}, s:{s:s, s:s}, s:{s:s, s:s}}}", "type",
			 "object", "required", "loc", "msg", "type", "properties", "loc", "type", "array",
			 "description", "Where: body, query or path, then names and, in lists, positions.",
			 "items", "type", "string", "integer", "msg", "type", "string", "description",
			 "What is wrong, for people.", "type", "type", "string", "description",
			 "What is wrong, for programs.");
}

static json_t *conflict_item(void)
{
	return json_pack("{s:s, s:[sss], s:{s:{s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:s}}}", "type", "object",
			 "required", "booking_id", "start_time", "end_time", "properties", "booking_id",
			 "type", "string", "format", "uuid", "start_time", "type", "string", "format",
			 "date-time", "end_time", "type", "string", "format", "date-time");
}

static json_t *problem_ref(struct openapi *doc, enum rc rc)
{
	const char *name = rc == RC_INVALID    ? "ValidationProblem"
			   : rc == RC_CONFLICT ? "ConflictProblem"
					       : "Problem";

	if (!openapi_has(doc, OPENAPI_SCHEMAS, "Problem"))
		openapi_add(doc, OPENAPI_SCHEMAS, "Problem", problem_schema());
	if (!openapi_has(doc, OPENAPI_SCHEMAS, name))
		openapi_add(doc, OPENAPI_SCHEMAS, name,
			    rc == RC_INVALID
				    ? problem_with("errors", "All that is wrong with what was sent.",
						   issue_item())
				    : problem_with("conflicts", "The bookings in the way.", conflict_item()));
	return openapi_ref(OPENAPI_SCHEMAS, name);
}

/* The text with a number where the error has its argument. */
static json_t *filled(const char *text, const char *arg)
{
	const char *hole = strstr(text, "{0}");

	if (hole == NULL)
		return json_string(text);
	return json_sprintf("%.*s%s%s", (int)(hole - text), text, arg, hole + 3);
}

static json_t *problem_example(struct openapi *doc, enum rc rc)
{
	const struct error_info *error = &error_table[rc];
	const struct issue_info *issue = &issue_table[ISSUE_MISSING];
	json_t *value;

	value = json_pack("{s:o, s:s, s:i, s:o, s:s, s:b, s:s, s:o, s:s}", "type",
			  json_sprintf("urn:marca:error:%s", error->code), "title",
			  problem_title(error->status, LANG_PT), "status", error->status, "detail",
			  filled(error->text[LANG_PT], "30"), "instance", "/path/of/the/request", "success",
			  0, "error", error->code, "message", filled(error->text[LANG_PT], "30"), "trace_id",
			  "4bf92f3577b34da6a3ce929d0e0e4736");
	if (rc == RC_INVALID)
		openapi_put(doc, value, "errors",
			    json_pack("[{s:[ss], s:s, s:s}]", "loc", "body", "name", "msg",
				      issue->text[LANG_PT], "type", issue->type));
	if (rc == RC_CONFLICT)
		openapi_put(doc, value, "conflicts",
			    json_pack("[{s:s, s:s, s:s}]", "booking_id",
				      "0193a3f2-7c00-7000-8000-000000000001", "start_time",
				      "2025-12-05T14:00:00Z", "end_time", "2025-12-05T15:00:00Z"));
	return json_pack("{s:o, s:o}", "summary", filled(error->text[LANG_EN], "30"), "value", value);
}

static json_t *problem_example_ref(struct openapi *doc, enum rc rc)
{
	const char *code = error_table[rc].code;

	if (!openapi_has(doc, OPENAPI_EXAMPLES, code))
		openapi_add(doc, OPENAPI_EXAMPLES, code, problem_example(doc, rc));
	return openapi_ref(OPENAPI_EXAMPLES, code);
}

/* --- Refusals --------------------------------------------------------------- */

/* A set of rows of errors.def. */
struct refusals {
	bool has[RC_COUNT];
};

static struct refusals refusals_of(const struct service *service, const struct route *route)
{
	struct refusals set = {0};

	for (size_t rc = 1; rc < RC_COUNT; rc++)
		set.has[rc] = route_may_fail(service, route, (enum rc)rc);
	return set;
}

/* Those of one status. Returns how many. */
static size_t of_status(const struct refusals *all, int status, struct refusals *ret)
{
	size_t count = 0;

	for (size_t rc = 0; rc < RC_COUNT; rc++) {
		ret->has[rc] = all->has[rc] && error_table[rc].status == status;
		count += ret->has[rc];
	}
	return count;
}

static enum rc first_of(const struct refusals *set)
{
	size_t rc = 0;

	while (rc + 1 < RC_COUNT && !set->has[rc])
		rc++;
	return (enum rc)rc;
}

/* An error with members of its own makes the schema; where it is one of several, only it has them. */
static json_t *refusals_schema(struct openapi *doc, const struct refusals *set)
{
	static const enum rc telling[] = {RC_INVALID, RC_CONFLICT};

	for (size_t i = 0; i < ARRAY_LEN(telling); i++) {
		struct refusals rest = *set;

		rest.has[telling[i]] = false;
		if (!set->has[telling[i]])
			continue;
		if (memcmp(&rest, &(struct refusals){0}, sizeof(rest)) == 0)
			return problem_ref(doc, telling[i]);
		return json_pack("{s:[o, o]}", "anyOf", problem_ref(doc, telling[i]),
				 problem_ref(doc, RC_INTERNAL));
	}
	return problem_ref(doc, RC_INTERNAL);
}

static json_t *refusal_response(struct openapi *doc, const struct refusals *set, json_t *description,
				int status)
{
	json_t *list = headers_of_all(doc);
	json_t *examples = json_object();

	put_header(doc, list, "Content-Language");
	if (status == 429 || status == 503)
		put_header(doc, list, "Retry-After");
	if (status == 401)
		put_header(doc, list, "WWW-Authenticate");
	for (size_t rc = 0; rc < RC_COUNT; rc++)
		if (set->has[rc])
			openapi_put(doc, examples, error_table[rc].code,
				    problem_example_ref(doc, (enum rc)rc));
	return json_pack("{s:o, s:o, s:{s:{s:o, s:o}}}", "description", description, "headers", list,
			 "content", "application/problem+json", "schema", refusals_schema(doc, set),
			 "examples", examples);
}

/* False: the set is this route's own. */
static bool shared_name(const struct refusals *set, int status, size_t count, char ret[OPENAPI_NAME_MAX])
{
	/* What every route of a service with a store can give has a name of its own. */
	static const struct service any_service = {.name = "any"};
	static const struct route bare_route = {.path = "/"};
	struct refusals all, common;

	if (count == 1) {
		openapi_pascal(ret, error_table[first_of(set)].code);
		return true;
	}
	openapi_pascal(ret, problem_title(status, LANG_EN));
	all = refusals_of(&any_service, &bare_route);
	of_status(&all, status, &common);
	return memcmp(&common, set, sizeof(common)) == 0;
}

static json_t *status_response(struct openapi *doc, const struct refusals *set, int status, size_t count)
{
	char name[OPENAPI_NAME_MAX];
	bool shared = shared_name(set, status, count, name);
	const char *text = problem_title(status, LANG_EN);

	if (count == 1)
		text = error_table[first_of(set)].text[LANG_EN];
	if (!shared)
		return refusal_response(doc, set, filled(text, "N"), status);
	if (!openapi_has(doc, OPENAPI_RESPONSES, name))
		openapi_add(doc, OPENAPI_RESPONSES, name,
			    refusal_response(doc, set, filled(text, "N"), status));
	return openapi_ref(OPENAPI_RESPONSES, name);
}

static json_t *default_response(struct openapi *doc)
{
	static const char text[] = "The request did not arrive whole, or not as HTTP/1.1.";
	/* What a request can meet before it is known which route it asks for. */
	static const enum rc early[] = {RC_SLOW_REQUEST, RC_URI_TOO_LONG, RC_HEAD_TOO_LARGE,
					RC_NOT_IMPLEMENTED, RC_BAD_VERSION};
	struct refusals set = {0};

	for (size_t i = 0; i < ARRAY_LEN(early); i++)
		set.has[early[i]] = true;
	if (!openapi_has(doc, OPENAPI_RESPONSES, "Unreadable"))
		openapi_add(doc, OPENAPI_RESPONSES, "Unreadable",
			    refusal_response(doc, &set, json_string(text), 0));
	return openapi_ref(OPENAPI_RESPONSES, "Unreadable");
}

json_t *openapi_responses(struct openapi *doc, const struct service *service, const struct route *route)
{
	struct refusals all = refusals_of(service, route);
	json_t *responses = json_object();
	struct refusals set;
	char key[16];

	for (size_t i = 0; i < ROUTE_REPLIES_MAX && route->replies[i].status != 0; i++) {
		snprintf(key, sizeof(key), "%d", route->replies[i].status);
		openapi_put(doc, responses, key, reply_response(doc, route, &route->replies[i]));
	}
	for (int status = 400; status < 600; status++) {
		size_t count = of_status(&all, status, &set);

		if (count == 0)
			continue;
		snprintf(key, sizeof(key), "%d", status);
		openapi_put(doc, responses, key, status_response(doc, &set, status, count));
	}
	openapi_put(doc, responses, "default", default_response(doc));
	return responses;
}
