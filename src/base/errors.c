/* The rows of errors.def. */
#include "base/errors.h"

const struct error_info error_table[RC_COUNT] = {
	[RC_OK] = {"OK", 200, "ok", {"OK", "OK"}},
#define ERROR(name, status, code, pt, en) [RC_##name] = {#name, status, code, {pt, en}},
#include "base/errors.def"
#undef ERROR
};
