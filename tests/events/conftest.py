"""bus: "embedded" and "redis"; own_bus: for one test alone. served: a marca on each store with each bus, which a module shares."""
import pytest

import harness

QUICK = {"EVENT_LEASE_MS": "400", "EVENT_CLAIM_MS": "600"}


@pytest.fixture(scope="module", params=["embedded", "redis"])
def bus(request):
    if request.param == "embedded":
        yield {}
        return
    with harness.Redis() as redis:
        yield {"REDIS_URL": redis.url}


@pytest.fixture
def own_bus(bus):
    """The same, but nobody else's: a Redis holds the streams of one marca."""
    if not bus:
        yield {}
        return
    with harness.Redis() as redis:
        yield {"REDIS_URL": redis.url}


@pytest.fixture(scope="module")
def served(store, bus):
    with harness.Marca(store, env={**QUICK, **bus}) as marca:
        yield marca
