"""A tenant that has what a booking needs: a user, a category, a resource. And how its local times are written."""
import datetime
import zoneinfo

import harness

UTC = datetime.timezone.utc

# The least of `settings` that a tenant of these tests differs in.
ALL_DAY = {"working_hours_start": "00:00", "working_hours_end": "24:00"}
ANY_TIME = {**ALL_DAY, "cancellation_hours": 0, "advance_booking_days": 365}


class Business:
    """settings: over those of harness.make_tenant(); category and resource: their further fields."""

    def __init__(self, api, settings=None, category=None, resource=None, **tenant):
        self.api = api
        self.tenant = harness.make_tenant(api, settings, **tenant)
        self.id = self.tenant["id"]
        self.zone = zoneinfo.ZoneInfo(self.tenant["settings"]["timezone"])
        self.user = harness.make_user(api, self.tenant)
        self.category = harness.make_category(api, self.tenant, **(category or {}))
        self.resource = self.another_resource(**(resource or {}))

    def another_resource(self, **fields):
        return harness.make_resource(self.api, self.tenant, self.category, **fields)

    def wanted(self, start, end, **fields):
        """The body of a POST /bookings/; a field given as ... is left out."""
        body = {
            "tenant_id": self.id,
            "resource_id": self.resource["id"],
            "user_id": self.user["id"],
            "start_time": start,
            "end_time": end,
            **fields,
        }
        return {name: value for name, value in body.items() if value is not ...}

    def ask(self, start, end, **fields):
        return self.api.post("/bookings/", self.wanted(start, end, **fields))

    def book(self, start, end, **fields):
        reply = self.ask(start, end, **fields)
        assert reply.status == 201, reply
        return reply.json

    def listed(self, **query):
        reply = self.api.get("/bookings/", tenant_id=self.id, **query)
        assert reply.status == 200, reply
        return [booking["id"] for booking in reply.json]


def multiple(capacity):
    """A business whose resource takes so many bookings at once: Business(api, **multiple(3))."""
    return {"category": {"category_metadata": {"allows_multiple_bookings": True}}, "resource": {"capacity": capacity}}


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def zulu(moment):
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def wall(moment, zone):
    """What the clock on the wall shows then: local time without offset."""
    return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S")


def grid_of(zone, date, minutes):
    """The instants of a whole local day, stepped in elapsed time from its first one, as [(start, end)] in UTC."""
    midnight = datetime.time()
    at = datetime.datetime.combine(date, midnight, zone).astimezone(UTC)
    last = datetime.datetime.combine(date + datetime.timedelta(days=1), midnight, zone).astimezone(UTC)
    step = datetime.timedelta(minutes=minutes)
    slots = []
    while at + step <= last:
        slots.append((at, at + step))
        at += step
    return slots
