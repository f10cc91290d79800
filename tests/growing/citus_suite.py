"""Run by ./citus, which says what for. Two nodes, of which the one that marca speaks to has shards too."""
import os
import subprocess
import urllib.parse

import pytest

import harness
import ledger
import streams
import test_races
from business import ANY_TIME, Business
from load import Load
from test_bookings import *  # pylint: disable=wildcard-import,unused-wildcard-import


class Database(harness.PostgresDatabase):
    """Rows are shown to whoever names their tenant by SET LOCAL: Citus passes on no other."""

    @staticmethod
    def sql(url, text):
        words = ["SET citus.propagate_set_commands = 'local'", "BEGIN", "SET LOCAL app.tenant = '*'", text, "COMMIT"]
        return psql(url, *(words if text.startswith("SELECT") else [text]))

    def drop(self):
        """A superuser is in it, Citus itself; the cluster is gone when this ends."""


def psql(url, *statements):
    words = [word for statement in statements for word in ("-c", statement)]
    done = subprocess.run(["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", url, *words], check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{statements}: {done.stderr}"
    return done.stdout


def as_superuser(url, *statements):
    return psql(url.replace("marca@", "postgres@"), *statements)


def spread(server):
    """Its database becomes a Citus cluster of two nodes, and its tables are spread."""
    worker = os.environ["MARCA_TEST_WORKER"]
    here, there = (urllib.parse.urlsplit(url).port for url in (server.database.url, worker))
    name = server.database.name
    as_superuser(worker, f'CREATE DATABASE "{name}" OWNER marca')
    as_superuser(urllib.parse.urlsplit(worker)._replace(path=f"/{name}").geturl(), "CREATE EXTENSION citus")
    as_superuser(server.database.url, "CREATE EXTENSION citus", f"SELECT citus_set_coordinator_host('127.0.0.1', {here})",
                 f"SELECT citus_add_node('127.0.0.1', {there})",
                 f"SELECT citus_set_node_property('127.0.0.1', {here}, 'shouldhaveshards', true)")
    server.run("migrate", "all")
    told = server.run("migrate", "all", "--citus")
    as_superuser(server.database.url, "ALTER ROLE marca_app LOGIN")  # as it, nodes speak to one another
    return told


@pytest.fixture(scope="module")
def store():
    return "postgres"


@pytest.fixture(scope="module")
def monkey():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def marca(store, monkey):
    monkey.setattr(harness, "PostgresDatabase", Database)
    server = harness.Marca(store)
    told = spread(server)
    assert "bookings                 spread by tenant_id" in told and "tenants                  a copy on each node" in told
    assert "spread" not in server.run("migrate", "all", "--citus")  # nothing is left
    with server:
        yield server


def test_every_tenants_table_is_spread(marca):
    left = ledger.rows(
        marca, "booking",
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' "
        "WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND NOT EXISTS "
        "(SELECT 1 FROM pg_dist_partition p WHERE p.logicalrelid = c.oid) AND NOT EXISTS "
        "(SELECT 1 FROM pg_dist_shard s WHERE c.relname LIKE '%\\_' || s.shardid)")
    assert left == []


def test_one_slot(marca, api):
    business = test_races.lax(api)
    test_races.one_slot(business, [marca.address], 100)
    test_races.all_kept(marca, business, 100)


def test_tenants_together_with_events(marca):
    """Groups of several tenants' scripts are parted; relays and consumers read across all shards."""
    businesses = [Business(marca.api(), ANY_TIME) for _ in range(4)]
    loads = [Load([marca], business, clients=1, seed=seed) for seed, business in enumerate(businesses)]
    for load in loads:
        load.__enter__()
    for load in loads:
        harness.until("some were booked", lambda load=load: len(load.acknowledged) > 20)
    for load in loads:
        load.__exit__()
        assert not load.refused, load.refused
    streams.settle(marca)
    streams.check_all(marca, *(business.id for business in businesses))
    assert "PostgreSQL failed" not in marca.log(), marca.log()


def test_both_nodes_have_rows(marca, api):
    for _ in range(8):
        test_races.lax(api)
    counts = marca.database.sql(
        marca.database.url, "SELECT COUNT(*) FROM (SELECT nodeport FROM citus_shards WHERE table_name = 'users'::regclass "
        "AND shard_size > 0 GROUP BY nodeport) n").split()
    assert counts == ["2"]


def test_the_wall_holds(marca):
    """Row-level security on the shards too, of both nodes: of nobody's rows, and of one tenant's."""
    url, count = marca.database.url, "SELECT COUNT(*), COUNT(DISTINCT tenant_id) FROM users"
    local = "SET citus.propagate_set_commands = 'local'"
    tenant = marca.database.sql(url, "SELECT tenant_id FROM users LIMIT 1").strip()
    assert psql(url, count).strip() == "0|0"
    assert psql(url, local, "BEGIN", f"SET LOCAL app.tenant = '{tenant}'", count, "COMMIT").strip().endswith("|1")
    assert int(marca.database.sql(url, count).strip().split("|")[1]) > 1
