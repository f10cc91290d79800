"""What may be booked, and when: the contract's section 6, rule by rule and in its order, on both stores.

CLOCK is Monday, 1 December 2025, 09:00 in Sao Paulo (UTC-3, no summer time).
"""
import datetime
import zoneinfo

import pytest

import checks
import harness
from business import ALL_DAY, ANY_TIME, UTC, Business, grid_of, instant, multiple, wall, zulu

NO_TENANT = (404, "Tenant não encontrado")
NO_RESOURCE = (404, "Recurso não encontrado")
NO_USER = (404, "Usuário não encontrado")
RESOURCE_NOT_THEIRS = (400, "Recurso não pertence ao Tenant informado")
USER_NOT_THEIRS = (400, "Usuário não pertence ao Tenant informado")
UNAVAILABLE = (400, "Recurso indisponível para reservas.")
BACKWARDS = (400, "Horário final deve ser maior que o inicial.")
PAST = (400, "Agendamentos devem ser criados para horários futuros.")
TOO_FAR = (400, "Agendamentos só podem ser feitos com até 30 dias de antecedência.")
DURATION = (400, "Duração deve ser múltiplo de 60 minutos.")
HOURS = (400, "Horário fora do expediente configurado.")
WEEKDAY = (400, "Recurso indisponível neste dia da semana.")
SCHEDULE = (400, "Horário não permitido na disponibilidade do recurso.")
CONFLICT = (409, "Recurso já possui reserva neste intervalo")
GRID = (400, "Horário inicial deve respeitar intervalos de 60 minutos.")
NO_SUCH_TIME = "Horário local inexistente: o relógio é adiantado nesse momento"

WORKDAYS = {day: ["08:00-12:00", "13:00-18:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}


@pytest.fixture
def business(api):
    return Business(api)


# --- The order ------------------------------------------------------------------------


@pytest.fixture
def strict(api):
    """Open on workdays with a pause, in which there is a booking from before; one more at 10:00 on Friday."""
    business = Business(api)
    business.in_pause = business.book("2025-12-05T12:00", "2025-12-05T13:00")
    business.at_ten = business.book("2025-12-05T10:00", "2025-12-05T11:00")
    reply = api.put(f"/resources/{business.resource['id']}", {"availability_schedule": WORKDAYS})
    assert reply.status == 200
    return business


# Each period breaks the rule it is here for and as many of the later ones as can be.
@pytest.mark.parametrize("start, end, answer", [
    ("2025-11-30T03:07", "2025-11-30T03:07", BACKWARDS),
    ("2025-12-06T03:07", "2025-12-06T03:06", BACKWARDS),
    ("2025-11-30T03:07", "2025-11-30T03:14", PAST),
    ("2025-12-01T08:59:59", "2025-12-01T09:06", PAST),
    ("2026-01-03T03:07", "2026-01-03T03:14", TOO_FAR),
    ("2025-12-06T03:07", "2025-12-06T03:14", DURATION),
    ("2025-12-06T05:07", "2025-12-06T06:07", HOURS),
    ("2025-12-06T21:30", "2025-12-06T22:30", HOURS),
    ("2025-12-06T10:07", "2025-12-06T11:07", WEEKDAY),
    ("2025-12-05T12:07", "2025-12-05T13:07", SCHEDULE),
    ("2025-12-05T10:07", "2025-12-05T11:07", CONFLICT),
    ("2025-12-05T10:00", "2025-12-05T11:00", CONFLICT),
    ("2025-12-05T14:07", "2025-12-05T15:07", GRID),
])
def test_first_of_several(strict, start, end, answer):
    checks.told(strict.ask(start, end), *answer)


def test_who_and_what_come_first(api, strict):
    other = Business(api)
    broken = ("2025-11-30T03:07", "2025-11-30T03:07")
    nobody = checks.some_id()

    def told(answer, **ids):
        checks.told(strict.ask(*broken, **ids), *answer)

    told(NO_TENANT, tenant_id=nobody, resource_id=nobody, user_id=nobody)
    told(NO_RESOURCE, resource_id=nobody, user_id=nobody)
    told(NO_USER, resource_id=other.resource["id"], user_id=nobody)
    told(RESOURCE_NOT_THEIRS, resource_id=other.resource["id"], user_id=other.user["id"])
    told(USER_NOT_THEIRS, user_id=other.user["id"])
    told(RESOURCE_NOT_THEIRS, tenant_id=other.id, user_id=other.user["id"])
    api.put(f"/resources/{strict.resource['id']}", {"status": "manutencao"})
    told(USER_NOT_THEIRS, user_id=other.user["id"])
    told(UNAVAILABLE)


def test_fields_come_before_all(strict):
    nobody = checks.some_id()
    reply = strict.ask("2025-02-30T10:00", 17, tenant_id=nobody, resource_id="x", user_id=nobody, notes="n" * 2001)
    assert checks.issues(reply) == {
        "body.resource_id": "uuid_parsing", "body.start_time": "datetime_parsing", "body.end_time": "string_type",
        "body.notes": "string_too_long"}


@pytest.mark.parametrize("language", ["pt-BR", "en"])
def test_the_numbers_are_the_tenants(api, language):
    business = Business(api, {"booking_interval": 45, "advance_booking_days": 3, "cancellation_hours": 7})
    business.api.headers["Accept-Language"] = language
    told = [
        business.ask("2025-12-05T06:00", "2025-12-05T06:45").json["message"],
        business.ask("2025-12-04T06:00", "2025-12-04T07:00").json["message"],
        business.ask("2025-12-04T06:30", "2025-12-04T07:15").json["message"],
    ]
    if language == "en":
        assert [next(word for word in text.split() if word.isdigit()) for text in told] == ["3", "45", "45"]
    else:
        assert told == [
            "Agendamentos só podem ser feitos com até 3 dias de antecedência.",
            "Duração deve ser múltiplo de 45 minutos.",
            "Horário inicial deve respeitar intervalos de 45 minutos.",
        ]


@pytest.mark.parametrize("status", ["manutencao", "indisponivel"])
def test_resource_that_takes_none(api, status):
    business = Business(api, resource={"status": status})
    checks.told(business.ask("2025-12-05T10:00", "2025-12-05T11:00"), *UNAVAILABLE)
    api.put(f"/resources/{business.resource['id']}", {"status": "disponivel"})
    business.book("2025-12-05T10:00", "2025-12-05T11:00")


def test_inactive_tenant(api, business):
    api.put(f"/tenants/{business.id}", {"is_active": False})
    reply = business.ask("2025-12-05T10:00", "2025-12-05T11:00")
    assert reply.status == 400 and reply.json["error"] == "tenant_inactive"
    api.put(f"/tenants/{business.id}", {"is_active": True})
    business.book("2025-12-05T10:00", "2025-12-05T11:00")


@pytest.mark.parametrize("room, answer", [("users", NO_USER), ("resources", NO_RESOURCE), ("tenants", NO_TENANT)])
def test_deleted_parties(api, business, room, answer):
    id_ = {"users": business.user["id"], "resources": business.resource["id"], "tenants": business.id}[room]
    assert api.delete(f"/{room}/{id_}").status == 204
    checks.told(business.ask("2025-12-05T10:00", "2025-12-05T11:00"), *answer)


# --- The edges of each rule -------------------------------------------------------------


def test_edges_of_the_day(business):
    business.book("2025-12-05T06:00", "2025-12-05T07:00")
    business.book("2025-12-05T21:00", "2025-12-05T22:00")
    business.book("2025-12-04T06:00", "2025-12-04T22:00")
    checks.told(business.ask("2025-12-05T05:00", "2025-12-05T06:00"), *HOURS)
    checks.told(business.ask("2025-12-05T22:00", "2025-12-05T23:00"), *HOURS)
    checks.told(business.ask("2025-12-05T21:00", "2025-12-05T23:00"), *HOURS)
    checks.told(business.ask("2025-12-05T21:00", "2025-12-06T07:00"), *HOURS)


def test_advance_counts_local_dates(business):
    """At 09:00 on 1 December: all of 31 December, though its last hours are 1 January in UTC."""
    business.book("2025-12-31T21:00", "2025-12-31T22:00")
    checks.told(business.ask("2026-01-01T06:00", "2026-01-01T07:00"), *TOO_FAR)


def test_advance_of_no_days_is_today(api):
    business = Business(api, {"advance_booking_days": 0})
    business.book("2025-12-01T21:00", "2025-12-01T22:00")
    reply = business.ask("2025-12-02T06:00", "2025-12-02T07:00")
    checks.told(reply, 400, "Agendamentos só podem ser feitos com até 0 dias de antecedência.")


def test_whole_day_until_midnight(api):
    business = Business(api, ALL_DAY)
    business.book("2025-12-05T00:00", "2025-12-06T00:00")
    business.book("2025-12-06T23:00", "2025-12-07T00:00")
    checks.told(business.ask("2025-12-07T23:00", "2025-12-08T01:00"), *HOURS)
    checks.told(business.ask("2025-12-04T23:30", "2025-12-05T00:30"), *HOURS)


def test_grid_begins_at_the_opening(api):
    business = Business(api, {"working_hours_start": "08:20", "booking_interval": 45})
    for start, end in (("08:20", "09:05"), ("09:05", "10:35"), ("21:05", "21:50")):
        business.book(f"2025-12-05T{start}", f"2025-12-05T{end}")
    for start, end in (("11:00", "11:45"), ("11:21", "12:06")):
        reply = business.ask(f"2025-12-05T{start}", f"2025-12-05T{end}")
        checks.told(reply, 400, "Horário inicial deve respeitar intervalos de 45 minutos.")


def test_fractions_of_a_second(business):
    business.book("2025-12-05T10:00:00.000000", "2025-12-05T11:00:00.000")
    checks.told(business.ask("2025-12-05T12:00:00.5", "2025-12-05T13:00:00.5"), *GRID)
    checks.told(business.ask("2025-12-05T12:00:00", "2025-12-05T13:00:00.000001"), *DURATION)


@pytest.mark.parametrize("start, end", [
    ("2025-12-05T13:00:00Z", "2025-12-05T14:00:00Z"),
    ("2025-12-05t13:00:00z", "2025-12-05 14:00z"),
    ("2025-12-05T10:00", "2025-12-05T11:00"),
    ("2025-12-05 10:00:00", "2025-12-05T11:00:00.000"),
    ("2025-12-05T10:00:00-03:00", "2025-12-05T08:00:00-0600"),
    ("2025-12-05T22:00:00+09:00", "2025-12-06T02:00+1200"),
    ("2025-12-05T18:45:00+05:45", "2025-12-05T10:00-04:00"),
])
def test_ways_to_write_a_time(business, start, end):
    booking = business.book(start, end)
    assert (booking["start_time"], booking["end_time"]) == ("2025-12-05T13:00:00Z", "2025-12-05T14:00:00Z")


@pytest.mark.parametrize("text", [
    "", "tomorrow", "2025-12-05", "10:00", "2025-12-05T10", "2025-12-05T24:00", "2025-12-05T10:60",
    "2025-12-05T10:00:60", "2025-13-05T10:00", "2025-02-29T10:00", "2025-12-05T10:00+24:00", "2025-12-05T10:00+1",
    "2025-12-05T10:00:00.", "2025-12-05T10:00:00.1234567890", "2025-12-05T10:00 Z", "0000-01-01T00:00Z",
    "20251205T100000Z", "2025-12-05T10:00[America/Sao_Paulo]", "1764943200", "٢٠٢٥-12-05T10:00", "-2025-12-05T10:00",
    "9999-12-31T23:59:59-23:59" + "9" * 1000,
])
def test_no_time(business, text):
    assert checks.issues(business.ask(text, text)) == {
        "body.start_time": "datetime_parsing", "body.end_time": "datetime_parsing"}


def test_far_ends_of_time(business):
    """The first and last years are times, and past or too far ahead."""
    checks.told(business.ask("0001-01-01T00:00Z", "9999-12-31T23:59:59Z"), *PAST)
    assert business.ask("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999Z").status in (400, 422)
    assert business.ask("0001-01-01T00:00", "0001-01-01T01:00").status in (400, 422)


# --- Conflicts ------------------------------------------------------------------------


@pytest.mark.parametrize("start, end, hits", [
    ("09:00", "10:00", []), ("09:00", "10:30", [0]), ("10:00", "11:00", [0]), ("10:30", "11:30", [0]),
    ("09:00", "14:00", [0, 1]), ("10:15", "11:15", [0]), ("11:00", "12:00", []), ("11:30", "12:30", [1]),
    ("13:00", "14:00", []), ("06:00", "22:00", [0, 1]),
])
def test_overlaps_are_half_open(api, start, end, hits):
    business = Business(api, {"booking_interval": 30})
    taken = [business.book(f"2025-12-05T{at}:00", f"2025-12-05T{at + 1}:00") for at in (10, 12)]
    reply = business.ask(f"2025-12-05T{start}", f"2025-12-05T{end}")
    if not hits:
        assert reply.status == 201, reply
        return
    checks.told(reply, *CONFLICT)
    assert reply.json["error"] == "conflict"
    assert reply.json["conflicts"] == [
        {"booking_id": taken[i]["id"], "start_time": taken[i]["start_time"], "end_time": taken[i]["end_time"]}
        for i in hits
    ]


def test_other_resources_do_not_matter(business):
    other = business.another_resource()
    business.book("2025-12-05T10:00", "2025-12-05T11:00")
    business.book("2025-12-05T10:00", "2025-12-05T11:00", resource_id=other["id"])


def test_capacity_alone_does_not_let_two_in(api):
    business = Business(api, resource={"capacity": 20})
    business.book("2025-12-05T10:00", "2025-12-05T11:00")
    checks.told(business.ask("2025-12-05T10:00", "2025-12-05T11:00"), *CONFLICT)


def test_multiple_bookings_without_a_capacity_are_one(api):
    business = Business(api, category={"category_metadata": {"allows_multiple_bookings": True}})
    business.book("2025-12-05T10:00", "2025-12-05T11:00")
    checks.told(business.ask("2025-12-05T10:00", "2025-12-05T11:00"), *CONFLICT)


def test_capacity_counts_what_is_there_at_once(api):
    """Three bookings one after the other overlap a long one, but never more than two at any instant."""
    business = Business(api, **multiple(2))
    short = [business.book(f"2025-12-05T{at}:00", f"2025-12-05T{at + 1}:00") for at in (10, 11, 12)]
    long = business.book("2025-12-05T10:00", "2025-12-05T13:00")
    reply = business.ask("2025-12-05T12:00", "2025-12-05T14:00")
    checks.told(reply, *CONFLICT)
    assert {conflict["booking_id"] for conflict in reply.json["conflicts"]} == {short[2]["id"], long["id"]}
    business.book("2025-12-05T13:00", "2025-12-05T14:00")


def test_capacity_to_the_last_place(api):
    business = Business(api, **multiple(3))
    booked = [business.book("2025-12-05T10:00", "2025-12-05T11:00") for _ in range(3)]
    reply = business.ask("2025-12-05T10:00", "2025-12-05T11:00")
    checks.told(reply, *CONFLICT)
    assert {conflict["booking_id"] for conflict in reply.json["conflicts"]} == {booking["id"] for booking in booked}
    # Off the grid, a conflict is told first; where there is room, the grid is.
    checks.told(business.ask("2025-12-05T10:30", "2025-12-05T11:30"), *CONFLICT)
    assert api.patch(f"/bookings/{booked[0]['id']}/cancel").status == 200
    checks.told(business.ask("2025-12-05T10:30", "2025-12-05T11:30"), *GRID)
    business.book("2025-12-05T10:00", "2025-12-05T11:00")


def test_capacity_of_a_move(api):
    business = Business(api, **multiple(2))
    booked = [business.book(f"2025-12-05T{at}:00", f"2025-12-05T{at + 1}:00") for at in (10, 10, 12)]
    path = f"/bookings/{booked[2]['id']}"
    checks.told(api.put(path, {"start_time": "2025-12-05T10:00", "end_time": "2025-12-05T13:00"}), *CONFLICT)
    assert api.put(path, {"start_time": "2025-12-05T11:00"}).status == 200
    # One of the two stretches over the other: it does not count itself.
    assert api.put(f"/bookings/{booked[0]['id']}", {"end_time": "2025-12-05T13:00"}).status == 200


def test_settings_hold_at_once(marca, business):
    """What one connection has set, another meets in its next request."""
    other = marca.api()
    for minutes in (30, 20, 60, 15):
        assert other.put(f"/tenants/{business.id}/settings", {"booking_interval": minutes}).status == 200
        reply = business.ask("2025-12-05T10:00", "2025-12-05T10:07")
        checks.told(reply, 400, f"Duração deve ser múltiplo de {minutes} minutos.")


# --- The days clocks change ---------------------------------------------------------------

NEW_YORK, LONDON, LORD_HOWE = "America/New_York", "Europe/London", "Australia/Lord_Howe"

# Zone, the server's clock, a day clocks change, and how many half hours it has.
CHANGES = [
    (NEW_YORK, "2026-03-01T12:00:00Z", "2026-03-08", 46),
    (NEW_YORK, "2025-10-25T12:00:00Z", "2025-11-02", 50),
    (LONDON, "2026-03-20T12:00:00Z", "2026-03-29", 46),
    (LONDON, "2025-10-20T12:00:00Z", "2025-10-26", 50),
    (LORD_HOWE, "2025-09-25T12:00:00Z", "2025-10-05", 47),
    (LORD_HOWE, "2026-03-25T12:00:00Z", "2026-04-05", 49),
]


@pytest.fixture(scope="module", params=sorted({clock for _, clock, _, _ in CHANGES}))
def changing(request, store):
    with harness.Marca(store, clock=request.param) as marca:
        marca.clock = request.param
        yield marca


def days_of(marca):
    return [(zone, datetime.date.fromisoformat(day), count) for zone, clock, day, count in CHANGES
            if clock == marca.clock]


def test_every_slot_of_a_day_clocks_change(changing):
    """Each half hour of the day, the repeated ones too, is offered, can be booked, and then is offered no more."""
    for name, date, count in days_of(changing):
        business = Business(changing.api(), {**ALL_DAY, "timezone": name, "booking_interval": 30})
        slots = grid_of(business.zone, date, 30)
        assert len(slots) == count
        path = f"/resources/{business.resource['id']}/availability"
        offered = business.api.get(path, data=date.isoformat()).json["slots"]
        assert [(instant(slot["start_time"]), instant(slot["end_time"])) for slot in offered] == slots
        for number, (start, end) in enumerate(slots):
            if number % 2:
                business.book(zulu(start), zulu(end))
            else:
                business.book(start.astimezone(business.zone).isoformat(), end.astimezone(business.zone).isoformat())
        assert business.api.get(path, data=date.isoformat()).json["slots"] == []
        assert len(business.listed(start_date=date.isoformat(), end_date=date.isoformat())) == count


def test_local_times_of_a_day_clocks_change(changing):
    """Without offset: the first occurrence of a repeated time, none of a time that clocks skip."""
    for name, date, _ in days_of(changing):
        business = Business(changing.api(), {**ALL_DAY, "timezone": name, "booking_interval": 30})
        first = {}
        for start, _ in grid_of(business.zone, date, 30):
            first.setdefault(wall(start, business.zone), start)
        midnight = datetime.datetime.combine(date, datetime.time())
        for number in range(48):
            text = (midnight + datetime.timedelta(minutes=30 * number)).strftime("%Y-%m-%dT%H:%M:%S")
            start = first.get(text)
            end = zulu((start or datetime.datetime.fromisoformat(text + "+00:00")) + datetime.timedelta(minutes=30))
            reply = business.ask(text, end)
            if start is None:
                assert checks.issues(reply) == {"body.start_time": "value_error"}
                assert reply.json["errors"][0]["msg"] == NO_SUCH_TIME
            else:
                assert reply.status == 201 and reply.json["start_time"] == zulu(start), (text, reply)


def test_both_times_in_a_gap_are_told(store):
    with harness.Marca(store, clock="2026-03-01T12:00:00Z") as marca:
        business = Business(marca.api(), {**ALL_DAY, "timezone": NEW_YORK, "booking_interval": 30})
        gap = {"start_time": "2026-03-08T02:00", "end_time": "2026-03-08T02:30"}
        wanted = {"body.start_time": "value_error", "body.end_time": "value_error"}
        assert checks.issues(business.ask(*gap.values())) == wanted
        booking = business.book("2026-03-08T04:00", "2026-03-08T05:00")
        assert checks.issues(business.api.put(f"/bookings/{booking['id']}", gap)) == wanted
        assert business.api.get(f"/bookings/{booking['id']}").json == booking
        # An offset makes it a time again.
        assert business.ask("2026-03-08T02:00-05:00", "2026-03-08T03:30").status == 201


def test_second_hour_of_the_autumn_fold(store):
    with harness.Marca(store, clock="2025-10-25T12:00:00Z") as marca:
        business = Business(marca.api(), {**ALL_DAY, "timezone": NEW_YORK, "booking_interval": 60})
        first = business.book("2025-11-02T01:00", "2025-11-02T01:00-05:00")
        assert (first["start_time"], first["end_time"]) == ("2025-11-02T05:00:00Z", "2025-11-02T06:00:00Z")
        second = business.book("2025-11-02T01:00-05:00", "2025-11-02T02:00")
        assert (second["start_time"], second["end_time"]) == ("2025-11-02T06:00:00Z", "2025-11-02T07:00:00Z")
        assert business.book("2025-11-02T02:00", "2025-11-02T03:00")["start_time"] == "2025-11-02T07:00:00Z"
        # On the wall from 00:00 to 04:00; five hours pass.
        whole = business.another_resource()
        assert business.ask("2025-11-02T00:00", "2025-11-02T04:00", resource_id=whole["id"]).status == 201


def test_what_is_offered_is_what_can_be_booked(store):
    """A schedule with a pause, hours that cut it, a booking, today's past: over three weeks, slot by slot."""
    with harness.Marca(store, clock="2025-10-20T12:00:00Z") as marca:
        api = marca.api()
        schedule = {
            "monday": ["06:00-12:10", "13:00-18:00"], "tuesday": ["00:00-24:00"], "thursday": [],
            "sunday": ["00:30-03:00", "02:00-04:00"], "saturday": ["20:15-20:40"],
        }
        hours = {"working_hours_start": "00:30", "working_hours_end": "23:30", "booking_interval": 45}
        business = Business(api, {**hours, "timezone": LONDON, "advance_booking_days": 14},
                            resource={"availability_schedule": schedule})
        business.book("2025-10-21T12:30", "2025-10-21T14:00")
        zone, path = zoneinfo.ZoneInfo(LONDON), f"/resources/{business.resource['id']}/availability"
        for day in range(15):
            date = datetime.date(2025, 10, 20) + datetime.timedelta(days=day)
            slots = api.get(path, data=date.isoformat()).json["slots"]
            offered = {zulu(instant(slot["start_time"])) for slot in slots}
            at = datetime.datetime.combine(date, datetime.time(0, 30), zone).astimezone(UTC)
            last = datetime.datetime.combine(date, datetime.time(23, 30), zone).astimezone(UTC)
            bookable = set()
            while at < last:
                reply = business.ask(zulu(at), zulu(at + datetime.timedelta(minutes=45)))
                if reply.status == 201:
                    bookable.add(zulu(at))
                at += datetime.timedelta(minutes=45)
            assert offered == bookable, date


# --- A change is checked like a creation ------------------------------------------------------


@pytest.mark.parametrize("change, answer", [
    ({"end_time": "2025-12-05T10:00"}, BACKWARDS),
    ({"start_time": "2025-12-01T08:00"}, PAST),
    ({"start_time": "2026-01-02T10:00", "end_time": "2026-01-02T11:00"}, TOO_FAR),
    ({"end_time": "2025-12-05T11:30"}, DURATION),
    ({"start_time": "2025-12-05T05:00"}, HOURS),
    ({"start_time": "2025-12-06T10:00", "end_time": "2025-12-06T11:00"}, WEEKDAY),
    ({"end_time": "2025-12-05T12:00", "start_time": "2025-12-05T11:00"}, SCHEDULE),
    ({"start_time": "2025-12-05T13:00", "end_time": "2025-12-05T14:00"}, CONFLICT),
    ({"start_time": "2025-12-05T09:30", "end_time": "2025-12-05T10:30"}, GRID),
])
def test_moves_obey_the_rules(api, change, answer):
    business = Business(api)
    booking = business.book("2025-12-05T10:00", "2025-12-05T11:00")
    business.book("2025-12-05T13:00", "2025-12-05T14:00")
    schedule = {"friday": ["06:00-11:00", "12:00-22:00"]}
    assert api.put(f"/resources/{business.resource['id']}", {"availability_schedule": schedule}).status == 200
    path = f"/bookings/{booking['id']}"
    checks.told(api.put(path, {**change, "notes": "never kept"}), *answer)
    assert api.get(path).json == booking


def test_move_to_another_resource(api, business):
    other, theirs = business.another_resource(), Business(api)
    closed = business.another_resource(status="manutencao")
    booking = business.book("2025-12-05T10:00", "2025-12-05T11:00")
    in_the_way = business.book("2025-12-05T10:00", "2025-12-05T11:00", resource_id=other["id"])
    path = f"/bookings/{booking['id']}"

    def move(resource_id):
        return api.put(path, {"resource_id": resource_id})

    checks.told(move(checks.some_id()), *NO_RESOURCE)
    checks.told(move(theirs.resource["id"]), *RESOURCE_NOT_THEIRS)
    checks.told(move(closed["id"]), *UNAVAILABLE)
    reply = move(other["id"])
    checks.told(reply, *CONFLICT)
    assert [conflict["booking_id"] for conflict in reply.json["conflicts"]] == [in_the_way["id"]]
    assert api.patch(f"/bookings/{in_the_way['id']}/cancel").status == 200
    assert move(other["id"]).json["resource_id"] == other["id"]
    business.book("2025-12-05T10:00", "2025-12-05T11:00")


def test_a_change_of_user(api, business):
    theirs = Business(api)
    booking = business.book("2025-12-05T10:00", "2025-12-05T11:00")
    path = f"/bookings/{booking['id']}"
    checks.told(api.put(path, {"user_id": checks.some_id()}), *NO_USER)
    checks.told(api.put(path, {"user_id": theirs.user["id"]}), *USER_NOT_THEIRS)
    # Neither time nor resource change, so what they would have to satisfy now is not asked.
    api.put(f"/resources/{business.resource['id']}", {"status": "manutencao"})
    second = harness.make_user(api, business.tenant)
    reply = api.put(path, {"user_id": second["id"]})
    assert reply.status == 200 and reply.json["user_id"] == second["id"]


def test_what_does_not_move_is_not_checked(api, business):
    """The rules have changed since; the booking stays, and its notes can be changed."""
    booking = business.book("2025-12-05T10:00", "2025-12-05T11:00")
    path = f"/bookings/{booking['id']}"
    api.put(f"/tenants/{business.id}/settings", {"booking_interval": 45, "advance_booking_days": 0,
                                                 "working_hours_start": "12:00"})
    api.put(f"/resources/{business.resource['id']}", {"availability_schedule": {"monday": ["12:00-13:00"]}})
    same = {"start_time": "2025-12-05T10:00:00-03:00", "end_time": booking["end_time"],
            "resource_id": booking["resource_id"], "user_id": booking["user_id"]}
    assert api.put(path, {**same, "notes": "kept"}).json["notes"] == "kept"
    assert api.put(path, {"start_time": "2025-12-05T09:00"}).status == 400


def test_any_time_settings(api):
    """The least strict tenant: now to a year ahead."""
    business = Business(api, {**ANY_TIME, "booking_interval": 5})
    business.book("2026-12-01T23:55", "2026-12-02T00:00")
    assert business.ask("2026-12-02T00:00", "2026-12-02T00:05").status == 400
