"""Fixtures for every test that needs a running marca. See harness.py.

marca   a server that the whole session shares, once per store: tests keep apart by their own tenants
api     a fresh connection to it
store   "sqlite" and "postgres": one process with either; and in the folders below "fleet", four of them behind nginx.
        A test that starts its own Marca(store) takes this one
"""
import pytest

import harness

# What is asked of marca here holds for a fleet word for word. Elsewhere tests look at one process, or at its files.
ON_A_FLEET = ("api", "auth", "tenancy")


def pytest_collection_modifyitems(items):
    """One fixture for all: with another one of its own in a folder, what hangs on it would outlive the change."""
    items[:] = [
        item for item in items
        if getattr(item, "callspec", None) is None or item.callspec.params.get("store") != "fleet"
        or item.path.parent.name in ON_A_FLEET
    ]


@pytest.fixture(scope="session", params=["sqlite", "postgres", "fleet"])
def store(request):
    return harness.need_store(request.param)


@pytest.fixture(scope="session")
def marca(store):
    with harness.Marca(store) as server:
        yield server


@pytest.fixture
def api(marca):
    return marca.api()
