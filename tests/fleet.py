"""marca as a fleet: four processes with a database each, Redis between them, nginx before them.

harness.Marca("fleet") makes one; a test need not know. What it asks goes through nginx, so that the same tests hold
the fleet to what one process does.

Caches are off (CACHE_TTL_SECONDS=0): a test that changes something here expects to see it there at once, which a fleet
promises only once the event has come (tests/neighbour/test_kept.py).
"""
import contextlib
import os
import secrets
import signal
import subprocess
import time

import gateway
import harness

PROCESSES = {"tenant": "tenant,audit", "user": "user", "resource": "resource", "booking": "booking"}


class Member:
    """One process of the fleet. start(), stop() and kill() may be called in turn."""

    def __init__(self, fleet, name):
        self.fleet, self.name = fleet, name
        self.address = f"127.0.0.1:{harness.free_port()}"
        self.stdout, self.stderr = (fleet.folder / f"{name}.{stream}" for stream in ("stdout", "stderr"))
        self.process = None

    def start(self):
        with open(self.stdout, "wb") as out, open(self.stderr, "wb") as err:
            self.process = subprocess.Popen(
                [*self.fleet.command, "serve", "--service", PROCESSES[self.name], "--listen", self.address,
                 "--data", self.fleet.data, *self.fleet.arguments],
                cwd=self.fleet.folder, env=self.fleet.env, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            )

    def await_ready(self, deadline):
        while not harness.is_ready(self.address):
            if self.process.poll() is not None:
                raise AssertionError(f"{self.name} ended with {self.process.returncode} before it was ready:\n{self.log()}")
            assert time.monotonic() < deadline, f"{self.name} is not ready:\n{self.log()}"
            time.sleep(0.01)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.await_end()

    def await_end(self):
        process, self.process = self.process, None
        harness.check_end(process, self.stderr, self.log)

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def log(self):
        return "".join(path.read_text(errors="replace")[-10000:] for path in (self.stdout, self.stderr))


class Fleet(harness.Marca):
    def __init__(self, store="fleet", clock=harness.CLOCK, env=None, arguments=(), command=None):
        super().__init__("sqlite", clock=clock, arguments=arguments, command=command)
        self.store = store
        self.databases = {name: harness.PostgresDatabase() for name in PROCESSES}
        self.databases["audit"] = self.databases["tenant"]
        self.database = self.databases["tenant"]  # for tests that ask whether there is a PostgreSQL at all
        self.redis = harness.Redis()
        self.members = {name: Member(self, name) for name in PROCESSES}
        urls = {f"{room.upper()}_DATABASE_URL": database.url for room, database in self.databases.items()}
        services = {f"{name.upper()}_SERVICE_URL": f"http://{member.address}/{name}s/" for name, member in self.members.items()}
        self.env |= {
            **urls, **services, "REDIS_URL": self.redis.url, "SERVICE_KEY": secrets.token_hex(32),
            "TRUSTED_PROXIES": "127.0.0.1", "CACHE_TTL_SECONDS": "0",
        }
        for name, value in (env or {}).items():
            self.env.pop(name, None) if value is None else self.env.update({name: value})
        self.around = contextlib.ExitStack()
        self.gateway = gateway.Gateway({name: [member.address] for name, member in self.members.items()})

    @property
    def process(self):
        """That of the booking service, where a test wants one."""
        return self.members["booking"].process

    @process.setter
    def process(self, value):
        assert value is None

    def start(self):
        if self.address is None:
            self.around.enter_context(self.redis)
            self.around.enter_context(self.gateway)
            self.address = self.gateway.address
            self.url = f"http://{self.address}"
        for member in self.members.values():
            member.start()
        deadline = time.monotonic() + 2 * harness.START_SECONDS
        for member in self.members.values():
            member.await_ready(deadline)

    def stop(self):
        """All at once: how long each takes does not add up."""
        self.close_apis()
        running = [member for member in self.members.values() if member.process is not None]
        for member in running:
            member.process.send_signal(signal.SIGTERM)
        for member in running:
            member.await_end()

    def kill(self):
        self.close_apis()
        for member in self.members.values():
            member.kill()

    def logs(self):
        return [path for member in self.members.values() for path in (member.stdout, member.stderr)]

    def log(self):
        return "\n".join(f"--- {name}\n{member.log()}" for name, member in self.members.items())

    def clean(self):
        self.around.close()
        for name in PROCESSES:
            self.databases[name].drop()
        self.database = None
        super().clean()
