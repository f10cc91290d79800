"""A million bookings and more, written straight into the booking service's table by bench/fill.c."""
import contextlib
import os
import re
import subprocess
import sys
import tempfile

import harness

TOOL = harness.binary().parent / "bench/fill"


def stride(count):
    """A step that visits each of `count` places once before it returns to the first, in no order that one sees."""
    step = int(count * 0.6180339887) | 1
    while any(step % p == 0 and count % p == 0 for p in range(2, 1000)):
        step += 2
    return step


def fill(parties, count, target, **options):
    """bench/fill for these parties."""
    with tempfile.NamedTemporaryFile() as file:
        parties.write(file.name)
        command = [str(part) for part in (TOOL, file.name, count, stride(count), target)]
        if subprocess.run(command, check=False, **options).returncode != 0:
            sys.exit("bench: bench/fill failed")


def fill_sqlite(path, parties, count):
    fill(parties, count, path)


def as_superuser(url):
    """In the cluster of scripts/with-postgres. Row-level security holds everybody else, and refuses COPY."""
    return re.sub(r"//[^@/]*@", "//postgres@", url)


def psql(url, *commands, **options):
    """What it printed."""
    arguments = [part for command in commands for part in ("-c", command)]
    done = subprocess.run(
        ["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", url, *arguments],
        stdout=subprocess.PIPE, text=True, check=False, **options,
    )
    if done.returncode != 0:
        sys.exit(f"psql failed on {url}")
    return done.stdout


def fill_postgres(url, parties, count):
    """Without its indexes, which are made again at once: an order faster."""
    url = as_superuser(url)
    columns = subprocess.run([TOOL], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    indexes = [
        line.split("|", 1) for line in psql(
            url, "SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
            "WHERE i.indrelid = 'bookings'::regclass AND NOT i.indisprimary"
        ).splitlines()
    ]
    psql(url, *[f"DROP INDEX {name}" for name, _ in indexes])
    with subprocess.Popen(
        ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", f"COPY bookings ({columns}) FROM STDIN"],
        stdin=subprocess.PIPE,
    ) as process:
        fill(parties, count, "-", stdout=process.stdin)
        process.stdin.close()
    if process.returncode != 0:
        sys.exit(f"psql failed on {url}")
    locks = "".join(f"{tenant}\t{resource}\t1\n" for tenant, resource, _ in parties.resources)
    psql(url, "COPY resource_locks (tenant_id, resource_id, version) FROM STDIN", input=locks)
    psql(url, *[sql for _, sql in indexes], "VACUUM (ANALYZE) bookings", "VACUUM (ANALYZE) resource_locks")


@contextlib.contextmanager
def filled_postgres(parties, count):
    """The URL of a booking service's database that no marca has open."""
    database = harness.PostgresDatabase()
    try:
        subprocess.run(
            [harness.binary(), "migrate", "booking"], check=True, stdout=subprocess.DEVNULL,
            env={**os.environ, "BOOKING_DATABASE_URL": database.url},
        )
        fill_postgres(database.url, parties, count)
        yield database.url
    finally:
        database.drop()
