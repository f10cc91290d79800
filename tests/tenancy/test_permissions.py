"""What the matrix has no room for: who is noted as having cancelled, what may be sent back unchanged, what a conflict tells."""
import harness


def booking_of(street, column):
    return street.north.fresh_booking(street.north.people[column].id)


# --- Who cancelled --------------------------------------------------------------------


def cancelled_by(api, booking, **query):
    reply = api.request("PATCH", f"/bookings/{booking['id']}/cancel", query=query)
    assert reply.status == 200, reply
    return reply.json["cancelled_by"]


def test_with_a_token_it_is_who_asks(street):
    north = street.north
    for column in ("plain", "admin"):
        person = north.people[column]
        assert cancelled_by(person.api, booking_of(street, column), cancelled_by="recepção") == person.id
    assert cancelled_by(street.operator, booking_of(street, "plain"), cancelled_by="recepção") == "operator"


def test_of_a_key_it_is_the_key(street):
    key = street.north.make_key("can_book")
    assert cancelled_by(street.north.bearing(key["key"]), booking_of(street, "plain")) == f"api_key:{key['id']}"


def test_by_whatever_way(street):
    """By its status and by a change too; and booking.cancelled says so."""
    person = street.north.people["book"]
    bookings = [booking_of(street, "book") for _ in range(3)]
    paths = [f"/bookings/{booking['id']}" for booking in bookings]
    assert person.api.request("PATCH", paths[0] + "/status", {"status": "cancelado"}).json["cancelled_by"] == person.id
    assert person.api.request("PUT", paths[1], {"status": "cancelado"}).json["cancelled_by"] == person.id
    assert person.api.request("DELETE", paths[2] + "/cancel").status == 204
    assert person.api.request("GET", paths[2]).json["cancelled_by"] == person.id


def test_without_a_token_it_is_what_was_said(api):
    """In the optional mode, as the seed's flow has it."""
    tenant = harness.make_tenant(api, {"cancellation_hours": 0})
    user = harness.make_user(api, tenant)
    resource = harness.make_resource(api, tenant, harness.make_category(api, tenant))
    booking = harness.make_booking(api, resource, user, "2025-12-05T14:00:00Z", "2025-12-05T15:00:00Z")
    assert cancelled_by(api, booking, cancelled_by="recepção") == "recepção"


# --- What may be sent back ----------------------------------------------------------------


def test_a_whole_user_sent_back_unchanged(street):
    """Clients send what they got; what did not change needs no right."""
    person = street.north.fresh_person("plain")
    reply = person.api.request("PUT", f"/users/{person.id}", {**person.user, "name": "Eva"})
    assert reply.status == 200 and reply.json["name"] == "Eva", reply


def test_a_whole_booking_sent_back_unchanged(street):
    person = street.north.people["book"]
    booking = harness.create(street.operator, "/bookings/", street.north.wanted_booking(person.id, status="confirmado"))
    reply = person.api.request("PUT", f"/bookings/{booking['id']}", {**booking, "notes": "x"})
    assert reply.status == 200 and reply.json["status"] == "confirmado", reply


def test_a_whole_tenant_sent_back_unchanged(street):
    admin = street.north.people["admin"].api
    tenant = admin.request("GET", f"/tenants/{street.north.id}").json
    assert admin.request("PUT", f"/tenants/{street.north.id}", tenant).status == 200


# --- Rights are the store's -------------------------------------------------------------------


def test_a_right_is_gone_with_the_next_call(street):
    person = street.north.fresh_person("book")
    assert person.api.request("POST", "/bookings/", street.north.wanted_booking(person.id)).status == 201
    assert street.operator.put(f"/users/{person.id}", {"permissions": {"can_book": False}}).status == 200
    assert person.api.request("POST", "/bookings/", street.north.wanted_booking(person.id)).status == 403


def test_who_manages_users_raises_nobody_above_himself(street):
    """Nor by the way of somebody who holds more: his password would do."""
    manager, guest = street.north.people["users"], street.north.make_user("view")
    path = f"/users/{guest['id']}"
    for change in ({"password": "another long secret"}, {"email": "eu@example.com"}, {"is_active": False}, {"name": "Eva"}):
        assert manager.api.request("PUT", path, change).status == 403, change
    assert street.operator.put(path, {"permissions": {"can_view_all_bookings": False}}).status == 200
    assert manager.api.request("PUT", path, {"password": "another long secret"}).status == 200
    assert manager.api.request("PUT", path, {"permissions": {"can_manage_users": True}}).status == 200


# --- A conflict -----------------------------------------------------------------------------------


def test_a_conflict_tells_when_and_not_who(street):
    """api.md, section 6: which bookings are in the way. Whose they are, and what is in them, is not told."""
    person = street.north.people["book"]
    taken = street.north.fresh_booking(street.north.guest.id)
    wanted = street.north.wanted_booking(person.id, start_time=taken["start_time"], end_time=taken["end_time"])
    reply = person.api.request("POST", "/bookings/", wanted)
    assert reply.status == 409
    assert reply.json["conflicts"] == [{"booking_id": taken["id"], "start_time": taken["start_time"], "end_time": taken["end_time"]}]
    assert person.api.request("GET", f"/bookings/{taken['id']}").status == 404
