"""What a provider may do wrong, or somebody in its place: hostile.mjs does as it is told, and nobody gets in."""

import pytest

import checks
import harness
import oidc
from test_oidc import DOWN, REFUSED


@pytest.fixture(scope="module")
def marca():
    with harness.Marca(clock=None, env=oidc.ENV) as server:
        yield server


@pytest.fixture(scope="module")
def node():
    with oidc.Hostile() as node:
        yield node


@pytest.fixture
def provider(api, node):
    """Anew for each test: nothing of it is kept yet."""
    node.does()
    return oidc.make_provider(api, harness.make_tenant(api), node, "marca")


def refused(reply):
    checks.told(reply, 401, REFUSED)


def down(reply):
    checks.told(reply, 503, DOWN)


def named(value):
    return value.__name__ if callable(value) else str(value)[:60]


def login(api, node, provider, **told):
    node.does(**told)
    return oidc.Login(api, provider).done()


def test_it_can_do_right(api, node, provider):
    """So that all below fails for the reason that it should."""
    assert login(api, node, provider).status == 200
    assert node.asked["last"]["headers"]["authorization"].startswith("Basic ")
    assert "client_secret" not in node.asked["last"]["form"]


# --- ID tokens -----------------------------------------------------------------------------


@pytest.mark.parametrize("told", [
    {"sign": "other"},
    {"sign": "none"},
    {"sign": "none", "header": {"alg": "none", "kid": None}},
    {"sign": "none", "header": {"alg": "none"}},
    {"sign": "hs256", "header": {"alg": "HS256"}},
    {"sign": "other", "header": {"kid": "another"}},
    {"sign": "other", "header": {"kid": None}},
    {"header": {"typ": "at+jwt"}},
    {"header": {"crit": ["x"]}},
    {"claims": {"iss": "https://evil.example.com"}},
    {"claims": {"iss": None}},
    {"claims": {"aud": "another"}},
    {"claims": {"aud": ["another"]}},
    {"claims": {"aud": ["marca", "another"]}},
    {"claims": {"aud": None}},
    {"claims": {"azp": "another"}},
    {"claims": {"exp": 1}},
    {"claims": {"exp": None}},
    {"claims": {"iat": 1}},
    {"claims": {"iat": 99999999999}},
    {"claims": {"nonce": None}},
    {"claims": {"nonce": "of another login"}},
    {"claims": {"sub": None}},
    {"claims": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}},
    {"claims": {"email_verified": False}},
    {"claims": {"email": "no address"}},
    {"claims": {"email": "a@b.cd\r\nBcc: x@y.zz"}},
], ids=str)
def test_id_tokens(api, node, provider, told):
    refused(login(api, node, provider, **told))
    assert api.get("/users/", tenant_id=provider["tenant_id"]).json == []


def test_a_nonce_of_the_login_before(api, node, provider):
    first, second = oidc.Login(api, provider), oidc.Login(api, provider)
    path = second.at_provider()
    first.at_provider()  # the provider now tells the nonce of this one
    refused(second.back(path))


# --- The token endpoint ------------------------------------------------------------------------


@pytest.mark.parametrize("told, answer", [
    ({"status": 400, "body": {"error": "invalid_grant"}}, refused),
    ({"status": 401, "body": {"error": "invalid_client"}}, refused),
    ({"status": 302}, refused),
    ({"status": 429}, down),
    ({"status": 500}, down),
    ({"status": 503, "body": "<html>"}, down),
    ({"body": "<html>"}, refused),
    ({"body": "[]"}, refused),
    ({"body": ""}, refused),
    ({"body": {}}, refused),
    ({"body": {"id_token": 1}}, refused),
    ({"body": {"id_token": "x.y.z"}}, refused),
    ({"body": {"id_token": "x" * 300000}}, down),
], ids=named)
def test_the_token_endpoint(api, node, provider, told, answer):
    answer(login(api, node, provider, **told))


def test_methods(api, node, provider):
    node.does(metadata={"token_endpoint_auth_methods_supported": ["client_secret_post"]})
    assert oidc.Login(api, provider).done().status == 200
    assert node.asked["last"]["form"]["client_secret"] == oidc.SECRET and "authorization" not in node.asked["last"]["headers"]


def test_no_method_of_ours(api, node, provider):
    refused(login(api, node, provider, metadata={"token_endpoint_auth_methods_supported": ["private_key_jwt"]}))


# --- Discovery ------------------------------------------------------------------------------------


@pytest.mark.parametrize("metadata", [
    {"issuer": "https://evil.example.com"}, {"issuer": None}, {"token_endpoint": None}, {"jwks_uri": None}, {"authorization_endpoint": None},
    {"token_endpoint": "file:///etc/passwd"}, {"jwks_uri": "http://a:b@127.0.0.1/"}, {"authorization_endpoint": "javascript:alert(1)"},
    {"authorization_endpoint": "data:text/html,x"}, {"authorization_endpoint": 1},
], ids=str)
def test_metadata(api, node, provider, metadata):
    node.does(metadata=metadata)
    down(api.get(f"/auth/oidc/{provider['id']}/login"))


def test_endpoints_elsewhere(api, node, provider):
    """Its document may name any host: each is held to what marca asks at all. Plain HTTP is for this machine."""
    for name in ("token_endpoint", "jwks_uri"):
        other = oidc.make_provider(api, {"id": provider["tenant_id"]}, node, "marca")
        down(login(api, node, other, metadata={name: "http://169.254.169.254/latest/meta-data/"}))


# --- Keys -------------------------------------------------------------------------------------------


def test_new_keys(api, node, provider):
    """Its keys are asked for again when a token names one that is not among them: at once, but once a minute."""
    assert login(api, node, provider).status == 200
    asked = node.asked["jwks"]
    assert login(api, node, provider).status == 200
    assert node.asked["jwks"] == asked
    assert login(api, node, provider, rotate=True).status == 200
    assert node.asked["jwks"] == asked + 1
    for _ in range(5):
        refused(login(api, node, provider, sign="other", header={"kid": "another"}))
    refused(login(api, node, provider, rotate=True))
    assert node.asked["jwks"] == asked + 1


def test_no_keys(api, node, provider):
    down(login(api, node, provider, jwks_status=500))
    assert login(api, node, provider).status == 200


# --- Userinfo ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("userinfo, answer", [
    ({"sub": "mallory", "email": "m@example.com", "email_verified": True}, None),
    ({"sub": "another", "email": "m@example.com", "email_verified": True}, refused),
    ({"email": "m@example.com", "email_verified": True}, refused),
    ({"sub": "mallory", "email": "m@example.com"}, refused),
    ("<html>", refused),
], ids=named)
def test_userinfo(api, node, provider, userinfo, answer):
    reply = login(api, node, provider, metadata={"userinfo_endpoint": f"{node.url}/userinfo"}, claims={"email": None}, userinfo=userinfo)
    if answer is None:
        assert reply.status == 200 and reply.json["user"]["email"] == "m@example.com"
    else:
        answer(reply)


# --- TLS ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return tuple(map(str, harness.certificate(tmp_path_factory.mktemp("tls"))))


@pytest.mark.parametrize("trusted", [True, False])
def test_its_certificate(certificate, trusted):
    """In the confined process, too: the file is one that it may read."""
    cert, key = certificate
    env = {**oidc.ENV, "OUTGOING_CA_FILE": cert} if trusted else oidc.ENV
    with oidc.Hostile(cert=cert, key=key) as node, harness.Marca(clock=None, env=env) as marca:
        api = marca.api()
        provider = oidc.make_provider(api, harness.make_tenant(api), node, "marca")
        reply = api.get(f"/auth/oidc/{provider['id']}/login")
        if trusted:
            assert reply.status == 302 and reply.headers["Location"].startswith(f"{node.url}/auth?")
        else:
            down(reply)


# --- Which addresses are asked -----------------------------------------------------------------------------

PRODUCTION = {**oidc.ENV, "ENVIRONMENT": "production", "CORS_ORIGINS": "https://app.example.com"}


@pytest.fixture(scope="module")
def production():
    with harness.Marca(clock=None, env=PRODUCTION) as server:
        operator = server.operator()
        yield server, operator, harness.make_tenant(operator)


@pytest.mark.parametrize("issuer", [
    "http://169.254.169.254", "http://login.example.com", "https://127.0.0.1", "https://127.1", "https://0x7f000001", "https://2130706433",
    "https://[::1]", "https://[::ffff:127.0.0.1]", "https://10.0.0.1", "https://192.168.1.1:8443", "https://169.254.169.254/latest",
    "https://[fd00:ec2::254]", "https://100.64.0.1", "https://0.0.0.0", "file:///etc/passwd", "gopher://127.0.0.1/",
])
def test_production_takes_no_such_issuer(production, issuer):
    _, operator, tenant = production
    reply = operator.post("/auth/providers", {"tenant_id": tenant["id"], "name": "x", "issuer": issuer, "client_id": "marca"})
    assert checks.issues(reply) == {"body.issuer": "value_error"}


@pytest.mark.parametrize("host", ["localhost", "a.localhost", "LOCALHOST"])
def test_production_asks_no_name_that_leads_inside(production, node, host):
    """What a name leads to is seen when it is asked. A server does listen there; it is not even connected to."""
    server, operator, tenant = production
    body = {"tenant_id": tenant["id"], "name": "x", "issuer": f"https://{host}:{node.options['port']}", "client_id": "marca"}
    provider = harness.create(operator, "/auth/providers", body)
    down(server.api().get(f"/auth/oidc/{provider['id']}/login"))
    assert '"why":"refused"' in server.log().replace(" ", "") or "why=refused" in server.log()
