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
import re
import sqlite3
import subprocess
import sys
import typing
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import harness  # noqa: E402

BOOKINGS = 1_000_000
TENANTS, RESOURCES, USERS = 50, 48, 2  # the latter two a tenant
HOURS_BOOKED, HOURS = 14, 16  # of a day
DAYS_BOOKED, DAYS = 30, 365
DAY_ONE = datetime.date(2025, 12, 2)  # the day after harness.CLOCK
# Where the clock stands at each start once all have logged in: no token is from the future then, and all last the day.
CLOCK = "2025-12-01T12:30:00Z"
OPENING = datetime.timedelta(hours=9)  # 06:00 in São Paulo
MICROSECOND = datetime.timedelta(microseconds=1)
EPOCH = datetime.datetime(1970, 1, 1)

# The server has one core of the two for itself, the client the other.
SERVER_CPU, CLIENT_CPU = "0", "1"

COLUMNS = (
    "tenant_id id resource_id user_id start_time end_time status confirmation_code recurring_enabled version "
    "change_id created_at updated_at"
).split()


def pinned(cpu, *command):
    return ["taskset", "-c", cpu, *map(str, command)] if os.cpu_count() > 1 else [str(part) for part in command]


def progress(text):
    """One moving line, for people."""
    if sys.stderr.isatty():
        print(f"\r\033[K\033[2m{text}\033[0m" if text else "\r\033[K", end="", file=sys.stderr, flush=True)


def microseconds(when):
    return (when - EPOCH) // MICROSECOND


def stride(count):
    """A step that visits each of `count` places once before it returns to the first, in no order that one sees."""
    step = int(count * 0.6180339887) | 1
    while any(step % p == 0 and count % p == 0 for p in range(2, 1000)):
        step += 2
    return step


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
    def through_api(cls, marca, tenants):
        operator = marca.operator().headers
        tokens = {}

        def user(api, tenant):
            made = harness.make_user(api, tenant, password=harness.PASSWORD)
            found = uuid.UUID(made["id"])
            tokens[found] = harness.log_in(api, tenant, made["email"])["access_token"]
            return found

        def tenant(_):
            api = harness.Api(marca.address, operator)
            with contextlib.closing(api):
                made = harness.make_tenant(api, settings={"advance_booking_days": DAYS})
                users = [user(api, made) for _ in range(USERS)]
                category = harness.make_category(api, made)
                return [
                    (uuid.UUID(made["id"]), uuid.UUID(harness.make_resource(api, made, category)["id"]), users)
                    for _ in range(RESOURCES)
                ]

        with concurrent.futures.ThreadPoolExecutor(25) as pool:
            return cls([resource for found in pool.map(tenant, range(tenants)) for resource in found], tokens)

    # --- Days that are booked ---

    def days(self, bookings):
        """Every (resource, day, one of its tenant's users) that has HOURS_BOOKED bookings, shuffled."""
        count = min(bookings // HOURS_BOOKED, len(self.resources) * DAYS_BOOKED)
        pairs = [(n % len(self.resources), n // len(self.resources)) for n in range(count)]
        random.Random(1).shuffle(pairs)
        return [
            (self.resources[resource][1], DAY_ONE + datetime.timedelta(days=day), self.resources[resource][2][day % USERS])
            for resource, day in pairs
        ]

    def bookings(self, count):
        """Rows for COLUMNS, as old as a month, in the order in which they were made."""
        chance = random.Random(2)
        began = microseconds(datetime.datetime(2025, 11, 1))
        step = 29 * 86400 * 1_000_000 // count
        opening = microseconds(datetime.datetime.combine(DAY_ONE, datetime.time()) + OPENING)
        hop = stride(count)
        for n in range(count):
            pair, hour = divmod(n * hop % count, HOURS_BOOKED)
            day, resource = divmod(pair, len(self.resources))
            tenant, resource, users = self.resources[resource]
            made = began + n * step
            start = opening + (day * 24 + hour) * 3_600_000_000
            made_ms = made // 1000 << 80
            change, this = chance.getrandbits(76), chance.getrandbits(76)
            yield (
                tenant.bytes, uuid7(made_ms, this), resource.bytes, users[n % len(users)].bytes, start, start + 3_600_000_000,
                "confirmado" if n % 3 else "pendente", code(n), 0, 1, uuid7(made_ms, change), made, made,
            )

    # --- Hours that are free ---

    def free_hours(self, first, count):
        """Bookings that can be made: (tenant, resource, user, start)."""
        total = len(self.resources) * (DAYS - DAYS_BOOKED - 2) * HOURS
        hop = stride(total)
        for n in range(first, first + count):
            rest, hour = divmod(n * hop % total, HOURS)
            day, resource = divmod(rest, len(self.resources))
            tenant, resource, users = self.resources[resource]
            midnight = datetime.datetime.combine(DAY_ONE + datetime.timedelta(days=DAYS_BOOKED + 1 + day), datetime.time())
            yield tenant, resource, users[n % len(users)], midnight + OPENING + datetime.timedelta(hours=hour)

    def write_requests(self, path, hours):
        """POST /bookings/ for bench/load, each ended by a NUL."""
        with open(path, "wb") as file:
            for tenant, resource, user, start in hours:
                body = (
                    f'{{"tenant_id":"{tenant}","resource_id":"{resource}","user_id":"{user}",'
                    f'"start_time":"{start:%Y-%m-%dT%H:%M:%SZ}",'
                    f'"end_time":"{start + datetime.timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"}}'
                )
                file.write(
                    b"POST /bookings/ HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %b\r\n"
                    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b\0"
                    % (self.tokens[user].encode(), len(body), body.encode())
                )


def uuid7(made_ms, chance):
    """The bytes of a version 7 UUID: of 76 random bits, two give way to the variant."""
    return (made_ms | 7 << 76 | chance >> 64 << 64 | 2 << 62 | chance & (1 << 62) - 1).to_bytes(16, "big")


def code(n):
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    n = n * 0x9E3779B97F % (1 << 40)  # odd: no two alike
    return "".join(alphabet[n >> shift & 31] for shift in range(35, -1, -5))


# --- Into the stores ----------------------------------------------------------------


def fill_sqlite(path, parties, count):
    """Without its indexes, which are made again at once: an order faster."""
    db = sqlite3.connect(path, isolation_level=None)
    with contextlib.closing(db):
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA cache_size = -262144")
        db.execute("BEGIN")
        indexes = db.execute(
            "SELECT name, sql FROM sqlite_master WHERE tbl_name = 'bookings' AND type = 'index' AND sql IS NOT NULL"
        ).fetchall()
        for name, _ in indexes:
            db.execute(f"DROP INDEX {name}")
        marks = ", ".join("?" * len(COLUMNS))
        db.executemany(f"INSERT INTO bookings ({', '.join(COLUMNS)}) VALUES ({marks})", parties.bookings(count))
        for _, sql in indexes:
            db.execute(sql)
        db.executemany(
            "INSERT INTO resource_locks (tenant_id, resource_id, version) VALUES (?, ?, 1)",
            [(tenant.bytes, resource.bytes) for tenant, resource, _ in parties.resources],
        )
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def as_superuser(url):
    """In the cluster of scripts/with-postgres. Row-level security holds everybody else, and refuses COPY."""
    return re.sub(r"//[^@/]*@", "//postgres@", url)


def fill_postgres(url, parties, count):
    url = as_superuser(url)

    def psql(*commands, feed=()):
        arguments = [part for command in commands for part in ("-c", command)]
        with subprocess.Popen(
            ["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", url, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        ) as process:
            for line in feed:
                process.stdin.write(line)
            process.stdin.close()
            told = process.stdout.read()
        if process.returncode != 0:
            sys.exit(f"psql failed on {url}")
        return told

    def text(value):
        return value.hex() if isinstance(value, bytes) else str(value)

    indexes = [
        line.split("|", 1) for line in psql(
            "SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
            "WHERE i.indrelid = 'bookings'::regclass AND NOT i.indisprimary"
        ).splitlines()
    ]
    psql(
        *[f"DROP INDEX {name}" for name, _ in indexes],
        f"COPY bookings ({', '.join(COLUMNS)}) FROM STDIN",
        feed=("\t".join(map(text, row)) + "\n" for row in parties.bookings(count)),
    )
    psql(
        "COPY resource_locks (tenant_id, resource_id, version) FROM STDIN",
        feed=(f"{tenant}\t{resource}\t1\n" for tenant, resource, _ in parties.resources),
    )
    psql(*[sql for _, sql in indexes])
    psql("VACUUM (ANALYZE) bookings", "VACUUM (ANALYZE) resource_locks")


class Scene:
    """A marca with its data. `with Scene(...) as scene:` leaves it running."""

    def __init__(self, bookings, store="sqlite", env=None, tenants=TENANTS):
        self.bookings, self.tenants = bookings, tenants
        env = {"MARCA_AUTH": "required", "ACCESS_TOKEN_MINUTES": "1440", "MARCA_STRICT": None, **(env or {})}
        self.marca = harness.Marca(store=store, env=env)
        self.command = self.marca.command
        self.parties = None
        self.next_hour = 0

    def __enter__(self):
        resources = self.tenants * RESOURCES
        progress(f"{self.marca.store}: {self.tenants} tenants, {resources:,} resources, {self.bookings:,} bookings")
        self.marca.__enter__()
        try:
            self.parties = Parties.through_api(self.marca, self.tenants)
            self.marca.stop()
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

    def __exit__(self, kind, value, trace):
        self.marca.__exit__(kind, value, trace)

    def start(self, *wrapper, pin=True):
        """Starts it again, under `wrapper` (strace, callgrind ...) if there is one."""
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
        database = sqlite3.connect(f"file:{self.marca.data / 'booking.db'}?mode=ro", uri=True)
        with contextlib.closing(database):
            rows = database.execute("SELECT id, user_id FROM bookings ORDER BY random() LIMIT ?", [count]).fetchall()
        return [Get(f"/bookings/{uuid.UUID(bytes=found)}", self.parties.tokens[uuid.UUID(bytes=user)]) for found, user in rows]

    def free_hours(self, count):
        """What Parties.free_hours() gives, of hours that nobody has asked for before."""
        first, self.next_hour = self.next_hour, self.next_hour + count
        return self.parties.free_hours(first, count)

    def requests(self, count):
        """A file of `count` POST /bookings/ for hours that nobody has asked for before."""
        path = self.marca.folder / "requests"
        self.parties.write_requests(path, self.free_hours(count))
        return path
