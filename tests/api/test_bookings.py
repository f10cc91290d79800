"""/bookings/: the contract's section 5, on both stores. What may be booked when is in test_booking_rules.py."""
import datetime
import itertools
import re

import pytest

import checks
import harness
import ledger
from business import ANY_TIME, Business, instant

UNKNOWN = "Reserva não encontrada"
NO_MOVE = "Transição de status inválida"
TOO_LATE = "Cancelamento permitido somente até 24 horas antes do início."
CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{8}")
STATUSES = ("pendente", "confirmado", "cancelado", "concluido", "sem_dados")
MOVES = {("pendente", "confirmado"), ("pendente", "cancelado"), ("confirmado", "concluido"),
         ("confirmado", "cancelado"), ("confirmado", "sem_dados")}
MEMBERS = ["id", "tenant_id", "resource_id", "user_id", "client_id", "start_time", "end_time", "status", "notes",
           "confirmation_code", "recurring_enabled", "recurring_pattern", "cancellation_reason", "cancelled_at",
           "cancelled_by", "created_at", "updated_at", "can_cancel"]


@pytest.fixture
def business(api):
    return Business(api)


@pytest.fixture
def lax(api):
    """Cancels until the start."""
    return Business(api, ANY_TIME)


def path(booking, rest=""):
    return f"/bookings/{booking['id']}{rest}"


def ten(business, **fields):
    return business.book("2025-12-05T10:00", "2025-12-05T11:00", **fields)


# --- Creating -----------------------------------------------------------------------


def test_the_least(api, business):
    reply = business.ask("2025-12-05T10:00", "2025-12-05T11:00")
    booking = reply.json
    assert reply.status == 201 and list(booking) == MEMBERS
    assert booking["status"] == "pendente" and booking["can_cancel"] is True
    assert booking["recurring_enabled"] is False
    for name in ("client_id", "notes", "recurring_pattern", "cancellation_reason", "cancelled_at", "cancelled_by"):
        assert booking[name] is None
    assert CODE.fullmatch(booking["confirmation_code"])
    assert reply.headers["Location"] == path(booking) and reply.headers["ETag"] == '"1"'
    again = api.get(path(booking))
    assert again.json == booking and again.headers["ETag"] == '"1"'
    assert api.get(path(booking).upper().replace("/BOOKINGS", "/bookings")).json == booking


def test_everything(business):
    sent = {
        "client_id": checks.some_id(), "notes": "Iniciantes \U0001f3cb \"'<b>\n", "status": "confirmado",
        "recurring_enabled": True,
        "recurring_pattern": {"frequency": "weekly", "interval": 2, "end_date": "2026-03-31", "days_of_week": [0, 6]},
    }
    booking = ten(business, **sent)
    assert {name: booking[name] for name in sent} == sent
    assert business.api.get(path(booking)).json == booking


def test_all_failing_fields_at_once(api):
    reply = api.post("/bookings/", {
        "tenant_id": None, "resource_id": 1, "user_id": "", "client_id": "x", "start_time": "x", "end_time": None,
        "notes": [], "status": "aprovado", "recurring_enabled": "yes",
        "recurring_pattern": {"frequency": "yearly", "interval": 53, "end_date": "31/03/2026", "days_of_week": [7, "1"]},
    })
    assert checks.issues(reply) == {
        "body.tenant_id": "null_forbidden",
        "body.resource_id": "string_type",
        "body.user_id": "uuid_parsing",
        "body.client_id": "uuid_parsing",
        "body.start_time": "datetime_parsing",
        "body.end_time": "null_forbidden",
        "body.notes": "string_type",
        "body.status": "enum",
        "body.recurring_enabled": "bool_type",
        "body.recurring_pattern.frequency": "enum",
        "body.recurring_pattern.interval": "less_than_equal",
        "body.recurring_pattern.end_date": "date_parsing",
        "body.recurring_pattern.days_of_week.0": "less_than_equal",
        "body.recurring_pattern.days_of_week.1": "int_type",
    }
    assert set(checks.issues(api.post("/bookings/", {}))) == {
        f"body.{name}" for name in ("tenant_id", "resource_id", "user_id", "start_time", "end_time")}


@pytest.mark.parametrize("notes, status", [("", 201), ("é" * 2000, 201), ("\U0001f3cb" * 2000, 201), ("é" * 2001, 422)])
def test_notes_count_characters(business, notes, status):
    assert business.ask("2025-12-05T10:00", "2025-12-05T11:00", notes=notes).status == status


@pytest.mark.parametrize("auto, asked, status", [
    (False, ..., "pendente"), (True, ..., "confirmado"), (False, "confirmado", "confirmado"),
    (True, "pendente", "pendente"),
])
def test_first_status(api, auto, asked, status):
    assert ten(Business(api, {"auto_confirm": auto}), status=asked)["status"] == status


@pytest.mark.parametrize("status", ["cancelado", "concluido", "sem_dados"])
def test_no_first_status(business, status):
    checks.told(business.ask("2025-12-05T10:00", "2025-12-05T11:00", status=status), 409, NO_MOVE)
    reply = business.ask("2025-12-05T10:00", "2025-12-05T11:00", status=status, resource_id=checks.some_id())
    checks.is_absent(reply, "Recurso não encontrado")  # what exists is asked before what may be
    assert business.listed() == []


def test_codes_are_readable_and_differ(api):
    business = Business(api, {**ANY_TIME, "booking_interval": 5})
    at = datetime.datetime(2025, 12, 5)
    times = [(at + datetime.timedelta(minutes=5 * number)).isoformat() for number in range(289)]
    codes = {business.book(*period)["confirmation_code"] for period in itertools.pairwise(times)}
    assert len(codes) == 288 and all(CODE.fullmatch(code) for code in codes)
    # Chance decides all 32 letters of each place: in 288 codes there is hardly one that never came.
    assert len({letter for code in codes for letter in code}) == 32


# --- Changing -----------------------------------------------------------------------


def test_put_changes_what_is_sent(api, business):
    booking = ten(business, notes="before", client_id=checks.some_id())
    reply = api.put(path(booking), {"notes": "after"})
    assert reply.status == 200 and reply.headers["ETag"] == '"2"'
    assert reply.json == {**booking, "notes": "after", "updated_at": reply.json["updated_at"]}
    assert reply.json["updated_at"] > booking["updated_at"]
    reply = api.put(path(booking), {"notes": None, "client_id": None, "recurring_enabled": True,
                                    "recurring_pattern": {"frequency": "daily"}})
    assert reply.json["notes"] is None and reply.json["client_id"] is None
    assert reply.json["recurring_pattern"]["interval"] == 1
    assert api.get(path(booking)).json == reply.json


def test_put_null_where_there_must_be_a_value(api, business):
    booking = ten(business)
    names = ("resource_id", "user_id", "start_time", "end_time", "status", "recurring_enabled")
    assert checks.issues(api.put(path(booking), dict.fromkeys(names))) == {
        f"body.{name}": "null_forbidden" for name in names}
    assert api.get(path(booking)).json == booking


def test_put_of_nothing_changes_nothing(api, business):
    booking = ten(business, notes="x")
    for change in ({}, {"notes": "x"}, {"start_time": "2025-12-05T10:00"}, {"status": "pendente"}, {"colour": "red"},
                   {"id": checks.some_id(), "confirmation_code": "AAAAAAAA", "can_cancel": False, "version": 8}):
        reply = api.put(path(booking), change)
        assert reply.status == 200 and reply.json == booking and reply.headers["ETag"] == '"1"'


def test_put_never_moves_to_another_tenant(api, business):
    booking = ten(business)
    assert api.put(path(booking), {"tenant_id": Business(api).id}).json["tenant_id"] == business.id


def test_put_moves_and_frees(api, business):
    booking = ten(business)
    reply = api.put(path(booking), {"start_time": "2025-12-05T11:00", "end_time": "2025-12-05T13:00"})
    assert (reply.json["start_time"], reply.json["end_time"]) == ("2025-12-05T14:00:00Z", "2025-12-05T16:00:00Z")
    assert reply.json["confirmation_code"] == booking["confirmation_code"]
    ten(business)
    # Over itself it may stretch.
    assert api.put(path(booking), {"end_time": "2025-12-05T15:00"}).status == 200


def test_put_changes_all_at_once_or_nothing(api, business):
    booking, other = ten(business), business.book("2025-12-05T14:00", "2025-12-05T15:00")
    reply = api.put(path(booking), {"notes": "moved", "status": "confirmado", "start_time": other["start_time"],
                                    "end_time": other["end_time"]})
    assert reply.status == 409 and reply.json["error"] == "conflict"
    assert api.get(path(booking)).json == booking
    reply = api.put(path(booking), {"notes": "moved", "status": "confirmado", "start_time": "2025-12-05T12:00",
                                    "end_time": "2025-12-05T13:00"})
    assert (reply.json["notes"], reply.json["status"]) == ("moved", "confirmado")
    assert reply.json["start_time"] == "2025-12-05T15:00:00Z" and reply.headers["ETag"] == '"2"'


def test_if_match(api, business):
    booking = ten(business)
    stale = {"If-Match": '"2"'}
    for reply in (
        api.put(path(booking), {"notes": "x"}, headers=stale),
        api.put(path(booking), {"start_time": "2025-12-05T09:00"}, headers=stale),
        api.patch(path(booking, "/cancel"), headers=stale),
        api.delete(path(booking, "/cancel"), headers=stale),
        api.patch(path(booking, "/status"), {"status": "confirmado"}, headers=stale),
    ):
        assert reply.status == 412 and reply.json["error"] == "precondition_failed"
    assert api.get(path(booking)).json == booking
    reply = api.patch(path(booking, "/status"), {"status": "confirmado"}, headers={"If-Match": '"1"'})
    assert reply.status == 200 and reply.headers["ETag"] == '"2"'
    assert api.patch(path(booking, "/cancel"), headers=stale).status == 200


def test_absent(api):
    absent = {"id": checks.some_id()}
    for reply in (
        api.get(path(absent)), api.put(path(absent), {}), api.patch(path(absent, "/cancel")),
        api.delete(path(absent, "/cancel")), api.patch(path(absent, "/status"), {"status": "confirmado"}),
        api.put(path(absent), {"notes": "x"}, headers={"If-Match": '"1"'}),
    ):
        checks.is_absent(reply, UNKNOWN)
    for method, rest in (("GET", ""), ("PUT", ""), ("PATCH", "/cancel"), ("DELETE", "/cancel"), ("PATCH", "/status")):
        reply = api.request(method, f"/bookings/x{rest}", {"status": "confirmado"} if method != "GET" else None)
        assert list(checks.issues(reply)) == ["path.id"]


# --- Status -------------------------------------------------------------------------


def in_status(business, status, hour):
    booking = business.book(f"2025-12-05T{hour:02}:00", f"2025-12-05T{hour + 1:02}:00")
    for step in {"pendente": (), "confirmado": ("confirmado",), "cancelado": ("cancelado",)}.get(
            status, ("confirmado", status)):
        reply = business.api.patch(path(booking, "/status"), {"status": step})
        assert reply.status == 200, reply
    return business.api.get(path(booking)).json


WAYS = {
    "body": lambda api, booking, status: api.patch(path(booking, "/status"), {"status": status}),
    "query": lambda api, booking, status: api.patch(path(booking, "/status"), status_param=status),
    "put": lambda api, booking, status: api.put(path(booking), {"status": status}),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("before", STATUSES)
def test_moves_of_status(marca, lax, way, before):
    for hour, after in enumerate(STATUSES, 8):
        booking = in_status(lax, before, hour)
        events = len(ledger.outbox(marca, "booking", subject_id=booking["id"]))
        reply = WAYS[way](lax.api, booking, after)
        kept = lax.api.get(path(booking)).json
        new_events = ledger.outbox(marca, "booking", subject_id=booking["id"])[events:]
        if (before, after) in MOVES:
            assert reply.status == 200 and reply.json == kept and kept["status"] == after, reply
            assert (kept["cancelled_at"] is None) == (after != "cancelado")
            assert [event.type for event in new_events] == [
                "booking.cancelled" if after == "cancelado" else "booking.status_changed"]
        else:
            if way == "put" and before == after:
                assert reply.status == 200
            else:
                checks.told(reply, 409, NO_MOVE)
            assert kept == booking and new_events == []


def test_status_in_query_goes_before_body(api, lax):
    booking = ten(lax)
    reply = api.patch(path(booking, "/status"), {"status": "cancelado"}, status_param="confirmado")
    assert reply.json["status"] == "confirmado"


def test_status_that_is_none(api, lax):
    booking = ten(lax)
    assert list(checks.issues(api.patch(path(booking, "/status"), status_param="aprovado"))) == ["query.status_param"]
    assert checks.issues(api.patch(path(booking, "/status"), {"status": "Confirmado"})) == {"body.status": "enum"}
    assert checks.issues(api.patch(path(booking, "/status"), {"status": None})) == {"body.status": "null_forbidden"}
    for body in (None, {}):
        assert checks.issues(api.patch(path(booking, "/status"), body)) == {"body.status": "missing"}


def test_confirming_twice_is_one_event(marca, lax):
    """Also at once: sixteen confirm, one does."""
    booking = ten(lax)
    replies = checks.race(marca, 16, lambda own, _: own.patch(path(booking, "/status"), {"status": "confirmado"}))
    assert sorted(reply.status for reply in replies) == [200] + [409] * 15
    assert {reply.json["error"] for reply in replies if reply.status == 409} == {"invalid_transition"}
    types = [event.type for event in ledger.outbox(marca, "booking", subject_id=booking["id"])]
    assert types == ["booking.created", "booking.status_changed"]


def test_put_to_a_blocking_status_is_checked_like_a_creation(api, business):
    booking = ten(business)
    api.put(f"/resources/{business.resource['id']}", {"status": "manutencao"})
    reply = api.put(path(booking), {"status": "confirmado"})
    checks.told(reply, 400, "Recurso indisponível para reservas.")
    api.put(f"/resources/{business.resource['id']}", {"status": "disponivel"})
    assert api.put(path(booking), {"status": "confirmado"}).json["status"] == "confirmado"


def test_what_is_over_does_not_move(api, lax):
    for hour, status in enumerate(("cancelado", "concluido", "sem_dados"), 8):
        booking = in_status(lax, status, hour)
        reply = api.put(path(booking), {"start_time": "2025-12-05T14:00", "end_time": "2025-12-05T15:00"})
        checks.told(reply, 409, NO_MOVE)
        assert api.put(path(booking), {"notes": "afterwards"}).json["notes"] == "afterwards"


@pytest.mark.parametrize("status", ["cancelado", "concluido", "sem_dados"])
def test_what_does_not_block_frees_its_slot(lax, status):
    ended = in_status(lax, status, 10)
    again = ten(lax)
    assert again["id"] != ended["id"] and again["confirmation_code"] != ended["confirmation_code"]
    assert lax.ask("2025-12-05T10:00", "2025-12-05T11:00").status == 409


# --- Cancelling ---------------------------------------------------------------------


def test_cancel(api, business):
    booking = ten(business)
    reply = api.patch(path(booking, "/cancel"), {"reason": "Imprevisto"}, cancelled_by="recepção")
    assert reply.status == 200 and reply.headers["ETag"] == '"2"'
    assert reply.json == {
        **booking, "status": "cancelado", "cancellation_reason": "Imprevisto", "cancelled_by": "recepção",
        "cancelled_at": reply.json["updated_at"], "updated_at": reply.json["updated_at"], "can_cancel": False}
    assert api.get(path(booking)).json == reply.json
    checks.told(api.patch(path(booking, "/cancel")), 409, NO_MOVE)
    checks.told(api.delete(path(booking, "/cancel")), 409, NO_MOVE)
    assert ten(business)["id"] != booking["id"]


def test_cancel_quietly(api, business):
    booking = ten(business)
    reply = api.request("DELETE", path(booking, "/cancel"), {"reason": "x"}, query={"cancelled_by": "y"})
    assert reply.status == 204 and reply.body == b"" and reply.headers["Content-Type"] is None
    kept = api.get(path(booking)).json
    assert (kept["status"], kept["cancellation_reason"], kept["cancelled_by"]) == ("cancelado", "x", "y")


@pytest.mark.parametrize("body, query, issues", [
    ({"reason": "é" * 500}, {"cancelled_by": "é" * 200}, None),
    ({"reason": None}, {"cancelled_by": ""}, None),
    ({"reason": "é" * 501}, {"cancelled_by": "é" * 201},
     {"body.reason": "string_too_long", "query.cancelled_by": "string_too_long"}),
    ({"reason": 7}, {}, {"body.reason": "string_type"}),
    ("[]", {}, {"body": "dict_type"}),
    ("null", {}, {"body": "dict_type"}),
])
def test_reasons(api, business, body, query, issues):
    booking = ten(business)
    headers = {"Content-Type": "application/json"}
    reply = api.request("PATCH", path(booking, "/cancel"), body, headers, query)
    if issues is None:
        assert reply.status == 200
    else:
        assert checks.issues(reply) == issues
        assert api.get(path(booking)).json == booking


CANCELS = {
    "PATCH cancel": lambda api, booking: api.patch(path(booking, "/cancel"), {"reason": "x"}),
    "DELETE cancel": lambda api, booking: api.delete(path(booking, "/cancel")),
    "PATCH status": lambda api, booking: api.patch(path(booking, "/status"), status_param="cancelado"),
    "PUT": lambda api, booking: api.put(path(booking), {"status": "cancelado", "notes": "x"}),
}


@pytest.mark.parametrize("way", CANCELS)
def test_the_window_holds_for_every_way(marca, api, business, way):
    soon = business.book("2025-12-02T09:00", "2025-12-02T10:00")  # 24 hours after the server's first instant
    later = business.book("2025-12-02T10:00", "2025-12-02T11:00")
    assert soon["can_cancel"] is False and later["can_cancel"] is True
    checks.told(CANCELS[way](api, soon), 400, TOO_LATE)
    assert api.get(path(soon)).json == soon
    assert len(ledger.outbox(marca, "booking", subject_id=soon["id"])) == 1
    assert CANCELS[way](api, later).status in (200, 204)
    assert api.get(path(later)).json["status"] == "cancelado"
    en = CANCELS[way](marca.api({"Accept-Language": "en"}), soon)
    checks.told(en, 400, "Cancelling is allowed up to 24 hours before the start.")


def test_can_cancel_follows_the_settings(api, business):
    booking = business.book("2025-12-02T09:00", "2025-12-02T10:00")
    for hours, can in ((23, True), (24, False), (0, True), (168, False)):
        api.put(f"/tenants/{business.id}/settings", {"cancellation_hours": hours})
        assert api.get(path(booking)).json["can_cancel"] is can
        assert api.get("/bookings/", tenant_id=business.id).json[0]["can_cancel"] is can


def test_time_goes_by(store):
    """One booking of Friday 14:00Z, looked at from several days; each time the server starts there."""
    with harness.Marca(store) as marca:
        business = Business(marca.api())
        zero = Business(marca.api(), {"cancellation_hours": 0})
        booking, last_minute = ten(business, status="confirmado"), ten(zero)

        def start_at(clock):
            marca.stop()
            marca.env["MARCA_CLOCK"] = clock
            marca.start()
            return marca.api()

        start = instant(booking["start_time"])
        day, hour = datetime.timedelta(days=1), datetime.timedelta(hours=1)
        for clock, can, can_last_minute in (
            (start - day - hour, True, True), (start - day, False, True), (start - hour, False, True),
            (start, False, False), (start + day, False, False),
        ):
            api = start_at(clock.isoformat())
            assert api.get(path(booking)).json["can_cancel"] is can
            for one, what in ((business, can), (zero, can_last_minute)):
                assert [b["can_cancel"] for b in api.get("/bookings/", tenant_id=one.id).json] == [what]

        # It is over: it can be told how it went, and nothing else.
        late = "Cancelamento permitido somente até 0 horas antes do início."
        checks.told(api.patch(path(last_minute, "/cancel")), 400, late)
        assert api.put(path(booking), {"notes": "Faltou"}).json["notes"] == "Faltou"
        reply = api.put(path(booking), {"end_time": "2025-12-05T12:00"})
        checks.told(reply, 400, "Agendamentos devem ser criados para horários futuros.")
        checks.told(api.patch(path(booking, "/cancel")), 400, TOO_LATE)
        assert api.patch(path(booking, "/status"), {"status": "sem_dados"}).status == 200
        assert api.patch(path(last_minute, "/status"), {"status": "confirmado"}).status == 200
        ledger.check(marca, business.id)


# --- Lists --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def week(marca):
    """A long day, and short bookings around the local midnight of 5 to 6 December."""
    business = Business(marca.api(), ANY_TIME)
    business.other = business.another_resource()
    business.guest = harness.make_user(business.api, business.tenant)
    business.long = business.book("2025-12-05T00:00", "2025-12-06T00:00")["id"]
    late = business.book("2025-12-05T23:00", "2025-12-06T00:00", resource_id=business.other["id"])
    business.late = late["id"]
    business.early = business.book("2025-12-06T00:00", "2025-12-06T01:00", user_id=business.guest["id"],
                                   status="confirmado")["id"]
    return business


@pytest.mark.parametrize("window, found", [
    ({}, ["long", "late", "early"]),
    ({"start_date": "2025-12-05", "end_date": "2025-12-05"}, ["long", "late"]),
    ({"start_date": "2025-12-06", "end_date": "2025-12-06"}, ["early"]),
    ({"start_date": "2025-12-06"}, ["early"]),
    ({"end_date": "2025-12-05"}, ["long", "late"]),
    ({"end_date": "2025-12-04"}, []),
    ({"start_date": "2025-12-07"}, []),
    # Whatever overlaps: the long one spans this window and neither starts nor ends in it.
    ({"start_date": "2025-12-05T10:00", "end_date": "2025-12-05T11:00"}, ["long"]),
    ({"start_date": "2025-12-05T13:00:00Z", "end_date": "2025-12-05T13:00:01Z"}, ["long"]),
    ({"start_date": "2025-12-05T23:59:59.999999", "end_date": "2025-12-06T00:00"}, ["long", "late"]),
    # Half-open: what ends at the window's start, or begins at its end, is not in it.
    ({"start_date": "2025-12-06T00:00", "end_date": "2025-12-06T00:00:00.000001"}, ["early"]),
    ({"start_date": "2025-12-06T03:00:00Z"}, ["early"]),
    ({"end_date": "2025-12-05T23:00"}, ["long"]),
    ({"start_date": "2025-12-06", "end_date": "2025-12-04"}, []),
    ({"start_date": "0001-01-01", "end_date": "9999-12-31"}, ["long", "late", "early"]),
    ({"start_date": "9999-12-31"}, []),
    ({"end_date": "0001-01-01"}, []),
])
def test_list_by_time(week, window, found):
    assert week.listed(**window) == [getattr(week, name) for name in found]


@pytest.mark.parametrize("kind", ["resource_id", "user_id", "both"])
def test_list_of_one_by_time(week, kind):
    """The other queries behind the list keep the same windows."""
    query = {"resource_id": week.resource["id"], "user_id": week.user["id"]}
    if kind != "both":
        query = {kind: query[kind]}
    assert week.long in week.listed(**query, start_date="2025-12-05T10:00", end_date="2025-12-05T11:00")
    assert week.listed(**query, start_date="2025-12-06", end_date="2025-12-06") == (
        [week.early] if kind == "resource_id" else [])
    assert week.listed(**query, end_date="2025-12-04") == []


def test_list_by_what(week):
    assert week.listed(resource_id=week.other["id"]) == [week.late]
    assert week.listed(user_id=week.guest["id"]) == [week.early]
    assert week.listed(user_id=week.guest["id"], resource_id=week.other["id"]) == []
    assert week.listed(user_id=week.guest["id"], resource_id=week.resource["id"]) == [week.early]
    assert week.listed(status="confirmado") == [week.early]
    assert week.listed(status="cancelado") == []
    for query in ({"resource_id": week.resource["id"]}, {"user_id": week.guest["id"]}):
        assert week.listed(status="confirmado", **query) == [week.early]
        assert week.listed(status="concluido", **query) == []
    assert week.listed(resource_id=checks.some_id()) == week.listed(user_id=checks.some_id()) == []


def test_list_says_what_is_wrong(api, week):
    assert checks.issues(api.get("/bookings/")) == {"query.tenant_id": "missing"}
    assert checks.issues(api.get("/bookings/", tenant_id="")) == {"query.tenant_id": "missing"}
    reply = api.get("/bookings/", tenant_id="x", resource_id="y", user_id="z", status="aprovado", start_date="soon",
                    end_date="2025-02-30", limit=0, cursor="AAAA")
    assert set(checks.issues(reply)) == {
        f"query.{name}" for name in ("tenant_id", "resource_id", "user_id", "status", "start_date", "end_date",
                                     "limit", "cursor")}


def test_a_window_at_a_time_that_does_not_exist(store):
    with harness.Marca(store, clock="2026-03-01T12:00:00Z") as marca:
        business = Business(marca.api(), {"timezone": "America/New_York"})
        gap = "2026-03-08T02:30"
        reply = business.api.get("/bookings/", tenant_id=business.id, start_date=gap, end_date=gap)
        assert checks.issues(reply) == {"query.start_date": "value_error", "query.end_date": "value_error"}


def test_list_is_by_start_and_pages(api):
    business = Business(api, {**ANY_TIME, "booking_interval": 5})
    second = business.another_resource()
    third = business.another_resource()
    at = datetime.datetime(2025, 12, 5, 8)
    wanted = []
    # Backwards, and several at one instant: neither the order of creation nor the start alone will do.
    for number in reversed(range(20)):
        start = at + datetime.timedelta(minutes=5 * number)
        for resource in (business.resource, second, third):
            booking = business.book(start.isoformat(), (start + datetime.timedelta(minutes=5)).isoformat(),
                                    resource_id=resource["id"])
            wanted.append((booking["start_time"], booking["id"], resource["id"]))
    wanted.sort()
    ids = [id_ for _, id_, _ in wanted]
    for limit in (1, 7, 59, 60, 61):
        assert [booking["id"] for booking in checks.walk(api, "/bookings/", limit, tenant_id=business.id)] == ids
    of_second = [id_ for _, id_, resource in wanted if resource == second["id"]]
    for more in ({"resource_id": second["id"]}, {"resource_id": second["id"], "user_id": business.user["id"]}):
        walked = checks.walk(api, "/bookings/", 7, tenant_id=business.id, **more)
        assert [booking["id"] for booking in walked] == of_second
    walked = checks.walk(api, "/bookings/", 7, tenant_id=business.id, user_id=business.user["id"])
    assert [booking["id"] for booking in walked] == ids
    window = {"start_date": "2025-12-05T08:12", "end_date": "2025-12-05T09:01"}
    walked = checks.walk(api, "/bookings/", 7, tenant_id=business.id, **window)
    assert [booking["id"] for booking in walked] == ids[6:39]
    # What is cancelled meanwhile stays where it was.
    first = api.get("/bookings/", tenant_id=business.id, limit=30)
    api.patch(f"/bookings/{ids[29]}/cancel")
    rest = api.get("/bookings/", tenant_id=business.id, limit=30, cursor=first.headers["X-Next-Cursor"])
    assert [booking["id"] for booking in rest.json] == ids[30:]


# --- Tenants never meet ---------------------------------------------------------------


def test_tenants_never_meet(api):
    one, two = Business(api), Business(api)
    mine, theirs = ten(one, notes="canary-one"), ten(two, notes="canary-two")
    for business, booking in ((one, mine), (two, theirs)):
        assert business.listed() == [booking["id"]]
    assert one.listed(resource_id=two.resource["id"]) == one.listed(user_id=two.user["id"]) == []
    # A cursor of one tenant's list shows nothing else to the other.
    one.book("2025-12-05T12:00", "2025-12-05T13:00")
    cursor = api.get("/bookings/", tenant_id=one.id, limit=1).headers["X-Next-Cursor"]
    assert two.listed(cursor=cursor) in ([], [theirs["id"]])
    nobody = api.get("/bookings/", tenant_id=checks.some_id())
    assert nobody.status == 200 and nobody.json == []


def test_conflicts_of_another_tenant_are_not_told(api):
    """The same hour at two tenants, on two resources: neither hears of the other."""
    one, two = Business(api), Business(api)
    mine, theirs = ten(one), ten(two)
    told = {conflict["booking_id"] for conflict in one.ask("2025-12-05T10:00", "2025-12-05T11:00").json["conflicts"]}
    assert told == {mine["id"]} != {theirs["id"]}


def test_bookings_of_a_deleted_tenant(api, business):
    booking = ten(business)
    assert api.delete(f"/tenants/{business.id}").status == 204
    assert api.get("/bookings/", tenant_id=business.id).json == []
    checks.is_absent(api.get(path(booking)), UNKNOWN)
    checks.is_absent(api.put(path(booking), {"notes": "x"}), UNKNOWN)
    checks.is_absent(api.patch(path(booking, "/cancel")), UNKNOWN)
