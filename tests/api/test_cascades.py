"""What follows from a deletion, by its events, on both stores: api.md, section 7. Nothing of it is there at once: each test
waits for the end, and then looks at everything."""
import concurrent.futures
import datetime
import time

import pytest

import checks
import harness
import ledger
from business import ALL_DAY, Business


# A day ahead nothing can be cancelled by a client: the window is no obstacle to a cascade.
SETTINGS = {**ALL_DAY, "cancellation_hours": 168, "advance_booking_days": 365}


@pytest.fixture
def business(api):
    return Business(api, SETTINGS)


def path(row, kind="bookings"):
    return f"/{kind}/{row['id']}"


def delete(api, row, kind):
    assert api.delete(path(row, kind)).status == 204


def get(api, booking):
    reply = api.get(path(booking))
    assert reply.status == 200, reply
    return reply.json


def hours(business, day, first, end, **fields):
    return [business.book(f"2025-12-{day:02}T{hour:02}:00", f"2025-12-{day:02}T{hour + 1:02}:00", **fields)
            for hour in range(first, end)]


def all_cancelled(api, bookings, reason):
    def look():
        rows = [get(api, booking) for booking in bookings]
        return rows if all(row["status"] == "cancelado" for row in rows) else None

    for row in harness.until(f"cancelled: {reason}", look):
        assert row["cancellation_reason"] == reason and row["cancelled_by"] == "sistema"
        assert row["cancelled_at"] and row["can_cancel"] is False
        assert api.get(path(row)).headers["ETag"] == '"2"'


# --- Bookings ---------------------------------------------------------------------------------


def test_resource_deleted(marca, api, business):
    other = business.another_resource()
    booked = hours(business, 10, 8, 12)
    elsewhere = hours(business, 10, 8, 10, resource_id=other["id"])
    delete(api, business.resource, "resources")
    all_cancelled(api, booked, "Recurso deletado")
    assert [get(api, row) for row in elsewhere] == elsewhere
    events = ledger.check(marca, business.id)
    for booking in booked:
        assert [event.type for event in events[booking["id"]]] == ["booking.created", "booking.cancelled"]
        assert events[booking["id"]][1].payload == {
            "booking_id": booking["id"], "resource_id": business.resource["id"], "user_id": business.user["id"],
            "reason": "Recurso deletado", "cancelled_by": "sistema"}


def test_user_deleted(marca, api, business):
    other = harness.make_user(api, business.tenant)
    second = business.another_resource()
    booked = hours(business, 10, 8, 11) + hours(business, 10, 8, 11, resource_id=second["id"])
    staying = hours(business, 10, 12, 14, user_id=other["id"])
    delete(api, business.user, "users")
    all_cancelled(api, booked, "Usuário deletado")
    assert [get(api, row) for row in staying] == staying
    ledger.check(marca, business.id)
    # The time is free again, for whoever is still there.
    day = api.get(f"/resources/{business.resource['id']}/availability", data="2025-12-10").json
    assert "2025-12-10T08:00:00-03:00" in [slot["start_time"] for slot in day["slots"]]
    again = business.ask("2025-12-10T08:00", "2025-12-10T09:00", user_id=other["id"])
    assert again.status == 201


def test_more_than_a_page(marca, api, business):
    booked = [booking for day in range(10, 20) for booking in hours(business, day, 6, 20)]
    delete(api, business.resource, "resources")
    all_cancelled(api, booked, "Recurso deletado")
    assert len(ledger.check(marca, business.id)) == len(booked)


def test_what_is_past_or_over_stays(store):
    """Past, running and cancelled ones are as they were."""
    with harness.Marca(store, clock="2025-12-01T12:59:52Z") as marca:
        api = marca.api()
        business = Business(api, {**SETTINGS, "timezone": "UTC", "cancellation_hours": 0})
        running = business.book("2025-12-01T13:00", "2025-12-01T15:00")
        cancelled = business.book("2025-12-02T10:00", "2025-12-02T11:00")
        api.patch(f"{path(cancelled)}/cancel", {"reason": "Imprevisto"})
        coming = business.book("2025-12-02T12:00", "2025-12-02T13:00")
        kept = get(api, cancelled)
        harness.until("the first one begins", lambda: get(api, running)["can_cancel"] is False)
        delete(api, business.resource, "resources")
        all_cancelled(api, [coming], "Recurso deletado")
        assert get(api, running)["status"] == "pendente"
        assert get(api, cancelled) == kept
        ledger.check(marca, business.id)


def test_tenant_deleted(marca, api, business):
    neighbour = Business(api, SETTINGS)
    theirs = hours(neighbour, 10, 8, 9)
    second = business.another_resource()
    booked = hours(business, 10, 8, 12) + hours(business, 11, 8, 10, resource_id=second["id"])
    users = [business.user] + [harness.make_user(api, business.tenant) for _ in range(3)]
    delete(api, business.tenant, "tenants")
    gone = [(row, "bookings") for row in booked] + [(row, "users") for row in users]
    gone += [(business.resource, "resources"), (second, "resources"), (business.category, "categories")]
    for row, kind in gone:
        harness.until(f"{kind} of a tenant", lambda row=row, kind=kind: api.get(path(row, kind)).status == 404)
    for kind in ("users", "resources", "categories", "bookings"):
        assert api.get(f"/{kind}/", tenant_id=business.id).json == []
    assert [get(api, row) for row in theirs] == theirs

    def settled():
        rows = ledger.rows(marca, "booking", "SELECT cancellation_reason, deleted_at, version FROM bookings "
                           f"WHERE tenant_id = {ledger.literal(marca, business.id)}")
        done = all(row["deleted_at"] is not None for row in rows)
        return rows if done else None

    rows = harness.until("all bookings marked", settled)
    assert {(row["cancellation_reason"], row["version"]) for row in rows} == {("Tenant deletado", 2)}
    deleted = {
        room: {event.subject_id for event in ledger.outbox(marca, room, tenant_id=business.id)
               if event.type == f"{room}.deleted"}
        for room in ("user", "resource")
    }
    assert deleted["user"] == {row["id"] for row in users}
    assert deleted["resource"] == {business.resource["id"], second["id"]}


# --- Beside bookings that come in -------------------------------------------------------------------


def active(marca, business):
    return ledger.rows(marca, "booking", "SELECT id FROM bookings WHERE status IN ('pendente', 'confirmado') "
                       f"AND tenant_id = {ledger.literal(marca, business.id)}")


def book_until_gone(apis, business, delete_it):
    """Eight ask for hours of their own, day after day, while somebody deletes a party; each until he is told 404."""
    known = {"Tenant não encontrado", "Recurso não encontrado", "Usuário não encontrado"}

    def ask(api, number):
        if number == 0:
            time.sleep(0.05)
            return delete_it()
        for day in range(250):
            date = datetime.date(2025, 12, 10) + datetime.timedelta(days=day)
            reply = api.post("/bookings/", business.wanted(f"{date}T{number:02}:00", f"{date}T{number + 1:02}:00"))
            if reply.status == 404:
                assert reply.json["message"] in known, reply
                return day
            assert reply.status == 201, reply
        raise AssertionError("booked a year without being told")

    with concurrent.futures.ThreadPoolExecutor(len(apis)) as pool:
        list(pool.map(lambda number: ask(apis[number], number), range(len(apis))))


@pytest.mark.parametrize("kind", ["resources", "users", "tenants"])
def test_nothing_slips_past(marca, api, business, kind):
    party = {"resources": business.resource, "users": business.user, "tenants": business.tenant}[kind]
    book_until_gone([marca.api() for _ in range(9)], business, lambda: delete(api, party, kind))
    harness.until("nothing is active any more", lambda: not active(marca, business))
    if kind != "tenants":
        ledger.check(marca, business.id)


@pytest.mark.parametrize("kind", ["resources", "users", "tenants"])
def test_nothing_slips_past_another_process(kind):
    """Which has the party in its cache, and hears of nothing: its events come by another bus."""
    harness.need_store("postgres")
    keeping = {"CACHE_TTL_SECONDS": "3600"}
    with harness.Marca("postgres", env=keeping) as one:
        business = Business(one.api(), SETTINGS)
        with harness.Marca("sqlite", env={**keeping, "DATABASE_URL": one.database.url}) as two:
            party = {"resources": business.resource, "users": business.user, "tenants": business.tenant}[kind]
            here = one.api()
            book_until_gone([two.api() for _ in range(9)], business, lambda: delete(here, party, kind))
            harness.until("nothing is active any more", lambda: not active(one, business))


# --- Notifications, metrics -----------------------------------------------------------------------


def test_notifications(marca, api, business):
    booking = business.book("2025-12-20T10:00", "2025-12-20T11:00")
    api.patch(f"{path(booking)}/status", {"status": "confirmado"})
    api.put(path(booking), {"notes": "x"})
    api.patch(f"{path(booking)}/cancel", {"reason": "Imprevisto"})

    def look():
        rows = ledger.rows(marca, "user", "SELECT id, user_id, booking_id, type, payload, sent_at FROM notifications "
                           f"WHERE tenant_id = {ledger.literal(marca, business.id)} ORDER BY occurred_at, id")
        return rows if len(rows) == 3 else None

    rows = harness.until("three notifications", look)
    assert [row["type"] for row in rows] == ["booking.created", "booking.status_changed", "booking.cancelled"]
    for row in rows:
        assert (row["user_id"], row["booking_id"], row["sent_at"]) == (business.user["id"], booking["id"], None)
        assert row["payload"]["booking_id"] == booking["id"]


def test_metrics(marca, api, business):
    other = business.another_resource()
    first, second = hours(business, 22, 8, 10)
    api.put(path(first), {"notes": "x"})
    api.put(path(first), {"resource_id": other["id"]})
    api.patch(f"{path(second)}/cancel")

    def look():
        rows = ledger.rows(marca, "resource", "SELECT resource_id, bookings_created AS created, bookings_updated AS updated, "
                           "bookings_cancelled AS cancelled FROM resource_metrics "
                           f"WHERE tenant_id = {ledger.literal(marca, business.id)}")
        return sorted(((row.pop("resource_id"), row) for row in rows), key=lambda pair: pair[0])

    expected = sorted([
        (business.resource["id"], {"created": 2, "updated": 1, "cancelled": 1}),
        (other["id"], {"created": 0, "updated": 1, "cancelled": 0}),
    ], key=lambda pair: pair[0])
    harness.until("the counts", lambda: look() == expected)


# --- Who is gone, whatever a cache knows ----------------------------------------------------------------


def bury(marca, business, id_):
    """As the first step of a cascade does it, of which this process has not heard yet."""
    ledger.write(marca, "booking", "INSERT INTO gone (tenant_id, id) VALUES "
                 f"({ledger.literal(marca, business.id)}, {ledger.literal(marca, id_)})")


@pytest.mark.parametrize("party, message", [
    ("tenant", "Tenant não encontrado"), ("resource", "Recurso não encontrado"), ("user", "Usuário não encontrado"),
])
def test_nobody_books_what_is_gone(marca, api, business, party, message):
    """Also where several bookings share the place; and a booking does not move there."""
    second = business.another_resource()
    user = harness.make_user(api, business.tenant)
    booking = business.book("2025-12-10T10:00", "2025-12-10T11:00", resource_id=second["id"], user_id=user["id"])
    bury(marca, business, getattr(business, party)["id"])
    reply = business.ask("2025-12-10T12:00", "2025-12-10T13:00")
    checks.is_absent(reply, message)
    if party == "tenant":
        return
    asked = {"resource": {"resource_id": business.resource["id"]}, "user": {"user_id": business.user["id"]}}[party]
    checks.is_absent(api.put(path(booking), asked), message)
    moved = {**asked, "start_time": "2025-12-11T10:00", "end_time": "2025-12-11T11:00"}
    checks.is_absent(api.put(path(booking), moved), message)
    assert get(api, booking) == booking
    assert api.put(path(booking), {"notes": "x"}).status == 200
    # A conflict is told all the same where there is one: by then it was true.
    if party == "user":
        taken = business.ask("2025-12-10T10:00", "2025-12-10T11:00", resource_id=second["id"])
        assert taken.status == 409 and taken.json["error"] == "conflict"


def test_what_a_gone_user_has_can_still_change(marca, api, business):
    booking = business.book("2025-12-10T10:00", "2025-12-10T11:00")
    bury(marca, business, business.user["id"])
    assert api.put(path(booking), {"notes": "x"}).status == 200
    assert api.patch(f"{path(booking)}/status", {"status": "confirmado"}).status == 200
