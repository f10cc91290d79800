/*
 * The log: one line an event, on standard error. JSON for machines, short readable lines on a
 * terminal. Values are escaped: what a client sent can never make a line of its own.
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

/* Before any thread starts. Standard error decides between JSON and readable lines when json < 0. */
void log_init(enum log_level level, int json);

/* From now on every line shows *** where this text would stand: the last wall, should a library's message
 * hold a secret. Texts shorter than LOG_HIDE_MIN stay: they would mask half the log. Before any thread
 * starts. */
#define LOG_HIDE_MIN 6
void log_hide(const char *text, size_t len);

bool log_wants(enum log_level level);

void log_write(enum log_level level, const char *message, const struct log_pair *pairs, size_t count);

/* Lines that nobody took. */
uint64_t log_dropped(void);

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
