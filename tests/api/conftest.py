"""The API, and all around it, on each of the ways to run marca: one process with SQLite, one with PostgreSQL, and the
fleet of four processes behind nginx (fleet.py)."""
import pytest

import harness


@pytest.fixture(scope="session", params=["sqlite", "postgres", "fleet"])
def store(request):
    return harness.need_store(request.param)
