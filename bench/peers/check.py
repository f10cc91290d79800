"""What a server must do before it is measured beside another: short, and the same for marca and its peers."""
import http.client
import json
import time
import uuid

from references import load
from filling import as_superuser
from scene import DAY_ONE, DAYS, HOUR, Get, harness, opening

# An hour of a day that Parties.free_hours() leaves out: a conflict would be told before the grid.
NOBODYS = opening(DAYS - 1)
RACES, RACERS = 3, 10


class Wrong(Exception):
    """What a server did."""


class Checker:
    """Of one server. `stream`: where in Redis its events come."""

    def __init__(self, scene, redis, address, stream):
        self.scene, self.redis, self.address, self.stream = scene, redis, address, stream
        self.tenant, self.resource, self.user, self.start = next(scene.free_hours(1))
        self.tokens = scene.parties.tokens
        users = next(row[2] for row in scene.parties.resources if row[1] == self.resource)
        self.colleague = next(user for user in users if user != self.user)
        self.stranger = next(row for row in scene.parties.resources if row[0] != self.tenant)

    def ask(self, method, path, user, body=None, token=None):
        """(status, JSON)"""
        connection = http.client.HTTPConnection(self.address, timeout=10)
        token = self.tokens[user] if token is None else token
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            reply = connection.getresponse()
            return reply.status, json.loads(reply.read())
        finally:
            connection.close()

    def expect(self, what, got, wanted):
        if got != wanted:
            raise Wrong(f"{what}: {got}, not {wanted}")

    def body(self, start=None, hours=1, **fields):
        start = start or self.start
        return {
            "tenant_id": str(self.tenant), "resource_id": str(self.resource), "user_id": str(self.user),
            "start_time": f"{start:%Y-%m-%dT%H:%M:%SZ}", "end_time": f"{start + hours * HOUR:%Y-%m-%dT%H:%M:%SZ}", **fields,
        }

    def book(self, what, status, error=None, token=None, **fields):
        got, reply = self.ask("POST", "/bookings/", self.user, self.body(**fields), token)
        self.expect(what, (got, reply.get("error")), (status, error))
        return reply

    # --- What is checked -------------------------------------------------------------

    def tokens_are_verified(self):
        good = self.tokens[self.user]
        head, payload, signature = good.split(".")
        other = self.tokens[self.stranger[2][0]].split(".")
        path = f"/resources/{self.resource}/availability?data={DAY_ONE}"
        for what, token in {
            "no token": "", "no JWT": "x.y.z", "another's signature": f"{head}.{payload}.{other[2]}",
            "another's claims": f"{head}.{other[1]}.{signature}", "no signature": f"{head}.{payload}.",
        }.items():
            status, reply = self.ask("GET", path, None, token=token)
            self.expect(f"a day, {what}", (status, reply["error"]), (401, "unauthorized"))
            self.book(f"a booking, {what}", 401, "unauthorized", token=token)

    def availability_is(self, answers):
        for get, wanted in answers:
            status, reply = self.ask("GET", get.path, None, token=get.token)
            self.expect(get.path, (status, reply), (200, wanted))

    def strangers_see_nothing(self):
        path = f"/availability?data={DAY_ONE}"
        for what, resource in {"another tenant's": self.stranger[1], "no": uuid.uuid4()}.items():
            status, reply = self.ask("GET", f"/resources/{resource}{path}", self.user)
            self.expect(f"a day of {what} resource", (status, reply["error"]), (404, "resource_not_found"))
            self.book(f"a booking of {what} resource", 404, "resource_not_found", resource_id=str(resource))
        self.book("a booking in another tenant", 404, "tenant_not_found", tenant_id=str(self.stranger[0]))
        self.book("a booking for another user", 403, "forbidden", user_id=str(self.colleague))

    def bodies_are_validated(self):
        for field, value in {"resource_id": "x", "start_time": "tomorrow", "notes": 7, "user_id": None}.items():
            self.book(f"{field}: {value!r}", 422, "validation_error", **{field: value})

    def rules_hold(self):
        for error, fields in {
            "in_the_past": {"start": self.start - DAYS * 2 * 24 * HOUR},
            "too_far_ahead": {"start": self.start + DAYS * 24 * HOUR},
            "end_before_start": {"hours": -1},
            "invalid_duration": {"hours": 1.5},
            "outside_working_hours": {"hours": 18},
            "off_grid": {"start": NOBODYS + HOUR / 2},
        }.items():
            self.book(error, 400, error, **fields)

    def bookings_are_made_once(self):
        got = self.book("a free hour", 201, notes="ç")
        wanted = self.body(notes="ç", client_id=None, status="pendente", recurring_enabled=False, recurring_pattern=None,
                           cancellation_reason=None, cancelled_at=None, cancelled_by=None, can_cancel=True)
        made = {"id", "confirmation_code", "created_at", "updated_at"}
        self.expect("a booking's fields", set(got), set(wanted) | made)
        self.expect("a booking", {name: got[name] for name in wanted}, wanted)
        again = self.book("an hour that is taken", 409, "conflict")
        taken = [{"booking_id": got["id"], "start_time": got["start_time"], "end_time": got["end_time"]}]
        self.expect("conflicts", again["conflicts"], taken)
        self.event_is_sent(got)

    def event_is_sent(self, booking):
        def sql(text):
            return harness.PostgresDatabase.sql(as_superuser(self.scene.marca.database.url), text).strip()

        which = f"FROM booking_outbox WHERE subject_id = '{booking['id']}'"
        self.expect("its event", sql(f"SELECT stream, type, version {which}"), "booking-events|booking.created|1")
        names = ("user_id", "resource_id", "status", "start_time", "end_time")
        payload = {"booking_id": booking["id"], **{name: booking[name] for name in names}}
        self.expect("its payload", json.loads(sql(f"SELECT payload {which}")), payload)
        end = time.monotonic() + 10
        while sql(f"SELECT sequence IS NOT NULL {which}") != "t" or not self.is_in_stream(payload):
            if time.monotonic() > end:
                raise Wrong("the event has not come to Redis")
            time.sleep(0.05)

    def is_in_stream(self, payload):
        with self.redis.client() as client:
            return any(json.loads(entry["payload"]) == payload for _, entry in client.xrevrange(self.stream, count=100))

    def races_have_one_winner(self):
        done = load(self.address, self.scene.requests(RACES), connections=RACERS, race=True)
        self.expect("a race", (done["one_winner"], done["statuses"]), (RACES, {"201": RACES, "409": RACES * (RACERS - 1)}))


def answers_of(scene):
    """(Get, JSON) of days that the running marca has; the check makes no bookings on them."""
    tenant, resource, users = scene.parties.resources[0]
    gets = [*scene.days()[:20], Get(f"/resources/{resource}/availability?data={DAY_ONE - 24 * HOUR}",
                                    scene.parties.tokens[users[0]])]
    return [(get, scene.get(get).json) for get in gets]


def check(scene, redis, address, stream, answers):
    """Raises Wrong."""
    checker = Checker(scene, redis, address, stream)
    checker.tokens_are_verified()
    checker.availability_is(answers)
    checker.strangers_see_nothing()
    checker.bodies_are_validated()
    checker.rules_hold()
    checker.bookings_are_made_once()
    checker.races_have_one_winner()
