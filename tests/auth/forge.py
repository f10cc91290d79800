"""Makes tokens as marca does, and as it never would: with the server's own keys, read from its folder.

The JSON here is written as marca writes it, so that a forgery differs from a good token in one thing alone.
"""
import base64
import hashlib
import hmac
import json
import time
import uuid

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

import contract
import harness

SECRET_KEY = "a secret of sixty-four bytes, which is as many as SHA-512 gives!"
ISSUER = "http://127.0.0.1:8000"  # PUBLIC_URL, where nobody says another
# The order of the group of edwards25519: S + ORDER signs as well as S where nobody looks.
ORDER = 2**252 + 27742317777372353535851937790883648493


def b64(data):
    if isinstance(data, str):
        data = data.encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def compact(value):
    return value if isinstance(value, (str, bytes)) else json.dumps(value, separators=(",", ":"))


class Key:
    """An Ed25519 key: the server's, or one of the forger's."""

    def __init__(self, seed=None):
        self.private = ed25519.Ed25519PrivateKey.from_private_bytes(seed) if seed else ed25519.Ed25519PrivateKey.generate()
        self.public = self.private.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.x = b64(self.public)
        thumb = compact({"crv": "Ed25519", "kty": "OKP", "x": self.x})  # RFC 7638
        self.kid = b64(hashlib.sha256(thumb.encode()).digest())
        self.jwk = {"kty": "OKP", "crv": "Ed25519", "x": self.x}

    @property
    def pem(self):
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    @property
    def header(self):
        return {"alg": "EdDSA", "kid": self.kid, "typ": "at+jwt"}

    def sign(self, text):
        return self.private.sign(text.encode())


class Secret:
    """SECRET_KEY, or what a forger takes for it."""

    def __init__(self, secret, hashed="sha512"):
        self.secret = secret if isinstance(secret, bytes) else secret.encode()
        self.hashed = hashed
        self.header = {"alg": "HS512", "kid": "SECRET_KEY", "typ": "at+jwt"}

    def sign(self, text):
        return hmac.new(self.secret, text.encode(), self.hashed).digest()


def token(key, payload, header=None, signature=None):
    """header and payload: a dict, or their very text. signature: another one than the key's."""
    text = f"{b64(compact(key.header if header is None else header))}.{b64(compact(payload))}"
    return f"{text}.{b64(key.sign(text) if signature is None else signature)}"


def server_key(server):
    """The newest that signs."""
    path = max((server.data / "keys").glob("*.ed25519"))
    key = Key(unb64(path.read_text().strip()))
    assert path.name.endswith(f"-{key.kid}.ed25519")
    return key


def claims(**fields):
    """What every token says; ... leaves a claim out."""
    now = int(time.time())
    said = {"iss": ISSUER, "aud": "marca", "client_id": "marca", "sub": "operator", "iat": now, "nbf": now,
            "exp": now + 600, "jti": str(uuid.uuid4()), **fields}
    return {name: value for name, value in said.items() if value is not ...}


def operator(**fields):
    return claims(**{"role": "operator", **fields})


def person(user, session, **fields):
    return claims(**{"sub": user["id"], "tid": user["tenant_id"], "sid": session, **fields})


class Target:
    """A server, its keys, and somebody who is logged in there."""

    def __init__(self, server, secret):
        self.server = server
        self.key = server_key(server)
        self.mine = Key()  # the forger's own
        self.secret = Secret(secret or SECRET_KEY)
        self.has_secret = secret is not None
        operator = server.operator()
        self.tenants = [harness.make_tenant(operator) for _ in range(2)]
        self.users = [harness.make_user(operator, tenant, password=harness.PASSWORD)
                      for tenant in (self.tenants[0], self.tenants[0], self.tenants[1])]
        self.tokens = [harness.log_in(server.api(), {"id": user["tenant_id"]}, user["email"]) for user in self.users]
        self.access = self.tokens[0]["access_token"]
        self.session = json.loads(unb64(self.access.split(".")[1]))["sid"]

    def operator(self, **fields):
        return operator(**fields)

    def person(self, **fields):
        return person(self.users[0], self.session, **fields)

    def signed(self, payload=None, header=None):
        return token(self.key, self.operator() if payload is None else payload, header)

    def header(self, **fields):
        """As the server writes it, but for these."""
        said = {**self.key.header, **fields}
        return {name: value for name, value in said.items() if value is not ...}

    def ask(self, headers, path="/tenants/"):
        """One request with exactly these headers. Its status and reply, held to the API's document."""
        connection = self.server.api().connection
        connection.putrequest("GET", path)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        reply = harness.Reply(response.status, response.headers, response.read())
        contract.check("GET", path, reply.status, reply.headers, reply.body)
        return reply

    def bears(self, text, path="/tenants/"):
        value = text if isinstance(text, bytes) else text.encode()
        return self.ask([("Authorization", b"Bearer " + value)], path)


def assert_refused(reply):
    assert reply.status == 401, reply
    assert reply.headers["WWW-Authenticate"].startswith('Bearer realm="marca"')
    assert reply.headers["Content-Type"].startswith("application/problem+json")
    assert reply.json["error"] == "unauthorized" and reply.json["success"] is False
