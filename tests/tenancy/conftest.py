"""Two tenants that must never meet, on a marca that asks everybody for a token: houses.py."""
import pytest

import houses


@pytest.fixture(scope="session")
def street(store):
    with houses.Street(store) as street:
        yield street
