"""Headers that nobody should send: nothing of them gets into a reply's head or makes a line of the log.

Bytes go out as they are, over a raw socket. What the framing itself refuses is test_framing.py's.
"""
import json
import socket

import pytest

from harness import Marca, make_tenant

CANARY = "X-Canary-4711"

# Headers that marca reads; whatever they hold.
READ = ["X-Request-ID", "traceparent", "Origin", "User-Agent", "Accept-Language", "X-Forwarded-For", "If-None-Match",
        "If-Match", "Idempotency-Key", "Content-Type", "Expect", "Cookie", "Referer", "Forwarded"]

# What a line break may hide in: as bytes, and as what careless decoders make one of.
RAW_BREAKS = [b"\r\n", b"\n", b"\r", b"\r\n ", b"\x00", b"\x0b", b"\x0c", b"\x1b[2J", b"\x7f", b"\x08"]
SOFT_BREAKS = [b"%0d%0a", b"%0D%0A", b"\\r\\n", b"\xc4\x8d\xc4\x8a", b"\xe5\x98\x8d\xe5\x98\x8a", b"\xe2\x80\xa8", b"\xc2\x85",
               b"\x85", b"\xff\xfe", b"&#13;&#10;", b"${jndi:x}", b"<script>", b"'\"`;--"]


@pytest.fixture(scope="module")
def marca():
    env = {"MARCA_LOG_FORMAT": "json", "MARCA_LOG_LEVEL": "debug", "CORS_ORIGINS": "https://app.example.com",
           "TRUSTED_PROXIES": "127.0.0.1", "RATE_IP": "1000000"}
    with Marca(env=env) as marca:
        for _ in range(3):
            make_tenant(marca.api())  # so that there is a next page, whose Link repeats the query
        yield marca
        for line in marca.stderr.read_text(encoding="utf-8", errors="strict").splitlines():
            assert set(json.loads(line)) >= {"time", "level", "message"}, line


def ask(marca, raw):
    """(status, headers as sent, body) of the first reply; the connection is then closed."""
    host, port = marca.address.split(":")
    with socket.create_connection((host, int(port)), 30) as client:
        client.sendall(raw)
        client.shutdown(socket.SHUT_WR)
        text = b""
        while more := client.recv(65536):
            text += more
    head, body = text.split(b"\r\n\r\n", 1)
    lines = head.split(b"\r\n")
    for line in lines:
        assert not [byte for byte in line if byte < 0x20 or byte == 0x7f], line
        assert b": " in line or line is lines[0], line
    names = [line.split(b": ")[0].decode("ascii") for line in lines[1:]]
    assert CANARY not in names, head
    assert len(names) == len({name.lower() for name in names}), f"a header twice: {head}"
    return int(lines[0].split(b" ")[1]), dict(zip(names, (line.split(b": ", 1)[1] for line in lines[1:]))), body


def get(path, *headers):
    return b"\r\n".join([b"GET %s HTTP/1.1" % path, b"Host: 127.1", b"Connection: close", *headers]) + b"\r\n\r\n"


PATHS = [b"/tenants/?limit=1", b"/tenants/x", b"/nowhere", b"/", b"/docs", b"/tenants/by-domain/a.example.com"]


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("path", PATHS)
def test_soft_breaks_stay_where_they_are(marca, name, path):
    for broken in SOFT_BREAKS:
        value = b"abc" + broken + CANARY.encode() + b": 1" + broken + broken + b"<html>"
        status, headers, _ = ask(marca, get(path, name.encode() + b": " + value))
        assert status < 500, (name, broken)
        assert CANARY.encode() not in b"".join(headers.values()), (name, broken, headers)


@pytest.mark.parametrize("name", READ)
def test_raw_breaks_are_refused(marca, name):
    """A control byte in a value is no HTTP; after a whole CRLF what follows is a header of its own, which is not sent back."""
    for broken in RAW_BREAKS:
        value = b"abc" + broken + CANARY.encode() + b": 1"
        status, headers, _ = ask(marca, get(b"/tenants/", name.encode() + b": " + value))
        if broken == b"\r\n":
            assert status < 500
        else:
            assert status == 400, (name, broken, status)
        assert CANARY.encode() not in b"".join(headers.values()), (name, broken, headers)


@pytest.mark.parametrize("target", [
    b"/tenants/?limit=1&x=%0d%0aX-Canary-4711:%201", b"/tenants/%0d%0aX-Canary-4711:%201", b"/%0d%0aX-Canary-4711:%201",
    b"/tenants/by-domain/%0d%0aX-Canary-4711:%201", b"/assets/%0d%0aX-Canary-4711:%201", b"/tenants?cursor=%0d%0aX-Canary-4711:1",
    b"/docs%0d%0aX-Canary-4711:1", b"//evil.org/%2f..", b"/\\evil.org", b"/tenants/%00", b"/%ff%fe", b"/tenants/%",
])
def test_breaks_in_the_target(marca, target):
    status, headers, _ = ask(marca, get(target))
    assert status < 500
    location = headers.get("Location", b"/")
    assert location.startswith(b"/") and not location.startswith(b"//")


def test_link_repeats_the_query_encoded(marca):
    status, headers, _ = ask(marca, get(b"/tenants/?limit=%31"))
    assert status == 200 and headers["Link"].startswith(b"</tenants/?limit=%31&cursor=")


@pytest.mark.parametrize("name, value, kept", [
    ("X-Request-ID", b"abc-DEF_1.2", True),
    ("X-Request-ID", b"a" * 64, True),
    ("X-Request-ID", b"a" * 65, False),
    ("X-Request-ID", b"a b", False),
    ("X-Request-ID", b"a;b", False),
    ("X-Request-ID", b'"><script>', False),
    ("X-Request-ID", "ação".encode(), False),
    ("X-Request-ID", b"", False),
])
def test_request_ids(marca, name, value, kept):
    _, headers, _ = ask(marca, get(b"/tenants/", name.encode() + b": " + value))
    assert (headers["X-Request-ID"] == value) == kept, headers


TRACE = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize("value", [
    TRACE + b"\xff", TRACE[:-1], TRACE.upper(), TRACE.replace(b"00-4b", b"ff-4b"), TRACE.replace(b"4bf9", b"4bg9"),
    b"00-" + b"0" * 32 + TRACE[35:], TRACE.replace(b"-", b" "), b"00-" + b"x" * 5000, b"", b"-" * 55, TRACE + b"-more",
])
def test_traces(marca, value):
    _, headers, body = ask(marca, get(b"/nowhere", b"traceparent: " + value))
    sent = headers["traceparent"].split(b"-")
    assert [len(part) for part in sent] == [2, 32, 16, 2] and b"".join(sent).isalnum()
    assert sent[1] != b"4bf92f3577b34da6a3ce929d0e0e4736"
    assert json.loads(body)["trace_id"].encode() == sent[1]


# --- Host -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [b"/", b"/docs", b"/tenants/?limit=1", b"/nowhere", b"/openapi.json", b"/api-docs/tenants"])
@pytest.mark.parametrize("extra", [[], [b"X-Forwarded-Host: evil.org"], [b"X-Forwarded-Proto: https", b"X-Forwarded-Port: 1"],
                                   [b"Forwarded: host=evil.org;proto=https"], [b"X-Original-URL: /metrics"],
                                   [b"X-Rewrite-URL: /metrics"], [b"X-HTTP-Method-Override: DELETE"], [b"X-Host: evil.org"]])
def test_no_reply_believes_the_host(marca, path, extra):
    """Links and redirects are relative, so that no header can lead them elsewhere."""
    token = b"Authorization: Bearer " + marca.run("token").strip().encode()
    raw = get(path, token, *extra).replace(b"Host: 127.1", b"Host: evil.org")
    status, headers, body = ask(marca, raw)
    plain_status, _, plain_body = ask(marca, get(path, token))
    assert status == plain_status
    assert b"evil.org" not in body and b"evil.org" not in b"".join(headers.values())
    assert len(body) == len(plain_body)


@pytest.mark.parametrize("host", [
    b"a b", b"a/b", b"user@a", b"a\tb", b"a, b", b"a?b", b"a#b", b'a"b', b"<a>", "é".encode(), b"a\x00", b"a\\b", b"a|b", b"a^b",
])
def test_hosts_that_are_none(marca, host):
    status, _, _ = ask(marca, b"GET /tenants/ HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
    assert status == 400


@pytest.mark.parametrize("raw", [
    b"GET /tenants/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET /tenants/ HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n",
    b"GET /tenants/ HTTP/1.1\r\n\r\n", b"GET http://evil.org/tenants/ HTTP/1.1\r\nHost: a\r\n\r\n",
    b"CONNECT evil.org:443 HTTP/1.1\r\nHost: evil.org:443\r\n\r\n", b"GET evil.org HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /tenants/ HTTP/1.1\r\nHost : a\r\n\r\n", b"GET /tenants/ HTTP/1.1\r\n Host: a\r\n\r\n",
    b"GET @evil.org/ HTTP/1.1\r\nHost: a\r\n\r\n",
])
def test_two_hosts_or_none(marca, raw):
    status, _, _ = ask(marca, raw)
    assert status == 400


# --- Very many, very long -----------------------------------------------------------------


@pytest.mark.parametrize("headers, status", [
    ([b"X-%d: y" % i for i in range(62)], 200),
    ([b"X-%d: y" % i for i in range(63)], 431),
    ([b"X-%d: y" % i for i in range(5000)], 431),
    ([b"X: y"] * 5000, 431),
    ([b"Cookie: a=b"] * 63, 431),
    ([b"X: " + b"y" * 15000], 200),
    ([b"X: " + b"y" * 20000], 431),
    ([b"X: " + b"y" * 2_000_000], 431),
    ([b"y" * 20000 + b": x"], 431),
    ([b"X-Forwarded-For: " + b"1.1.1.1," * 1900], 401),
    ([b"X-Forwarded-For: " + b"," * 15000], 401),
    ([b"Accept-Language: " + b"en;q=0.1," * 1600], 200),
    ([b"If-Match: " + b'"7",' * 3700], 200),
    ([b"Origin: " + b"https://app.example.com" * 600], 401),  # a page of the web, without a token
    ([b"Origin: https://app.example.com"] * 60, 401),
    ([b": y"], 400),
    ([b"X y: z"], 400),
    ([b"X"], 400),
    ([b"X\x80: y"], 400),
    ([b"(X): y"], 400),
], ids=lambda value: value if isinstance(value, int) else f"{len(value)}x{len(value[0])}")
def test_very_many_and_very_long(marca, headers, status):
    host, port = marca.address.split(":")
    with socket.create_connection((host, int(port)), 30) as client:
        try:
            client.sendall(get(b"/tenants/?limit=1", *headers))
        except OSError:
            pass  # it was refused amid the sending
        text = b""
        try:
            while more := client.recv(65536):
                text += more
        except ConnectionResetError:
            pass
    assert text.startswith(b"HTTP/1.1 %d " % status), text[:200]


def test_it_still_lives(marca):
    assert marca.api().get("/health").status == 200
