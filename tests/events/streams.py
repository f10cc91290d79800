"""Streams as an operator sees them, by `marca events` beside the running server; and when all of it has been done."""
import json

import ledger
from harness import until

ROOMS = ("tenant", "user", "resource", "booking")
STREAMS = ("booking-events", "deletion-events", "tenant-events")
GROUPS = {"user-service", "resource-service", "booking-service", "audit"}


def lines(marca, *words):
    return [json.loads(line) for line in marca.run("events", *words, "--json").splitlines()]


def read(marca, stream, first=1):
    """All that lies in a stream, in its order."""
    return lines(marca, "tail", "--stream", stream, "--from", str(first))


def waiting(marca):
    """Events that no relay has marked yet."""
    return sum(
        ledger.rows(marca, room, f"SELECT COUNT(*) AS n FROM {room}_outbox WHERE sequence IS NULL")[0]["n"]
        for room in ROOMS
    )


def written(marca):
    return sum(ledger.rows(marca, room, f"SELECT COUNT(*) AS n FROM {room}_outbox")[0]["n"] for room in ROOMS)


def done(marca):
    """Every event is in its stream, and every group has had each. Effects may have made events: so twice."""
    groups = lines(marca, "groups")
    return (
        waiting(marca) == 0
        and {group["group"] for group in groups} >= GROUPS
        and all(group["pending"] == 0 and group["lag"] == 0 for group in groups)
        and written(marca) == sum(len(read(marca, stream)) for stream in STREAMS)
    )


def settle(marca):
    until("all events are handled", lambda: done(marca) and done(marca))


def check_order(events):
    """Places 1, 2, ...; no event twice; each subject's versions in order, none missing between them."""
    places = [event["sequence"] for event in events]
    assert places == list(range(1, len(places) + 1)), places
    ids = [event["event_id"] for event in events]
    assert len(set(ids)) == len(ids), "an event is there twice"
    last = {}
    for event in events:
        before = last.get(event["subject_id"])
        if event["type"] == "booking.created":
            assert before is None and event["version"] == 1, event
        elif event["type"].startswith("booking."):
            assert before is not None and before <= event["version"] <= before + 1, (before, event)
        else:
            assert before is None or before < event["version"], (before, event)
        last[event["subject_id"]] = event["version"]


def folded(events):
    """What is known of each booking from the stream alone."""
    by_booking = {}
    for event in events:
        by_booking.setdefault(event["subject_id"], []).append(
            ledger.Event(event["type"], event["stream"], event["version"], 0, event["payload"], event["trace_id"],
                         event["tenant_id"], event["subject_id"]))
    return {id_: ledger.fold(list_) for id_, list_ in by_booking.items()}


def check_table(marca, tenant_id, events):
    """fold(stream) = table."""
    table = {row["id"]: row for row in ledger.bookings(marca, tenant_id)}
    state = folded([event for event in events if event["tenant_id"] == tenant_id])
    assert state.keys() == table.keys()
    for id_, known in state.items():
        for name, value in known.items():
            if name in ("start_time", "end_time"):
                value = ledger.micros(value)
            if name in table[id_]:
                assert value == table[id_][name], (id_, name, value, table[id_][name])


def check_effects(marca, tenant_id, events):
    """Each group had its effect of each event exactly once."""
    mine = [event for event in events if event["tenant_id"] == tenant_id and event["stream"] == "booking-events"]
    told = [event["event_id"] for event in mine if event["type"] != "booking.updated"]
    tenant = ledger.literal(marca, tenant_id)
    notified = ledger.rows(marca, "user", f"SELECT id FROM notifications WHERE tenant_id = {tenant}")
    assert sorted(row["id"] for row in notified) == sorted(told)

    for column, type_ in (("bookings_created", "booking.created"), ("bookings_cancelled", "booking.cancelled"),
                          ("bookings_updated", "booking.updated")):
        counts = {}
        for event in mine:
            if event["type"] == type_:
                resource = event["payload"]["resource_id"]
                counts[resource] = counts.get(resource, 0) + 1
        metrics = ledger.rows(
            marca, "resource",
            f"SELECT resource_id, {column} AS n FROM resource_metrics WHERE tenant_id = {tenant} AND {column} > 0")
        assert {row["resource_id"]: row["n"] for row in metrics} == counts, column

    audited = ledger.rows(marca, "audit", f"SELECT event_id FROM audit_events WHERE tenant_id = {tenant}")
    everything = [event["event_id"] for event in events if event["tenant_id"] == tenant_id]
    assert sorted(row["event_id"] for row in audited) == sorted(everything)


def check_all(marca, *tenants):
    """After settle(): R3 and R4 of the promises, for these tenants."""
    everything = []
    for stream in STREAMS:
        events = read(marca, stream)
        check_order(events)
        everything += events
    for tenant_id in tenants:
        bookings = [event for event in everything if event["stream"] == "booking-events"]
        check_table(marca, tenant_id, bookings)
        check_effects(marca, tenant_id, everything)
    assert "intact" in marca.run("audit", "verify")
    return everything
