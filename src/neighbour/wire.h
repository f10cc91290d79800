/* What services say to one another. Of one marca, but perhaps not of one version: members may be added, and
 * are none where they are not sent. */
#ifndef NEIGHBOUR_WIRE_H
#define NEIGHBOUR_WIRE_H

#include "base/principal.h"
#include "json/shape.h"

#define READS_PATH "/internal/reads"
#define READS_MAX  64 /* in one call */

extern const struct names role_names;

/* clang-format off */
#define CALLER(F, T)                                                                                          \
	F(T, ENUM(role), role, REQUIRED, "What he is.")                                                       \
	F(T, INT,  rights, OPTIONAL, "enum right.", DEFAULT(0), .min = 0, .max = RIGHTS_ALL)                  \
	F(T, UUID, tenant_id, OPTIONAL, "Of which tenant.")                                                   \
	F(T, UUID, user_id, OPTIONAL, "Who.")                                                                 \
	F(T, UUID, session_id, OPTIONAL, "By which session, or API key.")
SHAPE_DECLARE(caller, CALLER);

#define ASKED(F, T)                                                                                           \
	F(T, TEXT, room, REQUIRED, "Of which service.", .min = 1, .max = 32)                                  \
	F(T, TEXT, query, REQUIRED, "Its name in queries.sql.", .min = 1, .max = 64)                          \
	F(T, TEXT, trace_id, REQUIRED, "Of whose request.", .min = 32, .max = 32)                             \
	F(T, OBJECT(caller), caller, REQUIRED, "On whose behalf: his tenant's walls hold here too.")          \
	F(T, JSON, given, REQUIRED, "The query's parameters.")
SHAPE_DECLARE(asked, ASKED);

#define READS(F, T)                                                                                           \
	F(T, LIST(asked), reads, REQUIRED, "Each is answered for itself, in this order.", .max = READS_MAX)
SHAPE_DECLARE(reads, READS);
/* clang-format on */

struct caller caller_from(const struct principal *who);
struct principal caller_principal(const struct caller *caller);

#endif
