"""The store, read past marca: rows as they are, events as they lie in the outbox, and whether the two agree."""
import collections
import json
import sqlite3
import uuid

from business import instant

BOOKING_COLUMNS = (
    "id", "tenant_id", "resource_id", "user_id", "client_id", "start_time", "end_time", "status", "notes",
    "confirmation_code", "cancellation_reason", "cancelled_by", "cancelled_at", "version",
)
JSON_COLUMNS = ("payload", "recurring_pattern")

Event = collections.namedtuple("Event", "type stream version ordinal payload trace_id tenant_id subject_id")


def rows(marca, room, sql):
    """The rows of one SELECT as dicts: UUIDs as text, JSON parsed, times in microseconds."""
    database = marca.database_of(room)
    if database is not None:
        text = database.sql(database.url, f"SELECT coalesce(json_agg(t), '[]') FROM ({sql}) t")
        return json.loads(text)
    with sqlite3.connect(f"file:{marca.data / room}.db?mode=ro", uri=True) as connection:
        cursor = connection.execute(sql)
        names = [column[0] for column in cursor.description]
        return [{name: plain(name, value) for name, value in zip(names, row)} for row in cursor]


def write(marca, room, sql):
    """One statement, as another process would run it."""
    database = marca.database_of(room)
    if database is not None:
        database.sql(database.url, sql)
        return
    with sqlite3.connect(marca.data / f"{room}.db", timeout=30) as connection:
        connection.execute(sql)


def plain(name, value):
    if value is not None and name in JSON_COLUMNS:
        return json.loads(value)
    return str(uuid.UUID(bytes=value)) if isinstance(value, bytes) else value


def literal(marca, id_):
    """A UUID in that store's SQL."""
    return f"'{id_}'" if marca.database is not None else f"x'{uuid.UUID(id_).hex}'"


def outbox(marca, room, **where):
    """Events in the order in which each subject's came about. where: tenant_id=..., subject_id=..."""
    wanted = " AND ".join(f"{name} = {literal(marca, id_)}" for name, id_ in where.items())
    found = rows(
        marca, room,
        "SELECT type, stream, version, ordinal, payload, trace_id, tenant_id, subject_id "
        f"FROM {room}_outbox WHERE {wanted} ORDER BY subject_id, version, ordinal",
    )
    return [Event(**row) for row in found]


def bookings(marca, tenant_id):
    return rows(
        marca, "booking",
        f"SELECT {', '.join(BOOKING_COLUMNS)} FROM bookings WHERE tenant_id = {literal(marca, tenant_id)}",
    )


def fold(events):
    """What is known of a booking from its events alone, in the names and units of its row."""
    state = {}
    for event in events:
        told = event.payload
        if event.type == "booking.created":
            assert not state, "created twice"
            state = {name: told[name] for name in ("user_id", "resource_id", "status", "start_time", "end_time")}
        elif event.type == "booking.updated":
            for name, change in told["changes"].items():
                assert name not in state or state[name] == change["old"], (name, state, change)
                state[name] = change["new"]
        elif event.type == "booking.status_changed":
            assert state["status"] == told["old_status"] != told["new_status"]
            state["status"] = told["new_status"]
        else:
            assert event.type == "booking.cancelled", event
            assert state["status"] in ("pendente", "confirmado")
            state["status"] = "cancelado"
            state["cancellation_reason"], state["cancelled_by"] = told["reason"], told["cancelled_by"]
    return state


def micros(text):
    """Microseconds since 1970, without a detour over floats."""
    moment = instant(text)
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def check(marca, tenant_id):
    """fold(events) = table, versions 1..n, none missing, none extra. Returns the events, by booking."""
    table = {row["id"]: row for row in bookings(marca, tenant_id)}
    by_booking = collections.defaultdict(list)
    for event in outbox(marca, "booking", tenant_id=tenant_id):
        by_booking[event.subject_id].append(event)
    assert by_booking.keys() == table.keys()
    for id_, events in by_booking.items():
        row = table[id_]
        versions = sorted({event.version for event in events})
        assert versions == list(range(1, row["version"] + 1)), (id_, versions, row["version"])
        ordinals = collections.Counter((event.version, event.ordinal) for event in events)
        assert max(ordinals.values()) == 1, ordinals
        for name, value in fold(events).items():
            kept = row.get(name)
            if name in ("start_time", "end_time"):
                value = micros(value)
            if name in row:
                assert value == kept, (id_, name, value, kept)
    return by_booking
