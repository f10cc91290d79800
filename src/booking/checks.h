/* What `marca check` reads of bookings (checks.sql). */
#ifndef BOOKING_CHECKS_H
#define BOOKING_CHECKS_H

#include "base/utime.h"
#include "db/check_rows.h"

struct booking_check {
	struct check_row row;
	struct uuid resource_id, user_id;
	utime start_time, end_time, updated_at;
	int64_t version;
	bool blocks;
};

#endif
