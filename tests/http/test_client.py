"""The outgoing client of src/http/client.c against real servers (peer.py), by its probe.

What it does where marca is in production needs a public address: that is given to the loopback interface of a
network namespace of the test's own, with a hosts file of its own (unshare, as any user).
"""
import contextlib
import json
import os
import pathlib
import shlex
import socket
import subprocess
import sys
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
PROBE = HERE.parent.parent / os.environ.get("MARCA_BUILD", "build") / "src" / "http" / "http_client_probe"
PUBLIC, PUBLIC6 = "93.184.216.34", "2606:2800:220:1::1"
NAME, INSIDE, MIXED = "idp.example.com", "inside.example.com", "mixed.example.com"


def run(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def probe(url, *options):
    """(outcome, status, type, body) of the one call; a list of them of several."""
    answers = []
    for line in run([PROBE, url, *options]).splitlines():
        outcome, rest = next((o, line[len(o) + 1 :]) for o in OUTCOMES if line.startswith(o + " "))
        status, kind, body = rest.split(" ", 2)
        answers.append((outcome, int(status), kind, body))
    return answers if len(answers) > 1 else answers[0]


OUTCOMES = ["answered", "refused", "unreachable", "late", "too large", "busy", "no memory"]


def outcome(url, *options):
    return probe(url, *options)[0]


@contextlib.contextmanager
def peer(*arguments):
    process = subprocess.Popen([sys.executable, HERE / "peer.py", *arguments], stdout=subprocess.PIPE, text=True)
    try:
        yield int(process.stdout.readline().split()[1])
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="module")
def plain():
    with peer("127.0.0.1") as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    """A folder with ca.pem and server.pem/.key for the names used here, expired.pem/.key, and other.pem, another CA."""
    folder = tmp_path_factory.mktemp("ca")
    names = f"DNS:localhost,IP:127.0.0.1,IP:{PUBLIC},IP:{PUBLIC6},DNS:{NAME},DNS:{INSIDE},DNS:{MIXED}"
    def key(name):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", folder / f"{name}.key"]
    for name in ("ca", "other"):
        run(["openssl", "req", "-x509", *key(name), "-out", folder / f"{name}.pem", "-subj", f"/CN={name}", "-days", "2"])
    (folder / "names").write_text(f"subjectAltName={names}")
    for name, days in (("server", "2"), ("expired", "-1")):
        run(["openssl", "req", *key(name), "-out", folder / f"{name}.csr", "-subj", "/CN=server"])
        run(["openssl", "x509", "-req", "-in", folder / f"{name}.csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
             "-CAcreateserial", "-days", days, "-extfile", folder / "names", "-out", folder / f"{name}.pem"])
    return folder


@pytest.fixture(scope="module")
def secure(ca):
    with peer("127.0.0.1", ca / "server.pem", ca / "server.key") as port:
        yield port


# --- Asking and being answered ------------------------------------------------------


def test_get(plain):
    assert probe(f"{plain}/", "development") == ("answered", 200, "text/plain", "hello")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_body_and_headers(plain, method):
    _, status, kind, body = probe(f"{plain}/seen", "development", f"method={method}", "body=a=1&b=ç",
                                  "header=Content-Type: application/x-www-form-urlencoded", "header=Authorization: Basic x")
    seen = json.loads(body)
    assert (status, kind, seen["method"], seen["body"]) == (200, "application/json", method, "a=1&b=ç")
    headers = {name.lower(): value for name, value in seen["headers"].items()}
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert headers["authorization"] == "Basic x"
    assert headers["user-agent"].startswith("marca/")
    assert "expect" not in headers and "cookie" not in headers


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_no_body(plain, method):
    seen = json.loads(probe(f"{plain}/seen", "development", f"method={method}")[3])
    assert (seen["method"], seen["body"]) == (method, "")


@pytest.mark.parametrize("code", [201, 400, 401, 404, 500, 503])
def test_any_status_is_an_answer(plain, code):
    assert probe(f"{plain}/status/{code}", "development")[:2] == ("answered", code)


def test_redirects_are_told_and_not_followed(plain):
    assert probe(f"{plain}/redirect/", "development")[:2] == ("answered", 302)


def test_packed_bodies_stay_packed(plain):
    assert probe(f"{plain}/gzip", "development")[3] == "not unpacked"


def test_no_proxy_of_the_environment(plain, monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert outcome(f"{plain}/", "development") == "answered"


def test_connections_are_kept(plain):
    first, second = probe(f"{plain}/seen", "development", "again")
    assert json.loads(first[3])["port"] == json.loads(second[3])["port"]


# --- Bounds ----------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["size", "chunked"])
def test_size(plain, path):
    assert probe(f"{plain}/{path}/10000", "development", "answer_max=10000")[0::3] == ("answered", "x" * 10000)
    assert probe(f"{plain}/{path}/10001", "development", "answer_max=10000") == ("too large", 0, "", "")
    assert outcome(f"{plain}/{path}/262144", "development") == "answered"
    assert outcome(f"{plain}/{path}/262145", "development") == "too large"


@pytest.mark.parametrize("path", ["sleep/30", "drip/0.05"])
def test_late(plain, path):
    began = time.monotonic()
    assert outcome(f"{plain}/{path}", "development", "timeout_ms=300") == "late"
    assert time.monotonic() - began < 5


def test_silent_server():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert outcome(f"http://127.0.0.1:{server.getsockname()[1]}/", "development", "timeout_ms=300") == "late"


def test_nobody_there():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert outcome(f"http://127.0.0.1:{port}/", "development") == "unreachable"


@pytest.mark.parametrize("path", ["cut", "garbage"])
def test_broken_answers(plain, path):
    assert outcome(f"{plain}/{path}", "development") == "unreachable"


def test_many_at_once(plain):
    """One that sleeps holds up no other: 100 calls of 0.2 s by 16 connections take 7 rounds, not 100."""
    began = time.monotonic()
    answers = probe(f"{plain}/sleep/0.2", "development", "calls=100", "timeout_ms=20000")
    assert [a[0] for a in answers] == ["answered"] * 100
    assert time.monotonic() - began < 15


def test_too_many_at_once(plain):
    answers = [a[0] for a in probe(f"{plain}/sleep/0.1", "development", "calls=300", "timeout_ms=30000")]
    assert (answers.count("answered"), answers.count("busy")) == (256, 44)


# --- What is asked at all ----------------------------------------------------------------

NOT_URLS = [
    "", "/", "127.0.0.1", "//127.0.0.1/", "ftp://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1/", "smtp://127.0.0.1/",
    "dict://127.0.0.1/", "https://", "https://user@127.0.0.1/", "https://user:password@127.0.0.1/", "https://127.0.0.1:99999/",
    "https://127.0.0.1/#fragment", "https://127.0.0.1/" + "a" * 5000, "https://127.0.0.1\r\nX: y/", "javascript:alert(1)",
]


@pytest.mark.parametrize("url", NOT_URLS)
@pytest.mark.parametrize("mode", [[], ["development"]])
def test_urls(url, mode):
    assert outcome(url, *mode) == "refused"


def test_plain_http_only_in_development(plain):
    assert outcome(f"{plain}/") == "refused"


HERE_IN_DISGUISE = [
    "127.0.0.1", "localhost", "LOCALHOST", "localhost.", "a.localhost", "127.1", "0x7f.1", "0177.0.0.1", "2130706433", "0x7f000001",
    "127.0.0.2", "0.0.0.0", "0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "１２７.0.0.1",
]
NO_NAMES = ["localhost.", "１２７.0.0.1"]
ELSEWHERE = [
    "169.254.169.254", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "224.0.0.1", "255.255.255.255", "[fe80::1]",
    "[fd00:ec2::254]", "[ff02::1]", "[64:ff9b::10.0.0.1]", "[2002:7f00:1::]", "[2001::1]",
]


@pytest.mark.parametrize("host", HERE_IN_DISGUISE + ELSEWHERE)
def test_production_refuses_what_is_not_public(secure, ca, host):
    """At 127.0.0.1 a server does listen, under a certificate that is trusted. (Some are no names at all to some resolvers.)"""
    told = outcome(f"https://{host}:{secure}/", f"ca={ca / 'ca.pem'}", "timeout_ms=2000")
    assert told == "refused" or (host in NO_NAMES and told == "unreachable")


@pytest.mark.parametrize("host", ["10.0.0.1", "169.254.169.254", "8.8.8.8", "0.0.0.0", "[::]"])
def test_plain_http_to_this_machine_only(host):
    assert outcome(f"http://{host}:1/", "development", "timeout_ms=1000") in ("refused", "unreachable")


# --- TLS ----------------------------------------------------------------------------------


def test_tls(secure, ca):
    trust = f"ca={ca / 'ca.pem'}"
    assert probe(f"https://localhost:{secure}/", "development", trust)[:2] == ("answered", 200)
    assert outcome(f"https://127.0.0.1:{secure}/", "development", trust) == "answered"


def test_tls_not_trusted(secure, ca):
    assert outcome(f"https://localhost:{secure}/", "development") == "unreachable"
    assert outcome(f"https://localhost:{secure}/", "development", f"ca={ca / 'other.pem'}") == "unreachable"


def test_tls_other_name(secure, ca):
    assert outcome(f"https://127.0.0.2:{secure}/", "development", f"ca={ca / 'ca.pem'}") == "unreachable"


def test_tls_expired(ca):
    with peer("127.0.0.1", ca / "expired.pem", ca / "expired.key") as port:
        assert outcome(f"https://localhost:{port}/", "development", f"ca={ca / 'ca.pem'}") == "unreachable"


def test_tls_spoken_to_plain(plain, secure, ca):
    assert outcome(plain.replace("http:", "https:"), "development") == "unreachable"
    assert outcome(f"http://127.0.0.1:{secure}/", "development") == "unreachable"


# --- Production, in a network of its own ---------------------------------------------------


def in_own_network(ca, address, url, *options):
    """The probe's outcome for that URL ("{port}" filled in), where a server listens at `address`."""
    (ca / "hosts").write_text(f"{PUBLIC} {NAME}\n127.0.0.1 {INSIDE} localhost\n127.0.0.1 {MIXED}\n{PUBLIC} {MIXED}\n")
    script = f"""
        ip link set lo up && ip addr add {PUBLIC}/32 dev lo && ip addr add {PUBLIC6}/128 dev lo nodad &&
        mount --bind {ca}/hosts /etc/hosts || exit 77
        exec 3< <({sys.executable} {HERE}/peer.py {address} {ca}/server.pem {ca}/server.key)
        read -r _ port <&3
        {PROBE} "$(printf %s {shlex.quote(url)} | sed "s/{{port}}/$port/")" ca={ca}/ca.pem {' '.join(options)}
        kill %% $(jobs -p) 2>/dev/null; kill $! 2>/dev/null; exit 0
    """
    done = subprocess.run(["unshare", "-rnm", "bash", "-c", script], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode in (1, 77) and not done.stdout:
        pytest.skip(f"no namespaces here: {done.stderr}")
    return done.stdout


@pytest.mark.parametrize("address, url", [
    (PUBLIC, f"https://{PUBLIC}:{{port}}/"),
    (PUBLIC, f"https://{NAME}:{{port}}/"),
    (PUBLIC6, f"https://[{PUBLIC6}]:{{port}}/"),
    (PUBLIC, f"https://{MIXED}:{{port}}/"),  # of a name's addresses those that are public
])
def test_production_asks_what_is_public(ca, address, url):
    assert in_own_network(ca, address, url).startswith("answered 200 "), in_own_network(ca, address, url)


@pytest.mark.parametrize("url", [f"https://{INSIDE}:{{port}}/", f"https://{MIXED}:{{port}}/", "https://localhost:{port}/"])
def test_names_that_lead_inside(ca, url):
    """A server listens at 127.0.0.1, under a name that anybody's DNS may give it."""
    answered = in_own_network(ca, "127.0.0.1", url, "development")
    assert answered.startswith("answered 200 "), answered
    assert in_own_network(ca, "127.0.0.1", url).startswith("refused "), "it was asked"


def test_plain_http_to_a_public_address(ca):
    assert in_own_network(ca, PUBLIC, f"http://{PUBLIC}:{{port}}/", "development").startswith("refused ")
