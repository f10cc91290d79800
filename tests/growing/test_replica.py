"""Lists from a streaming standby, made of the cluster that scripts/with-postgres runs: who has written sees it, and nobody sees an
error of it. The rule itself, case by case: src/db/replica_rule_test.c.
"""
import os
import signal

import pytest

import harness
import page
from business import ANY_TIME, Business
from load import Load
from standby import Standby, Stranger

PATIENT = {"MARCA_REPLICA_LAG_MS": "60000"}  # so that age alone never sends a read to the primary
SERVICES = ("tenant", "user", "resource", "booking", "audit")
LISTS = {"tenant": "/tenants/", "user": "/users/", "resource": "/resources/", "booking": "/bookings/"}
# Whatever may not be old.
NEVER = ("/resources/{resource}", "/resources/{resource}/availability?date=2025-12-05", "/bookings/{booking}", "/users/{user}",
         "/tenants/{tenant}")


@pytest.fixture(scope="module")
def standby():
    harness.need_store("postgres")
    with Standby() as server:
        yield server


def replicated(standby, **env):
    """A marca whose store has that standby."""
    marca = harness.Marca("postgres")
    marca.env.update({"DATABASE_REPLICA_URL": standby.url(marca.database.name), **PATIENT, **env})
    return marca


@pytest.fixture(scope="module")
def marca(standby):
    with replicated(standby) as server:
        yield server


def is_up(marca, service="booking"):
    return page.read(marca.api()).get("marca_replica_up", service=service) == 1


def reads(marca, store, service="booking"):
    return page.read(marca.api()).get("marca_replica_reads_total", service=service, store=store)


def ready(marca):
    reply = marca.api().get("/ready")
    assert reply.status == 200, reply
    return reply.json["checks"]["replicas"]


def asked(marca, business, service="booking"):
    """The list, and who answered it: {store: how often}."""
    before = {store: reads(marca, store, service) for store in ("primary", "replica")}
    query = {} if service == "tenant" else {"tenant_id": business.id}
    reply = marca.api().get(LISTS[service], **query)
    assert reply.status == 200, reply
    return [row["id"] for row in reply.json], {store: reads(marca, store, service) - n for store, n in before.items()}


def by_replica(marca, business, service="booking"):
    """What the replica says, once it has all that was written."""
    def ask():
        rows, answered = asked(marca, business, service)
        return answered["replica"] and (rows,)
    return harness.until(f"the replica answers the list of {service}", ask)[0]


def test_lists_come_from_it(marca):
    business = Business(marca.api(), ANY_TIME)
    booking = business.book("2025-12-05T10:00", "2025-12-05T11:00")
    kept = {"tenant": business.id, "user": business.user["id"], "resource": business.resource["id"], "booking": booking["id"]}
    for service in SERVICES:
        harness.until(f"the replica of {service} is up", lambda service=service: is_up(marca, service))
    for service, id_ in kept.items():
        assert id_ in by_replica(marca, business, service)
    harness.until("those of all stores are up", lambda: ready(marca) == "ok")
    shown = page.read(marca.api())
    assert shown.get("marca_replica_lag_seconds", service="booking") < 60
    told = {name: {label for label, _ in labels} for name, labels in shown.samples if name.startswith("marca_replica_")}
    assert len(told) == 3 and told == {name: page.series()[name] for name in told}


def test_what_may_not_be_old_is_never_asked_there(marca):
    business = Business(marca.api(), ANY_TIME)
    booking = business.book("2025-12-05T10:00", "2025-12-05T11:00")
    by_replica(marca, business)
    before = [reads(marca, store, service) for store in ("primary", "replica") for service in SERVICES]
    for path in NEVER:
        path = path.format(resource=business.resource["id"], booking=booking["id"], user=business.user["id"], tenant=business.id)
        assert marca.api().get(path).status == 200, path
    assert business.ask("2025-12-05T10:00", "2025-12-05T11:00").status == 409
    assert [reads(marca, store, service) for store in ("primary", "replica") for service in SERVICES] == before


def test_whoever_writes_sees_it(marca, standby):
    """Though the replica stands still. Until it goes on; then it answers, and has it all."""
    business = Business(marca.api(), ANY_TIME)
    by_replica(marca, business)
    standby.pause()
    try:
        booked = []
        for hour in range(10, 20):
            booked.append(business.book(f"2025-12-05T{hour}:00", f"2025-12-05T{hour + 1}:00")["id"])
            rows, answered = asked(marca, business)
            assert set(rows) == set(booked) and answered == {"primary": 1, "replica": 0}
    finally:
        standby.resume()
    assert set(by_replica(marca, business)) == set(booked)


def test_too_old_a_replica_is_not_asked(standby):
    """What others wrote is seen within MARCA_REPLICA_LAG_MS."""
    with replicated(standby, MARCA_REPLICA_LAG_MS="1000") as one, \
            harness.Marca("postgres", beside=one, env={"DATABASE_URL": one.database.url}) as other:
        mine = Business(one.api(), ANY_TIME)
        by_replica(one, mine)
        standby.pause()
        try:
            theirs = harness.create(other.api(), "/bookings/", mine.wanted("2025-12-05T10:00", "2025-12-05T11:00"))
            harness.until("it is told of it", lambda: theirs["id"] in asked(one, mine)[0])
            assert asked(one, mine)[1] == {"primary": 1, "replica": 0}
            assert ready(one) == "degraded"
        finally:
            standby.resume()
        assert by_replica(one, mine) == [theirs["id"]]


def test_killed_under_load(marca, standby):
    """No request fails, the lists go on, and it comes back."""
    business = Business(marca.api(), ANY_TIME)
    by_replica(marca, business)
    with Load([marca], business, clients=2) as load:
        lists = 0
        for gone in (False, True, False):
            if gone:
                standby.kill()
            elif standby.process is None:
                standby.start()
            harness.until("it is seen", lambda gone=gone: is_up(marca) != gone)
            made = len(load.acknowledged)
            while len(load.acknowledged) < made + 20:
                business.listed()
                lists += 1
        assert lists > 3
    assert not load.refused, load.refused
    assert set(by_replica(marca, business)) <= set(load.acknowledged)
    harness.until("those of all stores are up", lambda: ready(marca) == "ok")


def test_killed_and_not_noticed_yet(marca, standby):
    """The first reads after its death find it dead themselves: the primary answers them."""
    business = Business(marca.api(), ANY_TIME)
    by_replica(marca, business)
    standby.kill()
    try:
        for _ in range(20):
            assert business.listed() == []
        harness.until("it is told", lambda: ready(marca) == "degraded")
    finally:
        standby.start()
    by_replica(marca, business)


def test_silent(standby):
    """It is up and says nothing: the primary is asked after a while, and nobody waits for it at the end."""
    with replicated(standby) as marca:
        business = Business(marca.api(), ANY_TIME)
        by_replica(marca, business)
        standby.signal(signal.SIGSTOP)
        try:
            for _ in range(3):
                assert business.listed() == []
            harness.until("it is told", lambda: ready(marca) == "degraded")
            marca.stop()
        finally:
            standby.signal(signal.SIGCONT)
        marca.start()
        by_replica(marca, Business(marca.api(), ANY_TIME))


def test_another_cluster():
    """Of the same name, with the same roles: it is told once, and never read."""
    harness.need_store("postgres")
    marca = harness.Marca("postgres")
    with Stranger(marca.database.name) as stranger:
        marca.env["DATABASE_REPLICA_URL"] = stranger.url(marca.database.name)
        with marca:
            harness.until("it is told", lambda: "no standby of the store's primary" in marca.log())
            business = Business(marca.api(), ANY_TIME)
            assert asked(marca, business)[1] == {"primary": 1, "replica": 0}
            assert not is_up(marca) and ready(marca) == "degraded"


def test_the_primary_itself_is_no_replica():
    harness.need_store("postgres")
    marca = harness.Marca("postgres")
    marca.env["DATABASE_REPLICA_URL"] = marca.database.url
    with marca:
        harness.until("it is told", lambda: "no standby of the store's primary" in marca.log())
        assert not is_up(marca)


def test_behind_a_pooler(standby):
    """Each transaction is told what it is for, and whether the replica may be read."""
    if "MARCA_TEST_POOLER" not in os.environ:
        pytest.skip("no MARCA_TEST_POOLER")
    marca = harness.Marca("postgres")
    pooler = os.environ["MARCA_TEST_POOLER"].rsplit("/", 1)[0]
    marca.env.update({"DATABASE_URL": f"{pooler}/{marca.database.name}", "MARCA_DB_POOLED": "1",
                      "DATABASE_REPLICA_URL": standby.url(marca.database.name), **PATIENT})
    with marca:
        business = Business(marca.api(), ANY_TIME)
        booking = business.book("2025-12-05T10:00", "2025-12-05T11:00")
        assert by_replica(marca, business) == [booking["id"]]


def test_without_one_at_the_start():
    """Nobody is there yet: it starts, says so, and the primary answers."""
    harness.need_store("postgres")
    marca = harness.Marca("postgres")
    marca.env["DATABASE_REPLICA_URL"] = f"postgresql://marca@127.0.0.1:{harness.free_port()}/{marca.database.name}"
    with marca:
        assert Business(marca.api(), ANY_TIME).listed() == []
        assert ready(marca) == "degraded"


@pytest.mark.parametrize("url, said", [
    ("postgresql://marca@127.0.0.1/marca", "is SQLite, which has no replica"),
    ("sqlite:other.db", "it is no address of a PostgreSQL"),
])
def test_sqlite_has_none(url, said):
    with pytest.raises(AssertionError, match=said), harness.Marca("sqlite", env={"DATABASE_REPLICA_URL": url}):
        pass
