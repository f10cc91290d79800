/*
 * Calls one URL, for tests/http/test_client.py, which is the server and looks at both sides.
 *
 *	http_client_probe URL [development] [ca=FILE] [calls=1] [method=GET] [body=...] [header=...]
 *	                      [timeout_ms=...] [answer_max=...] [again]
 *
 * A line for each of the calls, which run at once: "<outcome> <status> <type> <body>". With `again`, all of
 *it a second time, over the connections that were kept.
 */
#include "base/fiber_harness.h"
#include "http/client.h"

#include <stdio.h>
#include <stdlib.h>

#define CALLS_MAX 512

struct probe {
	struct http_client *client;
	struct http_call call;
};

static void call_once(void *arg)
{
	struct probe *probe = arg;
	struct http_answer answer = {0};
	struct arena arena;
	enum http_outcome how;

	arena_init(&arena, NULL);
	how = http_client_call(probe->client, &arena, &probe->call, &answer);
	printf("%s %d %.*s %.*s\n", http_outcome_text[how], answer.status, (int)answer.type.len,
	       answer.type.len > 0 ? answer.type.p : "", (int)answer.body.len,
	       answer.body.len > 0 ? answer.body.p : "");
	arena_finish(&arena);
}

static void call_all(struct probe *probe, size_t calls)
{
	static struct errand errands[CALLS_MAX];
	struct harness harness;

	harness_init(&harness);
	for (size_t i = 0; i < calls; i++)
		if (harness_go(&harness, &errands[i], call_once, probe) != RC_OK)
			abort();
	harness_wait(&harness);
	harness_finish(&harness);
}

static enum http_method method_of(const char *word)
{
	static const char *const words[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(words[i], word) == 0)
			return (enum http_method)i;
	return HTTP_OTHER_;
}

static const char *value_of(const char *arg, const char *name)
{
	return strncmp(arg, name, strlen(name)) == 0 ? arg + strlen(name) : NULL;
}

struct settings {
	struct http_client_options options;
	struct http_call call;
	size_t calls, headers;
	bool again;
};

static void set(struct settings *settings, const char *arg)
{
	const char *value;

	if ((value = value_of(arg, "ca=")) != NULL)
		settings->options.ca_file = value;
	else if ((value = value_of(arg, "calls=")) != NULL)
		settings->calls = strtoul(value, NULL, 10);
	else if ((value = value_of(arg, "method=")) != NULL)
		settings->call.method = method_of(value);
	else if ((value = value_of(arg, "body=")) != NULL)
		settings->call.body = str_from(value);
	else if ((value = value_of(arg, "header=")) != NULL)
		settings->call.headers[settings->headers++] = value;
	else if ((value = value_of(arg, "timeout_ms=")) != NULL)
		settings->call.timeout_ms = (int)strtol(value, NULL, 10);
	else if ((value = value_of(arg, "answer_max=")) != NULL)
		settings->call.answer_max = strtoul(value, NULL, 10);
	else if (strcmp(arg, "development") == 0)
		settings->options.development = true;
	else if (strcmp(arg, "again") == 0)
		settings->again = true;
}

int main(int argc, char **argv)
{
	struct settings settings = {.calls = 1};
	struct probe probe;

	if (argc < 2)
		return 2;
	settings.call.url = argv[1];
	for (int i = 2; i < argc; i++)
		set(&settings, argv[i]);
	if (settings.calls > CALLS_MAX)
		return 2;
	probe = (struct probe){http_client_create(&settings.options), settings.call};
	if (probe.client == NULL)
		return 2;
	call_all(&probe, settings.calls);
	if (settings.again)
		call_all(&probe, settings.calls);
	http_client_destroy(probe.client);
	return 0;
}
