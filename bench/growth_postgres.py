"""What a query touches in PostgreSQL with ten thousand bookings stored, and with a million: pages of tables and indexes, by EXPLAIN (BUFFERS).

The same wherever it is measured. Statements, settings and generic plans are marca's own.
"""
import json
import os
import random
import re
import statistics
import subprocess

from filling import as_superuser, filled_postgres, psql
from references import TOOLS, tool
from scene import FREE_DAY, OPENING, TENANTS, Parties, microseconds, opening, progress

SIZES = (10_000, 100_000, 1_000_000)
SAMPLES = 40
HOUR = 3_600_000_000  # microseconds
ALWAYS = 4_000_000_000_000_000  # an instant after all others
SETTINGS = "-c plan_cache_mode=force_generic_plan -c jit=off -c enable_seqscan=off -c enable_sort=off"


def literal(value):
    return "NULL" if value is None else str(value) if isinstance(value, (int, bool)) else f"'{value}'"


def page(tenant, *more):
    return [tenant, 0, 0, ALWAYS, None, 0, "0" * 32, 10, *more]


def inputs(row, resource, free):
    """Of each query, in the order of :in in src/booking/queries.sql. `row`: (tenant, id, user) of a booking."""
    tenant, booking, user = row
    owner, there, (booker,) = resource
    midnight = microseconds(opening(0) - OPENING)
    return {
        "bookings_busy": [owner, there, midnight, midnight + 24 * HOUR],
        "booking_by_id": [tenant, booking],
        "bookings_of_tenant": page(tenant),
        "bookings_of_user": page(tenant, user),
        "bookings_of_resource": page(owner, there),
        "booking_insert": [
            owner, f"{random.getrandbits(128):032x}", there, booker, None, free, free + HOUR, "pendente", None,
            f"{random.getrandbits(32):08x}", False, None, f"{random.getrandbits(128):032x}", 0,
        ],
    }


def touched(url, parties):
    """{query: the median of pages}"""
    rows = [line.split("|") for line in psql(
        url, f"SELECT tenant_id, id, user_id FROM bookings ORDER BY confirmation_code LIMIT {SAMPLES}"
    ).splitlines()]
    chance = random.Random(4)
    script, names = [], list(inputs(rows[0], parties.resources[0], 0))
    for name in names:
        types = "(unknown, unknown, unknown, unknown, text)" if "_of_" in name else ""  # of the status, which nothing else tells
        script.append(f"PREPARE {name} {types} AS {tool(TOOLS / 'raw_loop', '-q', name)};")
    free = microseconds(opening(FREE_DAY))
    for n in range(SAMPLES):
        resource = parties.resources[chance.randrange(len(parties.resources) // 4)]
        for name, values in inputs(rows[n], resource, free + n * 24 * HOUR).items():
            script.append(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) EXECUTE {name}({', '.join(map(literal, values))});")
    told = subprocess.run(
        ["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", url], input="\n".join(script), check=True,
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PGOPTIONS": SETTINGS},
    ).stdout
    pages = {name: [] for name in names}
    for n, text in enumerate(re.split(r"^(?=\[)", told, flags=re.M)[1:]):
        plan = json.loads(text)[0]["Plan"]
        pages[names[n % len(names)]].append(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
    return {name: statistics.median(found[1:]) for name, found in pages.items()}


def by_pages(options):
    """[{figure, cost, points}], as growth.series() has them."""
    points = {}
    parties = Parties.made_up(TENANTS)
    for size in SIZES[:2] if options.quick else SIZES:
        progress(f"P6: PostgreSQL, {size:,} bookings")
        with filled_postgres(parties, size) as url:
            for name, pages in touched(as_superuser(url), parties).items():
                points.setdefault(name, []).append([size, pages])
    return [{"figure": name, "cost": "pages", "points": found} for name, found in points.items()]
