"""GET /resources/{id}/availability: the contract's sections 4 and 6, on both stores; and that what is kept is never stale."""
import datetime
import time
import zoneinfo

import pytest

import checks
import harness

FRIDAY = "2025-12-05"
BAD_DATE = "Data inválida. Use o formato YYYY-MM-DD."
UNAVAILABLE = "Recurso indisponível para reservas."
PAST = "Data deve ser igual ou posterior a hoje."
TOO_FAR = "Consultas de disponibilidade limitadas a 30 dias de antecedência."


class Place:
    """A tenant with one resource, and who books it."""

    def __init__(self, api, settings=None, metadata=None, **fields):
        self.api = api
        self.tenant = harness.make_tenant(api, settings=settings)
        self.category = harness.make_category(api, self.tenant, category_metadata=metadata)
        self.resource = harness.make_resource(api, self.tenant, self.category, **fields)
        self.user = harness.make_user(api, self.tenant)
        self.path = f"/resources/{self.resource['id']}/availability"

    def day(self, date=FRIDAY):
        reply = self.api.get(self.path, data=date)
        assert reply.status == 200, reply
        return reply.json

    def slots(self, date=FRIDAY):
        """["06:00", ...]: the starts on the tenant's wall, after a look at everything else."""
        return [slot["start_time"][11:16] for slot in self.day(date)["slots"]]

    def book(self, start, end):
        return harness.make_booking(self.api, self.resource, self.user, start, end)

    def change(self, **fields):
        reply = self.api.put(f"/resources/{self.resource['id']}", fields)
        assert reply.status == 200, reply

    def change_settings(self, **fields):
        reply = self.api.put(f"/tenants/{self.tenant['id']}/settings", fields)
        assert reply.status == 200, reply


@pytest.fixture
def place(api):
    return Place(api)


def hours(first, end):
    return [f"{hour:02}:00" for hour in range(first, end)]


# --- What it looks like -----------------------------------------------------------------


def test_the_example(place):
    """The seed's tenant: 06:00 to 22:00 in Sao Paulo, by the hour, with the lesson of 14:00Z booked."""
    place.book("2025-12-05T14:00:00Z", "2025-12-05T15:00:00Z")
    day = place.day()
    assert list(day) == ["resource_id", "tenant_id", "date", "timezone", "slots"]
    assert day["resource_id"] == place.resource["id"] and day["tenant_id"] == place.tenant["id"]
    assert day["date"] == FRIDAY and day["timezone"] == "America/Sao_Paulo"
    assert day["slots"][0] == {"start_time": "2025-12-05T06:00:00-03:00", "end_time": "2025-12-05T07:00:00-03:00"}
    assert place.slots() == [hour for hour in hours(6, 22) if hour != "11:00"]


def test_data_or_date(place):
    assert place.api.get(place.path, date=FRIDAY).body == place.api.get(place.path, data=FRIDAY).body
    assert place.api.get(place.path + "/", date=FRIDAY).status == 200


@pytest.mark.parametrize("date", [None, "", "amanhã", "05/12/2025", "2025-02-29", "2025-12-5", "2025-12-05T00:00", "20251205"])
def test_no_date(place, date):
    checks.told(place.api.get(place.path, data=date), 400, BAD_DATE)


def test_who_comes_first(api, place):
    """Existence, then the date's form, then the resource's status, then the date's bounds."""
    checks.is_absent(api.get(f"/resources/{checks.some_id()}/availability", data="x"), "Recurso não encontrado")
    assert checks.issues(api.get("/resources/1/availability", data="x")) == {"path.id": "uuid_parsing"}
    place.change(status="manutencao")
    checks.told(api.get(place.path, data="x"), 400, BAD_DATE)
    checks.told(api.get(place.path, data="2020-01-01"), 400, UNAVAILABLE)
    place.change(status="indisponivel")
    checks.told(api.get(place.path, data=FRIDAY), 400, UNAVAILABLE)
    api.delete(f"/resources/{place.resource['id']}")
    checks.is_absent(api.get(place.path, data=FRIDAY), "Recurso não encontrado")


def test_bounds(place):
    """It is 09:00 of 2025-12-01 in Sao Paulo."""
    checks.told(place.api.get(place.path, data="2025-11-30"), 400, PAST)
    assert place.slots("2025-12-01") == hours(10, 22), "09:00 has begun"
    assert place.slots("2025-12-31") == hours(6, 22)
    checks.told(place.api.get(place.path, data="2026-01-01"), 400, TOO_FAR)
    reply = place.api.get(place.path, {"Accept-Language": "en"}, data="2026-01-01")
    assert reply.json["message"] == "Availability is shown at most 30 days ahead."


def test_today_is_the_tenants(store):
    """At 01:30Z it is still yesterday in Sao Paulo, and already tomorrow in Auckland."""
    with harness.Marca(store, clock="2025-12-02T01:30:00Z") as marca:
        api = marca.api()
        place = Place(api)
        assert place.slots("2025-12-01") == [], "22:30: closed, but not over"
        east = Place(api, {"timezone": "Pacific/Auckland", "advance_booking_days": 0})
        assert east.slots("2025-12-02") == hours(15, 22)
        checks.told(api.get(east.path, data="2025-12-01"), 400, PAST)


# --- Whom and what it lets in -------------------------------------------------------------


def test_every_slot_offered_can_be_booked(api):
    place = Place(api, {"booking_interval": 45, "working_hours_start": "06:10", "working_hours_end": "12:00"},
                  availability_schedule={"friday": ["06:00-08:30", "09:00-11:59"]})
    slots = place.day()["slots"]
    assert [slot["start_time"][11:16] for slot in slots] == ["06:10", "06:55", "07:40", "09:10", "09:55", "10:40"]
    for slot in slots:
        place.book(slot["start_time"], slot["end_time"])
    assert place.slots() == []


def test_what_is_not_offered_cannot_be_booked(api):
    place = Place(api, availability_schedule={"friday": ["08:00-12:00"]})
    place.book(f"{FRIDAY}T09:00", f"{FRIDAY}T10:00")
    offered = place.slots()
    assert offered == ["08:00", "10:00", "11:00"]
    for hour in range(24):
        start = f"{hour:02}:00"
        end = f"{FRIDAY}T{hour + 1:02}:00" if hour < 23 else "2025-12-06T00:00"
        body = {"tenant_id": place.tenant["id"], "resource_id": place.resource["id"], "user_id": place.user["id"],
                "start_time": f"{FRIDAY}T{start}", "end_time": end}
        assert (api.post("/bookings/", body).status == 201) == (start in offered), start


def test_bookings_that_reach_in(place):
    place.book(f"{FRIDAY}T06:00", f"{FRIDAY}T08:00")
    place.book(f"{FRIDAY}T21:00", f"{FRIDAY}T22:00")
    assert place.slots() == hours(8, 21)


def test_another_resources_bookings_do_not_count(place):
    other = harness.make_resource(place.api, place.tenant, place.category)
    harness.make_booking(place.api, other, place.user, f"{FRIDAY}T09:00", f"{FRIDAY}T10:00")
    assert place.slots() == hours(6, 22)


def test_capacity(api):
    place = Place(api, metadata={"allows_multiple_bookings": True}, capacity=2)
    place.book(f"{FRIDAY}T09:00", f"{FRIDAY}T10:00")
    assert place.slots() == hours(6, 22)
    place.book(f"{FRIDAY}T09:00", f"{FRIDAY}T10:00")
    assert "09:00" not in place.slots()
    place.change(capacity=3)
    assert "09:00" in place.slots()
    place.change(capacity=None)
    assert "09:00" not in place.slots()


def test_capacity_of_people_is_not_of_bookings(api):
    place = Place(api, capacity=20)
    place.book(f"{FRIDAY}T09:00", f"{FRIDAY}T10:00")
    assert "09:00" not in place.slots()


def test_an_inactive_tenant_offers_nothing(place):
    assert place.slots()
    place.api.put(f"/tenants/{place.tenant['id']}", {"is_active": False})
    assert place.day()["slots"] == []
    checks.told(place.api.get(place.path, data="2025-11-30"), 400, PAST)
    place.api.put(f"/tenants/{place.tenant['id']}", {"is_active": True})
    assert place.slots() == hours(6, 22)


def test_a_deleted_tenant(place):
    assert place.slots()
    place.api.delete(f"/tenants/{place.tenant['id']}")
    assert place.api.get(place.path, data=FRIDAY).status == 404


# --- Schedules --------------------------------------------------------------------------


@pytest.mark.parametrize("schedule", [
    {"friday": ["08:00-12:00", "13:00-18:00"]},
    {"FRIDAY": [{"start": "13:00", "end": "18:00"}, {"start": "08:00", "end": "12:00"}]},
    {"schedule": [{"day_of_week": 4, "start_time": "08:00:00", "end_time": "12:00"},
                  {"day_of_week": 4, "start_time": "13:00", "end_time": "18:00:00"}]},
    {"friday": ["08:00-10:00", "10:00-12:00", {"start": "13:00", "end": "17:00"}, "14:00-18:00"], "sunday": []},
])
def test_three_forms_of_a_schedule(api, schedule):
    place = Place(api, availability_schedule=schedule)
    assert place.slots() == hours(8, 12) + hours(13, 18)
    for closed in ("2025-12-06", "2025-12-07", "2025-12-08"):
        assert place.slots(closed) == []


@pytest.mark.parametrize("schedule", [None, {}, {"schedule": []}])
def test_no_schedule_is_the_working_hours(api, schedule):
    place = Place(api, availability_schedule=schedule)
    assert place.slots() == place.slots("2025-12-07") == hours(6, 22)


def test_closed_every_day(api):
    place = Place(api, availability_schedule={"monday": []})
    assert all(place.slots(f"2025-12-{day:02}") == [] for day in range(2, 9))


@pytest.mark.parametrize("ranges, starts", [
    (["06:30-08:30"], ["07:00"]),          # the grid is the tenant's, whatever the schedule's own start
    (["05:00-07:00"], ["06:00"]),          # cut to the working hours
    (["21:00-24:00"], ["21:00"]),
    (["00:00-24:00"], hours(6, 22)),
    (["06:00-06:59:59"], []),
    (["08:00-08:30", "08:30-09:00"], ["08:00"]),
    (["23:00-24:00"], []),
])
def test_ranges_against_the_grid(api, ranges, starts):
    assert Place(api, availability_schedule={"friday": ranges}).slots() == starts


def test_half_a_day(api):
    place = Place(api, {"working_hours_start": "12:00", "working_hours_end": "24:00", "booking_interval": 90})
    assert place.slots() == ["12:00", "13:30", "15:00", "16:30", "18:00", "19:30", "21:00", "22:30"]
    assert place.day()["slots"][-1]["end_time"] == "2025-12-06T00:00:00-03:00"


# --- Days on which clocks change ---------------------------------------------------------


ROUND_THE_CLOCK = {"working_hours_start": "00:00", "working_hours_end": "24:00", "advance_booking_days": 365}


def instants(day):
    """The slots' bounds as instants; each an hour long, one after the other."""
    bounds = [tuple(datetime.datetime.fromisoformat(slot[name]) for name in ("start_time", "end_time"))
              for slot in day["slots"]]
    assert all(end - start == datetime.timedelta(hours=1) for start, end in bounds)
    assert all(before[1] == after[0] for before, after in zip(bounds, bounds[1:]))
    return bounds


@pytest.mark.parametrize("date, count, first_offset, last_offset", [
    ("2026-03-08", 23, -5, -4),
    ("2026-11-01", 25, -4, -5),
    ("2026-07-01", 24, -4, -4),
])
def test_days_of_23_and_25_hours(api, date, count, first_offset, last_offset):
    place = Place(api, {"timezone": "America/New_York", **ROUND_THE_CLOCK})
    bounds = instants(place.day(date))
    assert len(bounds) == count
    assert bounds[0][0].isoformat() == f"{date}T00:00:00-0{-first_offset}:00"
    assert bounds[-1][1].utcoffset() == datetime.timedelta(hours=last_offset)
    for start, _ in bounds:
        there = start.astimezone(zoneinfo.ZoneInfo("America/New_York"))
        assert there.utcoffset() == start.utcoffset() and there.isoformat() == start.isoformat()


def test_the_second_hour_of_the_fold_can_be_booked(api):
    place = Place(api, {"timezone": "America/New_York", **ROUND_THE_CLOCK})
    assert place.slots("2026-11-01").count("01:00") == 2
    place.book("2026-11-01T01:00:00-05:00", "2026-11-01T02:00:00-05:00")
    slots = place.day("2026-11-01")["slots"]
    assert "2026-11-01T01:00:00-04:00" in {slot["start_time"] for slot in slots}
    assert "2026-11-01T01:00:00-05:00" not in {slot["start_time"] for slot in slots}


# --- What is kept is never stale -----------------------------------------------------------


def test_kept_answers_are_the_same_bytes(place):
    first = place.api.get(place.path, data=FRIDAY)
    again = place.api.get(place.path, data=FRIDAY)
    assert again.body == first.body and again.headers["Content-Type"] == first.headers["Content-Type"]
    assert again.headers["X-Request-ID"] != first.headers["X-Request-ID"]
    other = Place(place.api)
    assert other.day()["resource_id"] == other.resource["id"]
    assert place.day("2025-12-06")["date"] == "2025-12-06" and place.day()["date"] == FRIDAY


def test_a_booking_made_changed_and_cancelled(place):
    everything = hours(6, 22)
    assert place.slots() == everything
    booking = place.book(f"{FRIDAY}T09:00", f"{FRIDAY}T10:00")
    assert place.slots() == [hour for hour in everything if hour != "09:00"]
    path = f"/bookings/{booking['id']}"
    moved = place.api.put(path, {"start_time": f"{FRIDAY}T12:00", "end_time": f"{FRIDAY}T14:00"})
    assert moved.status == 200, moved
    assert place.slots() == [hour for hour in everything if hour not in ("12:00", "13:00")]
    assert place.api.patch(f"{path}/status", {"status": "confirmado"}).status == 200
    assert "12:00" not in place.slots()
    assert place.api.patch(f"{path}/cancel").status == 200
    assert place.slots() == everything


def test_a_booking_moved_to_another_resource(place):
    other = harness.make_resource(place.api, place.tenant, place.category)
    path = f"/resources/{other['id']}/availability"
    booking = place.book(f"{FRIDAY}T09:00", f"{FRIDAY}T10:00")
    assert len(place.slots()) == 15 and len(place.api.get(path, data=FRIDAY).json["slots"]) == 16
    assert place.api.put(f"/bookings/{booking['id']}", {"resource_id": other["id"]}).status == 200
    assert len(place.slots()) == 16 and len(place.api.get(path, data=FRIDAY).json["slots"]) == 15


def test_settings_changed(place):
    assert place.slots() == hours(6, 22)
    place.change_settings(working_hours_start="08:00", booking_interval=120)
    assert place.slots() == [f"{hour:02}:00" for hour in range(8, 22, 2)]
    place.change_settings(timezone="UTC")
    assert place.day()["timezone"] == "UTC" and place.day()["slots"][0]["start_time"] == f"{FRIDAY}T08:00:00+00:00"
    place.change_settings(advance_booking_days=3)
    assert place.api.get(place.path, data=FRIDAY).status == 400


def test_resource_and_category_changed(place):
    assert place.slots() == hours(6, 22)
    place.change(availability_schedule={"friday": ["08:00-10:00"]})
    assert place.slots() == ["08:00", "09:00"]
    place.change(availability_schedule=None, capacity=2)
    assert place.slots() == hours(6, 22)
    place.book(f"{FRIDAY}T09:00", f"{FRIDAY}T10:00")
    assert "09:00" not in place.slots()
    place.api.put(f"/categories/{place.category['id']}", {"category_metadata": {"allows_multiple_bookings": True}})
    assert "09:00" in place.slots()
    place.change(status="manutencao")
    checks.told(place.api.get(place.path, data=FRIDAY), 400, UNAVAILABLE)
    place.change(status="disponivel")
    assert "09:00" in place.slots()


def test_moved_into_another_category(place):
    place.change(capacity=2)
    place.book(f"{FRIDAY}T09:00", f"{FRIDAY}T10:00")
    assert "09:00" not in place.slots()
    shared = harness.make_category(place.api, place.tenant, category_metadata={"allows_multiple_bookings": True})
    place.change(category_id=shared["id"])
    assert "09:00" in place.slots()


def test_time_moves(store):
    """A slot that begins is gone at that instant, and a day that ends is over."""
    midnight = datetime.datetime(2025, 12, 6)
    with harness.Marca(store, clock="2025-12-05T12:00:00Z") as marca:
        place = Place(marca.api(), {"timezone": "UTC", **ROUND_THE_CLOCK})
        elsewhere = harness.make_tenant(place.api)  # so that only time moves here

        def server_time():
            return harness.make_category(place.api, elsewhere)["created_at"]

        for seconds in (3, 10, 60, 300):  # a busy machine takes longer to start than the clock to get there
            marca.stop()
            marca.env["MARCA_CLOCK"] = (midnight - datetime.timedelta(seconds=seconds)).isoformat() + "Z"
            marca.start()
            place.api = marca.api()
            last = place.api.get(place.path, data=FRIDAY)
            if server_time() < "2025-12-06T00:00:00":
                break
        assert (last.status, last.json["slots"]) == (200, [])
        while True:
            before = server_time()
            first = place.slots("2025-12-06")[0]
            if first != "00:00":
                break
            assert before < "2025-12-06T00:00:00"
            time.sleep(0.01)
        assert server_time() >= "2025-12-06T00:00:00" and first == "01:00"
        checks.told(place.api.get(place.path, data=FRIDAY), 400, PAST)


def test_every_thread_sees_a_booking_at_once(store):
    with harness.Marca(store, env={"MARCA_THREADS": "4"}) as marca:
        place = Place(marca.api())
        apis = [marca.api() for _ in range(16)]
        for hour in range(6, 16):
            for api in apis:
                api.get(place.path, data=FRIDAY)
            place.book(f"{FRIDAY}T{hour:02}:00", f"{FRIDAY}T{hour + 1:02}:00")
            for api in apis:
                assert len(api.get(place.path, data=FRIDAY).json["slots"]) == 16 - (hour - 5)


def test_readers_never_see_less_than_was_told(marca, place):
    """While one books, others read: whoever asks after an answer sees what it said."""
    booked = []

    def ask(api, number):
        if number > 0:
            for _ in range(60):
                before = set(booked)
                seen = {slot["start_time"] for slot in api.get(place.path, data=FRIDAY).json["slots"]}
                assert not before & seen
            return
        for hour in range(6, 22):
            start = f"{FRIDAY}T{hour:02}:00:00-03:00"
            harness.make_booking(api, place.resource, place.user, start, f"{FRIDAY}T{hour + 1:02}:00:00-03:00")
            booked.append(start)

    checks.race(marca, 6, ask)
    assert place.slots() == []


def test_a_day_too_long_to_keep(api):
    place = Place(api, {"working_hours_start": "00:00", "working_hours_end": "24:00", "booking_interval": 5})
    assert len(place.slots()) == 288
    place.book(f"{FRIDAY}T09:00", f"{FRIDAY}T10:00")
    assert len(place.slots()) == 276
