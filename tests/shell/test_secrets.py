"""Canaries: each secret is a word that nobody else says. Whatever marca is put through, the words come out nowhere.

A wall that masks secrets in the log (log_hide) stands behind code that does not log them; it is tested by itself in
src/base/secret_test.c. Here everything counts that leaves the process.
"""
import contextlib
import os
import pathlib
import re
import subprocess
import time

import pytest
import redis

import harness

WORDS = iter(f"c4nary{number:02}w0rd" for number in range(100))


class LockedRedis(harness.Redis):
    """One that wants a password."""

    def __init__(self, password):
        super().__init__("--requirepass", password)
        self.password = password

    def client(self):
        return redis.Redis(port=self.port, password=self.password, decode_responses=True)


class Scene:
    """Secrets, their words, and all that was seen to leave the process."""

    def __init__(self, tmp_path):
        self.folder = tmp_path
        self.words = []
        self.seen = {}

    def word(self):
        self.words.append(next(WORDS))
        return self.words[-1]

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text + "\n")
        path.chmod(0o600)
        return str(path)

    def saw(self, what, data):
        self.seen[what] = self.seen.get(what, b"") + (data if isinstance(data, bytes) else data.encode())

    def look_at(self, marca):
        """What anybody can see of a process that runs, or that has run."""
        self.saw("stdout", marca.stdout.read_bytes())
        self.saw("stderr", marca.stderr.read_bytes())
        if marca.process is not None:
            self.saw("cmdline", pathlib.Path(f"/proc/{marca.process.pid}/cmdline").read_bytes())
            self.saw("environ", pathlib.Path(f"/proc/{marca.process.pid}/environ").read_bytes())

    def ask(self, api, method, path, body=None, headers=None):
        with contextlib.suppress(OSError, harness.http.client.HTTPException):
            reply = api.request(method, path, body, headers)
            self.saw(f"{method} {path}", bytes(reply.headers) + reply.body)

    def check(self):
        assert self.words and self.seen
        for what, data in self.seen.items():
            for word in self.words:
                at = data.find(word.encode())
                assert at < 0, f"{what} tells a secret: ...{data[max(at - 200, 0):at + 40]!r}"


@pytest.fixture
def scene(tmp_path):
    found = Scene(tmp_path)
    yield found
    found.check()


def bad_requests(scene, marca):
    """Errors of every kind, with passwords and tokens in them."""
    api = marca.api()
    tenant = harness.make_tenant(api)["id"]
    password = scene.word()
    user = {"tenant_id": tenant, "name": "Ana", "email": "ana@example.com", "password": password, "user_type": "user"}
    scene.ask(api, "POST", "/users/", user)
    for broken in ({**user, "email": "no"}, {**user, "password": password * 40}, {**user, "password": [password]},
                   {**user, "password": {password: 1}}, {**user, "user_type": 7}, [password], {"password": "1"}):
        scene.ask(api, "POST", "/users/", broken)
    for text in (f'{{"password": "{password}"', f'{{"password": "{password}\\u0000"}}', f'{{"password": {password}}}',
                 f'{{"password": "{password}", "password": "{password}"}}', password):
        scene.ask(api, "POST", "/users/", text, {"Content-Type": "application/json"})
    for path in ("/users/login", "/auth/login"):
        scene.ask(api, "POST", path, {"email": "ana@example.com", "password": password, "tenant_id": tenant})
        scene.ask(api, "POST", path, {"email": "ana@example.com", "password": scene.word(), "tenant_id": tenant})
        scene.ask(api, "POST", path, f"username=ana%40example.com&password={password}&tenant_id={tenant}",
                  {"Content-Type": "application/x-www-form-urlencoded"})
    for header in (f"Bearer {scene.word()}", f"Basic {scene.word()}", f"Bearer {scene.word()}.{scene.word()}.x", scene.word()):
        scene.ask(api, "GET", "/tenants/", headers={"Authorization": header})
    scene.ask(api, "POST", "/auth/refresh", {"refresh_token": scene.word()})
    for path in ("/", "/openapi.json", "/metrics", "/health", "/ready", "/.well-known/jwks.json", "/users/"):
        scene.ask(api, "GET", path)


def cut_off(database, off):
    """Nobody gets in any more, and whoever was in is out; or everybody may again."""
    allowed = "false" if off else "true"
    database.sql(database.cluster, f'ALTER DATABASE "{database.name}" ALLOW_CONNECTIONS {allowed}')
    if off:
        database.sql(database.cluster, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                                       f"WHERE datname = '{database.name}'")


def with_password(url, password):
    return re.sub(r"//(\w+)@", rf"//\1:{password}@", url)


def secret_key(scene):
    return scene.word() + "q0Zr8vXnW2mLk5TtYc9HbJdPfGs7RaEiUoV1wQzNxMlKjC3hB6gDyF4uIpOeSrTA"


def test_embedded(scene):
    """SQLite: SECRET_KEY from the environment, SMTP_URL from a file."""
    env = {
        "SECRET_KEY": secret_key(scene), "PGPASSWORD": scene.word(), "https_proxy": f"http://me:{scene.word()}@127.0.0.1:9",
        "SMTP_URL_FILE": scene.file("smtp", f"smtp://marca:{scene.word()}@127.0.0.1:9"), "MARCA_LOG_LEVEL": "debug",
    }
    with harness.Marca(env=env) as marca:
        bad_requests(scene, marca)
        scene.look_at(marca)
        assert b"SECRET_KEY=" in scene.seen["environ"], "the block is there, the value is not"
        for path in marca.data.rglob("*"):
            if path.is_file():
                scene.saw(str(path), path.read_bytes())


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
@pytest.mark.parametrize("how", ["environment", "file", "credential"])
def test_servers(scene, store, how):
    """PostgreSQL and Redis with passwords, which go away and come again."""
    with LockedRedis(scene.word()) as bus:
        secrets = {"REDIS_URL": f"redis://:{bus.password}@127.0.0.1:{bus.port}", "SECRET_KEY": secret_key(scene)}
        marca = harness.Marca(store, env={"MARCA_LOG_LEVEL": "debug", "MARCA_DB_WAIT": "0"})
        secrets["DATABASE_URL"] = with_password(marca.env.pop("DATABASE_URL"), scene.word())
        for name, secret in secrets.items():
            if how == "environment":
                marca.env[name] = secret
            elif how == "file":
                marca.env[name + "_FILE"] = scene.file(name, secret)
            else:
                scene.file(name, secret)
                marca.env["CREDENTIALS_DIRECTORY"] = str(scene.folder)
        with marca:
            bad_requests(scene, marca)
            cut_off(marca.database, True)
            bus.kill()
            time.sleep(1)
            for path in ("/ready", "/tenants/", "/metrics"):
                scene.ask(marca.api(), "GET", path)
            scene.look_at(marca)
            bus.start()
            cut_off(marca.database, False)
            wait_until_ready(marca)
            scene.look_at(marca)
            assert b"PostgreSQL cannot be reached" in scene.seen["stderr"]
            assert b"Redis" in scene.seen["stderr"]


def wait_until_ready(marca):
    harness.until("it is back", lambda: harness.is_ready(marca.address))


@pytest.mark.parametrize("variable, url", [
    ("DATABASE_URL", "postgresql://marca:{}@127.0.0.1:1/marca"),
    ("DATABASE_URL", "postgresql://marca:{}/{}@127.0.0.1:1/marca"),
    ("DATABASE_URL", "postgresql://marca:{}@{}@127.0.0.1:1/marca"),
    ("DATABASE_URL", "postgresql://marca:12/{}@127.0.0.1:1/marca"),
    ("DATABASE_URL", "postgresql://marca:{}%@127.0.0.1:1/marca"),
    ("DATABASE_URL", "postgresql://127.0.0.1:1/marca?password={}"),
    ("DATABASE_URL", "postgresql://127.0.0.1:1/marca?passwort={}"),
    ("DATABASE_URL", "{}"),
    ("AUDIT_DATABASE_URL", "postgresql://marca:{}@localhost:{}/marca"),
    ("REDIS_URL", "redis://:{}/{}@127.0.0.1:1"),
    ("REDIS_URL", "redis://{}@127.0.0.1:1"),
    ("REDIS_URL", "redis://:{}@127.0.0.1:x"),
    ("REDIS_URL", "{}"),
    ("SECRET_KEY", "{}"),
    ("SMTP_URL", "smtp://marca:{}@mail.example.com"),
    ("SMTP_URL", "{}"),
])
def test_refusals(scene, variable, url):
    """Mistyped, or of a server that is not there: it says what is wrong with the setting, not what is in it."""
    secret = url.format(scene.word(), scene.word()) if url.count("{}") > 1 else url.format(scene.word())
    for how in ("environment", "file", "both"):
        env = {"PATH": os.environ["PATH"], "MARCA_LOG_LEVEL": "debug", "MARCA_DB_WAIT": "0", "ENVIRONMENT": "production",
               "CORS_ORIGINS": "https://x.example"}
        if how != "file":
            env[variable] = secret
        if how != "environment":
            env[variable + "_FILE"] = scene.file("secret", secret)
        done = subprocess.run(
            [harness.binary(), "serve", "--listen", "127.0.0.1:0", "--data", scene.folder / "data"], env=env,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False,
        )
        assert done.returncode == 1 and done.stderr, done
        scene.saw(f"{variable} {how}", done.stdout + done.stderr)
