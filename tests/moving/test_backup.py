"""`marca backup` and `marca restore`: while bookings are made, of either store to either, and never half."""
import datetime
import os
import pathlib
import shutil
import signal
import sqlite3
import stat
import subprocess
import threading

import pytest

import dump
import harness
import ledger
import saved
import streams
import trading

CLIENTS = 4
PACE = 0.02  # s between two requests of a client: what is made must be read again by the checks
FIRST = datetime.datetime(2025, 12, 6)
BACKUPS = 2


def backup(marca, name="backup"):
    """Made, looked at by marca, and by us."""
    folder = marca.folder / name
    marca.run("backup", str(folder))
    marca.run("backup", "--verify", str(folder))
    told = saved.manifest(folder)
    assert saved.names(folder) == sorted([entry["file"] for entry in told["files"]] + ["manifest.b2", "manifest.json"])
    for entry in told["files"]:
        data = (folder / entry["file"]).read_bytes()
        assert entry["bytes"] == len(data) and entry["hash"] == dump.blake(data)
        if entry["kind"] == "stream":
            assert dump.Dump(data).end["stores"][0]["hash"] == entry["rows_hash"]
    for path in [folder, *folder.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert not list(marca.folder.glob("*.part"))
    return folder


def rows_of(marca):
    """Everything, but for what stands for a running relay."""
    return [line for line in dump.Dump(marca.run("export").encode()).lines if b"_relay" not in line]


# --- While it serves -----------------------------------------------------------------------


class Load:
    """Clients that book the same hours until they are told to stop; what was acknowledged, in that order."""

    def __init__(self, marca, businesses):
        self.marca, self.businesses = marca, businesses
        self.acknowledged, self.refused = [], 0
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.book, args=(number,)) for number in range(CLIENTS)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def book(self, number):
        api = harness.Api(self.marca.address)
        business = self.businesses[number % len(self.businesses)]
        for slot in range(8000):
            if self.stopping.wait(PACE):
                break
            start = FIRST + slot * datetime.timedelta(hours=1)
            wanted = business.wanted(start.isoformat(), (start + datetime.timedelta(hours=1)).isoformat())
            reply = api.post("/bookings/", wanted)
            if reply.status == 201:
                self.acknowledged.append(reply.json["id"])
                if slot % 7 == 0:
                    assert api.patch(f"/bookings/{reply.json['id']}/cancel", {"reason": "x"}).status == 200
            else:
                assert reply.status == 409, reply
                self.refused += 1
        api.close()


def overlaps(marca):
    sql = ("SELECT COUNT(*) AS n FROM bookings a JOIN bookings b ON a.tenant_id = b.tenant_id AND a.resource_id = b.resource_id "
           "AND a.id < b.id AND a.start_time < b.end_time AND b.start_time < a.end_time "
           "WHERE a.status IN ('pendente', 'confirmado') AND b.status IN ('pendente', 'confirmado')")
    return ledger.rows(marca, "booking", sql)[0]["n"]


def test_backups_under_load(store, place):
    """Of each: all that was acknowledged before it began, nothing half, each event once, and life goes on."""
    marca = place(store)
    marca.start()
    businesses = trading.trade(marca.api())
    begun, folders = [], []
    with Load(marca, businesses) as load:
        for number in range(BACKUPS):
            before = len(load.acknowledged)
            harness.until("bookings are made", lambda: len(load.acknowledged) > before + 20)
            begun.append(len(load.acknowledged))
            folders.append(marca.folder / f"backup-{number}")
            marca.run("backup", str(folders[-1]))
        before = len(load.acknowledged)
        harness.until("bookings are made", lambda: len(load.acknowledged) > before + 20)
    assert load.refused > 0, "nobody was second"
    marca.stop()
    for number, folder in enumerate(folders):
        marca.run("backup", "--verify", str(folder))
        other = place("postgres" if store == "sqlite" and number == 1 else store)
        other.run("restore", str(folder))
        other.start()
        api = other.api()
        for booking in load.acknowledged[:begun[number]]:
            assert api.get(f"/bookings/{booking}").status == 200, f"{booking} was acknowledged before the backup"
        assert api.get(f"/bookings/{load.acknowledged[-1]}").status == 404, "it was made after the backup"
        assert overlaps(other) == 0
        for business in businesses:
            ledger.check(other, business.id)
            business.api = api
            business.book("2025-12-05T03:00:00", "2025-12-05T04:00:00")
        streams.settle(other)
        streams.check_all(other, *(business.id for business in businesses))
        other.stop()
    assert {entry["kind"] for entry in saved.manifest(folders[0])["files"]} >= {"key", "sqlite"}


def test_fleet_to_laptop_and_back(place, fleet):
    """Four processes, their databases and a Redis; one process without any of it; and a fleet again, whose Redis is new."""
    fleet.start()
    businesses = trading.trade(fleet.api())
    person, _ = harness.make_person(fleet.api(), businesses[0].tenant)
    token = harness.log_in(fleet.api(), businesses[0].tenant, person["email"])["access_token"]
    streams.settle(fleet)
    as_it_was = [trading.bookings(fleet.api(), business) for business in businesses]
    folder = backup(fleet)
    fleet.stop()
    before = rows_of(fleet)

    laptop = place("sqlite")
    laptop.run("restore", str(folder))
    assert [line for line in rows_of(laptop) if b'"service":"events"' not in line] == before
    laptop.start()
    assert laptop.api().bearing(token).get(f"/users/{person['id']}").status == 200, "the keys came along"
    for business, was in zip(businesses, as_it_was):
        assert trading.bookings(laptop.api(), business) == was
        business.api = laptop.api()
        business.book("2025-12-09T09:00:00", "2025-12-09T10:00:00")
    streams.settle(laptop)
    streams.check_all(laptop, *(business.id for business in businesses))
    folder = backup(laptop)
    laptop.stop()
    before = [line for line in rows_of(laptop) if b'"service":"events"' not in line]

    assert "is not empty" in fleet.run("restore", str(folder), status=1)
    fleet.redis.kill()
    fleet.redis.wipe()
    fleet.redis.start()
    fleet.run("restore", str(folder), "--force")
    assert rows_of(fleet) == before
    fleet.start()
    streams.settle(fleet)
    streams.check_all(fleet, *(business.id for business in businesses))
    fleet.stop()


def test_restored_beside_a_redis_that_is_newer(store, place):
    """It has seen what came after the backup: what is sent again has no second effect, and nothing is left out."""
    with harness.Redis() as redis:
        marca = place(store, env={"REDIS_URL": redis.url})
        marca.start()
        businesses = trading.trade(marca.api())
        streams.settle(marca)
        folder = backup(marca)
        later = [business.book("2025-12-10T09:00:00", "2025-12-10T10:00:00")["id"] for business in businesses]
        streams.settle(marca)
        marca.stop()
        assert "begin with an empty one" in restore(marca, folder, "--force")
        marca.start()
        assert all(marca.api().get(f"/bookings/{id_}").status == 404 for id_ in later)
        for business in businesses:
            business.api = marca.api()
            business.book("2025-12-11T09:00:00", "2025-12-11T10:00:00")

        def told():
            """Each booking's events, and those that its user was told of."""
            tell = "SELECT id, type FROM booking_outbox WHERE stream = 'booking-events'"
            events = {row["id"] for row in ledger.rows(marca, "booking", tell) if row["type"] != "booking.updated"}
            known = [row["id"] for row in ledger.rows(marca, "user", "SELECT id FROM notifications")]
            assert len(known) == len(set(known))
            return events <= set(known)

        harness.until("all is told", told)
        marca.stop()


def restore(marca, folder, *words):
    done = subprocess.run([*marca.command, "restore", str(folder), *words], cwd=marca.folder, check=False,
                          env={**marca.env, "MARCA_DATA": str(marca.data)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stderr


# --- What is refused, and what is left ---------------------------------------------------------


@pytest.fixture(scope="module")
def kept():
    """Backups of a marca on either store, which tests copy before they bend them."""
    found, marcas = {}, []
    for store in ("sqlite", "postgres") if "MARCA_TEST_PG" in os.environ else ("sqlite",):
        marca = harness.Marca(store)
        marcas.append(marca)
        marca.start()
        trading.trade(marca.api(), 3)
        streams.settle(marca)
        found[store] = backup(marca)
        marca.stop()
    yield found
    for marca in marcas:
        marca.clean()


def refused(marca, folder, verify=True):
    """Both who looks at it and who would restore it say no, and nothing comes about."""
    said = marca.run("backup", "--verify", str(folder), status=1) if verify else ""
    also = marca.run("restore", str(folder), status=1)
    assert not list(marca.data.glob("*.restoring*")), "something was left"
    assert not marca.data.exists() or not list(marca.data.glob("keys/*")), "keys were put there"
    return said + also


def bend(folder, name, how):
    path = folder / name
    data = bytearray(path.read_bytes())
    if how == "flipped":
        data[len(data) // 2] ^= 1
    elif how == "cut":
        del data[-1]
    elif how == "longer":
        data += b"\n"
    path.write_bytes(bytes(data))
    if how == "missing":
        path.unlink()


def test_each_file_bent(store, place, kept):
    """A byte flipped, one less, one more, the file gone: of each file of the backup."""
    marca = place("sqlite")
    for name in saved.names(kept[store]):
        for how in ("flipped", "cut", "longer", "missing"):
            if (name, how) in (("manifest.b2", "longer"), ("manifest.b2", "cut"), ("manifest.b2", "flipped")):
                continue  # what stands behind the checksum says nothing
            folder = saved.copy(kept[store], f"{how}-{name.replace('/', '-')}")
            bend(folder, name, how)
            said = refused(marca, folder, verify=how == "flipped")
            assert pathlib.Path(name).name in said, (name, how, said)
            shutil.rmtree(folder)
    folder = saved.copy(kept[store], "sum")
    sums = (folder / "manifest.b2").read_text()
    (folder / "manifest.b2").write_text(("0" if sums[0] != "0" else "1") + sums[1:])
    assert "checksum" in refused(marca, folder)
    marca.run("restore", str(kept[store]))


def test_checksums_are_those_of_b2sum(kept):
    done = subprocess.run(["b2sum", "-l", "256", "-c", "manifest.b2"], cwd=kept["sqlite"], check=False, capture_output=True)
    assert done.returncode == 0, done.stderr


def test_bent_and_signed_again(place, kept):
    """With checksums that are right: what was restored is not what the store had, and that is seen."""
    marca, good = place("sqlite"), kept["sqlite"]
    folder = saved.copy(good, "less")
    with sqlite3.connect(folder / "booking.db") as db:
        db.execute("PRAGMA journal_mode = DELETE")
        db.execute("DELETE FROM booking_effects")
    db.close()
    saved.sign_again(folder, "booking.db")
    assert "booking_effects has 0 rows" in refused(marca, folder)

    folder = saved.copy(good, "changed")
    with sqlite3.connect(folder / "user.db") as db:
        db.execute("PRAGMA journal_mode = DELETE")
        db.execute("UPDATE users SET name = 'Mallory'")
    db.close()
    saved.sign_again(folder, "user.db")
    assert "its rows are not those" in refused(marca, folder)

    folder = saved.copy(good, "damaged")
    pages = bytearray((folder / "user.db").read_bytes())
    for at in range(4096 * 5, len(pages), 4096):
        pages[at : at + 64] = bytes(64)
    (folder / "user.db").write_bytes(bytes(pages))
    saved.sign_again(folder, "user.db")
    assert "user.db" in refused(marca, folder)

    folder = saved.copy(good, "swapped")
    shutil.copy(folder / "audit.db", folder / "resource.db")
    saved.sign_again(folder, "resource.db")
    assert "resource.db" in refused(marca, folder)

    for name in ("../outside", "keys/../../outside", "keys/.hidden", "/etc/passwd", "keys/"):
        folder = saved.copy(good, "elsewhere")
        told = saved.manifest(folder)
        key = next(entry for entry in told["files"] if entry["kind"] == "key")
        key["file"] = name
        saved.write_manifest(folder, told)
        assert "manifest names what this marca does not know" in refused(marca, folder)
        shutil.rmtree(folder)

    folder = saved.copy(good, "newer")
    told = saved.manifest(folder)
    saved.write_manifest(folder, {**told, "format": 2})
    assert "its format is another marca's" in refused(marca, folder)


def test_a_backup_of_an_older_schema(place, kept):
    """Embedded stores are brought up to date; what PostgreSQL's rows were is for the marca that wrote them."""
    marca = place("sqlite")
    older = place("sqlite")
    older.run("migrate", "user", "--to", "7")
    folder = saved.copy(kept["sqlite"], "older")
    with sqlite3.connect(older.data / "user.db") as db:
        db.execute("PRAGMA journal_mode = DELETE")
    db.close()
    shutil.copy(older.data / "user.db", folder / "user.db")
    saved.sign_again(folder, "user.db", schema=7, rows=0, tables={"users": 0})
    marca.run("backup", "--verify", str(folder))
    marca.run("restore", str(folder))
    assert "user       8 of 8" in marca.run("migrate", "all", "--status")
    with sqlite3.connect(folder / "user.db") as db:
        db.execute("INSERT INTO marca_schema SELECT room, number + 90, name, applied_at, number + 90 FROM marca_schema")
    db.close()
    saved.sign_again(folder, "user.db")
    assert "newer" in refused(place("sqlite"), folder)


def test_a_store_of_a_newer_schema(place, kept):
    """This marca may run beside it, but does not know all of its columns: it moves none of it."""
    marca = place("sqlite")
    marca.run("restore", str(kept["sqlite"]))
    given = marca.folder / "given.jsonl"
    marca.run("export", "--out", str(given))
    for data in (marca.data, (empty := place("sqlite")).data):
        if not data.exists():
            empty.run("migrate", "all")
        with sqlite3.connect(data / "user.db") as db:
            db.execute("INSERT INTO marca_schema SELECT room, number + 90, name, applied_at, 0 FROM marca_schema")
        db.close()
    for words in (("export", "--out", "none"), ("backup", "none")):
        assert "use the marca that migrated it" in marca.run(*words, status=1)
        assert not list(marca.folder.glob("none*"))
    assert "use the marca that migrated it" in empty.run("import", str(given), status=1)
    assert "newer marca's schema" in empty.run("import", str(given), "--dry-run", status=1)


def test_stores_that_are_not_empty(store, place, kept):
    marca = place(store)
    marca.start()
    there = harness.make_tenant(marca.api())
    assert "cannot be opened" in marca.run("restore", str(kept["sqlite"]), "--force", status=1) or store == "postgres"
    marca.stop()
    before = rows_of(marca)
    said = marca.run("restore", str(kept[store]), status=1)
    assert "is not empty" in said and "--force" in said and "nothing was restored" in said
    assert rows_of(marca) == before

    damaged = saved.copy(kept[store], f"forced-{store}")
    bend(damaged, saved.manifest(damaged)["files"][-3]["file"], "flipped")
    marca.run("restore", str(damaged), "--force", status=1)
    assert rows_of(marca) == before, "--force is not for what is damaged"

    marca.run("restore", str(kept[store]), "--force")
    marca.start()
    assert marca.api().get(f"/tenants/{there['id']}").status == 404
    streams.settle(marca)
    streams.check_all(marca)
    marca.stop()


def test_keys(place, kept):
    """Those that are there stay; another one under the same name is not written over; they may be left out."""
    marca = place("sqlite")
    marca.start()  # makes keys of its own
    own = set(saved.names(marca.data / "keys"))
    marca.stop()
    marca.run("restore", str(kept["sqlite"]), "--force")
    there = set(saved.names(marca.data / "keys"))
    assert own < there and {f"keys/{name}" for name in there} > set(saved.names(kept["sqlite"])) - {*STORES, *SUMS}
    some = marca.data / "keys" / sorted(there - own)[0]
    some.write_bytes(b"another")
    assert "another key" in marca.run("restore", str(kept["sqlite"]), "--force", status=1)
    some.unlink()

    marca.run("backup", "without", "--without-keys")
    assert not [name for name in saved.names(marca.folder / "without") if "keys" in name]
    other = place("sqlite")
    assert "has no keys" in restore(other, marca.folder / "without")


STORES = {f"{service}.db" for service in dump.SERVICES}
SUMS = {"manifest.json", "manifest.b2"}


def test_stopped_on_the_way(place, kept, tmp_path):
    """By a signal, or for want of space: nothing is left. Killed: what is left is no backup, and in nobody's way."""
    marca = place("sqlite")
    restore(marca, kept["sqlite"])
    with sqlite3.connect(marca.data / "audit.db") as db:  # some tens of MB
        db.execute("CREATE TABLE ballast (bytes BLOB)")
        db.executemany("INSERT INTO ballast VALUES (zeroblob(?))", [(1 << 20,)] * 40)
    db.close()

    def begun(name):
        process = subprocess.Popen([*marca.command, "backup", name], cwd=marca.folder, stderr=subprocess.DEVNULL,
                                   env={**marca.env, "MARCA_DATA": str(marca.data)})
        harness.until("it writes", lambda: (marca.folder / f"{name}.part").exists() or process.poll() is not None)
        return process

    process = begun("stopped")
    process.send_signal(signal.SIGINT)
    if process.wait(60) != 0:  # else it was faster
        assert not list(marca.folder.glob("stopped*"))
    process = begun("killed")
    process.kill()
    process.wait()
    if not (marca.folder / "killed").exists():
        assert "no backup" in marca.run("backup", "--verify", "killed.part", status=1)
    marca.run("backup", "killed") if not (marca.folder / "killed").exists() else None
    assert not (marca.folder / "killed.part").exists()
    marca.run("backup", "--verify", "killed")

    said = marca.run("backup", "killed", status=1)
    assert "is there already" in said
    assert "cannot make the folder" in marca.run("backup", "no/such/folder", status=1)
    limited = ["sh", "-c", 'ulimit -f 1000; trap "" XFSZ; exec "$@"', "sh", *marca.command, "backup", "full"]
    done = subprocess.run(limited, cwd=marca.folder, env={**marca.env, "MARCA_DATA": str(marca.data)},
                          capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "no backup was made" in done.stderr
    assert not list(marca.folder.glob("full*"))
    assert "Usage" in marca.run("backup", status=2) and "Usage" in marca.run("restore", status=2)
    assert "this is no backup" in marca.run("restore", str(tmp_path), status=1)
