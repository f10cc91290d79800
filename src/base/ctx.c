/* See ctx.h. */
#include "base/ctx.h"

#include <inttypes.h>

enum rc error_set(struct ctx *cx, enum rc rc, int64_t arg)
{
	cx->error_args[0] = arena_printf(cx->arena, "%" PRId64, arg);
	return rc;
}
