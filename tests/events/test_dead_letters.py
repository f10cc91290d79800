"""An event whose effect can never be had: it is tried, buried, shown, given back and dropped; the others go on."""
import uuid

import pytest

import harness
import ledger
import streams
from business import ANY_TIME, Business


def plant(marca, tenant_id):
    """An event that says nothing, in the outbox of a server that does not run. Its id."""
    id_, subject = str(uuid.uuid4()), str(uuid.uuid4())
    values = (
        f"{ledger.literal(marca, tenant_id)}, {ledger.literal(marca, id_)}, 0, 'booking-events', 'booking.created', "
        f"{ledger.literal(marca, subject)}, 1, '{{}}', '{'0' * 32}', 1764590400000000"
    )
    sql = ("INSERT INTO booking_outbox (tenant_id, id, ordinal, stream, type, subject_id, version, payload, trace_id, "
           f"created_at) VALUES ({values})")
    ledger.write(marca, "booking", sql)
    return id_


def dead(marca):
    return streams.lines(marca, "dead")


def test_an_effect_that_fails_for_good(store, own_bus):
    with harness.Marca(store, env={**own_bus, "EVENT_TRIES": "3"}) as marca:
        business = Business(marca.api(), ANY_TIME)
        marca.stop()
        planted = plant(marca, business.id)
        marca.start()
        business.api = marca.api()
        booking = business.book("2025-12-05T10:00", "2025-12-05T11:00")

        streams.until("both groups give it up", lambda: len(dead(marca)) == 2)
        letters = dead(marca)
        assert {letter["group"] for letter in letters} == {"user-service", "resource-service"}
        for letter in letters:
            assert (letter["event_id"], letter["why"], letter["tries"]) == (planted, "validation_error", 3)
            assert (letter["type"], letter["payload"]) == ("booking.created", {})
        assert "validation_error after 3 tries" in marca.run("events", "dead")

        # The audit trail has had it all the same, and the others have had theirs.
        tenant = ledger.literal(marca, business.id)
        streams.until("the next one was handled", lambda: ledger.rows(
            marca, "user", f"SELECT booking_id FROM notifications WHERE tenant_id = {tenant}") == [{"booking_id": booking["id"]}])
        streams.until("it is in the audit trail", lambda: len(ledger.rows(
            marca, "audit", f"SELECT event_id FROM audit_events WHERE event_id = {ledger.literal(marca, planted)}")) == 1)
        text = marca.api().get("/metrics").text
        assert 'marca_events_dead_total{group="user-service"} 1\n' in text
        assert 'marca_events_retried_total{group="user-service"} 3\n' in text

        first, second = letters
        assert "1 given back" in marca.run("events", "replay", str(first["number"]))
        streams.until("it has failed again", lambda: {letter["number"] for letter in dead(marca)} - {
            first["number"], second["number"]})
        assert "1 dropped" in marca.run("events", "drop", str(second["number"]))
        assert "1 dropped" in marca.run("events", "drop", "all")
        assert dead(marca) == []
        assert "no dead letter" in marca.run("events", "drop", str(second["number"]), status=1)
        streams.until("nothing is in hand", lambda: streams.lines(marca, "pending") == [])


def test_a_store_that_is_away_is_nobodys_fault(store, own_bus):
    """While the audit store is gone its group waits, however long; nothing is buried, and it goes on by itself."""
    if store != "postgres":
        pytest.skip("a file does not go away")
    audit = harness.PostgresDatabase()
    try:
        with harness.Marca(store, env={**own_bus, "EVENT_TRIES": "2", "AUDIT_DATABASE_URL": audit.url}) as marca:
            business = Business(marca.api(), ANY_TIME)
            database = audit.url.rsplit("/", 1)[1].split("?")[0]
            audit.sql(audit.cluster, f'ALTER DATABASE "{database}" WITH ALLOW_CONNECTIONS false')
            audit.sql(audit.cluster, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
            booking = business.book("2025-12-05T10:00", "2025-12-05T11:00")
            streams.until("it is in the stream", lambda: booking["id"] in [
                event["subject_id"] for event in streams.read(marca, "booking-events")])
            groups = {"user-service", "resource-service"}
            streams.until("the others have had it", lambda: all(
                group["lag"] == group["pending"] == 0 for group in streams.lines(marca, "groups")
                if group["group"] in groups and group["stream"] == "booking-events"))
            assert any(group["lag"] + group["pending"] > 0 for group in streams.lines(marca, "groups") if group["group"] == "audit")
            audit.sql(audit.cluster, f'ALTER DATABASE "{database}" WITH ALLOW_CONNECTIONS true')
            streams.until("the audit trail has it", lambda: audit.sql(
                audit.url, f"SELECT COUNT(*) FROM audit_events WHERE subject_id = '{booking['id']}'").strip() == "1")
            assert dead(marca) == []
    finally:
        audit.drop()
