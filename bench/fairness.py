"""Does a tenant that sends a hundred times its share slow another?

Two tenants of one process, ten users each, at their own addresses. The modest one sends its share all the time, at fixed instants;
the greedy one a hundred times as much, over 64 connections, or nothing, in turn. What is told is the ratio of the modest one's
p99s: the median of the rounds'.

By reads (availability) and by writes (bookings), on both stores; once with the limits that production has, and once without any.
"""
import contextlib
import json
import statistics
import subprocess
import time

import results
from references import TOOLS, postgres_cluster
from scene import Get, Scene, progress

USERS = 10
TIMES = 100
SHARES = {"reads": 400, "writes": 100}  # a second; below what production lets one tenant and its users do
CONNECTIONS = {"modest": 16, "greedy": 64}
TARGET = 1.5
PROXY = {"TRUSTED_PROXIES": "127.0.0.1"}  # each user has an address: X-Forwarded-For
LIMITS = {
    "production's limits": {"RATE_IP": "50", "RATE_PRINCIPAL": "50", "RATE_WRITE": "20", "RATE_TENANT": "500"},
    "no limits": {"RATE_IP": "0", "RATE_PRINCIPAL": "0", "RATE_WRITE": "0", "RATE_TENANT": "0"},
}
KINDS = {"sqlite": ("reads", "writes"), "postgres": ("writes",)}
BOOKINGS = 10_000


def from_own_address(text, number):
    return text.replace("Host: ", f"X-Forwarded-For: 10.0.0.{number}\r\nHost: ", 1)


class Tenant:
    def __init__(self, scene, tenant, first_address):
        self.scene, self.id = scene, tenant
        self.users = next(users for owner, _, users in scene.parties.resources if owner == tenant)
        self.addresses = {user: first_address + n for n, user in enumerate(self.users)}

    def reads(self, folder):
        """One file for all rounds, read again and again."""
        path = folder / f"reads-{self.id}"
        if not path.exists():
            texts = []
            for n, (resource, day, user) in enumerate(self.scene.parties.days(self.scene.bookings)):
                user = self.users[n % USERS]
                get = Get(f"/resources/{resource}/availability?data={day}", self.scene.parties.tokens[user])
                if user in self.addresses and self.owns(resource):
                    texts.append(from_own_address(get.text(), self.addresses[user]))
            path.write_bytes("".join(text + "\0" for text in texts).encode())
        return path

    def owns(self, resource):
        return any(owner == self.id and one == resource for owner, one, _ in self.scene.parties.resources)

    def writes(self, folder):
        """All the hours that are free; each round goes on where the last one ended."""
        path = folder / f"writes-{self.id}"
        if not path.exists():
            everything = folder / "writes"
            if not everything.exists():
                self.scene.parties.write_requests(everything, 0, 400_000)
            mine = f'"tenant_id":"{self.id}"'.encode()
            tokens = {self.scene.parties.tokens[user].encode(): self.addresses[user] for user in self.users}
            with open(path, "wb") as file:
                for text in everything.read_bytes().split(b"\0"):
                    if mine in text:
                        number = tokens[text.split(b"Bearer ", 1)[1].split(b"\r", 1)[0]]
                        file.write(from_own_address(text.decode(), number).encode() + b"\0")
        return path


class Loader:
    """bench/load of one tenant's requests, at a rate."""

    def __init__(self, tenant, kind, who, rate):
        self.file = getattr(tenant, kind)(tenant.scene.marca.folder)
        self.loops = ["-l"] if kind == "reads" else []
        self.who, self.rate, self.skip = who, rate, 0
        self.marca = tenant.scene.marca

    def start(self, seconds):
        command = [TOOLS / "load", "-c", CONNECTIONS[self.who], "-t", seconds, "-s", self.skip, *self.loops, "-R", self.rate,
                   self.marca.address.split(":")[1], self.file]
        if self.who == "greedy":  # it must not take the processor from the other's client
            command = ["nice", "-n", "10", *command]
        return subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)

    def measure(self, seconds):
        with self.start(seconds) as process:
            told = json.loads(process.stdout.read())
        self.skip += told["used"] if not self.loops else 0
        return told


def against(modest, greedy, options):
    """[(what the modest one had alone, beside the greedy one)], as bench/load tells it."""
    rounds = []
    modest.measure(1)
    for _ in range(options.rounds):
        alone = modest.measure(options.seconds)
        with greedy.start(options.seconds + 2) as process:
            time.sleep(0.5)
            beside = modest.measure(options.seconds)
            assert process.poll() is None, "the greedy one has ended"
            process.terminate()
        for told in alone, beside:
            assert all(status[0] == "2" for status in told["statuses"]), told
        rounds.append((alone, beside))
        greedy.skip += 0 if greedy.loops else greedy.rate * (options.seconds + 2)
        time.sleep(0.3)
    return rounds


def measure_all(scene, store, table, options):
    owners = list(dict.fromkeys(owner for owner, _, _ in scene.parties.resources))
    modest, greedy = Tenant(scene, owners[0], 1), Tenant(scene, owners[1], 101)
    loaders = {
        kind: (Loader(modest, kind, "modest", SHARES[kind]), Loader(greedy, kind, "greedy", SHARES[kind] * TIMES))
        for kind in KINDS[store]
    }
    found = []
    for limits, env in LIMITS.items():
        scene.marca.stop()
        scene.marca.env.update(env)
        scene.start(pin=store == "sqlite")
        for kind, pair in loaders.items():
            progress(f"fairness: {kind} on {store}, {limits}")
            rounds = against(*pair, options)
            for what in ("p50", "p99"):
                alone, beside = (statistics.median(one[n][what] for one in rounds) for n in (0, 1))
                ratio = statistics.median(one[1][what] / one[0][what] for one in rounds)
                table.add(f"fairness: {kind} on {store}, {limits}, {what}", f"{beside:.2f} ms", f"alone {alone:.2f} ms",
                          f"{ratio:.2f}", f"<= {TARGET:.2f}", ratio <= TARGET)
                found.append({"kind": kind, "store": store, "limits": limits, "what": what,
                              "alone": alone, "beside": beside, "ratio": ratio})
    return found


def fairness(table, options):
    how = {"env": PROXY, "people": (2, 48, USERS)}
    with Scene(BOOKINGS, **how) as scene:
        found = measure_all(scene, "sqlite", table, options)
    with postgres_cluster(), Scene(BOOKINGS, store="postgres", **how) as scene:
        found += measure_all(scene, "postgres", table, options)
    results.save("fairness", options.quick, rows=found)
