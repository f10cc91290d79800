"""`marca export` and `marca import`: everything goes along, from any store to any other, and nothing half."""
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys

import pytest

import dump
import harness
import streams
import trading

SLACK = 6 << 10  # KiB; the rows of the test as a whole would take twice that
HARD_ROWS = 45  # of each table: more than any list of values in dump.py is long


def export(marca):
    """What it writes to a file, checked."""
    path = marca.folder / "export.jsonl"
    marca.run("export", "--out", str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return dump.Dump(path.read_bytes())


def keep(marca, data):
    path = marca.folder / "given.jsonl"
    path.write_bytes(data)
    return str(path)


def start(marca, *words, **more):
    return subprocess.Popen([*marca.command, *words], cwd=marca.folder, env={**marca.env, "MARCA_DATA": str(marca.data)},
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


@pytest.fixture(scope="module")
def empty_head():
    """The first line that this marca writes, which names all tables."""
    with harness.Marca() as marca:
        return export(marca).head


@pytest.fixture(scope="module")
def hard(empty_head):
    return dump.stream(empty_head, dump.hard_rows(empty_head, HARD_ROWS))


# --- What is carried -----------------------------------------------------------------------


def test_values_that_are_hard_to_carry(place, hard):
    """Every kind of column, with far times, 64 bits, empty texts, none: through both stores, and back byte by byte."""
    first, second, third = place("sqlite"), place("postgres"), place("sqlite")
    first.run("import", keep(first, hard))
    there = export(first)
    assert sorted(there.lines) == sorted(dump.Dump(hard).lines)
    second.run("import", keep(second, there.data))
    assert export(second).data == there.data
    third.run("import", keep(third, export(second).data))
    assert export(third).data == there.data


def test_those_values_come_up(hard):
    """The test above is no test when its rows lack what is hard."""
    rows = dump.Dump(hard)
    found = {}
    for (service, table), columns in rows.tables().items():
        for row in rows.of(service, table):
            for column, value in row.items():
                found.setdefault(columns[column], set()).add(value)
    assert found["text"] >= set(dump.TEXTS) - {""} and "" in found["text?"] and None in found["text?"]
    assert found["time"] >= set(dump.TIMES) and None in found["time?"]
    assert found["json"] >= set(dump.JSONS) and None in found["json?"] and "null" in found["json?"]
    assert {*dump.INT64} <= found["int"] and found["bool"] == {True, False}
    assert {type_.rstrip("?") for type_ in found} == {"uuid", "text", "time", "json", "int", "bool"}


def tables_of(marca):
    """{(service, table): columns} as the databases themselves have them, but for the list of migrations."""
    found = {}
    for service in dump.SERVICES:
        if marca.database is not None and service != "events":
            continue
        with sqlite3.connect(f"file:{marca.data / service}.db?mode=ro", uri=True) as db:
            for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                found[service, table] = {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
    if marca.database is not None:
        text = marca.database.sql(
            marca.database.url,
            "SELECT json_agg(json_build_array(table_name, column_name)) FROM information_schema.columns "
            "WHERE table_schema = 'public'")
        for table, column in json.loads(text):
            found.setdefault(table, set()).add(column)
    return {key: columns for key, columns in found.items() if key != "marca_schema" and "marca_schema" not in key}


def check_tables(real, told):
    missing = {key: columns for key, columns in real.items() if columns - set(told.get(key, ()))}
    assert not missing, f"not in the export: {missing}"
    assert real.keys() == told.keys()


def test_no_table_is_forgotten(store, place):
    """Each table and column of the real databases is in the export; one that is left out is noticed."""
    marca = place(store)
    marca.start()
    marca.stop()
    told = export(marca).tables()
    if store == "postgres":  # all services in one database
        told = {(table if service != "events" else (service, table)): columns
                for (service, table), columns in told.items()}
    real = tables_of(marca)
    check_tables(real, told)
    for key in list(told):
        with pytest.raises(AssertionError):
            check_tables(real, {other: columns for other, columns in told.items() if other != key})
    some = next(iter(told))
    with pytest.raises(AssertionError):
        check_tables(real, {**told, some: list(told[some])[1:]})


# --- A laptop's data move to the fleet, and back ----------------------------------------------


def check_served(marca, businesses, as_it_was):
    """It answers as before, each event had its effects once, its places have no gap, and life goes on."""
    api = marca.api()
    for business, before in zip(businesses, as_it_was):
        assert trading.bookings(api, business) == before
        business.api = api
        business.kept.append(business.book("2025-12-08T09:00:00", "2025-12-08T10:00:00")["id"])
        again = business.ask("2025-12-08T09:00:00", "2025-12-08T10:00:00")
        assert again.status == 409, again
    streams.settle(marca)
    streams.check_all(marca, *(business.id for business in businesses))


def test_laptop_to_fleet_and_back(place, fleet):
    """From one process with SQLite and the embedded bus to four, with a database each and a new Redis; then to a new laptop."""
    laptop, next_laptop = place("sqlite"), place("sqlite")
    laptop.start()
    businesses = trading.trade(laptop.api())
    streams.settle(laptop)
    as_it_was = [trading.bookings(laptop.api(), business) for business in businesses]
    beside = dump.Dump(laptop.run("export").encode())  # while it serves
    laptop.stop()
    moved = export(laptop)
    assert [line for line in moved.lines if b"_relay" not in line and b'"events"' not in line] \
        == [line for line in beside.lines if b"_relay" not in line and b'"events"' not in line]

    fleet.run("import", keep(fleet, moved.data))
    assert [line for line in export(fleet).lines] == [line for line in moved.lines if b'"service":"events"' not in line]
    shutil.copytree(laptop.data / "keys", fleet.data / "keys", dirs_exist_ok=True)
    fleet.start()
    check_served(fleet, businesses, as_it_was)
    as_it_was = [trading.bookings(fleet.api(), business) for business in businesses]
    fleet.stop()

    next_laptop.run("import", keep(next_laptop, export(fleet).data))
    next_laptop.start()
    for business in businesses:  # the hour that check_served() books
        reply = next_laptop.api().patch(f"/bookings/{business.kept[-1]}/cancel", {"reason": "mudança"})
        assert reply.status == 200, reply
    as_it_was = [trading.bookings(next_laptop.api(), business) for business in businesses]
    check_served(next_laptop, businesses, as_it_was)
    next_laptop.stop()


def test_the_embedded_bus_goes_along(place):
    """Streams, groups and places: what was handled is not delivered again, and the next event has the next place."""
    first, second = place("sqlite"), place("sqlite")
    first.start()
    businesses = trading.trade(first.api())
    streams.settle(first)
    had = {stream: streams.read(first, stream) for stream in streams.STREAMS}
    first.stop()
    second.run("import", keep(second, export(first).data))
    second.start()
    assert {stream: streams.read(second, stream) for stream in streams.STREAMS} == had
    check_served(second, businesses, [trading.bookings(second.api(), business) for business in businesses])
    assert all(int(line.split()[-1]) == 0 for line in second.api().get("/metrics").text.splitlines()
               if line.startswith("marca_events_repeated_total")), "something was delivered twice"
    second.stop()


# --- What is refused -------------------------------------------------------------------------


def test_damaged_streams(place, hard):
    """Cut anywhere, a bit changed anywhere, a line more or less: nothing is taken, and it is said why."""
    marca = place("sqlite")
    lines = hard.splitlines(keepends=True)
    flipped = bytearray(hard)
    flipped[len(hard) // 2] ^= 1
    in_end = bytearray(hard)
    in_end[-100] ^= 1
    damaged = {
        "empty": b"",
        "no export": b"{}\n",
        "another format": lines[0].replace(b'"format":1', b'"format":2') + b"".join(lines[1:]),
        "a head": lines[0],
        "cut between lines": b"".join(lines[:-1]),
        "cut within a line": hard[: len(hard) // 2],
        "cut at the very end": hard[:-1],
        "a row less": b"".join(lines[:10] + lines[11:]),
        "a row twice": b"".join(lines[:10] + lines[9:]),
        "rows changed places": b"".join([*lines[:10], lines[11], lines[10], *lines[12:]]),
        "a line more": hard + lines[5],
        "a bit": bytes(flipped),
        "a bit of the end": bytes(in_end),
    }
    for name, data in damaged.items():
        said = marca.run("import", keep(marca, data), status=1)
        assert "given.jsonl" in said and "nothing was imported" in said, (name, said)
        assert not marca.data.exists(), f"{name}: something was made"
    marca.run("import", keep(marca, hard))


def test_streams_that_are_whole_and_wrong(place, empty_head):
    """Their checksum is right, so somebody made them: no row of theirs is kept all the same."""
    rows = dump.hard_rows(empty_head, 3)

    def with_row(**changes):
        at = next(i for i, row in enumerate(rows) if row["table"] == "bookings")
        return dump.stream(empty_head, [*rows[:at], {**rows[at], **changes}, *rows[at + 1:]])

    booking = next(row["row"] for row in rows if row["table"] == "bookings")
    orphan = [{**row, "row": {**row["row"], "category_id": row["row"]["id"]}} if row["table"] == "resources" else row
              for row in rows]
    old = json.loads(json.dumps(empty_head).replace('"schema": ', '"schema": 9'))
    wrong = {
        "is missing": with_row(row={name: value for name, value in booking.items() if name != "start_time"}),
        "of another type": with_row(row={**booking, "start_time": "2025-12-01"}),
        "does not know": with_row(row={**booking, "colour": 1}),
        "no row of a table": with_row(table="parties"),
        "there twice": dump.stream(empty_head, [*rows, rows[0]]),
        "refers to one that is not": dump.stream(empty_head, orphan),
        "schema": dump.stream(old, rows),
    }
    for store in ("sqlite", "postgres"):
        marca = place(store)
        for says, data in wrong.items():
            said = marca.run("import", keep(marca, data), status=1)
            assert "nothing was imported" in said, said
            assert says in said or (says.startswith("refers") and "without the one it refers to" in said), (says, said)
        marca.run("import", keep(marca, dump.stream(empty_head, rows)))  # so all stores are empty still


def test_stores_that_are_not_empty(store, place, hard):
    marca = place(store)
    marca.start()
    harness.make_tenant(marca.api())
    running = marca.run("import", keep(marca, hard), status=1)
    assert "nothing was imported" in running
    marca.stop()
    before = export(marca).data
    said = marca.run("import", keep(marca, hard), status=1)
    assert "the tenant store is not empty" in said or "the events store is not empty" in said
    assert "is not empty" in marca.run("import", keep(marca, hard), "--dry-run", status=1)
    assert export(marca).data == before


def test_import_goes_on_where_it_ended(place, hard):
    """Between the commits of two stores the machine went down: the same command again does the rest."""
    marca = place("sqlite")
    marca.run("import", keep(marca, hard))
    whole = export(marca)
    for name in ("user.db", "user.db-wal", "user.db-shm", "tenant.db", "tenant.db-wal", "tenant.db-shm"):
        (marca.data / name).unlink(missing_ok=True)
    marca.run("import", keep(marca, whole.data))
    assert export(marca).data == whole.data


def test_dry_run_changes_nothing(store, place, hard):
    marca = place(store)
    said = subprocess.run([*marca.command, "import", keep(marca, hard), "--dry-run"], cwd=marca.folder, check=True,
                          env={**marca.env, "MARCA_DATA": str(marca.data)}, capture_output=True, text=True).stderr
    assert "Nothing was changed" in said and not marca.data.exists()
    if store == "postgres":
        tables = marca.database.sql(marca.database.url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        assert tables.strip() == "0"


def test_standard_input(place, hard):
    """It is read to its end before anything is touched; a stop meanwhile leaves nothing."""
    marca = place("sqlite")
    importing = start(marca, "import", "-", stdin=subprocess.PIPE)
    importing.stdin.write(hard[: len(hard) // 2])
    importing.stdin.flush()
    harness.until("it reads", lambda: any(
        "marca-" in os.readlink(link) for link in fds(importing.pid)))
    importing.send_signal(signal.SIGINT)
    importing.stdin.close()
    assert importing.wait(30) not in (0, 2) and not marca.data.exists()
    importing.stderr.close()
    importing.stdout.close()

    done = subprocess.run([*marca.command, "import", "-"], cwd=marca.folder, input=hard, capture_output=True, check=False,
                          env={**marca.env, "MARCA_DATA": str(marca.data)})
    assert done.returncode == 0, done.stderr
    assert sorted(export(marca).lines) == sorted(dump.Dump(hard).lines)


def fds(pid):
    return [link for link in pathlib.Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()]


def test_export_to_where_nothing_can_be_written(place, hard):
    marca = place("sqlite")
    marca.run("import", keep(marca, hard))
    assert "cannot make" in marca.run("export", "--out", "nowhere/export.jsonl", status=1)
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*marca.command, "export"], cwd=marca.folder, stdout=full, stderr=subprocess.PIPE, text=True,
                              env={**marca.env, "MARCA_DATA": str(marca.data)}, check=False)
    assert done.returncode == 1 and "cannot write" in done.stderr
    assert "Usage" in marca.run("export", "--to", "x", status=2)
    assert "Usage" in marca.run("import", status=2)


# A process of its own, and a small one: what whoever starts a process has in memory counts as that one's.
MEASURE = "import resource, subprocess, sys; status = subprocess.call(sys.argv[1:]); " \
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(status)"


def peak(marca, *words):
    """KiB that a command took at most. A sanitizer keeps what was freed; here it shall not."""
    options = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=0", "thread_local_quarantine_size_kb=0"]))
    done = subprocess.run([sys.executable, "-S", "-c", MEASURE, *marca.command, *words], cwd=marca.folder, check=False,
                          env={**marca.env, "MARCA_DATA": str(marca.data), "ASAN_OPTIONS": options},
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1])


def test_memory_is_bounded(place, empty_head):
    """Twenty times the rows, of 2 kB each, take hardly more memory on the way in and out. (SQLite would fill its cache.)"""
    harness.need_store("postgres")
    row = next(row for row in dump.hard_rows(empty_head, 1) if row["table"] == "booking_outbox")
    payload = json.dumps({"a": "x" * 2000}, separators=(",", ":"))
    needed = []
    for count in (300, 6000):
        marca = place("postgres")
        ids = (f"{number:08x}-0000-0000-0000-000000000000" for number in range(count))
        data = dump.stream(empty_head, [{**row, "row": {**row["row"], "id": id_, "payload": payload}} for id_ in ids])
        needed.append([peak(marca, "import", keep(marca, data)), peak(marca, "export", "--out", "out.jsonl"),
                       peak(marca, "backup", "backup")])
        assert len(dump.Dump((marca.folder / "out.jsonl").read_bytes()).of("booking", "booking_outbox")) == count
    assert len(data) > (2 * SLACK) << 10
    assert max(many - few for few, many in zip(*needed)) < SLACK, needed
