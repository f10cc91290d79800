"""Fixtures for every test that needs a running marca. See harness.py.

marca   a server that the whole session shares, once per store: tests keep apart by their own tenants
api     a fresh connection to it
store   "sqlite" and "postgres": a test that starts its own Marca(store) takes this one
"""
import os

import pytest

import harness


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def store(request):
    if request.param == "postgres" and "MARCA_TEST_PG" not in os.environ:
        if "CI" in os.environ:
            pytest.fail("MARCA_TEST_PG is not set: run under scripts/with-postgres")
        pytest.skip("no MARCA_TEST_PG; scripts/with-postgres sets it")
    return request.param


@pytest.fixture(scope="session")
def marca(store):
    with harness.Marca(store) as server:
        yield server


@pytest.fixture
def api(marca):
    return marca.api()
