"""What bench/run measures on: a marca whose store holds a million bookings, and requests that fit them.

It runs as a user would run it: every request bears the access token of a user who may make it, events are on, the log is
as it is by default.

Organisations, users and resources come in through the API; the bookings, which would take minutes that way, are
written straight into the booking service's table, as the API would have written them. Every resource has HOURS_BOOKED
bookings on each day of the month after CLOCK, until there are as many as asked for; later days are free.
"""
import concurrent.futures
import contextlib
import datetime
import os
import pathlib
import random
import shutil
import sqlite3
import sys
import tempfile
import typing
import uuid

from filling import fill_postgres, fill_sqlite, stride
from project import harness

BOOKINGS = 1_000_000
TENANTS, RESOURCES, USERS = 50, 48, 2  # the latter two a tenant
HOURS_BOOKED, HOURS = 14, 16  # of a day
DAYS_BOOKED, DAYS = 30, 365
DAY_ONE = datetime.date(2025, 12, 2)  # the day after harness.CLOCK
# Where the clock stands at each start once all have logged in: no token is from the future then, and all last the day.
CLOCK = "2025-12-01T12:30:00Z"
AS_A_USER = {"MARCA_AUTH": "required", "ACCESS_TOKEN_MINUTES": "1440", "MARCA_STRICT": None}
FREE_DAY = DAYS_BOOKED + 1  # the first, counted from DAY_ONE, on which nothing is booked
OPENING = datetime.timedelta(hours=9)  # 06:00 in São Paulo
HOUR = datetime.timedelta(hours=1)
MICROSECOND = datetime.timedelta(microseconds=1)
EPOCH = datetime.datetime(1970, 1, 1)

# The server has one core of the two for itself, the client the other.
SERVER_CPU, CLIENT_CPU = "0", "1"


def pinned(cpu, *command):
    return ["taskset", "-c", cpu, *map(str, command)] if os.cpu_count() > 1 else [str(part) for part in command]


def progress(text):
    """One moving line, for people."""
    if sys.stderr.isatty():
        print(f"\r\033[K\033[2m{text}\033[0m" if text else "\r\033[K", end="", file=sys.stderr, flush=True)


def microseconds(when):
    return (when - EPOCH) // MICROSECOND


def opening(day):
    """Of a day, counted from DAY_ONE."""
    return datetime.datetime.combine(DAY_ONE + datetime.timedelta(days=day), datetime.time()) + OPENING


def write_requests(path, texts):
    """For bench/load."""
    with open(path, "wb") as file:
        for text in texts:
            file.write(text.encode() + b"\0")
        file.flush()
        os.fsync(file.fileno())  # or the kernel does it half a minute later, amid a measurement
    return path


class Get(typing.NamedTuple):
    """A request, of a user who may make it."""

    path: str
    token: str

    def text(self):
        return f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.token}\r\n\r\n"


def of_few_resources(days):
    """Those of 400 resources, whose rules fit into marca's cache; the answers do not."""
    few = set(sorted({get.path.split("/")[2] for get in days})[:400])
    return [get for get in days if get.path.split("/")[2] in few]


class Parties:
    """Who books what: of each resource its id and its tenant's, and the tenant's users."""

    def __init__(self, resources, tokens=None):
        self.resources = resources  # [(tenant, resource, [user, ...])], uuid.UUID each
        self.tokens = tokens  # {user: access token}

    @classmethod
    def made_up(cls, tenants):
        """For a store that no marca reads. bench/references.py makes the same ids in SQL."""
        return cls([
            (uuid.UUID(int=1 << 120 | r // RESOURCES), uuid.UUID(int=2 << 120 | r), [uuid.UUID(int=3 << 120 | r // RESOURCES)])
            for r in range(tenants * RESOURCES)
        ])

    @classmethod
    def through_api(cls, marca, tenants=TENANTS, resources=RESOURCES, users=USERS, passwords=True):
        """So many tenants, and of each so many resources and users: `users` may be a function of the tenant's number. Without
        passwords the users have an operator's token."""
        operator = marca.operator().headers
        tokens = {}

        def user(api, tenant):
            made = harness.make_user(api, tenant, password=harness.PASSWORD if passwords else ...)
            found = uuid.UUID(made["id"])
            if not passwords:
                tokens[found] = operator["Authorization"].removeprefix("Bearer ")
                return found
            tokens[found] = harness.log_in(api, tenant, made["email"])["access_token"]
            return found

        def tenant(number):
            api = harness.Api(marca.address, operator)
            with contextlib.closing(api):
                made = harness.make_tenant(api, settings={"advance_booking_days": DAYS})
                people = [user(api, made) for _ in range(users(number) if callable(users) else users)]
                category = harness.make_category(api, made)
                return [
                    (uuid.UUID(made["id"]), uuid.UUID(harness.make_resource(api, made, category)["id"]), people)
                    for _ in range(resources)
                ]

        with concurrent.futures.ThreadPoolExecutor(25) as pool:
            return cls([resource for found in pool.map(tenant, range(tenants)) for resource in found], tokens)

    def write(self, path):
        """For bench/fill."""
        with open(path, "w", encoding="ascii") as file:
            for tenant, resource, users in self.resources:
                print(tenant.hex, resource.hex, *(user.hex for user in users), file=file)

    # --- Days that are booked ---

    def days(self, bookings):
        """Every (resource, day, one of its tenant's users) that has HOURS_BOOKED bookings, shuffled."""
        count = min(bookings // HOURS_BOOKED, len(self.resources) * DAYS_BOOKED)
        pairs = [(n % len(self.resources), n // len(self.resources)) for n in range(count)]
        random.Random(1).shuffle(pairs)
        return [
            (self.resources[resource][1], DAY_ONE + datetime.timedelta(days=day), self.resources[resource][2][day % len(self.resources[resource][2])])
            for resource, day in pairs
        ]

    # --- Hours that are free ---

    def free_hours(self, first, count):
        """Bookings that can be made: (tenant, resource, user, start)."""
        total = len(self.resources) * (DAYS - FREE_DAY - 1) * HOURS
        hop = stride(total)
        for n in range(first, first + count):
            rest, hour = divmod(n * hop % total, HOURS)
            day, resource = divmod(rest, len(self.resources))
            tenant, resource, users = self.resources[resource]
            yield tenant, resource, users[n % len(users)], opening(FREE_DAY + day) + hour * HOUR

    def posts(self, hours):
        """The text of a POST /bookings/ for each."""
        for tenant, resource, user, start in hours:
            body = (
                f'{{"tenant_id":"{tenant}","resource_id":"{resource}","user_id":"{user}",'
                f'"start_time":"{start:%Y-%m-%dT%H:%M:%SZ}","end_time":"{start + HOUR:%Y-%m-%dT%H:%M:%SZ}"}}'
            )
            yield (
                f"POST /bookings/ HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.tokens[user]}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
            )


class Seed:
    """Organisations with their users and resources, made once through the API, for several scenes on SQLite."""

    def __init__(self, **people):
        self.people = people  # of Parties.through_api()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="marca-seed-"))
        self.data, self.parties = self.folder / "data", None

    def __enter__(self):
        try:
            with harness.Marca(env=AS_A_USER) as marca:
                self.parties = Parties.through_api(marca, **self.people)
                marca.stop()
                shutil.copytree(marca.data, self.data)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)


class Scene:
    """A marca with its data. `with Scene(...) as scene:` leaves it running."""

    def __init__(self, bookings, store="sqlite", env=None, seed=None, **people):
        self.bookings = bookings
        self.seed = seed
        self.people = seed.people if seed else people  # of Parties.through_api()
        self.tenants = self.people.get("tenants", TENANTS)
        self.marca = harness.Marca(store=store, env={**AS_A_USER, **(env or {})})
        self.command = self.marca.command
        self.parties = None
        self.next_hour = 0

    def __enter__(self):
        progress(f"{self.marca.store}: {self.tenants:,} tenants, {self.bookings:,} bookings")
        try:
            self.settle()
            self.marca.env["MARCA_CLOCK"] = CLOCK
            if self.marca.store == "sqlite":
                fill_sqlite(self.marca.data / "booking.db", self.parties, self.bookings)
            else:
                fill_postgres(self.marca.database.url, self.parties, self.bookings)
            self.start()
        except BaseException as error:
            self.marca.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def settle(self):
        """Those who book are there; the server is not."""
        if self.seed is not None:
            shutil.copytree(self.seed.data, self.marca.data)
            self.parties = self.seed.parties
            return
        self.marca.start()
        self.parties = Parties.through_api(self.marca, **self.people)
        self.marca.stop()

    def __exit__(self, kind, value, trace):
        self.marca.__exit__(kind, value, trace)

    def start(self, *wrapper, pin=True):
        """Starts it again, under `wrapper` (strace, callgrind ...) if there is one."""
        os.sync()  # what filled it, or the kernel does it half a minute later, amid a measurement
        self.marca.command = [*map(str, wrapper), *(pinned(SERVER_CPU, *self.command) if pin else self.command)]
        self.marca.start()

    def get(self, what):
        """The reply to one of those below."""
        return self.marca.api().bearing(what.token).get(what.path)

    def days(self):
        """A Get of the availability of each day that is booked."""
        return [
            Get(f"/resources/{resource}/availability?data={day}", self.parties.tokens[user])
            for resource, day, user in self.parties.days(self.bookings)
        ]

    def some_bookings(self, count):
        """A Get of so many bookings, at random, each by who booked it."""
        chance = random.Random(3)
        tenants = sorted({tenant.bytes for tenant, _, _ in self.parties.resources})
        database = sqlite3.connect(f"file:{self.marca.data / 'booking.db'}?mode=ro", uri=True)
        with contextlib.closing(database):
            # An id begins with its instant, and the bookings were made evenly over the month.
            least, most = (
                int.from_bytes(database.execute(f"SELECT {end}(id) FROM bookings WHERE tenant_id = ?", tenants[:1]).fetchone()[0], "big")
                for end in ("min", "max")
            )
            rows = [
                database.execute(
                    "SELECT id, user_id FROM bookings WHERE tenant_id = ? AND id <= ? ORDER BY id DESC LIMIT 1",
                    [chance.choice(tenants), chance.randint(least, most).to_bytes(16, "big")],
                ).fetchone()
                for _ in range(count)
            ]
        rows = [row for row in rows if row]  # the first of another tenant may be younger
        return [Get(f"/bookings/{uuid.UUID(bytes=found)}", self.parties.tokens[uuid.UUID(bytes=user)]) for found, user in rows]

    def free_hours(self, count):
        """What Parties.free_hours() gives, of hours that nobody has asked for before."""
        first, self.next_hour = self.next_hour, self.next_hour + count
        return self.parties.free_hours(first, count)

    def requests(self, count):
        """A file of `count` POST /bookings/ for hours that nobody has asked for before."""
        return write_requests(self.marca.folder / "requests", self.parties.posts(self.free_hours(count)))
