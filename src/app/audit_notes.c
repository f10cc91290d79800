/* See audit_notes.h. A line is "TENANT NUMBER HASH"; empty ones, and those that begin with #, tell nothing.
 */
#include "app/audit_notes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_ROOM 64

static bool hash_from(struct str text, struct chain_hash *ret)
{
	if (text.len != CHAIN_HASH_LEN)
		return false;
	memcpy(ret->text, text.p, text.len);
	ret->text[text.len] = '\0';
	return strspn(ret->text, "0123456789abcdef") == CHAIN_HASH_LEN;
}

/* 1, 2, ... in at most 18 digits, and so within int64_t. */
static bool number_from(struct str text, int64_t *ret)
{
	int64_t number = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		number = number * 10 + (text.p[i] - '0');
		if (i == 18)
			return false;
	}
	*ret = number;
	return number > 0;
}

static bool note_from(struct str line, struct chain_note *ret)
{
	return uuid_parse(str_cut(&line, ' '), &ret->tenant_id) &&
	       number_from(str_cut(&line, ' '), &ret->number) && hash_from(line, &ret->hash);
}

static bool add(struct audit_notes *notes, const struct chain_note *note)
{
	size_t room = notes->room > 0 ? 2 * notes->room : FIRST_ROOM;
	struct chain_note *items;

	if (notes->count == notes->room) {
		items = reallocarray(notes->items, room, sizeof(*items));
		if (items == NULL)
			return false;
		notes->items = items;
		notes->room = room;
	}
	notes->items[notes->count++] = *note;
	return true;
}

static bool read_lines(FILE *file, const char *path, struct audit_notes *notes)
{
	struct chain_note note;
	char line[256];

	for (int number = 1; fgets(line, sizeof(line), file) != NULL; number++) {
		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] == '\0' || line[0] == '#')
			continue;
		if (!note_from(str_from(line), &note)) {
			fprintf(stderr, "marca: %s:%d: not a line of `marca audit verify --heads`\n", path,
				number);
			return false;
		}
		if (!add(notes, &note)) {
			fprintf(stderr, "marca: no memory for %s\n", path);
			return false;
		}
	}
	if (ferror(file))
		fprintf(stderr, "marca: cannot read %s: %s\n", path, strerror(errno));
	return !ferror(file);
}

static int compare(const void *a, const void *b)
{
	const struct chain_note *x = a, *y = b;
	int order = memcmp(x->tenant_id.b, y->tenant_id.b, sizeof(x->tenant_id.b));

	return order != 0 ? order : (x->number > y->number) - (x->number < y->number);
}

bool audit_notes_read(const char *path, struct audit_notes *ret)
{
	FILE *file = fopen(path, "r");
	bool good;

	if (file == NULL) {
		fprintf(stderr, "marca: cannot open %s: %s\n", path, strerror(errno));
		return false;
	}
	*ret = (struct audit_notes){NULL};
	good = read_lines(file, path, ret);
	fclose(file);
	if (!good)
		audit_notes_finish(ret);
	else if (ret->count > 0)
		qsort(ret->items, ret->count, sizeof(ret->items[0]), compare);
	return good;
}

void audit_notes_finish(struct audit_notes *notes)
{
	free(notes->items);
	*notes = (struct audit_notes){NULL};
}

const struct chain_note *audit_notes_from(const struct audit_notes *notes, const struct uuid *tenant,
					  size_t *ret_count)
{
	size_t low = 0, high = notes->count, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(notes->items[middle].tenant_id.b, tenant->b, sizeof(tenant->b)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == notes->count)
		return NULL;
	end = low;
	while (end < notes->count && uuid_equal(&notes->items[end].tenant_id, &notes->items[low].tenant_id))
		end++;
	*ret_count = end - low;
	return &notes->items[low];
}
