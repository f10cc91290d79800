"""What a person, and a tenant, may ask of what is kept about them: to have it, and to have it gone.

Erasing is proved by searching for a canary: a text that stands in every field that takes one, looked for
afterwards in every table of every store, in the streams, in the dead letters, and in the log.
"""
import json
import os
import sqlite3
import subprocess
import time

import pytest

from harness import Marca, Redis, make_booking, make_category, make_resource, make_tenant, make_user, until

CANARY = "Canário-7f3a"


def dump(marca):
    """Every row of every store as text."""
    if marca.store == "postgres":
        return subprocess.run(
            ["pg_dump", "--data-only", "--inserts", "--enable-row-security", "-d", marca.database.url], check=True,
            env={**os.environ, "PGOPTIONS": "-c app.tenant=*"}, capture_output=True, text=True,
        ).stdout + embedded_dump(marca)
    return embedded_dump(marca)


def embedded_dump(marca):
    text = []
    for path in sorted(marca.data.glob("*.db")):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                for row in db.execute(f'SELECT * FROM "{table}"'):
                    shown = [value.hex() if isinstance(value, bytes) else value for value in row]
                    text.append(f"{path.name} {table} {shown!r}")
    return "\n".join(text)


def where(marca, canary, redis=None):
    """The lines in which the canary stands."""
    text = dump(marca) + "\n" + marca.stdout.read_text() + marca.stderr.read_text()
    if redis is not None:
        with redis.client() as client:
            for key in client.keys("*"):
                if client.type(key) == "stream":
                    text += "".join(f"\nredis {key} {entry!r}" for entry in client.xrange(key))
    return [line for line in text.split("\n") if canary in line]


def gone(marca, redis=None):
    until("the canary is nowhere", lambda: where(marca, CANARY, redis) == [])


def populate(api):
    """A user whose every text bears the canary, with bookings that were changed and cancelled."""
    tenant = make_tenant(api, {"cancellation_hours": 0})
    resource = make_resource(api, tenant, make_category(api, tenant))
    user = make_user(
        api, tenant, name=f"{CANARY} Silva", email=f"{CANARY.lower().replace('á', 'a')}@example.com", phone=f"{CANARY} 1",
        department=f"{CANARY} dept", metadata={"note": CANARY}, password="correct horse battery",
    )
    bookings = [
        make_booking(api, resource, user, f"2025-12-05T{hour}:00:00Z", f"2025-12-05T{hour + 1}:00:00Z", notes=f"{CANARY} {hour}")
        for hour in (12, 13, 14)
    ]
    assert api.put(f"/bookings/{bookings[0]['id']}", {"notes": f"{CANARY} new"}).status == 200
    cancelled = api.patch(f"/bookings/{bookings[1]['id']}/cancel", {"reason": f"{CANARY} ill"}, cancelled_by=f"{CANARY} himself")
    assert cancelled.status == 200
    return tenant, resource, user, bookings


@pytest.fixture(params=["sqlite", "postgres"])
def store(request):
    return request.param


@pytest.fixture(params=["sqlite", "postgres", "redis"])
def house(request):
    if request.param == "redis":
        with Redis() as redis, Marca("postgres", env={"REDIS_URL": redis.url}) as marca:
            yield marca, redis
    else:
        with Marca(request.param) as marca:
            yield marca, None


def settled(marca, api, tenant, count):
    """All events of it are in the trail."""
    until("all are in the trail", lambda: len(api.get("/audit/", tenant_id=tenant["id"], limit=1000).json) >= count)


def test_an_erased_person_is_nowhere_any_more(house):
    marca, redis = house
    api = marca.api()
    tenant, resource, user, bookings = populate(api)
    other = make_user(api, tenant)
    login = {"tenant_id": tenant["id"], "email": user["email"], "password": "correct horse battery"}
    assert api.post("/auth/login", login, {"User-Agent": "canary-agent"}).status == 200
    assert where(marca, "canary-agent", redis), "the search itself"
    kept = make_booking(api, resource, other, "2025-12-05T16:00:00Z", "2025-12-05T17:00:00Z", notes="Fica aqui")
    settled(marca, api, tenant, 6)
    assert len(where(marca, CANARY, redis)) >= 6, "the search itself"

    assert api.post(f"/users/{user['id']}/erase").status == 204
    gone(marca, redis)
    assert where(marca, CANARY.lower().replace("á", "a"), redis) == []
    assert where(marca, "canary-agent", redis) == []

    assert api.get(f"/users/{user['id']}").status == 404
    assert api.post(f"/users/{user['id']}/erase").status == 404
    states = {b["id"]: b for b in api.get("/bookings/", tenant_id=tenant["id"]).json}
    assert {states[b["id"]]["status"] for b in bookings} == {"cancelado"}, "what was to come was cancelled"
    assert all(states[b["id"]]["notes"] is None for b in bookings)
    assert states[kept["id"]]["notes"] == "Fica aqui" and states[kept["id"]]["status"] == "pendente"
    # The address can be used again, and the trail still proves itself.
    make_user(api, tenant, email=user["email"])
    assert "broken" not in marca.run("audit", "verify")
    assert marca.run("events", "dead") == "no dead letters\n"


def test_one_who_was_deleted_before_can_be_erased(house):
    marca, redis = house
    api = marca.api()
    tenant, _, user, _ = populate(api)
    settled(marca, api, tenant, 5)
    assert api.delete(f"/users/{user['id']}").status == 204
    settled(marca, api, tenant, 7)
    assert where(marca, CANARY, redis), "a deletion alone leaves him known"
    assert api.post(f"/users/{user['id']}/erase").status == 204
    gone(marca, redis)


def test_an_export_has_all_of_a_person_and_nobody_else():
    with Marca() as marca:
        api = marca.api()
        tenant, resource, user, bookings = populate(api)
        other = make_user(api, tenant, name="Outra Pessoa")
        make_booking(api, resource, other, "2025-12-05T16:00:00Z", "2025-12-05T17:00:00Z", notes="Da outra")
        until("all were told", lambda: len(api.get(f"/users/{user['id']}/export").json["notifications"]) >= 4)
        reply = api.get(f"/users/{user['id']}/export")
        assert reply.headers["Content-Disposition"].startswith("attachment")
        export = reply.json
        assert export["user"] == api.get(f"/users/{user['id']}").json
        assert {b["id"] for b in export["bookings"]} == {b["id"] for b in bookings}
        assert all(b["notes"].startswith(CANARY) for b in export["bookings"])
        assert {n["booking_id"] for n in export["notifications"]} == {b["id"] for b in bookings}
        assert "Outra" not in reply.text and "argon2" not in reply.text
        assert api.get("/users/0193a3f2-7c00-7000-8000-000000000001/export").status == 404


def rows_of(text):
    return [json.loads(line) for line in text.splitlines()]


def test_a_tenant_goes_out_and_away(house):
    marca, redis = house
    api = marca.api()
    tenant, _, user, bookings = populate(api)
    stays = make_tenant(api, name="Fica")
    make_user(api, stays, name="Fica também")
    settled(marca, api, tenant, 5)

    rows = rows_of(marca.run("tenant", "export", tenant["id"]))
    tables = {row["table"] for row in rows}
    assert {"tenants", "tenant_settings", "users", "categories", "resources", "bookings", "audit_events"} <= tables
    assert {row["row"]["id"] for row in rows if row["table"] == "bookings"} == {b["id"] for b in bookings}
    assert all(row["row"]["tenant_id"] == tenant["id"] for row in rows)
    assert [row["row"]["email"] for row in rows if row["table"] == "users"] == [user["email"]]
    assert not any("password_hash" in row["row"] for row in rows)

    assert "delete it first" in marca.run("tenant", "erase", tenant["id"], "--yes", status=1)
    assert marca.run("tenant", "erase", tenant["id"], status=2), "it wants --yes"
    assert api.delete(f"/tenants/{tenant['id']}").status == 204

    def erased():
        done = subprocess.run(
            [*marca.command, "tenant", "erase", tenant["id"], "--yes"], cwd=marca.folder, capture_output=True, text=True,
            env={**marca.env, "MARCA_DATA": str(marca.data)}, check=False,
        )
        return done.returncode == 0

    until("it is erased", erased)
    gone(marca, redis)
    # The marks of events that were handled name it still, until the retention ends: an id, and nothing else.
    everything = "\n".join(line for line in dump(marca).split("\n") if "_effects " not in line)
    assert tenant["id"] not in everything and tenant["id"].replace("-", "") not in everything
    assert marca.run("tenant", "export", tenant["id"]) == ""
    assert "Fica também" in everything
    assert api.get(f"/tenants/{stays['id']}").status == 200
    assert "broken" not in marca.run("audit", "verify")


def test_whoever_was_deleted_long_ago_is_erased(store):
    """The clock starts anew with each start: a month later, on the same data."""
    with Marca(store) as marca:
        api = marca.api()
        tenant, _, user, _ = populate(api)
        kept = make_user(api, tenant, name="Fica ainda")
        assert api.delete(f"/users/{user['id']}").status == 204
        settled(marca, api, tenant, 7)
        marca.stop()
        marca.env["MARCA_CLOCK"] = "2025-12-30T12:00:00Z"
        marca.start()
        time.sleep(5)  # the janitor has been round
        assert where(marca, CANARY), "29 days"
        marca.stop()
        marca.env["MARCA_CLOCK"] = "2026-01-01T12:00:00Z"
        marca.start()
        gone(marca)
        assert marca.api().get(f"/users/{kept['id']}").json["name"] == "Fica ainda"
