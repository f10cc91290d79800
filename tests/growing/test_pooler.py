"""marca behind PgBouncer in transaction mode, which scripts/with-postgres starts. The tests of bookings run here once more; the
stores' own do too (`db-behind-pooler` and `postgres-behind-pooler` of src/db), and src/db/pooler_test.c holds what one
transaction leaves to the next.
"""
import os
import urllib.parse

import pytest

import harness
import ledger
import test_races
from test_bookings import *  # pylint: disable=wildcard-import,unused-wildcard-import

ROUNDS = 40
# They start a marca of their own, which would not be behind the pooler.
del test_time_goes_by, test_a_window_at_a_time_that_does_not_exist


def pooled(database):
    """The settings of a marca that reaches that database through the pooler."""
    pooler = urllib.parse.urlsplit(os.environ["MARCA_TEST_POOLER"])
    return {"DATABASE_URL": pooler._replace(path=f"/{database.name}").geturl(), "MARCA_DB_POOLED": "1"}


@pytest.fixture(scope="module")
def store():
    if "MARCA_TEST_POOLER" not in os.environ:
        if "CI" in os.environ:
            pytest.fail("MARCA_TEST_POOLER is not set: run under scripts/with-postgres, with PgBouncer")
        pytest.skip("no MARCA_TEST_POOLER; scripts/with-postgres sets it where PgBouncer is installed")
    return "postgres"


@pytest.fixture(scope="module")
def marca(store):
    server = harness.Marca(store)
    server.env.update(pooled(server.database))
    with server:
        yield server


@pytest.fixture(scope="module")
def beside(marca):
    """A second process, on the same database through the same pooler."""
    with harness.Marca("sqlite", env=pooled(marca.database)) as server:
        yield server


def test_it_goes_through_the_pooler(marca, api):
    """Or this module would show nothing: the server sees PgBouncer's two connections, and none of marca's own."""
    test_races.lax(api)
    sessions = ledger.rows(marca, "booking", "SELECT pid, client_addr FROM pg_stat_activity WHERE application_name = 'marca' "
                           "AND datname = current_database()")
    assert 0 < len(sessions) <= 2 and {row["client_addr"] for row in sessions} == {None}  # PgBouncer's, by the socket


def test_one_slot_at_two_processes(marca, beside, api):
    business = test_races.lax(api)
    test_races.one_slot(business, [marca.address, beside.address], ROUNDS)
    test_races.all_kept(marca, business, ROUNDS)


def test_effects_of_another_process(marca, beside):
    """No LISTEN reaches anybody: whoever holds the relay's lease looks by himself, and the event has its effect."""
    one, two = marca.api(), beside.api()
    for api in (one, two):
        business = test_races.lax(api)
        booking = business.book("2025-12-20T10:00:00Z", "2025-12-20T10:05:00Z")
        harness.until("he is told of it", lambda business=business, booking=booking: any(
            row["booking_id"] == booking["id"] for row in ledger.rows(
                marca, "user", f"SELECT booking_id FROM notifications WHERE tenant_id = '{business.id}'")))


@pytest.mark.parametrize("setting", [None, "0"])
def test_not_told_of_the_pooler(setting, marca):
    """It says what to set, and does not start."""
    env = {**marca.env, **pooled(marca.database), "MARCA_DB_POOLED": setting, "MARCA_DB_WAIT": "0"}
    with harness.Marca("sqlite") as other:
        other.env = {name: value for name, value in env.items() if value is not None}
        assert "MARCA_DB_POOLED=1" in other.run("migrate", "all", status=1)
