"""/resources/: the contract's section 4, on both stores."""
import pytest

import checks
import harness

TENANT_UNKNOWN = "Tenant não encontrado"
CATEGORY_UNKNOWN = "Categoria não encontrada"
UNKNOWN = "Recurso não encontrado"


@pytest.fixture
def tenant(api):
    return harness.make_tenant(api)


@pytest.fixture
def category(api, tenant):
    return harness.make_category(api, tenant)


def new(tenant, category, **fields):
    return {"tenant_id": tenant["id"], "category_id": category["id"], "name": "Sala", **fields}


def test_the_least(api, tenant, category):
    reply = api.post("/resources/", new(tenant, category))
    assert reply.status == 201
    resource = reply.json
    assert next(iter(resource)) == "id" and resource["status"] == "disponivel"
    assert resource["category"] == category
    for name in ("description", "capacity", "location", "attributes", "availability_schedule", "image_url"):
        assert resource[name] is None
    assert reply.headers["Location"] == f"/resources/{resource['id']}" and reply.headers["ETag"] == '"1"'
    assert api.get(f"/resources/{resource['id']}").json == resource


def test_everything(api, tenant, category):
    sent = new(
        tenant, category, description="Equipada", status="manutencao", capacity=20, location="Andar 2",
        attributes={"piso": "madeira", "espelhos": 4, "extra": {"a": [1, None]}},
        availability_schedule={"sunday": [], "monday": ["08:00-12:00"]}, image_url="https://exemplo.com/sala.jpg",
    )
    resource = api.post("/resources/", sent).json
    assert {name: resource[name] for name in sent} == sent


def test_all_failing_fields_at_once(api):
    reply = api.post("/resources/", {
        "tenant_id": "", "category_id": 5, "name": None, "description": "d" * 2001, "status": "livre", "capacity": 0,
        "location": [], "attributes": "x", "availability_schedule": {"monday": ["12:00-08:00"], "funday": []},
        "image_url": "ftp://x.com/a",
    })
    assert checks.issues(reply) == {
        "body.tenant_id": "uuid_parsing",
        "body.category_id": "string_type",
        "body.name": "null_forbidden",
        "body.description": "string_too_long",
        "body.status": "enum",
        "body.capacity": "greater_than_equal",
        "body.location": "string_type",
        "body.attributes": "dict_type",
        "body.availability_schedule.monday.0": "value_error",
        "body.availability_schedule.funday": "value_error",
        "body.image_url": "value_error",
    }
    assert checks.issues(api.post("/resources/", {})) == {
        "body.tenant_id": "missing", "body.category_id": "missing", "body.name": "missing"}


@pytest.mark.parametrize("capacity, status", [(1, 201), (None, 201), (-1, 422), (1.5, 422), ("2", 422), (10**20, 422)])
def test_capacity(api, tenant, category, capacity, status):
    assert api.post("/resources/", new(tenant, category, capacity=capacity)).status == status


def test_what_it_belongs_to(api, tenant, category):
    other = harness.make_tenant(api)
    theirs = harness.make_category(api, other)
    checks.is_absent(api.post("/resources/", new({"id": checks.some_id()}, category)), TENANT_UNKNOWN)
    absent = api.post("/resources/", new(tenant, {"id": checks.some_id()}))
    foreign = api.post("/resources/", new(tenant, theirs))
    checks.is_absent(absent, CATEGORY_UNKNOWN)
    checks.is_absent(foreign, CATEGORY_UNKNOWN)
    assert absent.json.keys() == foreign.json.keys()
    api.delete(f"/categories/{category['id']}")
    checks.is_absent(api.post("/resources/", new(tenant, category)), CATEGORY_UNKNOWN)


def test_absent(api):
    path = f"/resources/{checks.some_id()}"
    for reply in (api.get(path), api.put(path, {}), api.delete(path)):
        checks.is_absent(reply, UNKNOWN)


# --- Attributes ---------------------------------------------------------------------


@pytest.fixture
def described(api, tenant):
    fields = [
        {"key": "piso", "type": "string", "required": True},
        {"key": "nota", "type": "text", "required": False},
        {"key": "area", "type": "number", "required": True},
        {"key": "portas", "type": "integer", "required": False},
        {"key": "wifi", "type": "boolean", "required": False},
        {"key": "desde", "type": "date", "required": False},
    ]
    return harness.make_category(api, tenant, category_metadata={"custom_fields": fields})


GOOD = {"piso": "madeira", "nota": "", "area": 40.5, "portas": 2, "wifi": False, "desde": "2024-02-29", "mais": [1]}


def test_attributes_that_fit(api, tenant, described):
    assert api.post("/resources/", new(tenant, described, attributes=GOOD)).json["attributes"] == GOOD
    few = {"piso": "x", "area": 1, "nota": None}
    assert api.post("/resources/", new(tenant, described, attributes=few)).json["attributes"] == few


def test_attributes_that_do_not_fit(api, tenant, described):
    bad = {"piso": 1, "nota": [], "area": "40", "portas": 2.5, "wifi": "yes", "desde": "2023-02-29"}
    assert checks.issues(api.post("/resources/", new(tenant, described, attributes=bad))) == {
        f"body.attributes.{name}": "value_error" for name in bad}


@pytest.mark.parametrize("fields", [{}, {"attributes": None}, {"attributes": {}}, {"attributes": {"piso": None}}])
def test_attributes_that_are_missing(api, tenant, described, fields):
    assert checks.issues(api.post("/resources/", new(tenant, described, **fields))) == {
        "body.attributes.piso": "missing", "body.attributes.area": "missing"}


def test_attributes_on_a_change(api, tenant, category, described):
    resource = harness.make_resource(api, tenant, described, attributes=GOOD)
    path = f"/resources/{resource['id']}"
    assert set(checks.issues(api.put(path, {"attributes": {"piso": "x"}}))) == {"body.attributes.area"}
    assert set(checks.issues(api.put(path, {"attributes": None}))) == {"body.attributes.piso", "body.attributes.area"}
    plain = harness.make_resource(api, tenant, category)
    moved = api.put(f"/resources/{plain['id']}", {"category_id": described["id"]})
    assert set(checks.issues(moved)) == {"body.attributes.piso", "body.attributes.area"}
    body = {"category_id": described["id"], "attributes": GOOD}
    assert api.put(f"/resources/{plain['id']}", body).json["category"] == described


def test_a_category_that_asks_for_more(api, tenant, category):
    """What is there stays until it is next sent."""
    resource = harness.make_resource(api, tenant, category, attributes={"a": 1})
    path = f"/resources/{resource['id']}"
    metadata = {"custom_fields": [{"key": "a", "type": "text", "required": True}]}
    assert api.put(f"/categories/{category['id']}", {"category_metadata": metadata}).status == 200
    assert api.put(path, {"name": "Outro"}).status == 200
    assert checks.issues(api.put(path, {"attributes": {"a": 1}})) == {"body.attributes.a": "value_error"}


# --- Schedules ------------------------------------------------------------------------


@pytest.mark.parametrize("schedule", [
    None, {}, {"schedule": []}, {"monday": []},
    {"sunday": ["08:00-12:00", "13:00-24:00"], "Monday": [{"end": "12:00:30", "start": "08:00"}]},
    {"schedule": [{"end_time": "12:00", "day_of_week": 6, "start_time": "08:00", "note": "x"}]},
])
def test_schedule_comes_back_as_sent(api, tenant, category, schedule):
    resource = harness.make_resource(api, tenant, category, availability_schedule=schedule)
    assert resource["availability_schedule"] == schedule
    if schedule:
        text = api.get(f"/resources/{resource['id']}").json["availability_schedule"]
        assert list(text) == list(schedule), "in the same order too"


@pytest.mark.parametrize("schedule, at", [
    ([], ""),
    ({"segunda": []}, ".segunda"),
    ({"monday": "08:00-12:00"}, ".monday"),
    ({"monday": ["08:00"]}, ".monday.0"),
    ({"monday": ["08:00-12:00", "24:00-25:00"]}, ".monday.1"),
    ({"monday": ["12:00-12:00"]}, ".monday.0"),
    ({"monday": [{"start": "08:00"}]}, ".monday.0.end"),
    ({"schedule": [], "monday": []}, ""),
    ({"schedule": [{"day_of_week": 7, "start_time": "08:00", "end_time": "12:00"}]}, ".schedule.0.day_of_week"),
    ({"monday": [f"{n // 60:02}:{n % 60:02}-24:00" for n in range(49)]}, ".monday.48"),
])
def test_bad_schedules(api, tenant, category, schedule, at):
    reply = api.post("/resources/", new(tenant, category, availability_schedule=schedule))
    assert list(checks.issues(reply)) == [f"body.availability_schedule{at}"]


# --- Lists ------------------------------------------------------------------------------


def test_list(api, tenant, category):
    other_category = harness.make_category(api, tenant)
    other = harness.make_tenant(api)
    theirs = harness.make_resource(api, other, harness.make_category(api, other), name="Sala São João")
    one = harness.make_resource(api, tenant, category, name="Sala São João")
    two = harness.make_resource(api, tenant, category, name="Bicicleta", status="manutencao")
    three = harness.make_resource(api, tenant, other_category, name="SALA 3")

    def listed(**query):
        return api.get("/resources/", tenant_id=tenant["id"], **query).json

    assert listed() == checks.by_id([one, two, three])
    assert listed(category_id=category["id"]) == checks.by_id([one, two])
    assert listed(category_id=other_category["id"], search="sala") == [three]
    assert listed(category_id=checks.some_id()) == []
    assert listed(category_id=theirs["category_id"]) == []
    assert listed(status="manutencao") == [two]
    assert listed(search="sao joao") == [one]
    assert listed(search="sala") == checks.by_id([one, three])
    assert api.get("/resources/", tenant_id=other["id"]).json == [theirs]
    assert api.get("/resources/", tenant_id=checks.some_id()).json == []
    assert set(checks.issues(api.get("/resources/", category_id="x", status="y"))) == {
        "query.tenant_id", "query.category_id", "query.status"}


def test_pages_to_the_end(api, tenant, category):
    other = harness.make_category(api, tenant)
    resources = checks.by_id(harness.make_resource(api, tenant, other if i % 3 == 0 else category) for i in range(20))
    for limit in (1, 6, 20, 21):
        assert checks.walk(api, "/resources/", limit, tenant_id=tenant["id"]) == resources
    of_other = [resource for resource in resources if resource["category_id"] == other["id"]]
    assert checks.walk(api, "/resources/", 4, tenant_id=tenant["id"], category_id=other["id"]) == of_other


# --- Changing and deleting --------------------------------------------------------------


def test_put(api, tenant, category):
    resource = harness.make_resource(
        api, tenant, category, capacity=3, location="Andar 2", availability_schedule={"monday": ["08:00-09:00"]})
    path = f"/resources/{resource['id']}"
    reply = api.put(path, {"capacity": None, "availability_schedule": None, "name": "N", "tenant_id": checks.some_id()})
    assert reply.status == 200 and reply.headers["ETag"] == '"2"'
    assert reply.json == {**resource, "capacity": None, "availability_schedule": None, "name": "N",
                          "updated_at": reply.json["updated_at"]}
    assert api.get(path).json == reply.json
    nulls = ("category_id", "name", "status")
    assert checks.issues(api.put(path, dict.fromkeys(nulls))) == {f"body.{name}": "null_forbidden" for name in nulls}
    assert api.put(path, {"name": "X"}, headers={"If-Match": '"1"'}).status == 412
    assert api.put(path, {"name": "X"}, headers={"If-Match": '"2"'}).status == 200


def test_put_into_another_category(api, tenant, category):
    resource = harness.make_resource(api, tenant, category)
    path = f"/resources/{resource['id']}"
    theirs = harness.make_category(api, harness.make_tenant(api))
    checks.is_absent(api.put(path, {"category_id": checks.some_id()}), CATEGORY_UNKNOWN)
    checks.is_absent(api.put(path, {"category_id": theirs["id"]}), CATEGORY_UNKNOWN)
    other = harness.make_category(api, tenant)
    assert api.put(path, {"category_id": other["id"]}).json["category"] == other


def test_category_within_is_the_category_now(api, tenant, category):
    resource = harness.make_resource(api, tenant, category)
    changed = api.put(f"/categories/{category['id']}", {"name": "Novo nome"}).json
    assert api.get(f"/resources/{resource['id']}").json["category"] == changed


def test_deletion_and_events(marca, api, tenant, category):
    resource = harness.make_resource(api, tenant, category)
    path = f"/resources/{resource['id']}"
    ids = {"resource_id": resource["id"], "tenant_id": tenant["id"]}
    assert checks.events(marca, "resource", "resource_id", resource["id"]) == []
    api.put(path, {"name": "N"})
    assert api.delete(path, headers={"If-Match": '"1"'}).status == 412
    assert api.delete(path).status == 204
    for reply in (api.get(path), api.put(path, {}), api.delete(path)):
        checks.is_absent(reply, UNKNOWN)
    assert api.get("/resources/", tenant_id=tenant["id"]).json == []
    assert checks.events(marca, "resource", "resource_id", resource["id"]) == [
        ("resource.changed", "tenant-events", ids), ("resource.deleted", "deletion-events", ids)]
