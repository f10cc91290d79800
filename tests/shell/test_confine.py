"""A serving marca under seccomp and Landlock: that it is confined, and that it does all its work all the same.

What the walls deny, call by call: src/app/confine_test.c. Always the binary of build/, as it is shipped: that of the
sanitizers is not confined.
"""
import ctypes
import errno
import os
import pathlib
import platform
import re
import signal
import subprocess
import time

import pytest

import harness
from test_secrets import cut_off, wait_until_ready

MARCA = harness.ROOT / "build" / "marca"


def landlock_abi():
    """Of this kernel, or 0. landlock_create_ruleset is 444 on every machine."""
    return max(ctypes.CDLL(None, use_errno=True).syscall(444, None, 0, 1), 0)


def has_seccomp():
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.prctl(21, 0, 0, 0, 0) >= 0 or ctypes.get_errno() != errno.EINVAL  # PR_GET_SECCOMP


needs_kernel = pytest.mark.skipif(
    landlock_abi() < 1 or not has_seccomp(), reason=f"kernel {platform.release()} has no Landlock, or no seccomp")


def confined(store="sqlite", env=None, **options):
    return harness.Marca(store, command=[MARCA], env={"MARCA_CONFINE": "required", "MARCA_LOG_LEVEL": "debug", **(env or {})},
                         **options)


def statuses(marca):
    """Of each of its threads: what /proc says."""
    found = []
    for path in pathlib.Path(f"/proc/{marca.process.pid}/task").glob("*/status"):
        found.append(dict(re.findall(r"^(\w+):\s*(.*)$", path.read_text(), re.M)))
    return found


def work(marca):
    """Something of everything: pages, stores, passwords, zones, events."""
    api = marca.api()
    tenant = harness.make_tenant(api, {"timezone": "Europe/Lisbon"})
    user = harness.make_user(api, tenant, password="um cavalo correto")
    resource = harness.make_resource(api, tenant, harness.make_category(api, tenant))
    booking = harness.make_booking(api, resource, user, "2025-12-10T12:00:00Z", "2025-12-10T13:00:00Z")
    assert api.patch(f"/bookings/{booking['id']}/cancel", {"reason": "x"}).status == 200
    assert api.get(f"/resources/{resource['id']}/availability", date="2025-12-10", tenant_id=tenant["id"]).status == 200
    for path in ("/", "/openapi.json", "/metrics", "/health", "/ready", "/.well-known/jwks.json", "/api-docs/bookings"):
        assert api.get(path).status == 200, path
    login = api.post("/auth/login", {"email": user["email"], "password": "um cavalo correto", "tenant_id": tenant["id"]})
    assert login.status == 200, login
    token = login.json["access_token"]
    assert api.get("/users/", {"Authorization": f"Bearer {token}"}).status in (200, 403)
    others = [marca.api() for _ in range(30)]
    assert all(other.get("/bookings/", tenant_id=tenant["id"]).status == 200 for other in others)
    # The audit's consumer has seen the bookings: relay, bus and consumers are at work.
    harness.until("the audit has it", lambda: "booking.cancelled" in api.get("/audit/", tenant_id=tenant["id"]).text)


@needs_kernel
def test_is_confined(store):
    with confined(store, {"MARCA_THREADS": "2"}) as marca:
        threads = statuses(marca)
        assert len(threads) > 4
        for thread in threads:
            assert thread["NoNewPrivs"] == "1" and thread["Seccomp"] == "2", thread
        limits = pathlib.Path(f"/proc/{marca.process.pid}/limits").read_text()
        assert re.search(r"^Max core file size +0 +0 ", limits, re.M)
        said = re.search(r'confined to its files.*?landlock"?[=:](\d+)', marca.log())
        assert said and int(said.group(1)) == landlock_abi()
        work(marca)
        marca.stop()
        marca.start()
        work(marca)


@needs_kernel
def test_redis_and_postgres_that_go_and_come(store):
    with harness.Redis() as bus, confined(store, {"REDIS_URL": bus.url.replace("127.0.0.1", "localhost")}) as marca:
        work(marca)
        bus.kill()
        if marca.database is not None:
            cut_off(marca.database, True)
            assert marca.api().get("/ready").status == 503
        time.sleep(1)
        bus.start()
        if marca.database is not None:
            cut_off(marca.database, False)
        wait_until_ready(marca)
        work(marca)


@needs_kernel
def test_keys_and_certificates_elsewhere(tmp_path):
    """Files that settings name: keys in a folder of their own, SQLite files out of MARCA_DATA, Redis by TLS."""
    (certificate, key), port = harness.certificate(tmp_path), harness.free_port()
    tls = ("--tls-port", str(port), "--tls-cert-file", certificate, "--tls-key-file", key, "--tls-auth-clients", "no")
    (tmp_path / "stores").mkdir()
    env = {
        "MARCA_KEYS": str(tmp_path / "keys"), "DATABASE_URL": f"sqlite:{tmp_path}/stores/marca.db",
        "REDIS_URL": f"rediss://localhost:{port}", "REDIS_CA_FILE": str(certificate),
    }
    with harness.Redis(*tls) as bus, confined(env=env) as marca:
        work(marca)
        bus.kill()
        bus.start()
        wait_until_ready(marca)
        work(marca)
        # A key that another process makes is found, though its folder can only be read.
        marca.run("keys", "rotate")
        work(marca)


def test_off():
    with harness.Marca(command=[MARCA], env={"MARCA_CONFINE": "off"}) as marca:
        assert all(thread["Seccomp"] == str(own_seccomp()) for thread in statuses(marca))
        work(marca)


def own_seccomp():
    return re.search(r"^Seccomp:\s*(\d)", pathlib.Path("/proc/self/status").read_text(), re.M).group(1)


@needs_kernel
def test_default_is_on():
    with harness.Marca(command=[MARCA]) as marca:
        assert all(thread["Seccomp"] == "2" for thread in statuses(marca))


def test_required_is_required(tmp_path):
    """A build that cannot be confined, or a kernel that cannot confine: it says so, and does not start."""
    sanitized = harness.ROOT / "build-asan" / "marca"
    if not sanitized.exists():
        pytest.skip("no build-asan/marca; `scripts/build --asan` makes it")
    done = subprocess.run(
        [sanitized, "serve", "--listen", "127.0.0.1:0", "--data", tmp_path], capture_output=True, text=True, timeout=60,
        check=False, env={"PATH": os.environ["PATH"], "MARCA_CONFINE": "required"})
    assert done.returncode == 1 and "it cannot be confined" in done.stderr, done


def test_no_such_mode(tmp_path):
    done = subprocess.run([MARCA, "serve", "--data", tmp_path], capture_output=True, text=True, timeout=60, check=False,
                          env={"PATH": os.environ["PATH"], "MARCA_CONFINE": "yes"})
    assert done.returncode == 1 and "MARCA_CONFINE=yes: must be one of" in done.stderr


@needs_kernel
def test_settings_are_read_again(tmp_path):
    """The file of settings and that of a secret, each replaced by another of that name, as editors and Kubernetes do it."""
    ours, secrets = tmp_path / "marca", tmp_path / "secrets"
    for folder in (ours, secrets):
        folder.mkdir()

    def write(path, text):
        new = path.with_suffix(".new")
        new.write_text(text)
        new.chmod(0o600)
        new.rename(path)

    settings, key = ours / "marca.conf", secrets / "key"
    write(settings, f"SECRET_KEY_FILE={key}\nCORS_MAX_AGE=1\n")
    write(key, os.urandom(64).hex())
    with confined(env={"MARCA_CONFIG_FILE": str(settings)}) as marca:
        write(settings, f"SECRET_KEY_FILE={key}\nCORS_MAX_AGE=2\n")
        write(key, os.urandom(64).hex())
        marca.process.send_signal(signal.SIGHUP)
        harness.until("it has read them", lambda: "settings reloaded" in marca.log())
        assert re.search("takes a restart.*SECRET_KEY", marca.log()) and re.search("has changed\".*CORS_MAX_AGE", marca.log())
