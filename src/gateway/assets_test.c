/* What is built in is found by its exact path, and by nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/assets.h"

#include <stdio.h>

static void finds_only_exact_paths(void **state)
{
	(void)state;
	const struct asset *page = asset_find(STR("/assets/index.html"));
	assert_non_null(page);
	assert_string_equal(page->path, "/assets/index.html");
	assert_string_equal(page->content_type, "text/html; charset=utf-8");

	assert_null(asset_find(STR("/assets/index.htm")));
	assert_null(asset_find(STR("/assets/index.html/")));
	assert_null(asset_find(STR("/assets/../assets/index.html")));
	assert_null(asset_find(STR("/assets/")));
	assert_null(asset_find((struct str){NULL, 0}));
}

static void bytes_are_those_of_the_file(void **state)
{
	(void)state;
	static const char *const files[][2] = {
		{"/assets/index.html", WEB_DIR "/index.html"},
		{"/assets/favicon.svg", WEB_DIR "/favicon.svg"},
		{"/assets/bricolage-grotesque.woff2", WEB_DIR "/fonts/bricolage-grotesque.woff2"},
	};
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const struct asset *asset = asset_find(str_from(files[i][0]));
		assert_non_null(asset);
		FILE *file = fopen(files[i][1], "rb");
		assert_non_null(file);
		for (size_t at = 0; at < asset->size; at++)
			assert_int_equal(getc(file), asset->bytes[at]);
		assert_int_equal(getc(file), EOF);
		fclose(file);
	}
}

static void every_row_is_whole(void **state)
{
	(void)state;
	assert_true(asset_count > 0);
	for (size_t i = 0; i < asset_count; i++) {
		const struct asset *asset = &asset_table[i];
		assert_ptr_equal(asset_find(str_from(asset->path)), asset);
		assert_true(asset->size > 0);
		assert_int_equal(strlen(asset->etag), ASSET_ETAG_LEN);
		assert_int_equal(asset->etag[0], '"');
		assert_int_equal(asset->etag[ASSET_ETAG_LEN - 1], '"');
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(asset->etag, asset_table[j].etag);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_only_exact_paths),
		cmocka_unit_test(bytes_are_those_of_the_file),
		cmocka_unit_test(every_row_is_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
