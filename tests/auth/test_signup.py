"""Self sign-up: where the tenant's settings say so, and of plain users alone."""
import pytest

import checks
import harness
from harness import PASSWORD

CLOSED = "Este tenant não aceita cadastro próprio."
PLAIN = {"can_book": True, "can_manage_resources": False, "can_manage_users": False, "can_view_all_bookings": False}


@pytest.fixture
def open_tenant(operator):
    return harness.make_tenant(operator, settings={"self_signup": True})


def body(tenant, **fields):
    return {"tenant_id": tenant["id"], "name": "Maria Lima", "email": f"maria-{next(harness.serial)}@example.com",
            "phone": "+55 11 91234-5678", "password": PASSWORD, **fields}


def test_whoever_signs_up_may_book_and_nothing_else(operator, anyone, open_tenant):
    sent = body(open_tenant)
    reply = anyone.post("/auth/signup", sent)
    assert reply.status == 201
    user = reply.json
    assert (user["name"], user["email"], user["phone"]) == (sent["name"], sent["email"], sent["phone"])
    assert user["user_type"] == "user" and user["is_active"] is True and user["permissions"] == PLAIN
    assert "password" not in user and reply.headers["Location"] == f"/users/{user['id']}"
    me = harness.login(anyone, open_tenant, sent["email"])
    assert me.get("/users/me").json == user == operator.get(f"/users/{user['id']}").json
    assert me.get("/users/", tenant_id=open_tenant["id"]).status == 403


def test_by_domain(anyone, open_tenant):
    sent = body(open_tenant, domain=open_tenant["domain"].upper())
    del sent["tenant_id"]
    assert anyone.post("/auth/signup", sent).json["tenant_id"] == open_tenant["id"]


def test_never_more_than_that(anyone, open_tenant):
    reply = anyone.post("/auth/signup", body(
        open_tenant, user_type="admin", is_active=False, department="Direção", metadata={"vip": 1},
        permissions=dict.fromkeys(PLAIN, True), id=checks.some_id(), role="operator"))
    assert reply.status == 201
    user = reply.json
    assert user["user_type"] == "user" and user["permissions"] == PLAIN
    assert user["is_active"] is True and user["metadata"] is None and user["department"] is None


def test_closed_unless_the_settings_open_it(operator, anyone, tenant):
    checks.told(anyone.post("/auth/signup", body(tenant)), 403, CLOSED)
    bare = harness.create(operator, "/tenants/", {"name": "Bare", "domain": f"bare-{next(harness.serial)}.example.com"})
    checks.told(anyone.post("/auth/signup", body(bare)), 403, CLOSED)
    assert operator.put(f"/tenants/{tenant['id']}/settings", {"self_signup": True}).status == 200
    assert anyone.post("/auth/signup", body(tenant)).status == 201
    assert operator.put(f"/tenants/{tenant['id']}/settings", {"self_signup": False}).status == 200
    checks.told(anyone.post("/auth/signup", body(tenant)), 403, CLOSED)
    assert len(operator.get("/users/", tenant_id=tenant["id"]).json) == 1


def test_an_inactive_tenant_takes_nobody(operator, anyone, open_tenant):
    operator.put(f"/tenants/{open_tenant['id']}", {"is_active": False})
    checks.told(anyone.post("/auth/signup", body(open_tenant)), 403, CLOSED)


def test_unknown_tenants(anyone, open_tenant):
    checks.is_absent(anyone.post("/auth/signup", body({"id": checks.some_id()})), "Tenant não encontrado")
    sent = body(open_tenant, domain="nobody.example.org")
    del sent["tenant_id"]
    checks.is_absent(anyone.post("/auth/signup", sent), "Tenant não encontrado")
    del sent["domain"]
    assert checks.issues(anyone.post("/auth/signup", sent)) == {"body.tenant_id": "missing"}


def test_an_address_that_is_taken(operator, anyone, open_tenant):
    sent = body(open_tenant)
    assert anyone.post("/auth/signup", sent).status == 201
    again = anyone.post("/auth/signup", {**sent, "email": sent["email"].upper(), "password": PASSWORD + "2"})
    checks.told(again, 400, "E-mail já cadastrado para este tenant")
    assert harness.login(anyone, open_tenant, sent["email"])


@pytest.mark.parametrize("change, issues", [
    ({"password": "1234567"}, {"body.password": "string_too_short"}),
    ({"password": "password1"}, {"body.password": "password_too_common"}),
    ({"password": "maria lima"}, {"body.password": "password_personal"}),
    ({"email": "x"}, {"body.email": "value_error"}),
    ({"name": ""}, {"body.name": "string_too_short"}),
])
def test_the_rules_hold(anyone, open_tenant, change, issues):
    assert checks.issues(anyone.post("/auth/signup", body(open_tenant, **change))) == issues
