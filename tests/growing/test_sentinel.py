"""REDIS_URL=redis+sentinel://...: the sentinels say which Redis is the master, and another one after a fail-over."""
import signal

import harness
import streams
from business import ANY_TIME, Business
from load import Load
from several_redis import MASTER, Sentinel, follow, in_step

QUICK = {"EVENT_LEASE_MS": "400", "EVENT_CLAIM_MS": "600"}


def pair():
    """A master and its replica, both with their data on the disk."""
    master = harness.Redis()
    return master, harness.Redis("--replicaof", "127.0.0.1", str(master.port))


def env(*sentinels):
    """The first address is nobody's: the others are asked in turn."""
    ports = [harness.free_port(), *(sentinel.port for sentinel in sentinels)]
    return {**QUICK, "REDIS_URL": f"redis+sentinel://{','.join(f'127.0.0.1:{port}' for port in ports)}/{MASTER}"}


def goes_on(load):
    made = len(load.acknowledged)
    harness.until("some were booked", lambda: len(load.acknowledged) > made + 20)


def test_fail_over_and_back():
    """Bookings go on while the master is killed, and again when the one that took over is."""
    first, second = pair()
    with first, second, Sentinel(first.port) as sentinel, harness.Marca("sqlite", env=env(sentinel)) as marca:
        business = Business(marca.api(), ANY_TIME)
        booked = []
        for seed, (dying, heir) in enumerate(((first, second), (second, first))):
            with Load([marca], business, clients=2, seed=seed) as load:
                goes_on(load)
                dying.kill()
                harness.until("the other is the master", lambda heir=heir: sentinel.master() == heir.port)
                goes_on(load)
            assert not load.refused, load.refused
            booked += load.acknowledged
            streams.settle(marca)
            dying.start()
            follow(dying, heir)
        events = streams.check_all(marca, business.id)
        assert {event["subject_id"] for event in events} >= set(booked)
        with first.client() as client:
            assert client.role()[0] == "master" and client.xlen("booking-events") > 40


def test_what_the_replica_never_had():
    """A replica that lagged takes over: what it lacks comes again from the outboxes, and nothing has its effect twice."""
    first, second = pair()
    with first, second, Sentinel(first.port) as sentinel, harness.Marca("sqlite", env=env(sentinel)) as marca:
        business = Business(marca.api(), ANY_TIME)
        kept = business.book("2025-12-05T10:00", "2025-12-05T11:00")
        streams.settle(marca)
        harness.until("the replica has it", lambda: in_step(first))
        second.process.send_signal(signal.SIGSTOP)
        lost = [business.book(f"2025-12-05T{hour}:00", f"2025-12-05T{hour + 1}:00") for hour in (11, 12, 13)]
        streams.settle(marca)  # and its effects were had
        first.kill()
        second.process.send_signal(signal.SIGCONT)
        harness.until("the other is the master", lambda: sentinel.master() == second.port)
        harness.until("they are there again", lambda: len(streams.read(marca, "booking-events")) == 4)
        streams.settle(marca)
        events = streams.check_all(marca, business.id)
        assert {event["subject_id"] for event in events} >= {booking["id"] for booking in (kept, *lost)}


def test_no_master_of_that_name():
    """It is told, and asked again; what needs no events works."""
    first, second = pair()
    with first, second, Sentinel(first.port) as sentinel:
        wrong = {**env(sentinel), "REDIS_URL": f"redis+sentinel://127.0.0.1:{sentinel.port}/other"}
        marca = harness.Marca("sqlite", env=wrong)
        marca.ready = lambda: True  # it is not
        with marca:
            harness.until("it says so", lambda: "the sentinels watch no master of that name" in marca.log())
            Business(marca.api()).book("2025-12-05T10:00", "2025-12-05T11:00")
