"""Schemas that change while other processes look on: one does it, and a binary from before goes on working."""
import concurrent.futures
import contextlib

import pytest

import harness
import ledger
from business import ANY_TIME, Business

ROOMS = {"tenant", "user", "resource", "booking", "audit"}


def in_room(marca, room, sql):
    ledger.write(marca, room, sql)


def applied(marca, room, number, since):
    """As a later marca would have left it."""
    in_room(marca, room, "INSERT INTO marca_schema (room, number, name, applied_at, since) "
                         f"VALUES ('{room}', {number}, 'later', 0, {since})")


def newest(marca, room):
    return ledger.rows(marca, room, f"SELECT max(number) AS n FROM marca_schema WHERE room = '{room}'")[0]["n"]


def test_eight_start_at_once():
    """On an empty database, half of them by `marca migrate`: all come up, and each migration was done once."""
    harness.need_store("postgres")
    with harness.Redis() as redis, contextlib.ExitStack() as stack:
        env = {"REDIS_URL": redis.url, "MARCA_DB_WRITERS": "1", "MARCA_DB_READERS": "1"}
        first = harness.Marca("postgres", env=env)
        serving = [first, *(harness.Marca("postgres", env=env, beside=first) for _ in range(3))]
        stack.callback(lambda: [marca.clean() for marca in reversed(serving)])
        stack.callback(lambda: [marca.kill() for marca in serving])
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            starts = [pool.submit(marca.start) for marca in serving]
            migrations = [pool.submit(first.run, "migrate", "all") for _ in range(4)]
            for one in [*starts, *migrations]:
                one.result()
        Business(serving[3].api(), ANY_TIME).book("2025-12-03T10:00", "2025-12-03T11:00")
        rows = ledger.rows(first, "tenant", "SELECT room, count(*) AS n, max(number) AS last FROM marca_schema GROUP BY room")
        assert {row["room"] for row in rows} == ROOMS
        assert all(row["n"] == row["last"] for row in rows), rows
        for marca in serving:
            marca.stop()


def test_a_newer_schema_that_expanded(store):
    """The release after this one has added a column, a table and an index, and says that anybody may run beside it."""
    with harness.Marca(store) as marca:
        business = Business(marca.api(), ANY_TIME)
        business.book("2025-12-03T10:00", "2025-12-03T11:00")
        known = newest(marca, "booking")
        in_room(marca, "booking", "ALTER TABLE bookings ADD COLUMN later text")
        in_room(marca, "booking", "ALTER TABLE bookings ADD COLUMN later_still integer NOT NULL DEFAULT 7")
        in_room(marca, "booking", "CREATE TABLE later (id integer PRIMARY KEY)")
        in_room(marca, "booking", "CREATE INDEX bookings_later ON bookings (tenant_id, later)")
        applied(marca, "booking", known + 1, 0)
        business.book("2025-12-03T11:00", "2025-12-03T12:00")  # it was running when that happened
        marca.stop()
        marca.start()  # a rollback of the binary, or one more of the fleet
        business = Business(marca.api(), ANY_TIME)
        booking = business.book("2025-12-03T12:00", "2025-12-03T13:00")
        assert business.api.patch(f"/bookings/{booking['id']}/cancel", {"reason": "x"}).status == 200
        ledger.check(marca, business.id)
        if store == "postgres":  # a SQLite file belongs to the process that serves it
            assert f"booking    {known + 1} of {known}\n" in marca.run("migrate", "booking", "--status")
        assert marca.run("audit", "verify")  # commands, too, run beside it


def test_a_newer_schema_that_contracted(store):
    """One that no binary as old as this one can run beside: it does not start, and says why."""
    with harness.Marca(store) as marca:
        known = newest(marca, "booking")
        applied(marca, "booking", known + 1, known + 1)
        marca.stop()
        with pytest.raises(AssertionError, match="no binary so old may run beside it"):
            marca.start()
        marca.kill()
        assert "another version's" in marca.run("tenant", "export", "0193a3f2-7c00-7000-8000-000000000001", status=1)
        in_room(marca, "booking", f"UPDATE marca_schema SET since = {known} WHERE number = {known + 1}")
        marca.start()


def test_an_older_schema_is_brought_up_to_date(store):
    """Back to before the newest migration of the tenants' store, rows and all; and on again by the next start."""
    with harness.Marca(store) as marca:
        tenant = harness.make_tenant(marca.api())
        marca.stop()
        in_room(marca, "tenant", "ALTER TABLE tenant_settings DROP COLUMN self_signup")
        in_room(marca, "tenant", "DELETE FROM marca_schema WHERE room = 'tenant' AND number = 3")
        marca.start()
        assert marca.api().get(f"/tenants/{tenant['id']}").json["settings"]["self_signup"] is False
        assert newest(marca, "tenant") == 3
