"""Moving data: export, import, backup, restore.

place   place(store, ...): a Marca that has not been started, whose data go with the test
fleet   a Marca on four databases and a Redis of its own, not started either
"""
import pathlib
import sys

import pytest

import harness

# The helpers of the API's and the events' tests: business.py, ledger.py, streams.py.
for folder in ("api", "events"):
    sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / folder))

ROOMS = {"tenant": "tenant", "audit": "tenant", "user": "user", "resource": "resource", "booking": "booking"}


@pytest.fixture
def place(request):
    def make(store="sqlite", **options):
        marca = harness.Marca(store, **options)
        request.addfinalizer(marca.clean)
        request.addfinalizer(marca.kill)
        return marca

    return make


@pytest.fixture
def fleet(request, place):
    with harness.Redis() as redis:
        databases = {name: harness.PostgresDatabase() for name in sorted(set(ROOMS.values()))}
        env = {f"{room.upper()}_DATABASE_URL": databases[name].url for room, name in ROOMS.items()}
        marca = place("sqlite", env={**env, "REDIS_URL": redis.url})
        marca.redis = redis
        marca.databases = {room: databases[name] for room, name in ROOMS.items()}
        marca.database = databases["tenant"]
        yield marca
        marca.kill()
        marca.database = None
        for database in databases.values():
            database.drop()
