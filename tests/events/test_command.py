"""marca events: for people and, with --json, for programs; beside a running server."""
import subprocess

import pytest

import harness
import streams
from business import ANY_TIME, Business


@pytest.fixture(scope="module")
def business(served):
    business = Business(served.api(), ANY_TIME)
    for hour in range(10, 14):
        business.book(f"2025-12-05T{hour}:00", f"2025-12-05T{hour + 1}:00")
    streams.settle(served)
    return business


def test_tail_for_people(served, business):
    text = served.run("events", "tail", "--stream", "booking-events", "--last", "2")
    lines = text.splitlines()
    assert len(lines) == 2 and all("booking.created" in line and business.resource["id"] in line for line in lines)
    assert "\x1b" not in text


def test_tail_from_a_place(served, business):
    assert [event["sequence"] for event in streams.lines(
        served, "tail", "--stream", "booking-events", "--from", "2")][:2] == [2, 3]


def test_tail_from_before_the_first(served, business):
    assert streams.lines(served, "tail", "--stream", "booking-events", "--from", "0")[0]["sequence"] == 1


def test_tail_ends_when_nobody_reads_it(served, business):
    tail = subprocess.Popen(
        [*served.command, "events", "tail", "--follow"], cwd=served.folder, stdout=subprocess.PIPE,
        env={**served.env, "MARCA_DATA": str(served.data)})
    try:
        tail.stdout.readline()
        tail.stdout.close()
        made = harness.make_user(served.api(), business.tenant)
        assert served.api().delete(f"/users/{made['id']}").status == 204
        streams.until("it has ended", lambda: tail.poll() is not None, 20)
    finally:
        tail.kill()
        tail.wait()


def test_groups(served, business):
    groups = {(group["group"], group["stream"]): group for group in streams.lines(served, "groups")}
    assert groups["user-service", "booking-events"]["delivered"] >= 4
    assert groups["booking-service", "deletion-events"]["lag"] == 0
    assert "user-service" in served.run("events", "groups")


def test_nothing_is_pending_or_dead(served, business):
    streams.until("all is acknowledged", lambda: streams.lines(served, "pending") == [])
    assert streams.lines(served, "dead") == []
    assert "no dead letters" in served.run("events", "dead")


def test_replaying_a_group_has_no_effect_twice(served, business):
    said = served.run("events", "replay", "--group", "user-service", "--stream", "booking-events", "--from", "1")
    assert "user-service" in said
    streams.settle(served)
    streams.check_all(served, business.id)
    assert 'marca_events_repeated_total{group="user-service"} 0\n' not in served.api().get("/metrics").text


@pytest.mark.parametrize("words", [
    ("events",), ("events", "sing"), ("events", "tail", "--stream", "no-events"), ("events", "tail", "--last", "x"),
    ("events", "groups", "--follow"), ("events", "replay"), ("events", "replay", "--group", "user-service"),
    ("events", "drop"), ("events", "drop", "x"),
])
def test_wrong_usage(served, words):
    assert served.run(*words, status=2) != ""


def test_what_is_not_there(served):
    assert "no dead letter" in served.run("events", "drop", "99", status=1)
    assert "no group" in served.run(
        "events", "replay", "--group", "nobody", "--stream", "booking-events", "--from", "1", status=1)


def test_without_a_store():
    marca = harness.Marca("sqlite")
    try:
        assert "there is no such database" in marca.run("events", "groups", status=1)
    finally:
        marca.clean()


def test_without_redis():
    marca = harness.Marca("sqlite", env={"REDIS_URL": "redis://127.0.0.1:1"})
    try:
        assert "event bus is unavailable" in marca.run("events", "groups", status=1)
    finally:
        marca.clean()


def test_trust_in_redis_is_as_set():
    """Of the server and of the command."""
    marca = harness.Marca("sqlite", env={"REDIS_URL": "rediss://127.0.0.1:1", "REDIS_CA_FILE": "/nonexistent"})
    try:
        assert "REDIS_CA_FILE=/nonexistent" in marca.run("events", "groups", status=1)
        with pytest.raises(AssertionError, match="REDIS_CA_FILE=/nonexistent"):
            marca.start()
    finally:
        marca.kill()
        marca.clean()


@pytest.mark.parametrize("url", ["http://127.0.0.1", "redis://", "redis://127.0.0.1:port"])
def test_a_bad_address_of_redis(url):
    marca = harness.Marca("sqlite", env={"REDIS_URL": url})
    try:
        assert "REDIS_URL" in marca.run("serve", status=1)
    finally:
        marca.clean()


def test_a_terminal_is_not_written_on():
    """Groups from outside bear any name."""
    with harness.Redis() as redis, harness.Marca("sqlite", env={"REDIS_URL": redis.url}) as marca:
        with redis.client() as client:
            client.xgroup_create("booking-events", "evil\x1b[2J", id="0", mkstream=True)
        text = marca.run("events", "groups")
        assert "evil?[2J" in text and "\x1b" not in text
