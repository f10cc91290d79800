"""What every endpoint does alike, and what it does with what nobody should send (target R9), on both stores."""
import http.client
import json
import pathlib
import re
import socket
import urllib.parse

import pytest

import checks
import harness
from business import Business
from corpus import HOSTILE_TEXTS, NOT_JSON, WRONG

COLLECTIONS = ("tenants", "users", "categories", "resources", "bookings")
MEMBERS = ["type", "title", "status", "detail", "instance", "success", "error", "message", "trace_id"]
TRACE = re.compile(r"[0-9a-f]{32}")
TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
JSON = {"Content-Type": "application/json"}


def problem(reply, *statuses):
    """The answer is a whole problem, and its ids agree with its headers."""
    assert reply.status in statuses, reply
    assert reply.headers["Content-Type"].startswith("application/problem+json")
    body = reply.json
    assert list(body)[:len(MEMBERS)] == MEMBERS
    assert body["status"] == reply.status and body["success"] is False
    assert body["detail"] and body["title"] and body["message"]
    assert TRACE.fullmatch(body["trace_id"])
    assert TRACEPARENT.fullmatch(reply.headers["traceparent"]).group(1) == body["trace_id"]
    assert reply.headers["X-Request-ID"] == body["trace_id"]
    assert ("errors" in body) == (reply.status == 422)
    for issue in body.get("errors", []):
        assert set(issue) == {"loc", "msg", "type"} and issue["msg"] and issue["type"]
        assert issue["loc"][0] in ("body", "query", "path")
    return body


@pytest.fixture(scope="module")
def business(marca):
    return Business(marca.api())


@pytest.fixture(scope="module")
def booking(business):
    return business.book("2025-12-05T10:00", "2025-12-05T11:00")


def healthy(api):
    assert api.get("/health").status == 200


# --- Methods, slashes, unknown addresses ------------------------------------------------


def items(business, booking):
    return {
        "tenants": business.id, "users": business.user["id"], "categories": business.category["id"],
        "resources": business.resource["id"], "bookings": booking["id"],
    }


def test_methods_of_each_address(api, business, booking):
    every = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
    ids = items(business, booking)
    item = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}
    addresses = {f"/{name}": {"GET", "HEAD", "POST", "OPTIONS"} for name in COLLECTIONS}
    addresses.update({f"/{name}/{id_}": item for name, id_ in ids.items()})
    addresses[f"/bookings/{booking['id']}"] = item - {"DELETE"}
    addresses[f"/bookings/{booking['id']}/cancel"] = {"PATCH", "DELETE", "OPTIONS"}
    addresses[f"/bookings/{booking['id']}/status"] = {"PATCH", "OPTIONS"}
    addresses[f"/tenants/{business.id}/settings"] = {"GET", "HEAD", "PUT", "OPTIONS"}
    addresses["/tenants/by-domain/x.com"] = {"GET", "HEAD", "OPTIONS"}
    addresses[f"/resources/{business.resource['id']}/availability"] = {"GET", "HEAD", "OPTIONS"}
    for address, allowed in addresses.items():
        for slash in ("", "/"):
            reply = api.request("OPTIONS", address + slash)
            assert reply.status == 204 and reply.body == b""
            assert set(reply.headers["Allow"].split(", ")) == allowed, address
            for method in every - allowed:
                reply = api.request(method, address + slash)
                if method != "HEAD":
                    assert problem(reply, 405)["error"] == "method_not_allowed"
                assert reply.status == 405 and set(reply.headers["Allow"].split(", ")) == allowed


def test_head_is_get_without_a_body(api, business, booking):
    ids = items(business, booking)
    addresses = [f"/{name}/{id_}" for name, id_ in ids.items()]
    addresses += [f"/{name}?tenant_id={business.id}" for name in COLLECTIONS[1:]]
    addresses += [f"/users/{checks.some_id()}", "/nowhere", "/bookings", f"/tenants/{business.id}/settings"]
    for address in addresses:
        get, head = api.get(address), api.request("HEAD", address)
        assert head.status == get.status and head.body == b"", address
        for name in ("Content-Type", "Content-Length", "ETag"):
            assert head.headers[name] == get.headers[name], (address, name)


@pytest.mark.parametrize("address", [
    "/nowhere", "/tenant", "/Tenants", "/tenants//", "//tenants", "/tenants/x/y/z", "/bookings/cancel/x/y", "/%2e%2e/",
    "/tenants/../users", "/tenants;a=b", "/a/b/c/d/e/f/g", "/bookings.json", "/%74enants/x/settings/x", "/." + "x" * 4000,
])
def test_no_such_address(marca, api, address):
    if marca.store == "fleet" and address == "/%2e%2e/":
        pytest.skip("nginx refuses what leads above its root: 400")
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        body = problem(api.request(method, address), 404)
        assert body["error"] == "not_found" and body["instance"] == address


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "get", "QUERY"])
def test_other_methods(marca, business, method):
    address = f"/tenants/{business.id}"
    with socket.create_connection(marca.address.rsplit(":", 1), timeout=30) as wire:
        wire.sendall(f"{method} {address} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        reply = http.client.HTTPResponse(wire, method="GET")
        reply.begin()
        assert reply.status in (400, 405) and json.loads(reply.read())["success"] is False


def test_order_of_checks(marca, api, business):
    """Route, then size and type of the body, then its fields, then existence."""
    huge, absent = b"x" * 70_000, checks.some_id()
    text = {"Content-Type": "text/plain"}
    problem(api.request("POST", "/nowhere", b"x", text), 404)
    problem(api.request("PATCH", f"/tenants/{business.id}", b"x", text), 405)
    problem(api.request("PUT", f"/tenants/{absent}", b"{}", text), 415)
    problem(api.request("PUT", f"/tenants/{absent}", b"{", JSON), 422)
    problem(api.request("PUT", f"/tenants/{absent}", b'{"name": ""}', JSON), 422)
    problem(api.request("PUT", f"/tenants/{absent}", b"{}", JSON), 404)
    for address, status in ((f"/tenants/{absent}", 413), ("/nowhere", 404), ("/bookings/x/cancel", 405)):
        own = harness.Api(api.address)
        if marca.store == "fleet":
            status = 413  # which nginx tells first
        problem(own.request("PUT", address, huge, text), status)
        own.close()


# --- Problems, languages, traces ----------------------------------------------------------


@pytest.mark.parametrize("accept, language", [
    (None, "pt-BR"), ("pt-BR", "pt-BR"), ("en", "en"), ("en-GB, pt;q=0.5", "en"), ("pt;q=0.4, en;q=0.5", "en"),
    ("de, fr;q=0.9", "pt-BR"), ("*", "pt-BR"), ("en;q=0", "pt-BR"), ("", "pt-BR"), (";;q=,en;", "en"),
    ("en;q=9999999999999999999999", "pt-BR"), ("x" * 3000, "pt-BR"),
])
def test_languages(api, accept, language):
    headers = {} if accept is None else {"Accept-Language": accept}
    reply = api.get(f"/users/{checks.some_id()}", headers=headers)
    body = problem(reply, 404)
    assert reply.headers["Content-Language"] == language
    assert body["message"] == {"pt-BR": "Usuário não encontrado", "en": "No such user"}[language]
    assert body["title"] == {"pt-BR": "Não encontrado", "en": "Not found"}[language]


def test_traces_are_taken_and_made(api):
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01", "X-Request-ID": "my-request.7_A"}
    reply = api.get("/nowhere", headers=headers)
    assert reply.json["trace_id"] == trace and reply.headers["X-Request-ID"] == "my-request.7_A"
    made = TRACEPARENT.fullmatch(reply.headers["traceparent"])
    assert made.group(1) == trace and "b7ad6b7169203331" not in made.group(0)
    reply = api.get("/health", headers=headers)
    assert TRACEPARENT.fullmatch(reply.headers["traceparent"]).group(1) == trace
    assert reply.headers["X-Request-ID"] == "my-request.7_A"
    assert api.get("/nowhere").json["trace_id"] != api.get("/nowhere").json["trace_id"]


@pytest.mark.parametrize("name, value", [
    ("traceparent", "00-" + "0" * 32 + "-b7ad6b7169203331-01"),
    ("traceparent", "00-" + "A" * 32 + "-b7ad6b7169203331-01"),
    ("traceparent", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"),
    ("traceparent", "x"), ("traceparent", ""), ("traceparent", "00" * 4000),
    ("X-Request-ID", "a b"), ("X-Request-ID", "<script>"), ("X-Request-ID", ""), ("X-Request-ID", "x" * 5000),
    ("X-Request-ID", "\xe9"),
])
def test_bad_traces_are_replaced(api, name, value):
    problem(api.get("/nowhere", headers={name: value}), 404)


def test_instance_is_the_path(api):
    """Without the query, and whatever is in it cannot break the document."""
    assert api.get("/nowhere?a=%22").json["instance"] == "/nowhere"
    assert api.get("/nowhere/%22%5C/'x'").json["instance"] == "/nowhere/%22%5C/'x'"


# --- Bodies ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", NOT_JSON)
def test_no_json(api, name):
    for collection in COLLECTIONS:
        body = problem(api.request("POST", f"/{collection}/", NOT_JSON[name], JSON), 422)
        assert [(issue["loc"], issue["type"]) for issue in body["errors"]] in (
            [(["body"], "json_invalid")], [(["body"], "dict_type")]), body


@pytest.mark.parametrize("name", WRONG)
def test_wrong_json(api, name):
    for collection in COLLECTIONS:
        problem(api.request("POST", f"/{collection}/", WRONG[name], JSON), 422)


def test_the_corpus_is_refused_as_a_change_too(api, business, booking):
    for name, body in NOT_JSON.items():
        for collection, id_ in items(business, booking).items():
            problem(api.request("PUT", f"/{collection}/{id_}", body, JSON), 422)
        if name != "empty":
            problem(api.request("PATCH", f"/bookings/{booking['id']}/cancel", body, JSON), 422)
    assert api.get(f"/bookings/{booking['id']}").json == booking


@pytest.mark.parametrize("type_, status", [
    ("application/json", 422), ("application/json; charset=utf-8", 422), ("Application/JSON ;x=y", 422),
    ("application/merge-patch+json", 422), (None, 422),
    ("text/plain", 415), ("application/x-www-form-urlencoded", 415), ("multipart/form-data; boundary=x", 415),
    ("application/xml", 415), ("application/jsonp", 415), ("json", 415), ("*/*", 415), (";", 415), ("", 415),
    ("application/json, text/plain", 415), ("x" * 5000, 415),
])
def test_types_of_bodies(api, type_, status):
    headers = {} if type_ is None else {"Content-Type": type_}
    problem(api.request("POST", "/tenants/", b"{}", headers), status)


@pytest.mark.parametrize("size, status", [(65536, 422), (65537, 413), (1 << 20, 413), (10 << 20, 413)])
def test_sizes_of_bodies(api, size, status):
    """Also when it comes in chunks, without a length."""
    body = b"[" * size
    for encode in (False, True):
        own = harness.Api(api.address)
        try:
            own.connection.request("POST", "/tenants/", iter([body]) if encode else body, JSON, encode_chunked=encode)
        except (BrokenPipeError, ConnectionResetError):
            assert size > 1 << 20, "it must read on after its answer, up to a cap"
            own.close()
            continue
        response = own.connection.getresponse()
        assert response.status == status and json.loads(response.read())["status"] == status
        own.close()
    healthy(api)


def test_body_on_get(api, business):
    """It means nothing, and the next request on the connection is not taken out of it."""
    inner = f"GET /tenants/{business.id} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    for body in (b"{", b"\xff\x00", inner, b"x" * 60_000):
        for method in ("GET", "HEAD", "OPTIONS"):
            reply = api.request(method, "/users/?tenant_id=x", body, {"Content-Type": "text/plain"})
            assert reply.status == (204 if method == "OPTIONS" else 422)
            assert api.get(f"/users/{business.user['id']}").json["id"] == business.user["id"]


def test_body_on_delete(api):
    tenant = harness.make_tenant(api)
    assert api.request("DELETE", f"/tenants/{tenant['id']}", b"{", JSON).status in (204, 422)
    healthy(api)


# --- Hostile texts --------------------------------------------------------------------


def test_hostile_texts_in_every_parameter(api, business, booking):
    filters = {
        "/tenants/": ["search", "is_active", "limit", "cursor"],
        "/users/": ["tenant_id", "user_type", "is_active", "search", "limit", "cursor"],
        "/categories/": ["tenant_id", "search", "limit", "cursor"],
        "/resources/": ["tenant_id", "category_id", "status", "search", "limit", "cursor"],
        "/bookings/": ["tenant_id", "resource_id", "user_id", "status", "start_date", "end_date", "limit", "cursor"],
        f"/resources/{business.resource['id']}/availability": ["data", "date"],
    }
    for address, names in filters.items():
        for name in names:
            for text in HOSTILE_TEXTS:
                query = {"tenant_id": business.id, name: text}
                if len(urllib.parse.urlencode(query)) > 4000:
                    continue
                reply = api.request("GET", address, query=query)
                if reply.status == 200:
                    assert name in ("search", "limit", "is_active"), (address, name, text)
                    assert name != "search" or text in ("%", "_", "*") or reply.json == [] or "tenants" in address
                else:
                    problem(reply, 400, 422)


def test_hostile_texts_in_every_path(marca, api):
    for text in HOSTILE_TEXTS:
        quoted = urllib.parse.quote(text, safe="")
        if len(quoted) > 4000:
            continue
        by_nginx = [400] if marca.store == "fleet" and ("\0" in text or ".." in text) else []
        for collection in COLLECTIONS:
            problem(api.get(f"/{collection}/{quoted}"), 422, *by_nginx)
        problem(api.get(f"/tenants/by-domain/{quoted}"), 404, *by_nginx)


def test_hostile_texts_in_every_field(api, business):
    """A text comes back as it went in, or is refused; nothing else changes."""
    fields = {
        "tenants": ["name", "domain", "logo_url", "theme_primary_color", "plan"],
        "users": ["tenant_id", "name", "email", "phone", "user_type", "department", "password"],
        "categories": ["tenant_id", "name", "description", "type", "icon", "color"],
        "resources": ["tenant_id", "category_id", "name", "description", "status", "location", "image_url"],
        "bookings": ["tenant_id", "resource_id", "user_id", "client_id", "start_time", "end_time", "notes", "status"],
    }
    other = Business(api)
    number = 0
    for collection, names in fields.items():
        for name in names:
            for text in HOSTILE_TEXTS:
                number += 1
                body = {
                    "tenants": {"name": "x", "domain": f"hostile-{business.id[-12:]}-{number}.example.com"},
                    "users": {"tenant_id": other.id, "name": "x", "email": f"u{number}@example.com"},
                    "categories": {"tenant_id": other.id, "name": "x", "type": "fisico"},
                    "resources": {"tenant_id": other.id, "category_id": other.category["id"], "name": "x"},
                    "bookings": other.wanted("2025-12-05T10:00", "2025-12-05T11:00"),
                }[collection]
                if collection == "users" and name == "password" and 8 <= len(text) <= 128:
                    continue  # hashing is slow on purpose; its text goes nowhere else
                reply = api.post(f"/{collection}/", {**body, name: text})
                if reply.status == 201:
                    text = text.lower() if name == "domain" else text
                    assert reply.json[name] == text
                    assert api.get(f"/{collection}/{reply.json['id']}").json[name] == text
                    if collection == "bookings":
                        api.patch(f"/bookings/{reply.json['id']}/cancel", {"reason": text[:500]})
                else:
                    problem(reply, 422)
    assert api.get(f"/users/{business.user['id']}").json == business.user
    assert api.get(f"/tenants/{business.id}").json == business.tenant


@pytest.mark.parametrize("query, where", [
    ("tenant_id=%FF", "tenant_id"), ("tenant_id=%00", "tenant_id"), ("tenant_id=%", "tenant_id"),
    ("tenant_id=%4", "tenant_id"), ("tenant_id=%zz", "tenant_id"), ("tenant_id=%C0%AF", "tenant_id"),
    ("status=%ED%A0%80", "status"), ("cursor=%F4%90%80%80", "cursor"), ("start_date=2025%00", "start_date"),
    ("limit=%C3", "limit"),
])
def test_bad_encoding_in_queries(api, business, query, where):
    body = problem(api.get(f"/bookings/?{'' if where == 'tenant_id' else f'tenant_id={business.id}&'}{query}"), 422)
    assert [issue["loc"] for issue in body["errors"]] == [["query", where]]


@pytest.mark.parametrize("query", ["", "&", "&&&=&", "=", "=x", "x", "%FF=1", "a=b=c", "tenant_id", "?", "x" * 3000,
                                   "&".join(f"a{i}=b" for i in range(500))])
def test_odd_queries(api, query):
    body = problem(api.get(f"/bookings/?{query}"), 422)
    assert [(issue["loc"], issue["type"]) for issue in body["errors"]] == [(["query", "tenant_id"], "missing")]


@pytest.mark.parametrize("cursor", ["", "A", "AAAA", "A" * 32, "-" * 32, "_" * 32, "f" * 32, "=" * 32, "A" * 31 + "=",
                                    "A" * 33, "A" * 128, "A" * 129, "../../etc", "AAAA\n" + "A" * 28, "é" * 16])
def test_cursors_made_up(api, business, cursor):
    """Whatever 24 bytes say, a list answers with its own rows or says no."""
    for collection in COLLECTIONS:
        reply = api.get(f"/{collection}/", tenant_id=business.id, cursor=cursor)
        if reply.status == 200:
            if collection != "tenants":
                assert {item["tenant_id"] for item in reply.json} <= {business.id}
        else:
            problem(reply, 422)


# --- Nothing of it stays ----------------------------------------------------------------


def rss(marca):
    """Resident memory in bytes."""
    status = pathlib.Path(f"/proc/{marca.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024


def sanitized():
    """Sanitizers keep freed memory in quarantine on purpose."""
    return b"__asan_init" in harness.binary().read_bytes()


def test_memory_after_the_corpus(store):
    """20 times all of it at all collections: at most 8 MiB more than after the first."""
    with harness.Marca(store) as marca:
        api = marca.api()

        def feed():
            for body in (*NOT_JSON.values(), *WRONG.values()):
                for collection in COLLECTIONS:
                    assert api.request("POST", f"/{collection}/", body, JSON).status == 422

        feed()
        before = rss(marca)
        for _ in range(3 if sanitized() else 20):
            feed()
        if not sanitized():
            assert rss(marca) - before <= 8 << 20
        healthy(api)
