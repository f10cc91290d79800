"""Logging in by a tenant's own provider: oidc-provider, which is certified. What a provider may do wrong: test_oidc_hostile.py."""
import urllib.parse
import uuid

import pytest

import checks
import harness
import oidc
from harness import make_person, make_tenant, make_user

UNKNOWN = "Provedor de identidade não encontrado"
REFUSED = "O provedor de identidade não confirmou o acesso."
DOWN = "Provedor de identidade indisponível; tente novamente."


@pytest.fixture(scope="module")
def marca(store):
    with harness.Marca(store, clock=None, env=oidc.ENV) as server:
        yield server


@pytest.fixture(scope="module")
def node():
    with oidc.Provider() as node:
        yield node


@pytest.fixture
def tenant(api):
    return make_tenant(api)


@pytest.fixture
def someone(node):
    """Someone whom nobody here knows, about to log in."""
    sub = f"s{uuid.uuid4().hex}"
    node.account(sub, name="Ana Souza")
    return sub


def refused(reply):
    checks.told(reply, 401, REFUSED)
    assert reply.json["error"] == "login_failed"


def logged_in(api, reply):
    """The user, and a connection with his token."""
    assert reply.status == 200, reply
    assert reply.headers["Cache-Control"] == "no-store" and reply.json["token_type"] == "bearer"
    person = api.bearing(reply.json["access_token"])
    assert person.get("/users/me").json["id"] == reply.json["user"]["id"]
    return reply.json["user"], person


# --- Logging in --------------------------------------------------------------------------


@pytest.mark.parametrize("client_id", ["basic", "post", "public", "es256", "eddsa"])
def test_first_login(api, tenant, node, someone, client_id):
    provider = oidc.make_provider(api, tenant, node, client_id, permissions={"can_book": True})
    user, person = logged_in(api, oidc.Login(api, provider).done())
    assert (user["tenant_id"], user["email"], user["name"]) == (tenant["id"], f"{someone}@example.com", "Ana Souza")
    assert user["user_type"] == "user" and user["permissions"] == {
        "can_book": True, "can_manage_resources": False, "can_manage_users": False, "can_view_all_bookings": False}
    assert [row["method"] for row in person.get("/auth/sessions").json] == ["provider"]


def test_what_the_provider_is_asked(api, tenant, node):
    login = oidc.Login(api, oidc.make_provider(api, tenant, node, scopes="openid email"))
    asked = login.asked
    assert login.location.startswith(f"{node.url}/auth?")
    assert (asked["response_type"], asked["client_id"], asked["scope"]) == ("code", "basic", "openid email")
    assert asked["redirect_uri"] == oidc.PUBLIC_URL + login.callback and asked["code_challenge_method"] == "S256"
    other = oidc.Login(api, oidc.make_provider(api, tenant, node)).asked
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name]) == 43 and asked[name] != other[name]
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3


def test_the_cookie(api, tenant, node):
    login = oidc.Login(api, oidc.make_provider(api, tenant, node))
    parts = login.reply.headers["Set-Cookie"].split("; ")
    assert parts[0].startswith("__Host-marca_oidc=")
    assert set(parts[1:]) == {"Path=/", "Max-Age=600", "Secure", "HttpOnly", "SameSite=Lax"}
    assert login.reply.headers["Cache-Control"] == "no-store"
    for name in ("state", "nonce"):
        assert login.asked[name] not in login.cookie


def test_the_same_person_again(api, tenant, node, someone):
    provider = oidc.make_provider(api, tenant, node)
    user, _ = logged_in(api, oidc.Login(api, provider).done())
    # By the subject: whatever the address is now, and whether it is verified.
    node.account(someone, email=f"new-{someone}@example.com", email_verified=False)
    again, _ = logged_in(api, oidc.Login(api, provider).done())
    assert again["id"] == user["id"] and again["email"] == user["email"]


def test_another_provider_row_of_the_same_issuer(api, tenant, node, someone):
    provider = oidc.make_provider(api, tenant, node)
    user, _ = logged_in(api, oidc.Login(api, provider).done())
    assert api.delete(f"/auth/providers/{provider['id']}").status == 204
    anew = oidc.make_provider(api, tenant, node, "post", auto_create=False)
    assert logged_in(api, oidc.Login(api, anew).done())[0]["id"] == user["id"]


def test_known_by_the_address(api, tenant, node, someone):
    known = make_user(api, tenant, email=f"{someone}@EXAMPLE.com", user_type="admin")
    provider = oidc.make_provider(api, tenant, node, auto_create=False)
    user, person = logged_in(api, oidc.Login(api, provider).done())
    assert user["id"] == known["id"] and person.get("/auth/providers").status == 200


def test_email_by_userinfo(api, tenant):
    with oidc.Provider(claims_in_token=False) as node:
        node.account("ana", name="Ana")
        user, _ = logged_in(api, oidc.Login(api, oidc.make_provider(api, tenant, node)).done())
        assert (user["email"], user["name"]) == ("ana@example.com", "Ana")


def test_no_name(api, tenant, node):
    sub = f"s{uuid.uuid4().hex}"
    for name in (None, "", "x" * 201):
        node.account(sub, name=name)
        user, _ = logged_in(api, oidc.Login(api, oidc.make_provider(api, make_tenant(api), node)).done())
        assert user["name"] == sub


def test_a_deleted_user_comes_anew(api, tenant, node, someone):
    provider = oidc.make_provider(api, tenant, node)
    user, _ = logged_in(api, oidc.Login(api, provider).done())
    assert api.delete(f"/users/{user['id']}").status == 204
    anew, _ = logged_in(api, oidc.Login(api, provider).done())
    assert anew["id"] != user["id"]
    assert logged_in(api, oidc.Login(api, provider).done())[0]["id"] == anew["id"]


def test_two_tenants_and_one_person(api, tenant, node, someone):
    other = make_tenant(api)
    users = [logged_in(api, oidc.Login(api, oidc.make_provider(api, of, node)).done())[0] for of in (tenant, other)]
    assert [user["tenant_id"] for user in users] == [tenant["id"], other["id"]]
    assert users[0]["id"] != users[1]["id"]


def test_privacy(api, marca, tenant, node, someone):
    """Who he is to his provider is his to have, and goes with him."""
    user, person = logged_in(api, oidc.Login(api, oidc.make_provider(api, tenant, node)).done())
    identities = person.get(f"/users/{user['id']}/export").json["identities"]
    assert [(one["issuer"], one["subject"]) for one in identities] == [(node.url, someone)]
    assert someone in checks.texts(marca, "user", "SELECT subject FROM identity_links")
    assert person.post(f"/users/{user['id']}/erase").status == 204
    assert someone not in checks.texts(marca, "user", "SELECT subject FROM identity_links")


# --- Who does not get in ---------------------------------------------------------------------


@pytest.mark.parametrize("account", [
    {"email_verified": False}, {"email_verified": None}, {"email_verified": "false"}, {"email": None}, {"email": "no address"},
])
def test_no_verified_address(api, tenant, node, someone, account):
    known = make_user(api, tenant, email=f"{someone}@example.com")
    node.account(someone, **account)
    refused(oidc.Login(api, oidc.make_provider(api, tenant, node)).done())
    assert [user["id"] for user in api.get("/users/", tenant_id=tenant["id"]).json] == [known["id"]]


def test_no_accounts_are_made(api, tenant, node, someone):
    refused(oidc.Login(api, oidc.make_provider(api, tenant, node, auto_create=False)).done())
    assert api.get("/users/", tenant_id=tenant["id"]).json == []


def test_not_active(api, tenant, node, someone):
    user = make_user(api, tenant, email=f"{someone}@example.com", is_active=False)
    provider = oidc.make_provider(api, tenant, node)
    refused(oidc.Login(api, provider).done())
    assert api.put(f"/users/{user['id']}", {"is_active": True}).status == 200
    _, person = logged_in(api, oidc.Login(api, provider).done())
    assert api.put(f"/users/{user['id']}", {"is_active": False}).status == 200
    refused(oidc.Login(api, provider).done())
    assert person.get("/users/me").status == 401


def test_an_address_that_was_given_to_another(api, tenant, node, someone):
    """Who is linked keeps his account, also from whoever has his old address today."""
    provider = oidc.make_provider(api, tenant, node)
    user, _ = logged_in(api, oidc.Login(api, provider).done())
    node.account(f"s{uuid.uuid4().hex}", email=user["email"])
    refused(oidc.Login(api, provider).done())


def test_another_tenants_provider(api, tenant, node, someone):
    """It makes accounts in its own tenant, and never finds those of another."""
    victim = make_user(api, tenant, email=f"{someone}@example.com", user_type="admin")
    attacker = make_tenant(api)
    user, person = logged_in(api, oidc.Login(api, oidc.make_provider(api, attacker, node)).done())
    assert user["tenant_id"] == attacker["id"] and user["id"] != victim["id"]
    assert person.get(f"/users/{victim['id']}").status in (403, 404)


def test_a_deactivated_or_deleted_tenant(api, tenant, node, someone):
    provider = oidc.make_provider(api, tenant, node)
    login = oidc.Login(api, provider)
    path = login.at_provider()
    assert api.put(f"/tenants/{tenant['id']}", {"is_active": False}).status == 200
    refused(login.back(path))
    checks.is_absent(api.get(f"/auth/oidc/{provider['id']}/login"), UNKNOWN)
    assert api.delete(f"/tenants/{tenant['id']}").status == 204
    checks.is_absent(api.get(f"/auth/oidc/{provider['id']}/login"), UNKNOWN)


def test_a_deleted_provider(api, tenant, node, someone):
    provider = oidc.make_provider(api, tenant, node)
    login = oidc.Login(api, provider)
    path = login.at_provider()
    assert api.delete(f"/auth/providers/{provider['id']}").status == 204
    refused(login.back(path))
    checks.is_absent(api.get(f"/auth/oidc/{provider['id']}/login"), UNKNOWN)
    checks.is_absent(api.get(f"/auth/oidc/{uuid.uuid4()}/login"), UNKNOWN)


def test_a_wrong_secret(api, tenant, node, someone):
    refused(oidc.Login(api, oidc.make_provider(api, tenant, node, client_secret="wrong")).done())


# --- The way back ---------------------------------------------------------------------------------


def test_state(api, tenant, node, someone):
    login = oidc.Login(api, oidc.make_provider(api, tenant, node))
    path = login.at_provider()
    for state in (None, "", "x", login.asked["state"][:-1], login.asked["state"] + "A", login.asked["nonce"]):
        refused(login.back(oidc.changed(path, state=state)))
    logged_in(api, login.back(path))


def test_cookies(api, tenant, node, someone):
    """Another browser's login, or none: cross-site request forgery of a login."""
    provider = oidc.make_provider(api, tenant, node)
    login, other = oidc.Login(api, provider), oidc.Login(api, provider)
    path = login.at_provider()
    name, value = login.cookie.split("=", 1)
    for cookie in (None, other.cookie, f"{name}=", f"{name}", f"{name}=x", f"{name}={value[:-1]}", f"{name}={value}A",
                   f"x{name}={value}", f"{name}={value[:60]}{'A' if value[60] != 'A' else 'B'}{value[61:]}"):
        refused(login.back(path, cookie))
    logged_in(api, login.back(path, f"a=b; {login.cookie}; c=d"))


def test_a_code_comes_twice(api, tenant, node, someone):
    login = oidc.Login(api, oidc.make_provider(api, tenant, node))
    path = login.at_provider()
    reply = login.back(path)
    logged_in(api, reply)
    assert "Max-Age=0" in reply.headers["Set-Cookie"]
    refused(login.back(path))


def test_another_logins_code(api, tenant, node, someone):
    """PKCE: a code that was stolen is of no use in another browser's login."""
    provider = oidc.make_provider(api, tenant, node, "public")
    victim, attacker = oidc.Login(api, provider), oidc.Login(api, provider)
    code = dict(urllib.parse.parse_qsl(victim.at_provider().partition("?")[2]))["code"]
    path = oidc.changed(attacker.at_provider(), code=code)
    refused(attacker.back(path))


def test_a_provider_that_sends_on_to_another(api, tenant, node, someone):
    """RFC 9700, 4.4: by a provider of his own tenant somebody wants the code that another tenant's gives to whoever clicked."""
    with oidc.Hostile() as thief:
        bait = oidc.Login(api, oidc.make_provider(api, make_tenant(api), thief, "marca"))
        aim = oidc.Login(api, oidc.make_provider(api, tenant, node, "public"))
        there = aim.at_provider()  # whoever clicked is logged in there; and where it tells not its name:
        path = oidc.changed(there, state=bait.asked["state"], iss=None)
        refused(bait.back(path))
        assert thief.asked["token"] == 0, "the code was told to the wrong one"
        refused(bait.back(path.replace(aim.callback, bait.callback).replace(bait.callback, aim.callback)))
        logged_in(api, aim.back(there))


def test_who_signed_up_by_anothers_address(api, node, someone):
    """Account pre-hijacking: he waits, with a password and a session, until the person whose address it is logs in."""
    tenant = make_tenant(api, settings={"self_signup": True})
    provider = oidc.make_provider(api, tenant, node)
    email = f"{someone}@example.com"
    signed_up = {"tenant_id": tenant["id"], "name": "Outra Pessoa", "email": email, "password": harness.PASSWORD}
    assert api.post("/auth/signup", signed_up).status == 201
    waiting = harness.log_in(api, tenant, email)
    thief = api.bearing(waiting["access_token"])
    assert thief.get("/users/me").status == 200
    user, person = logged_in(api, oidc.Login(api, provider).done())
    assert user["email"] == email
    assert thief.get("/users/me").status == 401
    assert api.post("/auth/refresh", {"refresh_token": waiting["refresh_token"]}).status == 401
    assert api.post("/auth/login", {"tenant_id": tenant["id"], "email": email, "password": harness.PASSWORD}).status == 401
    logged_in(api, oidc.Login(api, provider).done())
    assert person.get("/users/me").status == 200, "and only the first time"


def test_whom_staff_gave_a_password_keeps_it(api, tenant, node, someone):
    user, person = make_person(api, tenant, email=f"{someone}@example.com")
    logged_in(api, oidc.Login(api, oidc.make_provider(api, tenant, node)).done())
    assert person.get("/users/me").status == 200
    harness.log_in(api, tenant, user["email"])


def test_an_error_of_the_provider(api, tenant, node):
    login = oidc.Login(api, oidc.make_provider(api, tenant, node))
    state = login.asked["state"]
    refused(login.back(f"{login.callback}?error=access_denied&state={state}"))
    refused(login.back(f"{login.callback}?state={state}"))
    refused(login.back(login.callback))


def test_mixed_up_issuers(api, tenant, node, someone):
    """RFC 9207: this provider says that it tells who it is, so it must."""
    login = oidc.Login(api, oidc.make_provider(api, tenant, node))
    path = login.at_provider()
    for issuer in (None, "https://evil.example.com", node.url + "/"):
        refused(login.back(oidc.changed(path, iss=issuer)))
    logged_in(api, login.back(path))


def test_a_token_that_is_sent_is_not_looked_at(api, tenant, node, someone):
    api = api.bearing("expired")
    assert oidc.Login(api, oidc.make_provider(harness.Api(api.address), tenant, node)).done().status == 200


# --- To a page ---------------------------------------------------------------------------------------


def to_page(api, tenant, node, challenge, **fields):
    provider = oidc.make_provider(api, tenant, node, **fields)
    return oidc.Login(api, provider, redirect=f"https://{tenant['domain']}/login?x=1", code_challenge=challenge)


def code_of(tenant, reply):
    assert reply.status == 302 and reply.headers["Cache-Control"] == "no-store", reply
    url = reply.headers["Location"]
    assert url.startswith(f"https://{tenant['domain']}/login?x=1&code=mo_")
    assert "token" not in url and reply.body == b""
    return url.partition("code=")[2]


def test_a_page_exchanges_its_code(api, tenant, node, someone):
    verifier, challenge = oidc.proof()
    code = code_of(tenant, to_page(api, tenant, node, challenge).done())
    body = {"code": code, "code_verifier": verifier}
    user, _ = logged_in(api, api.post("/auth/oidc/token", body))
    assert user["email"] == f"{someone}@example.com"
    refused(api.post("/auth/oidc/token", body))


def test_a_code_is_of_no_use_without_its_secret(api, tenant, node, someone):
    verifier, challenge = oidc.proof()
    code = code_of(tenant, to_page(api, tenant, node, challenge).done())
    refused(api.post("/auth/oidc/token", {"code": code, "code_verifier": oidc.proof()[0]}))
    # Who guesses has spent it.
    refused(api.post("/auth/oidc/token", {"code": code, "code_verifier": verifier}))


def test_codes_that_are_none(api, tenant, node, someone):
    verifier, challenge = oidc.proof()
    code = code_of(tenant, to_page(api, tenant, node, challenge).done())
    for wrong in (code[:-1], code + "A", "mk_" + code[3:], "mo_", code[:50] + ("A" if code[50] != "A" else "B") + code[51:]):
        refused(api.post("/auth/oidc/token", {"code": wrong, "code_verifier": verifier}))
    logged_in(api, api.post("/auth/oidc/token", {"code": code, "code_verifier": verifier}))


def test_deactivated_before_the_exchange(api, tenant, node, someone):
    verifier, challenge = oidc.proof()
    user = make_user(api, tenant, email=f"{someone}@example.com")
    code = code_of(tenant, to_page(api, tenant, node, challenge).done())
    assert api.put(f"/users/{user['id']}", {"is_active": False}).status == 200
    refused(api.post("/auth/oidc/token", {"code": code, "code_verifier": verifier}))


def test_two_exchange_one_code(api, marca, tenant, node, someone):
    verifier, challenge = oidc.proof()
    code = code_of(tenant, to_page(api, tenant, node, challenge).done())
    replies = checks.race(marca, 8, lambda one, _: one.post("/auth/oidc/token", {"code": code, "code_verifier": verifier}))
    assert sorted(reply.status for reply in replies) == [200] + [401] * 7


def test_two_first_logins_at_once(api, marca, tenant, node, someone):
    provider = oidc.make_provider(api, tenant, node)
    logins = [oidc.Login(api, provider) for _ in range(4)]
    paths = [login.at_provider() for login in logins]
    replies = checks.race(marca, 4, lambda one, i: one.get(paths[i], headers={"Cookie": logins[i].cookie}))
    assert [reply.status for reply in replies] == [200] * 4
    assert len({reply.json["user"]["id"] for reply in replies}) == 1


def test_failures_go_to_the_page(api, tenant, node, someone):
    _, challenge = oidc.proof()
    reply = to_page(api, tenant, node, challenge, auto_create=False).done()
    assert reply.status == 302
    assert reply.headers["Location"] == f"https://{tenant['domain']}/login?x=1&error=login_failed"
    # But not those of another browser's login: nobody has asked for that.
    login = to_page(api, tenant, node, challenge)
    refused(login.back(login.at_provider(), None))


def test_a_page_proves_itself(api, tenant, node):
    provider = oidc.make_provider(api, tenant, node)
    page = f"https://{tenant['domain']}/"
    for challenge in ({}, {"code_challenge": ""}):
        reply = api.get(f"/auth/oidc/{provider['id']}/login", redirect=page, **challenge)
        assert checks.issues(reply) == {"query.code_challenge": "missing"}
    for challenge in ("x", oidc.proof()[1] + "=", oidc.proof()[1][:-1], "~" * 43):
        reply = api.get(f"/auth/oidc/{provider['id']}/login", redirect=page, code_challenge=challenge)
        assert checks.issues(reply) == {"query.code_challenge": "value_error"}


def test_no_open_redirects(api, tenant, node):
    provider, other = oidc.make_provider(api, tenant, node), make_tenant(api)
    domain = tenant["domain"]
    wrong = [
        "https://evil.example.com/", f"https://{other['domain']}/", f"http://{domain}/", f"https://{domain}.evil.example.com/",
        f"https://evil.example.com/{domain}", f"https://evil-{domain}/", f"https://{domain}@evil.example.com/",
        f"https://evil.example.com@{domain}/", f"https://{domain}:8443/", f"https://{domain}:443/", f"https://x.{domain}/",
        f"https://evil.example.com\\@{domain}/", f"https://{domain}\\@evil.example.com/", f"https://{domain}%2eevil.example.com/",
        f"https://{domain}/#x", f"https://{domain}/ x", f"https://{domain}/\r\nX: y", f"https://{domain}/\t", f"https://{domain}/é",
        f"//{domain}/", f"/{domain}", "/", "login", f"https:{domain}/", f"https:/{domain}/", f"https:///{domain}/", f"ftp://{domain}/",
        f"HTTPS://{domain}/", f"https://{domain.upper()}/", "javascript:alert(1)", "data:text/html,x", f"https://{domain}./",
        f"https://{domain}/" + "x" * 500, f" https://{domain}/", "https://127.0.0.1.evil.example.com/", "https://[::1]/", "https://",
    ]
    for redirect in wrong:
        reply = api.get(f"/auth/oidc/{provider['id']}/login", redirect=redirect, code_challenge=oidc.proof()[1])
        assert list(checks.issues(reply)) == ["query.redirect"], redirect
        assert reply.headers["Location"] is None
    # This marca is in development, where nobody has said who may call: pages of this machine may.
    for redirect in (f"https://{domain}", f"https://{domain}/", f"https://{domain}/a?b=c", "http://localhost:3000/x", "http://127.0.0.1:5173"):
        oidc.Login(api, provider, redirect=redirect, code_challenge=oidc.proof()[1])


def test_pages_of_allowed_origins(node):
    with harness.Marca(clock=None, env={**oidc.ENV, "CORS_ORIGINS": "https://app.example.com,https://b.example.com:8443"}) as marca:
        api = marca.api()
        provider = oidc.make_provider(api, make_tenant(api), node)
        for redirect, status in [("https://app.example.com/x", 302), ("https://b.example.com:8443", 302), ("https://b.example.com/", 422),
                                 ("https://app.example.com:8443/", 422), ("http://app.example.com/", 422), ("http://localhost:3000/", 422)]:
            reply = api.get(f"/auth/oidc/{provider['id']}/login", redirect=redirect, code_challenge=oidc.proof()[1])
            assert reply.status == status, redirect


# --- The provider's own changes ---------------------------------------------------------------------


def test_new_keys(api, tenant):
    """The provider comes back with others, and nobody here need do anything."""
    with oidc.Provider() as node:
        provider = oidc.make_provider(api, tenant, node)
        node.account("ana")
        user, _ = logged_in(api, oidc.Login(api, provider).done())
        node.stop()
        login = oidc.Login(api, provider)
        checks.told(login.back(f"{login.callback}?code=x&state={login.asked['state']}&iss={node.url}"), 503, DOWN)
        node.start()
        node.account("ana")
        assert logged_in(api, oidc.Login(api, provider).done())[0]["id"] == user["id"]


def test_down_from_the_start(api, tenant):
    with oidc.Provider() as node:
        provider = oidc.make_provider(api, tenant, node)
        node.stop()
        reply = api.get(f"/auth/oidc/{provider['id']}/login")
        checks.told(reply, 503, DOWN)
        assert reply.json["error"] == "provider_unavailable"
        node.start()
        oidc.Login(api, provider)


# --- The providers themselves --------------------------------------------------------------------------


@pytest.fixture
def admin(api, tenant):
    return make_person(api, tenant, user_type="admin")[1]


GOOD = {"name": "Contas", "issuer": "https://login.example.com", "client_id": "marca", "client_secret": "canary-of-a-secret"}


def test_the_secret_is_never_told(api, marca, admin, tenant):
    made = admin.post("/auth/providers", GOOD)
    provider = made.json
    assert made.status == 201 and made.headers["ETag"] == '"1"' and provider["has_client_secret"] is True
    assert provider["redirect_uri"] == f"{oidc.CALLBACKS}{provider['id']}/callback"
    assert provider["login_url"] == f"{oidc.PUBLIC_URL}/auth/oidc/{provider['id']}/login"
    path = f"/auth/providers/{provider['id']}"
    replies = [made, admin.get("/auth/providers"), admin.get(path), admin.put(path, {"name": "x"}), api.get(path)]
    for reply in replies:
        assert b"canary" not in reply.body and b'"client_secret"' not in reply.body
    kept = checks.texts(marca, "user", "SELECT client_secret FROM identity_providers WHERE client_secret IS NOT NULL")
    assert kept and not any("canary" in text for text in kept)
    assert "canary" not in marca.log()


def test_changes(admin):
    provider = admin.post("/auth/providers", GOOD).json
    path = f"/auth/providers/{provider['id']}"
    changed = admin.put(path, {"client_secret": None, "issuer": "https://evil.example.com", "permissions": {"can_book": True},
                               "auto_create": True, "scopes": "openid"}, headers={"If-Match": '"1"'})
    assert changed.status == 200 and changed.headers["ETag"] == '"2"'
    assert changed.json["issuer"] == GOOD["issuer"] and changed.json["has_client_secret"] is False
    assert changed.json["permissions"]["can_book"] is True and changed.json["scopes"] == "openid"
    assert admin.put(path, {"name": "y"}, headers={"If-Match": '"1"'}).status == 412
    assert admin.delete(path, headers={"If-Match": '"1"'}).status == 412
    assert admin.get(path).json == changed.json
    assert admin.delete(path).status == 204
    for reply in (admin.get(path), admin.put(path, {"name": "y"}), admin.delete(path)):
        checks.is_absent(reply, UNKNOWN)
    assert admin.get("/auth/providers").json == []


def test_pages(admin):
    made = [admin.post("/auth/providers", GOOD).json for _ in range(3)]
    assert checks.walk(admin, "/auth/providers", 2) == checks.by_id(made)


@pytest.mark.parametrize("change, wrong", [
    ({"issuer": "login.example.com"}, "body.issuer"), ({"issuer": "ftp://login.example.com"}, "body.issuer"),
    ({"issuer": "https://login.example.com/?x=1"}, "body.issuer"), ({"issuer": "https://login.example.com/#x"}, "body.issuer"),
    ({"issuer": "https://a:b@login.example.com"}, "body.issuer"), ({"scopes": "email"}, "body.scopes"),
    ({"scopes": "openid  email"}, "body.scopes"), ({"scopes": "openid "}, "body.scopes"), ({"scopes": " openid"}, "body.scopes"),
    ({"scopes": "openid\nemail"}, "body.scopes"), ({"client_id": ""}, "body.client_id"), ({"name": None}, "body.name"),
    ({"client_secret": ""}, "body.client_secret"),
])
def test_bad_bodies(admin, change, wrong):
    assert list(checks.issues(admin.post("/auth/providers", {**GOOD, **change}))) == [wrong]


def test_tenants_keep_apart(api, admin, tenant):
    provider = admin.post("/auth/providers", GOOD).json
    path = f"/auth/providers/{provider['id']}"
    stranger = make_person(api, make_tenant(api), user_type="admin")[1]
    for reply in (stranger.get(path), stranger.put(path, {"name": "x"}), stranger.delete(path)):
        checks.is_absent(reply, UNKNOWN)
    assert stranger.get("/auth/providers").json == []
    checks.is_absent(stranger.get("/auth/providers", tenant_id=tenant["id"]), "Tenant não encontrado")
    checks.is_absent(stranger.post("/auth/providers", {**GOOD, "tenant_id": tenant["id"]}), "Tenant não encontrado")
    assert admin.get(path).json == provider == api.get(path).json


def test_staff_alone(api, tenant, admin):
    person = make_person(api, tenant, permissions={"can_manage_users": True})[1]
    path = f"/auth/providers/{admin.post('/auth/providers', GOOD).json['id']}"
    for reply in (person.get("/auth/providers"), person.post("/auth/providers", GOOD), person.get(path),
                  person.put(path, {"name": "x"}), person.delete(path)):
        assert reply.status == 403


def test_the_operator_names_a_tenant(api):
    assert checks.issues(api.post("/auth/providers", GOOD)) == {"body.tenant_id": "missing"}
    assert checks.issues(api.get("/auth/providers")) == {"query.tenant_id": "missing"}
