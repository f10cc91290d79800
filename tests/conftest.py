"""Fixtures for every test that needs a running marca. See harness.py.

marca   a server that the whole session shares, once per store: tests keep apart by their own tenants
api     a fresh connection to it
store   "sqlite" and "postgres": a test that starts its own Marca(store) takes this one
"""
import pytest

import harness


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def store(request):
    return harness.need_store(request.param)


@pytest.fixture(scope="session")
def marca(store):
    with harness.Marca(store) as server:
        yield server


@pytest.fixture
def api(marca):
    return marca.api()
