"""A neighbour that answers what it must not: 503, and the next one is asked as if nothing had been. Never a row of what
is none, never "all free", never a failure that the route has not."""
import concurrent.futures
import contextlib
import http.server
import json
import signal
import threading

import pytest

import harness
import page

SLOT = {"start_time": 1764936000000000, "end_time": 1764939600000000}


class Fake:
    """Answers /health; everything else with `answer`, a function of the handler and of what it was sent."""

    def __init__(self):
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.reply(200, b"{}")

            def do_POST(self):
                sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                fake.asked += 1
                with contextlib.suppress(OSError):  # marca hangs up on some
                    fake.answer(self, sent)

            def reply(self, status, body, kind="application/json", **headers):
                self.send_response(status)
                for name, value in {"Content-Type": kind, "Content-Length": len(body), **headers}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.asked, self.answer = 0, None
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def says(status, body, **more):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda handler, sent: handler.reply(status, body, **more)


def problem(status, code):
    return says(status, {"status": status, "error": code}, kind="application/problem+json")


def rows(*rows):
    return lambda handler, sent: handler.reply(200, json.dumps({"answers": [{"rows": list(rows)} for _ in sent["reads"]]}).encode())


def endless(handler, sent):
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    while True:
        handler.wfile.write(b"10000\r\n" + b" " * 65536 + b"\r\n")


def cut(handler, sent):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"answers":[')
    handler.close_connection = True


def hang_up(handler, sent):
    handler.close_connection = True


STRANGE = {
    "garbage": says(200, b"\x00\xff{"), "nothing": says(200, b""), "no content": lambda handler, sent: handler.reply(204, b""),
    "a list": says(200, []), "no answers": says(200, {}), "answers that are none": says(200, {"answers": 7}),
    "too few": says(200, {"answers": []}), "too many": says(200, {"answers": [{"rows": []}] * 70}), "null": says(200, {"answers": [None]}),
    "no rows": says(200, {"answers": [{}]}), "rows that are none": says(200, {"answers": [{"rows": {}}]}),
    "deep": says(200, b"[" * 100000), "elsewhere": says(302, b"", Location="/health"), "a page": says(200, b"<html>", kind="text/html"),
    "refused": problem(401, "unauthorized"), "not there": problem(404, "not_found"), "limited": problem(429, "rate_limited"),
    "taken": problem(409, "email_taken"), "unheard of": problem(418, "teapot"), "broken": problem(500, "internal_error"),
    "of none": problem(500, 7), "down": problem(503, "store_unavailable"), "gateway": says(502, b"Bad Gateway"),
    "endless": endless, "cut": cut, "hangs up": hang_up, "of wrong kind": rows({"start_time": "x", "end_time": "y"}),
    "without members": rows({}), "a row that is none": rows(7), "half": rows(SLOT, {"start_time": None}),
}


@contextlib.contextmanager
def among(fakes):
    """The resource service; the others are none, and tenants go by the defaults."""
    with harness.Redis() as redis, harness.Marca(arguments=["--service", "resource"], env={
            "REDIS_URL": redis.url, "SERVICE_KEY": "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "CACHE_TTL_SECONDS": "0", "MARCA_AUTH": "optional",
            **{f"{name.upper()}_SERVICE_URL": fake.url for name, fake in fakes.items()}}) as marca:
        yield marca


def make_resource(marca):
    tenant = {"id": "0193a3f2-7c00-7000-8000-000000000001"}
    return harness.make_resource(marca.api(), tenant, harness.make_category(marca.api(), tenant))


@pytest.fixture(scope="module")
def fakes():
    fakes = {name: Fake() for name in ("user", "booking")}
    yield fakes
    for fake in fakes.values():
        fake.close()


@pytest.fixture(scope="module")
def marca(fakes):
    with among(fakes) as marca:
        yield marca


@pytest.fixture(scope="module")
def resource(marca):
    return make_resource(marca)


def asked(fake, ask):
    """What ask() is answered once the circuit lets it through."""
    before, replies = fake.asked, []
    harness.until("it is asked", lambda: replies.append(ask()) or fake.asked > before)
    return replies[-1]


@pytest.mark.parametrize("how", STRANGE)
def test_a_read(marca, fakes, resource, how):
    fake, api = fakes["booking"], marca.api()
    free = lambda: api.get(f"/resources/{resource['id']}/availability", date="2025-12-05")
    fake.answer = STRANGE[how]
    reply = asked(fake, free)
    assert reply.status == 503 and reply.json["error"] == "bookings_unavailable", reply
    fake.answer = rows()
    harness.until("it answers again", lambda: free().status == 200)


PROVEN = {"caller": {"role": "operator", "rights": 15}, "until": 9 * 10**15}


@pytest.mark.parametrize("how", STRANGE)
def test_who_asks(marca, fakes, resource, how):
    fake, api = fakes["user"], marca.api().bearing("x")
    get = lambda: api.get(f"/resources/{resource['id']}")
    fake.answer = STRANGE[how]
    reply = asked(fake, get)
    assert (reply.status, reply.json["error"]) == ((401, "unauthorized") if how == "refused" else (503, "store_unavailable")), reply
    fake.answer = says(200, PROVEN)
    harness.until("it answers again", lambda: get().status == 200)


@pytest.mark.parametrize("told", [
    {}, {"caller": PROVEN["caller"]}, {"caller": {"role": "king"}, "until": 1}, {"caller": {"role": "admin", "tenant_id": 7}, "until": 1},
    {"caller": None, "until": 1}, {"caller": {"role": "operator", "rights": -1}, "until": 1}, {**PROVEN, "until": "x"},
    {"caller": {"role": "operator", "rights": 1 << 40}, "until": 1},
])
def test_nobody_is_made_of_half_an_answer(marca, fakes, resource, told):
    fakes["user"].answer = says(200, told)
    reply = asked(fakes["user"], lambda: marca.api().bearing("x").get(f"/resources/{resource['id']}"))
    assert reply.status == 503 and reply.json["error"] == "store_unavailable", reply


def test_members_of_another_version_are_left_out(marca, fakes, resource):
    fakes["user"].answer = says(200, {**PROVEN, "more": [1], "caller": {**PROVEN["caller"], "more": {}}})
    assert asked(fakes["user"], lambda: marca.api().bearing("x").get(f"/resources/{resource['id']}")).status == 200


def test_who_asks_is_asked_twice(marca, fakes, resource):
    """It changes nothing: one lost connection turns nobody away."""
    fake, get = fakes["user"], lambda: marca.api().bearing("x").get(f"/resources/{resource['id']}")
    fake.answer = says(200, PROVEN)
    harness.until("it answers", lambda: get().status == 200)
    before = fake.asked

    def once(handler, sent):
        fake.answer = says(200, PROVEN)
        hang_up(handler, sent)

    fake.answer = once
    assert get().status == 200 and fake.asked == before + 2


def test_one_who_says_too_much_is_there(marca, fakes, resource):
    """He would say it again, and others get their answers from him meanwhile."""
    fake, api = fakes["booking"], marca.api()
    free = lambda: api.get(f"/resources/{resource['id']}/availability", date="2025-12-05").status
    fake.answer = rows()
    harness.until("it answers", lambda: free() == 200)
    before, fake.answer = fake.asked, endless
    assert [free() for _ in range(7)] == [503] * 7 and fake.asked == before + 7
    fake.answer = rows()
    assert free() == 200


def test_an_end_while_a_neighbour_is_waited_for(fakes):
    """Of many requests some ask and some wait for a lane: each is answered before the process ends, which is in order."""
    fake, over = fakes["booking"], threading.Event()
    with among(fakes) as marca, concurrent.futures.ThreadPoolExecutor(20) as pool:
        path = f"/resources/{make_resource(marca)['id']}/availability"
        fake.answer = lambda handler, sent: over.wait() and rows()(handler, sent)
        before = fake.asked
        asked = [pool.submit(marca.api().get, path, date="2025-12-05") for _ in range(20)]
        waiting = lambda: page.read(marca.api()).get("marca_neighbour_reads_total", service="booking")
        harness.until("lanes are taken, and others wait", lambda: fake.asked >= before + 4 and waiting() == 20)
        process, marca.process = marca.process, None
        process.send_signal(signal.SIGTERM)
        over.set()
        assert {future.result().status for future in asked} == {200}
        marca.close_apis()
        harness.check_end(process, marca.stderr, marca.log)
