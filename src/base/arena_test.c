/* Arenas: zeroed, aligned, never overlapping, and without malloc once the pool is warm. */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void memory_is_zeroed_and_aligned(void **state)
{
	(void)state;
	struct arena_pool pool = {0};
	struct arena arena;

	/* The second round gets back chunks that the first one wrote over. */
	for (int round = 0; round < 2; round++) {
		arena_init(&arena, &pool);
		for (size_t size = 0; size < 3000; size += 7) {
			unsigned char *p = arena_alloc(&arena, size);

			assert_non_null(p);
			assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
			for (size_t i = 0; i < size; i++)
				assert_int_equal(p[i], 0);
			memset(p, 0xff, size);
		}
		arena_finish(&arena);
	}
	arena_pool_finish(&pool);
}

static void pieces_do_not_overlap(void **state)
{
	(void)state;
	static const size_t sizes[] = {1, 16, 17, 4000, 8191, 8192, 8193, 100000, 3};
	unsigned char *pieces[ARRAY_LEN(sizes)];
	struct arena arena;

	arena_init(&arena, NULL);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		pieces[i] = arena_alloc(&arena, sizes[i]);
		assert_non_null(pieces[i]);
		memset(pieces[i], (int)i + 1, sizes[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		for (size_t at = 0; at < sizes[i]; at++)
			assert_int_equal(pieces[i][at], i + 1);
	arena_finish(&arena);
}

static void a_finished_arena_goes_on_from_the_pool(void **state)
{
	(void)state;
	struct arena_pool pool = {0};
	struct arena arena;
	void *first;

	arena_init(&arena, &pool);
	first = arena_alloc(&arena, 100);
	arena_finish(&arena);
	assert_int_equal(pool.kept, 1);
	assert_ptr_equal(arena_alloc(&arena, 100), first);
	assert_int_equal(pool.kept, 0);
	arena_finish(&arena);
	/* What was larger than a chunk goes back to the system. */
	assert_non_null(arena_alloc(&arena, 100000));
	arena_finish(&arena);
	assert_int_equal(pool.kept, 1);
	arena_pool_finish(&pool);
	assert_int_equal(pool.kept, 0);
}

static void impossible_sizes_are_refused(void **state)
{
	(void)state;
	struct arena arena;

	arena_init(&arena, NULL);
	assert_null(arena_alloc(&arena, SIZE_MAX));
	assert_null(arena_alloc(&arena, SIZE_MAX - 15));
	assert_null(arena_array(&arena, SIZE_MAX / 2, 3));
	assert_null(arena_array(&arena, SIZE_MAX, SIZE_MAX));
	assert_non_null(arena_array(&arena, 0, 8));
	assert_non_null(arena_alloc(&arena, 1));
	arena_finish(&arena);
}

static void texts_end_in_nul(void **state)
{
	(void)state;
	char long_text[9001];
	struct arena arena;
	char *text;

	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	arena_init(&arena, NULL);
	assert_string_equal(arena_text(&arena, (struct str){"abcdef", 3}), "abc");
	assert_string_equal(arena_text(&arena, (struct str){NULL, 0}), "");
	assert_string_equal(arena_printf(&arena, "%d-%s", 7, "x"), "7-x");
	assert_string_equal(arena_printf(&arena, "%s", ""), "");
	text = arena_printf(&arena, "%s!", long_text);
	assert_int_equal(strlen(text), 9001);
	assert_memory_equal(arena_copy(&arena, "ab\0c", 4), "ab\0c", 4);
	assert_non_null(arena_copy(&arena, NULL, 0));
	arena_finish(&arena);
	arena_finish(&arena); /* twice does no harm */
}

static void secrets_are_wiped(void **state)
{
	static const char none[64];
	struct arena_pool pool = {0};
	struct arena arena;
	char *first, *again;

	(void)state;
	for (int wipe = 0; wipe <= 1; wipe++) {
		arena_init(&arena, &pool);
		arena.wipe = wipe != 0;
		first = arena_text(&arena,
				   STR("correct horse battery staple, and the rest of a long secret"));
		arena_finish(&arena);
		assert_false(arena.wipe);
		again = arena_copy(&arena, NULL, 0); /* the same chunk, as it was left */
		assert_ptr_equal(again, first);
		assert_int_equal(memcmp(again, none, 32) == 0, wipe);
		arena_finish(&arena);
	}
	arena_pool_finish(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_and_aligned),
		cmocka_unit_test(pieces_do_not_overlap),
		cmocka_unit_test(a_finished_arena_goes_on_from_the_pool),
		cmocka_unit_test(impossible_sizes_are_refused),
		cmocka_unit_test(texts_end_in_nul),
		cmocka_unit_test(secrets_are_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
