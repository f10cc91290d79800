/* manifest.json and manifest.b2: see backup.h. */
#include "app/backup.h"
#include "json/arena_json.h"
#include "json/tree.h"
#include "json/write.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define MANIFEST_MAX (1024 * 1024)

static const char *const kind_words[] =
	{[BACKUP_SQLITE] = "sqlite", [BACKUP_STREAM] = "stream", [BACKUP_KEY] = "key"};

struct backup_file *backup_add(struct backup *backup, enum backup_kind kind, const char *name)
{
	struct backup_file *file = &backup->files[backup->count];

	if (backup->count == BACKUP_FILES_MAX || strlen(name) >= BACKUP_NAME_MAX) {
		fprintf(stderr, "marca: %s: too many files for a backup, or too long a name\n", name);
		return NULL;
	}
	backup->count++;
	*file = (struct backup_file){.kind = kind, .room = ROOM_COUNT};
	memcpy(file->name, name, strlen(name) + 1);
	return file;
}

const struct backup_file *backup_of(const struct backup *backup, enum room room)
{
	for (size_t i = 0; i < backup->count; i++)
		if (backup->files[i].kind != BACKUP_KEY && backup->files[i].room == room)
			return &backup->files[i];
	return NULL;
}

/* --- Out ---------------------------------------------------------------------------- */

static void write_store(struct writer *w, const struct backup_file *file)
{
	char source[UUID_TEXT_LEN + 1];

	write_format(w, ",\"service\":\"%s\",\"schema\":%d,\"rows\":%lld,\"rows_hash\":\"%s\",\"tables\":",
		     app_queries[file->room]->name, file->store.schema, (long long)file->store.rows,
		     file->store.hash);
	dump_counts_write(w, file->room, &file->store);
	if (uuid_is_none(&file->source))
		return;
	write_format(w, ",\"events\":{\"source\":\"%s\",\"sequence\":%lld}", uuid_text(source, &file->source),
		     (long long)file->sequence);
}

static void write_manifest(struct writer *w, const struct backup *backup)
{
	write_format(w,
		     "{\"marca\":\"backup\",\"format\":%d,\"version\":\"%s\",\"made_at\":\"%s\","
		     "\"bus\":\"%s\",\"files\":[",
		     BACKUP_FORMAT, backup->version, backup->made_at, backup->redis ? "redis" : "embedded");
	for (size_t i = 0; i < backup->count; i++) {
		const struct backup_file *file = &backup->files[i];

		write_raw(w, i > 0 ? STR(",{\"file\":") : STR("{\"file\":"));
		write_text(w, str_from(file->name));
		write_format(w, ",\"kind\":\"%s\",\"bytes\":%lld,\"hash\":\"%s\"", kind_words[file->kind],
			     (long long)file->bytes, file->hash);
		if (file->kind != BACKUP_KEY)
			write_store(w, file);
		write_char(w, '}');
	}
	write_raw(w, STR("]}\n"));
}

static void hash_of(struct str text, char ret[DUMP_HASH_LEN + 1])
{
	crypto_generichash_state state;

	dump_hash_begin(&state);
	crypto_generichash_update(&state, (const unsigned char *)text.p, text.len);
	dump_hash_end(&state, ret);
}

static bool write_file(const char *folder, const char *name, struct str text)
{
	char path[MOVING_PATH_MAX];
	struct new_file file;
	bool good;

	if (!moving_path(path, "%s/%s", folder, name) || !new_file_open(&file, path))
		return false;
	good = fwrite(text.p, 1, text.len, file.file) == text.len && new_file_keep(&file);
	new_file_drop(&file);
	return good;
}

bool backup_write(const struct backup *backup, const char *folder)
{
	char hash[DUMP_HASH_LEN + 1];
	struct arena arena;
	struct writer w;
	struct str text;
	char *sum;
	bool good = false;

	arena_init(&arena, NULL);
	writer_init(&w, &arena, 16384);
	write_manifest(&w, backup);
	if (writer_take(&w, &text)) {
		hash_of(text, hash);
		sum = arena_printf(&arena, "%s  manifest.json\n", hash);
		good = sum != NULL && write_file(folder, "manifest.json", text) &&
		       write_file(folder, "manifest.b2", str_from(sum));
	}
	arena_finish(&arena);
	return good;
}

/* --- In ------------------------------------------------------------------------------ */

static bool refuse(const char *folder, const char *what)
{
	fprintf(stderr, "marca: %s: %s\n", folder, what);
	return false;
}

/* False: said why. */
static bool read_file(struct arena *arena, const char *folder, const char *name, struct str *ret)
{
	char path[MOVING_PATH_MAX], *text = arena_alloc(arena, MANIFEST_MAX);
	ssize_t len = -1;
	int fd;

	if (text == NULL || !moving_path(path, "%s/%s", folder, name))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0)
		len = read(fd, text, MANIFEST_MAX);
	if (len < 0)
		fprintf(stderr, "marca: %s: this is no backup, or a part of one: %s cannot be read: %s\n",
			folder, name, strerror(errno));
	if (fd >= 0)
		close(fd);
	*ret = (struct str){text, len > 0 ? (size_t)len : 0};
	return len >= 0;
}

/* Of one folder, and of none above it. */
static bool is_plain(struct str name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

	if (name.len == 0 || name.p[0] == '.')
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (memchr(allowed, name.p[i], sizeof(allowed) - 1) == NULL)
			return false;
	return true;
}

static bool read_kind(struct str word, enum backup_kind *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(kind_words); i++) {
		if (!str_equal(word, str_from(kind_words[i])))
			continue;
		*ret = (enum backup_kind)i;
		return true;
	}
	return false;
}

static bool take_hash(const struct json_t *object, const char *name, char ret[DUMP_HASH_LEN + 1])
{
	struct str hash = tree_want_text(object, name);

	if (hash.len != DUMP_HASH_LEN)
		return false;
	memcpy(ret, hash.p, hash.len);
	ret[hash.len] = '\0';
	return true;
}

static bool read_store(struct backup_file *file, const struct json_t *object)
{
	const struct json_t *events = tree_want(object, "events", TREE_OBJECT);
	int64_t schema = 0;

	if (!dump_room(tree_want_text(object, "service"), &file->room) ||
	    !tree_want_int(object, "schema", &schema) || !tree_want_int(object, "rows", &file->store.rows) ||
	    !take_hash(object, "rows_hash", file->store.hash))
		return false;
	file->store.schema = (int)schema;
	file->store.there = true;
	if (events != NULL && (!uuid_parse(tree_want_text(events, "source"), &file->source) ||
			       !tree_want_int(events, "sequence", &file->sequence)))
		return false;
	return schema != (int64_t)app_queries[file->room]->migration_count ||
	       dump_counts_read(&file->store, file->room, tree_want(object, "tables", TREE_OBJECT));
}

static bool read_entry(struct backup *backup, struct arena *arena, const struct json_t *object)
{
	struct str name = tree_want_text(object, "file"), below = name;
	enum backup_kind kind;
	struct backup_file *file;
	char *text;

	if (!read_kind(tree_want_text(object, "kind"), &kind))
		return false;
	if (kind == BACKUP_KEY && !str_equal(str_cut(&below, '/'), STR("keys")))
		return false;
	text = arena_text(arena, name);
	if (!is_plain(below) || text == NULL || (file = backup_add(backup, kind, text)) == NULL)
		return false;
	return tree_want_int(object, "bytes", &file->bytes) && take_hash(object, "hash", file->hash) &&
	       (kind == BACKUP_KEY || read_store(file, object));
}

static void take_text(char *ret, size_t size, struct str text)
{
	snprintf(ret, size, "%.*s", (int)text.len, text.p);
}

static bool read_tree(struct backup *ret, const char *folder, struct arena *arena, const struct json_t *tree)
{
	const struct json_t *files = tree_want(tree, "files", TREE_LIST);
	int64_t format = 0;

	if (!str_equal(tree_want_text(tree, "marca"), STR("backup")) ||
	    !tree_want_int(tree, "format", &format) || files == NULL)
		return refuse(folder, "its manifest is not what `marca backup` writes");
	if (format != BACKUP_FORMAT)
		return refuse(folder, "its format is another marca's; use the one that made it");
	take_text(ret->version, sizeof(ret->version), tree_want_text(tree, "version"));
	take_text(ret->made_at, sizeof(ret->made_at), tree_want_text(tree, "made_at"));
	ret->redis = str_equal(tree_want_text(tree, "bus"), STR("redis"));
	for (size_t i = 0; i < tree_count(files); i++)
		if (!read_entry(ret, arena, tree_item(files, i)))
			return refuse(folder, "its manifest names what this marca does not know");
	return true;
}

static bool read_all(struct backup *ret, const char *folder, struct arena *arena)
{
	struct str text, sum;
	char hash[DUMP_HASH_LEN + 1];
	const struct json_t *tree;
	const char *why;

	if (!read_file(arena, folder, "manifest.json", &text) ||
	    !read_file(arena, folder, "manifest.b2", &sum))
		return false;
	hash_of(text, hash);
	if (sum.len < DUMP_HASH_LEN || memcmp(sum.p, hash, DUMP_HASH_LEN) != 0)
		return refuse(folder, "manifest.json is damaged, or was changed: its checksum is another");
	tree = arena_json_load(arena, text, &why);
	return tree != NULL ? read_tree(ret, folder, arena, tree) : refuse(folder, why);
}

bool backup_read(struct backup *ret, const char *folder)
{
	struct arena arena;
	bool good;

	*ret = (struct backup){.count = 0};
	arena_init(&arena, NULL);
	good = read_all(ret, folder, &arena);
	arena_finish(&arena);
	return good;
}

static bool check_file(const struct backup_file *file, const char *folder, struct progress *progress)
{
	char path[MOVING_PATH_MAX], hash[DUMP_HASH_LEN + 1];
	int64_t bytes;

	if (!moving_path(path, "%s/%s", folder, file->name) || !backup_hash(path, &bytes, hash, progress))
		return false;
	if (bytes != file->bytes)
		fprintf(stderr, "marca: %s has %lld bytes, and had %lld when the backup was made\n", path,
			(long long)bytes, (long long)file->bytes);
	else if (strcmp(hash, file->hash) != 0)
		fprintf(stderr, "marca: %s is damaged, or was changed: its checksum is another\n", path);
	return bytes == file->bytes && strcmp(hash, file->hash) == 0;
}

bool backup_check_files(const struct backup *backup, const char *folder, struct progress *progress)
{
	bool good = true;

	for (size_t i = 0; i < backup->count && !moving_stopped(); i++)
		good &= check_file(&backup->files[i], folder, progress); /* all faults are told */
	return good && !moving_stopped();
}
