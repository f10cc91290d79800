"""GET and DELETE /auth/sessions, POST /auth/logout, GET /users/me; and when a token is worth nothing any more."""
import json

import pytest

import checks
import harness

ENDED = "Sessão não encontrada"
NOBODY = "Usuário não encontrado"


@pytest.fixture
def person(operator, tenant):
    """(user, a connection with his token)"""
    return harness.make_person(operator, tenant)


def ids(api, **query):
    reply = api.get("/auth/sessions", **query)
    assert reply.status == 200, reply
    return [session["id"] for session in reply.json]


# --- Who asks ---------------------------------------------------------------------------


def test_me(anyone, operator, person):
    user, api = person
    reply = api.get("/users/me")
    assert reply.status == 200 and reply.json == user and reply.headers["ETag"] == '"1"'
    assert anyone.get("/users/me").status == 401
    checks.told(operator.get("/users/me"), 404, NOBODY)
    assert api.post("/users/me").status == 405 and api.get("/users/login").status == 405


def test_nothing_but_one_bearer_token(guarded, person):
    _, api = person
    header = api.headers["Authorization"]
    token = header.removeprefix("Bearer ")
    asker = guarded.api()
    for good in (header, f"bearer {token}", f"BEARER {token}"):
        assert asker.get("/users/me", {"Authorization": good}).status == 200, good
    for bad in (token, f"Token {token}", f"Bearer  {token}", f"Bearer {token}, Bearer {token}", f"Bearer {token} x", "Bearer",
                f"Bearer {token}x", f"Bearer {token[:-1]}", f"Bearer {token.upper()}"):
        reply = asker.get("/users/me", {"Authorization": bad})
        assert reply.status == 401 and reply.headers["WWW-Authenticate"].startswith("Bearer"), bad
    connection = asker.connection
    connection.putrequest("GET", "/users/me")
    connection.putheader("Authorization", header)
    connection.putheader("Authorization", header)
    connection.endheaders()
    response = connection.getresponse()
    response.read()
    assert response.status == (400 if guarded.store == "fleet" else 401), "two headers, even if they are the same; nginx refuses them itself"


# --- Lists ------------------------------------------------------------------------------------


def test_a_list_of_ones_own(anyone, tenant, person):
    user, api = person
    harness.log_in(anyone, tenant, user["email"])
    assert anyone.post(
        "/auth/login", {"tenant_id": tenant["id"], "email": user["email"], "password": harness.PASSWORD},
        {"User-Agent": "Fire\xe9fox " + "x" * 300}).status == 200
    sessions = api.get("/auth/sessions").json
    assert len(sessions) == 3
    assert [session["current"] for session in sessions] == [True, False, False]
    for session in sessions:
        assert session["user_id"] == user["id"] and session["method"] == "password" and session["address"] == "127.0.0.1"
        assert session["created_at"].startswith("2025-12-01T") and session["expires_at"].startswith("2025-12-31T")
    assert sessions[2]["user_agent"] == ("Fire?fox " + "x" * 300)[:200]
    assert [session["id"] for session in checks.walk(api, "/auth/sessions", 2)] == [session["id"] for session in sessions]


def test_whose_lists_are_shown_to_whom(operator, tenant, person):
    user, api = person
    _, plain = harness.make_person(operator, tenant)
    _, manager = harness.make_person(operator, tenant, permissions={"can_book": True, "can_manage_users": True})
    _, admin = harness.make_person(operator, tenant, user_type="admin")
    _, stranger = harness.make_person(operator, harness.make_tenant(operator), user_type="admin")
    (own,) = ids(api)
    assert ids(api, user_id=user["id"]) == [own]
    for allowed in (manager, admin, operator):
        assert ids(allowed, user_id=user["id"]) == [own]
    assert plain.get("/auth/sessions", user_id=user["id"]).status == 403
    boss, _ = harness.make_person(operator, tenant, user_type="admin")
    viewer, _ = harness.make_person(operator, tenant, permissions={"can_view_all_bookings": True})
    for above in (boss, viewer):
        assert manager.get("/auth/sessions", user_id=above["id"]).status == 403
        assert len(ids(admin, user_id=above["id"])) == 1
    for whose in (user["id"], checks.some_id()):
        checks.told(stranger.get("/auth/sessions", user_id=whose), 404, NOBODY)
    checks.told(operator.get("/auth/sessions"), 404, NOBODY)


# --- Ending -----------------------------------------------------------------------------------------


def test_logout(anyone, tenant, person):
    user, api = person
    other = harness.login(anyone, tenant, user["email"])
    assert api.post("/auth/logout").status == 204
    assert api.get("/users/me").status == 401 and api.post("/auth/logout").status == 401
    assert len(ids(other)) == 1
    assert other.post("/auth/logout", {"all": False}).status == 204
    assert other.get("/users/me").status == 401


def test_logout_everywhere(anyone, operator, tenant, person):
    user, api = person
    others = [harness.login(anyone, tenant, user["email"]) for _ in range(2)]
    _, bystander = harness.make_person(operator, tenant)
    assert others[0].post("/auth/logout", {"all": True}).status == 204
    for connection in (api, *others):
        assert connection.get("/users/me").status == 401
    assert bystander.get("/users/me").status == 200
    again = harness.login(anyone, tenant, user["email"])
    assert len(ids(again)) == 1


def test_logout_is_for_those_with_a_session(operator, anyone):
    checks.told(operator.post("/auth/logout"), 404, ENDED)
    assert anyone.post("/auth/logout").status == 401


def test_ending_one(guarded, anyone, operator, tenant, person):
    user, api = person
    other = harness.login(anyone, tenant, user["email"])
    first, second = ids(api)
    assert api.delete(f"/auth/sessions/{second}").status == 204
    assert other.get("/users/me").status == 401 and ids(api) == [first]
    checks.told(api.delete(f"/auth/sessions/{second}"), 404, ENDED)
    events = checks.events(guarded, "user", "session_id", second)
    assert events == [("session.revoked", "tenant-events", {"session_id": second, "user_id": user["id"], "tenant_id": tenant["id"]})]


def test_who_may_end_whose(operator, tenant, person):
    _, api = person
    (own,) = ids(api)
    _, plain = harness.make_person(operator, tenant)
    _, stranger = harness.make_person(operator, harness.make_tenant(operator), user_type="admin")
    _, manager = harness.make_person(operator, tenant, permissions={"can_book": True, "can_manage_users": True})
    for outsider in (plain, stranger):
        absent = outsider.delete(f"/auth/sessions/{checks.some_id()}")
        refused = outsider.delete(f"/auth/sessions/{own}")
        checks.told(refused, 404, ENDED)
        assert {**refused.json, "trace_id": "", "instance": ""} == {**absent.json, "trace_id": "", "instance": ""}
    assert api.get("/users/me").status == 200
    assert manager.delete(f"/auth/sessions/{own}").status == 204
    assert api.get("/users/me").status == 401


def test_who_manages_users_ends_no_session_above_him(operator, tenant):
    """Nor a key that does: neither may lock out who could stop them."""
    _, manager = harness.make_person(operator, tenant, permissions={"can_manage_users": True})
    key = operator.bearing(harness.create(operator, "/auth/api-keys", {
        "tenant_id": tenant["id"], "name": "k", "scopes": ["can_manage_users"]})["key"])
    for more in ({"user_type": "admin"}, {"permissions": {"can_view_all_bookings": True}}):
        user, above = harness.make_person(operator, tenant, **more)
        (session,) = ids(above)
        for below in (manager, key):
            checks.told(below.delete(f"/auth/sessions/{session}"), 404, ENDED)
            assert below.get("/auth/sessions", user_id=user["id"]).status == 403
        assert above.get("/users/me").status == 200


def test_who_is_let_in_again_logs_in_again(operator, anyone, tenant, person):
    """What somebody else may hold of him is no good any more after he was put out."""
    user, api = person
    tokens = harness.log_in(anyone, tenant, user["email"])
    for active in (False, True):
        assert operator.put(f"/users/{user['id']}", {"is_active": active}).status == 200
        assert api.get("/users/me").status == 401
    assert anyone.post("/auth/refresh", {"refresh_token": tokens["refresh_token"]}).status == 401
    again = harness.login(anyone, tenant, user["email"])
    assert operator.put(f"/users/{user['id']}", {"is_active": True, "name": "Outro Nome"}).status == 200
    assert again.get("/users/me").status == 200


def test_the_operator_ends_any(operator, person):
    _, api = person
    assert operator.delete(f"/auth/sessions/{ids(api)[0]}").status == 204
    assert api.get("/users/me").status == 401


# --- A token that is worth nothing any more, at the very next call ---------------------------------------


@pytest.mark.parametrize("change", ["password", "no password", "inactive", "deleted", "tenant inactive", "tenant deleted"])
def test_a_change_counts_at_once(operator, tenant, person, change):
    user, api = person
    path, home = f"/users/{user['id']}", f"/tenants/{tenant['id']}"
    assert api.get("/users/me").status == 200
    done = {
        "password": lambda: operator.put(path, {"password": "quite another secret"}),
        "no password": lambda: operator.put(path, {"password": None}),
        "inactive": lambda: operator.put(path, {"is_active": False}),
        "deleted": lambda: operator.delete(path),
        "tenant inactive": lambda: operator.put(home, {"is_active": False}),
        "tenant deleted": lambda: operator.delete(home),
    }[change]()
    assert done.status in (200, 204), done
    assert api.get("/users/me").status == 401
    assert api.get("/tenants/by-domain/example.com").status == 401, "on a public route, too"


def test_a_change_of_something_else_does_not(operator, person):
    user, api = person
    assert operator.put(f"/users/{user['id']}", {"name": "Another", "phone": "1"}).status == 200
    assert api.get("/users/me").json["name"] == "Another"
    assert len(ids(api)) == 1


def test_an_inactive_tenant_comes_back(operator, tenant, person):
    _, api = person
    assert operator.put(f"/tenants/{tenant['id']}", {"is_active": False}).status == 200
    assert api.get("/users/me").status == 401
    assert operator.put(f"/tenants/{tenant['id']}", {"is_active": True}).status == 200
    assert api.get("/users/me").status == 200


# --- Without a token ------------------------------------------------------------------------------------------


def test_optional_lets_the_operator_in_and_enforces_what_is_sent(store):
    with harness.Marca(store) as marca:
        api = marca.api()
        tenant = harness.make_tenant(api)
        user, own = harness.make_person(api, tenant)
        assert own.get("/users/", tenant_id=tenant["id"]).status == 403
        assert api.get("/users/", tenant_id=tenant["id"]).status == 200
        assert api.get("/users/", {"Authorization": "Bearer x"}, tenant_id=tenant["id"]).status == 401
        assert own.post("/auth/logout").status == 204
        assert own.get("/users/me").status == 401


def test_required_asks_everywhere_but_where_it_must_not(anyone):
    assert anyone.get("/users/", tenant_id=checks.some_id()).status == 401
    assert anyone.get("/users/").status == 401, "before what is wrong with the query"
    for path in ("/", "/health", "/ready", "/openapi.json", "/api-docs/auth", "/api-docs/auth/openapi.json"):
        assert anyone.get(path).status == 200, path
        assert anyone.get(path, {"Authorization": "Bearer x"}).status == 200, path
    assert sorted(anyone.get("/ready").json["checks"]) == ["audit", "booking", "bus", "migrations", "resource", "tenant", "user"]


def test_the_document_of_identity(guarded, anyone):
    """As the command prints it, and as it is served: which token each route asks for."""
    document = json.loads(guarded.run("openapi", "auth"))
    assert document == anyone.get("/api-docs/auth/openapi.json").json
    assert document["paths"]["/auth/login"]["post"]["security"] == []
    assert set(document["paths"]["/auth/login"]["post"]["requestBody"]["content"]) == {
        "application/json", "application/x-www-form-urlencoded"}
    assert document["paths"]["/auth/logout"]["post"]["security"] == [{"bearer": []}, {"apiKey": []}]
    whole = anyone.get("/openapi.json").json
    assert document["paths"].items() <= whole["paths"].items()
    for path, item in whole["paths"].items():
        for method in set(item) - {"parameters"}:
            assert ("401" in item[method]["responses"]) or item[method]["security"] == [], (method, path)
