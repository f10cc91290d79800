/*
 * Verifying the trail as it lies in the store: every chain that has a row or a head, page by page, also while
 * marca goes on adding to it.
 */
#ifndef AUDIT_VERIFY_H
#define AUDIT_VERIFY_H

#include "audit/chain.h"
#include "base/ctx.h"

/* The first tenant from that id on that has a row or a head. *ret_found: there is one. */
enum rc verify_next_tenant(struct ctx *cx, const struct uuid *from, struct uuid *ret,
			   bool *ret_found) MUST_USE;

/* Told after each page how many rows it had. */
typedef void verify_progress_fn(void *arg, size_t rows);

/*
 * A chain that was begun (chain_begin()), from its first row to its end. RC_OK: *chain has the result. A
 * value that marca never wrote is a fault of the chain; RC_STORE_DOWN and RC_NO_MEMORY are not.
 */
enum rc verify_chain(struct ctx *cx, struct chain *chain, verify_progress_fn *progress, void *arg) MUST_USE;

#endif
