"""The first admin of a tenant: created with it, whole or not at all."""
import pytest

import checks
import harness

PASSWORD = "correct horse battery"


def tenant_with(admin, **fields):
    number = next(harness.serial)
    return {"name": f"Tenant {number}", "domain": f"first-{number}.example.com", "admin": admin, **fields}


def admin(**fields):
    return {"name": "Ana Souza", "email": f"ana-{next(harness.serial)}@example.com", "password": PASSWORD, **fields}


def ids_of(marca, email):
    return checks.texts(marca, "user", f"SELECT search_name FROM users WHERE email_key = '{email}'")


def test_a_tenant_with_its_admin(marca, api):
    who = admin(email=f"Ana-{next(harness.serial)}@Example.com")
    reply = api.post("/tenants/", tenant_with(who))
    assert reply.status == 201 and "admin" not in reply.json
    users = api.get("/users/", tenant_id=reply.json["id"]).json
    assert [(u["name"], u["email"], u["user_type"], u["is_active"]) for u in users] == [
        (who["name"], who["email"], "admin", True)]
    assert all(users[0]["permissions"].values())
    assert PASSWORD not in str(reply.json) and "password" not in users[0]


def test_a_domain_that_is_taken_leaves_nobody(marca, api):
    taken = harness.make_tenant(api)
    who = admin()
    reply = api.post("/tenants/", tenant_with(who, domain=taken["domain"]))
    checks.told(reply, 400, "Domínio já cadastrado.")
    assert ids_of(marca, who["email"]) == []


def test_one_of_ten_who_race_for_a_domain(marca, api):
    domain = f"raced-{next(harness.serial)}.example.com"
    people = [admin() for _ in range(10)]
    replies = checks.race(marca, 10, lambda one, n: one.post("/tenants/", tenant_with(people[n], domain=domain)))
    assert sorted(reply.status for reply in replies) == [201] + [400] * 9
    left = [n for n in range(10) if ids_of(marca, people[n]["email"])]
    assert left == [n for n in range(10) if replies[n].status == 201]


@pytest.mark.parametrize("change, issues", [
    ({"password": "short"}, {"body.admin.password": "string_too_short"}),
    ({"password": "12345678"}, {"body.admin.password": "password_too_common"}),
    ({"password": "ANA SOUZA"}, {"body.admin.password": "password_personal"}),
    ({"email": "nobody"}, {"body.admin.email": "value_error"}),
    ({"name": ""}, {"body.admin.name": "string_too_short"}),
    ({"password": None}, {"body.admin.password": "null_forbidden"}),
])
def test_what_is_wrong_with_him_is_told(marca, api, change, issues):
    who = admin(**change)
    body = tenant_with(who)
    assert checks.issues(api.post("/tenants/", body)) == issues
    assert api.get(f"/tenants/by-domain/{body['domain']}").status == 404
    assert ids_of(marca, who["email"]) == []


def test_a_change_of_the_tenant_makes_no_admin(api):
    tenant = harness.make_tenant(api)
    assert api.put(f"/tenants/{tenant['id']}", {"admin": admin()}).status == 200
    assert api.get("/users/", tenant_id=tenant["id"]).json == []


def test_he_logs_in_and_runs_the_place(operator, anyone):
    who = admin()
    tenant = harness.create(operator, "/tenants/", tenant_with(who))
    api = harness.login(anyone, tenant, who["email"])
    assert api.post("/users/", {"tenant_id": tenant["id"], "name": "Outra", "email": "outra@example.com"}).status == 201


def test_whose_tenant_was_refused_does_not(operator, anyone, tenant):
    who = admin()
    assert operator.post("/tenants/", tenant_with(who, domain=tenant["domain"])).status == 400
    for named in ({"tenant_id": tenant["id"]}, {"domain": tenant["domain"]}, {}):
        body = {"email": who["email"], "password": PASSWORD, **named}
        checks.told(anyone.post("/auth/login", body), 401, "E-mail ou senha inválidos.")
