"""Limits: who is refused, when he may come again, and what the replies tell (docs/security/rates.md)."""
import concurrent.futures
import contextlib
import re
import socket
import time

import pytest

from harness import PASSWORD, Marca, Redis, make_person, make_tenant, make_user, until

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


def test_processes_share_a_limit_through_redis(redis):
    """Two of them, hammered: together they let through one limit's worth, but for a burst each at the start."""
    env = {"RATE_IP": "20", "REDIS_URL": redis.url}
    with limited(**env) as one, limited(**env) as two:
        until("they share", lambda: shared(one) and shared(two))
        time.sleep(2)
        passed, seconds, _ = hammer([one, two], 4)
        # Each for itself would let through 2 * (20 + 20 * seconds), 200 in four seconds.
        assert passed <= 2 * 20 + 20 * seconds + 20, (passed, seconds)
        assert passed >= 20 * seconds - 20, (passed, seconds)


def test_processes_go_on_when_redis_is_gone(redis):
    """Nobody waits for it; each process counts for itself, and they share again when it is back."""
    env = {"RATE_IP": "20", "REDIS_URL": redis.url}
    with limited(**env) as one, limited(**env) as two:
        until("they share", lambda: shared(one) and shared(two))
        redis.kill()
        passed, seconds, longest = hammer([one, two], 4)
        assert passed > 1.4 * 20 * seconds, "they held back as if they knew of one another"
        assert longest < 2, "somebody waited"
        until("each is alone", lambda: shared(one) is False and shared(two) is False)
        assert one.stderr.read_text().count("each process counts for itself") == 1
        redis.start()
        until("they share", lambda: shared(one) and shared(two))


def test_refusals_are_counted():
    with limited(RATE_IP="1") as marca:
        api = marca.api()
        refused = sum(api.get(LIMITED).status == 429 for _ in range(10))
        until("it answers", lambda: api.get("/metrics").status == 200)
        time.sleep(1.1)
        count = re.search(r'^marca_rate_limited_total{limit="address"} (\d+)$', api.get("/metrics").text, re.M)
        assert count and int(count[1]) >= refused > 0


# --- Tenants, users, writes, accounts ---------------------------------------------------


def crowd(api, users=2):
    """A tenant and some people of his, each with a connection: [(tenant, user, api), ...]."""
    tenant = make_tenant(api)
    return [(tenant, *make_person(api, tenant)) for _ in range(users)]


def burst(api, count, path="/users/me"):
    return [api.get(path).status for _ in range(count)]


@contextlib.contextmanager
def populated(tenants, users, **env):
    """A marca whose limits hold, with tenants and people made before they did."""
    with Marca(env={"RATE_LOGIN": "0"}) as marca:
        made = [crowd(marca.operator(), users) for _ in range(tenants)]
        tokens = [[api.headers["Authorization"] for _, _, api in crowd_of] for crowd_of in made]
        marca.stop()
        marca.env.update(env)
        marca.start()
        yield marca, [[marca.api({"Authorization": token}) for token in row] for row in tokens]


def test_a_user_has_a_limit_of_his_own():
    with populated(1, 2, RATE_PRINCIPAL="3", RATE_TENANT="100") as (_, [[one, other]]):
        statuses = burst(one, 10)
        assert statuses[:3] == [200] * 3 and 429 in statuses
        reply = other.get("/users/me")
        assert burst(other, 2) == [200] * 2
        assert reply.status == 200 and reply.headers["RateLimit-Policy"] == '"principal";q=3;w=1, "tenant";q=100;w=1'
        assert told(reply)[0] == "principal"


def test_what_a_user_is_refused_does_not_use_up_his_tenants_limit():
    with populated(1, 2, RATE_PRINCIPAL="2", RATE_TENANT="20") as (_, [[one, other]]):
        burst(one, 200)
        assert burst(other, 2) == [200, 200]


def test_writes_have_a_limit_of_their_own():
    with populated(1, 1, RATE_WRITE="2", RATE_PRINCIPAL="100") as (_, [[api]]):
        statuses = [api.post("/bookings/", {}).status for _ in range(10)]
        assert statuses[:2] == [422, 422] and 429 in statuses
        reply = api.get("/users/me")
        assert reply.status == 200 and reply.headers["RateLimit-Policy"] == '"principal";q=100;w=1'


def test_order_of_checks():
    """404, 405 and 401 are told before a limit by person; what is wrong with the body after it."""
    with populated(1, 1, RATE_PRINCIPAL="1") as (marca, [[api]]):
        burst(api, 3)
        assert api.get("/nowhere").status == 404 and api.patch("/tenants/").status == 405
        assert marca.api({"Authorization": "Bearer x"}).get("/users/me").status == 401
        assert 429 in [api.post("/bookings/", {}).status for _ in range(3)]


def test_a_tenant_at_its_limit_does_not_slow_another():
    """One asks for twenty times what it may; all that the other asks for meanwhile is answered."""
    with populated(2, 4, RATE_TENANT="20") as (_, [greedy, modest]):
        ended = time.monotonic() + 4

        def hammer_on(api):
            statuses = []
            while time.monotonic() < ended:
                statuses.append(api.get("/users/me").status)
            return statuses

        def ask_now_and_then(api):
            statuses = []
            while time.monotonic() < ended:
                statuses.append(api.get("/users/me").status)
                time.sleep(0.1)
            return statuses

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            crowds = [pool.submit(hammer_on, api) for api in greedy]
            quiet = pool.submit(ask_now_and_then, modest[0])
            refused = sum((crowd.result() for crowd in crowds), [])
        assert set(quiet.result()) == {200} and len(quiet.result()) > 10
        assert set(refused) == {200, 429}
        assert refused.count(200) <= 20 + 20 * 5, "more than the burst and what the rate gives"


def attempt(api, email, password="wrong password!"):
    return api.post("/auth/login", {"email": email, "password": password}).status


def test_an_account_has_five_logins_a_minute():
    with Marca(env={"RATE_LOGIN": "5"}) as marca:
        operator = marca.api()
        tenant = make_tenant(operator)
        user = make_user(operator, tenant, password=PASSWORD)
        api = marca.api()
        assert [attempt(api, user["email"]) for _ in range(7)] == [401] * 5 + [429] * 2
        # In other letters, with the right password, or naming the tenant: it is the same account.
        assert attempt(api, user["email"].upper()) == 429
        assert attempt(api, user["email"], PASSWORD) == 429
        reply = api.post("/users/login", {"tenant_id": tenant["id"], "email": user["email"], "password": PASSWORD})
        assert reply.status == 429 and told(reply) == ("account", 0, int(reply.headers["Retry-After"]))
        assert 1 <= int(reply.headers["Retry-After"]) <= 12
        # One that there is not is told the same; another one may.
        assert [attempt(api, "nobody@example.com") for _ in range(6)] == [401] * 5 + [429]
        other = make_user(operator, tenant, password=PASSWORD)
        assert attempt(api, other["email"], PASSWORD) == 200


def test_one_address_does_not_fill_the_pool_of_passwords():
    """It tries many accounts, many at a time; whoever comes from elsewhere logs in all the same."""
    env = {"RATE_LOGIN_IP": "10", "TRUSTED_PROXIES": "127.0.0.1"}
    with Marca(env=env) as marca:
        operator = marca.api()
        tenant = make_tenant(operator)
        user = make_user(operator, tenant, password=PASSWORD)
        sprayers = [marca.api({"X-Forwarded-For": "198.51.100.66"}) for _ in range(8)]
        honest = marca.api({"X-Forwarded-For": "203.0.113.7"})
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            tries = [pool.submit(lambda api=api, i=i: [attempt(api, f"u{i}-{j}@example.com") for j in range(30)])
                     for i, api in enumerate(sprayers)]
            logins = [attempt(honest, user["email"], PASSWORD) for _ in range(5)]
            statuses = sum((row.result() for row in tries), [])
        assert logins == [200] * 5
        assert statuses.count(429) >= 8 * 30 - 20 and 503 not in statuses, {s: statuses.count(s) for s in statuses}
