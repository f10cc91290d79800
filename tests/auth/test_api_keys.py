"""API keys: what each scope opens, and every way for a key to be worth nothing. On SQLite and on PostgreSQL."""
import base64
import datetime
import email.utils

import pytest

import checks
import harness
from harness import make_booking, make_category, make_person, make_resource, make_tenant, make_user

SCOPES = ["can_book", "can_manage_resources", "can_manage_users", "can_view_all_bookings", "admin"]
UNKNOWN = "Chave de API não encontrada"
NO_TOKEN = "Autenticação necessária: envie um token válido."


@pytest.fixture
def tenant(api):
    return make_tenant(api)


@pytest.fixture
def admin(api, tenant):
    return make_person(api, tenant, user_type="admin")[1]


def make_key(api, scopes=(), **fields):
    return harness.create(api, "/auth/api-keys", {"name": "Site", "scopes": list(scopes), **fields})


def by(api, key):
    return api.bearing(key["key"])


def is_dead(api, key):
    checks.told(by(api, key).get("/auth/api-keys"), 401, NO_TOKEN)
    checks.told(by(api, key).get("/resources/"), 401, NO_TOKEN)


# --- Making, listing, revoking ----------------------------------------------------------


def test_shown_once(api, admin, tenant):
    reply = admin.post("/auth/api-keys", {"name": "Site", "scopes": ["can_view_all_bookings", "can_book"]})
    key = reply.json
    assert reply.status == 201 and reply.headers["Cache-Control"] == "no-store"
    assert list(key)[0] == "id" and key["tenant_id"] == tenant["id"]
    assert key["scopes"] == ["can_book", "can_view_all_bookings"]
    assert key["expires_at"] is None and key["last_used_at"] is None
    assert key["key"].startswith(key["prefix"]) and len(key["prefix"]) == 19
    told = {name: value for name, value in key.items() if name != "key"}
    assert admin.get("/auth/api-keys").json == [told]
    # Not even the operator is told it again.
    listed = api.get("/auth/api-keys", tenant_id=tenant["id"])
    assert listed.json == [told] and key["key"] not in listed.text


def test_created_by(api, admin, tenant):
    person, other = make_person(api, tenant, user_type="admin")
    assert make_key(other)["created_by"] == person["id"]
    assert make_key(api, tenant_id=tenant["id"])["created_by"] is None
    assert make_key(by(api, make_key(admin, ["admin"])))["created_by"] is None


def test_the_store_has_a_hash_and_no_key(api, marca, admin):
    key = make_key(admin, ["can_book"])
    secret = key["key"].split("_", 1)[1]
    rows = checks.texts(marca, "user", "SELECT hash FROM api_keys")
    assert len(rows) > 0 and all(len(row) == 43 for row in rows)
    content = base64.urlsafe_b64decode(secret + "==")
    for text in (secret, secret[-43:], base64.urlsafe_b64encode(content[32:]).decode().rstrip("=")):
        assert not any(text in row for row in rows)
        assert text not in marca.log()


def test_pages(api, admin):
    keys = [make_key(admin, name=f"Key {number}") for number in range(5)]
    walked = checks.walk(admin, "/auth/api-keys", 2)
    assert [key["id"] for key in walked] == [key["id"] for key in checks.by_id(keys)]


@pytest.mark.parametrize("body, wrong", [
    ({}, {"body.name": "missing", "body.scopes": "missing"}),
    ({"name": "", "scopes": ["root"]}, {"body.name": "string_too_short", "body.scopes.0": "enum"}),
    ({"name": "x", "scopes": ["can_book", "can_book"]}, {"body.scopes.1": "value_error"}),
    ({"name": "x", "scopes": "admin"}, {"body.scopes": "list_type"}),
    ({"name": "x" * 101, "scopes": None}, {"body.name": "string_too_long", "body.scopes": "null_forbidden"}),
    ({"name": "x", "scopes": [], "expires_at": "2025-12-01T11:59:59Z"}, {"body.expires_at": "value_error"}),
    ({"name": "x", "scopes": [], "expires_at": "2099-01-01T00:00:00"}, {"body.expires_at": "datetime_parsing"}),
])
def test_bad_bodies(admin, body, wrong):
    assert checks.issues(admin.post("/auth/api-keys", body)) == wrong


def test_the_operator_names_a_tenant(api, tenant):
    assert checks.issues(api.post("/auth/api-keys", {"name": "x", "scopes": []})) == {"body.tenant_id": "missing"}
    assert checks.issues(api.get("/auth/api-keys")) == {"query.tenant_id": "missing"}
    absent = "00000000-0000-7000-8000-000000000000"
    checks.is_absent(api.post("/auth/api-keys", {"name": "x", "scopes": [], "tenant_id": absent}), "Tenant não encontrado")
    key = make_key(api, ["admin"], tenant_id=tenant["id"])
    assert by(api, key).get("/auth/api-keys").json[0]["id"] == key["id"]
    assert api.delete(f"/auth/api-keys/{key['id']}").status == 204
    is_dead(api, key)


def test_tenants_keep_apart(api, admin, tenant):
    key = make_key(admin, ["admin"])
    stranger = make_person(api, make_tenant(api), user_type="admin")[1]
    absent = stranger.delete("/auth/api-keys/00000000-0000-7000-8000-000000000000")
    reply = stranger.delete(f"/auth/api-keys/{key['id']}")
    checks.is_absent(reply, UNKNOWN)
    assert set(reply.json) == set(absent.json)
    assert stranger.get("/auth/api-keys").json == []
    checks.is_absent(stranger.get("/auth/api-keys", tenant_id=tenant["id"]), "Tenant não encontrado")
    checks.is_absent(stranger.post("/auth/api-keys", {"name": "x", "scopes": [], "tenant_id": tenant["id"]}),
                     "Tenant não encontrado")
    assert by(api, key).get("/auth/api-keys").status == 200


def test_staff_alone(api, tenant):
    for permissions in ({}, {"can_manage_users": True, "can_manage_resources": True}):
        person = make_person(api, tenant, permissions=permissions)[1]
        for reply in (person.get("/auth/api-keys"), person.post("/auth/api-keys", {"name": "x", "scopes": []}),
                      person.delete("/auth/api-keys/00000000-0000-7000-8000-000000000000")):
            assert reply.status == 403
    key = make_key(api, SCOPES[:-1], tenant_id=tenant["id"])
    assert by(api, key).get("/auth/api-keys").status == 403


# --- What a scope opens -------------------------------------------------------------------


def test_scopes(api, tenant):
    """Each scope alone opens what needs it, and nothing that needs another."""
    opens = {
        "can_manage_resources": lambda of: of.post("/categories/", {"tenant_id": tenant["id"], "name": "x", "type": "fisico"}),
        "can_manage_users": lambda of: of.get("/users/"),
        "admin": lambda of: of.get("/auth/api-keys"),
    }
    for scope in SCOPES:
        key = by(api, make_key(api, [scope], tenant_id=tenant["id"]))
        for needed, ask in opens.items():
            assert ask(key).status in ((200, 201) if scope in (needed, "admin") else (403,)), (scope, needed)


def test_books_for_users(api, tenant):
    resource = make_resource(api, tenant, make_category(api, tenant))
    user = make_user(api, tenant)
    booking = {"tenant_id": tenant["id"], "resource_id": resource["id"], "user_id": user["id"],
               "start_time": "2025-12-05T14:00:00Z", "end_time": "2025-12-05T15:00:00Z"}
    assert by(api, make_key(api, [], tenant_id=tenant["id"])).post("/bookings/", booking).status == 403
    assert by(api, make_key(api, ["can_view_all_bookings"], tenant_id=tenant["id"])).post("/bookings/", booking).status == 403
    key = by(api, make_key(api, ["can_book", "can_view_all_bookings"], tenant_id=tenant["id"]))
    made = make_booking(key, resource, user, booking["start_time"], booking["end_time"])
    assert key.get(f"/bookings/{made['id']}").status == 200


def test_no_scopes(api, tenant):
    resource = make_resource(api, tenant, make_category(api, tenant))
    key = by(api, make_key(api, [], tenant_id=tenant["id"]))
    assert [item["id"] for item in key.get("/resources/").json] == [resource["id"]]
    assert key.get("/users/").status == 403


def test_no_key_is_a_person(api, tenant):
    key = by(api, make_key(api, ["admin"], tenant_id=tenant["id"]))
    checks.is_absent(key.get("/users/me"), "Usuário não encontrado")
    assert key.post("/auth/logout").status == 404


# --- The header -----------------------------------------------------------------------------


def test_both_headers(api, admin):
    key = make_key(admin, ["admin"])["key"]
    assert api.get("/auth/api-keys", headers={"X-API-Key": key}).status == 200
    assert api.get("/auth/api-keys", headers={"Authorization": f"bearer {key}"}).status == 200


def test_one_header_only(api, admin):
    key = make_key(admin, ["admin"])["key"]
    assert api.get("/auth/api-keys", headers={"X-API-Key": key, "Authorization": f"Bearer {key}"}).status == 401
    assert api.get("/auth/api-keys", headers={"X-API-Key": f"Bearer {key}"}).status == 401
    assert api.get("/auth/api-keys", headers={"X-API-Key": ""}).status == 401
    token = admin.headers["Authorization"].split()[1]
    assert api.get("/auth/api-keys", headers={"X-API-Key": token}).status == 401


# --- What is no key ----------------------------------------------------------------------------


def changed(key, at):
    """The same text with another letter at that place."""
    return key[:at] + ("A" if key[at] != "A" else "B") + key[at + 1 :]


def test_forged(api, admin, tenant):
    key = make_key(admin, ["admin"])
    assert by(api, key).get("/auth/api-keys").status == 200  # and it is in the cache
    other = make_key(admin, ["admin"])["key"]
    wrong = [
        *(changed(key["key"], at) for at in range(3, len(key["key"]) - 1, 7)),
        key["key"][:46] + other[46:],  # the ids of one, the secret of the other
        other[:46] + key["key"][46:],
        key["key"] + "A", key["key"][:-1], key["key"] + "=", "mk_", "mk", key["prefix"], "mr_" + key["key"][3:],
        key["key"].upper(), " " + key["key"], key["key"].replace("mk_", "mk-"),
    ]
    for text in wrong:
        checks.told(api.get("/auth/api-keys", headers={"Authorization": f"Bearer {text}"}), 401, NO_TOKEN)
    assert by(api, key).get("/auth/api-keys").status == 200


def test_another_tenants_id_in_it(api, admin, tenant):
    """A key whose text says another tenant is no key of either."""
    key = make_key(admin, ["admin"])
    assert by(api, key).get("/auth/api-keys").status == 200
    other = make_tenant(api)
    content = base64.urlsafe_b64decode(key["key"][3:] + "==")
    swapped = content[:16] + bytes.fromhex(other["id"].replace("-", "")) + content[32:]
    text = "mk_" + base64.urlsafe_b64encode(swapped).decode().rstrip("=")
    checks.told(api.get("/auth/api-keys", headers={"X-API-Key": text}), 401, NO_TOKEN)
    assert by(api, key).get("/auth/api-keys").status == 200


def test_revoked(api, admin):
    key, kept = make_key(admin, ["admin"]), make_key(admin, ["admin"])
    connection = by(api, key)
    assert connection.get("/auth/api-keys").status == 200
    assert admin.delete(f"/auth/api-keys/{key['id']}").status == 204
    checks.told(connection.get("/auth/api-keys"), 401, NO_TOKEN)
    is_dead(api, key)
    checks.is_absent(admin.delete(f"/auth/api-keys/{key['id']}"), UNKNOWN)
    assert [row["id"] for row in admin.get("/auth/api-keys").json] == [kept["id"]]


def test_revokes_itself(api, admin):
    key = make_key(admin, ["admin"])
    assert by(api, key).delete(f"/auth/api-keys/{key['id']}").status == 204
    is_dead(api, key)


def test_expired(store):
    """Also one that is in the cache: its end is looked at each time."""
    with harness.Marca(store) as marca:
        api = marca.api()
        tenant = make_tenant(api)
        now = email.utils.parsedate_to_datetime(api.get("/health").headers["Date"])
        end = (now + datetime.timedelta(seconds=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
        key = make_key(api, ["admin"], tenant_id=tenant["id"], expires_at=end)
        connection = by(api, key)
        assert connection.get("/auth/api-keys").status == 200
        harness.until("it has expired", lambda: connection.get("/auth/api-keys").status == 401)
        is_dead(api, key)
        assert [row["id"] for row in api.get("/auth/api-keys", tenant_id=tenant["id"]).json] == [key["id"]]


def test_tenant_deleted(api, tenant):
    key = make_key(api, ["admin"], tenant_id=tenant["id"])
    connection = by(api, key)
    assert connection.get("/auth/api-keys").status == 200
    assert api.delete(f"/tenants/{tenant['id']}").status == 204
    checks.told(connection.get("/auth/api-keys"), 401, NO_TOKEN)


def test_tenant_inactive(api, tenant):
    key = make_key(api, ["admin"], tenant_id=tenant["id"])
    connection = by(api, key)
    assert connection.get("/auth/api-keys").status == 200
    assert api.put(f"/tenants/{tenant['id']}", {"is_active": False}).status == 200
    checks.told(connection.get("/auth/api-keys"), 401, NO_TOKEN)
    assert api.put(f"/tenants/{tenant['id']}", {"is_active": True}).status == 200
    assert connection.get("/auth/api-keys").status == 200


def test_keys_of_a_deleted_tenant_are_revoked(api, marca, tenant):
    """Not only the tenant is looked for: nothing is left that could live again."""
    make_key(api, ["admin"], tenant_id=tenant["id"])
    living = f"SELECT name FROM api_keys WHERE revoked_at IS NULL AND tenant_id = {literal(marca, tenant['id'])}"
    assert checks.texts(marca, "user", living) == ["Site"]
    assert api.delete(f"/tenants/{tenant['id']}").status == 204
    harness.until("none lives", lambda: checks.texts(marca, "user", living) == [])


def literal(marca, uuid):
    return f"'{uuid}'" if marca.database is not None else f"x'{uuid.replace('-', '')}'"


# --- Last use ---------------------------------------------------------------------------------------


def last_used(admin, key):
    return next(row["last_used_at"] for row in admin.get("/auth/api-keys").json if row["id"] == key["id"])


def used_since(api, admin):
    """What was used until now has been written: the use of a further key has."""
    further = make_key(admin, ["can_book"])
    assert by(api, further).get("/resources/").status == 200
    harness.until("its use is told", lambda: last_used(admin, further))


def test_last_use(api, marca, admin):
    key = make_key(admin, ["can_book"])
    assert last_used(admin, key) is None
    assert by(api, key).get("/resources/").status == 200
    first = harness.until("its use is told", lambda: last_used(admin, key))
    assert first.startswith("2025-12-01T12:")
    # Within the minute nothing more is written, though what comes after it is.
    for _ in range(20):
        assert by(api, key).get("/resources/").status == 200
    used_since(api, admin)
    assert last_used(admin, key) == first


def test_a_refused_key_is_not_used(api, admin):
    key = make_key(admin, ["can_book"])
    api.get("/resources/", headers={"X-API-Key": changed(key["key"], 60)})
    used_since(api, admin)
    assert last_used(admin, key) is None


# --- Events -------------------------------------------------------------------------------------------


def test_events(api, marca, admin, tenant):
    key = make_key(admin, ["can_book"])
    assert admin.delete(f"/auth/api-keys/{key['id']}").status == 204
    types = checks.texts(marca, "user", "SELECT type FROM user_outbox WHERE tenant_id = " + literal(marca, tenant["id"]) +
                         " AND type LIKE 'api_key.%' ORDER BY version")
    assert types == ["api_key.created", "api_key.revoked"]
