"""What marca is compared with, and the clients that drive both: nginx, the raw SQLite loop, pgbench."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from project import ROOT, TOOLS, harness
from scene import CLIENT_CPU, DAYS, FREE_DAY, HOURS, RESOURCES, SERVER_CPU, pinned, progress

CONNECTIONS = 64
CLOCK_TICK = 1 / os.sysconf("SC_CLK_TCK")


def tool(*command, **options):
    """What it printed; its own words and the end of everything when it fails."""
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True, check=False, **options)
    if done.returncode != 0:
        sys.exit(f"bench: {command[0]} failed")
    return done.stdout


# --- What a server takes ---------------------------------------------------------------


def resident_kib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))


def cpu_ns(pid):
    """Of the threads that it has, so far; as exact as the kernel knows it."""
    return sum(int(path.read_text().split()[0]) for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"))


def cpu_seconds(pid):
    """Of a process, its children and the threads that are gone, so far, by the kernel's clock ticks; 0 of one that is gone."""
    try:
        return cpu_seconds_of(pid)
    except (FileNotFoundError, ProcessLookupError):
        return 0


def cpu_seconds_of(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    own = (int(fields[11]) + int(fields[12])) * CLOCK_TICK
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(cpu_seconds(child) for child in children)


LOOK_SECONDS, REST, PATIENCE = 0.3, 0.03, 300  # REST: of one core


def rest(pid):
    """Waits until a server has nothing to do; how long that was."""
    began, before = time.monotonic(), cpu_seconds(pid)
    while time.monotonic() < began + PATIENCE:
        time.sleep(LOOK_SECONDS)
        after = cpu_seconds(pid)
        if after - before < REST * LOOK_SECONDS:
            return time.monotonic() - began
        before = after
    sys.exit(f"bench: a server has not come to rest within {PATIENCE} s")


# --- Clients ---------------------------------------------------------------------------

WRK_SCRIPT = """
local requests, at = {}, tonumber(os.getenv("BENCH_FIRST"))
function init()
    for path, token in io.open(os.getenv("BENCH_GETS")):read("*a"):gmatch("(%S+) (%S+)%s") do
        requests[#requests + 1] = wrk.format("GET", path, {Authorization = "Bearer " .. token})
    end
end
function request()
    at = at % #requests + 1
    return requests[at]
end
"""


def milliseconds(text):
    value, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


class Wrk:
    """wrk -t1 -c64 over scene.Gets in turn; each measurement goes on where the last one ended, more or less."""

    def __init__(self, folder, gets):
        self.gets = pathlib.Path(folder, "gets")
        self.script = pathlib.Path(folder, "wrk.lua")
        self.gets.write_text("".join(f"{get.path} {get.token}\n" for get in gets))
        self.script.write_text(WRK_SCRIPT)
        self.count = len(gets)
        self.first = 0

    def __call__(self, address, pid, seconds):
        """{rate, requests, p99 in ms, cpu: share of one core that the server took, cost: its microseconds a request}"""
        began, cpu = time.monotonic(), cpu_seconds(pid)
        told = tool(
            *pinned(CLIENT_CPU, "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", self.script,
                    f"http://{address}"),
            stderr=subprocess.STDOUT, env={**os.environ, "BENCH_GETS": str(self.gets), "BENCH_FIRST": str(self.first)},
        )
        spent = cpu_seconds(pid) - cpu
        # When its script fails wrk asks for / instead, which has an answer too.
        if bad := re.search(r"Non-2xx.*|Socket errors.*|.*wrk\.lua:.*", told):
            sys.exit(f"bench: {address}: {bad.group()}")
        rate = float(re.search(r"Requests/sec:\s+([\d.]+)", told).group(1))
        requests = int(re.search(r"(\d+) requests in", told).group(1))
        self.first = (self.first + requests) % self.count
        if requests == 0 and seconds < 60:  # the machine had no time for it: that is no figure
            return self(address, pid, 4 * seconds)
        return {
            "rate": rate,
            "requests": requests,
            "p99": milliseconds(re.search(r"^\s+99%\s+(\S+)", told, re.M).group(1)),
            "cpu": spent * rate / requests if requests else 0,
            "cost": spent / requests * 1e6 if requests else 0,
            "took": time.monotonic() - began,
        }


def load_command(address, file, skip=0, seconds=3, connections=CONNECTIONS, race=False, rate=0, loops=False):
    """bench/load, as its own words say."""
    how = [*(["-r"] if race else ["-R", rate] if rate else []), *(["-l"] if loops else [])]
    command = [TOOLS / "load", "-c", connections, "-t", seconds, "-s", skip, *how, address.rsplit(":", 1)[1], file]
    return [str(part) for part in command]


def load(address, file, pin=False, **how):
    """What it printed. `pin`: on the client's core."""
    command = load_command(address, file, **how)
    return json.loads(tool(*pinned(CLIENT_CPU, *command) if pin else command))


@contextlib.contextmanager
def idle_connections(address, count):
    """So many, each of which has asked for something."""
    host, port = address.rsplit(":", 1)
    with contextlib.ExitStack() as stack:
        for n in range(count):
            if n % 1000 == 0:
                progress(f"{n:,} of {count:,} idle connections")
            connection = stack.enter_context(socket.create_connection((host, int(port))))
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
        yield
    time.sleep(0.5)  # until the server has closed them too


# --- nginx ------------------------------------------------------------------------------

NGINX = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        default_type "{type}";
        {headers}
        location / {{ return 200 '{body}'; }}
    }}
}}
"""
NGINX_OWN = {"date", "content-length", "content-type", "connection", "server"}


class Nginx:
    """nginx that answers every request with this reply's status, headers and body."""

    def __init__(self, reply):
        self.folder = tempfile.mkdtemp(prefix="marca-bench-")
        self.port = harness.free_port()
        self.address = f"127.0.0.1:{self.port}"
        headers = [(name, value.replace('"', '\\"')) for name, value in reply.headers.items() if name.lower() not in NGINX_OWN]
        # $ would name a variable; no reply of ours has one, nor a single quote.
        assert reply.status == 200 and "$" not in reply.text and "'" not in reply.text
        pathlib.Path(self.folder, "nginx.conf").write_text(NGINX.format(
            folder=self.folder, port=self.port, body=reply.text.replace("\\", "\\\\"), type=reply.headers["Content-Type"],
            headers=" ".join(f'add_header {name} "{value}";' for name, value in headers),
        ))
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(
            pinned(SERVER_CPU, "nginx", "-p", self.folder, "-c", f"{self.folder}/nginx.conf"),
            env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"},
        )
        deadline = time.monotonic() + 5
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.__exit__(None, None, None)
                    sys.exit("bench: nginx did not start: its words are above")
                time.sleep(0.02)

    def __exit__(self, kind, value, trace):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder)

    @property
    def pid(self):
        return self.process.pid


# --- The raw loop -----------------------------------------------------------------------


class RawLoop:
    """bench/raw_loop on the database of a scene whose marca is stopped, or on a copy of it."""

    def __init__(self, scene, copies=True):
        self.database = scene.marca.data / "booking.db"
        if copies:
            self.database = shutil.copy(self.database, scene.marca.folder / "raw.db")
            os.sync()

    def __call__(self, file, skip, group, seconds, *how):
        """In groups of that size, as fast as it can; {rate, used, cost: microseconds of CPU each}."""
        return self.run(file, skip, seconds, "-g", group, *how)

    def at_rate(self, file, skip, rate, seconds):
        """So many a second, and never copied from the log into the database; {used, p50, p99 in ms}."""
        return self.run(file, skip, seconds, "-R", rate, "-w", 0)

    def run(self, file, skip, seconds, *how):
        told = json.loads(tool(TOOLS / "raw_loop", *how, "-s", skip, "-t", seconds, self.database, file))
        if told["refused"] > 0:
            sys.exit(f"bench: the raw loop had {told['refused']} bookings refused")
        return told


# --- PostgreSQL -------------------------------------------------------------------------


@contextlib.contextmanager
def postgres_cluster():
    """A private one, by scripts/with-postgres, while this is left open; in MARCA_TEST_PG."""
    process = subprocess.Popen(
        [ROOT / "scripts/with-postgres", "sh", "-c", 'echo "$MARCA_TEST_PG"; read -r _ || true'],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )
    before = os.environ.get("MARCA_TEST_PG")
    try:
        url = process.stdout.readline().strip()
        if not url:
            sys.exit("bench: no PostgreSQL: the words of scripts/with-postgres are above")
        os.environ["MARCA_TEST_PG"] = url
        if harness.PostgresDatabase.sql(url, "SHOW fsync").strip() != "on":
            sys.exit("bench: fsync is off, so nothing is durable there")
        yield url
    finally:
        if before is None:
            os.environ.pop("MARCA_TEST_PG", None)
        process.stdin.close()
        process.wait()


# pgbench knows no UUIDs: they are made in SQL, from numbers. The server's work is the same as with values that came over
# the wire, but for some microseconds in a transaction of a millisecond.
def made_up_id(kind, number):
    """As Parties.made_up() has them."""
    return f"('{kind:02}' || lpad(to_hex({number}::bigint), 30, '0'))::uuid"


def pgbench_script(first_day, tenants):
    """Puts SQL in the place of each $n, in the order of :in in src/booking/queries.sql."""
    resources = tenants * RESOURCES
    total = resources * (DAYS - FREE_DAY - 1) * HOURS
    tenant, resource, user = made_up_id(1, ":tenant"), made_up_id(2, ":resource"), made_up_id(3, ":tenant")
    booking, change = made_up_id(4, ":n"), made_up_id(5, ":n")
    payload = json.dumps({
        "booking_id": "0" * 36, "user_id": "0" * 36, "resource_id": "0" * 36, "status": "pendente",
        "start_time": "2025-12-05T14:00:00Z", "end_time": "2025-12-05T15:00:00Z",
    }, separators=(",", ":"))
    inputs = {
        "resource_lock": [tenant, resource],
        "booking_insert": [
            tenant, booking, resource, user, "NULL", ":start::bigint", ":start::bigint + 3600000000", "'pendente'", "NULL",
            "lpad(to_hex(:n::bigint), 8, 'X')", "false", "NULL", change, ":start::bigint",
        ],
        "booking_event": [
            tenant, change, change, "0", "'booking-events'", "'booking.created'", booking, f"'{payload}'",
            "lpad(to_hex(:n::bigint), 32, '0')", ":start::bigint",
        ],
    }
    lines = [
        "\\set i :i + 1",
        f"\\set n permute((:i - 1) * :clients + :client_id, {total}, 5)",
        f"\\set resource (:n / {HOURS}) % {resources}",
        f"\\set tenant :resource / {RESOURCES}",
        f"\\set start {first_day} + (:n / {HOURS} / {resources}) * 86400000000 + :n % {HOURS} * 3600000000",
        "BEGIN;",
    ]
    for name, values in inputs.items():
        text = tool(TOOLS / "raw_loop", "-q", name)
        assert text, f"no query {name}"
        lines.append(" ".join(re.sub(r"\$(\d+)", lambda match, v=values: v[int(match.group(1)) - 1], text).split()) + ";")
    return "\n".join([*lines, "COMMIT;", ""])


class Pgbench:
    """`tenants`: how many Parties.made_up() has there."""

    def __init__(self, folder, url, first_day, tenants, clients=32, options=""):
        self.script = pathlib.Path(folder, "booking.sql")
        self.script.write_text(pgbench_script(first_day, tenants))
        self.url, self.clients, self.options = url, clients, options
        self.done = 0  # transactions of the busiest client

    def __call__(self, seconds):
        told = tool(
            "pgbench", "-n", "-M", "prepared", f"-c{self.clients}", "-j2", f"-T{seconds}", f"-Di={self.done}",
            f"-Dclients={self.clients}", "-f", self.script, self.url,
            env={**os.environ, "PGOPTIONS": self.options},
        )
        count = int(re.search(r"actually processed: (\d+)", told).group(1))
        # Clients get about as far as each other; whatever one had skipped stays free.
        self.done += count // self.clients * 2 + 1000
        return {"rate": float(re.search(r"tps = ([\d.]+)", told).group(1)), "count": count}
