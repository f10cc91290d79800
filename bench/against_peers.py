"""P5: how many requests a CPU-second is good for, with marca and with its peers.

All that a server's processes take is counted, from the first request until they rest again: what a booking leaves to be done
later, such as sending its event, is part of it.
"""
import statistics
import sys
import time
import typing

from filling import as_superuser
from peers.check import Wrong, answers_of, check
from peers.servers import COMMANDS, STREAM, Peer, jwks_of
from project import harness
from references import Wrk, cpu_seconds, load, rest
from scene import Scene, of_few_resources, progress

TARGETS = {"FastAPI": 40, "Fastify": 8}
ROUNDS = 3
BOOKINGS_A_SECOND = 15_000  # no server here makes more


class Marca:
    """One that is started for its turn, and stopped after it. `env`: changes."""

    def __init__(self, scene, **env):
        self.scene, self.env = scene, env

    @property
    def address(self):
        return self.scene.marca.address

    @property
    def pid(self):
        return self.scene.marca.process.pid

    def told(self):
        return self.scene.marca.log()

    def __enter__(self):
        self.before = dict(self.scene.marca.env)
        self.scene.marca.env.update(self.env)
        self.scene.start(pin=False)
        return self

    def __exit__(self, *_):
        self.scene.marca.stop()
        self.scene.marca.env = self.before


def postmaster(scene):
    """The process whose children are PostgreSQL's others."""
    text = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"
    child = harness.PostgresDatabase.sql(as_superuser(scene.marca.database.url), text).strip()
    with open(f"/proc/{child}/stat", encoding="ascii") as file:
        return int(file.read().rsplit(")", 1)[1].split()[1])


class Meter:
    """CPU time of a server and of PostgreSQL, in microseconds a request."""

    def __init__(self, server, postgres):
        self.pids = server.pid, postgres
        self.began = self.read()

    def read(self):
        return [cpu_seconds(pid) for pid in self.pids]

    def costs(self, requests):
        own, postgres = ((now - then) / requests * 1e6 for now, then in zip(self.read(), self.began))
        return {"own": own, "postgres": postgres}


def of_days(place, postgres, options, days):
    wrk, server = Wrk(place.scene.marca.folder, days), place.server
    wrk(server.address, server.pid, 1)  # what it keeps and compiles: also in a short run, or the peers would look slow
    meter = Meter(server, postgres)
    return meter.costs(wrk(server.address, server.pid, options.seconds)["requests"])


def availability(place, postgres, options):
    return of_days(place, postgres, options, of_few_resources(place.scene.days()))


def same_day(place, postgres, options):
    return of_days(place, postgres, options, place.scene.days()[:1])


def booking(place, postgres, options):
    server, seconds = place.server, options.seconds
    load(server.address, place.scene.requests(200))
    rest(server.pid)
    meter = Meter(server, postgres)
    done = load(server.address, place.scene.requests(seconds * BOOKINGS_A_SECOND), seconds=seconds)
    if set(done["statuses"]) != {"201"}:
        sys.exit(f"bench: {type(server).__name__} has not accepted all bookings: {done['statuses']}\n{server.told()}")
    rest(server.pid)
    return meter.costs(done["statuses"]["201"])


WORK = {"availability": availability, "one day's availability": same_day, "booking": booking}
# A row for each peer: the work, which marca it is compared with, and what the row says of that one.
COMPARED = (
    ("availability", "marca", ", on PostgreSQL"),
    ("availability", "marca, embedded", ", embedded"),
    ("one day's availability", "marca, embedded", " again and again, embedded"),
    ("booking", "marca", ", on PostgreSQL"),
    ("booking", "marca without groups", ", the peers' work alone"),
)


class Place(typing.NamedTuple):
    """A server that is measured, and what by; where its events come, for those that the check is for."""

    scene: Scene
    server: object  # Marca or Peer
    work: tuple
    stream: str = ""


def checked(name, place, redis, answers):
    try:
        check(place.scene, redis, place.server.address, place.stream, answers)
    except Wrong as wrong:
        sys.exit(f"bench: {name}: {wrong}\n{place.server.told()}")


def ratio_of(ours, theirs, cost):
    return statistics.median(cost(t) / cost(o) for o, t in zip(ours, theirs))


def compare(table, what, ours, found, note):
    """A row for each peer; and what is left of the ratios when PostgreSQL's time counts too."""
    whole = []
    for name, target in TARGETS.items():
        theirs = found[name]
        ratio = ratio_of(ours, theirs, lambda one: one[what]["own"])
        value, reference = (1e6 / statistics.median(one[what]["own"] for one in side) for side in (ours, theirs))
        table.add(f"P5 {what}{note}", f"{value:,.0f}/CPU-s", f"{name} {reference:,.0f}/CPU-s", f"{ratio:.1f}", f">= {target}",
                  ratio >= target)
        whole.append(f"{name} {ratio_of(ours, theirs, lambda one: sum(one[what].values())):.1f}")
    table.note(f"P5 {what}{note}: with PostgreSQL's CPU time {', '.join(whole)}")


def tell(table, found):
    for what in WORK:
        costs = [
            f"{name} {' + '.join(f'{statistics.median(one[what][whose] for one in rounds):,.1f}' for whose in ('own', 'postgres'))}"
            for name, rounds in found.items() if what in rounds[0]
        ]
        table.note(f"P5 {what}: us of CPU a request, its own + PostgreSQL's: {'; '.join(costs)}")


def places_of(postgres_scene, sqlite_scene, redis):
    scene, jwks, bus = postgres_scene, jwks_of(postgres_scene), {"REDIS_URL": redis.url}
    return {
        "marca": Place(scene, Marca(scene, **bus), tuple(WORK), "booking-events"),
        **{name: Place(scene, Peer(name, scene, redis, jwks), tuple(WORK), STREAM) for name in COMMANDS},
        "marca without groups": Place(scene, Marca(scene, EVENT_WORKERS="0", **bus), ("booking",)),
        "marca, embedded": Place(sqlite_scene, Marca(sqlite_scene), ("availability", "one day's availability")),
    }


def p5(postgres_scene, sqlite_scene, table, options):
    with harness.Redis("--appendfsync", "everysec") as redis:
        answers, places = answers_of(postgres_scene), places_of(postgres_scene, sqlite_scene, redis)
        for scene in postgres_scene, sqlite_scene:
            scene.marca.stop()
        found, postgres = {name: [] for name in places}, postmaster(postgres_scene)
        for n in range(min(options.rounds, ROUNDS)):
            for name, place in places.items():
                progress(f"P5: {name}, round {n + 1}")
                with place.server:
                    rest(place.server.pid)  # marca catches up on events that came while it was without groups
                    if n == 0 and place.stream:
                        checked(name, place, redis, answers)
                    found[name].append({what: WORK[what](place, postgres, options) for what in place.work})
    for what, ours, note in COMPARED:
        compare(table, what, found[ours], found, note)
    tell(table, found)
