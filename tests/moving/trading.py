"""A marca with something in it: two tenants, staff with passwords, bookings made, moved and cancelled, someone deleted."""
import harness
from business import ANY_TIME, Business


def trade(api, bookings=6):
    """The businesses; of each, .kept are its bookings' ids."""
    found = []
    for _ in range(2):
        business = Business(api, ANY_TIME, category={"category_metadata": {"é": [1, 2.5, {"b": None, "a": ""}]}})
        harness.make_person(api, business.tenant)
        made = [business.book(f"2025-12-05T{8 + hour:02}:00:00", f"2025-12-05T{9 + hour:02}:00:00", notes="nota ç \U0001f600")
                for hour in range(bookings)]
        assert api.patch(f"/bookings/{made[0]['id']}/cancel", {"reason": "chuva"}).status == 200
        assert api.put(f"/bookings/{made[1]['id']}", {"notes": ""}).status == 200
        gone = business.another_resource()
        assert api.delete(f"/resources/{gone['id']}").status in (200, 204)
        business.kept = [booking["id"] for booking in made]
        found.append(business)
    return found


def bookings(api, business):
    """Every booking as the API gives it."""
    replies = [api.get(f"/bookings/{id_}") for id_ in business.kept]
    assert all(reply.status == 200 for reply in replies), replies
    return [reply.json for reply in replies]
