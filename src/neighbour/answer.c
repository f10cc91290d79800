/* See answer.h. */
#include "neighbour/answer.h"

#include "base/log.h"
#include "base/world.h"
#include "neighbour/columns.h"
#include "neighbour/wire.h"
#include "json/arena_json.h"

enum rc neighbour_verify(const struct req *rq, const struct signature_key *key)
{
	struct str header = http_header(rq->http, SIGNATURE_HEADER);

	if (key == NULL || header.p == NULL)
		return RC_NO_ROUTE;
	if (signature_good(key, world_now(rq->cx.world), rq->http->path, rq->http->body, header))
		return RC_OK;
	LOG(WARN,
	    "a call that another service of marca did not sign: another SERVICE_KEY, or another clock?");
	return RC_NO_ROUTE;
}

/* NULL: no such query of a room that is here, or not for neighbours. */
static const struct query *find(const struct req *rq, const struct query_set *const sets[ROOM_COUNT],
				const struct asked *asked)
{
	for (size_t room = 0; room < ROOM_COUNT; room++) {
		const struct query_set *set = sets[room];

		if (strcmp(set->name, asked->room) != 0 || rq->cx.ports[room] == NULL ||
		    db_elsewhere(rq->cx.ports[room]) != NULL)
			continue;
		for (size_t i = 0; i < set->count; i++)
			if (set->queries[i]->neighbours && strcmp(set->queries[i]->name, asked->query) == 0)
				return set->queries[i];
	}
	return NULL;
}

static enum rc read_one(const struct req *rq, const struct query_set *const sets[ROOM_COUNT],
			const struct asked *asked, const struct query **ret_query, struct rows *ret)
{
	const struct query *query = find(rq, sets, asked);
	struct ctx cx = rq->cx; /* on whose behalf, and of whose request, is told for each */
	const struct json_t *given;
	const char *why;
	void *in;
	enum rc rc;

	if (query == NULL)
		return RC_NO_ROUTE;
	given = arena_json_load(cx.arena, str_from(asked->given), &why);
	in = arena_alloc(cx.arena, query->in_size);
	if (given == NULL || in == NULL)
		return RC_NO_MEMORY;
	rc = columns_read(query->in, query->in_count, given, cx.arena, in);
	if (rc != RC_OK)
		return rc;
	cx.principal = caller_principal(&asked->caller);
	memcpy(cx.trace_id, asked->trace_id, TRACE_ID_LEN);
	*ret_query = query;
	return db_read(&cx, query, in, ret);
}

static void write_rows(struct writer *writer, const struct query *query, const struct rows *rows)
{
	write_raw(writer, STR("{\"rows\":["));
	for (size_t i = 0; i < rows->count; i++) {
		if (i > 0)
			write_char(writer, ',');
		columns_write(writer, query->out, query->out_count,
			      (const char *)rows->items + i * query->out_size);
	}
	write_raw(writer, STR("]}"));
}

static void write_answer(struct writer *writer, const struct req *rq,
			 const struct query_set *const sets[ROOM_COUNT], const struct asked *asked)
{
	const struct query *query;
	struct rows rows;
	enum rc rc = read_one(rq, sets, asked, &query, &rows);

	if (rc == RC_OK) {
		write_rows(writer, query, &rows);
		return;
	}
	LOG(WARN, "a neighbour's question cannot be answered", LOG_TEXT("room", asked->room),
	    LOG_TEXT("query", asked->query), LOG_TEXT("why", error_table[rc].name),
	    LOG_TEXT("trace_id", asked->trace_id));
	write_raw(writer, STR("{\"error\":"));
	write_text(writer, str_from(error_table[rc].code));
	write_char(writer, '}');
}

enum rc neighbour_answer(struct req *rq, const struct query_set *const sets[ROOM_COUNT])
{
	const struct list *list = &BODY(rq, reads)->reads;
	const struct asked *asked = list->items;
	struct writer writer;
	struct str body;

	writer_init(&writer, rq->cx.arena, 1024);
	write_raw(&writer, STR("{\"answers\":["));
	for (size_t i = 0; i < list->count; i++) {
		if (i > 0)
			write_char(&writer, ',');
		write_answer(&writer, rq, sets, &asked[i]);
	}
	write_raw(&writer, STR("]}"));
	if (!writer_take(&writer, &body))
		return RC_NO_MEMORY;
	return req_reply_raw(rq, 200, STR("application/json"), body);
}
