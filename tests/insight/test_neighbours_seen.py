"""Services in processes of their own: /ready tells which they are and what they lean on, /metrics how they ask."""
import contextlib
import json

import harness
import page
from business import ANY_TIME, Business
from harness import Marca, free_port

KEY = "c2VydmljZXMtdGhhdC1rbm93LW9uZS1hbm90aGVy-0123456789"


@contextlib.contextmanager
def fleet(**more):
    """(all but bookings, bookings), each a process with stores of its own."""
    ports = free_port(), free_port()
    urls = {f"{name}_SERVICE_URL": f"http://127.0.0.1:{ports[0]}" for name in ("TENANT", "USER", "RESOURCE")}
    with harness.Redis() as redis:
        env = {"REDIS_URL": redis.url, "SERVICE_KEY": KEY, "CACHE_TTL_SECONDS": "0", **more, "BOOKING_SERVICE_URL": f"http://127.0.0.1:{ports[1]}", **urls}

        def process(port, services):
            return Marca(env=env, arguments=["--listen", f"127.0.0.1:{port}", "--service", services])

        with process(ports[0], "tenant,user,resource,audit") as rest, process(ports[1], "booking") as bookings:
            yield rest, bookings


def becomes(marca, status, word, **checks):
    def seen():
        reply = marca.api().get("/ready")
        return reply.status == status and reply.json["status"] == word and checks.items() <= reply.json["checks"].items()

    harness.until(f"{word} {json.dumps(checks)}", seen)


def test_neighbours():
    with fleet() as (rest, bookings):
        fine = {"booking": "ok", "tenant": "ok", "user": "ok", "resource": "ok", "bus": "ok", "migrations": "ok"}
        for marca in (rest, bookings):
            becomes(marca, 200, "ok", **fine)
        assert bookings.api().get("/ready").json["service"] == "booking"
        assert rest.api().get("/ready").json["service"] == "tenant,user,resource,audit,auth"
        services = [labels["service"] for labels, _ in page.read(bookings.api()).all("marca_service_info")]
        assert services == ["booking"]

        business = Business(rest.api(), ANY_TIME)
        business.api = bookings.api()
        business.book("2025-12-05T10:00", "2025-12-05T11:00")
        shown = page.read(bookings.api())
        assert shown.get("marca_neighbour_reads_total", service="resource") > 0
        assert shown.get("marca_neighbour_calls_total", service="resource") > 0
        assert shown.get("marca_neighbour_circuit_open", service="resource") == 0
        assert shown.get("marca_bookings_created_total", tenant=business.id) == 1
        assert {labels["service"] for labels, _ in shown.all("marca_outbox_events")} == {"booking"}
        assert not page.read(rest.api()).all("marca_bookings_created_total")
        assert page.promtool("check", "metrics", text=shown.text) == (0, "")

        # A dead neighbour takes nobody with it.
        rest.kill()
        becomes(bookings, 200, "degraded", booking="ok", user="unavailable", resource="unavailable")
        harness.until("it is not asked any more", lambda: (
            bookings.api().get(f"/bookings/?tenant_id={business.id}"),
            business.ask("2025-12-05T12:00", "2025-12-05T13:00"),
            page.read(bookings.api()).get("marca_neighbour_circuit_open", service="tenant") == 1)[-1])
        shown = page.read(bookings.api())
        assert shown.get("marca_neighbour_failed_total", service="tenant") > 0
        assert shown.get("marca_ready") == 1 and shown.get("marca_check_up", check="resource") == 0
        rest.start()
        becomes(bookings, 200, "ok", **fine)
