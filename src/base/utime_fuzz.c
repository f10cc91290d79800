/* libFuzzer: times as clients write them. What was taken must be in range, and be written as text that means
 * the same. */
#include "base/utime.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
	if (!good)
		abort();
}

static void instant(struct str text)
{
	struct wire_time time, again;
	char buf[UTIME_TEXT_MAX];
	size_t len;

	if (!utime_parse(text, &time))
		return;
	check(time.at >= UTIME_MIN && time.at <= UTIME_MAX);
	len = utime_text(buf, time.at, 0, true);
	check(len < sizeof(buf) && buf[len] == '\0');
	check(utime_parse((struct str){buf, len}, &again) && again.at == time.at && !again.local);
}

static void date(struct str text)
{
	int64_t days, again;
	char buf[DATE_TEXT_MAX];

	if (!utime_parse_date(text, &days))
		return;
	check(text.len == 10);
	check(utime_parse_date((struct str){buf, utime_date_text(buf, days)}, &again) && again == days);
	check(memcmp(buf, text.p, 10) == 0);
}

static void clock_of_day(struct str text)
{
	int32_t seconds, again;
	char buf[CLOCK_TEXT_MAX];

	if (!utime_parse_clock(text, &seconds))
		return;
	check(seconds >= 0 && seconds <= 24 * 3600);
	check(utime_parse_clock((struct str){buf, utime_clock_text(buf, seconds)}, &again) &&
	      again == seconds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};

	instant(text);
	date(text);
	clock_of_day(text);
	return 0;
}
