/* See tracer.h. */
#include "trace/tracer.h"

#include "base/log.h"
#include "trace/otlp.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TIMEOUT_MS     5000L
#define STOP_NS	       UINT64_C(1500000000) /* that a stop waits for the collector */
#define PATH	       "/v1/traces"
#define URL_MAX	       2048
#define HEADERS_MAX    16
#define PAUSE_FIRST_MS 250

struct tracer {
	struct tracer_options options;
	char url[URL_MAX];
	uint64_t below; /* traces whose last 8 bytes are less than that are recorded */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool started, stopping;
	_Atomic uint64_t give_up_at; /* span_clock(); 0: never */
	struct otlp_span *ring;
	size_t first, count;
	struct tracer_stats stats;

	/* The thread's own. */
	CURL *easy;
	struct curl_slist *headers;
	bool failing; /* told once */
};

/* --- Options ------------------------------------------------------------------- */

static bool starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

const char *tracer_fault(const struct tracer_options *options)
{
	if (!starts(options->endpoint, "http://") && !starts(options->endpoint, "https://"))
		return "it begins neither with http:// nor with https://";
	if (strlen(options->endpoint) + sizeof(PATH) > URL_MAX)
		return "it is too long";
	return NULL;
}

static void set_url(struct tracer *tracer)
{
	size_t len = strlen(tracer->options.endpoint);

	while (len > 0 && tracer->options.endpoint[len - 1] == '/')
		len--;
	snprintf(tracer->url, sizeof(tracer->url), "%.*s%s", (int)len, tracer->options.endpoint, PATH);
}

/* "a=1,b=x%20y": a header each. False: memory. */
static bool add_headers(struct tracer *tracer, CURL *easy, const char *list)
{
	struct str rest = str_from(list != NULL ? list : "");
	bool good = true;

	for (int i = 0; good && rest.len > 0 && i < HEADERS_MAX; i++) {
		struct str value = str_trim(str_cut(&rest, ',')), name = str_trim(str_cut(&value, '='));
		char line[1024], *plain;
		struct curl_slist *more;

		if (name.len == 0)
			continue;
		value = str_trim(value);
		plain = curl_easy_unescape(easy, value.p, (int)value.len, NULL);
		if (plain == NULL)
			return false;
		snprintf(line, sizeof(line), "%.*s: %s", (int)name.len, name.p, plain);
		curl_free(plain);
		more = strpbrk(line, "\r\n") == NULL ? curl_slist_append(tracer->headers, line)
						     : tracer->headers;
		explicit_bzero(line, sizeof(line));
		good = more != NULL;
		if (good)
			tracer->headers = more;
	}
	return good;
}

bool tracer_samples(const struct tracer *tracer, const char *trace_id)
{
	uint64_t last = 0;

	for (size_t i = TRACE_ID_LEN / 2; i < TRACE_ID_LEN; i++)
		last = last << 4 | (uint64_t)hex_value(trace_id[i]);
	return tracer->options.ratio >= 1 || last < tracer->below;
}

/* --- Sending --------------------------------------------------------------------- */

static size_t ignore(char *bytes, size_t one, size_t len, void *arg)
{
	(void)bytes;
	(void)arg;
	return one * len;
}

static bool gives_up(struct tracer *tracer)
{
	uint64_t at = atomic_load(&tracer->give_up_at);

	return at > 0 && span_clock() > at;
}

/* libcurl asks once a second at least. Not 0 ends the call. */
static int on_progress(void *tracer, curl_off_t down, curl_off_t downed, curl_off_t up, curl_off_t upped)
{
	(void)down;
	(void)downed;
	(void)up;
	(void)upped;
	return gives_up(tracer);
}

static bool open_client(struct tracer *tracer)
{
	CURL *easy = curl_easy_init();
	CURLcode code = CURLE_OK;

	if (easy == NULL)
		return false;
	tracer->easy = easy;
	tracer->headers = curl_slist_append(NULL, "Content-Type: application/json");
	if (tracer->headers == NULL || !add_headers(tracer, easy, tracer->options.headers))
		return false;
#define SET(option, value) (code = code != CURLE_OK ? code : curl_easy_setopt(easy, (option), (value)))
	SET(CURLOPT_URL, tracer->url);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_HTTPHEADER, tracer->headers);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (tracer->options.ca_file != NULL)
		SET(CURLOPT_CAINFO, tracer->options.ca_file);
	SET(CURLOPT_USERAGENT, "marca/" MARCA_VERSION);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
	SET(CURLOPT_WRITEFUNCTION, ignore);
	SET(CURLOPT_NOPROGRESS, 0L);
	SET(CURLOPT_XFERINFOFUNCTION, on_progress);
	SET(CURLOPT_XFERINFODATA, tracer);
#undef SET
	return code == CURLE_OK;
}

/* By the OTLP specification: what may be sent again, and what never will be taken. */
static bool may_retry(CURLcode code, long status)
{
	return code != CURLE_OK || status == 429 || status == 502 || status == 503 || status == 504;
}

static bool post(struct tracer *tracer, struct str body, bool *ret_again)
{
	long status = 0;
	CURLcode code;

	curl_easy_setopt(tracer->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
	curl_easy_setopt(tracer->easy, CURLOPT_POSTFIELDS, body.p);
	code = curl_easy_perform(tracer->easy);
	curl_easy_getinfo(tracer->easy, CURLINFO_RESPONSE_CODE, &status);
	*ret_again = may_retry(code, status);
	if (code == CURLE_OK && status < 300) {
		if (tracer->failing)
			LOG(INFO, "spans are taken again");
		tracer->failing = false;
		return true;
	}
	if (!tracer->failing)
		LOG(WARN, "spans cannot be sent; see OTEL_EXPORTER_OTLP_ENDPOINT",
		    LOG_TEXT("why", curl_easy_strerror(code)), LOG_NUMBER("status", status));
	tracer->failing = true;
	return false;
}

/* Until so many ms have passed, or it shall stop. Holds the lock. */
static void rest(struct tracer *tracer, int ms)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (!tracer->stopping && pthread_cond_timedwait(&tracer->changed, &tracer->lock, &until) == 0)
		;
}

static bool send_patiently(struct tracer *tracer, struct str body)
{
	bool again = true;

	for (int tries = 1;; tries++) {
		if (post(tracer, body, &again))
			return true;
		if (!again || tries == TRACER_TRIES || gives_up(tracer))
			return false;
		pthread_mutex_lock(&tracer->lock);
		rest(tracer, PAUSE_FIRST_MS << tries);
		pthread_mutex_unlock(&tracer->lock);
	}
}

static void send_batch(struct tracer *tracer, const struct otlp_span *spans, size_t count)
{
	struct writer w;
	struct arena arena;
	struct str body;
	bool sent;

	arena_init(&arena, NULL);
	writer_init(&w, &arena, count * 512);
	otlp_write(&w, tracer->options.service, spans, count);
	sent = writer_take(&w, &body) && !gives_up(tracer) && send_patiently(tracer, body);
	arena_finish(&arena);
	pthread_mutex_lock(&tracer->lock);
	*(sent ? &tracer->stats.sent : &tracer->stats.dropped) += count;
	pthread_mutex_unlock(&tracer->lock);
}

/* --- The thread -------------------------------------------------------------------- */

#define GATHER_MS 200 /* so long a span waits for others */

static size_t take_batch(struct tracer *tracer, struct otlp_span *to)
{
	size_t count;

	pthread_mutex_lock(&tracer->lock);
	while (tracer->count == 0 && !tracer->stopping)
		pthread_cond_wait(&tracer->changed, &tracer->lock);
	if (tracer->count < TRACER_BATCH && !tracer->stopping)
		rest(tracer, GATHER_MS);
	for (count = 0; count < TRACER_BATCH && tracer->count > 0; count++) {
		to[count] = tracer->ring[tracer->first];
		tracer->first = (tracer->first + 1) % TRACER_SPANS;
		tracer->count--;
	}
	pthread_mutex_unlock(&tracer->lock);
	return count;
}

static void *run(void *arg)
{
	struct tracer *tracer = arg;
	struct otlp_span *batch = calloc(TRACER_BATCH, sizeof(*batch));
	bool ready = batch != NULL && open_client(tracer);
	size_t count;

	if (!ready)
		LOG(ERROR, "no memory to send spans");
	while (ready && (count = take_batch(tracer, batch)) > 0)
		send_batch(tracer, batch, count);
	curl_easy_cleanup(tracer->easy);
	curl_slist_free_all(tracer->headers);
	free(batch);
	return NULL;
}

/* --- From outside -------------------------------------------------------------------- */

void tracer_take(struct tracer *tracer, const struct span *span)
{
	struct otlp_span *place;

	pthread_mutex_lock(&tracer->lock);
	if (!tracer->started)
		tracer->started = pthread_create(&tracer->thread, NULL, run, tracer) == 0;
	if (!tracer->started || tracer->count == TRACER_SPANS) {
		tracer->stats.dropped++;
		pthread_mutex_unlock(&tracer->lock);
		return;
	}
	place = &tracer->ring[(tracer->first + tracer->count) % TRACER_SPANS];
	place->span = *span;
	snprintf(place->state, sizeof(place->state), "%s", span->state != NULL ? span->state : "");
	tracer->count++;
	if (tracer->count == 1)
		pthread_cond_signal(&tracer->changed);
	pthread_mutex_unlock(&tracer->lock);
}

void tracer_stats(struct tracer *tracer, struct tracer_stats *ret)
{
	pthread_mutex_lock(&tracer->lock);
	*ret = tracer->stats;
	pthread_mutex_unlock(&tracer->lock);
}

struct tracer *tracer_create(const struct tracer_options *options)
{
	struct tracer *tracer = calloc(1, sizeof(*tracer));

	if (tracer == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(tracer);
		return NULL;
	}
	tracer->options = *options;
	tracer->below = (uint64_t)(options->ratio * 18446744073709549568.0); /* the last double below 2^64 */
	tracer->ring = calloc(TRACER_SPANS, sizeof(tracer->ring[0]));
	pthread_mutex_init(&tracer->lock, NULL);
	pthread_cond_init(&tracer->changed, NULL);
	set_url(tracer);
	if (tracer->ring == NULL) {
		tracer_destroy(tracer);
		return NULL;
	}
	return tracer;
}

void tracer_destroy(struct tracer *tracer)
{
	if (tracer == NULL)
		return;
	atomic_store(&tracer->give_up_at, span_clock() + STOP_NS);
	pthread_mutex_lock(&tracer->lock);
	tracer->stopping = true;
	pthread_cond_signal(&tracer->changed);
	pthread_mutex_unlock(&tracer->lock);
	if (tracer->started)
		pthread_join(tracer->thread, NULL);
	pthread_cond_destroy(&tracer->changed);
	pthread_mutex_destroy(&tracer->lock);
	free(tracer->ring);
	free(tracer);
	curl_global_cleanup();
}
