"""What a hostile user found: each test stands for one fault that was mended."""
import concurrent.futures
import contextlib
import socket
import threading

import pytest

import checks
import harness
from business import ANY_TIME, Business, multiple

DAY = "2025-12-10"


def at_once(marca, *jobs):
    """40 times the first job, job(api), and the others over and over beside it, each on its own connection."""
    over = threading.Event()

    def again(job):
        own, replies = marca.api(), []
        while not over.is_set():
            replies.append(job(own))
        return replies

    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        others = [pool.submit(again, job) for job in jobs[1:]]
        try:
            own = marca.api()
            first = [jobs[0](own) for _ in range(40)]
        finally:
            over.set()
        return first, [reply for other in others for reply in other.result()]


def test_resources_are_added_while_their_category_changes(marca, api):
    """Ended the server: the routes table did not say that a creation may find its category changed."""
    business = Business(api)
    path = f"/categories/{business.category['id']}"
    resource = {"tenant_id": business.id, "category_id": business.category["id"], "name": "Sala"}
    added, changed = at_once(
        marca,
        lambda own: own.post("/resources/", resource, headers={"If-Match": '"7"'}),
        *[lambda own: own.put(path, {"description": checks.some_id()})] * 15,
    )
    assert {reply.status for reply in added} <= {201, 409} and {reply.status for reply in changed} <= {200, 409}
    assert {reply.json["error"] for reply in added + changed if reply.status == 409} <= {"changed_meanwhile"}


def test_changes_without_if_match_get_through(marca, api):
    """Sixteen change one row at once: whoever comes second tries again. A tenth to a third was refused."""
    user = harness.make_user(api, harness.make_tenant(api))
    change = [lambda own: own.put(f"/users/{user['id']}", {"phone": checks.some_id()})] * 16
    replies = [reply for some in at_once(marca, *change) for reply in some]
    refused = [reply for reply in replies if reply.status != 200]
    assert len(refused) * 50 <= len(replies), refused[:1]


@contextlib.contextmanager
def away(database):
    """Nobody gets into that database meanwhile, and who was in it is out."""
    database.sql(database.cluster, f'ALTER DATABASE "{database.name}" ALLOW_CONNECTIONS false')
    database.sql(
        database.cluster, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database.name}'")
    try:
        yield
    finally:
        database.sql(database.cluster, f'ALTER DATABASE "{database.name}" ALLOW_CONNECTIONS true')


def test_bookings_are_out_of_reach(store):
    """Ended the server: the routes table did not say that availability may find them so."""
    if store != "postgres":
        pytest.skip("a file does not go away")
    bookings = harness.PostgresDatabase()
    try:
        with harness.Marca("sqlite", env={"BOOKING_DATABASE_URL": bookings.url}) as marca:
            api = marca.api()
            business = Business(api, ANY_TIME)
            free = f"/resources/{business.resource['id']}/availability"
            assert api.get(free, data=DAY).status == 200
            with away(bookings):
                reply = api.get(free, data=DAY)
                checks.told(reply, 503, "Agenda indisponível; tente novamente.")
                assert reply.json["error"] == "bookings_unavailable" and reply.headers["Retry-After"] == "1"
                checks.told(business.ask(f"{DAY}T10:00", f"{DAY}T11:00"), 503,
                            "Banco de dados indisponível; tente novamente.")
                assert api.get(f"/users/{business.user['id']}").status == 200
            harness.until("it is back", lambda: api.get(free, data=DAY).status == 200)
            business.book(f"{DAY}T10:00", f"{DAY}T11:00")
    finally:
        bookings.drop()


def test_put_to_a_blocking_status_looks_for_conflicts(api):
    """Its category shares no longer: of those that overlap, none is confirmed by PUT until the others have gone."""
    business = Business(api, ANY_TIME, **multiple(3))
    one, other = (business.book(f"{DAY}T10:00", f"{DAY}T11:00") for _ in range(2))
    api.put(f"/categories/{business.category['id']}", {"category_metadata": {"allows_multiple_bookings": False}})
    reply = api.put(f"/bookings/{one['id']}", {"status": "confirmado"})
    checks.told(reply, 409, "Recurso já possui reserva neste intervalo")
    assert [conflict["booking_id"] for conflict in reply.json["conflicts"]] == [other["id"]]
    assert api.put(f"/bookings/{one['id']}", {"notes": "espera"}).json["status"] == "pendente"
    assert api.patch(f"/bookings/{other['id']}/cancel").status == 200
    assert api.put(f"/bookings/{one['id']}", {"status": "confirmado"}).json["status"] == "confirmado"


def test_put_confirms_what_lawfully_overlaps(api):
    business = Business(api, ANY_TIME, **multiple(2))
    for booking in [business.book(f"{DAY}T10:00", f"{DAY}T11:00") for _ in range(2)]:
        assert api.put(f"/bookings/{booking['id']}", {"status": "confirmado"}).json["status"] == "confirmado"


@pytest.mark.parametrize("method", ["FOO", "get", "M-SEARCH"])
def test_any_other_method_is_told_which_there_are(marca, api, method):
    if marca.store == "fleet" and not method.isupper():
        pytest.skip("nginx takes no method in small letters: 400")
    reply = api.request(method, "/users/")
    assert reply.status == 405 and reply.headers["Allow"] == "GET, HEAD, POST, OPTIONS"
    api.close()
    assert api.request(method, "/nothing").status == 404


def test_a_list_of_entity_tags(marca, api):
    user = harness.make_user(api, harness.make_tenant(api))
    path = f"/users/{user['id']}"

    def change(*lines):
        """If-Match in one line or several: their status line."""
        tag = api.get(path).headers["ETag"]
        head = "".join(f"If-Match: {line.format(tag=tag)}\r\n" for line in lines)
        host, port = marca.address.split(":")
        with socket.create_connection((host, int(port))) as own:
            own.sendall(f"PUT {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{head}Content-Length: 2\r\n\r\n{{}}".encode())
            return int(own.makefile("rb").readline().split()[1])

    for lines in (["{tag}"], ['"0", {tag}'], ['"0"\t,\t{tag}'], ['W/"0",{tag},"z"'], ["*"], []):
        assert change(*lines) == 200, lines
    for lines in (["{tag}x"], ['""'], ["**"]):
        assert change(*lines) == 412, lines
    # nginx takes one line of it alone, drops one that is empty, and undoes the W/ that its gzip has brought.
    one_process = marca.store != "fleet"
    assert change("") == (412 if one_process else 200)
    assert change('"0"', "{tag}") == (200 if one_process else 400)
    assert change('"0"', '"00"') == (412 if one_process else 400)
    assert change("W/{tag}") == (412 if one_process else 200)


def test_traces_of_later_versions(api):
    trace, rest = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331-01"
    for header in (f"00-{trace}-{rest}", f"cc-{trace}-{rest}", f"cc-{trace}-{rest}-more"):
        assert api.get("/health", {"traceparent": header}).headers["traceparent"][:36] == f"00-{trace}-"
    for header in (f"ff-{trace}-{rest}", f"00-{trace}-{rest}-more", f"cc-{trace}-{rest}more", f"CC-{trace}-{rest}"):
        assert trace not in api.get("/health", {"traceparent": header}).headers["traceparent"]
