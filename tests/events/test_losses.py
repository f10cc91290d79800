"""What goes back in time, or never answers: a Redis that lost its end, a database that was set back, a commit of unknown outcome."""
import os
import socket
import time
import threading
import urllib.parse

import harness
import ledger
import pytest
import streams
from business import ANY_TIME, Business

SOON = 30  # s: without anything else happening meanwhile


def ids(marca):
    return [event["event_id"] for event in streams.read(marca, "tenant-events")]


def change(marca, tenant, interval):
    """Makes one event in tenant-events; its id by the outbox."""
    settings = {**tenant["settings"], "booking_interval": interval}
    reply = marca.api().put(f"/tenants/{tenant['id']}/settings", settings)
    assert reply.status == 200, reply
    rows = ledger.rows(marca, "tenant", "SELECT id FROM tenant_outbox ORDER BY created_at DESC LIMIT 1")
    return rows[0]["id"]


def test_redis_forgets_while_nothing_happens(store):
    """Nobody writes to that room any more: its events are given to the stream again all the same."""
    with harness.Redis() as redis, harness.Marca(store, env={"REDIS_URL": redis.url}) as marca:
        tenant = harness.make_tenant(marca.api())
        made = [change(marca, tenant, interval) for interval in (15, 20, 30)]
        streams.until("all are there", lambda: ids(marca) == made)
        redis.kill()
        redis.wipe()
        redis.start()
        streams.until("all are there again", lambda: ids(marca) == made, SOON)


def test_a_stream_is_deleted():
    """Only the stream: what stands beside it says that all was taken. Of its two sources one goes on."""
    with harness.Redis() as redis, harness.Marca("sqlite", env={"REDIS_URL": redis.url}) as marca, redis.client() as client:
        tenant = harness.make_tenant(marca.api())
        user = harness.make_user(marca.api(), tenant)
        assert marca.api().put(f"/users/{user['id']}", {"name": "Another"}).status == 200
        change(marca, tenant, 15)
        streams.settle(marca)
        before = set(ids(marca))
        assert len(before) == 2
        client.delete("tenant-events")
        made = change(marca, tenant, 20)
        streams.until("all are there again", lambda: set(ids(marca)) == before | {made}, SOON)


def test_a_database_goes_back_beneath_its_relay(store):
    """As when a replica that lags takes over: what comes next gets numbers that the stream has had."""
    with harness.Redis() as redis, harness.Marca(store, env={"REDIS_URL": redis.url, "EVENT_LEASE_MS": "400"}) as marca:
        tenant = harness.make_tenant(marca.api())
        made = [change(marca, tenant, interval) for interval in (15, 20, 30, 60)]
        streams.until("all are there", lambda: ids(marca) == made)
        ledger.write(marca, "tenant", "DELETE FROM tenant_outbox WHERE sequence > 1")
        ledger.write(marca, "tenant", "UPDATE tenant_relay SET sequence = 1")
        new = [change(marca, tenant, interval) for interval in (15, 20)]
        streams.until("the new ones are there", lambda: set(new) <= set(ids(marca)), SOON)


class Proxy:
    """Before PostgreSQL. Once `secret` is set, it ends the first connection that sends it: without the answer, and unless it is
    deaf, after it was passed on."""

    def __init__(self, url, secret=None, deaf=False):
        parts = urllib.parse.urlsplit(url)
        self.target = (parts.hostname, parts.port)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = parts._replace(
            netloc=parts.netloc.replace(f"{parts.hostname}:{parts.port}", "127.0.0.1:%d" % self.server.getsockname()[1])).geturl()
        self.secret, self.deaf = secret, deaf
        self.struck = threading.Event()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            server = socket.create_connection(self.target)
            mute = threading.Event()
            threading.Thread(target=self.carry, args=(client, server, mute, True), daemon=True).start()
            threading.Thread(target=self.carry, args=(server, client, mute, False), daemon=True).start()

    def carry(self, source, sink, mute, asks):
        try:
            while data := source.recv(65536):
                if asks and self.secret is not None and self.secret in data and not self.struck.is_set():
                    mute.set()
                    self.struck.set()
                    if not self.deaf:
                        sink.sendall(data)
                        threading.Event().wait(0.5)  # so long the commit may take
                    break
                if asks or not mute.is_set():
                    sink.sendall(data)
        except OSError:
            pass
        for one in (source, sink):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def test_a_mark_of_unknown_outcome():
    """PostgreSQL has numbered an event, and the relay never hears so: it publishes it all the same."""
    with harness.Marca("postgres") as owner:
        tenant = harness.make_tenant(owner.api())
        owner.stop()
        proxy = Proxy(owner.database.url)
        with harness.Marca("postgres", env={"DATABASE_URL": proxy.url}, beside=owner) as marca:
            streams.until("the first is there", lambda made=change(marca, tenant, 15): ids(marca) == [made])
            proxy.secret = b"\0tenant_relay_mark\0"
            made = change(marca, tenant, 20)
            assert proxy.struck.wait(20)
            streams.until("the second is there", lambda: ids(marca)[1:] == [made], SOON)
        proxy.server.close()


def test_a_name_that_was_not_kept():
    """Under a name that the database has not kept nothing is published: it would come again under the next."""
    with harness.Marca("postgres") as owner:
        tenant = harness.make_tenant(owner.api())
        made = change(owner, tenant, 15)
        owner.stop()
        ledger.write(owner, "tenant", "UPDATE tenant_relay SET source = NULL")
        proxy = Proxy(owner.database.url, b"\0tenant_relay_renew\0", deaf=True)
        with harness.Marca("postgres", env={"DATABASE_URL": proxy.url}, beside=owner) as marca:
            assert proxy.struck.wait(20)
            streams.until("it is there", lambda: ids(marca))
            marca.stop()
            marca.start()
            made = [made, change(marca, tenant, 20)]
            streams.until("the second is there", lambda: made[1] in ids(marca))
            assert ids(marca) == made
        proxy.server.close()


def test_replay_from_beyond_the_end(own_bus):
    """A group is not set to where its stream has not got yet: what comes next is given to it in any case."""
    with harness.Marca("sqlite", env=own_bus) as marca:
        tenant = harness.make_tenant(marca.api())
        streams.until("it is there", lambda made=change(marca, tenant, 15): ids(marca) == [made])
        streams.settle(marca)
        marca.run("events", "replay", "--group", "audit", "--stream", "tenant-events", "--from", "1000")
        made = change(marca, tenant, 20)
        streams.until("it is in the audit trail", lambda: ledger.rows(
            marca, "audit", f"SELECT event_id FROM audit_events WHERE event_id = {ledger.literal(marca, made)}"), SOON)


@pytest.mark.parametrize("lost", [False, True], ids=["read-again", "redis-lost-it"])
def test_no_effect_is_forgotten_that_may_come_again(store, lost):
    """Long after the retention: a stream that an outside group holds, read again; an outbox that is given to an empty Redis."""
    with harness.Redis() as redis, harness.Marca(
            store, clock="2025-12-01T12:00:00Z", env={"REDIS_URL": redis.url, "EVENT_RETENTION_HOURS": "1"}) as marca:
        business = Business(marca.api(), ANY_TIME)
        for hour in (10, 11):
            business.book(f"2025-12-05T{hour}:00", f"2025-12-05T{hour + 1}:00")
        streams.settle(marca)
        if not lost:
            with redis.client() as client:
                client.xgroup_create("booking-events", "outside", "0")
        marca.stop()
        if lost:
            redis.kill()
            redis.wipe()
            redis.start()
        marca.env["MARCA_CLOCK"] = "2025-12-01T22:00:00Z"
        marca.start()
        time.sleep(4)  # the janitor has been there
        marca.run("events", "replay", "--group", "resource-service", "--stream", "booking-events", "--from", "1")
        time.sleep(3)
        counts = ledger.rows(marca, "resource", "SELECT bookings_created AS n FROM resource_metrics")
        assert [row["n"] for row in counts] == [2]


def test_a_stream_that_refuses_everything():
    """What Redis keeps of a source was written over: the relay says so, and does not ask without a rest."""
    with harness.Redis() as redis, harness.Marca("sqlite", env={"REDIS_URL": redis.url}) as marca, redis.client() as client:
        tenant = harness.make_tenant(marca.api())
        streams.until("it is there", lambda made=change(marca, tenant, 15): ids(marca) == [made])
        sources = "{tenant-events}:sources"
        for name in client.hkeys(sources):
            client.hset(sources, name, "nonsense")
        client.config_resetstat()
        change(marca, tenant, 20)
        streams.until("it says so", lambda: '"who":"tenant-relay"' in marca.log())
        time.sleep(1)
        stats = client.info("commandstats")
        assert sum(stats[name]["calls"] for name in stats if name in ("cmdstat_eval", "cmdstat_evalsha")) < 100


@pytest.mark.skipif("asan" in os.environ.get("MARCA_BUILD", ""), reason="68 MB a look are too slow under the sanitizers")
def test_an_entry_longer_than_any_answer():
    """Somebody else wrote it. What lies beside it in the stream is handled all the same, and so is what comes after it."""
    with harness.Redis() as redis, harness.Marca(
            "sqlite", env={"REDIS_URL": redis.url, "EVENT_WORKERS": "0", "EVENT_CLAIM_MS": "1000"}) as marca:
        business = Business(marca.api(), ANY_TIME)
        booked = [business.book("2025-12-05T10:00", "2025-12-05T11:00")["id"]]
        streams.until("it is there", lambda: streams.read(marca, "booking-events"))
        marca.stop()
        with redis.client() as client:
            client.xadd("booking-events", {"event_type": "x", "payload": "x" * 68_000_000, "metadata": "{}"}, id="2-0")
        marca.env["EVENT_WORKERS"] = "1"
        marca.start()
        streams.until("its groups are told", lambda: streams.lines(marca, "groups"))
        business.api = marca.api()
        booked.append(business.book("2025-12-05T12:00", "2025-12-05T13:00")["id"])
        streams.until("both are handled", lambda: {row["booking_id"] for row in ledger.rows(
            marca, "user", "SELECT booking_id FROM notifications")} == set(booked))
