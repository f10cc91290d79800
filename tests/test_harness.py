"""The harness itself must be able to fail: a stand-in for marca with one planted fault each."""
import sys
import textwrap

import pytest

import harness

STAND_IN = textwrap.dedent('''
    import http.server, os, signal, sys

    fault = os.environ.get("FAULT", "")
    if fault == "dies":
        sys.exit("no such option")

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            told = os.environ.get("DATABASE_URL", "") if self.path == "/database" else self.path
            self.reply(503 if fault == "unready" else 200, told.encode())

        def do_POST(self):
            self.reply(201, self.rfile.read(int(self.headers["Content-Length"])))

        def reply(self, status, body):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Peer-Port", str(self.client_address[1]))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    def stop(*_):
        if fault == "asan":
            print("==1==ERROR: LeakSanitizer: detected memory leaks", file=sys.stderr, flush=True)
        if fault == "ubsan":
            print("x.c:1:2: runtime error: signed integer overflow", file=sys.stderr, flush=True)
        os._exit(3 if fault == "status" else 0)

    if fault != "deaf":
        signal.signal(signal.SIGTERM, stop)
    else:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if fault != "mute":
        print(f"marca: listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
''')


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    monkeypatch.setattr(harness, "START_SECONDS", 2)
    monkeypatch.setattr(harness, "STOP_SECONDS", 1)
    program = tmp_path / "marca.py"
    program.write_text(STAND_IN)

    def make(fault="", store="sqlite"):
        return harness.Marca(store, command=[sys.executable, program], env={"FAULT": fault})

    return make


def test_sound_server(stand_in):
    with stand_in() as marca:
        api = marca.api()
        first, second = api.get("/a", x="é", y=None), api.post("/b", {"name": "João"})
        assert first.text == "/a?x=%C3%A9" and second.json == {"name": "João"}
        assert first.headers["x-peer-port"] == second.headers["X-Peer-Port"], "the connection is kept"
        address = marca.address
        marca.kill()
        marca.start()
        assert marca.address != address and marca.api().get("/").status == 200
        folder = marca.folder
    assert not folder.exists()


def test_each_server_has_a_store_of_its_own(store, stand_in):
    with stand_in(store=store) as one, stand_in(store=store) as other:
        urls = [server.api().get("/database").text for server in (one, other)]
        if store == "sqlite":
            assert urls == ["", ""] and one.data != other.data
        else:
            assert urls[0] != urls[1]
            for url in urls:
                name = harness.PostgresDatabase.sql(url, "SELECT current_database()").strip()
                assert name.startswith("marca_test_")
    if store == "postgres":
        left = f"SELECT count(*) FROM pg_database WHERE datname = '{one.database.name}'"
        assert harness.PostgresDatabase.sql(one.database.cluster, left).strip() == "0"


@pytest.mark.parametrize(
    "fault, words",
    [
        ("dies", "before it was ready"),
        ("mute", "told no address"),
        ("unready", "/ready did not answer"),
        ("status", "ended with 3"),
        ("asan", "LeakSanitizer"),
        ("ubsan", "runtime error"),
        ("deaf", "did not stop"),
    ],
)
def test_faults_are_seen(stand_in, fault, words):
    with pytest.raises(AssertionError, match=words):
        with stand_in(fault):
            pass


def test_failing_test_keeps_its_own_failure(stand_in):
    with pytest.raises(ZeroDivisionError):
        with stand_in():
            _ = 1 // 0
