"""Does a tenant that sends a hundred times its share slow the others?

A share is what a thousandth of the process's tenants sends: SHARES. Ten modest tenants send theirs all the time, at fixed
instants; a greedy one sends a hundred times its own over many connections, or nothing, in turn. Each tenant has ten users, each
at an address of his own. What is told is the ratio of the modest ones' p99s: the median of the rounds'.

Once with the limits that production has; once without any; and a flood, of which nobody promises anything: without limits,
and as fast as replies come.

What SQLite and the disk themselves make of eleven times as many writes is told beside it: bench/raw_loop, the same statements
without any server, at the modest ones' rate and at that of all together.

Work that there is to do takes time, whoever asks for it. So there is a row, too, of the modest ones beside a hundred more like
them, who together send what the greedy one sends: what those move is the load's doing, and not one tenant's.
"""
import json
import statistics
import subprocess
import time

import results
from references import RawLoop, load_command, postgres_cluster
from scene import Get, Parties, Scene, progress, write_requests

MODEST, USERS = 10, 10
TIMES = 100  # and so many are they who send as much together
SHARES = {"reads": 50, "writes": 5}  # a second
CONNECTIONS = {"modest": 16, "greedy": 512, "many": 512}
BOOKINGS = 10_000
ROUNDS, SECONDS = 3, {"reads": 2, "writes": 5}  # of writes there are few a second, and a p99 needs some hundreds
FLOOD_SECONDS = 2
WRITES = {"modest": 10_000, "greedy": 200_000, "many": 20_000}  # a flood's, too
TARGET = 1.5
FLOOD = "no limits, a flood"
RAW = "sqlite alone"
ALONE, BESIDE = SHARES["writes"] * MODEST, SHARES["writes"] * (MODEST + TIMES)  # what it writes a second
MANY = "no limits, beside a hundred modest ones"
NO_LIMITS = {"RATE_IP": "0", "RATE_PRINCIPAL": "0", "RATE_WRITE": "0", "RATE_TENANT": "0"}
LIMITS = {
    "production's limits": {"RATE_IP": "50", "RATE_PRINCIPAL": "50", "RATE_WRITE": "20", "RATE_TENANT": "500"},
    "no limits": NO_LIMITS,
    FLOOD: NO_LIMITS,
}
KINDS = {"sqlite": ("reads", "writes"), "postgres": ("writes",)}


class Crowd:
    """Some tenants and their requests. Files are written once: reads are sent again and again, of writes each once."""

    def __init__(self, scene, who, tenants):
        self.scene, self.who, self.tenants = scene, who, tenants
        self.addresses = {}  # by token
        for owner, _, users in scene.parties.resources:
            for user in users if owner in tenants else ():
                self.addresses.setdefault(scene.parties.tokens[user], f"10.{ordinal(who)}.0.{len(self.addresses) + 1}")
        self.files = {
            kind: write_requests(scene.marca.folder / f"{who}-{kind}", map(self.from_own_address, texts))
            for kind, texts in {"reads": self.reads(), "writes": self.writes()}.items()
        }
        self.skip = 0

    def from_own_address(self, text):
        token = text.split("Bearer ", 1)[1].split("\r", 1)[0]
        return text.replace("Host:", f"X-Forwarded-For: {self.addresses[token]}\r\nHost:", 1)

    def reads(self):
        users = {resource: users for owner, resource, users in self.scene.parties.resources if owner in self.tenants}
        for n, (resource, day, _) in enumerate(self.scene.parties.days(BOOKINGS)):
            if resource in users:
                token = self.scene.parties.tokens[users[resource][n % len(users[resource])]]
                yield Get(f"/resources/{resource}/availability?data={day}", token).text()

    def writes(self):
        own = [row for row in self.scene.parties.resources if row[0] in self.tenants]
        parties = Parties(own, self.scene.parties.tokens)
        return parties.posts(parties.free_hours(0, WRITES[self.who]))

    def send(self, kind, seconds, rate):
        how = {"loops": True} if kind == "reads" else {"skip": self.skip}
        command = load_command(
            self.scene.marca.address, self.files[kind], seconds=seconds, connections=CONNECTIONS[self.who], rate=rate, **how
        )
        if self.who != "modest":  # they must not take the processor from the others' client
            command = ["nice", "-n", "10", *command]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def ordinal(who):
    return list(CONNECTIONS).index(who)


def modest_alone(modest, kind, seconds):
    with modest.send(kind, seconds, SHARES[kind] * MODEST) as process:
        told = json.loads(process.stdout.read())
    assert all(status[0] == "2" for status in told["statuses"]), told
    modest.skip += told["used"] if kind == "writes" else 0
    return told


def modest_beside(modest, others, kind, seconds, rate):
    with others.send(kind, seconds + 1, rate) as process:
        time.sleep(0.5)
        told = modest_alone(modest, kind, seconds)
        assert process.poll() is None, f"{others.who}: ended"
        ended = json.loads(process.communicate()[0])
    others.skip += ended["used"] if kind == "writes" else 0
    return told, {status: count / (seconds + 1) for status, count in ended["statuses"].items()}


def against(modest, others, kind, flood, options):
    """[(what the modest ones had alone, beside the others, the others' replies a second by status)]"""
    rounds = []
    seconds = FLOOD_SECONDS if flood or options.quick else SECONDS[kind]
    modest_alone(modest, kind, 1)
    for _ in range(1 if options.quick else ROUNDS):
        alone = modest_alone(modest, kind, seconds)
        rounds.append((alone, *modest_beside(modest, others, kind, seconds, 0 if flood else SHARES[kind] * TIMES)))
    return rounds


def add_row(table, name, rounds, target):
    alone, beside = (statistics.median(one[n]["p99"] for one in rounds) for n in (0, 1))
    ratio = statistics.median(one[1]["p99"] / one[0]["p99"] for one in rounds)
    middles = [statistics.median(one[n]["p50"] for one in rounds) for n in (0, 1)]
    answers = rounds[-1][2]
    table.add(name, f"{beside:.2f} ms", f"alone {alone:.2f} ms", f"{ratio:.2f}", f"<= {target:.2f}" if target else "",
              ratio <= target if target else None)
    replies = ", ".join(f"{status} {rate:,.0f}" for status, rate in answers.items())
    table.note(f"{name}: p50 {middles[1]:.2f} ms, alone {middles[0]:.2f}" + (f"; the others' replies a second: {replies}" if replies else ""))
    return {"p99": [alone, beside], "p50": middles, "ratio": ratio, "others": answers}


def by_raw_loop(scene, modest, options):
    """The modest ones' writes, on a copy of what they begin with; rounds as of against()."""
    raw, skip, rounds = RawLoop(scene), 0, []
    seconds = FLOOD_SECONDS if options.quick else SECONDS["writes"]
    for _ in range(1 if options.quick else ROUNDS):
        found = []
        for rate in (ALONE, BESIDE):
            found.append(raw.at_rate(modest.files["writes"], skip, rate, seconds))
            skip += found[-1]["used"]
        rounds.append((*found, {}))
    return rounds


def users_of(number):
    return USERS if number <= MODEST else 1


def measure_all(scene, store, table, options):
    tenants = list(dict.fromkeys(owner for owner, _, _ in scene.parties.resources))
    modest, greedy = Crowd(scene, "modest", tenants[:MODEST]), Crowd(scene, "greedy", tenants[MODEST:MODEST + 1])
    many = Crowd(scene, "many", tenants[MODEST + 1:]) if len(tenants) > MODEST + 1 else None
    found = []

    def row(kind, by, limits, rounds, target=None):
        found.append({"kind": kind, "store": by, "limits": limits, **add_row(table, f"fairness: {kind} on {by}, {limits}", rounds, target)})

    def measure(kind, limits, others, target=None):
        progress(f"fairness: {kind} on {store}, {limits}")
        row(kind, store, limits, against(modest, others, kind, limits == FLOOD, options), target)

    scene.marca.stop()
    if store == "sqlite":
        row("writes", RAW, f"{ALONE} and {BESIDE} a second", by_raw_loop(scene, modest, options))
    for limits, env in [("no limits", NO_LIMITS)] if options.quick else LIMITS.items():
        scene.marca.env.update(env)
        scene.start(pin=False)
        for kind in KINDS[store]:
            measure(kind, limits, greedy, target=None if limits == FLOOD else TARGET)
            if many and limits == "no limits":
                measure(kind, MANY, many)
        scene.marca.stop()
    return found


def fairness(table, options):
    how = {"env": {"TRUSTED_PROXIES": "127.0.0.1"}, "tenants": MODEST + 1 + (0 if options.quick else TIMES),
           "users": 2 if options.quick else users_of}
    with Scene(BOOKINGS, **how) as scene:
        found = measure_all(scene, "sqlite", table, options)
    if options.quick:
        return
    with postgres_cluster(), Scene(BOOKINGS, store="postgres", **how) as scene:
        found += measure_all(scene, "postgres", table, options)
    results.save("fairness", options.quick, rows=found)
