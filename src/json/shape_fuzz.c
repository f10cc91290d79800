/*
 * libFuzzer: bodies and query strings. The first byte chooses how the rest is read. What was taken must be
 * written as JSON that is taken again and written the same.
 */
#include "json/arena_json.h"
#include "json/shape_sample.h"
#include "json/write.h"

#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	arena_json_init();
	return 0;
}

static struct str written(struct arena *arena, const void *sample)
{
	struct writer w;
	struct str text;

	writer_init(&w, arena, 256);
	write_shape(&w, &sample_shape, sample);
	if (!writer_take(&w, &text))
		abort();
	return text;
}

static void round_trip(struct arena *arena, const struct sample *sample)
{
	struct issues issues = {.arena = arena};
	struct str text = written(arena, sample);
	void *again;

	/* An absent object is written as null, which is not taken. */
	if (!HAS(sample, sample, object))
		return;
	if (shape_parse(&sample_shape, PARSE_WHOLE, text, &issues, &again) != RC_OK ||
	    !str_equal(written(arena, again), text))
		abort();
}

static void one(struct arena *arena, uint8_t how, struct str text)
{
	struct issues issues = {.arena = arena};
	void *object = NULL;
	enum rc rc;

	if (how % 3 == 2)
		rc = shape_parse_query(&sample_shape, text, &issues, &object);
	else
		rc = shape_parse(&sample_shape, how % 3 == 0 ? PARSE_WHOLE : PARSE_CHANGE, text, &issues,
				 &object);
	if (object == NULL || (rc != RC_OK && (rc != RC_INVALID || issues.first == NULL)))
		abort();
	if (!arena_json_utf8(arena, str_from(sample_issues(&issues))))
		abort();
	for (const struct issue *i = issues.first; i != NULL; i = i->next)
		if (i->arg != NULL && !arena_json_utf8(arena, str_from(i->arg)))
			abort();
	if (rc == RC_OK && how % 3 == 0)
		round_trip(arena, object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;

	if (size == 0)
		return 0;
	arena_init(&arena, NULL);
	one(&arena, data[0], (struct str){(const char *)data + 1, size - 1});
	arena_finish(&arena);
	return 0;
}
