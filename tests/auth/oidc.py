"""Identity providers to log in by, and the browser that goes to and fro. See provider/*.mjs."""
import base64
import contextlib
import fcntl
import filecmp
import hashlib
import http.client
import json
import pathlib
import secrets
import shutil
import subprocess
import urllib.parse

import harness

HERE = pathlib.Path(__file__).resolve().parent / "provider"
PUBLIC_URL = "https://marca.example.com"
CALLBACKS = f"{PUBLIC_URL}/auth/oidc/"
SECRET = "s3cret&+%/ =:"
ENV = {"PUBLIC_URL": PUBLIC_URL}


def install():
    """What package-lock.json names, once: as tests/browser/run does it."""
    stamp = HERE / "node_modules" / ".lock-installed"
    with open(HERE / ".npmrc") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or not filecmp.cmp(HERE / "package-lock.json", stamp, shallow=False):
            subprocess.run(["npm", "ci", "--prefix", HERE, "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], check=True)
            shutil.copy(HERE / "package-lock.json", stamp)


class Node:
    """One of the scripts, running; `url` is the issuer. stop() and start() keep the port."""

    script = None

    def __init__(self, **options):
        self.options = {"port": 0, "redirect_uris": CALLBACKS, **options}
        self.process = None

    def __enter__(self):
        install()
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.process = subprocess.Popen(["node", HERE / self.script, json.dumps(self.options)],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("port "), f"{self.script} did not start"
        self.options["port"] = int(line.split()[1])
        secure = "cert" in self.options
        self.url = f"https://localhost:{self.options['port']}" if secure else f"http://127.0.0.1:{self.options['port']}"

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    def request(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.options["port"], timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, None if body is None else json.dumps(body))
            return connection.getresponse().read()


class Provider(Node):
    script = "provider.mjs"

    def account(self, sub, email=..., email_verified=True, **more):
        """Whoever logs in from now on is that one."""
        claims = {"sub": sub, "email": f"{sub}@example.com" if email is ... else email, "email_verified": email_verified, **more}
        self.request("POST", "/test/account", {name: value for name, value in claims.items() if value is not None})


class Hostile(Node):
    script = "hostile.mjs"

    def does(self, **told):
        self.request("POST", "/test", told)

    @property
    def asked(self):
        return json.loads(self.request("GET", "/test"))


# --- The browser --------------------------------------------------------------------------


class Login:
    """A login that has begun: the cookie that the browser has, and where it was sent."""

    def __init__(self, api, provider, **query):
        self.api = api
        self.callback = f"/auth/oidc/{provider['id']}/callback"
        self.reply = api.get(f"/auth/oidc/{provider['id']}/login", **query)
        assert self.reply.status == 302, self.reply
        self.cookie = self.reply.headers["Set-Cookie"].split(";")[0]
        self.location = self.reply.headers["Location"]
        self.asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.location).query))

    def at_provider(self):
        """Through the provider; the path and query by which the browser comes back."""
        url, cookies = self.location, {}
        for _ in range(10):
            if url.startswith(PUBLIC_URL):
                return url[len(PUBLIC_URL) :]
            parts = urllib.parse.urlsplit(url)
            connection = http.client.HTTPConnection(parts.netloc, timeout=30)
            with contextlib.closing(connection):
                sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}
                connection.request("GET", f"{parts.path}?{parts.query}", headers=sent)
                response = connection.getresponse()
                body = response.read()
            assert response.status in (302, 303), body
            for header in response.headers.get_all("Set-Cookie") or []:
                name, _, value = header.split(";")[0].partition("=")
                cookies[name] = value
            url = urllib.parse.urljoin(url, response.headers["Location"])
        raise AssertionError("the provider goes in circles")

    def back(self, path, cookie=...):
        cookie = self.cookie if cookie is ... else cookie
        return self.api.get(path, headers={} if cookie is None else {"Cookie": cookie})

    def done(self):
        return self.back(self.at_provider())


def changed(path, **parameters):
    """The same address with other parameters; None takes one away."""
    base, _, query = path.partition("?")
    pairs = {**dict(urllib.parse.parse_qsl(query)), **parameters}
    return base + "?" + urllib.parse.urlencode({name: value for name, value in pairs.items() if value is not None})


def proof():
    """(code_verifier, code_challenge)"""
    verifier = secrets.token_urlsafe(32)
    digest = hashlib.sha256(verifier.encode()).digest()
    return verifier, base64.urlsafe_b64encode(digest).decode().rstrip("=")


def make_provider(api, tenant, node, client_id="basic", **fields):
    return harness.create(api, "/auth/providers", {
        "tenant_id": tenant["id"], "name": "Contas", "issuer": node.url, "client_id": client_id,
        "client_secret": None if client_id == "public" else SECRET, "auto_create": True, **fields,
    })
