"""The outbox: exactly one event a committed change, in the words of the contract's section 7, on both stores."""
import pytest

import checks
import ledger
from business import ANY_TIME, Business

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACED = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}


@pytest.fixture
def business(api):
    return Business(api, ANY_TIME)


@pytest.fixture
def booking(business):
    return business.book("2025-12-05T10:00", "2025-12-05T11:00")


def path(booking, rest=""):
    return f"/bookings/{booking['id']}{rest}"


def later(marca, booking):
    """[(type, version, payload)] after booking.created."""
    events = ledger.outbox(marca, "booking", subject_id=booking["id"])
    assert events[0].type == "booking.created"
    assert {event.stream for event in events} == {"booking-events"}
    assert {event.tenant_id for event in events} == {booking["tenant_id"]}
    return [(event.type, event.version, event.payload) for event in events[1:]]


def test_created(marca, api, business):
    reply = api.post("/bookings/", business.wanted("2025-12-05T10:00", "2025-12-05T11:00", status="confirmado"),
                     headers=TRACED)
    booking = reply.json
    events = ledger.outbox(marca, "booking", tenant_id=business.id)
    assert len(events) == 1
    event = events[0]
    assert (event.type, event.stream, event.version, event.ordinal) == ("booking.created", "booking-events", 1, 0)
    assert event.subject_id == booking["id"] and event.trace_id == TRACE
    assert event.payload == {
        "booking_id": booking["id"], "user_id": business.user["id"], "resource_id": business.resource["id"],
        "status": "confirmado", "start_time": "2025-12-05T13:00:00Z", "end_time": "2025-12-05T14:00:00Z"}


def test_updated(marca, api, business, booking):
    other = business.another_resource()
    client = checks.some_id()
    api.put(path(booking), {"notes": 'a "b"\n', "client_id": client})
    api.put(path(booking), {"start_time": "2025-12-05T09:00", "resource_id": other["id"], "notes": None})
    api.put(path(booking), {"recurring_pattern": {"frequency": "daily"}, "recurring_enabled": True})
    ids = {"booking_id": booking["id"], "resource_id": business.resource["id"]}
    first, second, third = later(marca, booking)
    assert first == ("booking.updated", 2, {
        **ids, "changes": {"client_id": {"old": None, "new": client}, "notes": {"old": None, "new": 'a "b"\n'}}})
    assert second == ("booking.updated", 3, {
        **ids, "resource_id": other["id"], "changes": {
            "resource_id": {"old": business.resource["id"], "new": other["id"]},
            "start_time": {"old": "2025-12-05T13:00:00Z", "new": "2025-12-05T12:00:00Z"},
            "notes": {"old": 'a "b"\n', "new": None},
        }})
    assert third[2]["changes"]["recurring_enabled"] == {"old": False, "new": True}
    assert third[2]["changes"]["recurring_pattern"]["new"]["frequency"] == "daily"
    assert set(third[2]["changes"]) == {"recurring_enabled", "recurring_pattern"}


def test_status_changed(marca, api, booking):
    ids = {name: booking[name] for name in ("resource_id", "user_id")}
    api.patch(path(booking, "/status"), status_param="confirmado")
    api.put(path(booking), {"status": "concluido"})
    assert later(marca, booking) == [
        ("booking.status_changed", 2, {
            "booking_id": booking["id"], **ids, "old_status": "pendente", "new_status": "confirmado"}),
        ("booking.status_changed", 3, {
            "booking_id": booking["id"], **ids, "old_status": "confirmado", "new_status": "concluido"}),
    ]


@pytest.mark.parametrize("cancel, reason, by", [
    (lambda api, b: api.patch(path(b, "/cancel"), {"reason": "Imprevisto"}, cancelled_by="ana"), "Imprevisto", "ana"),
    (lambda api, b: api.request("DELETE", path(b, "/cancel"), {"reason": "x"}), "x", None),
    (lambda api, b: api.delete(path(b, "/cancel"), cancelled_by="ana"), None, "ana"),
    (lambda api, b: api.patch(path(b, "/status"), {"status": "cancelado"}), None, None),
    (lambda api, b: api.put(path(b), {"status": "cancelado"}), None, None),
])
def test_cancelled(marca, api, booking, cancel, reason, by):
    """One booking.cancelled, whatever the way, and no booking.status_changed."""
    assert cancel(api, booking).status in (200, 204)
    assert later(marca, booking) == [("booking.cancelled", 2, {
        "booking_id": booking["id"], "resource_id": booking["resource_id"], "user_id": booking["user_id"],
        "reason": reason, "cancelled_by": by})]


def test_one_change_of_fields_and_status(marca, api, booking):
    """Two events of one version, told apart by their ordinals: fields first."""
    api.put(path(booking), {"notes": "x", "status": "confirmado", "end_time": "2025-12-05T12:00"})
    api.put(path(booking), {"notes": "y", "status": "cancelado"})
    events = ledger.outbox(marca, "booking", subject_id=booking["id"])
    assert [(event.type, event.version, event.ordinal) for event in events] == [
        ("booking.created", 1, 0), ("booking.updated", 2, 0), ("booking.status_changed", 2, 1),
        ("booking.updated", 3, 0), ("booking.cancelled", 3, 1)]
    assert set(events[1].payload["changes"]) == {"notes", "end_time"}


def test_none_without_a_change(marca, api, business, booking):
    """Refused by each check there is, or alike what was there."""
    other = business.book("2025-12-05T12:00", "2025-12-05T13:00")
    stale = {"If-Match": '"9"'}
    for change in ({}, {"notes": None}, {"status": "pendente"}, {"start_time": booking["start_time"]},
                   {"user_id": booking["user_id"].upper()}):
        assert api.put(path(booking), change).status == 200
    for reply in (
        business.ask("2025-12-05T10:00", "2025-12-05T11:00"),
        business.ask("2025-12-05T10:30", "2025-12-05T11:30"),
        business.ask("2025-12-05T11:00", "2025-12-05T11:00"),
        business.ask("2025-12-05T10:00", "2025-12-05T11:00", resource_id=checks.some_id()),
        business.ask("x", "2025-12-05T11:00"),
        api.put(path(booking), {"start_time": other["start_time"], "end_time": other["end_time"]}),
        api.put(path(booking), {"notes": 5}),
        api.put(path(booking), {"notes": "x"}, headers=stale),
        api.put(path(booking), {"status": "concluido"}),
        api.put(path(booking), {"notes": "x", "user_id": checks.some_id()}),
        api.patch(path(booking, "/status"), {"status": "sem_dados"}),
        api.patch(path(booking, "/cancel"), headers=stale),
        api.patch(path(booking, "/cancel"), {"reason": "x" * 501}),
        api.get(path(booking)),
        api.request("HEAD", path(booking)),
        api.request("OPTIONS", path(booking, "/cancel")),
    ):
        assert reply.status not in (201, 500)
    events = ledger.check(marca, business.id)
    assert {id_: len(told) for id_, told in events.items()} == {booking["id"]: 1, other["id"]: 1}


def test_events_tell_the_table(marca, api):
    """Every kind of change, on many bookings; then all that is known is read back from the events alone."""
    business = Business(api, ANY_TIME)
    other = business.another_resource()
    for hour in range(20):
        booking = business.book(f"2025-12-05T{hour:02}:00", f"2025-12-05T{hour + 1:02}:00")
        steps = [
            lambda b: api.put(path(b), {"notes": f"n{b['id']}", "resource_id": other["id"]}),
            lambda b: api.patch(path(b, "/status"), {"status": "confirmado"}),
            lambda b: api.put(path(b), {"notes": None, "resource_id": business.resource["id"]}),
            lambda b: api.put(path(b), {"status": "sem_dados" if hour % 2 else "concluido", "notes": "end"}),
        ]
        for number, step in enumerate(steps):
            if hour >> number & 1:
                step(booking)
        if hour >= 16:
            api.patch(path(booking, "/cancel"), {"reason": "r"}, cancelled_by="c")
    assert len(ledger.check(marca, business.id)) == 20


def test_the_ledger_can_fail(marca, api, business, booking):
    """The checker of this file, on what it must not let pass."""
    api.put(path(booking), {"end_time": "2025-12-05T12:00"})
    events = ledger.check(marca, business.id)[booking["id"]]
    doubled = [events[0], events[1], events[1]]
    with pytest.raises(AssertionError):
        ledger.fold(doubled)
    with pytest.raises(AssertionError):
        ledger.fold([events[0], events[0]])
    assert ledger.fold(events[:1])["end_time"] != ledger.fold(events)["end_time"]
