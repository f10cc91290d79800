/* See log.h. A line is built whole and written by one write(2), so lines of several threads never mix. */
#include "base/log.h"

#include "base/utime.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 2048
#define TEXT_BYTES (LINE_BYTES - 256) /* where texts are cut, so that the rest of the line still fits */

static enum log_level threshold = LOG_LEVEL_INFO;
static bool as_json, in_colour;

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const char *const level_colours[] = {"\033[31m", "\033[33m", "\033[32m", "\033[2m"};

#define HIDDEN_MAX 64

static struct str hidden[HIDDEN_MAX];
static size_t hidden_count;

struct line {
	char text[LINE_BYTES];
	size_t len;
};

static void put(struct line *line, const char *text)
{
	size_t len = strlen(text);

	if (len > LINE_BYTES - 8 - line->len)
		len = LINE_BYTES - 8 - line->len;
	memcpy(line->text + line->len, text, len);
	line->len += len;
}

/* The bytes of a hidden text that begins here, or 0. */
static size_t hidden_at(const char *text)
{
	size_t longest = 0;

	for (size_t i = 0; i < hidden_count; i++)
		if (hidden[i].len > longest && strncmp(text, hidden[i].p, hidden[i].len) == 0)
			longest = hidden[i].len;
	return longest;
}

/* As the inside of a JSON string. A text that is too long is cut between two characters. */
static void put_escaped(struct line *line, const char *text)
{
	char escape[8];
	size_t masked;

	for (; *text != '\0'; text++) {
		bool begins = ((unsigned char)*text & 0xc0) != 0x80; /* a character of UTF-8 */

		if (begins && line->len > TEXT_BYTES)
			return;
		masked = hidden_at(text);
		if (masked > 0) {
			put(line, "***");
			text += masked - 1;
			continue;
		}
		if (*text == '"' || *text == '\\')
			snprintf(escape, sizeof(escape), "\\%c", *text);
		else if ((unsigned char)*text < 0x20 || *text == 0x7f)
			snprintf(escape, sizeof(escape), "\\u%04x", (unsigned char)*text);
		else
			snprintf(escape, sizeof(escape), "%c", *text);
		put(line, escape);
	}
}

void log_init(enum log_level level, int json)
{
	bool terminal = isatty(STDERR_FILENO) == 1;

	threshold = level;
	as_json = json < 0 ? !terminal : json > 0;
	in_colour = terminal && !as_json;
}

void log_hide(const char *text, size_t len)
{
	char *copy;

	for (size_t i = 0; i < hidden_count; i++)
		if (str_equal(hidden[i], (struct str){text, len}))
			return;
	if (len < LOG_HIDE_MIN || hidden_count == HIDDEN_MAX)
		return;
	copy = strndup(text, len);
	if (copy == NULL)
		return;
	hidden[hidden_count++] = (struct str){copy, len};
}

bool log_wants(enum log_level level)
{
	return level <= threshold;
}

static void put_value(struct line *line, const struct log_pair *pair)
{
	char number[24];

	if (pair->text != NULL) {
		put(line, "\"");
		put_escaped(line, pair->text);
		put(line, "\"");
	} else {
		snprintf(number, sizeof(number), "%" PRId64, pair->number);
		put(line, number);
	}
}

static void put_json(struct line *line, enum log_level level, const char *when, const char *message,
		     const struct log_pair *pairs, size_t count)
{
	put(line, "{\"time\":\"");
	put(line, when);
	put(line, "\",\"level\":\"");
	put(line, level_names[level]);
	put(line, "\",\"message\":\"");
	put_escaped(line, message);
	put(line, "\"");
	for (size_t i = 0; i < count; i++) {
		put(line, ",\"");
		put(line, pairs[i].key);
		put(line, "\":");
		put_value(line, &pairs[i]);
	}
	put(line, "}");
}

static void put_readable(struct line *line, enum log_level level, const char *when, const char *message,
			 const struct log_pair *pairs, size_t count)
{
	put(line, when);
	put(line, in_colour ? level_colours[level] : "");
	put(line, " ");
	put(line, level_names[level]);
	put(line, in_colour ? "\033[0m " : " ");
	put_escaped(line, message);
	for (size_t i = 0; i < count; i++) {
		put(line, " ");
		put(line, pairs[i].key);
		put(line, "=");
		put_value(line, &pairs[i]);
	}
}

void log_write(enum log_level level, const char *message, const struct log_pair *pairs, size_t count)
{
	char when[UTIME_TEXT_MAX];
	struct timespec ts;
	struct line line;
	ssize_t written;

	line.len = 0;
	clock_gettime(CLOCK_REALTIME, &ts);
	utime_text(when, (utime)ts.tv_sec * UTIME_SECOND + ts.tv_nsec / 1000, 0, true);
	if (as_json)
		put_json(&line, level, when, message, pairs, count);
	else
		put_readable(&line, level, when, message, pairs, count);
	line.text[line.len++] = '\n';
	written = write(STDERR_FILENO, line.text, line.len);
	(void)written; /* nowhere left to tell it */
}

uint64_t log_dropped(void)
{
	return 0;
}
