"""P6: what a request costs with ten thousand bookings stored, and with ten million; with one tenant, and with 10,000.

A store of each size, and a marca for each, all of them alive at once. A round measures each figure at each size in turn, so that
whatever else the machine does meets all sizes alike. One connection, one request after the other: what is told is the
median latency, and the CPU time of the server's threads a request, which does not depend on how fast the client is.

Nothing may grow faster than the logarithm of the bookings stored: from 10^4 to 10^7 that is 7/4 = 1.75.
"""
import contextlib
import math
import shutil
import statistics
import tempfile
import typing

import results
from callgrind import Callgrind
from growth_postgres import by_pages
from references import RawLoop, cpu_ns, idle_connections, load, postgres_cluster
from scene import DAY_ONE, DAYS, Get, Scene, Seed, progress, write_requests

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
TENANTS = (1, 100, 10_000)
OF_TENANTS = 200_000  # bookings
IDLE = 10_000  # connections
FEW = 400  # resources: their rules fit into marca's cache
OTHER_DAYS = 8 * FEW  # that push all kept answers out of the cache
RAW, RAW_LOG = 300, 1000  # bookings a round, as many as of P3; pages of the log, which is copied then, as marca's is once it rests
ROUNDS = 9
P6_TARGET = 1.3
ROOM = 7e9  # bytes of ten million bookings


class Figure(typing.NamedTuple):
    name: str
    requests: typing.Callable = None  # (side) -> texts of requests
    before: typing.Callable = None  # the same: sent before, and not measured
    once: int = 0  # so many bookings instead, others each time


class Side:
    """One of those that are compared: a marca and its store."""

    def __init__(self, label, scene):
        self.label, self.scene = label, scene
        self.operator = scene.marca.run("token").strip()
        self.tokens = scene.parties.tokens
        self.files = {}
        self.told = {}  # by figure: {"p50": [...], "cpu": [...]}

    def few(self):
        return self.scene.parties.resources[:FEW]

    def file(self, name, texts):
        """Written when it is first asked for."""
        if name not in self.files:
            self.files[name] = write_requests(self.scene.marca.folder / f"{len(self.files)}.requests", texts(self))
        return self.files[name]

    def file_before(self, figure):
        return self.file(f"before {figure.name}", figure.before)

    def file_of(self, figure):
        return self.scene.requests(figure.once) if figure.once else self.file(figure.name, figure.requests)

    def send(self, file):
        # Pinned: the scheduler might put it on the server's core, and the latency would be another.
        return load(self.scene.marca.address, file, seconds=60, connections=1, pin=True)

    def measure(self, figure):
        if figure.before:
            self.send(self.file_before(figure))
        file = self.file_of(figure)
        pid = self.scene.marca.process.pid
        cpu = cpu_ns(pid)
        told = self.send(file)
        cpu = cpu_ns(pid) - cpu
        assert all(status.startswith("2") for status in told["statuses"]), (figure.name, self.label, told)
        ours = self.told.setdefault(figure.name, {"p50": [], "cpu": []})
        ours["p50"].append(told["p50"] * 1000)
        ours["cpu"].append(cpu / told["used"] / 1000)


# --- What is measured -----------------------------------------------------------------------


def day_of(side, resource, day):
    token = side.tokens[resource[2][0]]
    return Get(f"/resources/{resource[1]}/availability?data={day}", token).text()


def one_day(side):
    return [day_of(side, side.few()[0], DAY_ONE)] * 2000


def booked_days(side):
    """Of each of the few, one that has 14 bookings."""
    days = {resource: day for resource, day, _ in side.scene.parties.days(side.scene.bookings)}
    return [day_of(side, resource, days[resource[1]]) for resource in side.few() if resource[1] in days]


def free_days(side):
    few = side.few()
    ahead = [DAY_ONE + (DAYS - 20 - n) * (DAY_ONE.resolution) for n in range(math.ceil(OTHER_DAYS / len(few)))]
    return [day_of(side, resource, day) for day in ahead for resource in few]


def bookings_by_id(side):
    return [get.text() for get in side.scene.some_bookings(1000)]


def lists(query, by=lambda side, resource: side.operator, count=300):
    """First pages of ten, of one tenant's after the other."""

    def texts(side):
        found = side.few()
        return [
            Get("/bookings/?limit=10&" + query.format(tenant=found[n % len(found)][0], resource=found[n % len(found)][1]),
                by(side, found[n % len(found)])).text()
            for n in range(count)
        ]

    return texts


def metrics(side):
    return [Get("/metrics", side.operator).text()] * 50


FIGURES = [
    Figure("P1 warm", one_day),
    Figure("P1 cold", booked_days, before=free_days),
    Figure("P2", bookings_by_id),
    Figure("list of a tenant", lists("tenant_id={tenant}")),
    Figure("list of a tenant from a day on", lists(f"tenant_id={{tenant}}&start_date={DAY_ONE}")),
    Figure("list of a tenant by a rare status", lists("tenant_id={tenant}&status=cancelado", count=20)),
    Figure("list of a user", lists("tenant_id={tenant}", by=lambda side, resource: side.tokens[resource[2][0]])),
    Figure("list of a resource", lists("tenant_id={tenant}&resource_id={resource}")),
    Figure("/metrics", metrics),
    Figure("P3", once=300),
]


def compare(sides, rounds, what):
    for n in range(rounds + 1):
        for figure in FIGURES:
            for side in sides:
                progress(f"{what}: round {n} of {rounds}: {figure.name}, {side.label:,}")
                side.measure(figure)
        if n == 0:  # nothing had been seen before
            for side in sides:
                side.told.clear()


def series(sides):
    """[{figure, cost, points: [[size, median], ...]}]"""
    return [
        {"figure": figure.name, "cost": cost, "points": [
            [side.label, round(statistics.median(side.told[figure.name][cost]), 2)] for side in sides]}
        for figure in FIGURES for cost in ("p50", "cpu") if figure.name in sides[0].told
    ]


def ratio(sides, figure, cost):
    """Of the largest to the smallest: the median of the rounds' own."""
    first, last = (side.told[figure][cost] for side in (sides[0], sides[-1]))
    return statistics.median(b / a for a, b in zip(first, last))


def add_rows(table, sides, what, allowed):
    for figure in [figure for figure in FIGURES if figure.name in sides[0].told]:
        p6 = what == "bookings" and figure.name.startswith("P1")
        target = P6_TARGET if p6 else allowed
        name = f"P6 {figure.name}, by {what}"
        costs = {"p50": "us median", "cpu": "us of CPU"} if p6 else {"cpu": "us of CPU"}
        for cost, unit in costs.items():
            small, large = (statistics.median(side.told[figure.name][cost]) for side in (sides[0], sides[-1]))
            found = ratio(sides, figure.name, cost)
            table.add(name, f"{large:,.0f} {unit}", f"{sides[0].label:,}: {small:,.0f}", f"{found:.2f}",
                      f"<= {target:.2f}", found <= target)


# --- By bookings ------------------------------------------------------------------------------


def by_raw_loop(table, sides, rounds):
    """What a booking made costs SQLite alone, one a commit; ends the sides' marcas."""
    for side in sides:
        side.scene.marca.stop()
    raws = [RawLoop(side.scene, copies=False) for side in sides]
    costs = [[raw(side.scene.requests(RAW), 0, 1, 60, "-w", RAW_LOG)["cost"] for side, raw in zip(sides, raws)] for _ in range(rounds + 1)][1:]
    middles = [statistics.median(of_side) for of_side in zip(*costs)]
    found = statistics.median(one[-1] / one[0] for one in costs)
    table.add("P6 the raw loop's P3, by bookings", f"{middles[-1]:,.0f} us of CPU", f"{sides[0].label:,}: {middles[0]:,.0f}", f"{found:.2f}", "", None)
    return [{"figure": "raw loop", "cost": "cpu", "points": [[side.label, round(middle, 2)] for side, middle in zip(sides, middles)]}]


def by_bookings(table, options):
    sizes = SIZES[:2] if options.quick else SIZES
    if shutil.disk_usage(tempfile.gettempdir()).free < ROOM * sizes[-1] / SIZES[-1] * 1.5:
        table.note(f"P6: no room for {sizes[-1]:,} bookings in {tempfile.gettempdir()}; {sizes[-2]:,} are the most")
        sizes = sizes[:-1]
    with Seed() as seed, contextlib.ExitStack() as stack:
        sides = [
            Side(size, stack.enter_context(Scene(size, seed=seed, env={"EVENT_WORKERS": "0"}))) for size in sizes
        ]
        rounds = 1 if options.quick else ROUNDS
        compare(sides, rounds, "P6")
        raw = by_raw_loop(table, sides, rounds)
    add_rows(table, sides, "bookings", math.log(sizes[-1]) / math.log(sizes[0]))
    return series(sides) + raw


# --- By tenants -------------------------------------------------------------------------------


def by_tenants(table, options):
    """The same bookings, of one tenant and of many; resources too are as many, but for the last."""
    tenants = TENANTS[:2] if options.quick else TENANTS
    bookings = OF_TENANTS // 10 if options.quick else OF_TENANTS
    with contextlib.ExitStack() as stack:
        sides = []
        for count in tenants:
            progress(f"P6: {count:,} tenants")
            with Seed(tenants=count, resources=max(1, 2400 // count), users=1, passwords=False) as seed:
                scene = Scene(bookings, seed=seed, env={"EVENT_WORKERS": "0"})
                sides.append(Side(count, stack.enter_context(scene)))
        compare(sides, 1 if options.quick else ROUNDS, "P6, tenants")
    add_rows(table, sides, "tenants", math.log(10_000_000) / math.log(10_000))
    return series(sides)


# --- By connections ---------------------------------------------------------------------------


def by_idle(table, options):
    """One busy connection beside none and beside many that are idle, in turn."""
    figure = next(figure for figure in FIGURES if figure.name == "P1 warm")
    with Scene(SIZES[0]) as scene:
        sides = [Side(0, scene), Side(IDLE // 10 if options.quick else IDLE, scene)]
        for n in range(2 if options.quick else 4):
            for side in sides:
                progress(f"P6: {side.label:,} idle connections, round {n}")
                with idle_connections(scene.marca.address, side.label):
                    side.measure(figure)
            if n == 0:
                for side in sides:
                    side.told.clear()
    for cost, unit in (("p50", "us median"), ("cpu", "us of CPU")):
        alone, beside = (statistics.median(side.told[figure.name][cost]) for side in sides)
        found = ratio(sides, figure.name, cost)
        table.add(f"P6 P1 warm, {sides[1].label:,} idle connections", f"{beside:,.0f} {unit}", f"none: {alone:,.0f}", f"{found:.2f}",
                  f"<= {P6_TARGET:.2f}", found <= P6_TARGET)
    return series(sides)


# --- By instructions: the same whatever else the machine does ---------------------------------

COUNTED_SIZES = (10_000, 100_000, 1_000_000)
COUNTED = ("P1 warm", "P1 cold", "P2", "list of a tenant", "list of a user", "list of a resource", "P3")


def instructions(side, figure, callgrind):
    """Of one request, once others like it have been seen."""
    side.send(side.file_of(figure))
    file = side.file_of(figure)  # of bookings another one
    if figure.before:
        side.send(side.file_before(figure))
    callgrind.take()
    told = side.send(file)
    return round(sum(counts.instructions for counts in callgrind.take().values()) / told["used"])


def by_instructions(options):
    """[{figure, cost, points}], as series() has them."""
    points = {name: [] for name in COUNTED}
    with Seed() as seed:
        for size in COUNTED_SIZES[:2] if options.quick else COUNTED_SIZES:
            with Scene(size, seed=seed, env={"EVENT_WORKERS": "0", "MARCA_CONFINE": "off"}) as scene:
                side, callgrind = Side(size, scene), Callgrind(scene.marca.folder)
                scene.marca.stop()
                scene.start(*callgrind.command, pin=False)
                callgrind.attach(scene.marca.process.pid)
                for figure in [figure for figure in FIGURES if figure.name in points]:
                    progress(f"P6: instructions, {figure.name}, {size:,} bookings")
                    points[figure.name].append([size, instructions(side, figure, callgrind)])
    return [{"figure": name, "cost": "instructions", "points": found} for name, found in points.items()]


# --- All of it --------------------------------------------------------------------------------


def add_growth(table, name, unit, points):
    """A row of what does not depend on the machine."""
    (small, least), (large, most) = points[0], points[-1]
    allowed = math.log(large) / math.log(small)
    table.add(name, f"{most:,.0f}{unit}", f"{small:,}: {least:,.0f}", f"{most / least:.2f}", f"<= {allowed:.2f}", most / least <= allowed)


def p6(table, options):
    found = {"bookings": by_bookings(table, options), "tenants": by_tenants(table, options), "idle": by_idle(table, options)}
    with postgres_cluster():
        found["pages"] = by_pages(options)
    for one in found["pages"]:
        add_growth(table, f"P6 PostgreSQL, {one['figure']}", " pages", one["points"])
    if options.instructions:
        found["instructions"] = by_instructions(options)
        for one in found["instructions"]:
            add_growth(table, f"P6 {one['figure']}, instructions", "", one["points"])
    results.save("growth", options.quick, **found)
