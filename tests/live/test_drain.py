"""SIGTERM under load: what was asked is answered, what was answered is kept, and it is over in time."""
import contextlib
import signal
import subprocess

import pytest

import harness
import journal
from business import ANY_TIME, Business


@contextlib.contextmanager
def signalled(marca, *numbers):
    """Its process, once told; the caller waits for its end."""
    process, marca.process = marca.process, None
    for number in numbers:
        process.send_signal(number)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def ended(process):
    return process.wait(harness.STOP_SECONDS)


def test_under_load(store):
    with harness.Marca(store, env={"MARCA_THREADS": "2"}) as marca:
        business = Business(marca.api(), ANY_TIME)
        with journal.Clients(marca.address, business) as clients:
            harness.until("a booking of each", lambda: len(clients.journal.acknowledged) > 50)
            with signalled(marca, signal.SIGTERM) as process:
                assert ended(process) == 0 and harness.SANITIZER.search(marca.log()) is None, marca.log()
            harness.until("everybody was told, or cut off between two requests", clients.gone)
        assert clients.journal.outcomes["told to go"] > 0
        assert journal.faults(clients.journal, journal.stored(marca, business)) == []


def test_a_kill_is_seen():
    """The same journal, when nothing is drained: somebody's request is left without an answer."""
    with harness.Marca() as marca:
        business = Business(marca.api(), ANY_TIME)
        with journal.Clients(marca.address, business) as clients:
            harness.until("a booking of each", lambda: len(clients.journal.acknowledged) > 50)
            marca.kill()
            harness.until("all were cut off", clients.gone)
        assert clients.journal.unanswered and clients.journal.outcomes["told to go"] == 0


def test_the_journal_sees_a_loss():
    log = journal.Journal(acknowledged=["a", "b"], unanswered=["c", "d"])
    log.outcomes[503] += 1
    assert journal.faults(log, {"a", "b"}) == ["answered 503"]
    assert journal.faults(log, {"a", "c"}) == ["lost: b", "made and not told: c", "answered 503"]


def test_load_balancers_are_told_first():
    """For MARCA_DRAIN_DELAY_SECONDS it takes further connections, and says to each that it is the last one's reply."""
    with harness.Marca(env={"MARCA_DRAIN_DELAY_SECONDS": "2"}) as marca:
        api = marca.api()
        assert api.get("/ready").status == 200
        with signalled(marca, signal.SIGTERM) as process:

            def told():
                reply = harness.Api(marca.address).get("/ready")
                return reply if reply.status == 503 else None

            reply = harness.until("/ready tells", told)
            assert (reply.json["status"], reply.headers["Connection"]) == ("draining", "close")
            alive = harness.Api(marca.address).get("/health")
            assert (alive.status, alive.headers["Connection"]) == (200, "close")
            assert ended(process) == 0
        with pytest.raises(ConnectionRefusedError):
            harness.Api(marca.address).get("/health")


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_at_once(second):
    with harness.Marca(env={"MARCA_DRAIN_DELAY_SECONDS": "600"}) as marca:
        with signalled(marca, signal.SIGTERM) as process:
            harness.until("it drains", lambda: harness.Api(marca.address).get("/ready").status == 503)
            process.send_signal(second)
            assert ended(process) == 1
        assert "told to stop once more" in marca.log()


def test_over_in_time_whatever_hangs():
    """A booking waits for a table that somebody else has locked: it is given up, and says so by its status."""
    harness.need_store("postgres")
    with harness.Marca("postgres", env={"MARCA_DRAIN_SECONDS": "1"}) as marca:
        business = Business(marca.api(), ANY_TIME)
        with locked(marca.database.url, "bookings"), journal.Clients(marca.address, business, wait=False) as clients:
            harness.until("somebody waits for the lock", lambda: marca.database.sql(
                marca.database.url, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").strip() != "0")
            with signalled(marca, signal.SIGTERM) as process:
                assert ended(process) == 1
            harness.until("all were cut off", clients.gone)
        assert clients.journal.acknowledged == []


@contextlib.contextmanager
def locked(url, table):
    session = subprocess.Popen(["psql", "-X", "-q", "-At", "-d", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        session.stdin.write(f"BEGIN; LOCK TABLE {table}; SELECT 'locked';\n")
        session.stdin.flush()
        assert session.stdout.readline() == "locked\n"
        yield
    finally:
        session.stdin.close()
        session.wait()
        session.stdout.close()
