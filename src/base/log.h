/*
 * The log: one line an event, on standard error. JSON for machines, short readable lines on a
 * terminal. Values are escaped: what a client sent can never make a line of its own.
 *
 * Every line that is written while something is worked on (ctx_enter()) bears its trace_id, request_id and
 * tenant_id, whoever writes it. A line that names a trace_id itself is about another one, and has nothing
 * added.
 *
 * Nobody waits for whoever reads the log: log_sink.h.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/base.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log_pair {
	const char *key;
	const char *text; /* NULL: the number counts */
	int64_t number;
};

/* On any thread. Standard error decides between JSON and readable lines when json < 0. */
void log_init(enum log_level level, int json);

/* Once there may be threads: from now on no line waits for its reader. False: memory. */
bool log_start(void) MUST_USE;
/* What has not been written yet is. The last line may come after it. */
void log_stop(void);

/* From now on every line shows *** where this text would stand: the last wall, should a library's message
 * hold a secret. Texts shorter than LOG_HIDE_MIN stay: they would mask half the log. On one thread at
 * a time. */
#define LOG_HIDE_MIN 6
void log_hide(const char *text, size_t len);

/* What is wrong with a setting, for whoever is starting marca: "marca: ..." on standard error; once
 * log_complaints() was called, when nobody is there to read that, an error in the log. */
void complain(const char *format, ...) PRINTF_LIKE(1, 2);
void log_complaints(void);

bool log_wants(enum log_level level);

void log_write(enum log_level level, const char *message, const struct log_pair *pairs, size_t count);

/* Lines that were not written, since nobody took those before them. */
uint64_t log_dropped(void);

/* The same for lines that come in floods: it may be written a little later, together with others. */
void log_write_soon(enum log_level level, const char *message, const struct log_pair *pairs, size_t count);

#define LOG_TEXT(k, v)	 ((struct log_pair){.key = (k), .text = (v)})
#define LOG_NUMBER(k, v) ((struct log_pair){.key = (k), .number = (v)})

/* LOG(WARN, "the store is gone", LOG_TEXT("room", name), LOG_NUMBER("tries", n)) */
#define LOG(level, message, ...)                                                                          \
	do {                                                                                              \
		if (log_wants(LOG_LEVEL_##level)) {                                                       \
			const struct log_pair log_pairs_[] = {__VA_ARGS__ __VA_OPT__(, ){NULL, NULL, 0}}; \
			log_write(LOG_LEVEL_##level, message, log_pairs_, ARRAY_LEN(log_pairs_) - 1);     \
		}                                                                                         \
	} while (0)

#endif
