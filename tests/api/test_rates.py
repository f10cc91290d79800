"""Limits: who is refused, when he may come again, and what the replies tell (docs/security/rates.md)."""
import concurrent.futures
import contextlib
import re
import socket
import time

import pytest

from harness import Marca, Redis

LIMITED = "/tenants/00000000-0000-4000-8000-000000000000"


@contextlib.contextmanager
def limited(**env):
    with Marca(env=env) as marca:
        yield marca


def told(reply):
    """(policy, r, t) of RateLimit."""
    match = re.fullmatch(r'"(\w+)";r=(\d+);t=(\d+)', reply.headers["RateLimit"])
    assert match, reply.headers["RateLimit"]
    return match[1], int(match[2]), int(match[3])


def test_without_limits_nothing_is_told(api):
    reply = api.get("/tenants/")
    assert reply.status == 200
    assert not {"ratelimit", "ratelimit-policy"} & {name.lower() for name in reply.headers}


def test_address_is_refused_and_told_when_to_come_again():
    with limited(RATE_IP="2") as marca:
        time.sleep(1.1)  # what the harness asked until it was ready is paid back
        api = marca.api()
        replies = [api.get(LIMITED) for _ in range(10)]
        statuses = [reply.status for reply in replies]
        assert statuses[:2] == [404, 404] and statuses.count(429) >= 6, statuses
        assert all(reply.headers["RateLimit-Policy"] == '"address";q=2;w=1' for reply in replies)
        assert told(replies[0]) == ("address", 1, 1) and told(replies[1]) == ("address", 0, 1)
        refused = replies[statuses.index(429)]
        assert refused.json["error"] == "rate_limited" and refused.json["status"] == 429
        assert refused.headers["Retry-After"] == "1" and told(refused) == ("address", 0, 1)
        assert refused.headers["Content-Type"].startswith("application/problem+json")
        time.sleep(int(refused.headers["Retry-After"]))
        assert api.get(LIMITED).status == 404


def test_address_comes_before_everything_else():
    """An unknown path, a wrong method, a bad token and a bad body are all refused alike."""
    with limited(RATE_IP="1") as marca:
        api = marca.api()
        asked = [("GET", "/nowhere", {}), ("PATCH", "/tenants/", {}), ("GET", "/tenants/", {"Authorization": "Bearer x"}),
                 ("POST", "/tenants/", {"Content-Type": "text/plain"})]
        for method, path, headers in asked:
            api.get(LIMITED)
            statuses = {api.request(method, path, None, headers).status for _ in range(3)}
            assert 429 in statuses, (method, path, statuses)


def test_probe_is_never_refused():
    with limited(RATE_IP="1") as marca:
        api = marca.api()
        assert 429 in {api.get(LIMITED).status for _ in range(5)}
        assert {api.get("/health").status for _ in range(50)} == {200}


def test_refusal_keeps_the_connection_in_step():
    """A refused request without a body leaves it open; one with a body, which is not read, closes it."""
    with limited(RATE_IP="1") as marca:
        host, port = marca.address.split(":")
        get = b"GET /tenants/ HTTP/1.1\r\nHost: a\r\n\r\n"
        with socket.create_connection((host, int(port)), 30) as client:
            client.sendall(get * 20)
            text = b""
            while text.count(b"HTTP/1.1 ") < 20:
                text += client.recv(65536)
            assert text.count(b"HTTP/1.1 429 ") >= 15 and b"Connection: close" not in text
            client.sendall(b"POST /tenants/ HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n" + b"x" * 1000)
            text = b""
            while more := client.recv(65536):
                text += more
            assert text.startswith(b"HTTP/1.1 429 ") and b"Connection: close" in text


@pytest.mark.parametrize("trusted, others_pass", [(None, False), ("127.0.0.1", True)])
def test_forwarded_addresses_count_only_from_trusted_proxies(trusted, others_pass):
    with limited(RATE_IP="1", TRUSTED_PROXIES=trusted) as marca:
        api = marca.api()
        replies = [api.get(LIMITED, headers={"X-Forwarded-For": f"198.51.100.{i}"}) for i in range(20)]
        assert (429 not in {reply.status for reply in replies}) == others_pass
        same = [api.get(LIMITED, headers={"X-Forwarded-For": f"192.0.2.{i}, 203.0.113.7"}) for i in range(20)]
        assert 429 in {reply.status for reply in same}
        # Of IPv6, one /64 is one subscriber.
        net = [api.get(LIMITED, headers={"X-Forwarded-For": f"2001:db8:0:1::{i}"}) for i in range(20)]
        assert 429 in {reply.status for reply in net}


def test_bad_settings_refuse_to_start():
    marca = Marca(env={"TRUSTED_PROXIES": "10.0.0.1,nginx"})
    try:
        assert "TRUSTED_PROXIES" in marca.run("serve", "--listen", "127.0.0.1:0", status=1)
    finally:
        marca.clean()


def test_many_at_once_get_no_more_than_the_limit():
    """64 requests on 16 connections at the same time: the burst, and what the rate gave meanwhile."""
    with limited(RATE_IP="20", MARCA_THREADS="2") as marca:
        time.sleep(1.1)
        apis = [marca.api() for _ in range(16)]
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            statuses = sum(pool.map(lambda api: [api.get(LIMITED).status for _ in range(4)], apis), [])
        seconds = time.monotonic() - began
        assert 20 <= statuses.count(404) <= 21 + 20 * seconds


# --- Several processes ---------------------------------------------------------------


def hammer(marcas, seconds):
    """All at once, for so long. (how many passed, seconds it took, longest wait for an answer)"""
    ended = time.monotonic() + seconds

    def one(api):
        passed, longest = 0, 0
        while (asked := time.monotonic()) < ended:
            reply = api.get(LIMITED)
            assert reply.status in (404, 429), reply
            passed += reply.status == 404
            longest = max(longest, time.monotonic() - asked)
        return passed, longest

    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(len(marcas)) as pool:
        results = list(pool.map(one, [marca.api() for marca in marcas]))
    return sum(passed for passed, _ in results), time.monotonic() - began, max(longest for _, longest in results)


@pytest.fixture
def redis():
    with Redis() as redis:
        yield redis


def shared(marca):
    """True or False; None when that question was refused as well."""
    reply = marca.api().get("/metrics")
    told = re.search(r"^marca_rates_shared ([01])$", reply.text, re.M)
    return told and told[1] == "1"


def until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


def test_processes_share_a_limit_through_redis(redis):
    """Two of them, hammered: together they let through one limit's worth, but for a burst each at the start."""
    env = {"RATE_IP": "20", "REDIS_URL": redis.url}
    with limited(**env) as one, limited(**env) as two:
        until(lambda: shared(one) and shared(two))
        time.sleep(2)
        passed, seconds, _ = hammer([one, two], 4)
        # Each for itself would let through 2 * (20 + 20 * seconds), 200 in four seconds.
        assert passed <= 2 * 20 + 20 * seconds + 20, (passed, seconds)
        assert passed >= 20 * seconds - 20, (passed, seconds)


def test_processes_go_on_when_redis_is_gone(redis):
    """Nobody waits for it; each process counts for itself, and they share again when it is back."""
    env = {"RATE_IP": "20", "REDIS_URL": redis.url}
    with limited(**env) as one, limited(**env) as two:
        until(lambda: shared(one) and shared(two))
        redis.kill()
        passed, seconds, longest = hammer([one, two], 4)
        assert passed > 1.4 * 20 * seconds, "they held back as if they knew of one another"
        assert longest < 2, "somebody waited"
        until(lambda: shared(one) is False and shared(two) is False)
        assert one.log().count("each process counts for itself") == 1
        redis.start()
        until(lambda: shared(one) and shared(two))


def test_refusals_are_counted():
    with limited(RATE_IP="1") as marca:
        api = marca.api()
        refused = sum(api.get(LIMITED).status == 429 for _ in range(10))
        until(lambda: api.get("/metrics").status == 200)
        time.sleep(1.1)
        count = re.search(r'^marca_rate_limited_total{limit="address"} (\d+)$', api.get("/metrics").text, re.M)
        assert count and int(count[1]) >= refused > 0
