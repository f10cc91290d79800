/* See outbox.h. */
#include "events/outbox.h"

utime outbox_time(const struct ctx *cx, utime before)
{
	return cx->now > before ? cx->now : before + 1;
}

struct outbox_row outbox_row(const struct ctx *cx, const char *stream, const char *type,
			     const struct uuid *tenant, const struct uuid *subject)
{
	struct uuid id = uuid_v7(cx->world, cx->now);

	return (struct outbox_row){
		.tenant_id = *tenant,
		.id = id,
		.change_id = id,
		.stream = stream,
		.type = type,
		.subject_id = *subject,
		.trace_id = cx->trace_id,
		.created_at = cx->now,
	};
}

struct outbox_row outbox_next(const struct ctx *cx, const struct outbox_row *before, const char *type)
{
	struct outbox_row row = *before;

	row.id = uuid_v7(cx->world, cx->now);
	row.type = type;
	row.ordinal++;
	row.payload = NULL;
	return row;
}

bool outbox_payload(struct outbox_row *row, struct arena *arena, const struct shape *shape,
		    const void *object)
{
	struct writer writer;
	struct str text;

	writer_init(&writer, arena, 512);
	write_shape(&writer, shape, object);
	write_char(&writer, '\0');
	if (!writer_take(&writer, &text))
		return false;
	row->payload = text.p;
	return true;
}

void outbox_add(struct script *script, const struct query *query, const struct outbox_row *row)
{
	script->tells = true;
	script_add(script, query, row);
}
