"""The gateway (deploy/nginx): every path reaches its service, and nothing is lost or made up on the way."""
import contextlib
import functools
import http.client
import json
import re
import shutil
import subprocess
import uuid

import pytest

import gateway
import harness
from gateway import SERVICES, Gateway, Plain, Witness

if shutil.which("nginx") is None:
    pytest.fail("no nginx: scripts/setup --test", pytrace=False)

HEADERS_OF_OURS = {"connection", "content-length", "date", "server", "x-request-id", "traceparent", "vary", "keep-alive"}


@pytest.fixture(scope="module")
def witnesses():
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(Witness(name)) for name in SERVICES}


@pytest.fixture(scope="module")
def front(witnesses):
    with Gateway({name: [witness.address] for name, witness in witnesses.items()}) as nginx:
        yield nginx


@pytest.fixture
def api(front):
    return front.plain()


# --- Which path is whose ----------------------------------------------------------------


@functools.cache
def operations(service):
    """(method, path) of all that `marca openapi` says of one service."""
    done = subprocess.run([harness.binary(), "openapi", service], capture_output=True, text=True, check=True)
    verbs = {"get", "post", "put", "patch", "delete"}
    return [(verb.upper(), re.sub(r"\{\w+\}", str(uuid.uuid4()), path))
            for path, item in json.loads(done.stdout)["paths"].items() for verb in verbs & item.keys()]


def misled(api):
    """Operations that reach another process than the one that has their service."""
    found = []
    for service in ("tenant", "user", "resource", "booking", "audit", "auth"):
        process = {"audit": "tenant", "auth": "user"}.get(service, service)
        assert operations(service)
        for method, path in operations(service):
            for target in (path, path + "/"):
                told = api.request(method, target).json
                assert told["method"] == method and told["target"] == target
                if told["name"] != process:
                    found.append((method, target, told["name"]))
    return found


def test_every_route_reaches_its_service(api):
    assert misled(api) == []


def test_a_forgotten_route_is_seen(witnesses):
    upstreams = {name: [witness.address] for name, witness in witnesses.items()}
    with Gateway(upstreams, edit=[("routes.conf", r'.*"~\^/categories.*\n', "")]) as nginx:
        assert {path.split("/")[1] for _, path, _ in misled(nginx.plain())} == {"categories"}


def test_routes_are_those_of_the_binary():
    """make check-drift says so too; this one, for who changes only a table and runs only this."""
    done = subprocess.run([harness.binary(), "docs", "gateway"], capture_output=True, text=True, check=True)
    assert done.stdout == (gateway.NGINX / "routes.conf").read_text()


# --- Nothing is lost ------------------------------------------------------------------------


@pytest.mark.parametrize("target", [
    "/tenants/", "/tenants", "/bookings/?tenant_id=1&cursor=a%2Fb%20c+d", "/users//me", "//tenants", "/tenants/a%2Fb",
    "/tenants/%74", "/resources/x/../y", "/bookings/.", "/?a=//b", "/users/me/?", "/bookings/a;b=c", "/%C3%A9",
])
def test_the_target_is_as_it_was_sent(front, target):
    reply = front.raw(f"GET {target} HTTP/1.1\r\nHost: a.example:8000\r\nConnection: close\r\n\r\n".encode())
    assert reply.json["target"] == target


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_method_and_body_arrive(api, method):
    told = api.request(method, "/bookings/", {"pad": "x" * 60000}).json
    assert told["method"] == method and told["body"] > 60000


def test_headers_arrive(api):
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    told = api.get("/users/", headers={
        "Host": "marca.example:8443", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "traceparent": trace,
        "X-Request-ID": "mine-1", "Authorization": "Bearer abc", "Accept-Language": "en", "Idempotency-Key": "k",
        "Connection": "close, X-Odd", "X-API-Key": "mk_1", "Origin": "https://app.example", "Content-Type": "text/plain",
    }).json
    got = {name.lower(): value for name, value in told["headers"]}
    assert got["host"] == "marca.example:8443"
    assert got["x-forwarded-for"] == "203.0.113.9, 127.0.0.1"
    assert got["x-forwarded-proto"] == "https"
    assert got["traceparent"] == trace and got["x-request-id"] == "mine-1"
    assert got["authorization"] == "Bearer abc" and got["accept-language"] == "en" and got["idempotency-key"] == "k"
    assert got["x-api-key"] == "mk_1" and got["origin"] == "https://app.example"
    assert "connection" not in got
    assert len(told["headers"]) == len(got), "a header twice"


def test_headers_are_made_where_there_are_none(api, front):
    """But for the request's id and trace: those are marca's to make, and its reply tells them."""
    told = api.get("/users/?request_id=made", headers={"X-Forwarded-Proto": "gopher"}).json
    got = {name.lower(): value for name, value in told["headers"]}
    assert got["x-forwarded-for"] == "127.0.0.1" and got["x-forwarded-proto"] == "http"
    assert "x-request-id" not in got and "traceparent" not in got
    line = front.log("made")
    assert line["service"] == "user" and line["status"] == 200 and line["path"] == "/users/"


@pytest.mark.parametrize("status", [200, 201, 308, 400, 404, 405, 409, 422, 429, 500, 502, 503, 504])
def test_replies_are_as_they_were_given(api, status):
    reply = api.post(f"/nothing/?status={status}&location=/x/&allow=GET")
    assert reply.status == status and reply.headers["Location"] == "/x/" and reply.headers["Allow"] == "GET"
    assert reply.json["name"] in SERVICES


def test_connections_to_services_are_kept(api):
    assert len({api.get("/resources/").json["port"] for _ in range(20)}) == 1


# --- Compression, and what it does to an ETag -------------------------------------------------


def test_what_is_large_is_compressed(api):
    reply = api.get("/users/", headers={"Accept-Encoding": "gzip"}, pad=5000)
    assert reply.headers["Content-Encoding"] == "gzip" and len(reply.body) < 1000 and reply.headers["Vary"] == "Accept-Encoding"
    assert api.get("/users/", pad=5000).headers["Content-Encoding"] is None


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
def test_a_weakened_tag_comes_back_strong(api, header):
    tag = api.get("/users/", headers={"Accept-Encoding": "gzip"}, pad=5000, etag='"3"').headers["ETag"]
    assert tag == 'W/"3"', "nginx weakens what it compresses"
    for sent, arrives in ((tag, '"3"'), ('"3"', '"3"'), ("*", "*"), ('"3", "4"', '"3", "4"')):
        got = {name.lower(): value for name, value in api.put("/users/", headers={header: sent}).json["headers"]}
        assert got[header.lower()] == arrives


# --- What the gateway says itself ----------------------------------------------------------------


def is_problem(reply, status, code, language="pt-BR"):
    assert reply.status == status, reply
    assert reply.headers["Content-Type"] == "application/problem+json; charset=utf-8"
    assert reply.headers["Content-Language"] == language and reply.headers["X-Content-Type-Options"] == "nosniff"
    body = reply.json
    assert body["status"] == status and body["error"] == code and body["type"] == f"urn:marca:error:{code}"
    assert body["success"] is False and body["title"] and body["message"] == body["detail"] != ""
    assert re.fullmatch(r"[0-9a-f]{32}", body["trace_id"])
    return body


@pytest.mark.parametrize("path", ["/internal", "/internal/", "/internal/x", "/metrics", "/metrics/", "/%69nternal/x",
                                  "/x/../internal/y", "/%6detrics"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_what_is_between_services_stays_there(api, witnesses, path, method):
    before = sum(len(w.asked) for w in witnesses.values())
    body = is_problem(api.request(method, path), 404, "not_found")
    assert body["instance"] == path and sum(len(w.asked) for w in witnesses.values()) == before


def test_a_body_over_the_limit(api):
    assert api.post("/bookings/", "x" * 65536).json["body"] == 65536
    is_problem(api.post("/bookings/", "x" * 65537), 413, "body_too_large")


@pytest.mark.parametrize("head, status, code", [
    (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: x\r\n", 414, "uri_too_long"),
    (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20000 + b"\r\n", 431, "headers_too_large"),
    (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n", 400, "bad_request"),
    (b"nonsense\r\n", 400, "bad_request"),
    (b"TRACE / HTTP/1.1\r\nHost: x\r\n", 405, "method_not_allowed"),
    (b"GET / HTTP/3.0\r\nHost: x\r\n", 505, "version_not_supported"),
    (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n", 501, "not_implemented"),
    (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n", 400, "bad_request"),
])
def test_what_nginx_refuses(front, head, status, code):
    reply = front.raw(head + b"Connection: close\r\n\r\n")
    is_problem(reply, status, code)
    assert "/" not in reply.headers["Server"], "it tells its version"


def test_every_text_is_one_of_ours():
    """Both languages of every status in routes.conf, which a request can bring about or not."""
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \| (.*) \| (.*) \|$", (harness.ROOT / "docs/errors.md").read_text(), re.M)
    text = (gateway.NGINX / "routes.conf").read_text()
    codes = re.findall(r"^    (\d+) (\w+);$", text, re.M)
    assert len(codes) >= 12
    for status, code in codes:
        _, _, pt, en = next(row for row in rows if row[:2] == (status, code))
        assert f'    "pt-BR {status}" "{pt}";\n    "en {status}" "{en}";\n' in text
        assert not re.search(r'["\\$]', pt + en), "it would break nginx's string, or the JSON in it"


def test_a_service_that_is_down(witnesses):
    upstreams = {name: [witness.address] for name, witness in witnesses.items()} | {"booking": [f"127.0.0.1:{harness.free_port()}"]}
    with Gateway(upstreams) as nginx:
        api = nginx.plain()
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            reply = api.request(method, '/bookings/x"y?token=1', headers={"traceparent": trace, "Accept-Language": "en-GB"})
            body = is_problem(reply, 503, "service_unavailable", "en")
            assert reply.headers["Retry-After"] == "1"
            assert body["trace_id"] == trace.split("-")[1] and body["instance"] == "/"
        assert is_problem(api.get("/bookings/a%20b"), 503, "service_unavailable")["instance"] == "/bookings/a%20b"
        head = api.request("HEAD", "/bookings/")
        assert head.status == 503 and head.body == b""
        assert api.get("/users/").json["name"] == "user"
        # Pages and what is nobody's: whoever is there.
        assert {api.get("/").status for _ in range(12)} == {200}


def test_a_service_that_hangs(witnesses):
    upstreams = {name: [witness.address] for name, witness in witnesses.items()}
    with Gateway(upstreams, edit=[("nginx.conf", "proxy_read_timeout 30s;", "proxy_read_timeout 200ms;")]) as nginx:
        before = len(witnesses["booking"].asked)
        reply = nginx.plain().get("/bookings/?fate=hang")
        is_problem(reply, 503, "service_unavailable")
        assert reply.headers["Retry-After"] == "1"
        assert len(witnesses["booking"].asked) == before + 1, "asked again, and would have hung twice as long"


@pytest.mark.parametrize("method, times", [("GET", 2), ("HEAD", 2), ("POST", 1), ("PATCH", 1), ("PUT", 1), ("DELETE", 1)])
def test_nothing_that_was_sent_is_done_twice(witnesses, method, times):
    """Two replicas, each of which hangs up when it has read the request."""
    upstreams = {name: [witness.address] for name, witness in witnesses.items()}
    with Witness("booking") as one, Witness("booking") as two, \
            Gateway(upstreams | {"booking": [one.address, two.address]}) as nginx:
        reply = nginx.plain().request(method, "/bookings/?fate=cut")
        assert reply.status == 503 and len(one.asked) + len(two.asked) == times


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_a_replica_that_is_gone_costs_nothing(witnesses, method):
    upstreams = {name: [witness.address] for name, witness in witnesses.items()}
    gone = f"127.0.0.1:{harness.free_port()}"
    with Gateway(upstreams | {"booking": [gone, witnesses["booking"].address]}) as nginx:
        api = nginx.plain()
        assert [api.request(method, "/bookings/").status for _ in range(6)] == [200] * 6


def test_a_flood_from_one_address(witnesses):
    upstreams = {name: [witness.address] for name, witness in witnesses.items()}
    edit = [("nginx.conf", "rate=200r/s", "rate=1r/m"), ("nginx.conf", "burst=400", "burst=5")]
    with Gateway(upstreams, edit=edit) as nginx:
        stranger = Plain(nginx.address)
        stranger.connection = http.client.HTTPConnection(nginx.address, source_address=("127.0.0.2", 0), timeout=30)
        with contextlib.closing(stranger):
            replies = [stranger.put("/users/x") for _ in range(8)]  # each is counted once, though PUT goes by @once
        assert [reply.status for reply in replies] == [200] * 6 + [429] * 2
        is_problem(replies[-1], 429, "rate_limited")
        assert replies[-1].headers["Retry-After"] == "1"
        assert nginx.plain().get("/users/").status == 200, "this machine itself"


def test_behind_another_proxy(witnesses):
    """With the lines of Kubernetes' site.conf: whose request it is, as that proxy tells; for the limit, the log and marca."""
    lines = re.findall(r"^(?:set_real_ip_from|real_ip_\w+) .*;$", (harness.ROOT / "deploy/kubernetes/base/site.conf").read_text(), re.M)
    site = "\n".join([*lines, "set_real_ip_from 127.0.0.0/8;"])
    upstreams = {name: [witness.address] for name, witness in witnesses.items()}
    edit = [("nginx.conf", "rate=200r/s", "rate=1r/m"), ("nginx.conf", "burst=400", "burst=1")]
    with Gateway(upstreams, edit=edit, site=site) as nginx:
        api = nginx.plain()
        ask = lambda client, **more: api.get("/users/", headers={"X-Forwarded-For": client}, **more)
        got = dict(ask("203.0.113.9, 10.0.0.7", request_id="told").json["headers"])
        assert got["X-Forwarded-For"] == "203.0.113.9, 10.0.0.7, 203.0.113.9" and nginx.log("told")["client"] == "203.0.113.9"
        assert [ask("203.0.113.9").status for _ in range(2)] == [200, 429] and ask("203.0.113.10").status == 200
        # What a client made up stands further left.
        assert ask("203.0.113.77, 203.0.113.9").status == 429


# --- The configuration ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    cert, key = harness.certificate(folder)
    cert.rename(folder / "fullchain.pem")
    key.rename(folder / "privkey.pem")
    return folder


def test_tls_and_http2(witnesses, certificate):
    upstreams = {name: [witness.address] for name, witness in witnesses.items()}
    port = harness.free_port()
    nginx = Gateway(upstreams, site="include tls.conf;", edit=[("tls.conf", r"listen 8443", f"listen 127.0.0.1:{port}"),
                                                                ("tls.conf", r"listen \[::\].*\n", "")])
    shutil.copytree(certificate, nginx.folder / "tls")
    with nginx:
        def curl(*options):
            done = subprocess.run(["curl", "-sS", "--cacert", certificate / "fullchain.pem", "-w", "\n%{http_version} %{http_code}",
                                   *options, f"https://localhost:{port}/bookings/"], capture_output=True, text=True, check=False)
            return done.returncode, *done.stdout.rpartition("\n")[::2]
        _, body, version = curl("--http2", "-X", "POST", "-d", "{}")
        got = {name.lower(): value for name, value in json.loads(body)["headers"]}
        assert version == "2 200" and got["x-forwarded-proto"] == "https" and got["host"] == f"localhost:{port}"
        assert json.loads(body)["method"] == "POST"
        assert curl("--http1.1")[2] == "1.1 200"
        assert curl("--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0")[0] != 0


def test_nginx_is_content(witnesses):
    nginx = Gateway({name: [witness.address] for name, witness in witnesses.items()})
    assert nginx.check() == ""
    for name, pattern, replacement in (("nginx.conf", "gzip on;", "gzip maybe;"), ("variables.conf", r"\$match_tag;", "$no_such;"),
                                       ("routes.conf", "default any;", "default any"), ("site.conf", "json;", "no_format;")):
        text = (nginx.folder / name).read_text()
        nginx.rewrite(name, pattern, replacement)
        assert nginx.check() != "", f"a planted fault in {name}"
        (nginx.folder / name).write_text(text)
    shutil.rmtree(nginx.folder)


def test_upstreams_as_they_are_shipped():
    """The names are those of compose.yaml and of Kubernetes, all on one port."""
    text = (gateway.NGINX / "upstreams.conf").read_text()
    groups = {name: re.findall(r"server (\S+);", body) for name, body in re.findall(r"^upstream (\w+) \{(.*?)^\}", text, re.M | re.S)}
    assert groups == {"tenant": ["tenant:8000"], "audit": ["tenant:8000"], "user": ["user:8000"], "resource": ["resource:8000"],
                      "booking": ["booking:8000"], "any": [f"{name}:8000" for name in SERVICES]}
    assert text.count("keepalive 32;") == len(groups) and text.count("keepalive_timeout 50s;") == len(groups)


# --- Beside one process without a gateway -----------------------------------------------------------


def test_the_same_as_without_it():
    """Whatever is asked, with the gateway or without: the same reply."""
    with harness.Marca(env={"MARCA_AUTH": "required"}) as marca, Gateway({name: [marca.address] for name in SERVICES}) as nginx:
        token = marca.run("token").strip()
        apis = [marca.operator(), nginx.api().bearing(token)]
        tenant = harness.make_tenant(apis[0], settings={"business_type": "x" * 80})
        language = {"Accept-Language": "en"}
        for method, path, headers in [
            ("GET", "/", {}), ("GET", "/docs", {}), ("GET", "/docs/", {}), ("POST", "/docs", {}), ("GET", "/openapi.json", {}),
            ("GET", "/reset?token=1", {}), ("GET", "/health", {}), ("GET", "/nothing", language), ("GET", "//tenants", {}),
            *[("GET", f"/api-docs/{name}{end}", {}) for name in ("tenants", "users", "resources", "bookings", "audit", "x")
              for end in ("", "/", "/openapi.json")],
            ("GET", "/tenants", {}), ("GET", "/tenants/", {}), ("DELETE", "/tenants", language), ("OPTIONS", "/tenants/", {}),
            ("OPTIONS", "/bookings/", {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}),
            ("GET", "/bookings/", {"Origin": "https://a.example"}), ("GET", f"/tenants/{tenant['id']}", {}), ("HEAD", "/", {}),
            ("GET", f"/tenants/{tenant['id']}", {"If-None-Match": '"1"'}), ("POST", "/tenants/", {"Content-Type": "text/plain"}),
            ("PUT", f"/tenants/{tenant['id']}", {"If-Match": '"99"'}), ("PATCH", "/users/me", {}), ("GET", "/assets/favicon.svg", {}),
        ]:
            seen = []
            for api in apis:
                reply = api.request(method, path, b"{}" if method in ("POST", "PUT", "PATCH") else None, headers)
                kept = sorted((name.lower(), value) for name, value in reply.headers.items() if name.lower() not in HEADERS_OF_OURS
                              and not name.lower().startswith("ratelimit"))
                seen.append((reply.status, kept, re.sub(rb'"trace_id":"\w+"', b"", reply.body)))
            assert seen[0] == seen[1], f"{method} {path}"

        # A change by the tag of a reply that nginx compressed.
        reply = apis[1].get(f"/tenants/{tenant['id']}", headers={"Accept-Encoding": "gzip"})
        changed = apis[1].put(f"/tenants/{tenant['id']}", {"name": "New"}, headers={"If-Match": reply.headers["ETag"]})
        assert changed.status == 200, changed
