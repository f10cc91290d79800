"""Throughput and latency against connections, and latency against offered load: the curves of docs/performance.md.

Closed: each connection sends its next request as soon as its reply is in. Open: so many requests a second are due at even
instants whatever comes back, over 256 connections, and latency counts from when a request was due (bench/load.c). What is
offered is told in parts of the best rate that the closed runs had.
"""
import results
from references import Nginx, load, postgres_cluster
from scene import Scene, of_few_resources, progress, write_requests

CONNECTIONS = [1 << n for n in range(11)]
SHARES = [n / 10 for n in range(1, 12)]
OPEN_CONNECTIONS = 256
POSTGRES_BOOKINGS = 200_000
POSTS = 300_000
SECONDS = 1  # a point


class Subject:
    """What is asked, of whom."""

    def __init__(self, name, address, file, once=False, pin=True):
        self.name, self.address, self.file, self.once, self.pin = name, address, file, once, pin
        self.skip = 0

    def send(self, seconds, **how):
        told = load(self.address, self.file, skip=self.skip, seconds=seconds, loops=not self.once, pin=self.pin, **how)
        self.skip += told["used"] if self.once else 0
        assert set(told["statuses"]) <= {"200", "201"}, (self.name, told)
        return told


def closed(subject):
    points = []
    for connections in CONNECTIONS:
        progress(f"curves: {subject.name}, {connections} connections")
        told = subject.send(SECONDS, connections=connections)
        points.append({"connections": connections, **{key: told[key] for key in ("rate", "p50", "p99")}})
    return {"figure": subject.name, "points": points}


def opened(subject, best):
    points = []
    for share in SHARES:
        rate = max(1, round(best * share))
        progress(f"curves: {subject.name}, {share:.0%} of {best:,.0f}/s")
        told = subject.send(SECONDS, connections=OPEN_CONNECTIONS, rate=rate)
        points.append({
            "share": share, "offered": rate, **{key: told[key] for key in ("rate", "p50", "p90", "p99", "p999")},
        })
    return {"figure": subject.name, "best": best, "points": points}


def write_gets(scene, name, gets):
    return write_requests(scene.marca.folder / name, (get.text() for get in gets))


def run(subjects, found, offered=True):
    for subject in subjects:
        subject.send(1, connections=64)
        closed_one = closed(subject)
        found["closed"].append(closed_one)
        if offered:
            best = max(point["rate"] for point in closed_one["points"])
            found["open"].append(opened(subject, best))


def posts(scene, name):
    return Subject(name, scene.marca.address, scene.requests(POSTS // 10 if scene.bookings < 100_000 else POSTS), once=True, pin=False)


def curves(table, options):
    found = {"closed": [], "open": []}
    bookings = options.bookings
    with Scene(bookings) as scene:
        days = scene.days()
        address = scene.marca.address
        warm = write_gets(scene, "warm", days[:1])
        run([
            Subject("availability, kept", address, warm),
            Subject("availability, computed", address, write_gets(scene, "cold", of_few_resources(days))),
            Subject("a booking by its id", address, write_gets(scene, "ids", scene.some_bookings(20_000))),
        ], found)
        with Nginx(scene.get(days[0])) as nginx:
            run([Subject("nginx, the same bytes", nginx.address, warm)], found, offered=False)
        scene.marca.stop()
        scene.start(pin=False)
        run([posts(scene, "booking made, SQLite")], found)
    with postgres_cluster(), Scene(min(bookings, POSTGRES_BOOKINGS), store="postgres") as scene:
        scene.marca.stop()
        scene.start(pin=False)
        run([posts(scene, "booking made, PostgreSQL")], found)
    results.save("curves", options.quick, bookings=bookings, open_connections=OPEN_CONNECTIONS, **found)
    for one in found["closed"]:
        best = max(one["points"], key=lambda point: point["rate"])
        table.note(f"curves: {one['figure']}: at most {best['rate']:,.0f}/s, with {best['connections']} connections; "
                   f"one: p50 {one['points'][0]['p50']:.2f} ms")
