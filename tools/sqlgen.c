/*
 * sqlgen --room NAME --header OUT.h --source OUT.c queries.sql... migrations/NNNN_name.sql...
 *
 * SQL is written once, in SQL files, and called from C with checked types. A query is:
 *
 *   -- :name  tenant_by_id :maybe               how many rows: :none :one :maybe :many
 *   -- :scope tenant                            or operator: across tenants, for him alone; or global
 *   -- :because Whoever logs in has no tenant.  a global query on a tenant's table: why it may
 *   -- :neighbours                              other services ask it too, from processes of their own
 *   -- :replica                                 where a GET asks it, its rows may be a little old
 *   -- :together by id                          an INSERT or SELECT that PostgreSQL may run for many inputs
 * at once, and the input by which the rows are told apart where it gives some
 *   -- :in    tenant_id:uuid note:text? status:enum(booking_status)      $1, $2 ...
 *   -- :out   struct tenant: id:uuid settings.timezone:text              the columns, in order
 *   --        logo_url:text?                                             ... continued
 *   -- Any other comment is the query's documentation.
 *   SELECT ... WHERE tenant_id = $1;
 *
 * :in and :out are members of a C header's struct; without `struct X:` one is made, q_NAME_in or q_NAME_out.
 * Types: uuid time int bool text json enum(words); `?` means that it may be null, which bool and enum never
 * are.
 * `-- :because` at the top is for all queries of the file; `-- :include tenant/tenant.h` there names headers
 * with structs and word lists.
 * `-- :sqlite` and `-- :postgres` before a statement make it that dialect's variant.
 * Within SQL, :uuid :time :int :bool :text :json, :strict and :clustered (a table that is its primary key's
 * index) stand for each dialect's own. `FROM things t :index_NAME` names the index to SQLite, where it would
 * take another. What a migration may do, and the marks that let it do more: sqlgen_migration.c.
 * `:room` stands for the room's name wherever it is written, so that several rooms can share a file.
 */
#include "sqlgen.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static unsigned faults;

void fault(struct place at, const char *format, ...)
{
	va_list args;

	faults++;
	fprintf(stderr, "%s:%d: ", at.file, at.line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

_Noreturn static void die(const char *what, const char *file)
{
	fprintf(stderr, "sqlgen: %s: %s\n", what, file);
	exit(1);
}

void *keep(size_t size)
{
	static struct kept {
		struct kept *next;
		_Alignas(max_align_t) char bytes[];
	} * all; /* reachable to the end, so that a leak checker is content */
	struct kept *one = calloc(1, sizeof(*one) + size);

	if (one == NULL)
		die("out of memory", "");
	one->next = all;
	all = one;
	return one->bytes;
}

char *keep_text(const char *from, size_t len)
{
	return memcpy(keep(len + 1), from, len);
}

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *text;
	long size;

	if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0)
		die("cannot read", path);
	rewind(file);
	text = keep((size_t)size + 1);
	if (fread(text, 1, (size_t)size, file) != (size_t)size)
		die("cannot read", path);
	fclose(file);
	return text;
}

/* The text with the room's name for each `:room`. */
static char *for_room(const char *text, const char *room)
{
	size_t word = strlen(":room"), len = strlen(room), count = 0;
	char *made, *to;

	for (const char *p = text; (p = strstr(p, ":room")) != NULL; p += word)
		count++;
	made = to = keep(strlen(text) + count * len + 1);
	for (const char *p; (p = strstr(text, ":room")) != NULL; text = p + word) {
		memcpy(to, text, (size_t)(p - text));
		memcpy(to + (p - text), room, len);
		to += (size_t)(p - text) + len;
	}
	memcpy(to, text, strlen(text) + 1);
	return made;
}

static bool is_migration(const char *path)
{
	const char *slash = strrchr(path, '/');

	return isdigit((unsigned char)*(slash != NULL ? slash + 1 : path));
}

struct arguments {
	const char *header, *source;
	const char *files[ITEMS_MAX];
	size_t count;
};

static void read_arguments(struct arguments *args, struct room *room, char **argv)
{
	for (; *argv != NULL; argv++) {
		const char **option = strcmp(*argv, "--room") == 0     ? &room->name
				      : strcmp(*argv, "--header") == 0 ? &args->header
				      : strcmp(*argv, "--source") == 0 ? &args->source
								       : NULL;

		if (option != NULL && argv[1] != NULL)
			*option = *++argv;
		else if (args->count < ITEMS_MAX)
			args->files[args->count++] = *argv;
	}
	if (room->name == NULL || args->header == NULL || args->source == NULL || args->count == 0)
		die("usage",
		    "sqlgen --room NAME --header OUT.h --source OUT.c queries.sql... migrations/*.sql");
}

static FILE *create(const char *path)
{
	FILE *file = fopen(path, "w");

	if (file == NULL)
		die("cannot write", path);
	return file;
}

static void finish(FILE *file, const char *path)
{
	if (ferror(file) || fclose(file) != 0)
		die("cannot write", path);
}

static void write_out(const struct room *room, const struct room *whole, const struct arguments *args)
{
	const char *slash = strrchr(args->header, '/');
	FILE *out = create(args->header);

	emit_header(out, room);
	finish(out, args->header);
	out = create(args->source);
	emit_source(out, room, whole, slash != NULL ? slash + 1 : args->header);
	finish(out, args->source);
}

int main(int argc, char **argv)
{
	static struct room room, whole;
	struct arguments args = {0};

	(void)argc;
	read_arguments(&args, &room, argv + 1);
	room.queries_file = args.files[0];
	for (size_t i = 0; i < args.count; i++) {
		char *text = for_room(read_file(args.files[i]), room.name);

		if (is_migration(args.files[i]))
			parse_migration(&room, args.files[i], text);
		else
			parse_queries(&room, args.files[i], text);
	}
	memcpy(&whole, &room, sizeof(whole));
	whole.query_count = 0;
	add_tables(&room, &whole);
	check_room(&room);
	check_room(&whole);
	if (faults == 0)
		write_out(&room, &whole, &args);
	return faults == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
