"""From the commit to the streams and the effects, on both stores and both buses."""
import json

import pytest

import harness
import ledger
import streams
from business import ANY_TIME, Business

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def business(served):
    return Business(served.api(), ANY_TIME)


def of_tenant(marca, stream, tenant_id):
    return [event for event in streams.read(marca, stream) if event["tenant_id"] == tenant_id]


def test_each_change_is_one_event_in_its_stream(served, business):
    api = served.api(headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"})
    booking = api.post("/bookings/", business.wanted("2025-12-05T10:00", "2025-12-05T11:00")).json
    path = f"/bookings/{booking['id']}"
    api.put(path, {"notes": 'a "quoted" \\ line\nand ção €'})
    api.patch(f"{path}/status", {"status": "confirmado"})
    api.patch(f"{path}/cancel", {"reason": "chuva"}, cancelled_by="balcão")
    streams.settle(served)

    events = of_tenant(served, "booking-events", business.id)
    assert [(event["type"], event["version"]) for event in events] == [
        ("booking.created", 1), ("booking.updated", 2), ("booking.status_changed", 3), ("booking.cancelled", 4)]
    assert {event["subject_id"] for event in events} == {booking["id"]}
    assert {event["trace_id"] for event in events} == {TRACE}
    assert events[1]["payload"]["changes"]["notes"]["new"] == 'a "quoted" \\ line\nand ção €'
    assert events[3]["payload"] == {
        "booking_id": booking["id"], "resource_id": business.resource["id"], "user_id": business.user["id"],
        "reason": "chuva", "cancelled_by": "balcão"}
    streams.check_all(served, business.id)


def test_what_caches_hear(served, business):
    api = served.api()
    api.put(f"/tenants/{business.id}/settings", {"cancellation_hours": 3})
    api.put(f"/users/{business.user['id']}", {"name": "Outra"})
    api.put(f"/resources/{business.resource['id']}", {"name": "Outra"})
    streams.settle(served)
    told = {event["type"]: event["payload"] for event in of_tenant(served, "tenant-events", business.id)}
    assert told == {
        "tenant.settings_changed": {"tenant_id": business.id},
        "user.changed": {"user_id": business.user["id"], "tenant_id": business.id},
        "resource.changed": {"resource_id": business.resource["id"], "tenant_id": business.id},
    }


def test_deleting_a_resource_cancels_its_bookings(served, business):
    booking = business.book("2025-12-05T10:00", "2025-12-05T11:00")
    other = business.book("2025-12-05T10:00", "2025-12-05T11:00", resource_id=business.another_resource()["id"])
    assert served.api().delete(f"/resources/{business.resource['id']}").status == 204
    streams.settle(served)
    found = served.api().get(f"/bookings/{booking['id']}").json
    assert (found["status"], found["cancellation_reason"]) == ("cancelado", "Recurso deletado")
    assert found["cancelled_at"] is not None
    assert served.api().get(f"/bookings/{other['id']}").json["status"] == "pendente"
    events = of_tenant(served, "booking-events", business.id)
    assert [event["type"] for event in events if event["subject_id"] == booking["id"]] == [
        "booking.created", "booking.cancelled"]
    streams.check_all(served, business.id)


def test_deleting_a_tenant_takes_all_that_it_has(served, business):
    api = served.api()
    booking = business.book("2025-12-05T10:00", "2025-12-05T11:00")
    paths = [f"/bookings/{booking['id']}", f"/users/{business.user['id']}", f"/resources/{business.resource['id']}",
             f"/categories/{business.category['id']}"]
    assert api.delete(f"/tenants/{business.id}").status == 204
    streams.settle(served)
    for path in paths:
        streams.until(f"{path} is gone", lambda path=path: api.get(path).status == 404)
    cancelled = [event for event in of_tenant(served, "booking-events", business.id) if event["type"] == "booking.cancelled"]
    assert [event["subject_id"] for event in cancelled] == [booking["id"]]
    deleted = {event["type"] for event in of_tenant(served, "deletion-events", business.id)}
    assert deleted == {"tenant.deleted", "user.deleted", "resource.deleted"}


def test_redis_entries_are_as_the_contract_says(store):
    with harness.Redis() as redis, harness.Marca(store, env={"REDIS_URL": redis.url, "EVENT_STREAM": "agenda"}) as marca:
        business = Business(marca.api(), ANY_TIME)
        booking = business.book("2025-12-05T10:00", "2025-12-05T11:00")
        streams.settle(marca)
        with redis.client() as client:
            entries = client.xrange("agenda")
        assert [id_ for id_, _ in entries] == ["1-0"]
        fields = entries[0][1]
        assert set(fields) == {"event_type", "payload", "metadata"}
        assert fields["event_type"] == "booking.created"
        assert json.loads(fields["payload"])["booking_id"] == booking["id"]
        metadata = json.loads(fields["metadata"])
        assert metadata["tenant_id"] == business.id and metadata["sequence"] == 1
        row = ledger.outbox(marca, "booking", tenant_id=business.id)[0]
        assert metadata["trace_id"] == row.trace_id
        assert {"event_id", "occurred_at"} < set(metadata)


def test_over_tls(tmp_path):
    (certificate, key), port = harness.certificate(tmp_path), harness.free_port()
    tls = ("--tls-port", str(port), "--tls-cert-file", certificate, "--tls-key-file", key, "--tls-auth-clients", "no")
    env = {"REDIS_URL": f"rediss://127.0.0.1:{port}", "REDIS_CA_FILE": str(certificate)}
    with harness.Redis(*tls), harness.Marca("sqlite", env=env) as marca:
        business = Business(marca.api(), ANY_TIME)
        business.book("2025-12-05T10:00", "2025-12-05T11:00")
        streams.settle(marca)
        streams.check_all(marca, business.id)


def test_streams_go_on_after_a_restart(store, own_bus):
    with harness.Marca(store, env=own_bus) as marca:
        business = Business(marca.api(), ANY_TIME)
        business.book("2025-12-05T10:00", "2025-12-05T11:00")
        marca.stop()
        marca.start()
        business.api = marca.api()
        business.book("2025-12-05T11:00", "2025-12-05T12:00")
        streams.until("both are there", lambda: len(of_tenant(marca, "booking-events", business.id)) == 2)
        streams.check_order(streams.read(marca, "booking-events"))


def test_metrics_count_them(served, business):
    business.book("2025-12-05T10:00", "2025-12-05T11:00")
    streams.settle(served)
    text = served.api().get("/metrics").text
    for name in ("marca_events_published_total", "marca_relay_leads", "marca_events_handled_total",
                 "marca_events_repeated_total", "marca_events_retried_total", "marca_events_dead_total"):
        assert f"\n{name}{{" in text, name
    streams.until("lag is told", lambda: 'marca_events_lag{group="user-service",stream="booking-events"} 0'
                  in served.api().get("/metrics").text)
