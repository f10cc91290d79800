/*
 * Makes the table of common passwords part of the binary: common_passwords LIST TABLE.
 *
 * LIST has a password a line, the most common first. TABLE is the C of src/user/common_passwords.h: the
 * hashes of the first of them that are long enough to be taken for a password at all, sorted. Runs while
 * marca is built.
 */
#include "user/common_passwords.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 262144 /* a power of two, well over the count */

static uint64_t slots[SLOTS], hashes[COMMON_PASSWORDS_COUNT];
static size_t count;

static void fail(const char *file, const char *why)
{
	fprintf(stderr, "common_passwords: %s: %s\n", file, why);
	exit(1);
}

/* False: it is there already. Two lines may differ in case alone. */
static int is_new(uint64_t hash)
{
	size_t at = hash % SLOTS;

	while (slots[at] != 0 && slots[at] != hash)
		at = (at + 1) % SLOTS;
	if (slots[at] == hash)
		return 0;
	slots[at] = hash;
	return 1;
}

static size_t characters(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

static void read_list(const char *file)
{
	FILE *stream = fopen(file, "r");
	char line[1024];

	if (stream == NULL)
		fail(file, "cannot be opened");
	while (count < COMMON_PASSWORDS_COUNT && fgets(line, sizeof(line), stream) != NULL) {
		size_t len = strcspn(line, "\r\n");
		uint64_t hash = common_password_hash(line, len);

		if (characters(line, len) >= COMMON_PASSWORDS_MIN && is_new(hash))
			hashes[count++] = hash;
	}
	fclose(stream);
	if (count < COMMON_PASSWORDS_COUNT)
		fail(file, "has too few passwords; scripts/setup fetches it");
}

static int by_value(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

	return one < other ? -1 : one > other;
}

static void write_table(const char *file)
{
	FILE *stream = fopen(file, "w");

	if (stream == NULL)
		fail(file, "cannot be opened");
	fprintf(stream, "#include \"user/common_passwords.h\"\n\n"
			"const uint64_t common_passwords[COMMON_PASSWORDS_COUNT] = {\n");
	for (size_t i = 0; i < count; i++)
		fprintf(stream, "0x%016" PRIx64 ",\n", hashes[i]);
	fprintf(stream, "};\n");
	if (fclose(stream) != 0)
		fail(file, "cannot be written");
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	read_list(argv[1]);
	qsort(hashes, count, sizeof(hashes[0]), by_value);
	write_table(argv[2]);
	return 0;
}
