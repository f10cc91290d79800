"""A neighbour that is dead, or does not answer: what was last known of settings, else 503; never a guess, never "all
free"; and all is well again once it is back."""
import contextlib
import signal

import pytest

import checks
import harness

DAY = "2025-12-05"
SHORT = {"CACHE_TTL_SECONDS": "1"}


@pytest.fixture(scope="module")
def fleet():
    harness.need_store("fleet")
    with harness.Marca("fleet", env=SHORT) as fleet:
        yield fleet


class Place:
    """A tenant with a resource and a user."""

    def __init__(self, fleet):
        self.api = fleet.api()
        self.tenant = harness.make_tenant(self.api)
        self.resource = harness.make_resource(self.api, self.tenant, harness.make_category(self.api, self.tenant))
        self.user = harness.make_user(self.api, self.tenant)
        self.hours = ((day, hour) for day in range(5, 31) for hour in range(12, 23))

    def book(self):
        day, hour = next(self.hours)
        return self.api.post("/bookings/", {
            "tenant_id": self.tenant["id"], "resource_id": self.resource["id"], "user_id": self.user["id"],
            "start_time": f"2025-12-{day:02}T{hour}:00:00Z", "end_time": f"2025-12-{day:02}T{hour + 1}:00:00Z"})

    def free(self):
        return self.api.get(f"/resources/{self.resource['id']}/availability", date=DAY)


@pytest.fixture
def place(fleet):
    place = Place(fleet)
    assert place.book().status == 201 and place.free().status == 200
    return place


@contextlib.contextmanager
def without(fleet, name):
    """That process killed; started again at the end, when the others must find it within some seconds."""
    member = fleet.members[name]
    member.kill()
    try:
        yield
    finally:
        member.start()
        member.await_ready(harness.time.monotonic() + 2 * harness.START_SECONDS)


def unavailable(reply, code):
    assert reply.status == 503 and reply.json["error"] == code, reply
    assert int(reply.headers["Retry-After"]) >= 1
    return reply


def until_unavailable(ask, code):
    """Once what is kept has ended."""
    harness.until(f"503 {code}", lambda: ask().status == 503)
    unavailable(ask(), code)


def back(ask):
    harness.until("it answers again", lambda: ask().status < 300)


def test_settings_are_served_as_last_known(fleet, place):
    other = Place(fleet)  # which the booking service has never asked for
    with without(fleet, "tenant"):
        for _ in range(3):  # longer than anything is kept
            assert place.book().status == 201 and place.free().status == 200
            harness.time.sleep(0.6)
        unavailable(other.book(), "settings_unavailable")
    back(other.book)


def test_without_bookings_nothing_is_called_free(fleet, place):
    with without(fleet, "booking"):
        for _ in range(8):  # with the circuit closed, and open
            unavailable(place.free(), "bookings_unavailable")
        # What needs no bookings goes on.
        assert place.api.get(f"/resources/{place.resource['id']}").status == 200
    back(place.free)


def test_without_resources_nothing_is_booked(fleet, place):
    with without(fleet, "resource"):
        until_unavailable(place.book, "store_unavailable")
        assert place.api.get("/bookings/", tenant_id=place.tenant["id"]).status == 200
    back(place.book)


def test_without_users_nobody_is_turned_away(fleet, place):
    """A token that cannot be looked at is no bad token: 503, and not 401."""
    _, person = harness.make_person(place.api, place.tenant, user_type="admin")
    assert person.get("/bookings/").status == 200
    with without(fleet, "user"):
        until_unavailable(lambda: person.get("/bookings/"), "store_unavailable")
    back(lambda: person.get("/bookings/"))


def test_one_that_hangs_holds_nobody_up_for_long(fleet, place):
    """It takes connections and does not answer: every question ends, and after some nobody waits any more."""
    member = fleet.members["booking"]
    told = lambda: checks.metric(harness.Api(fleet.members["resource"].address), "marca_neighbour_circuit_open", service="booking")
    member.process.send_signal(signal.SIGSTOP)
    try:
        until_unavailable(place.free, "bookings_unavailable")
        harness.until("the circuit is open", lambda: place.free().status == 503 and told() == 1)
    finally:
        member.process.send_signal(signal.SIGCONT)
    back(place.free)
    assert told() == 0


def test_all_are_ready_again(fleet):
    for member in fleet.members.values():
        harness.until(f"{member.name} is ready", lambda: harness.is_ready(member.address))
