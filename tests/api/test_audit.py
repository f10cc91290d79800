"""The audit trail: complete, in order, found by its filters; and nobody changes it unseen, on either store."""
import contextlib
import hashlib
import json
import sqlite3
import struct
import subprocess
import time
import uuid

import pytest

import checks
import harness
import ledger
from business import ANY_TIME, Business

ROOMS = ("tenant", "user", "resource", "booking")
DEADLINE_SECONDS = 60
COLUMNS = ("tenant_id", "number", "event_id", "stream", "sequence", "type", "subject_id", "version", "ordinal",
           "occurred_at", "trace_id", "recorded_at", "payload_hash", "hash")


# --- What there must be ---------------------------------------------------------


def written(marca, tenant_id):
    """Every event of a tenant, {event id: row of an outbox}."""
    columns = "id, stream, type, subject_id, version, payload, trace_id, created_at"
    rows = [
        row for room in ROOMS
        for row in ledger.rows(
            marca, room, f"SELECT {columns} FROM {room}_outbox WHERE tenant_id = {ledger.literal(marca, tenant_id)}")
    ]
    return {row["id"]: row for row in rows}


def trail(api, tenant_id, **filters):
    return checks.walk(api, "/audit/", 100, tenant_id=tenant_id, **filters)


def complete(marca, api, tenant_id):
    """The trail, once it has all events that were written before this call. More than that, or one twice, never."""
    wanted = written(marca, tenant_id)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        items = trail(api, tenant_id)
        ids = [item["event_id"] for item in items]
        assert len(set(ids)) == len(ids) and set(ids) <= written(marca, tenant_id).keys()
        if set(ids) >= wanted.keys():
            return items
        assert time.monotonic() < deadline, f"{len(ids)} of {len(wanted)} events are in the trail\n{marca.log()}"
        time.sleep(0.05)


def eventful(marca, api, bookings=4):
    """A tenant where something of each kind has happened, and its trail."""
    business = Business(api, ANY_TIME)
    for hour in range(bookings):
        booking = business.book(f"2025-12-05T{hour:02}:00", f"2025-12-05T{hour + 1:02}:00")
        api.put(f"/bookings/{booking['id']}", {"notes": f"à {hour} \"h\"\n"})
        api.patch(f"/bookings/{booking['id']}/cancel", {"reason": "Imprevisto"})
    return business, complete(marca, api, business.id)


@pytest.fixture
def told(marca, api):
    return eventful(marca, api)


# --- The list -------------------------------------------------------------------


def test_complete_and_in_order(marca, api, told):
    business, items = told
    wanted = written(marca, business.id)
    assert len(items) == len(wanted) >= 12
    assert [item["number"] for item in items] == list(range(1, len(items) + 1))
    for item in items:
        row = wanted[item["event_id"]]
        assert item["tenant_id"] == business.id
        for name in ("stream", "type", "subject_id", "version", "payload", "trace_id"):
            assert item[name] == row[name], (name, item)
        assert ledger.micros(item["occurred_at"]) == row["created_at"]
        # A fleet's processes start their tests' clocks one after another.
        assert marca.store == "fleet" or row["created_at"] <= ledger.micros(item["recorded_at"])
        assert len(item["hash"]) == 64
    assert {"booking.created", "booking.updated", "booking.cancelled"} <= {item["type"] for item in items}
    for subject in {item["subject_id"] for item in items}:
        versions = [item["version"] for item in items if item["subject_id"] == subject]
        assert versions == sorted(versions)


def test_later_events_follow(marca, api, told):
    business, before = told
    business.book("2025-12-06T10:00", "2025-12-06T11:00")
    assert complete(marca, api, business.id)[:len(before)] == before


def test_pages(api, told):
    business, items = told
    for limit in (1, 5, len(items) - 1, len(items)):
        assert checks.walk(api, "/audit/", limit, tenant_id=business.id) == items
    assert checks.walk(api, "/audit/", 2, tenant_id=business.id, type="booking.updated") == \
        [item for item in items if item["type"] == "booking.updated"]


def test_by_subject_and_type(api, told):
    business, items = told
    subject = items[-1]["subject_id"]
    of_subject = [item for item in items if item["subject_id"] == subject]
    assert len(of_subject) == 3
    assert trail(api, business.id, subject_id=subject) == of_subject
    assert trail(api, business.id, subject_id=subject, type="booking.updated") == of_subject[1:2]
    created = [item for item in items if item["type"] == "booking.created"]
    assert trail(api, business.id, type="booking.created") == created and len(created) == 4
    assert trail(api, business.id, type="booking.x") == []
    assert trail(api, business.id, subject_id=checks.some_id()) == []


def test_by_time(api, told):
    business, items = told
    at = sorted(item["occurred_at"] for item in items)[len(items) // 2]
    micros = ledger.micros(at)
    later = [item for item in items if ledger.micros(item["occurred_at"]) >= micros]
    earlier = [item for item in items if item not in later]
    assert later and earlier
    assert trail(api, business.id, **{"from": at}) == later
    assert trail(api, business.id, to=at) == earlier
    assert trail(api, business.id, **{"from": at, "to": at}) == []
    assert checks.walk(api, "/audit/", 3, tenant_id=business.id, **{"from": at}) == later
    assert trail(api, business.id, type="booking.created", to=at) == \
        [item for item in earlier if item["type"] == "booking.created"]
    subject = items[-1]["subject_id"]
    assert trail(api, business.id, subject_id=subject, **{"from": at}) == \
        [item for item in later if item["subject_id"] == subject]


def test_days_are_the_tenants(api, told):
    """It is 09:00 in Sao Paulo when the clock of these tests begins; a day as `to` counts whole."""
    business, items = told
    for filters, found in (
        ({"from": "2025-12-01", "to": "2025-12-01"}, items),
        ({"from": "2025-12-02"}, []),
        ({"to": "2025-11-30"}, []),
        ({"from": "2025-12-01T09:00", "to": "2025-12-01T23:00"}, items),
        ({"from": "2025-12-01T12:00Z"}, items),
        ({"to": "2025-12-01T09:00"}, []),
        ({"to": "2025-12-01T09:00-03:00"}, []),
    ):
        assert trail(api, business.id, **filters) == found, filters


def test_what_is_refused(api):
    assert checks.issues(api.get("/audit/")) == {"query.tenant_id": "missing"}
    assert set(checks.issues(api.get("/audit/", tenant_id="x", subject_id="y", to="z", limit=0))) == \
        {"query.tenant_id", "query.subject_id", "query.to", "query.limit"}
    tenant = harness.make_tenant(api, {"timezone": "America/New_York"})
    skipped = {"from": "2025-03-09T02:30", "to": "2025-03-09T02:59"}
    assert set(checks.issues(api.get("/audit/", tenant_id=tenant["id"], **skipped))) == {"query.from", "query.to"}
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert api.request(method, "/audit/").status == 405


def test_unknown_tenant(api):
    assert trail(api, checks.some_id()) == []
    assert trail(api, checks.some_id(), **{"from": "2025-12-01", "to": "2025-12-01T10:00"}) == []


def test_a_tenant_that_is_gone(marca, api, told):
    """Its trail stays, and tells how it went. Its days are those of UTC."""
    business, before = told
    assert api.delete(f"/tenants/{business.id}").status == 204
    items = complete(marca, api, business.id)
    assert items[:len(before)] == before
    gone = trail(api, business.id, type="tenant.deleted", **{"from": "2025-12-01", "to": "2025-12-01T13:00"})
    assert [item["payload"] for item in gone] == [{"tenant_id": business.id}]


# --- The chain ------------------------------------------------------------------


def part(value):
    """With its length before it: docs/audit.md."""
    if isinstance(value, int):
        value = struct.pack(">q", value)
    elif isinstance(value, str):
        value = value.encode()
    return struct.pack(">Q", len(value)) + value


def sha256(*parts):
    return hashlib.sha256(b"".join(map(part, parts))).hexdigest()


def chain_rows(marca, tenant_id):
    rows = ledger.rows(
        marca, "audit",
        f"SELECT {', '.join(COLUMNS)}, payload AS bytes FROM audit_events "
        f"WHERE tenant_id = {ledger.literal(marca, tenant_id)}")
    return sorted(rows, key=lambda row: row["number"])


def test_the_chain_is_as_documented(marca, told):
    """Hashed here once more, by the words of docs/audit.md alone."""
    business, items = told
    tenant = uuid.UUID(business.id).bytes
    before = sha256("marca audit start 1", tenant)
    rows = chain_rows(marca, business.id)
    assert [row["hash"] for row in rows] == [item["hash"] for item in items]
    for row in rows:
        assert row["payload_hash"] == hashlib.sha256(row["bytes"].encode()).hexdigest()
        before = sha256(
            "marca audit row 1", before, tenant, row["number"], uuid.UUID(row["event_id"]).bytes, row["stream"],
            row["sequence"], row["type"], uuid.UUID(row["subject_id"]).bytes, row["version"], row["ordinal"],
            row["occurred_at"], row["trace_id"], row["recorded_at"], row["payload_hash"])
        assert row["hash"] == before, row


# --- marca audit verify -----------------------------------------------------------


def verify(marca, *words):
    """(exit status, what it printed), beside the server or without it."""
    run = subprocess.run(
        [*marca.command, "audit", "verify", "--data", marca.data, *words], cwd=marca.folder, env=marca.env,
        capture_output=True, text=True, timeout=120, check=False)
    assert harness.SANITIZER.search(run.stderr) is None, run.stderr
    return run.returncode, run.stdout


def tamper(marca, *statements):
    """As somebody who can write the store."""
    database = marca.database_of("audit")
    if database is not None:
        database.sql(database.url, f"BEGIN; {'; '.join(statements)}; COMMIT")
        return
    with contextlib.closing(sqlite3.connect(marca.data / "audit.db", timeout=30)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        with connection:
            for statement in statements:
                connection.execute(statement)


class Suspect:
    """A tenant whose trail is going to be tampered with."""

    def __init__(self, marca, api):
        self.marca = marca
        self.business, self.items = eventful(marca, api)
        self.id = self.business.id
        self.last = len(self.items)
        self.mine = f"tenant_id = {ledger.literal(marca, self.id)}"
        assert self.verdict() == (0, f"1 tenant, {self.last} events: all intact\n")

    def verdict(self, *words):
        return verify(self.marca, "--tenant", self.id, *words)

    def swap(self, a, b):
        """The rows change places."""
        tamper(self.marca, *(
            f"UPDATE audit_events SET number = {new} WHERE {self.mine} AND number = {old}"
            for old, new in ((a, 1000), (b, a), (1000, b))))

    def rows(self, condition):
        return f"WHERE {self.mine} AND {condition}"


@pytest.fixture
def suspect(marca, api):
    return Suspect(marca, api)


@pytest.mark.parametrize("change", [
    "type = 'booking.updated '", "stream = 'x'", "sequence = sequence + 1", "version = version - 1", "ordinal = 7",
    "occurred_at = occurred_at - 1", "recorded_at = recorded_at + 1", "trace_id = ''", "event_id = subject_id",
    "subject_id = event_id", "hash = payload_hash", "payload_hash = hash",
])
def test_an_edit_is_found(suspect, change):
    tamper(suspect.marca, f"UPDATE audit_events SET {change} {suspect.rows('number = 6')}")
    status, said = suspect.verdict()
    assert status == 1 and "row 6" in said and said.endswith("1 tenant, 5 events: 1 broken\n"), said


def test_a_payload_that_means_the_same_is_found(suspect):
    tamper(suspect.marca, f"UPDATE audit_events SET payload = payload || ' ' {suspect.rows('number = 6')}")
    assert suspect.verdict() == (
        1, f"{suspect.id}: the payload of row 6 was changed\n1 tenant, 5 events: 1 broken\n")


def test_a_deletion_is_found(suspect):
    tamper(suspect.marca, f"DELETE FROM audit_events {suspect.rows('number = 6')}")
    assert suspect.verdict()[0] == 1 and f"{suspect.id}: row 6 is missing\n" in suspect.verdict()[1]
    tamper(suspect.marca, f"DELETE FROM audit_events {suspect.rows('number IN (7, 8)')}")
    assert f"{suspect.id}: rows 6 to 8 are missing\n" in suspect.verdict()[1]


def test_a_swap_is_found(suspect):
    suspect.swap(6, 9)
    status, said = suspect.verdict()
    assert status == 1 and "row 6 was changed" in said
    suspect.swap(6, 9)
    assert suspect.verdict()[0] == 0


def test_a_truncation_is_found(suspect):
    tamper(suspect.marca, f"DELETE FROM audit_events {suspect.rows(f'number > {suspect.last - 2}')}")
    status, said = suspect.verdict()
    assert status == 1
    assert f"{suspect.id}: the chain ends at {suspect.last - 2}, its head says {suspect.last}\n" in said
    tamper(suspect.marca, f"DELETE FROM audit_events WHERE {suspect.mine}")
    assert f"{suspect.id}: the chain ends at 0, its head says {suspect.last}\n" in suspect.verdict()[1]


def test_a_head_is_needed(suspect):
    tamper(suspect.marca, f"DELETE FROM audit_heads WHERE {suspect.mine}")
    assert f"{suspect.id}: the chain ends at {suspect.last}, and has no head\n" in suspect.verdict()[1]


def test_a_truncation_with_its_head_is_found_by_a_noted_one(suspect, tmp_path):
    noted = tmp_path / "heads.txt"
    status, said = suspect.verdict("--heads")
    assert status == 0 and said.startswith(f"{suspect.id} {suspect.last} {suspect.items[-1]['hash']}\n# 1 tenant")
    noted.write_text(said)
    assert suspect.verdict("--expect", noted)[0] == 0
    short = suspect.last - 3
    tamper(
        suspect.marca,
        f"DELETE FROM audit_events {suspect.rows(f'number > {short}')}",
        f"UPDATE audit_heads SET number = {short}, hash = '{suspect.items[short - 1]['hash']}' WHERE {suspect.mine}")
    assert suspect.verdict() == (0, f"1 tenant, {short} events: all intact\n")
    status, said = suspect.verdict("--expect", noted)
    assert status == 1
    assert f"{suspect.id}: the chain ends at {short}, but row {suspect.last} was noted\n" in said


def test_a_noted_head_stays_good_while_the_trail_grows(marca, api, suspect, tmp_path):
    noted = tmp_path / "heads.txt"
    noted.write_text(suspect.verdict("--heads")[1])
    suspect.business.book("2025-12-06T10:00", "2025-12-06T11:00")
    assert len(complete(marca, api, suspect.id)) > suspect.last
    assert suspect.verdict("--expect", noted)[0] == 0


def test_json(suspect):
    status, said = suspect.verdict("--json")
    assert status == 0
    assert [json.loads(line) for line in said.splitlines()] == [
        {"tenant_id": suspect.id, "events": suspect.last, "head": suspect.items[-1]["hash"], "fault": None,
         "fault_at": None},
        {"tenants": 1, "events": suspect.last, "broken": 0},
    ]
    tamper(suspect.marca, f"DELETE FROM audit_events {suspect.rows('number = 3')}")
    status, said = suspect.verdict("--json")
    assert status == 1
    assert [json.loads(line) for line in said.splitlines()] == [
        {"tenant_id": suspect.id, "events": 2, "head": None, "fault": "row 3 is missing", "fault_at": 3},
        {"tenants": 1, "events": 2, "broken": 1},
    ]


def test_wrong_usage(marca, tmp_path):
    no_heads = tmp_path / "no-heads.txt"
    no_heads.write_text("# a comment\n\nx 1 y\n")
    for words in (["--tenant", "x"], ["--what"], ["--expect"], ["--expect", tmp_path / "none"], ["--expect", no_heads]):
        assert verify(marca, *words) == (2, ""), words
    for words in ([], ["x"]):
        run = subprocess.run([*marca.command, "audit", *words], env=marca.env, capture_output=True, check=False)
        assert run.returncode == 2
    shown = subprocess.run([*marca.command, "audit", "verify", "--help"], env=marca.env, capture_output=True, text=True, check=True)
    assert "--expect" in shown.stdout


def test_all_tenants(store, tmp_path):
    """A store of its own: verified whole, while it is written, and when nobody serves it; each broken one is told."""
    noted = tmp_path / "heads.txt"
    with harness.Marca(store) as marca:
        api = marca.api()
        suspects = [Suspect(marca, api) for _ in range(3)]
        count = 3 * suspects[0].last
        assert verify(marca) == (0, f"3 tenants, {count} events: all intact\n")
        for hour in range(10):
            suspects[0].business.book(f"2025-12-07T{hour:02}:00", f"2025-12-07T{hour + 1:02}:00")
            status, said = verify(marca)
            assert status == 0, said
        count += 10
        complete(marca, api, suspects[0].id)
        noted.write_text(verify(marca, "--heads")[1])
        tamper(marca, f"UPDATE audit_events SET version = 77 {suspects[1].rows('number = 2')}")
        marca.stop()
        status, said = verify(marca)
        assert status == 1 and said.count("\n") == 2
        assert f"{suspects[1].id}: row 2 was changed, or row 1 with its hash\n" in said
        assert f"3 tenants, {count - suspects[1].last + 1} events: 1 broken\n" in said

        # Rows without a head, and a tenant of which nothing is left but what was noted.
        tamper(
            marca, f"DELETE FROM audit_heads WHERE {suspects[0].mine}", f"DELETE FROM audit_heads WHERE {suspects[2].mine}",
            f"DELETE FROM audit_events WHERE {suspects[2].mine}")
        status, said = verify(marca)
        assert status == 1 and said.endswith(": 2 broken\n") and suspects[2].id not in said
        status, said = verify(marca, "--expect", noted)
        assert status == 1 and said.endswith(": 3 broken\n")
        assert f"{suspects[2].id}: the chain ends at 0, but row {suspects[2].last} was noted\n" in said
        marca.start()
