/*
 * Chain: rows of which each is hashed together with the hash of the one before it, so that none can be
 * changed, taken out, put in or moved unless all that come after it are made anew (Schneier and Kelsey,
 * Secure Audit Logs to Support Computer Forensics, 1999, without its keys).
 *
 * What this cannot show: a chain that was made anew from some row on, its head with it, or one cut off
 * together with its head. For that an operator keeps heads elsewhere: struct chain_note.
 *
 * Pure functions: no store, no clock. Hashes are SHA-256 (FIPS 180-4) over parts, each after its length as 8
 * bytes; numbers are 8 bytes; the most significant byte comes first. docs/audit.md has the parts in order.
 */
#ifndef AUDIT_CHAIN_H
#define AUDIT_CHAIN_H

#include "audit/audit.h"

/* Lower-case hexadecimal. */
#define CHAIN_HASH_LEN 64
struct chain_hash {
	char text[CHAIN_HASH_LEN + 1];
};

/* What the first row of a tenant's chain follows: a head of number 0, as it were. */
struct chain_hash chain_start(const struct uuid *tenant);
/* Of its bytes and nothing else. */
struct chain_hash chain_payload_hash(const char *payload);
/* Over all of the row but its payload and its hash, for which payload_hash stands. */
struct chain_hash chain_row_hash(const char *before, const struct audit_event *row);

/* --- Verifying ------------------------------------------------------------------ */

/* A head as it once was: the chain must still have that row with that hash. */
struct chain_note {
	struct uuid tenant_id;
	int64_t number;
	struct chain_hash hash;
};

struct chain {
	struct uuid tenant;
	int64_t number;		/* of the last row that was good; 0: none yet */
	struct chain_hash hash; /* its own */
	const struct chain_note *notes;
	size_t note_count; /* those still ahead */
	int64_t fault_at;  /* the number where the first fault is; 0 where it is all or none */
	char fault[192];   /* that fault, in words; empty: none */
};

/* `notes` are of this tenant, by number, and stand as long as the chain is verified; none is fine. */
void chain_begin(struct chain *chain, const struct uuid *tenant, const struct chain_note *notes,
		 size_t count);
/* The rows by number. False: broken; what comes after the first fault tells nothing more. */
bool chain_feed(struct chain *chain, const struct audit_event *row);
/* After the last row. `head` NULL: there is none, which is right only where there is no row either. */
bool chain_end(struct chain *chain, const struct audit_head *head);
/* Instead, where the store refuses to give the next row: a value in it is of another kind. */
bool chain_end_unreadable(struct chain *chain);

bool chain_broken(const struct chain *chain);

#endif
