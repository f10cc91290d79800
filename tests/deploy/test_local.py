"""deploy/local.sh: the whole fleet from Debian's packages, as somebody types it and as a program uses it."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import stat
import subprocess
import tempfile

import pytest

import harness

SCRIPT = harness.ROOT / "deploy/local.sh"
PROCESSES = {"tenant", "resource", "user", "booking"}


def clean_environment():
    """Nothing of the caller's own marca set-up, but for what tells which build is meant."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("MARCA_") and k not in harness.settings()}
    return {**kept, "MARCA_CLOCK": harness.CLOCK, "MARCA_STRICT": "1"}


def run(*words, env=None):
    return subprocess.run([SCRIPT, *words], capture_output=True, text=True, check=False, timeout=harness.DEADLINE,
                          env={**clean_environment(), **(env or {})})


def alive(pid):
    """False for a zombie too."""
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


class Fleet:
    def __init__(self, data):
        self.data = data
        self.told = None

    def start(self, env=None):
        self.stderr = open(self.data / "stderr", "w+")
        self.process = subprocess.Popen(
            [SCRIPT, "--port", "0", "--data", self.data / "fleet", "--build", harness.binary().parent, "--json"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.stderr, text=True, env={**clean_environment(), **(env or {})})
        line = self.process.stdout.readline()
        assert line, self.words()
        self.told = json.loads(line)
        return self

    def words(self):
        self.stderr.seek(0)
        return self.stderr.read()

    def end(self):
        """Its exit status, when it has ended by itself or was told to."""
        status = self.process.wait(harness.DEADLINE)
        assert self.process.stdout.read() == "", "one line, and nothing else"
        assert not any(alive(pid) for pid in self.pids()), "it has left something behind"
        self.stderr.close()
        self.process.stdout.close()
        return status

    def pids(self):
        return [part["pid"] for part in (*self.told["services"].values(), *(self.told[n] for n in ("gateway", "postgres", "redis")))]

    def api(self):
        return harness.Api(self.told["url"].removeprefix("http://"))

    def environment(self, name):
        """What is in NAME.env, as a shell reads it."""
        done = subprocess.run(["bash", "-c", 'set -a; . "$1"; env -0', "-", self.told["services"][name]["environment"]],
                              env={}, capture_output=True, text=True, check=True)
        return dict(row.split("=", 1) for row in done.stdout.split("\0") if row)


@pytest.fixture(scope="module")
def folder():
    """Where the user postgres can get to, who is another one when root runs the tests."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="marca-local-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def fleet(folder):
    fleet = Fleet(folder).start()
    yield fleet
    if fleet.process.poll() is None:
        fleet.process.terminate()
        fleet.end()


def test_all_of_it_is_there(fleet):
    assert fleet.told["services"].keys() == PROCESSES and all(alive(pid) for pid in fleet.pids())
    for service in fleet.told["services"].values():
        with contextlib.closing(harness.Api(service["url"].removeprefix("http://"))) as api:
            assert api.get("/ready").status == 200
    with contextlib.closing(fleet.api()) as api:
        assert api.get("/").status == 200
        assert api.get("/metrics").status == 404 and api.post("/internal/x").status == 404


def test_the_flow_of_the_readme(fleet):
    """The first steps as they are written, without a token: who asks sits at this machine, nginx or not."""
    with contextlib.closing(fleet.api()) as api:
        tenant = harness.make_tenant(api)
        user = harness.make_user(api, tenant)
        category = harness.make_category(api, tenant)
        resource = harness.make_resource(api, tenant, category)
        booking = harness.make_booking(api, resource, user, "2025-12-05T14:00:00Z", "2025-12-05T15:00:00Z")
        again = api.post("/bookings/", {"tenant_id": tenant["id"], "resource_id": resource["id"], "user_id": user["id"],
                                        "start_time": "2025-12-05T14:00:00Z", "end_time": "2025-12-05T15:00:00Z"})
        assert again.status == 409 and again.json["conflicts"][0]["booking_id"] == booking["id"]
        listed = api.get("/bookings/", tenant_id=tenant["id"]).json
        assert [row["id"] for row in listed] == [booking["id"]]
        harness.until("the audit trail has the booking's event",
                      lambda: "booking.created" in [row["type"] for row in api.get("/audit/", tenant_id=tenant["id"]).json])


def test_secrets_are_for_nobody_else(fleet):
    secrets = list((fleet.data / "fleet/secrets").iterdir())
    assert {path.name for path in secrets} == PROCESSES | {"redis", "service_key"}
    hidden = [*secrets, *(fleet.data / "fleet/env").iterdir(), fleet.data / "fleet/run/redis.conf"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in hidden)
    said = "".join(path.read_text() for path in (fleet.data / "fleet/log").iterdir()) + json.dumps(fleet.told)
    commands = [pathlib.Path(f"/proc/{pid}/cmdline").read_text() for pid in fleet.pids()]
    for path in secrets:
        assert len(path.read_text()) == 64 and path.read_text() not in said + "".join(commands)


def test_a_process_has_its_own_database_alone(fleet):
    for name in PROCESSES:
        url = fleet.environment(name)[f"{name.upper()}_DATABASE_URL"]
        assert harness.PostgresDatabase.sql(url, "SELECT count(*) > 0 FROM information_schema.tables").strip() == "t"
        other = min(PROCESSES - {name})
        with pytest.raises(AssertionError, match="permission denied for database"):
            harness.PostgresDatabase.sql(url.rpartition("/")[0] + f"/{other}", "SELECT 1")


def test_commands_work_on_it(fleet):
    environment = {**clean_environment(), **fleet.environment("user")}
    token = subprocess.run([harness.binary(), "token"], env=environment, capture_output=True, text=True, check=True).stdout.strip()
    with contextlib.closing(fleet.api().bearing(token)) as api:
        assert api.get("/tenants/").status == 200


def test_a_process_migrates_its_own_stores_alone(fleet):
    for name, rooms in (("tenant", ["tenant", "audit"]), ("booking", ["booking"])):
        environment = {**clean_environment(), **fleet.environment(name)}
        for words in (["all", "--status"], ["all"]):
            told = subprocess.run([harness.binary(), "migrate", *words], env=environment, capture_output=True, text=True, check=True).stdout
            assert [line.split()[0] for line in told.splitlines()] == rooms
        assert not list((fleet.data / "fleet" / name).glob("*.db"))


def test_one_fleet_a_folder(fleet):
    done = run("--port", "0", "--data", fleet.data / "fleet", "--build", harness.binary().parent)
    assert done.returncode == 1 and "runs over" in done.stderr and f"process {fleet.process.pid}" in done.stderr


# What ends the fleet comes last.


def test_what_was_kept_is_there_again(fleet):
    with contextlib.closing(fleet.api()) as api:
        tenant = harness.make_tenant(api)
    done = run("stop", "--data", fleet.data / "fleet")
    assert done.returncode == 0 and "stopped" in done.stderr, done
    assert fleet.end() == 0
    assert run("stop", "--data", fleet.data / "fleet").returncode == 0, "nothing to stop is no failure"
    fleet.start(env={"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing", "TENANT_SERVICE_URL": "http://127.0.0.1:1"})
    with contextlib.closing(fleet.api()) as api:
        assert api.get(f"/tenants/{tenant['id']}").json == tenant


def test_one_that_dies_is_told_and_ends_all(fleet):
    os.kill(fleet.told["services"]["booking"]["pid"], signal.SIGKILL)
    assert fleet.process.wait(harness.DEADLINE) == 1
    assert "booking has ended by itself" in fleet.words()
    fleet.end()


def test_nothing_outlives_it(fleet):
    if fleet.process.poll() is not None:
        fleet.start()
    fleet.process.kill()
    fleet.process.wait()
    harness.until("all have ended", lambda: not any(alive(pid) for pid in fleet.pids()))
    fleet.end()


# --- Wrong usage -----------------------------------------------------------------------


@pytest.mark.parametrize("words", [("--prot", "1"), ("--port",), ("--port", "x"), ("--port", "70000"), ("restart",)])
def test_wrong_usage(words):
    done = run(*words)
    assert done.returncode == 2 and "--help" in done.stderr and done.stdout == ""


def test_help():
    done = run("--help")
    assert done.returncode == 0 and "--json" in done.stdout and "set -e" not in done.stdout


def test_a_port_that_is_taken(folder):
    with socket.create_server(("127.0.0.1", harness.free_port())) as other:
        done = run("--port", str(other.getsockname()[1]), "--data", folder / "other", "--build", harness.binary().parent)
    assert done.returncode == 1 and "is taken" in done.stderr and "fix:" in done.stderr


def test_a_binary_that_is_missing(tmp_path):
    done = run("--data", tmp_path / "fleet", "--build", tmp_path)
    assert done.returncode == 1 and "there is no" in done.stderr and "fix:" in done.stderr
