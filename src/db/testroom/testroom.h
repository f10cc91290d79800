/* The room of the stores' own tests: its shape, and a word list. */
#ifndef DB_TESTROOM_TESTROOM_H
#define DB_TESTROOM_TESTROOM_H

#include "base/ctx.h"

/* It is no service, so it borrows a service's place among the ports. */
#define ROOM_testroom ROOM_booking

enum colour { COLOUR_RED, COLOUR_GREEN, COLOUR_COUNT };
extern const struct names colour_names;

struct thing {
	struct uuid tenant_id, id;
	struct {
		const char *name;
		enum colour colour;
	} label;
	bool flag;
	int64_t number;
	utime at;
	const char *document;
	struct uuid other_id; /* or none, as all that follow */
	const char *note;
	int64_t maybe;
	utime maybe_at;
	const char *extra;
};

#endif
