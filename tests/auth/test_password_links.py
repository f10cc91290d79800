"""Links to a new password, made by staff: who may, how often one is good, and until when."""
import pytest

import checks
import harness
from harness import PASSWORD

NEW = "outra senha bem comprida"
SPENT = "Link inválido, vencido ou já usado."


@pytest.fixture
def person(operator, tenant):
    return harness.make_person(operator, tenant)


def make(api, user):
    reply = api.post(f"/users/{user['id']}/password-link")
    assert reply.status == 201, reply
    return reply


def token_of(reply):
    return reply.json["link"].split("#")[1]


def reset(api, token, new=NEW):
    return api.post("/auth/password/reset", {"token": token, "new_password": new})


def logs_in(anyone, tenant, user, password):
    return anyone.post("/auth/login", {"tenant_id": tenant["id"], "email": user["email"], "password": password}).status


def test_a_link(guarded, operator, anyone, tenant, person):
    user, api = person
    made = make(operator, user)
    assert made.json["link"].startswith("http://127.0.0.1:8000/reset#ml_")
    assert made.headers["Cache-Control"] == "no-store"
    assert api.get("/users/me").status == 200, "to make one changes nothing yet"
    reply = reset(anyone, token_of(made))
    assert reply.status == 204
    assert api.get("/users/me").status == 401
    assert logs_in(anyone, tenant, user, PASSWORD) == 401
    assert logs_in(anyone, tenant, user, NEW) == 200
    checks.told(reset(anyone, token_of(made), NEW + "2"), 400, SPENT)
    assert logs_in(anyone, tenant, user, NEW) == 200
    kept = checks.texts(guarded, "user", "SELECT hash FROM password_links")
    assert kept and not any(token_of(made)[10:40] in row for row in kept), "the store has the hash alone"


def test_a_first_password(operator, anyone, tenant):
    user = harness.make_user(operator, tenant)
    assert logs_in(anyone, tenant, user, NEW) == 401
    assert reset(anyone, token_of(make(operator, user))).status == 204
    assert logs_in(anyone, tenant, user, NEW) == 200


@pytest.mark.parametrize("change", [{"user_type": "admin"}, {"permissions": {"can_view_all_bookings": True}}, {"email": "outro@example.com"}])
def test_a_link_of_before_does_not_lead_to_more(operator, anyone, tenant, person, change):
    """Who may make one for a plain user waits until he is an admin; or the mailbox is another's now."""
    user, _ = person
    manager = harness.make_person(operator, tenant, permissions={"can_book": True, "can_manage_users": True})[1]
    token = token_of(make(manager, user))
    assert operator.put(f"/users/{user['id']}", change).status == 200
    checks.told(reset(anyone, token), 400, SPENT)
    assert logs_in(anyone, tenant, {**user, **change}, PASSWORD) == 200


def test_ten_who_use_it_at_once(guarded, operator, anyone, tenant, person):
    user = person[0]
    token = token_of(make(operator, user))
    replies = checks.race(guarded, 10, lambda api, n: reset(api, token, f"{NEW} {n}"))
    assert sorted(reply.status for reply in replies) == [204] + [400] * 9
    assert [logs_in(anyone, tenant, user, f"{NEW} {n}") for n in range(10)] == [
        200 if reply.status == 204 else 401 for reply in replies]


def test_a_change_of_the_password_voids_it(operator, anyone, person):
    user, api = person
    token = token_of(make(operator, user))
    assert api.post("/auth/password", {"current_password": PASSWORD, "new_password": NEW}).status == 200
    checks.told(reset(anyone, token), 400, SPENT)


def test_the_use_of_one_voids_the_others(operator, anyone, person):
    tokens = [token_of(make(operator, person[0])) for _ in range(3)]
    assert reset(anyone, tokens[1]).status == 204
    for token in tokens:
        checks.told(reset(anyone, token), 400, SPENT)


@pytest.mark.parametrize("change", [{"is_active": False}, ...], ids=["inactive", "deleted"])
def test_who_is_gone_has_none(operator, anyone, person, change):
    user = person[0]
    token = token_of(make(operator, user))
    if change is ...:
        assert operator.delete(f"/users/{user['id']}").status == 204
        assert operator.post(f"/users/{user['id']}/password-link").status == 404
    else:
        assert operator.put(f"/users/{user['id']}", change).status == 200
        checks.told(operator.post(f"/users/{user['id']}/password-link"), 400, "Usuário inativo.")
    checks.told(reset(anyone, token), 400, SPENT)


@pytest.mark.parametrize("change", [{"is_active": False}, ...], ids=["inactive", "deleted"])
def test_nor_whose_tenant_is(operator, anyone, tenant, person, change):
    token = token_of(make(operator, person[0]))
    if change is ...:
        assert operator.delete(f"/tenants/{tenant['id']}").status == 204
    else:
        assert operator.put(f"/tenants/{tenant['id']}", change).status == 200
    checks.told(reset(anyone, token), 400, SPENT)


def test_half_an_hour():
    """By the clock of the server, which starts again 30 minutes later."""
    with harness.Marca("sqlite") as marca:
        api = marca.api()
        tenant = harness.make_tenant(api)
        user = harness.make_user(api, tenant)
        early, late = (token_of(make(api, user)) for _ in range(2))
        marca.stop()
        marca.env["MARCA_CLOCK"] = "2025-12-01T12:29:00Z"
        marca.start()
        checks.told(reset(marca.api(), early, "short but good"[:7]), 422, "Dados inválidos.")
        marca.stop()
        marca.env["MARCA_CLOCK"] = "2025-12-01T12:31:00Z"
        marca.start()
        checks.told(reset(marca.api(), late), 400, SPENT)
        marca.stop()
        marca.env["MARCA_CLOCK"] = "2025-12-01T12:29:00Z"
        marca.start()
        assert reset(marca.api(), early).status == 204


def test_what_is_no_link(operator, anyone, person):
    good = token_of(make(operator, person[0]))
    swapped = "A" if good[-2] != "A" else "B"
    bad = ["x", "ml_", "ml_" + "A" * 86, good[:-2] + swapped + good[-1], good[:-1], good + "A", good.upper(), "mr" + good[2:],
           "mk" + good[2:], " " + good, good[:40] + "." + good[41:]]
    for token in bad:
        checks.told(reset(anyone, token), 400, SPENT)
    refresh = harness.log_in(anyone, {"id": person[0]["tenant_id"]}, person[0]["email"])["refresh_token"]
    checks.told(reset(anyone, refresh), 400, SPENT)
    assert anyone.post("/auth/refresh", {"refresh_token": good}).status == 401
    assert reset(anyone, good).status == 204


def test_a_password_that_is_refused_leaves_the_link_good(operator, anyone, person):
    user = person[0]
    token = token_of(make(operator, user))
    assert checks.issues(reset(anyone, token, "12345678")) == {"body.new_password": "password_too_common"}
    assert checks.issues(reset(anyone, token, user["email"])) == {"body.new_password": "password_personal"}
    assert reset(anyone, token).status == 204


# --- Who may ---------------------------------------------------------------------------


def test_who_may_make_one(operator, anyone, tenant, person):
    user, plain = person
    manager = harness.make_person(operator, tenant, permissions={"can_book": True, "can_manage_users": True})[1]
    admin, admins = harness.make_person(operator, tenant, user_type="admin")
    mighty = harness.make_user(operator, tenant, permissions={"can_manage_resources": True})
    path = "/users/{}/password-link".format
    assert anyone.post(path(user["id"])).status == 401
    assert plain.post(path(user["id"])).status == 403, "not even of oneself"
    assert manager.post(path(user["id"])).status == 201
    assert manager.post(path(mighty["id"])).status == 403, "who may do more"
    assert manager.post(path(admin["id"])).status == 403
    other_admin = harness.make_user(operator, tenant, user_type="admin")
    assert admins.post(path(other_admin["id"])).status == 201
    assert admins.post(path(admin["id"])).status == 403, "not of oneself"
    assert operator.post(path(admin["id"])).status == 201


def test_another_tenants_is_absent(operator, person):
    elsewhere = harness.make_tenant(operator)
    admin = harness.make_person(operator, elsewhere, user_type="admin")[1]
    theirs = admin.post(f"/users/{person[0]['id']}/password-link")
    nobody = admin.post(f"/users/{checks.some_id()}/password-link")
    checks.is_absent(theirs, "Usuário não encontrado")
    assert {**theirs.json, "instance": 0, "trace_id": 0} == {**nobody.json, "instance": 0, "trace_id": 0}
