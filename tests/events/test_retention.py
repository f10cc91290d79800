"""What is done with, and older than EVENT_RETENTION_HOURS, goes; what is not done with stays, however old."""
import harness
import ledger
import streams
from business import ANY_TIME, Business

HOURS = {"EVENT_RETENTION_HOURS": "1", "EVENT_LEASE_MS": "400"}
LATER = "2025-12-01T22:00:00Z"  # ten hours after harness.CLOCK


def count(marca, room, table):
    return ledger.rows(marca, room, f"SELECT COUNT(*) AS n FROM {table}")[0]["n"]


def restart(marca, clock):
    marca.stop()
    marca.env["MARCA_CLOCK"] = clock
    marca.start()


def test_what_is_old_goes(store, own_bus):
    with harness.Marca(store, env={**HOURS, **own_bus}) as marca:
        business = Business(marca.api(), ANY_TIME)
        for hour in range(10, 15):
            business.book(f"2025-12-05T{hour}:00", f"2025-12-05T{hour + 1}:00")
        streams.settle(marca)
        assert count(marca, "booking", "booking_outbox") == 5
        assert count(marca, "user", "user_effects") == 5

        restart(marca, LATER)
        streams.until("the outbox lets go", lambda: count(marca, "booking", "booking_outbox") == 0)
        streams.until("the stream lets go", lambda: streams.read(marca, "booking-events") == [])
        streams.until("the effects' ids go", lambda: count(marca, "user", "user_effects") == 0)

        # Places and numbers go on where they were.
        business.api = marca.api()
        booking = business.book("2025-12-06T10:00", "2025-12-06T11:00")
        streams.until("a new one has its effect", lambda: count(marca, "user", "notifications") == 6)
        events = streams.read(marca, "booking-events")
        assert [(event["sequence"], event["subject_id"]) for event in events] == [(6, booking["id"])]
        assert ledger.rows(marca, "booking", "SELECT sequence FROM booking_outbox") == [{"sequence": 6}]
        assert "intact" in marca.run("audit", "verify")


def test_what_waits_stays(store):
    """While Redis is away nothing of it is done with."""
    with harness.Redis() as redis, harness.Marca(store, env={**HOURS, "REDIS_URL": redis.url}) as marca:
        business = Business(marca.api(), ANY_TIME)
        business.book("2025-12-05T10:00", "2025-12-05T11:00")
        streams.settle(marca)
        redis.kill()
        business.book("2025-12-05T11:00", "2025-12-05T12:00")
        restart(marca, LATER)
        business.api = marca.api()
        business.book("2025-12-06T10:00", "2025-12-06T11:00")
        redis.start()
        streams.until("all have their effect", lambda: count(marca, "user", "notifications") == 3)
