/* The shapes of the tenant service: an organisation, its brand and its rules of booking. */
#ifndef TENANT_TENANT_H
#define TENANT_TENANT_H

#include "http/route.h"
#include "user/client.h"

#define PLAN(X, E) X(E, basico) X(E, profissional) X(E, corporativo)
ENUM_DECLARE(plan, PLAN);

/* clang-format off */
#define LABELS(F, T)                                                                                              \
	F(T, TEXT, resource_singular, REQUIRED, "One thing that is booked.", .example = "\"Sala\"", .min = 1, .max = 80)   \
	F(T, TEXT, resource_plural,   REQUIRED, "Several of them.", .example = "\"Salas\"", .min = 1, .max = 80)           \
	F(T, TEXT, booking_label,     REQUIRED, "A booking.", .example = "\"Aula\"", .min = 1, .max = 80)                  \
	F(T, TEXT, user_label,        REQUIRED, "Who books.", .example = "\"Aluno\"", .min = 1, .max = 80)
SHAPE_DECLARE(labels, LABELS);

#define SETTINGS_FIELDS(F, T)                                                                                     \
	F(T, TEXT,  business_type,        REQUIRED, "What kind of business it is.", .example = "\"fitness\"", .min = 1, .max = 80) \
	F(T, TEXT,  timezone,             OPTIONAL, "IANA name of the zone in which its working hours are told.",         \
	  DEFAULT_TEXT("UTC"), .example = "\"America/Sao_Paulo\"", .max = 64, .format = &format_zone)                     \
	F(T, CLOCK, working_hours_start,  REQUIRED, "Opens, local time.", .example = "\"06:00:00\"")                      \
	F(T, CLOCK, working_hours_end,    REQUIRED, "Closes, local time; 24:00 is midnight.", .example = "\"22:00:00\"")  \
	F(T, INT,   booking_interval,     OPTIONAL, "Minutes from slot to slot.", DEFAULT(30), .min = 5, .max = 480)      \
	F(T, INT,   advance_booking_days, OPTIONAL, "How many days ahead bookings may begin.", DEFAULT(30), .max = 365)   \
	F(T, INT,   cancellation_hours,   OPTIONAL, "How many hours before its start a booking can still be cancelled.",  \
	  DEFAULT(24), .max = 168)                                                                                        \
	F(T, STORED(labels), custom_labels, REQUIRED, "The words this business uses.")                                    \
	F(T, BOOL,  auto_confirm,         OPTIONAL, "New bookings are confirmed at once.", DEFAULT(false))                \
	F(T, BOOL,  self_signup,          OPTIONAL, "People may register themselves, to book; see `POST /auth/signup`.", DEFAULT(false))

/* What comes in, and (with an id and its times) what goes out. */
#define SETTINGS_NEW(F, T) SETTINGS_FIELDS(F, T)
SHAPE_DECLARE(settings_new, SETTINGS_NEW);

#define SETTINGS(F, T)                                                                     \
	F(T, UUID, id, REQUIRED, "Of these settings.")                                     \
	SETTINGS_FIELDS(F, T)                                                              \
	F(T, INSTANT, created_at, REQUIRED, "When they were first set.")                   \
	F(T, INSTANT, updated_at, REQUIRED, "When they last changed.")
SHAPE_DECLARE(settings, SETTINGS);

#define BRAND_FIELDS(F, T)                                                                                        \
	F(T, TEXT, name,                REQUIRED, "Name of the organisation.", .example = "\"Academia Fit\"", .min = 1, .max = 200) \
	F(T, TEXT, domain,              REQUIRED, "Host name of its booking site; unique.", .example = "\"academia-fit.com\"", \
	  .max = 253, .format = &format_host)                                                                             \
	F(T, TEXT, logo_url,            OPTIONAL, "Address of its logo.", .example = "\"https://exemplo.com/logo.png\"", \
	  .max = 2000, .format = &format_url)                                                                             \
	F(T, TEXT, theme_primary_color, OPTIONAL, "Colour of its brand.", .example = "\"#FF5722\"", .max = 7, .format = &format_color)

#define STANDING_FIELDS(F, T)                                                                                     \
	F(T, ENUM(plan), plan, OPTIONAL, "What it pays for.", DEFAULT(plan_basico))                                       \
	F(T, BOOL, is_active, OPTIONAL, "An inactive tenant takes no bookings.", DEFAULT(true))

#define TENANT_ADMIN(F, T)                                                                                        \
	F(T, TEXT, name,     REQUIRED, "Full name.", .example = "\"Ana Souza\"", .min = 1, .max = 200)                    \
	F(T, TEXT, email,    REQUIRED, "E-mail address.", .example = "\"ana@academia-fit.com\"", .max = 254, .format = &format_email) \
	F(T, TEXT, password, REQUIRED, "To log in by; never told again.", NEW_PASSWORD)
SHAPE_DECLARE(tenant_admin, TENANT_ADMIN);

#define TENANT_NEW(F, T)                                                                   \
	BRAND_FIELDS(F, T)                                                                 \
	STANDING_FIELDS(F, T)                                                              \
	F(T, OBJECT(settings_new), settings, OPTIONAL, "Its rules of booking.")            \
	F(T, OBJECT(tenant_admin), admin, OPTIONAL, "The first of its staff, created with it; or `marca admin create` later.", .fixed = true)
SHAPE_DECLARE(tenant_new, TENANT_NEW);

#define TENANT(F, T)                                                                       \
	F(T, UUID, id, REQUIRED, "Of the tenant.")                                         \
	BRAND_FIELDS(F, T)                                                                 \
	STANDING_FIELDS(F, T)                                                              \
	F(T, INSTANT, created_at, REQUIRED, "When it was created.")                        \
	F(T, INSTANT, updated_at, REQUIRED, "When it last changed.")                       \
	F(T, OBJECT(settings), settings, OPTIONAL, "Its rules of booking.")                \
	F(T, TEXT, search_name, OPTIONAL, "The name, folded.", .hidden = true)             \
	F(T, INT, version, REQUIRED, "Counts changes.", .hidden = true)                    \
	F(T, UUID, change_id, OPTIONAL, "The event of the last change.", .hidden = true)
SHAPE_DECLARE(tenant, TENANT);

/* What anyone may see: enough to paint a booking page. */
#define BRAND(F, T)                                                                        \
	F(T, UUID, id, REQUIRED, "Of the tenant.")                                         \
	BRAND_FIELDS(F, T)                                                                 \
	F(T, TEXT, timezone, OPTIONAL, "IANA name of its zone.")                           \
	F(T, STORED(labels), custom_labels, OPTIONAL, "The words this business uses.")
SHAPE_DECLARE(brand, BRAND);

#define TENANT_FILTER(F, T)                                                                \
	F(T, TEXT, search, OPTIONAL, "A part of the name; case and accents do not matter.", .max = 200) \
	F(T, BOOL, is_active, OPTIONAL, "Only active, or only inactive ones.")             \
	PAGE_FIELDS(F, T)
SHAPE_DECLARE(tenant_filter, TENANT_FILTER);
/* clang-format on */

extern const struct format format_zone;
extern const struct service tenant_service;

/* The settings as the rules of other services need them. */
struct tenant_row {
	const char *timezone; /* NULL: the tenant has no settings */
	int64_t working_hours_start, working_hours_end, booking_interval, advance_booking_days,
		cancellation_hours;
	bool auto_confirm, self_signup, is_active;
};

/* What the service derives before a row is written: domain in lower case, name for search. */
enum rc tenant_derive(struct req *rq, struct tenant *row) MUST_USE;
/* The tenant of the path; RC_TENANT_UNKNOWN. */
enum rc tenant_find(struct req *rq, struct tenant **ret) MUST_USE;
/* The settings as a client writes them, over what is stored; all of them when nothing is. `loc`: where they
 * stood. */
enum rc settings_merge(struct req *rq, struct tenant *row, const struct settings_new *change,
		       const struct loc *loc) MUST_USE;
/* body.settings */
extern const struct loc settings_loc;
/* The row as changed, with its event; the caller has read it and changed its members. */
enum rc tenant_store(struct req *rq, struct tenant *row) MUST_USE;

/* The handlers, one file each. */
enum rc tenant_create(struct req *rq);
enum rc tenant_list(struct req *rq);
enum rc tenant_get(struct req *rq);
enum rc tenant_update(struct req *rq);
enum rc tenant_delete(struct req *rq);
enum rc tenant_by_domain(struct req *rq);
enum rc settings_get(struct req *rq);
enum rc settings_update(struct req *rq);

#endif
