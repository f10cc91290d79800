"""REDIS_URL=redis+cluster://...: marca's keys lie in one slot; it follows that slot to whichever node has it."""
import harness
import pytest
import streams
from business import ANY_TIME, Business
from load import Load
from several_redis import SLOT, Cluster

QUICK = {"EVENT_LEASE_MS": "400", "EVENT_CLAIM_MS": "600"}


@pytest.fixture(scope="module")
def cluster():
    with Cluster() as cluster:
        yield cluster


def test_follows_its_slot(cluster):
    """One after another: the node dies and its replica takes over; the slot moves to a third node. Rates are shared there too."""
    assert cluster.home.say("CLUSTER KEYSLOT", "{marca}") == SLOT
    url, rates = cluster.url, {"RATE_TENANT": "100000"}
    with harness.Marca("sqlite", env={**QUICK, **rates, "REDIS_URL": url}) as marca:
        business = Business(marca.api(), ANY_TIME)
        with Load([marca], business, clients=2) as load:

            def goes_on():
                made = len(load.acknowledged)
                harness.until("some were booked", lambda: len(load.acknowledged) > made + 20)

            goes_on()
            with cluster.home.client() as client:
                harness.until("they reach the stream", lambda: client.xlen("{marca}:booking-events") > 20)
            cluster.home.kill()
            harness.until("the replica has taken over", lambda: cluster.replica.say("ROLE")[0] == "master"
                          and cluster.masters[1].say("CLUSTER INFO")["cluster_state"] == "ok")
            goes_on()
            moved = []
            for key in cluster.move(cluster.replica, cluster.masters[2]):
                moved.append(key)
                goes_on()  # what is booked meanwhile finds half of the keys here, half there
            goes_on()
        assert {"{marca}:booking-events", "{marca}:booking-events:sources"} <= set(moved), moved
        assert not load.refused, load.refused
        streams.settle(marca)
        events = streams.check_all(marca, business.id)
        assert {event["subject_id"] for event in events} >= set(load.acknowledged)
        # While nobody asks: what is known of the slot is wrong then, and the answer is MOVED.
        moved = list(cluster.move(cluster.masters[2], cluster.masters[1]))
        business.book("2025-12-02T23:00", "2025-12-03T00:00")
        streams.settle(marca)
        assert len(streams.check_all(marca, business.id)) == len(events) + 1
        keys = cluster.masters[1].say("CLUSTER COUNTKEYSINSLOT", SLOT)
        assert keys >= len(moved)
        others = [node for node in (cluster.masters[2], cluster.replica) if node.say("DBSIZE") > 0]
        assert others == []
