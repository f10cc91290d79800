/* The other side: what a service answers to its neighbours. */
#ifndef NEIGHBOUR_ANSWER_H
#define NEIGHBOUR_ANSWER_H

#include "db/db.h"
#include "http/req.h"
#include "neighbour/signature.h"

/* For the dispatcher: RC_NO_ROUTE to whoever is none, as if there were nothing to be had. `key` NULL: there
 * are no neighbours. */
enum rc neighbour_verify(const struct req *rq, const struct signature_key *key) MUST_USE;

/* POST /internal/reads: `sets` are the queries of the rooms, by room; those are asked that this process has.
 */
enum rc neighbour_answer(struct req *rq, const struct query_set *const sets[ROOM_COUNT]) MUST_USE;

#endif
