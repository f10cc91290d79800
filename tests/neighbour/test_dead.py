"""A neighbour that is dead, or does not answer: what was last known of settings, else 503; never a guess, never "all
free"; and all is well again once it is back."""
import contextlib
import signal

import pytest

import harness
import page

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
    told = lambda: page.read(harness.Api(fleet.members["resource"].address)).get("marca_neighbour_circuit_open", service="booking")
    member.process.send_signal(signal.SIGSTOP)
    try:
        until_unavailable(place.free, "bookings_unavailable")
        harness.until("the circuit is open", lambda: place.free().status == 503 and told() == 1)
    finally:
        member.process.send_signal(signal.SIGCONT)
    back(place.free)
    assert told() == 0


@contextlib.contextmanager
def locked_out(database):
    """Nobody gets in any more, and whoever was in is out; at the end everybody may again."""
    allow = f'ALTER DATABASE "{database.name}" ALLOW_CONNECTIONS'
    database.sql(database.cluster, f"{allow} false")
    database.sql(database.cluster, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database.name}'")
    try:
        yield
    finally:
        database.sql(database.cluster, f"{allow} true")


def test_without_its_database_a_service_is_as_dead(fleet, place):
    status = {}

    def ready(name):
        with contextlib.closing(harness.Api(fleet.members[name].address)) as api:
            status[name] = api.get("/ready").status
        return status[name]

    with locked_out(fleet.databases["booking"]):
        harness.until("its own process is not ready", lambda: ready("booking") == 503)
        for _ in range(3):
            unavailable(place.free(), "bookings_unavailable")
            unavailable(place.book(), "store_unavailable")
        assert place.api.get(f"/users/{place.user['id']}").status == 200
        assert [ready(name) for name in ("tenant", "user", "resource")] == [200] * 3, "the others are"
    back(place.free)
    back(place.book)


def test_without_redis_all_goes_on(fleet, place):
    fleet.redis.kill()
    try:
        made = place.book()
        assert made.status == 201 and place.free().status == 200
        assert place.api.put(f"/tenants/{place.tenant['id']}/settings", {"booking_interval": 120}).status == 200
        harness.until("what is kept ends by itself", lambda: len(place.free().json["slots"]) <= 8)
    finally:
        fleet.redis.start()
    harness.until("its event comes later", lambda: made.json["id"] in [
        row["subject_id"] for row in place.api.get("/audit/", tenant_id=place.tenant["id"]).json])


def test_another_service_key(fleet, place):
    """One that has another key is as one that does not answer."""
    key = fleet.env["SERVICE_KEY"]
    with without(fleet, "booking"):
        fleet.env["SERVICE_KEY"] = "another key, of 32 bytes or more."
    fleet.env["SERVICE_KEY"] = key
    unavailable(place.free(), "bookings_unavailable")
    assert "another SERVICE_KEY" in fleet.members["resource"].log()
    with without(fleet, "booking"):
        pass
    back(place.free)


def test_all_are_ready_again(fleet):
    for member in fleet.members.values():
        harness.until(f"{member.name} is ready", lambda: harness.is_ready(member.address))
