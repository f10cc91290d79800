"""/categories/: the contract's section 4, on both stores. Resources that stand in the way: here as well."""
import pytest

import checks
import harness

TENANT_UNKNOWN = "Tenant não encontrado"
UNKNOWN = "Categoria não encontrada"
IN_USE = "Categoria em uso por recursos; remova-os antes."


@pytest.fixture
def tenant(api):
    return harness.make_tenant(api)


def test_the_least(api, tenant):
    reply = api.post("/categories/", {"tenant_id": tenant["id"], "name": "Salas", "type": "fisico"})
    assert reply.status == 201
    category = reply.json
    assert next(iter(category)) == "id" and category["is_active"] is True
    for name in ("description", "icon", "color", "category_metadata"):
        assert category[name] is None
    assert reply.headers["Location"] == f"/categories/{category['id']}" and reply.headers["ETag"] == '"1"'
    assert api.get(f"/categories/{category['id']}").json == category


def test_everything(api, tenant):
    sent = {
        "tenant_id": tenant["id"], "name": "Professores", "type": "humano", "description": "Quem dá aulas",
        "icon": "person", "color": "#4CAF50", "is_active": False,
        "category_metadata": {
            "requires_qualification": True, "allows_multiple_bookings": True,
            "custom_fields": [{"key": "registro", "type": "string", "required": True},
                              {"key": "desde", "type": "date", "required": False}],
        },
    }
    category = api.post("/categories/", sent).json
    assert {name: category[name] for name in sent} == sent


def test_metadata_is_filled_in(api, tenant):
    category = harness.make_category(api, tenant, category_metadata={"custom_fields": [{"key": "a", "type": "text"}]})
    assert category["category_metadata"] == {
        "requires_qualification": False, "allows_multiple_bookings": False,
        "custom_fields": [{"key": "a", "type": "text", "required": False}]}


def test_all_failing_fields_at_once(api):
    reply = api.post("/categories/", {
        "tenant_id": 1, "name": " " * 201, "type": "virtual", "description": 2, "icon": "i" * 81, "color": "green",
        "is_active": "yes", "category_metadata": {"requires_qualification": 1, "custom_fields": [
            {"type": "money"}, {"key": "", "type": "date", "required": None}, 3]},
    })
    at = "body.category_metadata"
    assert checks.issues(reply) == {
        "body.tenant_id": "string_type",
        "body.name": "string_too_long",
        "body.type": "enum",
        "body.description": "string_type",
        "body.icon": "string_too_long",
        "body.color": "value_error",
        "body.is_active": "bool_type",
        f"{at}.requires_qualification": "bool_type",
        f"{at}.custom_fields.0.key": "missing",
        f"{at}.custom_fields.0.type": "enum",
        f"{at}.custom_fields.1.key": "string_too_short",
        f"{at}.custom_fields.1.required": "null_forbidden",
        f"{at}.custom_fields.2": "dict_type",
    }
    assert checks.issues(api.post("/categories/", {})) == {
        "body.tenant_id": "missing", "body.name": "missing", "body.type": "missing"}


def test_a_custom_field_twice(api, tenant):
    reply = api.post("/categories/", {
        "tenant_id": tenant["id"], "name": "X", "type": "fisico",
        "category_metadata": {"custom_fields": [
            {"key": "a", "type": "text"}, {"key": "b", "type": "text"}, {"key": "a", "type": "date"}]}})
    assert checks.issues(reply) == {"body.category_metadata.custom_fields.2.key": "value_error"}


def test_unknown_tenant(api):
    body = {"tenant_id": checks.some_id(), "name": "X", "type": "fisico"}
    checks.is_absent(api.post("/categories/", body), TENANT_UNKNOWN)


def test_absent(api):
    path = f"/categories/{checks.some_id()}"
    for reply in (api.get(path), api.put(path, {}), api.delete(path)):
        checks.is_absent(reply, UNKNOWN)
    assert checks.issues(api.put("/categories/1", {"name": 1})) == {
        "path.id": "uuid_parsing", "body.name": "string_type"}


def test_list(api, tenant):
    other = harness.make_tenant(api)
    places = harness.make_category(api, tenant, name="Salões")
    people = harness.make_category(api, tenant, name="Médicos", type="humano")
    idle = harness.make_category(api, tenant, name="Sala fechada", is_active=False)
    theirs = harness.make_category(api, other, name="Salões")

    def listed(**query):
        return api.get("/categories/", tenant_id=tenant["id"], **query).json

    assert listed() == checks.by_id([places, people, idle])
    assert listed(type="humano") == [people]
    assert listed(is_active="false") == [idle]
    assert listed(search="saloes") == [places]
    assert listed(search="SAL") == checks.by_id([places, idle])
    assert listed(search="%") == []
    assert api.get("/categories/", tenant_id=other["id"]).json == [theirs]
    assert checks.issues(api.get("/categories/", type="x")) == {
        "query.tenant_id": "missing", "query.type": "enum"}


def test_pages_to_the_end(api, tenant):
    categories = checks.by_id(harness.make_category(api, tenant) for _ in range(11))
    for limit in (1, 5, 11, 12):
        assert checks.walk(api, "/categories/", limit, tenant_id=tenant["id"]) == categories


def test_put(api, tenant):
    category = harness.make_category(
        api, tenant, icon="room", color="#ABC", category_metadata={"allows_multiple_bookings": True})
    path = f"/categories/{category['id']}"
    reply = api.put(path, {"icon": None, "name": "Outro", "tenant_id": checks.some_id()})
    assert reply.status == 200 and reply.headers["ETag"] == '"2"'
    assert reply.json == {**category, "icon": None, "name": "Outro", "updated_at": reply.json["updated_at"]}
    assert checks.issues(api.put(path, {"name": None, "type": None, "is_active": None})) == {
        "body.name": "null_forbidden", "body.type": "null_forbidden", "body.is_active": "null_forbidden"}
    assert api.put(path, {"name": "X"}, headers={"If-Match": '"1"'}).status == 412
    assert api.put(path, {"category_metadata": None}, headers={"If-Match": '"2"'}).json["category_metadata"] is None


def test_deletion(api, tenant):
    category = harness.make_category(api, tenant)
    path = f"/categories/{category['id']}"
    assert api.delete(path, headers={"If-Match": '"2"'}).status == 412
    assert api.delete(path).status == 204
    for reply in (api.get(path), api.put(path, {}), api.delete(path)):
        checks.is_absent(reply, UNKNOWN)
    assert api.get("/categories/", tenant_id=tenant["id"]).json == []


def test_in_use(api, tenant):
    category = harness.make_category(api, tenant)
    path = f"/categories/{category['id']}"
    resource = harness.make_resource(api, tenant, category)
    checks.told(api.delete(path), 409, IN_USE)
    checks.told(api.delete(path, headers={"If-Match": '"1"'}), 409, IN_USE)
    assert api.get(path).headers["ETag"] == '"1"', "resources do not change their category"
    other = harness.make_category(api, tenant)
    assert api.put(f"/resources/{resource['id']}", {"category_id": other["id"]}).status == 200
    assert api.delete(path).status == 204
    assert api.delete(f"/resources/{resource['id']}").status == 204
    assert api.delete(f"/categories/{other['id']}").status == 204


def test_deleting_races_with_using(marca, api, tenant):
    """A category is deleted or has resources, never both, whoever comes first."""
    for _ in range(10):
        category = harness.make_category(api, tenant)
        body = {"tenant_id": tenant["id"], "category_id": category["id"], "name": "R"}
        replies = checks.race(marca, 8, lambda own, number: own.delete(f"/categories/{category['id']}")
                              if number == 4 else own.post("/resources/", body))
        created = [reply for reply in replies if reply.status == 201]
        gone = api.get(f"/categories/{category['id']}").status == 404
        assert gone != bool(created), replies
        assert replies[4].status == (204 if gone else 409)
        assert {reply.status for i, reply in enumerate(replies) if i != 4} <= ({404} if gone else {201})
        listed = api.get("/resources/", tenant_id=tenant["id"], category_id=category["id"]).json
        assert len(listed) == len(created)


def test_deleting_races_with_moving_into(marca, api, tenant):
    here = harness.make_category(api, tenant)
    resources = [harness.make_resource(api, tenant, here) for _ in range(4)]
    for _ in range(10):
        there = harness.make_category(api, tenant)
        replies = checks.race(marca, 5, lambda own, number: own.delete(f"/categories/{there['id']}")
                              if number == 4 else own.put(f"/resources/{resources[number]['id']}",
                                                          {"category_id": there["id"]}))
        moved = [reply for reply in replies[:4] if reply.status == 200]
        assert (replies[4].status == 204) != bool(moved), replies
        for resource in resources:
            reply = api.put(f"/resources/{resource['id']}", {"category_id": here["id"]})
            assert reply.status == 200 and reply.json["category"]["id"] == here["id"]


def test_events(marca, api, tenant):
    category = harness.make_category(api, tenant)
    assert checks.events(marca, "resource", "category_id", category["id"]) == []
    api.put(f"/categories/{category['id']}", {"name": "Outro"})
    assert checks.events(marca, "resource", "category_id", category["id"]) == [
        ("resource.changed", "tenant-events", {"category_id": category["id"], "tenant_id": tenant["id"]})]
