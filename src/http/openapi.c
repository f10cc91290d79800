/* See openapi.h. The document itself, its paths and its operations; nothing here knows an endpoint by name.
 */
#include "http/openapi.h"

#include "http/openapi_parts.h"

#include <ctype.h>
#include <stdlib.h>

static const char *const section_names[OPENAPI_SECTIONS] = {
	[OPENAPI_SCHEMAS] = "schemas",	   [OPENAPI_PARAMETERS] = "parameters", [OPENAPI_HEADERS] = "headers",
	[OPENAPI_RESPONSES] = "responses", [OPENAPI_EXAMPLES] = "examples",
};

static const char about[] =
	"Scheduling for any business: organisations, their people, what can be booked, and the bookings.\n"
	"\n"
	"- **Addresses**: `/tenants` and `/tenants/` are the same endpoint.\n"
	"- **Ids** are UUIDs, in either case; those that marca makes are of version 7, ordered by time.\n"
	"- **Times** are RFC 3339. A time that is sent without an offset is the tenant's local time.\n"
	"- **Errors** are problem details (RFC 9457). `error` is for programs; `title`, `detail` and "
	"`message` are for people, in Portuguese or, as `Accept-Language` asks, in English. Everything "
	"that is wrong with the fields of a request is told at once.\n"
	"- **Lists** come in pages of at most `limit` items; `Link` and `X-Next-Cursor` lead to the next one.\n"
	"- **Changes** (PUT) touch only what is sent. What carries an `ETag` can be changed under `If-Match`.\n"
	"- **Limits**: 429 says in `Retry-After` when to come again; where limits are set, `RateLimit` says "
	"how near the nearest one is.\n"
	"- **Tracing**: `X-Request-ID` and `traceparent` are taken, or made, and sent back.\n";

static const char about_api_key[] = "An API key (`mk_...`), where the header Authorization is not at hand.";

static const char about_bearer[] =
	"An access token of `POST /auth/login`, an API key (`mk_...`), or an operator's token (`marca "
	"token`). A token that is sent must be good, also where none is needed. On a development "
	"server that listens on loopback a call without one acts as the operator, unless "
	"MARCA_AUTH=required.";

/* --- The document while it grows -------------------------------------------- */

void openapi_put(struct openapi *doc, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) != 0)
		doc->failed = true;
}

void openapi_append(struct openapi *doc, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) != 0)
		doc->failed = true;
}

void openapi_put_text(struct openapi *doc, json_t *object, const char *key, const char *text)
{
	if (text != NULL)
		openapi_put(doc, object, key, json_string(text));
}

json_t *openapi_ref(enum openapi_section section, const char *name)
{
	return json_pack("{s:o}", "$ref", json_sprintf("#/components/%s/%s", section_names[section], name));
}

bool openapi_has(const struct openapi *doc, enum openapi_section section, const char *name)
{
	return json_object_get(doc->sections[section], name) != NULL;
}

void openapi_add(struct openapi *doc, enum openapi_section section, const char *name, json_t *value)
{
	openapi_put(doc, doc->sections[section], name, value);
}

void openapi_pascal(char ret[OPENAPI_NAME_MAX], const char *words)
{
	bool up = true;
	size_t len = 0;

	for (; *words != '\0' && len + 1 < OPENAPI_NAME_MAX; words++) {
		if (!isalnum((unsigned char)*words)) {
			up = true;
			continue;
		}
		ret[len++] = (char)(up ? toupper((unsigned char)*words) : *words);
		up = false;
	}
	ret[len] = '\0';
}

/* --- Parameters --------------------------------------------------------------- */

static const struct {
	const char *component, *name, *in;
	const char *type, *format, *doc, *example;
} parameters[] = {
	{"AcceptLanguage", "Accept-Language", "header", "string", NULL,
	 "The language of error messages: `pt-BR` (when nothing is asked for) or `en`.", "pt-BR"},
	{"IfMatch", "If-Match", "header", "string", NULL,
	 "The `ETag` of the version that was read: when it has changed since, 412 and nothing happens.",
	 "\"7\""},
	{"Id", "id", "path", "string", "uuid", "The id, in either case.",
	 "0193a3f2-7c00-7000-8000-000000000001"},
};

static json_t *parameter_ref(struct openapi *doc, const char *component)
{
	for (size_t i = 0; i < ARRAY_LEN(parameters); i++) {
		json_t *parameter, *schema;

		if (strcmp(parameters[i].component, component) != 0 ||
		    openapi_has(doc, OPENAPI_PARAMETERS, component))
			continue;
		parameter =
			json_pack("{s:s, s:s, s:s, s:s}", "name", parameters[i].name, "in", parameters[i].in,
				  "description", parameters[i].doc, "example", parameters[i].example);
		schema = json_pack("{s:s}", "type", parameters[i].type);
		openapi_put_text(doc, schema, "format", parameters[i].format);
		if (strcmp(parameters[i].in, "path") == 0)
			openapi_put(doc, parameter, "required", json_true());
		openapi_put(doc, parameter, "schema", schema);
		openapi_add(doc, OPENAPI_PARAMETERS, component, parameter);
	}
	return openapi_ref(OPENAPI_PARAMETERS, component);
}

/* {id} is the same everywhere; any other {name} is a text of its own. */
static json_t *path_parameter(struct openapi *doc, const char *brace)
{
	int len = (int)strcspn(brace + 1, "}");

	if (len == 2 && memcmp(brace + 1, "id", 2) == 0)
		return parameter_ref(doc, "Id");
	return json_pack("{s:o, s:s, s:b, s:{s:s, s:i}}", "name", json_sprintf("%.*s", len, brace + 1), "in",
			 "path", "required", 1, "schema", "type", "string", "minLength", 1);
}

/* What all methods of a path take. */
static json_t *path_item(struct openapi *doc, const char *path)
{
	json_t *list = json_array();

	for (const char *brace = strchr(path, '{'); brace != NULL; brace = strchr(brace + 1, '{'))
		openapi_append(doc, list, path_parameter(doc, brace));
	openapi_append(doc, list, parameter_ref(doc, "AcceptLanguage"));
	return json_pack("{s:o}", "parameters", list);
}

static json_t *own_parameters(struct openapi *doc, const struct route *route)
{
	json_t *list = json_array();

	for (size_t i = 0; route->query != NULL && i < route->query->count; i++)
		if (!route->query->fields[i].hidden)
			openapi_append(doc, list, openapi_query_parameter(doc, &route->query->fields[i]));
	if (route_takes_if_match(route))
		openapi_append(doc, list, parameter_ref(doc, "IfMatch"));
	return list;
}

/* --- Operations --------------------------------------------------------------- */

static json_t *request_body(struct openapi *doc, const struct route *route)
{
	enum openapi_role role = route->change ? OPENAPI_CHANGE : OPENAPI_TAKEN;
	size_t max = route->body_max > 0 ? route->body_max : BODY_MAX_DEFAULT;
	json_t *content = json_object();

	openapi_put(doc, content, "application/json",
		    json_pack("{s:o, s:o}", "schema", openapi_shape_ref(doc, route->body, role), "example",
			      openapi_body_example(doc, route->body, role)));
	if (route->form)
		openapi_put(doc, content, "application/x-www-form-urlencoded",
			    json_pack("{s:o}", "schema", openapi_shape_ref(doc, route->body, role)));
	return json_pack("{s:o, s:b, s:o}", "description", json_sprintf("At most %zu KiB.", max / 1024),
			 "required", !route->body_optional, "content", content);
}

/* Whose token a route asks for; an empty alternative where none is needed. */
static json_t *security(const struct route *route)
{
	if (route->anonymous)
		return json_array();
	if (route->access == ACCESS_PUBLIC)
		return json_pack("[{}, {s:[]}, {s:[]}]", "bearer", "apiKey");
	return json_pack("[{s:[]}, {s:[]}]", "bearer", "apiKey");
}

static json_t *description(const struct route *route)
{
	const char *who =
		route->anonymous ? access_table[ACCESS_PUBLIC].doc : access_table[route->access].doc;

	if (route->doc == NULL)
		return json_sprintf("For: %s", who);
	return json_sprintf("%s\n\nFor: %s", route->doc, who);
}

static const char *tag_of(const struct service *service)
{
	return service->collection != NULL ? service->collection : service->name;
}

static json_t *operation(struct openapi *doc, const struct service *service, const struct route *route)
{
	json_t *op = json_pack("{s:s, s:s, s:[s]}", "operationId", route->id, "summary", route->summary,
			       "tags", tag_of(service));
	json_t *list = own_parameters(doc, route);

	openapi_put(doc, op, "description", description(route));
	openapi_put(doc, op, "security", security(route));
	if (json_array_size(list) > 0)
		openapi_put(doc, op, "parameters", list);
	else
		json_decref(list);
	if (route->body != NULL)
		openapi_put(doc, op, "requestBody", request_body(doc, route));
	openapi_put(doc, op, "responses", openapi_responses(doc, service, route));
	return op;
}

static const char *method_key(enum http_method method)
{
	switch (method) {
	case HTTP_GET_:
		return "get";
	case HTTP_POST_:
		return "post";
	case HTTP_PUT_:
		return "put";
	case HTTP_PATCH_:
		return "patch";
	case HTTP_DELETE_:
		return "delete";
	default:
		abort(); /* a routes table is wrong: HEAD and OPTIONS follow by themselves */
	}
}

static void put_routes(struct openapi *doc, json_t *paths, const struct service *service)
{
	for (size_t i = 0; i < service->route_count; i++) {
		const struct route *route = &service->routes[i];

		if (route->hidden)
			continue;
		if (json_object_get(paths, route->path) == NULL)
			openapi_put(doc, paths, route->path, path_item(doc, route->path));
		openapi_put(doc, json_object_get(paths, route->path), method_key(route->method),
			    operation(doc, service, route));
	}
}

/* --- The whole ---------------------------------------------------------------- */

static bool has_operations(const struct service *service)
{
	for (size_t i = 0; i < service->route_count; i++)
		if (!service->routes[i].hidden)
			return true;
	return false;
}

static void mark_given(struct openapi *doc, const struct service *service)
{
	for (size_t i = 0; i < service->route_count; i++)
		for (size_t j = 0; j < ROUTE_REPLIES_MAX && !service->routes[i].hidden; j++)
			if (service->routes[i].replies[j].shape != NULL)
				openapi_mark_given(doc, service->routes[i].replies[j].shape);
}

static json_t *info(void)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:s}}", "title", "marca", "summary",
			 "Multi-tenant scheduling.", "description", about, "version", MARCA_VERSION,
			 "license", "name", "Apache License 2.0", "identifier", "Apache-2.0");
}

static json_t *tags(struct openapi *doc, const struct service *const *services, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		if (has_operations(services[i]))
			openapi_append(doc, list,
				       json_pack("{s:s, s:s, s:s}", "name", tag_of(services[i]),
						 "x-displayName", services[i]->title, "description",
						 services[i]->doc));
	return list;
}

static json_t *components(struct openapi *doc)
{
	json_t *all = json_object();

	for (size_t i = 0; i < OPENAPI_SECTIONS; i++)
		if (json_object_size(doc->sections[i]) > 0)
			openapi_put(doc, all, section_names[i], json_incref(doc->sections[i]));
	openapi_put(doc, all, "securitySchemes",
		    json_pack("{s:{s:s, s:s, s:s, s:s}, s:{s:s, s:s, s:s, s:s}}", "bearer", "type", "http",
			      "scheme", "bearer", "bearerFormat", "JWT", "description", about_bearer,
			      "apiKey", "type", "apiKey", "in", "header", "name", "X-API-Key", "description",
			      about_api_key));
	return all;
}

static json_t *document(struct openapi *doc, const struct service *const *services, size_t count)
{
	json_t *paths = json_object();

	for (size_t i = 0; i < count; i++)
		mark_given(doc, services[i]);
	for (size_t i = 0; i < count; i++)
		put_routes(doc, paths, services[i]);
	return json_pack("{s:s, s:o, s:[{s:s}], s:[{s:[]}, {s:[]}], s:o, s:o, s:o}", "openapi", "3.1.0",
			 "info", info(), "servers", "url", "/", "security", "bearer", "apiKey", "tags",
			 tags(doc, services, count), "paths", paths, "components", components(doc));
}

static enum rc print(struct arena *arena, const json_t *root, struct str *ret)
{
	char *text = root != NULL ? json_dumps(root, JSON_INDENT(2)) : NULL;
	char *kept = text != NULL ? arena_printf(arena, "%s\n", text) : NULL;

	free(text);
	if (kept == NULL)
		return RC_NO_MEMORY;
	*ret = str_from(kept);
	return RC_OK;
}

enum rc openapi_write(struct arena *arena, const struct service *const *services, size_t count,
		      struct str *ret)
{
	struct openapi doc = {0};
	enum rc rc = RC_NO_MEMORY;
	json_t *root;

	for (size_t i = 0; i < OPENAPI_SECTIONS; i++)
		doc.sections[i] = json_object();
	root = document(&doc, services, count);
	if (!doc.failed)
		rc = print(arena, root, ret);
	json_decref(root);
	for (size_t i = 0; i < OPENAPI_SECTIONS; i++)
		json_decref(doc.sections[i]);
	return rc;
}
