/*
 * Makes files part of the binary: embed ASSEMBLY TABLE FILE...
 *
 * ASSEMBLY takes their bytes in by .incbin, so that no compiler has to read megabytes of
 * initialisers; TABLE is the C that names them: src/gateway/assets.h says what for. Runs while
 * marca is built.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *ending, *content_type;
} content_types[] = {
	{".html", "text/html; charset=utf-8"},
	{".css", "text/css; charset=utf-8"},
	{".js", "text/javascript; charset=utf-8"},
	{".svg", "image/svg+xml"},
	{".woff2", "font/woff2"},
	{".txt", "text/plain; charset=utf-8"},
};

static void fail(const char *file, const char *why)
{
	fprintf(stderr, "embed: %s: %s\n", file, why);
	exit(1);
}

static FILE *open_file(const char *file, const char *mode)
{
	FILE *stream = fopen(file, mode);
	if (stream == NULL)
		fail(file, "cannot be opened");
	return stream;
}

static void close_written(FILE *stream, const char *file)
{
	if (fclose(stream) != 0)
		fail(file, "cannot be written");
}

static const char *base_name(const char *file)
{
	const char *slash = strrchr(file, '/');
	return slash != NULL ? slash + 1 : file;
}

static const char *content_type(const char *file)
{
	size_t length = strlen(file);
	for (size_t i = 0; i < sizeof(content_types) / sizeof(content_types[0]); i++) {
		size_t ending = strlen(content_types[i].ending);
		if (length > ending && strcmp(file + length - ending, content_types[i].ending) == 0)
			return content_types[i].content_type;
	}
	fail(file, "no content type is known for this ending");
	return NULL;
}

/* Bytes in the file, and their FNV-1a of 64 bits: that tells one version from the next, and nobody gains by a
 * collision. */
static void measure(const char *file, size_t *ret_size, uint64_t *ret_hash)
{
	FILE *stream = open_file(file, "rb");
	size_t size = 0;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (int c; (c = getc(stream)) != EOF; size++)
		hash = (hash ^ (uint64_t)c) * UINT64_C(0x100000001b3);
	if (ferror(stream))
		fail(file, "cannot be read");
	fclose(stream);
	*ret_size = size;
	*ret_hash = hash;
}

static void write_assembly(const char *output, int count, char **files)
{
	FILE *out = open_file(output, "w");
	fputs("\t.section .rodata\n", out);
	for (int i = 0; i < count; i++)
		fprintf(out,
			"\t.balign 16\n"
			"\t.globl asset_%d\n"
			"\t.hidden asset_%d\n"
			"asset_%d:\n"
			"\t.incbin \"%s\"\n",
			i, i, i, files[i]);
	/* Without this note the linker makes the stack executable. */
	fputs("\t.section .note.GNU-stack,\"\",%progbits\n", out);
	close_written(out, output);
}

static void write_table(const char *output, int count, char **files)
{
	FILE *out = open_file(output, "w");
	fputs("#include \"gateway/assets.h\"\n\n", out);
	for (int i = 0; i < count; i++)
		fprintf(out, "extern const unsigned char asset_%d[];\n", i);
	fputs("\nconst struct asset asset_table[] = {\n", out);
	for (int i = 0; i < count; i++) {
		size_t size;
		uint64_t hash;
		measure(files[i], &size, &hash);
		fprintf(out, "\t{\"/assets/%s\", \"%s\", asset_%d, %zu, \"\\\"%016" PRIx64 "\\\"\"},\n",
			base_name(files[i]), content_type(files[i]), i, size, hash);
	}
	fprintf(out, "};\n\nconst size_t asset_count = %d;\n", count);
	close_written(out, output);
}

int main(int argc, char **argv)
{
	if (argc < 4) {
		fprintf(stderr, "usage: embed ASSEMBLY TABLE FILE...\n");
		return 2;
	}
	write_assembly(argv[1], argc - 3, argv + 3);
	write_table(argv[2], argc - 3, argv + 3);
	return 0;
}
