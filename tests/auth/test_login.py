"""POST /auth/login and /users/login: what opens a session, and what all refusals have in common."""
import statistics
import time
import urllib.parse

import pytest

import checks
import harness

REFUSED = "E-mail ou senha inválidos."
NAME_IT = "Informe o tenant_id ou o domain: este e-mail existe em mais de um."
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PATHS = ["/auth/login", "/users/login"]


@pytest.fixture
def user(operator, tenant):
    return harness.make_user(operator, tenant, password=harness.PASSWORD)


def form(api, fields, path="/auth/login", **headers):
    return api.post(path, urllib.parse.urlencode(fields), {**FORM, **headers})


def same(reply):
    """What must not differ between two refusals."""
    body = {name: value for name, value in reply.json.items() if name != "trace_id"}
    headers = {name: value for name, value in reply.headers.items() if name not in ("Date", "X-Request-ID", "traceparent")}
    return reply.status, body, headers


def sent(tenant, user, **fields):
    body = {"tenant_id": tenant["id"], "email": user["email"], "password": harness.PASSWORD, **fields}
    return {name: value for name, value in body.items() if value is not ...}


# --- What opens a session ---------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
def test_json(anyone, tenant, user, path):
    reply = anyone.post(path, sent(tenant, user))
    assert reply.status == 200
    assert reply.headers["Cache-Control"] == "no-store"
    assert list(reply.json) == ["access_token", "token_type", "expires_in", "refresh_token", "user"]
    assert reply.json["token_type"] == "bearer" and reply.json["expires_in"] == 600
    assert reply.json["refresh_token"].startswith("mr_")
    assert reply.json["user"] == user
    assert anyone.bearing(reply.json["access_token"]).get("/users/me").json == user


@pytest.mark.parametrize("path", PATHS)
def test_the_password_form_of_oauth2(anyone, tenant, user, path):
    fields = {"grant_type": "password", "username": user["email"], "password": harness.PASSWORD,
              "scope": "a b", "client_id": "x", "client_secret": "y", "tenant_id": tenant["id"]}
    reply = form(anyone, fields, path)
    assert reply.status == 200 and reply.json["user"] == user
    assert form(anyone, {**fields, "tenant_id": "", "domain": tenant["domain"]}, path).status == 200


def test_by_domain(anyone, tenant, user):
    reply = anyone.post("/auth/login", sent(tenant, user, tenant_id=..., domain=tenant["domain"].upper()))
    assert reply.status == 200 and reply.json["user"] == user


def test_in_any_case_and_without_a_tenant(anyone, tenant, user):
    reply = anyone.post("/auth/login", sent(tenant, user, tenant_id=..., email=user["email"].upper()))
    assert reply.status == 200 and reply.json["user"] == user


def test_an_address_of_two_tenants(operator, anyone, tenant, user):
    """The password says which; where it cannot, who knows it is asked."""
    other = harness.make_tenant(operator)
    namesake = harness.make_user(operator, other, email=user["email"], password="another long secret")
    wanted = sent(tenant, user, tenant_id=...)
    assert anyone.post("/auth/login", wanted).json["user"] == user
    assert anyone.post("/auth/login", {**wanted, "password": "another long secret"}).json["user"] == namesake
    checks.told(anyone.post("/auth/login", {**wanted, "password": "neither of the two"}), 401, REFUSED)
    assert operator.put(f"/users/{namesake['id']}", {"password": harness.PASSWORD}).status == 200
    checks.told(anyone.post("/auth/login", wanted), 400, NAME_IT)
    assert anyone.post("/auth/login", sent(other, user)).json["user"]["id"] == namesake["id"]
    assert anyone.post("/auth/login", sent(tenant, user)).json["user"] == user
    # An account that cannot be logged in to is no reason to ask.
    assert operator.put(f"/users/{namesake['id']}", {"is_active": False}).status == 200
    assert anyone.post("/auth/login", wanted).json["user"] == user


def test_more_tenants_than_are_tried(operator, anyone, tenant, user):
    """Nobody loses his login because others register his address: the oldest accounts are tried."""
    for _ in range(4):
        harness.make_user(operator, harness.make_tenant(operator), email=user["email"], password="another long secret")
    assert anyone.post("/auth/login", sent(tenant, user, tenant_id=...)).json["user"] == user


def test_a_role_and_rights_are_those_of_now(operator, anyone, tenant, user):
    """Nothing of them is in the token: it stays, and what it may do changes."""
    api = harness.login(anyone, tenant, user["email"])
    for permissions, user_type, status in [
        ({"can_manage_users": True}, "user", 200), ({"can_manage_users": False}, "user", 403), ({}, "admin", 200), ({}, "user", 403),
    ]:
        change = {"permissions": permissions, "user_type": user_type}
        assert operator.put(f"/users/{user['id']}", change).status == 200
        assert api.get("/users/", tenant_id=tenant["id"]).status == status, change


# --- Refusals ------------------------------------------------------------------------


def test_all_refusals_are_one(operator, anyone, tenant, user):
    idle = harness.make_user(operator, tenant, password=harness.PASSWORD, is_active=False)
    bare = harness.make_user(operator, tenant)
    gone = harness.make_user(operator, tenant, password=harness.PASSWORD)
    assert operator.delete(f"/users/{gone['id']}").status == 204
    closed = harness.make_tenant(operator, is_active=False)
    shut_out = harness.make_user(operator, closed, password=harness.PASSWORD)
    left = harness.make_tenant(operator)
    left_behind = harness.make_user(operator, left, password=harness.PASSWORD)
    assert operator.delete(f"/tenants/{left['id']}").status == 204

    wrong = anyone.post("/auth/login", sent(tenant, user, password="not the password"))
    checks.told(wrong, 401, REFUSED)
    assert wrong.headers["WWW-Authenticate"].startswith("Bearer")
    for body in [
        sent(tenant, user, email="nobody@example.com"),
        sent(tenant, user, email="no address at all"),
        sent(tenant, user, tenant_id=..., email="nobody@example.com"),
        sent(tenant, user, tenant_id=..., password="not the password"),
        sent(tenant, user, tenant_id=checks.some_id()),
        sent(tenant, user, tenant_id=..., domain="nowhere.example.com"),
        sent(tenant, user, tenant_id=closed["id"]),
        sent(tenant, idle), sent(tenant, bare), sent(tenant, gone),
        sent(tenant, idle, tenant_id=...), sent(tenant, gone, tenant_id=...),
        sent(closed, shut_out), sent(closed, shut_out, tenant_id=...), sent(left, left_behind),
    ]:
        assert same(anyone.post("/auth/login", body)) == same(wrong), body


def test_what_a_login_needs(anyone):
    assert checks.issues(anyone.post("/auth/login", {})) == {"body.email": "missing", "body.password": "missing"}
    assert checks.issues(anyone.post("/auth/login", {"email": "", "password": "x" * 129, "tenant_id": "x"})) == {
        "body.email": "string_too_short", "body.password": "string_too_long", "body.tenant_id": "uuid_parsing"}
    assert checks.issues(form(anyone, {"grant_type": "client_credentials"})) == {
        "body.grant_type": "enum", "body.email": "missing", "body.password": "missing"}


def test_a_name_that_comes_twice_in_a_form(anyone):
    reply = anyone.post("/auth/login", "username=a&password=b&password=c", FORM)
    assert checks.issues(reply) == {"body.password": "value_error"}


def test_media_types(anyone, operator, tenant, user):
    body = urllib.parse.urlencode({"username": user["email"], "password": harness.PASSWORD, "tenant_id": tenant["id"]})
    assert anyone.post("/auth/login", body, {"Content-Type": "APPLICATION/x-www-form-urlencoded ; charset=utf-8"}).status == 200
    assert anyone.post("/auth/login", body, {"Content-Type": "multipart/form-data"}).status == 415
    assert anyone.post("/auth/login", body, {"Content-Type": "text/plain"}).status == 415
    # A route that takes no form takes none.
    assert operator.post("/users/", body, FORM).status == 415
    assert anyone.post("/auth/refresh", "refresh_token=x", FORM).status == 415


# --- Fixation ---------------------------------------------------------------------------


def test_a_login_never_goes_on_with_what_was_there(anyone, operator, tenant, user):
    """Neither a token that is sent along, nor any id that is, becomes part of the session."""
    first = harness.log_in(anyone, tenant, user["email"])
    carrying = anyone.bearing(first["access_token"])
    planted = {"session_id": checks.some_id(), "id": checks.some_id(), "refresh_token": first["refresh_token"],
               "access_token": first["access_token"]}
    second = carrying.post("/auth/login", sent(tenant, user, **planted)).json
    assert second["access_token"] != first["access_token"] and second["refresh_token"] != first["refresh_token"]
    sessions = carrying.get("/auth/sessions").json
    assert len(sessions) == 2 and planted["id"] not in [session["id"] for session in sessions]
    assert planted["session_id"] not in [session["id"] for session in sessions]
    # The first one is as it was; each ends alone.
    assert carrying.post("/auth/logout").status == 204
    assert carrying.get("/users/me").status == 401
    assert anyone.bearing(second["access_token"]).get("/users/me").status == 200


@pytest.mark.parametrize("header", ["Bearer x", "Bearer ", "Basic eDp5", "Bearer mk_x"])
def test_a_token_that_is_no_good_does_not_hinder_a_login(anyone, tenant, user, header):
    assert anyone.post("/auth/login", sent(tenant, user), {"Authorization": header}).status == 200
    assert anyone.get("/users/me", {"Authorization": header}).status == 401


# --- Time ----------------------------------------------------------------------------------


def test_unknown_users_take_as_long(anyone, tenant, user, store):
    """Medians, asked in turns. A lookup that skips the hash would be some 20 ms faster, of some 25."""
    if store != "sqlite":
        pytest.skip("the hash is what takes time, whatever the store")
    asked = {
        "wrong password": sent(tenant, user, password="not the password"),
        "nobody": sent(tenant, user, email="nobody@example.com"),
        "no such tenant": sent(tenant, user, tenant_id=checks.some_id()),
    }
    taken = {name: [] for name in asked}
    for _ in range(15):
        for name, body in asked.items():
            start = time.perf_counter()
            assert anyone.post("/auth/login", body).status == 401
            taken[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    assert max(medians.values()) < 1.6 * min(medians.values()), medians
