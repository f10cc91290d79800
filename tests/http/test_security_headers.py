"""What replies tell browsers about themselves, and that pages keep to it (docs/security/browser.md)."""
import json
import pathlib
import re
import socket

import pytest

from harness import Marca

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

PAGES = ["/", "/api-docs/tenants"]
DATA = ["/tenants/", "/nowhere", "/tenants/x", "/openapi.json", "/health", "/assets/page.css", "/assets/landing.js", "/docs"]


@pytest.fixture(scope="module")
def marca():
    with Marca() as marca:
        yield marca


def csp(reply):
    values = reply.headers.get_all("Content-Security-Policy", [])
    assert len(values) == 1, values
    return {words.split()[0]: words.split()[1:] for words in values[0].split(";")}


@pytest.mark.parametrize("path", PAGES)
def test_pages(marca, path):
    reply = marca.api().get(path)
    assert reply.status == 200 and reply.headers["Content-Type"].startswith("text/html")
    policy = csp(reply)
    assert policy["default-src"] == ["'none'"] and policy["base-uri"] == ["'none'"]
    assert policy["frame-ancestors"] == ["'none'"] and policy["script-src"] == policy["style-src"] == ["'self'"]
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*"} & {word for words in policy.values() for word in words}
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Referrer-Policy"] == "no-referrer"
    assert reply.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert reply.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in reply.headers["Permissions-Policy"]
    assert reply.headers["X-Frame-Options"] == "DENY"
    assert reply.headers["Cache-Control"] == "no-cache"
    assert "Strict-Transport-Security" not in reply.headers
    assert "Server" not in reply.headers and "X-Powered-By" not in reply.headers


@pytest.mark.parametrize("path", DATA)
def test_what_is_no_page(marca, path):
    reply = marca.api().get(path)
    assert reply.headers.get_all("X-Content-Type-Options") == ["nosniff"]
    assert csp(reply) == {"default-src": ["'none'"], "frame-ancestors": ["'none'"]}
    assert len(reply.headers.get_all("Cache-Control")) == 1
    kept = path.startswith("/assets/") or path == "/openapi.json"
    assert reply.headers["Cache-Control"] == ("no-cache" if kept else "no-store")


def test_unchanged_page_keeps_its_policy(marca):
    """A 304's headers replace those of the page that a browser keeps: it must not bring the policy of what is no page."""
    api = marca.api()
    page = api.get("/")
    reply = api.get("/", headers={"If-None-Match": page.headers["ETag"]})
    assert reply.status == 304 and "Content-Security-Policy" not in reply.headers
    assert reply.headers["X-Content-Type-Options"] == "nosniff" and reply.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("raw", [
    b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", b"NONSENSE\r\n\r\n",
    b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n" % (b"x" * 5000), b"GET / HTTP/1.1\r\nHost: a\r\nX: %s\r\n\r\n" % (b"y" * 20000),
    b"POST /tenants/ HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n",
])
def test_what_was_refused_unread(marca, raw):
    host, port = marca.address.split(":")
    with socket.create_connection((host, int(port)), 30) as client:
        client.sendall(raw)
        text = b""
        while more := client.recv(65536):
            text += more
    assert re.match(rb"HTTP/1.1 [45]\d\d ", text)
    assert text.count(b"X-Content-Type-Options: nosniff\r\n") == 1 and text.count(b"Cache-Control: no-store\r\n") == 1


def test_https_shall_stay_https():
    with Marca(env={"PUBLIC_URL": "https://marca.example.com"}) as marca:
        api = marca.api()
        for path in (*PAGES, *DATA):
            assert api.get(path).headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains", path


INLINE = re.compile(r"<style|<script(?![^>]*\ssrc=)|\sstyle=|\son\w+\s*=|javascript:|https?://(?!www\.w3\.org/)[^\"' ]*\.(?:js|css)", re.I)


@pytest.mark.parametrize("page", sorted((ROOT / "web").glob("*.html")), ids=lambda page: page.name)
def test_pages_have_nothing_inline(page):
    found = INLINE.search(page.read_text())
    assert found is None, found


def test_the_search_for_inline_finds():
    for text in ("<style>", "<script>x()</script>", '<p style="x">', '<a onclick="x()">', '<a href="javascript:x()">'):
        assert INLINE.search(text), text
    assert not INLINE.search('<script src="/assets/page.js" defer></script><link rel="stylesheet" href="/assets/page.css">')


def test_scripts_make_no_code_of_texts():
    for script in (ROOT / "web").glob("*.js"):
        assert not re.search(r"\beval\(|new Function\(|innerHTML|outerHTML|insertAdjacentHTML|document\.write", script.read_text()), script


def test_health_is_small(marca):
    """What every reply carries is bounded: some 400 bytes of head."""
    reply = marca.api().get("/health")
    head = sum(len(name) + len(value) + 4 for name, value in reply.headers.items())
    assert head < 700, json.dumps(dict(reply.headers))
