"""Two processes on one PostgreSQL: what one changes, the other's caches let go, because they hear of it."""
import pytest

import harness
import streams
from business import ANY_TIME, Business

# So long that only an event can explain what is seen.
KEPT = {"CACHE_TTL_SECONDS": "3600"}


@pytest.fixture(scope="module")
def pair():
    with harness.Redis() as redis:
        env = {**KEPT, "REDIS_URL": redis.url}
        with harness.Marca("postgres", env=env) as first, harness.Marca("postgres", env=env, beside=first) as second:
            yield first, second


@pytest.fixture
def business(pair):
    return Business(pair[0].api(), ANY_TIME)


def slots(api, business):
    return api.get(f"/resources/{business.resource['id']}/availability", data="2025-12-05")


def test_settings(pair, business):
    first, second = (marca.api() for marca in pair)
    assert len(slots(second, business).json["slots"]) == 24
    assert first.put(f"/tenants/{business.id}/settings", {"booking_interval": 120}).status == 200
    assert len(slots(first, business).json["slots"]) == 12
    streams.until("the other process has heard", lambda: len(slots(second, business).json["slots"]) == 12)


def test_a_resource(pair, business):
    first, second = (marca.api() for marca in pair)
    path = f"/resources/{business.resource['id']}"
    assert slots(second, business).status == 200
    assert first.put(path, {"status": "manutencao"}).status == 200
    streams.until("the other process has heard", lambda: slots(second, business).status == 400)
    assert second.put(path, {"status": "disponivel"}).status == 200
    streams.until("and back", lambda: slots(first, business).status == 200)


def test_a_user(pair, business):
    first, second = (marca.api() for marca in pair)
    wanted = business.wanted("2025-12-05T10:00", "2025-12-05T11:00")
    assert second.post("/bookings/", wanted).status == 201
    assert first.delete(f"/users/{business.user['id']}").status == 204
    later = business.wanted("2025-12-05T12:00", "2025-12-05T13:00")

    def refused():
        reply = second.post("/bookings/", later)
        assert reply.status in (201, 404, 409), reply
        return reply.status == 404

    streams.until("the other process has heard", refused)


def test_changes_while_redis_was_away():
    """What was missed is let go all the same, once it is back."""
    with harness.Redis() as redis:
        env = {**KEPT, "REDIS_URL": redis.url}
        with harness.Marca("postgres", env=env) as first, harness.Marca("postgres", env=env, beside=first) as second:
            business = Business(first.api(), ANY_TIME)
            other = second.api()
            assert len(slots(other, business).json["slots"]) == 24
            redis.kill()
            assert first.api().put(f"/tenants/{business.id}/settings", {"booking_interval": 120}).status == 200
            redis.wipe()
            redis.start()
            streams.until("the other process has heard", lambda: len(slots(other, business).json["slots"]) == 12)


def test_one_relays_what_both_commit(pair, business):
    for marca in pair:
        reply = marca.api().post("/bookings/", business.wanted(
            "2025-12-05T10:00", "2025-12-05T11:00", resource_id=business.another_resource()["id"]))
        assert reply.status == 201, reply
        streams.until("it is in the stream", lambda id_=reply.json["id"]: id_ in [
            event["subject_id"] for event in streams.read(pair[0], "booking-events")])
