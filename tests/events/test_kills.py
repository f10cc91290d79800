"""SIGKILL, again and again, of what relays and consumes, under load: nothing lost, no effect doubled, order kept.

MARCA_KILLS: how often (50; `make fault`: 200). A class each, so that xdist runs them side by side.
"""
import os
import random

import harness
import streams
from business import ANY_TIME, Business
from load import Load

KILLS = int(os.environ.get("MARCA_KILLS", "50"))
QUICK = {"EVENT_LEASE_MS": "400", "EVENT_CLAIM_MS": "400", "EVENT_WORKERS": "2"}


class TestOneProcess:
    def test_one_process_with_all_in_it(self):
        """Relay, bus and consumers on SQLite die together, at any moment."""
        chance = random.Random(1)
        with harness.Marca("sqlite", env=QUICK) as marca:
            business = Business(marca.api(), ANY_TIME)
            with Load([marca], business) as load:
                for _ in range(KILLS):
                    load.stopping.wait(chance.uniform(0.05, 0.5))
                    marca.kill()
                    marca.start()
            assert not load.refused, load.refused
            streams.settle(marca)
            events = streams.check_all(marca, business.id)
            assert {event["subject_id"] for event in events} >= set(load.acknowledged)


class TestTwoProcesses:
    def test_two_processes_of_which_one_dies(self):
        """On PostgreSQL and Redis two share the work; the lease and what was pending go to the other."""
        chance = random.Random(2)
        with harness.Redis() as redis:
            env = {**QUICK, "REDIS_URL": redis.url}
            with harness.Marca("postgres", env=env) as first, harness.Marca("postgres", env=env, beside=first) as second:
                business = Business(first.api(), ANY_TIME)
                with Load([first, second], business) as load:
                    for _ in range(KILLS):
                        load.stopping.wait(chance.uniform(0.05, 0.5))
                        victim = chance.choice([first, second])
                        victim.kill()
                        victim.start()
                assert not load.refused, load.refused
                streams.settle(first)
                events = streams.check_all(first, business.id)
                assert {event["subject_id"] for event in events} >= set(load.acknowledged)
