"""The log: which lines there are, what each says of the request that it was written in, and that nobody waits for its
reader."""
import contextlib
import fcntl
import json
import os
import pathlib
import pty
import re
import signal
import sqlite3
import tempfile
import termios
import threading

import pytest

import harness
import page
from business import ANY_TIME, Business
from harness import Marca, make_tenant

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
STORE_FAILS = {"PostgreSQL failed", "SQLite failed"}


def lines(marca, message=None):
    found = [json.loads(line) for line in marca.stderr.read_text().splitlines()]
    return [line for line in found if message in (None, line["message"])]


@contextlib.contextmanager
def logging(which, **env):
    with Marca(env={"MARCA_LOG_FORMAT": "json", "MARCA_LOG_REQUESTS": which, **env}) as marca:
        yield marca


def written(marca, path, status=None):
    """The line of a request to that route, once it is there."""
    def found():
        return [line for line in lines(marca) if line.get("route") == path and status in (None, line["status"])]

    return harness.until(f"{path} is in the log", found)[-1]


def test_a_line_for_each_request():
    with logging("all") as marca:
        tenant = make_tenant(marca.api())
        sent = marca.api().get(f"/tenants/{tenant['id']}", headers={"traceparent": PARENT, "X-Request-ID": "mine-1"})
        line = written(marca, "/tenants/{id}", 200)
        assert line["message"] == "request" and line["level"] == "info"
        assert (line["operation"], line["bytes"]) == ("getTenant", len(sent.body))
        assert (line["trace_id"], line["request_id"]) == (TRACE, "mine-1")
        assert line["duration_us"] > 0 and "user_id" not in line
        assert list(line)[:3] == ["time", "level", "message"]
        made = written(marca, "/tenants", 201)
        assert "request_id" not in made, "it is the trace's id, where the caller gave none"


def test_no_more_than_the_route():
    """Neither what was asked for beyond it, nor by whom: addresses hold people's words."""
    with logging("all") as marca:
        tenant = make_tenant(marca.api())
        marca.api().get("/users/", tenant_id=tenant["id"], email="canary.person@example.com")
        marca.api().get("/nowhere/canary-path")
        marca.api().request("GET", "/health", headers={"User-Agent": "canary-agent"})
        written(marca, "/users")
        harness.until("the unknown path is told", lambda: [line for line in lines(marca) if line.get("operation") == "none"])
        written(marca, "/health")
        assert "canary" not in marca.stderr.read_text() and "127.0.0.1" not in marca.stderr.read_text()


@pytest.mark.parametrize("which, statuses", [("all", {200, 404, 401, 429}), ("errors", {404, 401}), ("none", {401})])
def test_which_requests(which, statuses):
    with logging(which, RATE_IP="5", MARCA_AUTH="required") as marca:
        api = marca.api()
        answered = {api.get(path).status for path in ("/health", "/openapi.json", "/nowhere", "/tenants/", *["/docs"] * 20)}
        assert {200, 404, 401, 429} <= answered
        harness.until("the refusal is told", lambda: lines(marca, "refused"))
        harness.until("those before it, too", lambda: statuses <= {line.get("status") for line in lines(marca)})
        assert {line["status"] for line in lines(marca) if "status" in line} & {200, 404, 401, 429} == statuses


def test_which_requests_may_change_meanwhile():
    """SIGHUP: somebody looks into something, and needs no restart for it."""
    with logging(None) as marca:
        settings = marca.folder / "marca.conf"
        settings.touch(0o600)
        marca.stop()
        marca.env["MARCA_CONFIG_FILE"] = str(settings)
        marca.start()
        assert marca.api().get("/health").status == 200
        settings.write_text("MARCA_LOG_REQUESTS=all\n")
        marca.process.send_signal(signal.SIGHUP)
        harness.until("it has taken them over", lambda: lines(marca, "settings reloaded"))
        assert not [line for line in lines(marca) if line.get("route") == "/health"]
        assert marca.api().get("/health").status == 200
        assert written(marca, "/health")["status"] == 200


def test_tenant_is_told_of_whoever_has_one():
    with logging("all", MARCA_AUTH="required") as marca:
        operator = marca.operator()
        tenant = make_tenant(operator)
        user, api = harness.make_person(operator, tenant)
        assert api.get("/users/me").status == 200
        assert written(marca, "/users/me")["tenant_id"] == tenant["id"]
        assert api.get("/tenants/").status == 403
        refused = written(marca, "/tenants", 403)
        assert (refused["message"], refused["tenant_id"], refused["user_id"]) == ("refused", tenant["id"], user["id"])
        assert "tenant_id" not in written(marca, "/auth/login"), "he had none yet"


def test_store_that_fails_names_the_request(store):
    """Its line is written by a thread of the store's, or by the committer: it bears the request's trace all the same."""
    with Marca(store, env={"MARCA_LOG_FORMAT": "json"}) as marca:
        business = Business(marca.api(), ANY_TIME)
        statement = "ALTER TABLE bookings RENAME TO bookings_gone"
        if store == "postgres":
            marca.database.sql(marca.database.url, statement)
        else:
            with sqlite3.connect(marca.data / "booking.db") as db:
                db.execute(statement)
            db.close()
        api = marca.api()
        read = api.get("/bookings/", tenant_id=business.id, headers={"traceparent": PARENT})
        assert read.status in (500, 503)
        other = business.ask("2025-12-05T10:00", "2025-12-05T11:00")
        assert other.status in (500, 503)
        for trace in (TRACE, other.json["trace_id"]):
            of_it = [line for line in lines(marca) if line.get("trace_id") == trace]
            assert {line["message"] for line in of_it} & STORE_FAILS, of_it
            assert of_it[-1]["message"] == "request failed" and of_it[-1]["level"] == "error"


# --- For people ---------------------------------------------------------------------------


class Fifo:
    """A pipe as standard error of `marca serve`, which only read() reads."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="marca-fifo-"))
        self.path = self.folder / "pipe"
        os.mkfifo(self.path)
        self.file = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)
        self.command = ["sh", "-c", f'exec "$@" 2>{self.path}', "sh", harness.binary()]

    def read(self):
        with contextlib.suppress(BlockingIOError):
            return os.read(self.file, 1 << 20)
        return b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.file)
        self.path.unlink()
        self.folder.rmdir()


def test_nobody_waits_for_a_reader():
    """A pipe that nobody reads: all is answered; what does not fit is dropped and counted, never a part of a line."""
    with Fifo() as pipe:
        fcntl.fcntl(pipe.file, fcntl.F_SETPIPE_SZ, 4096)
        env = {"MARCA_LOG_FORMAT": "json", "MARCA_LOG_REQUESTS": "all"}
        with Marca(command=pipe.command, env=env) as marca:
            api = marca.api()
            count = 0
            while page.read(api).get("marca_log_dropped_lines_total") == 0:
                for _ in range(100):
                    assert api.get("/nowhere").status == 404
                count += 100
                assert count < 20000
            assert api.get("/ready").status == 200
            dropped = page.read(api).get("marca_log_dropped_lines_total")
            text = b""

            def drained():
                nonlocal text
                more = pipe.read()
                text += more
                return not more and text.endswith(b"\n")

            harness.until("all that was kept is read", drained)
            read = [json.loads(line) for line in text.splitlines()]
            assert len(read) > 500 and sum(line["operation"] == "none" for line in read if "operation" in line) > 500
            # From here on nothing is dropped any more, and nothing waits.
            assert api.get("/tenants/").status == 200
            harness.until("the next line comes", lambda: b'"listTenants"' in pipe.read())
            assert page.read(api).get("marca_log_dropped_lines_total") >= dropped
            stop = threading.Thread(target=lambda: harness.until("it has stopped", lambda: (pipe.read(), marca.process is None)[-1]))
            stop.start()
            marca.stop()
            stop.join()


def test_a_stop_does_not_wait_for_a_reader():
    with Fifo() as pipe:
        fcntl.fcntl(pipe.file, fcntl.F_SETPIPE_SZ, 4096)
        with Marca(command=pipe.command, env={"MARCA_LOG_FORMAT": "json", "MARCA_LOG_REQUESTS": "all"}) as marca:
            api = marca.api()
            for _ in range(100):
                assert api.get("/nowhere").status == 404
            marca.stop()


def test_lines_for_people():
    """On a terminal: short, in colour, aligned."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, 400))
    attributes = termios.tcgetattr(theirs)
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(theirs, termios.TCSANOW, attributes)
    os.set_blocking(ours, False)
    text = b""

    def seen():
        nonlocal text
        with contextlib.suppress(BlockingIOError):
            text += os.read(ours, 65536)
        return text.count(b"\n") >= 2

    command = ["sh", "-c", f'exec "$@" 2>{os.ttyname(theirs)}', "sh", harness.binary()]
    try:
        with Marca(command=command, env={"MARCA_AUTH": "required"}) as marca:
            assert marca.api().get("/nowhere").status == 404
            assert marca.api().get("/tenants/").status == 401
            harness.until("both are told", seen)
    finally:
        os.close(ours)
        os.close(theirs)
    plain = re.sub(r"\033\[\d*m", "", text.decode())
    first, second = plain.splitlines()[:2]
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} info  request {22}operation=none status=404 duration_us=\d+ bytes=\d+ "
                        r"trace_id=[0-9a-f]{32}", first), first
    assert re.match(r"\d\d:\d\d:\d\d\.\d{3} info  refused {22}operation=listTenants route=/tenants status=401", second), second
    assert first.index("operation=") == second.index("operation=") and "\033[32m" in text.decode()
