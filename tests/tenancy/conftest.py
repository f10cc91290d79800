"""Two tenants that must never meet, on a marca that asks everybody for a token: houses.py."""
import pathlib
import sys

import pytest

import houses

for folder in ("api",):
    sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / folder))


@pytest.fixture(scope="session")
def street(store):
    with houses.Street(store) as street:
        yield street
