/* GET /bookings/{id} */
#include "booking/booking.h"
#include "http/req.h"

enum rc booking_get(struct req *rq)
{
	struct tenant_rules rules;
	struct booking *row;
	enum rc rc = booking_find(rq, &row, &rules);

	return rc == RC_OK ? booking_reply(rq, row, &rules) : rc;
}
