"""Runs marca for a test and talks to it. Standard library only, but for redis-py where there is a Redis.

    with Marca() as marca:
        api = marca.api()
        tenant = make_tenant(api)
        reply = api.get("/users/", tenant_id=tenant["id"])
        assert reply.status == 200 and reply.json == []

A Marca has a data directory (or a fresh PostgreSQL database) of its own, time starts at CLOCK, and when it
is left it must have stopped with status 0 and without a sanitizer's report.
"""
import contextlib
import functools
import http.client
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse
import uuid

import pytest
import redis

import contract

ROOT = pathlib.Path(__file__).resolve().parent.parent
CLOCK = "2025-12-01T12:00:00Z"
SANITIZER = re.compile(r"^.*(?:ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:).*$", re.M)

# Sanitizers make every start slower, and the machine may be busy.
START_SECONDS = 30
STOP_SECONDS = 30
DEADLINE = 90  # of whatever a test waits for


def binary():
    """The marca under test: that of MARCA_BUILD, a build directory."""
    return ROOT / os.environ.get("MARCA_BUILD", "build") / "marca"


@functools.cache
def settings():
    """The variables that marca reads."""
    return {"CREDENTIALS_DIRECTORY", *re.findall(r"^#([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M)}


def until(what, check, deadline=DEADLINE):
    """Asks again until check() gives something true, and returns that."""
    end = time.monotonic() + deadline
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < end, f"not within {deadline} s: {what}"
        time.sleep(0.05)


# --- HTTP ---------------------------------------------------------------------


class Reply:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # an email.message.Message: names in any case, get_all() for repeated ones
        self.body = body

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<Reply {self.status} {self.body[:2000].decode('utf-8', 'replace')}>"


class Api:
    """One keep-alive connection. For a second one at the same time: another Api."""

    def __init__(self, address, headers=None, siblings=None):
        self.address = address  # host:port
        self.siblings = siblings  # those that the server closes before it stops
        self.headers = dict(headers or {})
        self.connection = http.client.HTTPConnection(address, timeout=60)

    def request(self, method, path, body=None, headers=None, query=None):
        """`body`: bytes or str as they are, anything else as JSON. None in `query` leaves that name out."""
        query = {name: value for name, value in (query or {}).items() if value is not None}
        if query:
            path += "?" + urllib.parse.urlencode(query)
        sent = {**self.headers, **(headers or {})}
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body, ensure_ascii=False)
            sent.setdefault("Content-Type", "application/json")
        if isinstance(body, str):
            body = body.encode("utf-8")
        self.connection.request(method, path, body, sent)
        response = self.connection.getresponse()
        reply = Reply(response.status, response.headers, response.read())
        contract.check(method, path, response.status, response.headers, reply.body)
        return reply

    def get(self, path, headers=None, **query):
        return self.request("GET", path, None, headers, query)

    def post(self, path, body=None, headers=None, **query):
        return self.request("POST", path, body, headers, query)

    def put(self, path, body=None, headers=None, **query):
        return self.request("PUT", path, body, headers, query)

    def patch(self, path, body=None, headers=None, **query):
        return self.request("PATCH", path, body, headers, query)

    def delete(self, path, headers=None, **query):
        return self.request("DELETE", path, None, headers, query)

    def bearing(self, token):
        """A new connection to the same server, with that token."""
        api = Api(self.address, {**self.headers, "Authorization": f"Bearer {token}"}, self.siblings)
        if self.siblings is not None:
            self.siblings.append(api)
        return api

    def close(self):
        self.connection.close()


# --- PostgreSQL ---------------------------------------------------------------


class PostgresDatabase:
    """A fresh database in the cluster that MARCA_TEST_PG, a postgresql:// URL, leads to."""

    def __init__(self):
        self.cluster = os.environ["MARCA_TEST_PG"]
        self.name = f"marca_test_{uuid.uuid4().hex}"
        self.sql(self.cluster, f'CREATE DATABASE "{self.name}"')
        self.url = urllib.parse.urlsplit(self.cluster)._replace(path=f"/{self.name}").geturl()
        if "://" not in self.url:  # a URL without a host loses its slashes in urllib
            self.url = self.url.replace(":", "://", 1)

    @staticmethod
    def sql(url, text):
        """Runs one statement as psql prints it, without decoration. As the owner, and of all tenants."""
        done = subprocess.run(
            ["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", text],
            check=False, capture_output=True, text=True,
            env={**os.environ, "PGOPTIONS": "-c app.tenant=*"},
        )
        assert done.returncode == 0, f"{text}: {done.stderr}"
        return done.stdout

    def drop(self):
        """FORCE ends our own sessions; a worker of autovacuum is not ours to end, and is soon gone."""
        for patience in (0.2, 1, 3, 10, None):
            try:
                self.sql(self.cluster, f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')
                return
            except AssertionError as refused:
                if patience is None or not re.search("must be a (member of the role|superuser to terminate)", str(refused)):
                    raise
            time.sleep(patience)


def need_store(store):
    """The store, where what it takes is there; else the test is left out, which never happens in CI."""
    if store != "sqlite" and "MARCA_TEST_PG" not in os.environ:
        if "CI" in os.environ:
            pytest.fail("MARCA_TEST_PG is not set: run under scripts/with-postgres")
        pytest.skip("no MARCA_TEST_PG; scripts/with-postgres sets it")
    return store


# --- Redis ----------------------------------------------------------------------


given_ports = set()


def free_port():
    """None that outgoing connections take, so that it stays free while whoever listens there is down; none that was
    given before; and each worker of a run has its own."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    mine = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % workers
    while True:
        port = random.randrange(10000, 32768)
        if port % workers != mine or port in given_ports:
            continue
        with contextlib.suppress(OSError), socket.socket() as there:
            there.bind(("127.0.0.1", port))
            given_ports.add(port)
            return port


def certificate(folder, names="DNS:localhost,IP:127.0.0.1"):
    """(certificate, key): PEM files in that folder, of those names; nobody but itself vouches for it."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=marca", "-addext", f"subjectAltName={names}", "-keyout", key, "-out", cert],
        check=True, capture_output=True)
    return cert, key


class Redis:
    """A redis-server of its own, on a free port of 127.0.0.1, in a temporary folder. `options`: as in redis.conf.

    kill() and start() may be called in turn: with appendonly, its data stay; wipe() between them loses them.
    """

    def __init__(self, *options):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="marca-redis-"))
        self.options = ["--appendonly", "yes", "--appendfsync", "always", "--save", "", "--repl-diskless-sync-delay", "0", *options]
        self.process = None
        self.port = free_port()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def client(self):
        return redis.Redis(port=self.port, decode_responses=True)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, value, trace):
        self.kill()
        shutil.rmtree(self.folder)

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--dir", self.folder, *self.options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with self.client() as client:
                    client.ping()  # it has read its data
                    assert client.info("server")["process_id"] == self.process.pid, "another one has that port"
                return
            except redis.exceptions.RedisError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise AssertionError(f"Redis did not start:\n{(self.folder / 'log').read_text()[-2000:]}") from None
                time.sleep(0.01)

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def wipe(self):
        """Of a Redis that does not run: what it had is gone."""
        assert self.process is None
        for path in self.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != "log":
                path.unlink()


# --- The server ---------------------------------------------------------------


def is_ready(address):
    api = Api(address)
    try:
        return api.get("/ready").status == 200
    except OSError:
        return False
    finally:
        api.close()


def check_end(process, stderr, log):
    """After SIGTERM: it must end by itself, with status 0 and no sanitizer's report."""
    try:
        status = process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise AssertionError(f"marca did not stop within {STOP_SECONDS} s of SIGTERM\n{log()}") from None
    report = SANITIZER.search(stderr.read_text(errors="replace"))
    assert report is None, f"a sanitizer reports: {report.group()}\n{log()}"
    assert status == 0, f"marca ended with {status}\n{log()}"


class Marca:
    """`marca serve` on a free port.

    store: "sqlite", "postgres", or "fleet": that is four processes and all that belongs to them (fleet.py).
    env: further variables; None removes one. arguments: further ones of `serve`.
    beside: another Marca, whose PostgreSQL database this one shares.
    listener: a listening socket, which is handed over to it at each start as systemd does, and stays the caller's.
    start(), stop() and kill() may be called in turn: the data stay until the `with` is left.
    """

    def __new__(cls, store="sqlite", **_):
        if store == "fleet" and cls is Marca:
            import fleet  # which is made of this module

            return object.__new__(fleet.Fleet)
        return object.__new__(cls)

    def __init__(self, store="sqlite", clock=CLOCK, env=None, arguments=(), command=None, beside=None, listener=None):
        self.store = store
        self.listener = listener
        self.beside = beside
        self.arguments = list(arguments)
        self.command = [str(part) for part in (command or [binary()])]
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="marca-test-"))
        self.data = self.folder / "data"
        self.stdout, self.stderr = self.folder / "stdout", self.folder / "stderr"
        if beside is not None:
            self.database = beside.database
        else:
            self.database = PostgresDatabase() if store == "postgres" else None
        # Nothing of the caller's own marca set-up may leak in.
        kept = {k: v for k, v in os.environ.items() if not k.startswith("MARCA_") and k not in settings()}
        wanted = {"MARCA_CLOCK": clock, "MARCA_STRICT": "1", "RATE_LOGIN": "0", "DATABASE_URL": self.database and self.database.url, **(env or {})}
        self.env = {**kept, **{k: v for k, v in wanted.items() if v is not None}}
        self.databases = {}  # by room, where they differ: fleet.py
        self.process = None
        self.address = None
        self.apis = []

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.kill()
            self.clean()
            raise
        return self

    def __exit__(self, kind, value, trace):
        try:
            if self.process is not None:
                self.stop()
        finally:
            self.kill()
            self.clean()

    def start(self):
        for log in (self.stdout, self.stderr):
            log.write_bytes(b"")
        with open(self.stdout, "wb") as out, open(self.stderr, "wb") as err:
            self.process = subprocess.Popen(
                [*self.handed_over(), *self.command, "serve", "--listen", "127.0.0.1:0", "--data", self.data, *self.arguments],
                cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                pass_fds=[self.listener.fileno()] if self.listener else [],
            )
        deadline = time.monotonic() + START_SECONDS
        while (told := re.search(r"^marca: listening on http://(\S+?)/?$", self.stdout.read_text(), re.M)) is None:
            self.wait_on(deadline, "it told no address")
        self.address = told.group(1)
        self.url = f"http://{self.address}"
        while not is_ready(self.address):
            self.wait_on(deadline, "/ready did not answer 200")

    def handed_over(self):
        """sd_listen_fds(3): the socket is descriptor 3; the shell becomes marca, so its id is the one to name."""
        if self.listener is None:
            return []
        return ["/bin/bash", "-c", 'exec 3<&"$0"; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', str(self.listener.fileno())]

    def wait_on(self, deadline, what):
        if self.process.poll() is not None:
            raise AssertionError(f"marca ended with {self.process.returncode} before it was ready:\n{self.log()}")
        if time.monotonic() > deadline:
            raise AssertionError(f"marca did not start: {what}\n{self.log()}")
        time.sleep(0.01)

    def ready(self):
        return is_ready(self.address)

    def database_of(self, room):
        """The PostgreSQL database that has that room; None with SQLite, which has it in data/<room>.db."""
        return self.databases.get(room, self.database)

    def api(self, headers=None):
        """A new connection; closed before the server is stopped."""
        self.apis.append(Api(self.address, headers, self.apis))
        return self.apis[-1]

    def operator(self):
        """A new connection, with an operator's token: for a marca that asks for one."""
        return self.api().bearing(self.run("token").strip())

    def close_apis(self):
        while self.apis:
            self.apis.pop().close()

    def stop(self):
        """SIGTERM; it must end by itself, with status 0 and no sanitizer's report."""
        process, self.process = self.process, None
        self.close_apis()
        process.send_signal(signal.SIGTERM)
        check_end(process, self.stderr, self.log)

    def kill(self):
        """SIGKILL: what was not durable is lost."""
        self.close_apis()
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def run(self, *words, status=0):
        """Another command of the same binary, with the same settings, beside the server. What it printed."""
        done = subprocess.run(
            [*self.command, *words], cwd=self.folder, env={**self.env, "MARCA_DATA": str(self.data)},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
        )
        assert done.returncode == status, f"marca {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout if status == 0 else done.stdout + done.stderr

    def logs(self):
        """The files of what it printed."""
        return [self.stdout, self.stderr]

    def log(self):
        """The end of what it printed."""
        return self.stdout.read_text(errors="replace")[-2000:] + self.stderr.read_text(errors="replace")[-20000:]

    def clean(self):
        if self.database is not None and self.beside is None:
            self.database.drop()
        shutil.rmtree(self.folder)


# --- Builders: the least that is valid, and whatever the test cares about ----------

serial = itertools.count(1)


def create(api, path, body):
    reply = api.post(path, {name: value for name, value in body.items() if value is not ...})
    assert reply.status == 201, f"POST {path}: {reply}"
    return reply.json


def make_tenant(api, settings=None, **fields):
    """Fields given as ... are left out of the request. `settings` change single settings of the default ones."""
    number = next(serial)
    return create(api, "/tenants/", {
        "name": f"Tenant {number}",
        "domain": f"tenant-{number}.example.com",
        "plan": "profissional",
        "settings": {
            "business_type": "fitness",
            "timezone": "America/Sao_Paulo",
            "working_hours_start": "06:00:00",
            "working_hours_end": "22:00:00",
            "booking_interval": 60,
            "advance_booking_days": 30,
            "cancellation_hours": 24,
            "custom_labels": {
                "resource_singular": "Sala",
                "resource_plural": "Salas",
                "booking_label": "Aula",
                "user_label": "Aluno",
            },
            **(settings or {}),
        },
        **fields,
    })


def make_user(api, tenant, **fields):
    number = next(serial)
    return create(api, "/users/", {
        "tenant_id": tenant["id"],
        "name": f"User {number}",
        "email": f"user-{number}@example.com",
        "user_type": "user",
        "permissions": {"can_book": True},
        **fields,
    })


PASSWORD = "correct horse battery"


def log_in(api, tenant, email, password=PASSWORD):
    """What POST /auth/login gives."""
    reply = api.post("/auth/login", {"tenant_id": tenant["id"], "email": email, "password": password})
    assert reply.status == 200, reply
    return reply.json


def login(api, tenant, email, password=PASSWORD):
    """A new connection, with the access token of that user."""
    return api.bearing(log_in(api, tenant, email, password)["access_token"])


def make_person(api, tenant, **fields):
    """(user, a connection with his access token): a user with a password, made by `api`."""
    user = make_user(api, tenant, password=PASSWORD, **fields)
    return user, login(api, tenant, user["email"])


def make_category(api, tenant, **fields):
    return create(api, "/categories/", {
        "tenant_id": tenant["id"],
        "name": f"Category {next(serial)}",
        "type": "fisico",
        **fields,
    })


def make_resource(api, tenant, category, **fields):
    return create(api, "/resources/", {
        "tenant_id": tenant["id"],
        "category_id": category["id"],
        "name": f"Resource {next(serial)}",
        **fields,
    })


def make_booking(api, resource, user, start_time, end_time, **fields):
    return create(api, "/bookings/", {
        "tenant_id": resource["tenant_id"],
        "resource_id": resource["id"],
        "user_id": user["id"],
        "start_time": start_time,
        "end_time": end_time,
        **fields,
    })
