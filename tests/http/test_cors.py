"""Which pages of other sites may call, and what they may read: origin x mode x credentials x kind of request.

The rules are those of https://fetch.spec.whatwg.org/#http-cors-protocol; docs/security/browser.md tells them.
"""
import contextlib

import pytest

from harness import Marca

APP = "https://app.example.com"
DEV = "http://localhost:5173"

EXPOSED = {"etag", "link", "location", "x-next-cursor", "x-request-id", "retry-after", "ratelimit", "ratelimit-policy"}
TAKEN = {"authorization", "content-type", "idempotency-key", "if-match", "x-request-id", "traceparent", "accept-language"}

# Nobody of the list below may call where only APP and DEV may.
HOSTILE = [
    "null",
    "https://app.example.com.evil.org",
    "https://evil.org",
    "https://evilapp.example.com",
    "https://app.example.comevil.org",
    "https://sub.app.example.com",
    "https://example.com",
    "https://user@app.example.com",
    "https://app.example.com@evil.org",
    "http://app.example.com",
    "https://app.example.com:443",
    "https://app.example.com:8443",
    "https://app.example.com/",
    "https://app.example.com/path",
    "https://app.example.com.",
    "https://app.example.com#https://evil.org",
    "https://app.example.com https://evil.org",
    "https://app.example.com, https://evil.org",
    "https://evil.org, https://app.example.com",
    "//app.example.com",
    "app.example.com",
    "*",
    "",
    "http://localhost",
    "http://localhost:51730",
    "http://127.0.0.1:5173",
    "file://",
    "https://app.example.com\\x00.evil.org",
    "https://app.ex\u00e4mple.com",
]

MODES = {
    "any": {},
    "star": {"CORS_ORIGINS": "*"},
    "list": {"CORS_ORIGINS": f"{APP}, {DEV}", "CORS_MAX_AGE": "1234"},
    "credentials": {"CORS_ORIGINS": f"{APP.upper()},{DEV}", "CORS_ALLOW_CREDENTIALS": "1"},
}


@pytest.fixture(scope="module", params=MODES)
def mode(request):
    with Marca(env=MODES[request.param]) as marca:
        yield request.param, marca


def expected(mode, origin):
    """What Access-Control-Allow-Origin and -Credentials must say to that one Origin; None: nothing."""
    if mode in ("any", "star"):
        return "*", None
    known = {APP: APP, DEV: DEV, APP.upper(): APP, "https://APP.example.com": APP}.get(origin)
    return known, "true" if known and mode == "credentials" else None


def listed(headers, name):
    return {word.strip().lower() for word in headers.get(name, "").split(",") if word.strip()}


def check_origin(headers, mode, origin):
    allowed, credentials = expected(mode, origin)
    assert headers.get_all("Access-Control-Allow-Origin", []) == ([allowed] if allowed else []), origin
    assert headers.get("Access-Control-Allow-Credentials") == credentials, origin
    assert "origin" in listed(headers, "Vary"), origin
    return allowed


ORIGINS = [APP, DEV, APP.upper(), "https://APP.example.com", *HOSTILE]

# Method, path, status: answers of all kinds carry the headers, errors too, so that an app can tell what went wrong.
CALLS = [
    ("GET", "/tenants/", 200),
    ("GET", "/nowhere", 404),
    ("GET", "/tenants/not-a-uuid", 422),
    ("POST", "/tenants/", 422),
    ("PATCH", "/tenants/", 405),
    ("HEAD", "/tenants/", 200),
    ("GET", "/assets/page.css", 200),
    ("GET", "/", 200),
]


@pytest.mark.parametrize("method, path, status", CALLS)
def test_calls(mode, method, path, status):
    name, marca = mode
    api = marca.operator()
    for origin in ORIGINS:
        reply = api.request(method, path, b"" if method == "POST" else None, {"Origin": origin.encode("utf-8")})
        assert reply.status == status, (origin, reply)
        allowed = check_origin(reply.headers, name, origin)
        assert listed(reply.headers, "Access-Control-Expose-Headers") == (EXPOSED if allowed else set())
        assert "Access-Control-Allow-Methods" not in reply.headers


@pytest.mark.parametrize("path, methods", [
    ("/tenants/", {"GET", "HEAD", "POST", "OPTIONS"}),
    ("/tenants/0193a3f2-7c00-7000-8000-000000000001", {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}),
    ("/bookings/0193a3f2-7c00-7000-8000-000000000001/cancel", {"PATCH", "DELETE", "OPTIONS"}),
])
def test_preflights(mode, path, methods):
    name, marca = mode
    api = marca.api()
    for origin in ORIGINS:
        for asked in ("PUT", "DELETE", "TRACE"):
            reply = api.request("OPTIONS", path, None, {
                "Origin": origin.encode("utf-8"), "Access-Control-Request-Method": asked,
                "Access-Control-Request-Headers": "authorization, x-evil",
            })
            assert reply.status == 204 and reply.body == b"", origin
            allowed = check_origin(reply.headers, name, origin)
            told = {word.upper() for word in listed(reply.headers, "Access-Control-Allow-Methods")}
            assert told == (methods if allowed else set()), origin
            assert listed(reply.headers, "Access-Control-Allow-Headers") == (TAKEN if allowed else set())
            age = {"list": "1234"}.get(name, "600")
            assert reply.headers.get("Access-Control-Max-Age") == (age if allowed else None)


def test_every_route_answers_preflights(mode):
    """From the document: all of its paths, with all of their methods."""
    _, marca = mode
    api = marca.api()
    for path, item in api.get("/openapi.json").json["paths"].items():
        where = path.replace("{id}", "0193a3f2-7c00-7000-8000-000000000001").replace("{", "").replace("}", "")
        for method in {"get", "post", "put", "patch", "delete"} & set(item):
            reply = api.request("OPTIONS", where, None, {"Origin": APP, "Access-Control-Request-Method": method.upper()})
            assert reply.status == 204, (method, path)
            assert method.upper() in reply.headers["Access-Control-Allow-Methods"], (method, path)


def test_without_origin(mode):
    """No page of another site: nothing is told, and caches know that it might have been."""
    name, marca = mode
    api = marca.api()
    for reply in (api.get("/tenants/"), api.request("OPTIONS", "/tenants/", None, {"Access-Control-Request-Method": "PUT"})):
        assert not [header for header in reply.headers if header.lower().startswith("access-control-")], name
        assert "origin" in listed(reply.headers, "Vary")
    # The question which methods there are is no preflight.
    reply = api.request("OPTIONS", "/tenants/", None, {"Origin": APP})
    assert reply.status == 204 and "Access-Control-Allow-Methods" not in reply.headers and "Allow" in reply.headers


def test_several_origins(mode):
    """Browsers send one: who sends more is nobody, whatever they are."""
    _, marca = mode
    api, token = marca.api(), marca.run("token").strip()
    for pair in ((APP, APP), (APP, "https://evil.org"), ("https://evil.org", APP)):
        api.connection.putrequest("GET", "/tenants/")
        for origin in pair:
            api.connection.putheader("Origin", origin)
        api.connection.putheader("Authorization", f"Bearer {token}")
        api.connection.endheaders()
        response = api.connection.getresponse()
        response.read()
        assert response.status == 200 and response.headers["Access-Control-Allow-Origin"] is None, pair


@pytest.mark.parametrize("env, says", [
    ({"CORS_ORIGINS": "https://*.example.com"}, "https://*.example.com"),
    ({"CORS_ORIGINS": "https://app.example.com/"}, "https://app.example.com/"),
    ({"CORS_ORIGINS": "null"}, "null"),
    ({"CORS_ORIGINS": f"{APP}, app.example.org"}, "app.example.org"),
    ({"CORS_ORIGINS": "*", "CORS_ALLOW_CREDENTIALS": "1"}, "CORS_ALLOW_CREDENTIALS"),
    ({"CORS_ALLOW_CREDENTIALS": "1"}, "CORS_ALLOW_CREDENTIALS"),
])
def test_bad_settings_refuse_to_start(env, says):
    marca = Marca(env=env)
    with contextlib.ExitStack() as stack:
        stack.callback(marca.clean)
        told = marca.run("serve", "--listen", "127.0.0.1:0", status=1)
        assert "CORS_ORIGINS" in told and says in told
