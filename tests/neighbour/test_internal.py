"""What services ask one another is answered to nobody else, and on behalf of nobody but who asked."""
import hashlib
import json
import pathlib
import time
import uuid

import pytest

import harness

READS = "/internal/reads"
PURPOSE = b"marca: calls between services, 1"
HERE = pathlib.Path(__file__).parent


@pytest.fixture(scope="module")
def fleet():
    harness.need_store("fleet")
    with harness.Marca("fleet") as fleet:
        yield fleet


@pytest.fixture(scope="module")
def tenants(fleet):
    return [harness.make_tenant(fleet.api()) for _ in range(2)]


@pytest.fixture
def service(fleet):
    """A connection past the gateway, to the tenant service itself."""
    api = harness.Api(fleet.members["tenant"].address)
    yield api
    api.close()


def signed(secret, path, body, at):
    """src/neighbour/signature.h, written anew."""
    key = hashlib.blake2b(PURPOSE, digest_size=32, key=secret.encode()[:64]).digest()
    mac = hashlib.blake2b(f"{at}\n{path}\n".encode() + body, digest_size=32, key=key).hexdigest()
    return {"Marca-Service": f"{at} {mac}", "Content-Type": "application/json"}


def now(service):
    """The seconds of the service's own clock, which tests have started in the past."""
    import email.utils

    return int(email.utils.parsedate_to_datetime(service.get("/health").headers["Date"]).timestamp())


def question(query, given, caller=None, room="tenant"):
    return {"room": room, "query": query, "trace_id": "ab" * 16, "caller": caller or {"role": "operator"}, "given": given}


def ask(fleet, service, *questions):
    body = json.dumps({"reads": questions}).encode()
    return service.post(READS, body, signed(fleet.env["SERVICE_KEY"], READS, body, now(service)))


def answers(reply):
    assert reply.status == 200, reply
    return reply.json["answers"]


def plain(reply):
    """Without what differs from one request to the next."""
    return {name: value for name, value in reply.json.items() if name not in ("trace_id", "instance")}, reply.status


def test_a_signed_question_is_answered(fleet, service, tenants):
    north, _ = tenants
    got = answers(ask(fleet, service, question("tenant_rules_by_id", {"id": north["id"]}),
                      question("tenant_rules_by_id", {"id": str(uuid.uuid4())})))
    assert got[0]["rows"][0]["timezone"] == "America/Sao_Paulo" and got[1] == {"rows": []}


@pytest.mark.parametrize("path", [READS, "/internal/principal", "/internal/admins", "/internal/admins/undo"])
def test_to_anybody_else_there_is_no_such_route(fleet, service, path):
    address = fleet.members["tenant" if path == READS else "user"].address
    api = harness.Api(address)
    absent = plain(api.post("/internal/nothing", {}))
    body = b"{}"
    at, key = now(api), fleet.env["SERVICE_KEY"]
    good = signed(key, path, body, at)["Marca-Service"]
    for header in (None, "", "x", good.replace(" ", "  "), good[:-1], good.upper().replace(" ", "-"), f"{at} {'0' * 64}",
                   signed("another key of 32 bytes or more.", path, body, at)["Marca-Service"],
                   signed(key, path, b"{ }", at)["Marca-Service"], signed(key, "/internal/other", body, at)["Marca-Service"],
                   signed(key, path, body, at - 70)["Marca-Service"], signed(key, path, body, at + 70)["Marca-Service"]):
        headers = {"Content-Type": "application/json", **({} if header is None else {"Marca-Service": header})}
        assert plain(api.post(path, body, headers)) == absent, header
    # Nor to an operator's token.
    assert plain(fleet.api().bearing(fleet.run("token").strip()).post(path, body)) == plain(fleet.api().post("/nothing", {}))
    api.close()


def test_not_through_the_gateway(fleet, tenants):
    body = json.dumps({"reads": [question("tenant_rules_by_id", {"id": tenants[0]["id"]})]}).encode()
    api = fleet.api()
    reply = api.post(READS, body, signed(fleet.env["SERVICE_KEY"], READS, body, now(api)))
    assert reply.status == 404 and reply.json["error"] == "not_found"
    assert api.get("/metrics").status == 404


def test_walls_hold_for_who_asked(fleet, service, tenants):
    """A service asks on behalf of somebody; it cannot be talked into another tenant's rows."""
    north, south = tenants
    caller = {"role": "admin", "rights": 15, "tenant_id": north["id"]}
    got = answers(ask(fleet, service, question("tenant_rules_by_id", {"id": north["id"]}, caller),
                      question("tenant_rules_by_id", {"id": south["id"]}, caller)))
    assert len(got[0]["rows"]) == 1 and got[1] == {"error": "internal_error"}


def test_an_operators_question_is_for_the_operator(fleet, tenants):
    user = harness.make_user(fleet.api(), tenants[0])
    api = harness.Api(fleet.members["user"].address)
    asked = {"room": "user", "query": "user_tenant_of", "given": {"id": user["id"]}}
    got = answers(ask(fleet, api, question(**asked), question(**asked, caller={"role": "admin", "tenant_id": tenants[0]["id"]})))
    assert got == [{"rows": [{"tenant_id": tenants[0]["id"]}]}, {"error": "internal_error"}]
    api.close()


@pytest.mark.parametrize("room, query", [
    ("tenant", "tenants_page"), ("tenant", "tenant_insert"), ("tenant", "nothing"), ("user", "user_brief_by_id"), ("events", "x"),
    ("nowhere", "tenant_rules_by_id"),
])
def test_only_what_is_marked_and_here(fleet, service, room, query):
    """The tenant service has no users; and what is not marked for neighbours is not there for them."""
    assert answers(ask(fleet, service, question(query, {"id": str(uuid.uuid4())}, room=room))) == [{"error": "not_found"}]


@pytest.mark.parametrize("given", [
    {}, {"id": None}, {"id": 7}, {"id": "x"}, {"id": ["00000000-0000-0000-0000-000000000000"]}, {"id": "' OR 1=1 --"},
    {"ID": "00000000-0000-0000-0000-000000000000"},
])
def test_parameters_are_of_their_kind(fleet, service, given):
    assert answers(ask(fleet, service, question("tenant_rules_by_id", given))) == [{"error": "validation_error"}]


def test_bodies_that_are_none(fleet, service):
    for body in (b"", b"{", b"[]", b'{"reads":7}', b'{"reads":[{}]}', b'{"reads":[' + b"[" * 5000, b"\xff" * 100):
        reply = service.post(READS, body, signed(fleet.env["SERVICE_KEY"], READS, body, now(service)))
        assert reply.status == 422, (body, reply)
    assert answers(ask(fleet, service)) == []
    assert ask(fleet, service, *[question("tenant_rules_by_id", {"id": str(uuid.uuid4())})] * 65).status == 422


def test_a_question_can_be_overheard_for_a_minute_only(fleet, service, tenants):
    body = json.dumps({"reads": [question("tenant_rules_by_id", {"id": tenants[0]["id"]})]}).encode()
    at = now(service)
    for age, status in ((0, 200), (55, 200), (65, 404)):
        assert service.post(READS, body, signed(fleet.env["SERVICE_KEY"], READS, body, at - age)).status == status, age


def test_nothing_of_it_is_in_the_documents(fleet):
    api = fleet.api()
    assert "/internal/" not in api.get("/openapi.json").text
    assert "/internal/" not in api.get("/api-docs/users/openapi.json").text


def test_a_password_does_not_stay_in_a_log(fleet):
    """The first admin's goes from the tenant service to the user service."""
    tenant = harness.make_tenant(fleet.api(), admin={"name": "Ana", "email": "ana@example.com", "password": "correct horse canary"})
    login = fleet.api().post("/auth/login", {"tenant_id": tenant["id"], "email": "ana@example.com", "password": "correct horse canary"})
    assert login.status == 200
    assert "canary" not in fleet.log() and fleet.env["SERVICE_KEY"] not in fleet.log()
