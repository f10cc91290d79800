/* See log.h. A line is built whole before it is written, so lines of several threads never mix. */
#include "base/log.h"

#include "base/ctx.h"
#include "base/log_sink.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 2048
#define TEXT_BYTES (LINE_BYTES - 256) /* where texts are cut, so that the rest of the line still fits */

/* A reload may change them while other threads log. */
static _Atomic enum log_level threshold = LOG_LEVEL_INFO;
static atomic_bool as_json, in_colour, on_terminal, complaints_are_logged;

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const char *const level_colours[] = {"\033[31m", "\033[33m", "\033[32m", "\033[2m"};

#define HIDDEN_MAX 64

static struct str hidden[HIDDEN_MAX];
static _Atomic size_t hidden_count;    /* raised once the next one is written */
static atomic_bool begins_hidden[256]; /* by the first byte */

struct line {
	char text[LINE_BYTES];
	size_t len;
};

static void put_bytes(struct line *line, const char *bytes, size_t len)
{
	if (len > LINE_BYTES - 8 - line->len)
		len = LINE_BYTES - 8 - line->len;
	memcpy(line->text + line->len, bytes, len);
	line->len += len;
}

static void put(struct line *line, const char *text)
{
	put_bytes(line, text, strlen(text));
}

/* The bytes of a hidden text that begins here, or 0. */
static size_t hidden_at(const char *text)
{
	size_t longest = 0, count = atomic_load_explicit(&hidden_count, memory_order_acquire);

	for (size_t i = 0; i < count; i++)
		if (hidden[i].len > longest && strncmp(text, hidden[i].p, hidden[i].len) == 0)
			longest = hidden[i].len;
	return longest;
}

/* Stands for itself, and no hidden text begins with it: most bytes are copied many at once. */
static bool is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\' && !begins_hidden[byte];
}

static void put_special(struct line *line, unsigned char byte)
{
	char escape[8];

	if (byte == '"' || byte == '\\')
		snprintf(escape, sizeof(escape), "\\%c", byte);
	else if (byte < 0x20 || byte == 0x7f)
		snprintf(escape, sizeof(escape), "\\u%04x", byte);
	else
		snprintf(escape, sizeof(escape), "%c", byte);
	put(line, escape);
}

/* As the inside of a JSON string. A text that is too long is cut between two characters. */
static void put_escaped(struct line *line, const char *text)
{
	size_t plain, masked;

	while (*text != '\0') {
		bool begins = ((unsigned char)*text & 0xc0) != 0x80; /* a character of UTF-8 */

		if (begins && line->len > TEXT_BYTES)
			return;
		for (plain = 0; is_plain((unsigned char)text[plain]) && line->len + plain <= TEXT_BYTES;)
			plain++;
		put_bytes(line, text, plain);
		text += plain;
		if (plain > 0)
			continue;
		masked = begins_hidden[(unsigned char)*text] ? hidden_at(text) : 0;
		if (masked > 0) {
			put(line, "***");
			text += masked;
			continue;
		}
		put_special(line, (unsigned char)*text++);
	}
}

void log_init(enum log_level level, int json)
{
	bool terminal = isatty(STDERR_FILENO) == 1;
	bool json_now = json < 0 ? !terminal : json > 0;

	threshold = level;
	on_terminal = terminal;
	as_json = json_now;
	in_colour = terminal && !json_now;
}

void log_complaints(void)
{
	complaints_are_logged = true;
}

void complain(const char *format, ...)
{
	char text[LINE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (complaints_are_logged)
		log_write(LOG_LEVEL_ERROR, text, NULL, 0);
	else
		fprintf(stderr, "marca: %s\n", text);
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
	hidden[hidden_count] = (struct str){copy, len};
	begins_hidden[(unsigned char)copy[0]] = true;
	hidden_count++;
}

bool log_wants(enum log_level level)
{
	return level <= atomic_load_explicit(&threshold, memory_order_relaxed);
}

/* --- What every line has ---------------------------------------------------------- */

#define CONTEXT_MAX 3

struct context {
	struct log_pair pairs[CONTEXT_MAX];
	size_t count;
	char tenant[UUID_TEXT_LEN + 1];
};

static bool has(const struct log_pair *pairs, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(pairs[i].key, key) == 0)
			return true;
	return false;
}

/* What is worked on, as far as the line does not say it itself. */
static void context_of(const struct log_pair *pairs, size_t count, struct context *ret)
{
	const struct ctx *cx = ctx_current();

	ret->count = 0;
	if (cx == NULL || has(pairs, count, "trace_id"))
		return;
	ret->pairs[ret->count++] = LOG_TEXT("trace_id", cx->trace_id);
	if (cx->request_id != NULL && strcmp(cx->request_id, cx->trace_id) != 0)
		ret->pairs[ret->count++] = LOG_TEXT("request_id", cx->request_id);
	if (!uuid_is_none(&cx->principal.tenant_id) && !has(pairs, count, "tenant_id"))
		ret->pairs[ret->count++] =
			LOG_TEXT("tenant_id", uuid_text(ret->tenant, &cx->principal.tenant_id));
}

/* --- As JSON ------------------------------------------------------------------------ */

static void put_number(struct line *line, int64_t value)
{
	char number[24];

	snprintf(number, sizeof(number), "%" PRId64, value);
	put(line, number);
}

static void put_members(struct line *line, const struct log_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		put(line, ",\"");
		put(line, pairs[i].key);
		put(line, "\":");
		if (pairs[i].text == NULL) {
			put_number(line, pairs[i].number);
			continue;
		}
		put(line, "\"");
		put_escaped(line, pairs[i].text);
		put(line, "\"");
	}
}

static void put_json(struct line *line, enum log_level level, const char *when, const char *message)
{
	put(line, "{\"time\":\"");
	put(line, when);
	put(line, "\",\"level\":\"");
	put(line, level_names[level]);
	put(line, "\",\"message\":\"");
	put_escaped(line, message);
	put(line, "\"");
}

/* --- For people ---------------------------------------------------------------------- */

/* On a terminal the day is today's, and what lines have in common stands below itself. */
#define TIME_AT	     11 /* in "2025-12-01T12:00:00.123456Z" */
#define TIME_LEN     12 /* "12:00:00.123" */
#define LEVEL_SIZE   5
#define MESSAGE_SIZE 28

static bool needs_quotes(const char *text)
{
	return text[0] == '\0' || text[strcspn(text, " =\"\\")] != '\0';
}

static void put_words(struct line *line, const struct log_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool quoted = pairs[i].text != NULL && needs_quotes(pairs[i].text);

		put(line, in_colour ? " \033[2m" : " ");
		put(line, pairs[i].key);
		put(line, in_colour ? "=\033[0m" : "=");
		if (pairs[i].text == NULL) {
			put_number(line, pairs[i].number);
			continue;
		}
		put(line, quoted ? "\"" : "");
		put_escaped(line, pairs[i].text);
		put(line, quoted ? "\"" : "");
	}
}

static void pad(struct line *line, size_t from, size_t size)
{
	while (line->len < from + size && line->len < LINE_BYTES - 8)
		line->text[line->len++] = ' ';
}

static void put_readable(struct line *line, enum log_level level, const char *when, const char *message)
{
	char time[TIME_LEN + 1];
	size_t from;

	if (on_terminal) {
		memcpy(time, when + TIME_AT, TIME_LEN);
		time[TIME_LEN] = '\0';
		when = time;
	}
	put(line, when);
	put(line, " ");
	put(line, in_colour ? level_colours[level] : "");
	from = line->len;
	put(line, level_names[level]);
	if (on_terminal)
		pad(line, from, LEVEL_SIZE);
	put(line, in_colour ? "\033[0m " : " ");
	from = line->len;
	put_escaped(line, message);
	if (on_terminal)
		pad(line, from, MESSAGE_SIZE);
}

/* --- Writing -------------------------------------------------------------------------- */

static void write_line(enum log_level level, const char *message, const struct log_pair *pairs, size_t count,
		       bool soon)
{
	void (*put_pairs)(struct line * line, const struct log_pair *pairs, size_t count) =
		as_json ? put_members : put_words;
	char when[UTIME_TEXT_MAX];
	struct context context;
	struct timespec ts;
	struct line line;

	line.len = 0;
	clock_gettime(CLOCK_REALTIME, &ts);
	utime_text(when, (utime)ts.tv_sec * UTIME_SECOND + ts.tv_nsec / 1000, 0, true);
	context_of(pairs, count, &context);
	if (as_json)
		put_json(&line, level, when, message);
	else
		put_readable(&line, level, when, message);
	put_pairs(&line, pairs, count);
	put_pairs(&line, context.pairs, context.count);
	put(&line, as_json ? "}" : "");
	line.text[line.len++] = '\n';
	sink_put(line.text, line.len, soon);
}

void log_write(enum log_level level, const char *message, const struct log_pair *pairs, size_t count)
{
	write_line(level, message, pairs, count, false);
}

void log_write_soon(enum log_level level, const char *message, const struct log_pair *pairs, size_t count)
{
	write_line(level, message, pairs, count, true);
}

bool log_start(void)
{
	return sink_start();
}

void log_stop(void)
{
	sink_stop();
}

uint64_t log_dropped(void)
{
	return sink_dropped();
}
