"""Who logged in, and who was refused, stands in the log: by ids, and without a word of what he sent."""
import json

import pytest

import harness
from harness import Marca


@pytest.fixture
def marca():
    with Marca(env={"MARCA_AUTH": "required", "MARCA_LOG_FORMAT": "json"}) as marca:
        yield marca


def lines(marca, message):
    return [line for line in map(json.loads, marca.stderr.read_text().splitlines()) if line["message"] == message]


def person(marca):
    operator = marca.operator()
    tenant = harness.make_tenant(operator)
    return tenant, harness.make_user(operator, tenant, password=harness.PASSWORD, email="canary.person@example.com")


def test_logins_are_logged(marca):
    tenant, user = person(marca)
    api = marca.api()
    good = {"tenant_id": tenant["id"], "email": user["email"], "password": harness.PASSWORD}
    assert api.post("/auth/login", good).status == 200
    [entry] = lines(marca, "logged in")
    assert entry["user_id"] == user["id"] and entry["tenant_id"] == tenant["id"] and len(entry["trace_id"]) == 32
    bad = api.post("/auth/login", {**good, "password": "canary word of nobody"})
    assert bad.status == 401
    [entry] = lines(marca, "refused")
    assert entry["operation"] == "login" and entry["status"] == 401 and entry["trace_id"] == bad.json["trace_id"]
    assert "canary" not in marca.stderr.read_text()


def test_refusals_are_logged(marca):
    tenant, user = person(marca)
    assert marca.api().get("/tenants/").status == 401
    [entry] = lines(marca, "refused")
    assert entry["operation"] == "listTenants" and entry["status"] == 401
    api = marca.api().bearing(harness.log_in(marca.api(), tenant, user["email"])["access_token"])
    assert api.get("/tenants/").status == 403
    entry = lines(marca, "refused")[-1]
    assert entry["status"] == 403 and entry["user_id"] == user["id"] and entry["tenant_id"] == tenant["id"]
