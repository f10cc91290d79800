/*
 * Fills stores with the rows of a dump (dump.h): one transaction a store, all of them committed when the last
 * row is in. Until then nothing is changed anywhere.
 */
#ifndef APP_LOADER_H
#define APP_LOADER_H

#include "app/moving.h"

#define LOADER_ROWS 256 /* in one step */

struct loader {
	struct app *app;
	bool replace;	       /* empty what is not empty */
	bool skip[ROOM_COUNT]; /* the store holds the same rows already, or there is none */
	struct db_whole *wholes[ROOM_COUNT];
	/* Rows that wait for the next step, all of one table. */
	const struct table *table;
	enum room room;
	const void *rows[LOADER_ROWS];
	size_t count;
	struct arena arena;
	struct arena_pool pool;
};

/*
 * For the stores of the dump that are open in `app`, whose schemas are this marca's: begins, and sees that
 * they are empty. False: said why; a store that holds just these rows is none of the reasons.
 */
bool loader_begin(struct loader *loader, struct app *app, const struct dump_summary *dump,
		  bool replace) MUST_USE;
/* A dump_row_fn. */
bool loader_row(void *loader, enum room room, const struct table *table, const struct json_t *row,
		const struct dump_reader *reader);
/* Commits, in the order of the dump. False: said why, and which stores are filled. */
bool loader_keep(struct loader *loader) MUST_USE;
/* Always: what was not kept is undone. */
void loader_finish(struct loader *loader);

/* The first table of the store that has rows which no migration, and no start of marca, puts there; NULL:
 * it is empty. */
enum rc loader_first_filled(struct db_whole *whole, const struct query_set *set,
			    const struct table **ret) MUST_USE;

#endif
