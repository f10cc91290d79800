"""`marca check`: all is well on a store that was used; and each row of its table finds the fault that is planted for it."""
import json

import pytest

import harness
import ledger
from business import ANY_TIME, Business, multiple

TABLE = (harness.ROOT / "src/app/check_table.c").read_text().split("const struct check check_table[] = {")[1]
CHECKS = [line.split('"')[1] for line in TABLE.splitlines() if line.startswith('\t{"')]
ELSEWHERE = "0193a3f2-7c00-7000-8000-00000000dead"


def count(marca, room, what):
    return ledger.rows(marca, room, f"SELECT COUNT(*) AS n FROM {what}")[0]["n"]


class Used:
    """A marca that has done something of everything, and is stopped."""

    def __init__(self, marca):
        self.marca = marca
        api = marca.api()
        self.business = business = Business(api, ANY_TIME)
        self.first = business.book("2025-12-03T10:00", "2025-12-03T11:00")["id"]
        self.second = business.book("2025-12-03T11:00", "2025-12-03T12:00")["id"]
        for notes in ("one", "two"):
            assert api.put(f"/bookings/{self.second}", {"notes": notes}).status == 200
        cancelled = business.book("2025-12-03T12:00", "2025-12-03T13:00")["id"]
        assert api.patch(f"/bookings/{cancelled}/cancel", {"reason": "x"}).status == 200
        shared = Business(api, ANY_TIME, **multiple(2))
        for _ in range(2):
            shared.book("2025-12-03T10:00", "2025-12-03T11:00")
        self.person, _ = harness.make_person(api, business.tenant)
        gone = business.another_resource()
        harness.make_booking(api, gone, business.user, "2025-12-04T10:00:00Z", "2025-12-04T11:00:00Z")
        assert api.delete(f"/resources/{gone['id']}").status == 204
        provider = api.post("/auth/providers", {"tenant_id": business.id, "name": "Ours", "issuer": "http://127.0.0.1:1",
                                                "client_id": "marca", "client_secret": "canary-5d1f"})
        assert provider.status == 201, provider
        harness.until("all is in the trail", lambda: count(marca, "audit", "audit_events WHERE stream = 'booking-events'")
                      == count(marca, "booking", "booking_outbox") > 0)
        harness.until("the bookings of what is gone went, too", lambda: not ledger.rows(
            marca, "booking", f"SELECT id FROM bookings WHERE resource_id = {self.id(gone['id'])} AND status = 'pendente'"))

    def id(self, text):
        return ledger.literal(self.marca, text)

    def check(self, *words, status=0):
        lines = [json.loads(line) for line in self.marca.run("check", "--json", *words, status=status).splitlines()]
        return [line for line in lines if "fault" in line], [line for line in lines if "what" in line], lines[-1]


@pytest.fixture(scope="module")
def used(store):
    with harness.Marca(store, env={"MARCA_DB_WRITERS": "1", "MARCA_DB_READERS": "1"}) as marca:
        used = Used(marca)
        used.beside = used.check()  # while it runs
        marca.stop()
        yield used


def test_all_is_well(used):
    for found, checks, total in (used.beside, used.check()):
        assert found == []
        assert [line["check"] for line in checks] == CHECKS
        assert all("left_out" not in line or line["left_out"] is None for line in checks), checks
        # Each has looked at something.
        assert all(line["rows"] > 0 for line in checks), checks
        assert (total["checks"], total["faults"]) == (len(CHECKS), 0)
    words = used.marca.run("check")
    assert f"{len(CHECKS)} checks, 0 faults\n" in words and "canary-5d1f" not in words


def on_both(room, plant, undo):
    return {store: (room, plant, undo) for store in ("sqlite", "postgres")}


BOOKING = "WHERE id = {second}"
FAULTS = {
    "pages": [{
        "sqlite": ("resource", "UPDATE resources SET category_id = {elsewhere} WHERE id = {resource}",
                   "UPDATE resources SET category_id = {category} WHERE id = {resource}"),
        "postgres": ("user", "CREATE UNIQUE INDEX CONCURRENTLY half ON users (tenant_id)", "DROP INDEX half"),
    }],
    "schema": [
        on_both("booking", "CREATE INDEX another ON bookings (notes)", "DROP INDEX another"),
        on_both("booking", "ALTER TABLE bookings ADD COLUMN another text", "ALTER TABLE bookings DROP COLUMN another"),
        on_both("booking", "DROP INDEX bookings_id", "CREATE INDEX bookings_id ON bookings (id)"),
        {"postgres": ("booking", "ALTER TABLE bookings NO FORCE ROW LEVEL SECURITY", "ALTER TABLE bookings FORCE ROW LEVEL SECURITY")},
        {"postgres": ("booking", "CREATE POLICY open ON bookings AS RESTRICTIVE USING (TRUE)", "DROP POLICY open ON bookings")},
        {"postgres": ("booking", "ALTER TABLE bookings ALTER COLUMN notes TYPE varchar(99)", "ALTER TABLE bookings ALTER COLUMN notes TYPE text")},
        {"postgres": ("booking", "ALTER TABLE bookings ALTER COLUMN version DROP NOT NULL", "ALTER TABLE bookings ALTER COLUMN version SET NOT NULL")},
    ],
    "waiting": [on_both("booking", "UPDATE booking_outbox SET sequence = NULL, created_at = 1 WHERE subject_id = {first}",
                        "UPDATE booking_outbox SET sequence = 1 WHERE sequence IS NULL")],
    "bookings": [
        on_both("booking", f"UPDATE bookings SET end_time = end_time - 7200000000 {BOOKING}", f"UPDATE bookings SET end_time = end_time + 7200000000 {BOOKING}"),
        on_both("booking", f"UPDATE bookings SET end_time = end_time + 100000000000 {BOOKING}", f"UPDATE bookings SET end_time = end_time - 100000000000 {BOOKING}"),
        on_both("booking", f"UPDATE bookings SET status = 'other' {BOOKING}", f"UPDATE bookings SET status = 'pendente' {BOOKING}"),
        on_both("booking", f"UPDATE bookings SET status = 'cancelado' {BOOKING}", f"UPDATE bookings SET status = 'pendente' {BOOKING}"),
        on_both("booking", "UPDATE resource_locks SET resource_id = {elsewhere} WHERE resource_id = {resource}",
                "UPDATE resource_locks SET resource_id = {resource} WHERE resource_id = {elsewhere}"),
    ],
    "events": [
        on_both("audit", "UPDATE audit_events SET version = 99 WHERE subject_id = {second} AND version = 2",
                "UPDATE audit_events SET version = 2 WHERE version = 99"),
        on_both("booking", f"UPDATE bookings SET version = version - 1 {BOOKING}", f"UPDATE bookings SET version = version + 1 {BOOKING}"),
        on_both("booking", f"UPDATE bookings SET version = version + 1, updated_at = updated_at - 1000000000 {BOOKING}",
                f"UPDATE bookings SET version = version - 1, updated_at = updated_at + 1000000000 {BOOKING}"),
    ],
    "overlaps": [
        on_both("booking", f"UPDATE bookings SET start_time = start_time - 1800000000 {BOOKING}", f"UPDATE bookings SET start_time = start_time + 1800000000 {BOOKING}"),
        on_both("resource", "UPDATE resources SET capacity = 1 WHERE capacity = 2", "UPDATE resources SET capacity = 2 WHERE capacity = 1"),
    ],
    "resources": [
        on_both("booking", "INSERT INTO resource_locks (tenant_id, resource_id, version) VALUES ({tenant}, {elsewhere}, 1)",
                "DELETE FROM resource_locks WHERE resource_id = {elsewhere}"),
        on_both("resource", "UPDATE resources SET deleted_at = 1 WHERE id = {resource}", "UPDATE resources SET deleted_at = NULL WHERE id = {resource}"),
    ],
    "users": [
        on_both("booking", f"UPDATE bookings SET user_id = {{elsewhere}} {BOOKING}", f"UPDATE bookings SET user_id = {{user}} {BOOKING}"),
        on_both("user", "UPDATE users SET deleted_at = 1 WHERE id = {user}", "UPDATE users SET deleted_at = NULL WHERE id = {user}"),
    ],
    "sessions": [on_both("user", "UPDATE sessions SET user_id = {elsewhere}", "UPDATE sessions SET user_id = {person}")],
    "sealed": [on_both("user", "UPDATE identity_providers SET client_secret = client_secret || 'x'",
                       "UPDATE identity_providers SET client_secret = substr(client_secret, 1, length(client_secret) - 1)")],
    "audit": [on_both("audit", "UPDATE audit_events SET version = version + 1 WHERE number = 1",
                      "UPDATE audit_events SET version = version - 1 WHERE number = 1")],
}


def test_each_check_has_its_fault():
    assert list(FAULTS) == CHECKS


@pytest.mark.parametrize("check, which", [(check, n) for check, cases in FAULTS.items() for n in range(len(cases))])
def test_a_planted_fault_is_found(used, store, check, which):
    if store not in FAULTS[check][which]:
        pytest.skip("of the other store")
    room, plant, undo = FAULTS[check][which][store]
    ids = {"first": used.first, "second": used.second, "elsewhere": ELSEWHERE, "tenant": used.business.id,
           "resource": used.business.resource["id"], "category": used.business.category["id"],
           "user": used.business.user["id"], "person": used.person["id"]}
    ids = {name: used.id(id_) for name, id_ in ids.items()}
    try:
        ledger.write(used.marca, room, plant.format(**ids))
    except AssertionError as half_built:
        assert "half" in str(half_built)
    try:
        found, checks, total = used.check("--only", check, status=1)
        assert {line["check"] for line in found} == {check}
        assert [line["faults"] for line in checks] == [total["faults"]] == [len(found)]
    finally:
        ledger.write(used.marca, room, undo.format(**ids))


def test_the_faults_are_gone(used):
    assert used.check()[0] == []


def test_what_is_not_here_is_left_out(tmp_path):
    """Only one of the stores is configured: what needs others says so."""
    with harness.Marca() as marca:
        Business(marca.api(), ANY_TIME).book("2025-12-03T10:00", "2025-12-03T11:00")
        marca.stop()
        marca.env["BOOKING_DATABASE_URL"] = f"sqlite:{marca.data}/booking.db"
        lines = [json.loads(line) for line in marca.run("check", "--json").splitlines()]
        left_out = {line["check"] for line in lines if line.get("left_out")}
        assert left_out == {"events", "overlaps", "resources", "users", "sessions", "sealed", "audit"}
        assert "left out" in marca.run("check") and "the store of resource is not configured here" in marca.run("check")


def test_usage():
    with harness.Marca() as marca:
        for words in (["--fast"], ["--only"], ["--only", "nothing"], ["schema"]):
            assert "Usage: marca check" in marca.run("check", *words, status=2)
        marca.stop()
        (marca.data / "booking.db").unlink()
        marca.run("check", status=1)
        marca.start()
