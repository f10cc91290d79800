"""What a visitor meets before any booking: health, documentation, an honest 404, the first curl of `make run`."""
import json
import re
import subprocess

import harness


def test_health_and_ready(api):
    assert api.get("/health").status == 200
    ready = api.get("/ready")
    assert ready.status == 200 and {"status", "service", "checks"} <= set(ready.json)


def test_openapi_names_every_collection(api):
    document = api.get("/openapi.json").json
    assert document["openapi"].startswith("3.1")
    paths = {path.rstrip("/") for path in document["paths"]}
    assert {"/tenants", "/users", "/categories", "/resources", "/bookings"} <= paths


def test_unknown_route_is_a_problem(api):
    reply = api.get("/nowhere", headers={"Accept-Language": "en"})
    assert reply.status == 404
    assert reply.headers["Content-Type"].startswith("application/problem+json")
    wanted = {"type", "title", "status", "detail", "instance", "success", "error", "message", "trace_id"}
    assert wanted <= set(reply.json) and reply.json["success"] is False


def test_slash_or_none(api):
    tenant = harness.make_tenant(api)
    assert api.get("/users", tenant_id=tenant["id"]).json == api.get("/users/", tenant_id=tenant["id"]).json == []


def test_first_curl_of_make_run(marca):
    banner = subprocess.run(
        [harness.ROOT / "scripts/run", "--banner", marca.url], capture_output=True, text=True, check=True
    ).stdout
    curl = re.search(r"curl .*\}'$", banner, re.S | re.M).group()
    # -f: fails unless the answer is a success.
    done = subprocess.run(["bash", "-c", curl.replace("curl", "curl -sSf", 1)], capture_output=True, check=True)
    assert json.loads(done.stdout)["domain"] == "academia-fit.com"
