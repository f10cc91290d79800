"""Changing a password: by who knows the one before, and by who may change users. What it ends, and who may not."""
import ctypes
import ctypes.util
import sqlite3

import pytest

import checks
import harness
from harness import PASSWORD

NEW = "outra senha bem comprida"
FORBIDDEN = "Sem permissão para esta operação."


@pytest.fixture
def person(operator, tenant):
    return harness.make_person(operator, tenant)


def change(api, current=PASSWORD, new=NEW):
    return api.post("/auth/password", {"current_password": current, "new_password": new})


def logs_in(anyone, tenant, user, password):
    return anyone.post("/auth/login", {"tenant_id": tenant["id"], "email": user["email"], "password": password}).status


# --- Oneself ----------------------------------------------------------------------


def test_a_change_ends_every_session_and_opens_one(anyone, tenant, person):
    user, api = person
    other = harness.log_in(anyone, tenant, user["email"])
    reply = change(api)
    assert reply.status == 200 and reply.headers["Cache-Control"] == "no-store"
    assert reply.json["user"]["id"] == user["id"]
    assert api.get("/users/me").status == 401
    assert anyone.bearing(other["access_token"]).get("/users/me").status == 401
    assert anyone.post("/auth/refresh", {"refresh_token": other["refresh_token"]}).status == 401
    assert anyone.bearing(reply.json["access_token"]).get("/users/me").json["id"] == user["id"]
    assert anyone.post("/auth/refresh", {"refresh_token": reply.json["refresh_token"]}).status == 200
    assert logs_in(anyone, tenant, user, PASSWORD) == 401
    assert logs_in(anyone, tenant, user, NEW) == 200


def test_the_current_one_is_asked_for(anyone, tenant, person):
    user, api = person
    checks.told(change(api, current="something else"), 400, "Senha atual incorreta.")
    assert api.get("/users/me").status == 200
    assert logs_in(anyone, tenant, user, PASSWORD) == 200


@pytest.mark.parametrize("new, issue", [
    ("short", "string_too_short"), ("x" * 129, "string_too_long"), ("12345678", "password_too_common")])
def test_the_new_one_is_held_to_the_rules(person, new, issue):
    assert checks.issues(change(person[1], new=new)) == {"body.new_password": issue}


def test_nor_is_it_what_is_known_of_him(person):
    user, api = person
    assert checks.issues(change(api, new=user["email"].upper())) == {"body.new_password": "password_personal"}


def test_both_are_needed(person):
    assert checks.issues(person[1].post("/auth/password", {})) == {
        "body.current_password": "missing", "body.new_password": "missing"}


def test_whoever_is_nobody_has_none(operator, anyone):
    checks.told(change(operator), 403, FORBIDDEN)
    assert change(anyone).status == 401


def test_of_ten_changes_at_once_one_wins(guarded, anyone, tenant, person):
    """Each opens a session; but those of the others are over, or they were refused."""
    user, api = person
    token = api.headers["Authorization"]
    replies = checks.race(guarded, 10, lambda one, n: one.request(
        "POST", "/auth/password", {"current_password": PASSWORD, "new_password": f"{NEW} {n}"}, {"Authorization": token}))
    won = [n for n in range(10) if replies[n].status == 200]
    assert len(won) == 1, [reply.status for reply in replies]
    assert {reply.status for n, reply in enumerate(replies) if n not in won} <= {400, 401}
    assert [logs_in(anyone, tenant, user, f"{NEW} {n}") for n in range(10)] == [
        200 if n in won else 401 for n in range(10)]


# --- By PUT /users/{id} -------------------------------------------------------------


def put(api, user, password=NEW):
    return api.put(f"/users/{user['id']}", {"password": password})


def test_staff_gives_another_which_ends_sessions(operator, anyone, tenant, person):
    user, api = person
    admin = harness.make_person(operator, tenant, user_type="admin")[1]
    assert put(admin, user).status == 200
    assert api.get("/users/me").status == 401
    assert logs_in(anyone, tenant, user, NEW) == 200


def test_nobody_gives_himself_one_so(operator, anyone, tenant, person):
    rights = {"can_book": True, "can_manage_users": True}
    for mine, api in (person, harness.make_person(operator, tenant, user_type="admin"),
                      harness.make_person(operator, tenant, permissions=rights)):
        checks.told(put(api, mine), 403, FORBIDDEN)
        checks.told(put(api, mine, None), 403, FORBIDDEN)
        assert logs_in(anyone, tenant, mine, PASSWORD) == 200


@pytest.mark.parametrize("target", [
    {"user_type": "admin"},
    {"permissions": {"can_manage_resources": True}},
    {"permissions": {"can_view_all_bookings": True}},
])
def test_nor_to_whoever_may_do_more(operator, anyone, tenant, target):
    """Or he would become that person."""
    api = harness.make_person(operator, tenant, permissions={"can_book": True, "can_manage_users": True})[1]
    more = harness.make_person(operator, tenant, **target)[0]
    checks.told(put(api, more), 403, FORBIDDEN)
    assert logs_in(anyone, tenant, more, PASSWORD) == 200
    less = harness.make_person(operator, tenant)[0]
    assert put(api, less).status == 200


def test_the_operator_gives_anybody_one(operator, anyone, tenant, person):
    assert put(operator, person[0]).status == 200
    assert logs_in(anyone, tenant, person[0], NEW) == 200


# --- How it is kept -------------------------------------------------------------------


def old_hash(password):
    """argon2id as it is made by other parameters than today's."""
    sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
    assert sodium.sodium_init() >= 0
    made = ctypes.create_string_buffer(128)
    text = password.encode()
    assert sodium.crypto_pwhash_str_alg(made, text, ctypes.c_ulonglong(len(text)), ctypes.c_ulonglong(1),
                                        ctypes.c_size_t(8 << 20), ctypes.c_int(2)) == 0
    return made.value.decode()


def write(marca, sql):
    database = marca.database_of("user")
    if database is not None:
        database.sql(database.url, sql)
        return
    with sqlite3.connect(marca.data / "user.db", timeout=10) as connection:
        connection.execute(sql)


def hash_of(marca, user):
    return checks.texts(marca, "user", f"SELECT password_hash FROM users WHERE email = '{user['email']}'")[0]


def test_a_login_makes_an_old_hash_anew(guarded, anyone, tenant, person):
    user, api = person
    old = old_hash(PASSWORD)
    assert "m=8192,t=1" in old
    write(guarded, f"UPDATE users SET password_hash = '{old}' WHERE email = '{user['email']}'")
    assert logs_in(anyone, tenant, user, "wrong password") == 401
    assert hash_of(guarded, user) == old
    assert logs_in(anyone, tenant, user, PASSWORD) == 200
    new = hash_of(guarded, user)
    assert "m=19456,t=2" in new
    assert api.get("/users/me").status == 200, "the password is the same: no session ends"
    assert logs_in(anyone, tenant, user, PASSWORD) == 200
    assert hash_of(guarded, user) == new


def test_more_logins_than_can_wait_are_told_to_come_again(guarded, tenant, person):
    user = person[0]
    body = {"tenant_id": tenant["id"], "email": user["email"], "password": PASSWORD}
    replies = checks.race(guarded, 64, lambda api, _: api.post("/auth/login", body))
    assert {reply.status for reply in replies} == {200, 503}
    for reply in replies:
        if reply.status == 503:
            assert reply.json["error"] == "overloaded" and int(reply.headers["Retry-After"]) >= 1
    assert sum(reply.status == 200 for reply in replies) >= 32
