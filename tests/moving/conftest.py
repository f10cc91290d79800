"""Moving data: export, import, backup, restore.

place   place(store, ...): a Marca that has not been started, whose data go with the test
fleet   four processes with a database each, a Redis and nginx, which have been started once: nothing is in them yet
"""
import pytest

import harness

# What a process that is gone had taken is given to others so soon.
QUICK = {"EVENT_LEASE_MS": "400", "EVENT_CLAIM_MS": "600"}


@pytest.fixture
def place(request):
    def make(store="sqlite", env=None):
        marca = harness.Marca(store, env={**QUICK, **(env or {})})
        request.addfinalizer(marca.clean)
        request.addfinalizer(marca.kill)
        return marca

    return make


@pytest.fixture
def fleet(place):
    marca = place("fleet")
    marca.start()
    marca.stop()
    return marca
