"""What a service in a process of its own needs, and what it does without."""
import subprocess

import pytest

import harness

BARE = {"TENANT_DATABASE_URL": None}


def refused(*words, **env):
    done = subprocess.run(
        [harness.binary(), "serve", "--listen", "127.0.0.1:0", *words], env={"PATH": "/usr/bin:/bin", **env}, capture_output=True,
        text=True, timeout=60, check=False)
    assert done.returncode == 1 and not done.stdout, done
    return done.stderr


def test_all_that_is_missing_is_told_at_once(tmp_path):
    said = refused("--service", "booking", MARCA_DATA=str(tmp_path))
    for name in ("REDIS_URL", "SERVICE_KEY", "USER_SERVICE_URL", "RESOURCE_SERVICE_URL"):
        assert f"marca: {name} is not set" in said, said
    assert "TENANT_SERVICE_URL" not in said, "there are defaults"


@pytest.mark.parametrize("name", ["nothing", "booking,nothing", "booking,,user", "Booking", "events", ""])
def test_unknown_services(tmp_path, name):
    assert "there is no service" in refused("--service", name, MARCA_DATA=str(tmp_path))


def test_a_key_that_is_too_short(tmp_path):
    said = refused("--service", "tenant", MARCA_DATA=str(tmp_path), SERVICE_KEY="x" * 31, REDIS_URL="redis://127.0.0.1:1",
                   USER_SERVICE_URL="http://127.0.0.1:1")
    assert "marca: SERVICE_KEY: it takes 32 bytes at least" in said


@pytest.mark.parametrize("url", ["127.0.0.1:8001", "ftp://127.0.0.1/", "http://", "user"])
def test_no_address_of_a_service(tmp_path, url):
    said = refused("--service", "tenant", MARCA_DATA=str(tmp_path), SERVICE_KEY="0f1e2d3c4b5a69788796a5b4c3d2e1f0",
                   REDIS_URL="redis://127.0.0.1:1", USER_SERVICE_URL=url)
    assert "marca: USER_SERVICE_URL: it is no address of a service" in said


def test_all_services_named_are_as_none_named():
    with harness.Marca(arguments=["--service", "tenant, user,resource,booking,audit"]) as marca:
        assert harness.make_tenant(marca.api())


def test_without_a_tenant_service_the_defaults_hold():
    """Where none is configured, and only there: 08:00 to 18:00 in steps of 30 minutes, for every tenant."""
    harness.need_store("fleet")
    with harness.Marca("fleet", env={"TENANT_SERVICE_URL": None, "DEFAULT_TIMEZONE": "America/Sao_Paulo"}) as fleet:
        api = fleet.api()
        tenant = harness.make_tenant(api)  # whose own rules nobody hears of
        resource = harness.make_resource(api, tenant, harness.make_category(api, tenant))
        day = api.get(f"/resources/{resource['id']}/availability", date="2025-12-05").json
        assert day["timezone"] == "America/Sao_Paulo" and len(day["slots"]) == 20
        assert day["slots"][0]["start_time"] == "2025-12-05T08:00:00-03:00"
        user = harness.make_user(api, tenant)
        booking = harness.make_booking(api, resource, user, "2025-12-05T11:00:00Z", "2025-12-05T11:30:00Z")
        assert booking["status"] == "pendente"
