"""/metrics: that Prometheus takes it, that the figures are those of what was done, and who is shown them."""
import concurrent.futures
import http.client
import os
import pathlib
import re
import socket

import pytest

import harness
import page
from business import ANY_TIME, Business

TOKEN = "metrics-" + "t0ken" * 6
PRODUCTION = {
    "ENVIRONMENT": "production",
    "CORS_ORIGINS": "https://app.example.com",
    "PUBLIC_URL": "https://marca.example.com",
}


@pytest.fixture(scope="module")
def business(marca):
    found = Business(marca.api(), ANY_TIME)
    found.book("2025-12-05T10:00", "2025-12-05T11:00")
    return found


def lint(text):
    return page.promtool("check", "metrics", text=text)


def test_promtool_takes_it(marca, business):
    marca.api().get("/nowhere")
    status, said = lint(page.read(marca.api()).text)
    assert status == 0 and said == "", said


def test_promtool_sees_a_planted_fault(marca):
    text = page.read(marca.api()).text
    assert lint(text + text)[0] != 0, "each metric twice"
    assert lint(text.replace("# HELP process_open_fds", "# HALP process_open_fds"))[0] != 0
    assert lint(text.replace("marca_ready 1", "marca_ready one"))[0] != 0


def test_nothing_that_is_not_documented(marca, business):
    shown = page.read(marca.api())
    for name, labels in shown.samples:
        assert {label for label, _ in labels} == page.series()[name], name
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", shown.text, re.M))
    assert types == {name: page.documented()[name][0] for name in types}


def test_all_that_is_documented(marca, business):
    """But for what needs a Redis, a replica (tests/growing/test_replica.py), or another process."""

    def missing():
        shown = {name for name, _ in page.read(marca.api()).samples}
        return {name for name, (kind, _) in page.documented().items() if name + page.SUFFIXES[kind][-1] not in shown}

    harness.until("all is shown", lambda: {name for name in missing() if not name.startswith(("marca_neighbour_", "marca_replica_"))} <= {"marca_rates_shared", "marca_trace_spans_sent_total", "marca_trace_spans_dropped_total"})


def test_replies_are_counted_by_operation_and_status(marca, business):
    before = page.read(marca.api())
    api = marca.api()
    for _ in range(3):
        assert api.get(f"/resources/{business.resource['id']}").status == 200
    assert api.get(f"/resources/{business.user['id']}").status == 404
    assert api.get("/nowhere").status == 404
    after = page.read(marca.api())

    def more(name, **labels):
        return after.get(name, **labels) - before.get(name, 0, **labels)

    assert more("marca_requests_total", operation="getResource", status="200") == 3
    assert more("marca_requests_total", operation="getResource", status="404") == 1
    assert more("marca_requests_total", operation="none", status="404") == 1
    assert more("marca_request_duration_seconds_count", operation="getResource") == 4
    assert more("marca_request_duration_seconds_sum", operation="getResource") > 0


def test_requests_in_flight(marca):
    """This one is, and no other."""
    shown = page.read(marca.api())
    assert {labels["operation"] for labels, count in shown.all("marca_requests_in_flight") if count} == {"metrics"}
    assert shown.get("marca_requests_in_flight", operation="metrics") == 1


def test_buckets_rise_to_the_count(marca, business):
    shown = page.read(marca.api())
    histograms = [name for name, (kind, _) in page.documented().items() if kind == "histogram"]
    checked = 0
    for name in histograms:
        for labels, count in shown.all(name + "_count"):
            counts = [value for found, value in sorted(
                ((float(labels_of["le"]), value) for labels_of, value in shown.all(name + "_bucket")
                 if {k: v for k, v in labels_of.items() if k != "le"} == labels))]
            assert len(counts) == 18 and counts == sorted(counts) and counts[-1] == count, (name, labels)
            checked += 1
    assert checked > 5


def test_commits(marca, business):
    before = page.read(marca.api())
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        users = list(pool.map(lambda _: harness.make_user(marca.api(), business.tenant)["id"], range(24)))
    after = page.read(marca.api())

    def more(name):
        return after.get(name, service="user") - before.get(name, service="user")

    assert len(users) == 24
    assert more("marca_store_writes_total") >= 24
    assert more("marca_store_commits_total") <= more("marca_store_writes_total")
    assert more("marca_store_commit_group_size_sum") >= 24, "all of them were taken up by some commit"
    assert more("marca_store_commit_group_size_count") == more("marca_store_commit_duration_seconds_count") > 0
    assert after.get("marca_store_connections_up", service="user", use="write") > 0


def test_pools(marca, store):
    shown = page.read(marca.api())
    uses = {labels["use"] for labels, _ in shown.all("marca_store_connections") if labels["service"] == "user"}
    assert uses == ({"read", "write"} if store == "postgres" else {"write"})
    for labels, _ in shown.all("marca_store_connections"):
        busy, up, all_of_them = (shown.get(f"marca_store_connections{end}", **labels) for end in ("_busy", "_up", ""))
        assert 0 <= busy <= up <= all_of_them


def test_process(marca):
    """As the kernel tells it of that process."""
    shown = page.read(marca.api())
    folder = pathlib.Path(f"/proc/{marca.process.pid}")
    assert shown.get("process_resident_memory_bytes") > 2**20
    assert shown.get("process_virtual_memory_bytes") >= shown.get("process_resident_memory_bytes")
    assert shown.get("process_cpu_seconds_total") > 0
    ticks = int((folder / "stat").read_text().rpartition(")")[2].split()[19])
    boot = int(re.search(r"^btime (\d+)$", pathlib.Path("/proc/stat").read_text(), re.M).group(1))
    assert abs(shown.get("process_start_time_seconds") - boot - ticks / os.sysconf("SC_CLK_TCK")) < 0.1
    limit = re.search(r"^Max open files +(\d+)", (folder / "limits").read_text(), re.M).group(1)
    assert shown.get("process_max_fds") == int(limit)
    if os.access(folder / "fd", os.R_OK | os.X_OK):
        api = marca.api()
        api.get("/health")  # its connection counts, too
        harness.until("the same descriptors are open", lambda: page.read(api).get("process_open_fds") == len(os.listdir(folder / "fd")))


# --- Business ------------------------------------------------------------------------


def counts(marca, tenant):
    shown = page.read(marca.api())
    return [shown.get(f"marca_bookings_{what}_total", 0, tenant=tenant) for what in ("created", "cancelled", "conflicts")]


def test_bookings_by_tenant(marca):
    one, other = Business(marca.api(), ANY_TIME), Business(marca.api(), ANY_TIME)
    assert counts(marca, one.id) == [0, 0, 0]
    booking = one.book("2025-12-05T10:00", "2025-12-05T11:00")
    one.book("2025-12-05T11:00", "2025-12-05T12:00")
    assert one.ask("2025-12-05T10:00", "2025-12-05T11:00").status == 409
    assert counts(marca, one.id) == [2, 0, 1]
    assert marca.api().patch(f"/bookings/{booking['id']}/cancel").status == 200
    assert marca.api().patch(f"/bookings/{booking['id']}/cancel").status == 409, "it is cancelled once"
    assert counts(marca, one.id) == [2, 1, 1]
    assert marca.api().delete(f"/resources/{one.resource['id']}").status == 204
    harness.until("the other is cancelled with its resource", lambda: counts(marca, one.id) == [2, 2, 1])
    assert counts(marca, other.id) == [0, 0, 0]


def test_tenants_are_bounded():
    """The first two have counters of their own, and keep them; the others are one."""
    with harness.Marca(env={"METRICS_TENANTS": "2"}) as marca:
        houses = [Business(marca.api(), ANY_TIME) for _ in range(4)]
        for hour, house in enumerate([*houses, *houses]):
            house.book(f"2025-12-05T{hour:02}:00", f"2025-12-05T{hour + 1:02}:00")
        shown = dict((labels["tenant"], value) for labels, value in page.read(marca.api()).all("marca_bookings_created_total"))
        assert shown == {houses[0].id: 2, houses[1].id: 2, "other": 4}


# --- The outbox -------------------------------------------------------------------------


def test_outbox_waits_for_the_bus(store):
    """Without a Redis events stay where they are, and are seen to; they go once it is there."""
    with harness.Redis() as redis, harness.Marca(store, env={"REDIS_URL": redis.url}) as marca:
        business = Business(marca.api(), ANY_TIME)

        def waiting():
            shown = page.read(marca.api())
            return shown.get("marca_outbox_events", service="booking"), shown.get("marca_outbox_oldest_age_seconds", service="booking")

        harness.until("nothing waits", lambda: waiting() == (0, 0))
        assert page.read(marca.api()).get("marca_check_up", check="bus") == 1
        redis.kill()
        harness.until("it is seen", lambda: page.read(marca.api()).get("marca_check_up", check="bus") == 0)
        for hour in range(3):
            business.book(f"2025-12-05T{hour + 10}:00", f"2025-12-05T{hour + 11}:00")
        count, age = waiting()
        assert count == 3 and age > 0
        redis.start()
        harness.until("they are gone", lambda: waiting() == (0, 0))
        harness.until("all were sent", lambda: page.read(marca.api()).get(
            "marca_events_published_total", relay="booking-relay") == 3)


# --- Who is shown it -----------------------------------------------------------------------


def ask(marca, headers, path="/metrics", host=None):
    connection = http.client.HTTPConnection(host or marca.address, timeout=60)
    connection.request("GET", path, headers=headers)
    reply = connection.getresponse()
    body = reply.read()
    connection.close()
    return reply, body


@pytest.mark.parametrize("env", [{}, PRODUCTION])
def test_token(env):
    with harness.Marca(clock=None, env={**env, "METRICS_TOKEN": TOKEN}) as marca:
        wrong = [{}, {"Authorization": TOKEN}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": "Bearer "},
                 {"Authorization": f"Bearer {TOKEN[:-1]}"}, {"Authorization": f"Bearer {TOKEN}x"},
                 {"Authorization": f"Bearer {TOKEN[:-1]}x"}, {"X-API-Key": TOKEN}]
        for headers in wrong:
            reply, body = ask(marca, headers)
            assert reply.status == 401 and b"marca_" not in body, headers
            assert reply.headers["WWW-Authenticate"].startswith("Bearer")
        reply, body = ask(marca, {"Authorization": f"Bearer {TOKEN}", "X-Forwarded-For": "203.0.113.7"})
        assert reply.status == 200 and b"\nmarca_ready 1\n" in body


def test_without_a_token_strangers_find_nothing():
    with harness.Marca(clock=None, env=PRODUCTION) as marca:
        reply, body = ask(marca, {})
        assert reply.status == 200 and b"\nmarca_ready 1\n" in body
        absent, _ = ask(marca, {"X-Forwarded-For": "203.0.113.7"}, "/nowhere")
        for headers in ({"X-Forwarded-For": "203.0.113.7"}, {"Forwarded": "for=203.0.113.7"}, {"Via": "1.1 proxy"},
                        {"X-Real-IP": "203.0.113.7"}, {"Host": "marca.example.com"}, {"Origin": "https://evil.example"}):
            reply, body = ask(marca, headers)
            assert reply.status == 404 and b"marca_" not in body, headers
            assert {name.lower() for name in reply.headers} == {name.lower() for name in absent.headers}


def another_address():
    """Of this machine, and not loopback; or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent
        except OSError:
            return None
        found = probe.getsockname()[0]
    return None if found.startswith("127.") else found


@pytest.mark.skipif(another_address() is None, reason="this machine has no address but loopback")
def test_another_address_finds_nothing():
    """Who comes over the network, without a proxy in between, whatever he calls this machine."""
    with harness.Marca(clock=None, env=PRODUCTION, arguments=["--listen", "0.0.0.0:0"]) as marca:
        port = marca.address.split(":")[1]
        for host, status in (("127.0.0.1", 200), (another_address(), 404)):
            reply, _ = ask(marca, {"Host": "localhost"}, host=f"{host}:{port}")
            assert reply.status == status, host
