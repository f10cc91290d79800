/* See ctx.h. */
#include "base/ctx.h"

#include "base/fiber.h"

#include <inttypes.h>

const char *const room_names[ROOM_COUNT] = {
#define ROOM(name) #name,
#include "base/rooms.def"
#undef ROOM
};

void ctx_enter(struct ctx *cx)
{
	*fiber_own() = cx;
}

struct ctx *ctx_current(void)
{
	return *fiber_own();
}

enum rc error_set(struct ctx *cx, enum rc rc, int64_t arg)
{
	cx->error_args[0] = arena_printf(cx->arena, "%" PRId64, arg);
	return rc;
}

void ctx_trace(struct ctx *cx)
{
	unsigned char random[TRACE_ID_LEN / 2];

	cx->world->random(cx->world, random, sizeof(random));
	hex_text(cx->trace_id, random, sizeof(random));
	cx->trace_id[TRACE_ID_LEN] = '\0';
}
