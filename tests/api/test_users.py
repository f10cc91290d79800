"""POST, GET, PUT and DELETE of /users/: the contract's section 3, on both stores."""
import json

import pytest

import checks
import harness

TENANT_UNKNOWN = "Tenant não encontrado"
UNKNOWN = "Usuário não encontrado"
TAKEN = "E-mail já cadastrado para este tenant"
NONE = {"can_book": False, "can_manage_resources": False, "can_manage_users": False, "can_view_all_bookings": False}


@pytest.fixture
def tenant(api):
    return harness.make_tenant(api)


def new(tenant, **fields):
    number = next(harness.serial)
    return {"tenant_id": tenant["id"], "name": f"U {number}", "email": f"u{number}@example.com", **fields}


# --- Creating -------------------------------------------------------------------


def test_the_least(api, tenant):
    sent = new(tenant)
    reply = api.post("/users/", sent)
    assert reply.status == 201
    user = reply.json
    assert next(iter(user)) == "id"
    assert {k: user[k] for k in sent} == sent
    assert user["user_type"] == "user" and user["is_active"] is True and user["permissions"] == NONE
    assert user["phone"] is None and user["department"] is None and user["metadata"] is None
    assert user["created_at"] == user["updated_at"] and user["created_at"].startswith("2025-12-01T")
    assert reply.headers["Location"] == f"/users/{user['id']}" and reply.headers["ETag"] == '"1"'
    assert api.get(f"/users/{user['id']}").json == user


def test_everything(api, tenant):
    sent = new(
        tenant, phone="+55 11 91234-5678", user_type="admin", department="Recepção", is_active=False,
        permissions={"can_book": True, "can_manage_users": True}, metadata={"plano": "anual", "n": [1, 2.5, None]},
        password="correct horse",
    )
    user = api.post("/users/", sent).json
    assert user["permissions"] == {**NONE, "can_book": True, "can_manage_users": True}
    for name in ("phone", "user_type", "department", "is_active", "metadata"):
        assert user[name] == sent[name]
    assert "password" not in user and "password_hash" not in user


def test_profile_metadata_is_metadata(api, tenant):
    assert api.post("/users/", new(tenant, profile_metadata={"a": 1})).json["metadata"] == {"a": 1}


def test_all_failing_fields_at_once(api):
    reply = api.post("/users/", {
        "tenant_id": "x", "name": "", "email": "no address", "phone": "1" * 41, "user_type": "owner", "is_active": 1,
        "permissions": {"can_book": "yes", "can_manage_users": None}, "metadata": [], "password": "short",
    })
    assert checks.issues(reply) == {
        "body.tenant_id": "uuid_parsing",
        "body.name": "string_too_short",
        "body.email": "value_error",
        "body.phone": "string_too_long",
        "body.user_type": "enum",
        "body.is_active": "bool_type",
        "body.permissions.can_book": "bool_type",
        "body.permissions.can_manage_users": "null_forbidden",
        "body.metadata": "dict_type",
        "body.password": "string_too_short",
    }


def test_what_must_be_there(api):
    assert checks.issues(api.post("/users/", {})) == {
        "body.tenant_id": "missing", "body.name": "missing", "body.email": "missing"}


@pytest.mark.parametrize("email", ["a@", "@b.com", "a b@c.com", "a@b", "a..b@c.com", "a@b..com", "a" * 65 + "@b.com"])
def test_bad_addresses(api, tenant, email):
    assert checks.issues(api.post("/users/", new(tenant, email=email))) == {"body.email": "value_error"}


@pytest.mark.parametrize("password, status", [("xylem k", 422), ("xylem ko", 201), ("é" * 128, 201), ("é" * 129, 422)])
def test_password_lengths_count_characters(api, tenant, password, status):
    assert api.post("/users/", new(tenant, password=password)).status == status


def test_unknown_tenant(api):
    checks.is_absent(api.post("/users/", new({"id": checks.some_id()})), TENANT_UNKNOWN)


def test_deleted_tenant(api, tenant):
    assert api.delete(f"/tenants/{tenant['id']}").status == 204
    checks.is_absent(api.post("/users/", new(tenant)), TENANT_UNKNOWN)


# --- Passwords --------------------------------------------------------------------


def hashes(marca, user):
    return checks.texts(marca, "user", f"SELECT password_hash FROM users WHERE email = '{user['email']}'")[0]


def test_password_is_kept_as_argon2id(marca, api, tenant):
    user = api.post("/users/", new(tenant, password="correct horse")).json
    first = hashes(marca, user)
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$") and "correct" not in first

    api.put(f"/users/{user['id']}", {"name": "Outro"})
    assert hashes(marca, user) == first
    api.put(f"/users/{user['id']}", {"password": "correct horse"})
    assert hashes(marca, user) not in (first, None, "")
    assert api.put(f"/users/{user['id']}", {"password": None}).status == 200
    assert not hashes(marca, user)


def test_hashing_does_not_hold_up_others(marca, tenant):
    """While one connection's password is hashed, another is answered; too many at once are told to come back."""
    replies = checks.race(marca, 64, lambda api, number: api.post(
        "/users/", new(tenant, email=f"p{number}@example.com", password=f"horse battery {number}")))
    assert {reply.status for reply in replies} <= {201, 503}
    assert sum(reply.status == 201 for reply in replies) >= 33
    assert all(reply.json["error"] == "overloaded" for reply in replies if reply.status == 503)
    assert len(marca.api().get("/users/", tenant_id=tenant["id"]).json) == sum(r.status == 201 for r in replies)


# --- E-mail -------------------------------------------------------------------------


@pytest.mark.parametrize("other", ["Ana.Souza@Example.com", "ANA.SOUZA@EXAMPLE.COM", "ana.souza@example.com"])
def test_address_is_unique_whatever_its_case(api, tenant, other):
    first = api.post("/users/", new(tenant, email="ana.souza@Example.com")).json
    assert first["email"] == "ana.souza@Example.com"
    checks.told(api.post("/users/", new(tenant, email=other)), 400, TAKEN)


def test_addresses_of_accents(api, tenant):
    assert api.post("/users/", new(tenant, email="joão@example.com")).status == 201
    assert api.post("/users/", new(tenant, email="joao@example.com")).status == 201
    checks.told(api.post("/users/", new(tenant, email="JOÃO@example.com")), 400, TAKEN)


def test_address_in_another_tenant(api, tenant):
    other = harness.make_tenant(api)
    assert api.post("/users/", new(tenant, email="same@example.com")).status == 201
    assert api.post("/users/", new(other, email="same@example.com")).status == 201


def test_address_comes_free_with_deletion(api, tenant):
    user = harness.make_user(api, tenant, email="free@example.com")
    assert api.delete(f"/users/{user['id']}").status == 204
    assert api.post("/users/", new(tenant, email="FREE@example.com")).status == 201


def test_change_to_a_taken_address(api, tenant):
    harness.make_user(api, tenant, email="one@example.com")
    two = harness.make_user(api, tenant, email="two@example.com")
    checks.told(api.put(f"/users/{two['id']}", {"email": "One@example.com"}), 400, TAKEN)
    assert api.put(f"/users/{two['id']}", {"email": "TWO@example.com"}).json["email"] == "TWO@example.com"


def test_one_of_sixteen_gets_the_address(marca, api, tenant):
    for round_ in range(5):
        replies = checks.race(marca, 16, lambda own, number: own.post(
            "/users/", new(tenant, email=f"Race{round_}@example.com" if number % 2 else f"race{round_}@EXAMPLE.com")))
        assert sorted(reply.status for reply in replies) == [201] + [400] * 15
    assert len(api.get("/users/", tenant_id=tenant["id"]).json) == 5


# --- Reading --------------------------------------------------------------------------


def test_absent(api):
    checks.is_absent(api.get(f"/users/{checks.some_id()}"), UNKNOWN)
    checks.is_absent(api.put(f"/users/{checks.some_id()}", {}), UNKNOWN)
    checks.is_absent(api.delete(f"/users/{checks.some_id()}"), UNKNOWN)
    assert checks.issues(api.get("/users/not-a-uuid")) == {"path.id": "uuid_parsing"}


def test_id_in_any_case(api, tenant):
    user = harness.make_user(api, tenant)
    assert api.get(f"/users/{user['id'].upper()}").json == user


def test_list_filters(api, tenant):
    assert api.get("/users/", tenant_id=tenant["id"]).json == []
    staff = harness.make_user(api, tenant, user_type="admin")
    gone = harness.make_user(api, tenant, is_active=False)
    plain = harness.make_user(api, tenant)

    def ids(**query):
        return [user["id"] for user in api.get("/users/", tenant_id=tenant["id"], **query).json]

    assert ids() == sorted([staff["id"], gone["id"], plain["id"]])
    assert ids(user_type="admin") == [staff["id"]]
    assert ids(user_type="user") == sorted([gone["id"], plain["id"]])
    assert ids(is_active="false") == [gone["id"]]
    assert ids(is_active="true", user_type="user") == [plain["id"]]


def test_list_needs_a_tenant(api):
    assert checks.issues(api.get("/users/")) == {"query.tenant_id": "missing"}
    reply = api.get("/users/", tenant_id="x", user_type="y", is_active="maybe", limit=0, cursor="z")
    assert set(checks.issues(reply)) == {
        "query.tenant_id", "query.user_type", "query.is_active", "query.limit", "query.cursor"}


def test_tenants_never_meet(api, tenant):
    other = harness.make_tenant(api)
    mine = harness.make_user(api, tenant, name="Canário")
    theirs = harness.make_user(api, other, name="Canário")
    for whose, user in ((tenant, mine), (other, theirs)):
        assert api.get("/users/", tenant_id=whose["id"], search="canario").json == [user]
    assert api.get("/users/", tenant_id=checks.some_id()).json == []


@pytest.mark.parametrize("search", ["joão", "JOAO", "Joa", "silva", "o si", "João Silva"])
def test_search(api, tenant, search):
    user = harness.make_user(api, tenant, name="João Silva")
    harness.make_user(api, tenant, name="Maria Jo")
    assert api.get("/users/", tenant_id=tenant["id"], search=search).json == [user]


@pytest.mark.parametrize("search", ["%", "_", "\\", "100%"])
def test_search_is_literal(api, tenant, search):
    harness.make_user(api, tenant, name="Maria")
    user = harness.make_user(api, tenant, name="a_b 100% \\o/")
    assert api.get("/users/", tenant_id=tenant["id"], search=search).json == [user]


def test_search_follows_the_name(api, tenant):
    user = harness.make_user(api, tenant, name="Antônio")
    api.put(f"/users/{user['id']}", {"name": "Zulmira"})
    assert api.get("/users/", tenant_id=tenant["id"], search="antonio").json == []
    assert len(api.get("/users/", tenant_id=tenant["id"], search="ZULM").json) == 1


def test_pages_to_the_end(api, tenant):
    users = checks.by_id(harness.make_user(api, tenant) for _ in range(25))
    for limit in (1, 7, 24, 25, 26):
        assert checks.walk(api, "/users/", limit, tenant_id=tenant["id"]) == users
    api.delete(f"/users/{users[3]['id']}")
    first = api.get("/users/", tenant_id=tenant["id"], limit=4)
    assert [user["id"] for user in first.json] == [users[i]["id"] for i in (0, 1, 2, 4)]


# --- Changing ---------------------------------------------------------------------------


def test_put_changes_what_is_sent(api, tenant):
    user = harness.make_user(api, tenant, phone="1", department="2", metadata={"a": 1})
    reply = api.put(f"/users/{user['id']}", {"phone": None, "name": "Novo"})
    assert reply.status == 200 and reply.headers["ETag"] == '"2"'
    assert reply.json == {**user, "phone": None, "name": "Novo", "updated_at": reply.json["updated_at"]}
    assert reply.json["updated_at"] > user["updated_at"]
    assert api.get(f"/users/{user['id']}").json == reply.json
    assert api.put(f"/users/{user['id']}", {"metadata": None}).json["metadata"] is None


def test_put_null_where_there_must_be_a_value(api, tenant):
    user = harness.make_user(api, tenant)
    names = ("name", "email", "user_type", "is_active", "permissions")
    assert checks.issues(api.put(f"/users/{user['id']}", dict.fromkeys(names))) == {
        f"body.{name}": "null_forbidden" for name in names}
    assert api.get(f"/users/{user['id']}").json == user


def test_put_merges_permissions(api, tenant):
    user = harness.make_user(api, tenant, permissions={"can_book": True, "can_manage_users": True})
    changed = api.put(f"/users/{user['id']}", {"permissions": {"can_manage_users": False, "can_manage_resources": True}})
    assert changed.json["permissions"] == {**NONE, "can_book": True, "can_manage_resources": True}
    assert api.put(f"/users/{user['id']}", {"permissions": {}}).json["permissions"] == changed.json["permissions"]


def test_put_never_moves_to_another_tenant(api, tenant):
    user, other = harness.make_user(api, tenant), harness.make_tenant(api)
    assert api.put(f"/users/{user['id']}", {"tenant_id": other["id"]}).json["tenant_id"] == tenant["id"]


def test_if_match(api, tenant):
    user = harness.make_user(api, tenant)
    path = f"/users/{user['id']}"
    etag = api.get(path).headers["ETag"]
    assert api.put(path, {"name": "A"}, headers={"If-Match": etag}).status == 200
    stale = api.put(path, {"name": "B"}, headers={"If-Match": etag})
    assert stale.status == 412 and stale.json["error"] == "precondition_failed"
    assert api.delete(path, headers={"If-Match": etag}).status == 412
    assert api.get(path).json["name"] == "A"
    assert api.delete(path, headers={"If-Match": '"2"'}).status == 204


def test_no_change_is_lost_in_a_race(marca, api, tenant):
    user = harness.make_user(api, tenant)
    names = ("can_book", "can_manage_resources", "can_manage_users", "can_view_all_bookings")
    api.put(f"/users/{user['id']}", {"permissions": dict.fromkeys(names, False)})
    replies = checks.race(marca, 4, lambda own, number: own.put(
        f"/users/{user['id']}", {"permissions": {names[number]: True}}))
    assert [reply.status for reply in replies] == [200] * 4
    assert api.get(f"/users/{user['id']}").json["permissions"] == dict.fromkeys(names, True)


# --- Deleting and events ----------------------------------------------------------------


def test_deletion(api, tenant):
    user = harness.make_user(api, tenant)
    path = f"/users/{user['id']}"
    reply = api.delete(path)
    assert reply.status == 204 and reply.body == b""
    for again in (api.get(path), api.put(path, {"name": "X"}), api.delete(path)):
        checks.is_absent(again, UNKNOWN)
    assert api.get("/users/", tenant_id=tenant["id"]).json == []


def test_one_of_many_deletes(marca, api, tenant):
    user = harness.make_user(api, tenant)
    replies = checks.race(marca, 8, lambda own, number: own.delete(f"/users/{user['id']}"))
    assert sorted(reply.status for reply in replies) == [204] + [404] * 7
    assert len(checks.events(marca, "user", "user_id", user["id"])) == 1


def test_events(marca, api, tenant):
    user = harness.make_user(api, tenant)
    ids = {"user_id": user["id"], "tenant_id": tenant["id"]}
    assert checks.events(marca, "user", "user_id", user["id"]) == []
    api.put(f"/users/{user['id']}", {"name": "Novo"})
    api.put(f"/users/{user['id']}", {"name": "Velho"}, headers={"If-Match": '"1"'})
    api.delete(f"/users/{user['id']}")
    assert checks.events(marca, "user", "user_id", user["id"]) == [
        ("user.changed", "tenant-events", ids), ("user.deleted", "deletion-events", ids)]


def test_stop_while_passwords_wait(store):
    """A stop answers what is in flight, then joins the hashing thread."""
    with harness.Marca(store) as marca:
        tenant = harness.make_tenant(marca.api())
        apis = [harness.Api(marca.address) for _ in range(12)]
        for api in apis:
            body = json.dumps(new(tenant, password="correct horse"))
            api.connection.request("POST", "/users/", body, {"Content-Type": "application/json"})
        first = apis[0].connection.getresponse()  # they are hashed one by one: the others wait
        marca.stop()
        assert [first.status] + [api.connection.getresponse().status for api in apis[1:]] == [201] * 12
        for api in apis:
            api.close()
