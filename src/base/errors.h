/*
 * enum rc: how a call ended. RC_OK, or a row of errors.def.
 * Only the dispatcher turns one into an HTTP reply.
 */
#ifndef BASE_ERRORS_H
#define BASE_ERRORS_H

#include "base/base.h"

enum lang { LANG_PT, LANG_EN, LANG_COUNT };

enum rc {
	RC_OK,
#define ERROR(name, status, code, pt, en) RC_##name,
#include "base/errors.def"
#undef ERROR
	RC_COUNT
};

struct error_info {
	const char *name; /* as in errors.def */
	int status;
	const char *code;
	const char *text[LANG_COUNT];
};

extern const struct error_info error_table[RC_COUNT];

#endif
