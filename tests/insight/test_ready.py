"""/ready: what this process leans on, and what of that keeps requests away from it."""
import json
import sqlite3

import pytest

import harness
import page

STORES = ["tenant", "user", "resource", "booking", "audit"]
SERVICES = [*STORES, "auth"]
FINE = {**dict.fromkeys(STORES, "ok"), "migrations": "ok", "bus": "ok"}


def ask(marca):
    """(status, body)"""
    reply = marca.api().get("/ready")
    assert set(reply.json) == {"status", "service", "checks"}
    return reply.status, reply.json


def becomes(marca, status, word, **checks):
    """Until it is so: what is wrong may be seen only when a connection is next used."""
    wanted = {"status": word, "service": ",".join(SERVICES), "checks": {**FINE, **checks}}
    harness.until(f"it is {word}", lambda: ask(marca) == (status, wanted))


def test_all_is_well(marca):
    becomes(marca, 200, "ok")
    assert page.read(marca.api()).get("marca_ready") == 1


def test_services_are_those_of_the_openapi_documents(marca):
    """Each of them has a page of its own."""
    for name in SERVICES:
        assert json.loads(marca.run("openapi", name))["openapi"].startswith("3.1")


def sql(marca, text):
    """In the booking service's store, past marca."""
    if marca.database is not None:
        return marca.database.sql(marca.database.url, text)
    with sqlite3.connect(marca.data / "booking.db") as db:
        db.execute(text)
    return db.close()


def test_schema(store):
    """Behind: not ready. Ahead, where the next version has begun to replace this one: ready, and told."""
    with harness.Marca(store) as marca:
        becomes(marca, 200, "ok")
        sql(marca, "INSERT INTO marca_schema (room, number, name, applied_at) VALUES ('booking', 9999, 'next', 0)")
        becomes(marca, 200, "degraded", migrations="degraded")
        assert page.read(marca.api()).get("marca_ready") == 1
        sql(marca, "DELETE FROM marca_schema WHERE room = 'booking' AND number > 1")
        becomes(marca, 503, "unavailable", migrations="unavailable")
        assert page.read(marca.api()).get("marca_ready") == 0
        assert page.read(marca.api()).get("marca_check_up", check="migrations") == 0


def test_bus_is_not_vital():
    """Bookings go on without it, and their events wait: whoever took this process out would make it an outage."""
    with harness.Redis() as redis, harness.Marca(env={"REDIS_URL": redis.url}) as marca:
        becomes(marca, 200, "ok")
        redis.kill()
        becomes(marca, 200, "degraded", bus="unavailable")
        redis.start()
        becomes(marca, 200, "ok")


def allow(database, allowed):
    """Nobody gets in any more, and whoever was in is out; or everybody may again."""
    database.sql(database.cluster, f'ALTER DATABASE "{database.name}" ALLOW_CONNECTIONS {allowed}')
    if not allowed:
        database.sql(database.cluster, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database.name}'")


def test_store_is_vital(marca):
    if marca.database is None:
        pytest.skip("a file that is open stays open")
    down = dict.fromkeys(STORES, "unavailable")
    allow(marca.database, False)
    try:
        becomes(marca, 503, "unavailable", **down)
        shown = page.read(marca.api())
        assert shown.get("marca_check_up", check="booking") == 0 and shown.get("marca_ready") == 0
        assert not shown.all("marca_outbox_events"), "what cannot be known is not told"
        assert marca.api().get("/health").status == 200
    finally:
        allow(marca.database, True)
    becomes(marca, 200, "ok")


def test_probe_is_never_refused():
    with harness.Marca(env={"RATE_IP": "1"}) as marca:
        api = marca.api()
        assert {api.get("/ready").status for _ in range(20)} == {200}
