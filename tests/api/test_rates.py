"""Limits: who is refused, when he may come again, and what the replies tell (docs/security/rates.md)."""
import concurrent.futures
import contextlib
import re
import socket
import time

import pytest

from harness import Marca

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
