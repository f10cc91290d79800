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
        # The streams of a Redis that came back empty begin anew, with all that the outboxes have.
        streams.settle(marca)
        streams.check_all(marca, business.id)
