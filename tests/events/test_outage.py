"""Redis dies and comes back, with its data and without: bookings go on, and no event is lost or had twice.

MARCA_REDIS_KILLS: how often in each test (4; `make fault`: 50).
"""
import os
import time

import pytest

import harness
import streams
from business import ANY_TIME, Business
from load import Load

KILLS = int(os.environ.get("MARCA_REDIS_KILLS", "4"))


@pytest.mark.parametrize("wiped", [False, True], ids=["with-its-data", "without"])
def test_redis_restarts_under_load(store, wiped):
    with harness.Redis() as redis, harness.Marca(store, env={"REDIS_URL": redis.url, "EVENT_CLAIM_MS": "600"}) as marca:
        business = Business(marca.api(), ANY_TIME)
        with Load([marca], business) as load:
            for _ in range(KILLS):
                time.sleep(0.5)
                redis.kill()
                before = len(load.acknowledged)
                streams.until("bookings go on", lambda before=before: len(load.acknowledged) > before + 5)
                if wiped:
                    redis.wipe()
                redis.start()
        assert not load.refused, load.refused
        streams.settle(marca) if not wiped else settle_wiped(marca)
        if wiped:
            check_effects_only(marca, business.id)
        else:
            streams.check_all(marca, business.id)


def everything(marca):
    """By the outboxes, since a stream that was lost holds only what was sent again."""
    events = []
    for room, stream in (("booking", "booking-events"),):
        for row in streams.ledger.rows(
                marca, room, "SELECT id, tenant_id, type, stream, payload FROM booking_outbox"):
            events.append({"event_id": row["id"], "tenant_id": row["tenant_id"], "type": row["type"], "stream": stream,
                           "payload": row["payload"]})
    return events


def settle_wiped(marca):
    def done():
        groups = streams.lines(marca, "groups")
        return (streams.waiting(marca) == 0 and {group["group"] for group in groups} >= streams.GROUPS
                and all(group["pending"] == 0 and group["lag"] == 0 for group in groups))

    streams.until("all events are handled", lambda: done() and done())


def check_effects_only(marca, tenant_id):
    streams.check_effects(marca, tenant_id, everything(marca))
    assert "intact" in marca.run("audit", "verify")
