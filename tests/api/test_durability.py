"""A reply means durable: what was answered before a SIGKILL is there after the next start, whole, with its event."""
import os
import threading

import harness
import ledger

ROUNDS = int(os.environ.get("MARCA_KILLS", "4"))
CLIENTS = 8


def book_until_killed(address, body, resources, acknowledged, begun):
    """Books slot after slot, and keeps the id of each 201 as soon as it has been read."""
    api = harness.Api(address)
    try:
        for resource in resources:
            for hour in range(16):
                start = f"2025-12-{10 + hour // 8:02}T{9 + hour % 8:02}:00:00Z"
                end = f"2025-12-{10 + hour // 8:02}T{10 + hour % 8:02}:00:00Z"
                reply = api.post("/bookings/", {**body, "resource_id": resource, "start_time": start, "end_time": end})
                if reply.status == 503:
                    return  # a part of a fleet was killed before the part that answers
                assert reply.status == 201, reply
                acknowledged.append(reply.json["id"])
                begun.set()
    except (OSError, harness.http.client.HTTPException):
        pass  # killed
    finally:
        api.close()


def test_acknowledged_bookings_survive_sigkill(store):
    with harness.Marca(store) as marca:
        api = marca.api()
        tenant = harness.make_tenant(api)
        user = harness.make_user(api, tenant)
        category = harness.make_category(api, tenant)
        body = {"tenant_id": tenant["id"], "user_id": user["id"]}
        acknowledged = []
        for _ in range(ROUNDS):
            api = marca.api()
            resources = [[harness.make_resource(api, tenant, category)["id"] for _ in range(20)]
                         for _ in range(CLIENTS)]
            begun = threading.Event()
            threads = [threading.Thread(target=book_until_killed, args=(marca.address, body, mine, acknowledged, begun))
                       for mine in resources]
            for thread in threads:
                thread.start()
            assert begun.wait(30)
            marca.kill()
            for thread in threads:
                thread.join()
            marca.start()

        api = marca.api()
        assert len(acknowledged) >= ROUNDS
        for booking in acknowledged:
            assert api.get(f"/bookings/{booking}").status == 200, f"{booking} was acknowledged and is lost"

        # Nothing half: what the events tell, folded, is what the table holds.
        ledger.check(marca, tenant["id"])
