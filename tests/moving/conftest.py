"""Moving data: export, import, backup, restore. `place`: makes empty places of either store for a test."""
import pathlib
import sys

import pytest

import harness

# The helpers of the API's and the events' tests: business.py, ledger.py, streams.py.
for folder in ("api", "events"):
    sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / folder))


@pytest.fixture
def place(request):
    """place(store): a Marca that has not been started, and whose data go with the test."""

    def make(store="sqlite", **options):
        marca = harness.Marca(store, **options)
        request.addfinalizer(marca.clean)
        request.addfinalizer(marca.kill)
        return marca

    return make
