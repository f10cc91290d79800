"""What a process keeps of its neighbours is let go when they tell of a change, long before its time is over."""
import concurrent.futures

import pytest

import harness
import page

DAY = "2025-12-05"


@pytest.fixture(scope="module")
def fleet():
    harness.need_store("fleet")
    with harness.Marca("fleet", env={"CACHE_TTL_SECONDS": "3600"}) as fleet:
        yield fleet


@pytest.fixture
def api(fleet):
    return fleet.api()


@pytest.fixture
def tenant(api):
    return harness.make_tenant(api)


@pytest.fixture
def resource(api, tenant):
    return harness.make_resource(api, tenant, harness.make_category(api, tenant))


def slots(api, resource):
    return len(api.get(f"/resources/{resource['id']}/availability", date=DAY).json["slots"])


def count(fleet, process, name, service):
    return page.read(harness.Api(fleet.members[process].address)).get(name, service=service)


def test_what_is_kept_is_not_asked_again(fleet, api, resource):
    slots(api, resource)
    before = count(fleet, "resource", "marca_neighbour_reads_total", "tenant")
    for _ in range(5):
        slots(api, resource)
    assert count(fleet, "resource", "marca_neighbour_reads_total", "tenant") == before
    assert count(fleet, "resource", "marca_neighbour_reads_total", "booking") >= 6, "but for what is taken"


def test_settings(api, tenant, resource):
    assert slots(api, resource) == 16
    api.put(f"/tenants/{tenant['id']}/settings", {"booking_interval": 120})
    harness.until("slots of two hours", lambda: slots(api, resource) == 8)


def test_resources(api, tenant, resource):
    user = harness.make_user(api, tenant)
    harness.make_booking(api, resource, user, f"{DAY}T12:00:00Z", f"{DAY}T13:00:00Z")
    api.put(f"/resources/{resource['id']}", {"status": "manutencao"})
    hours = iter(range(13, 24))

    def refused():
        hour = next(hours)
        body = {"tenant_id": tenant["id"], "resource_id": resource["id"], "user_id": user["id"],
                "start_time": f"{DAY}T{hour}:00:00Z", "end_time": f"{DAY}T{hour + 1}:00:00Z"}
        return api.post("/bookings/", body).status == 400

    harness.until("it is not booked any more", refused)


def test_sessions_and_users(api, tenant):
    """By the booking service, which keeps what the user service has said of a token."""
    _, person = harness.make_person(api, tenant, user_type="admin")
    assert person.get("/bookings/").status == 200
    assert person.post("/auth/logout", {}).status in (200, 204)
    harness.until("the session is over there too", lambda: person.get("/bookings/").status == 401)

    user, person = harness.make_person(api, tenant, user_type="admin")
    assert person.get("/audit/").status == 200
    api.put(f"/users/{user['id']}", {"user_type": "user"})
    harness.until("he is no admin any more", lambda: person.get("/audit/").status == 403)


def test_keys(api, tenant):
    key = harness.create(api, "/auth/api-keys", {"name": "Site", "scopes": ["admin"], "tenant_id": tenant["id"]})
    site = api.bearing(key["key"])
    assert site.get("/bookings/").status == 200
    assert api.delete(f"/auth/api-keys/{key['id']}").status == 204
    harness.until("it is good nowhere", lambda: site.get("/bookings/").status == 401)


def test_many_questions_share_a_call(fleet, api, resource):
    """Each of these asks the booking service what is taken."""
    def ask(_):
        own = fleet.api()
        return [slots(own, resource) for _ in range(5)]

    def shared():
        before = [count(fleet, "resource", f"marca_neighbour_{what}_total", "booking") for what in ("reads", "calls")]
        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            assert {number for numbers in pool.map(ask, range(24)) for number in numbers} == {16}
        reads, calls = (count(fleet, "resource", f"marca_neighbour_{what}_total", "booking") - was
                        for what, was in zip(("reads", "calls"), before))
        assert reads == 120 and calls <= reads
        return calls < reads

    harness.until("fewer calls than questions", shared)
