"""The consumers of docs/events.md and docs/EVENT_ARCHITECTURE.md, as they stand there: two share the work, and one is killed."""
import os
import re
import sqlite3
import subprocess
import sys

import harness
import streams
from business import ANY_TIME, Business



def write_program(path, document):
    path.write_text(re.search(r"```python\n(.*?)```", (harness.ROOT / document).read_text(), re.S).group(1))
    return path


def test_consumer_from_outside(tmp_path):
    program = write_program(tmp_path / "consumer.py", "docs/events.md")
    counts = tmp_path / "counts.db"

    def start(url):
        with open(tmp_path / "log", "ab") as log:
            return subprocess.Popen(["/usr/bin/python3", program, counts], env={**os.environ, "REDIS_URL": url}, stderr=log)

    def counted():
        with sqlite3.connect(f"file:{counts}?mode=ro", uri=True) as db:
            try:
                return dict(db.execute("SELECT resource_id, bookings FROM counts"))
            except sqlite3.OperationalError:
                return {}  # the consumer has only just made the file

    with harness.Redis() as redis, harness.Marca("sqlite", env={"REDIS_URL": redis.url}) as marca:
        business = Business(marca.api(), ANY_TIME)
        other = business.another_resource()["id"]
        consumers = [start(redis.url), start(redis.url)]
        try:
            for hour in range(0, 20):
                business.book(f"2025-12-05T{hour:02}:00", f"2025-12-05T{hour + 1:02}:00")
                business.book(f"2025-12-05T{hour:02}:00", f"2025-12-05T{hour + 1:02}:00", resource_id=other)
                if hour == 10:
                    consumers[0].kill()
            wanted = {business.resource["id"]: 20, other: 20}
            streams.until("all are counted", lambda: counts.exists() and counted() == wanted)
            groups = streams.lines(marca, "groups")
            assert "new-bookings" in {group["group"] for group in groups}
        finally:
            for consumer in consumers:
                consumer.kill()
                consumer.wait()
        assert b"Traceback" not in (tmp_path / "log").read_bytes(), (tmp_path / "log").read_text()


def test_the_guides_consumer(tmp_path):
    """At least once: of what the killed one had in hand, the other one may print it again."""
    program = write_program(tmp_path / "consumer.py", "docs/EVENT_ARCHITECTURE.md")
    said, errors = tmp_path / "said", tmp_path / "errors"

    def start(url):
        with open(said, "ab") as out, open(errors, "ab") as log:
            return subprocess.Popen(["/usr/bin/python3", program], env={**os.environ, "REDIS_URL": url}, stdout=out, stderr=log)

    def heard():
        return [tuple(line.split()[1:]) for line in said.read_text().splitlines()]

    with harness.Redis() as redis, harness.Marca("sqlite", env={"REDIS_URL": redis.url}) as marca:
        business = Business(marca.api(), ANY_TIME)
        consumers = [start(redis.url), start(redis.url)]
        try:
            wanted = []
            for hour in range(12):
                wanted.append(business.book(f"2025-12-05T{hour:02}:00", f"2025-12-05T{hour + 1:02}:00")["id"])
                if hour == 5:
                    streams.until("they have begun", heard)
                    consumers[0].kill()
            marca.api().put(f"/bookings/{wanted[0]}", {"status": "confirmado"})
            streams.until("all are heard", lambda: {booking for _, booking in heard()} == set(wanted))
            assert {kind for kind, _ in heard()} == {"booking.created"}, "for others it has no handler"
            streams.until("all are acknowledged", lambda: [
                (group["pending"], group["lag"]) for group in streams.lines(marca, "groups") if group["group"] == "meu-servico"] == [(0, 0)])
            consumers[1].terminate()
            assert consumers[1].wait(timeout=harness.DEADLINE) == 0
        finally:
            for consumer in consumers:
                consumer.kill()
                consumer.wait()
        assert b"Traceback" not in errors.read_bytes(), errors.read_text()


def test_every_type_is_documented():
    listed = set(re.findall(r"^\| `([a-z_.]+)`", (harness.ROOT / "docs/event-types.md").read_text(), re.M))
    assert {"booking.created", "booking.updated", "booking.cancelled", "booking.status_changed", "tenant.deleted",
            "user.deleted", "resource.deleted", "tenant.settings_changed", "resource.changed", "user.changed",
            "session.revoked", "api_key.created", "api_key.revoked", "provider.changed",
            "provider.deleted", "user.erased", "booking.erased"} == listed
