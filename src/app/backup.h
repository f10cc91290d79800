/*
 * A backup: a folder that is there only once it is whole (docs/backup.md).
 *
 *	manifest.json   what is in it: a line of JSON
 *	manifest.b2     its checksum, as `b2sum -l 256 -c` reads it
 *	NAME.db         an embedded store, page by page
 *	NAME.jsonl      a PostgreSQL store's rows: a stream of dump.h with one store
 *	keys/...        the keys
 */
#ifndef APP_BACKUP_H
#define APP_BACKUP_H

#include "app/moving.h"

#define BACKUP_FORMAT	 1
#define BACKUP_FILES_MAX 128
#define BACKUP_NAME_MAX	 160

enum backup_kind { BACKUP_SQLITE, BACKUP_STREAM, BACKUP_KEY };

struct backup_file {
	enum backup_kind kind;
	char name[BACKUP_NAME_MAX]; /* within the folder */
	int64_t bytes;
	char hash[DUMP_HASH_LEN + 1];
	/* Of a store: */
	enum room room;
	struct dump_store store; /* its rows: counts, and the hash that a dump of them has */
	struct uuid source;	 /* under which streams know the database; nil: it has none */
	int64_t sequence;	 /* of the last event that has been numbered */
};

struct backup {
	char version[32];	  /* of the marca that made it */
	char made_at[64];	  /* RFC 3339: when the stores were looked at */
	bool embedded_bus, redis; /* where events went */
	struct backup_file files[BACKUP_FILES_MAX];
	size_t count;
};

/* --- backup_manifest.c ------------------------------------------------------------ */

/* NULL: there are too many, which is said. */
struct backup_file *backup_add(struct backup *backup, enum backup_kind kind, const char *name);

/* Durable. */
bool backup_write(const struct backup *backup, const char *folder) MUST_USE;

/* The manifest, which must be as it was written; then that each file is there, whole and unchanged. False:
 * said what is wrong. */
bool backup_read(struct backup *ret, const char *folder) MUST_USE;
bool backup_check_files(const struct backup *backup, const char *folder, struct progress *progress) MUST_USE;

/* Of that room; NULL: it is not in the backup. */
const struct backup_file *backup_of(const struct backup *backup, enum room room);

/* --- backup_copy.c ------------------------------------------------------------------ */

/* The whole file, with its size. */
bool backup_hash(const char *path, int64_t *ret_bytes, char ret_hash[DUMP_HASH_LEN + 1],
		 struct progress *progress) MUST_USE;
/* To a new file, for nobody else to read; durable, but for its name. */
bool backup_copy(const char *from, const char *to, struct progress *progress) MUST_USE;
/* fn for the name of each file of a folder, in no order; until it returns false. */
bool backup_each(const char *folder, bool (*fn)(void *arg, const char *name), void *arg) MUST_USE;
/* A folder that one of these functions has made, with the files in it and those of keys/. */
void backup_remove(const char *folder);

/* --- backup_stage.c ----------------------------------------------------------------- */

/*
 * Makes of a store's file in the backup an embedded store at `path`, with its schema brought up to date, and
 * sees that it is well-formed and holds just the rows that the manifest says. False: said why, and nothing is
 * left there.
 */
bool backup_stage(const struct app *app, const char *folder, const struct backup_file *file, const char *path,
		  struct progress *progress) MUST_USE;
/* The same of no file: an embedded store without rows. */
bool backup_stage_empty(const struct app *app, enum room room, const char *path) MUST_USE;
/* The rows of such a store, as a stream in a file without a name. NULL: said why. */
FILE *backup_stage_stream(const struct app *app, enum room room, const char *path, struct progress *progress);
/* Takes it away. */
void backup_unstage(const char *path);

/* --- backup_verify.c ------------------------------------------------------------------ */

/* Restores all of it into a folder of TMPDIR, looks at what came out, and takes that away. */
bool backup_verify(struct app *app, const char *folder) MUST_USE;

#endif
