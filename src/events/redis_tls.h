/*
 * TLS over bytes that somebody else carries: what came from the peer is put in, what shall go to it is taken
 * out. The peer's certificate must be good, and for that host; TLS 1.2 or newer.
 */
#ifndef EVENTS_REDIS_TLS_H
#define EVENTS_REDIS_TLS_H

#include "events/redis_url.h"

struct tls_trust; /* whom to believe: many connections share it */
struct tls;

/* A file of certificates; NULL: the system's. NULL with the reason on standard error. */
struct tls_trust *tls_trust_create(const char *ca_file) MUST_USE;
/* Those that still use it keep what they need. */
void tls_trust_destroy(struct tls_trust *trust);

/* NULL: memory. */
struct tls *tls_create(const struct tls_trust *trust, const struct redis_host *host) MUST_USE;
void tls_destroy(struct tls *tls);

/* After each of the others: bytes for the peer, up to `size`; 0: none now. */
size_t tls_take(struct tls *tls, char *to, size_t size) MUST_USE;
bool tls_put(struct tls *tls, const char *bytes, size_t len) MUST_USE;

enum tls_state { TLS_WAITS, TLS_GOOD, TLS_FAILED }; /* WAITS: for bytes of the peer */

enum tls_state tls_greet(struct tls *tls);
/* Once greeted. *ret_len plain bytes, when GOOD. */
enum tls_state tls_read(struct tls *tls, char *to, size_t size, size_t *ret_len);
bool tls_write(struct tls *tls, const char *bytes, size_t len) MUST_USE;

/* Why it failed. */
const char *tls_why(const struct tls *tls);

#endif
