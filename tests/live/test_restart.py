"""Started anew under load, on a socket that outlives the process: nobody is refused or cut off, and what was told stays true.

Who holds the socket here is what systemd is with deploy/systemd/marca.socket; its own systemd-socket-activate is tried, too.
"""
import socket
import subprocess

import pytest

import harness
import journal
from business import ANY_TIME, Business

RESTARTS = 10


def listening(host="127.0.0.1", family=socket.AF_INET):
    listener = socket.socket(family)
    listener.bind((host, 0))
    listener.listen(4096)
    return listener


def restart_often(clients, processes, times=RESTARTS):
    """One after the other; between two restarts, some clients are answered."""
    for n in range(times):
        answered = len(clients.journal.acknowledged)
        harness.until("clients are answered", lambda: len(clients.journal.acknowledged) > answered + 20)
        process = processes[n % len(processes)]
        process.stop()
        process.start()


def test_ten_restarts(store):
    """On SQLite, too, where a second process could not take over: who connects meanwhile waits in the socket's queue."""
    with listening() as listener, harness.Marca(store, listener=listener, env={"MARCA_THREADS": "2"}) as marca:
        business = Business(marca.api(), ANY_TIME)
        with journal.Clients(marca.address, business, once=True) as clients:
            restart_often(clients, [marca])
            clients.finish()
        assert journal.disturbed(clients.journal) == {} and clients.journal.unanswered == []
        assert journal.faults(clients.journal, journal.stored(marca, business)) == []


def test_two_on_one_socket():
    """As a fleet does it: the other one goes on answering."""
    harness.need_store("postgres")
    with listening() as listener, harness.Redis() as redis:
        env = {"REDIS_URL": redis.url}
        with (harness.Marca("postgres", listener=listener, env=env) as first,
              harness.Marca("postgres", listener=listener, env=env, beside=first) as second):
            business = Business(first.api(), ANY_TIME)
            with journal.Clients(first.address, business, once=True) as clients:
                restart_often(clients, [first, second], 4)
                clients.finish()
            assert journal.disturbed(clients.journal) == {} and clients.journal.unanswered == []
            assert journal.faults(clients.journal, journal.stored(first, business)) == []


def test_a_plain_restart_is_seen():
    """The same clients, where marca opens the port itself: between stop and start nobody listens."""
    address = f"127.0.0.1:{harness.free_port()}"
    with harness.Marca(arguments=["--listen", address]) as marca:
        business = Business(marca.api(), ANY_TIME)
        with journal.Clients(address, business, once=True) as clients:
            marca.stop()
            harness.until("somebody is refused", lambda: "ConnectionRefusedError" in journal.disturbed(clients.journal))
            marca.start()
            clients.finish()
        assert journal.faults(clients.journal, journal.stored(marca, business)) == []


def test_all_threads_take_from_it():
    """And it is told by its own address, whatever --listen says."""
    with listening() as listener, harness.Marca(listener=listener, env={"MARCA_THREADS": "4"}) as marca:
        assert marca.address == "127.0.0.1:%d" % listener.getsockname()[1]
        apis = [marca.api() for _ in range(32)]
        assert [api.get("/health").status for api in apis] == [200] * 32


@pytest.mark.parametrize("host, family", [("0.0.0.0", socket.AF_INET), ("::", socket.AF_INET6)])
def test_its_address_decides_who_is_trusted(host, family):
    """--listen says loopback, where a call without a token acts as the operator; the socket is open to strangers."""
    env = {"CORS_ORIGINS": "https://app.example.com"}
    with listening(host, family) as listener, harness.Marca(listener=listener, env=env) as marca:
        api = harness.Api("127.0.0.1:%d" % listener.getsockname()[1])
        assert api.get("/tenants/").status == 401
        assert marca.address.startswith("0.0.0.0:" if family == socket.AF_INET else "[::]:")


def attempt(kind, count="1", listens=True, pid="$$"):
    """Exit status and words of a start with that socket; it is ended when it listens all the same."""
    with socket.socket(socket.AF_INET, kind) as given:
        given.bind(("127.0.0.1", 0))
        if listens:
            given.listen()
        script = f'exec 3<&"$0"; LISTEN_PID={pid} LISTEN_FDS={count} exec "$@"'
        marca = harness.Marca(command=["/bin/bash", "-c", script, str(given.fileno()), harness.binary()])
        try:
            with open(marca.stdout, "wb") as out, open(marca.stderr, "wb") as err:
                marca.process = subprocess.Popen([*marca.command, "serve", "--listen", "127.0.0.1:0", "--data", marca.data],
                                                 env=marca.env, pass_fds=[given.fileno()], stdout=out, stderr=err)
            harness.until("it starts or refuses to", lambda: marca.process.poll() is not None or "listening" in marca.log())
            if marca.process.poll() is None:
                marca.stop()
                return 0, marca.log()
            return marca.process.returncode, marca.log()
        finally:
            marca.kill()
            marca.clean()


@pytest.mark.parametrize("options, words", [
    ({"kind": socket.SOCK_STREAM, "count": "2"}, "it takes one"),
    ({"kind": socket.SOCK_STREAM, "listens": False}, "not one of TCP that listens"),
    ({"kind": socket.SOCK_DGRAM, "listens": False}, "not one of TCP that listens"),
])
def test_what_is_no_such_socket(options, words):
    status, log = attempt(**options)
    assert status == 1 and words in log, log


@pytest.mark.parametrize("options", [{"pid": "1"}, {"pid": "x"}, {"count": "0"}, {"count": ""}])
def test_what_is_meant_for_another_is_left(options):
    status, log = attempt(socket.SOCK_STREAM, **options)
    assert status == 0, log


def test_systemd_socket_activate(tmp_path):
    address = f"127.0.0.1:{harness.free_port()}"
    process = subprocess.Popen(
        ["systemd-socket-activate", "-l", address, "-E", f"MARCA_DATA={tmp_path / 'data'}", harness.binary(), "serve"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        harness.until("it answers", lambda: answers(address))
        process.terminate()
        assert process.wait(harness.STOP_SECONDS) == 0
    finally:
        process.kill()
        process.wait()


def answers(address):
    try:
        return harness.Api(address).get("/ready").status == 200
    except OSError:
        return False
