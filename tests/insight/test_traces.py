"""Spans: what a request waited for, as a collector gets it; and the trace that goes on to whoever is asked."""
import contextlib
import itertools
import json
import socket
import sqlite3
import time

import pytest

import harness
import page
from business import ANY_TIME, Business
from harness import Marca, until
from otlp import Collector, Span
from test_neighbours_seen import fleet

INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = range(1, 6)
CALLER = "00f067aa0ba902b7"
serial = itertools.count(1)


def new_trace():
    return f"{next(serial):032x}"


def calling(trace, flags="01"):
    return {"traceparent": f"00-{trace}-{CALLER}-{flags}"}


@pytest.fixture(scope="module")
def collector():
    with Collector() as found:
        yield found


@pytest.fixture(scope="module")
def traced(store, collector):
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_SERVICE_NAME": f"marca-{store}",
           "OTEL_EXPORTER_OTLP_HEADERS": "x-api-key=s3cret%20word, x-more=1", "CACHE_TTL_SECONDS": "0"}
    with Marca(store, env=env) as marca:
        yield marca


@pytest.fixture(scope="module")
def business(traced):
    return Business(traced.api(), ANY_TIME)


def server_span(collector, trace):
    """The request's own, which comes last of all that it waited for."""
    return until("the request's span is there", lambda: [span for span in collector.of(trace) if span.kind == SERVER])[0]


def test_a_booking(traced, collector, business, store):
    trace = new_trace()
    reply = business.api.request(
        "POST", "/bookings/", business.wanted("2025-12-05T10:00", "2025-12-05T11:00"),
        {**calling(trace), "tracestate": "vendor=opaque,other=1"})
    assert reply.status == 201
    request = server_span(collector, trace)
    assert reply.headers["traceparent"] == f"00-{trace}-{request.id}-01"
    assert (request.name, request.parent, request.state, request.failed) == ("POST /bookings", CALLER, "vendor=opaque,other=1", False)
    assert request.service == f"marca-{store}"
    assert request.attributes == {
        "http.request.method": "POST", "http.route": "/bookings", "http.response.status_code": 201}
    waits = [span for span in collector.of(trace) if span.parent == request.id]
    assert len(waits) == len({span.id for span in waits}) >= 2
    for wait in waits:
        assert wait.kind == CLIENT and not wait.failed and wait.state == request.state
        assert wait.attributes["db.system.name"] == {"sqlite": "sqlite", "postgres": "postgresql"}[store]
        assert request.began <= wait.began <= wait.ended <= request.ended
    commits = [span for span in waits if span.name == "commit"]  # a second one where the resource had no lock row yet
    assert commits and all(span.attributes["db.namespace"] == "booking" for span in commits)
    assert all(span.attributes["db.operation.batch.size"] >= 3 for span in commits)
    # What follows from its event is of the same trace.
    effects = until("the event's effects are there", lambda: [
        found for found in [[span for span in collector.of(trace) if span.kind == CONSUMER]]
        if {span.attributes["messaging.consumer.group.name"] for span in found} >= {"user-service", "resource-service", "audit"}])[0]
    for effect in effects:
        assert effect.name == "booking.created" and effect.parent is None and not effect.failed
        assert effect.attributes["messaging.destination.name"] == "booking-events"
        assert effect.began >= request.began


def test_headers_of_the_collector(traced, collector, business):
    server = new_trace()
    assert traced.api().get("/health", headers=calling(server)).status == 200
    server_span(collector, server)
    headers = {name.lower(): value for name, value in collector.requests[-1][1].items()}
    assert (headers["x-api-key"], headers["x-more"]) == ("s3cret word", "1")
    assert "s3cret" not in traced.log()


def test_failures(traced, collector, business):
    """4xx is the caller's; of 5xx the span says so, and that of what failed."""
    absent = new_trace()
    assert traced.api().get(f"/bookings/{business.id}", headers=calling(absent)).status == 404
    found = server_span(collector, absent)
    assert not found.failed and found.attributes["http.response.status_code"] == 404
    unknown = new_trace()
    assert traced.api().get("/canary/word", headers=calling(unknown)).status == 404
    assert server_span(collector, unknown).name == "GET"


def test_a_store_that_fails(collector):
    with Marca(env={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}) as marca:
        business = Business(marca.api(), ANY_TIME)
        with sqlite3.connect(marca.data / "booking.db") as db:
            db.execute("ALTER TABLE bookings RENAME TO gone_bookings")
        db.close()
        trace = new_trace()
        reply = marca.api().get("/bookings/", headers=calling(trace), tenant_id=business.id)
        assert reply.status == 500
        request = server_span(collector, trace)
        assert request.failed and request.attributes["error.type"] == "500"
        [wait] = [span for span in collector.of(trace) if span.failed and span.kind == CLIENT]
        assert wait.parent == request.id and wait.attributes["error.type"] == "internal_error"


def test_a_password(traced, collector, business):
    user, _ = harness.make_person(traced.api(), business.tenant)
    trace = new_trace()
    reply = traced.api().request("POST", "/auth/login", {
        "tenant_id": business.id, "email": user["email"], "password": harness.PASSWORD}, calling(trace))
    assert reply.status == 200
    request = server_span(collector, trace)
    [wait] = [span for span in collector.of(trace) if span.name == "argon2id"]
    assert wait.parent == request.id and wait.kind == INTERNAL and wait.ended - wait.began > 1_000_000
    text = json.dumps([span.attributes for span in collector.spans])
    assert user["email"] not in text and "canary" not in text


def test_tenant_of_whoever_has_one(traced, collector, business):
    _, api = harness.make_person(traced.api(), business.tenant)
    trace = new_trace()
    assert api.get("/users/me", headers=calling(trace)).status == 200
    assert server_span(collector, trace).attributes["marca.tenant_id"] == business.id


# --- Which are recorded -----------------------------------------------------------------


def test_the_caller_decides(collector):
    """Whatever the ratio: it is for traces that begin here."""
    with Marca(env={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_TRACES_SAMPLER_ARG": "0"}) as marca:
        wanted, unwanted = new_trace(), new_trace()
        assert marca.api().get("/health", headers=calling(unwanted, "00")).headers["traceparent"].endswith("-00")
        assert marca.api().get("/health", headers=calling(wanted)).headers["traceparent"].endswith("-01")
        server_span(collector, wanted)
        own = marca.api().get("/health").headers["traceparent"]
        assert own.endswith("-00")
        after = new_trace()
        assert marca.api().get("/health", headers=calling(after)).status == 200
        server_span(collector, after)
        assert not collector.of(unwanted) and not collector.of(own.split("-")[1])


def test_ratio(collector):
    with Marca(env={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_TRACES_SAMPLER_ARG": "0.5"}) as marca:
        api = marca.api()
        told = [api.get("/health").headers["traceparent"].split("-") for _ in range(200)]
        kept = [trace for _, trace, _, flags in told if flags == "01"]
        assert 60 < len(kept) < 140
        assert all((int(trace[16:], 16) < 2**63) == (flags == "01") for _, trace, _, flags in told)
        until("those are there", lambda: all(collector.of(trace) for trace in kept))
        assert not any(collector.of(trace) for _, trace, _, flags in told if flags == "00")


def test_without_a_collector(api):
    """The trace goes through all the same, and nothing is said to be recorded that nobody asked for."""
    trace = new_trace()
    told = api.get("/health", headers=calling(trace)).headers["traceparent"].split("-")
    assert told[1] == trace and told[2] != CALLER and told[3] == "01"
    assert api.get("/health").headers["traceparent"].endswith("-00")


@pytest.mark.parametrize("env, told", [
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"}, "OTEL_EXPORTER_OTLP_ENDPOINT"),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_SAMPLER_ARG": "often"}, "OTEL_TRACES_SAMPLER_ARG"),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_SAMPLER_ARG": "1.5"}, "OTEL_TRACES_SAMPLER_ARG"),
])
def test_settings_that_are_no_good(env, told):
    with pytest.raises(AssertionError, match=f"marca: {told}"), Marca(env=env):
        pass


# --- A collector that does not take them ---------------------------------------------------


def stats(marca):
    shown = page.read(marca.api())
    return shown.get("marca_trace_spans_sent_total"), shown.get("marca_trace_spans_dropped_total")


def test_what_may_be_sent_again():
    with Collector(answers=[503]) as collector, Marca(env={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}) as marca:
        until("it was sent again", lambda: collector.spans)
        assert collector.requests[0][2] == 503 and stats(marca)[1] == 0


def test_what_never_is_taken():
    with Collector(answers=[400]) as collector, Marca(env={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}) as marca:
        until("it is counted", lambda: stats(marca)[1] > 0)
        until("others are taken", lambda: collector.spans)
        assert "spans cannot be sent" in marca.log()


def test_nobody_waits_for_a_collector():
    """One that takes the connection and never answers: all is served, what does not fit is dropped, and a stop is soon done."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as silent:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        with Marca(env=env) as marca:
            api = marca.api()
            while stats(marca)[1] == 0:
                for _ in range(500):
                    assert api.get("/health").status == 200
            marca.stop()


def test_a_stop_sends_what_waits(collector):
    trace = new_trace()
    with Marca(env={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}) as marca:
        assert marca.api().get("/health", headers=calling(trace)).status == 200
        marca.stop()
        assert server_span(collector, trace)


# --- From process to process -----------------------------------------------------------------


def test_neighbours(collector):
    """The span of the call is the parent of the request that it is there."""
    with fleet(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url) as (rest, bookings):
        business = Business(rest.api(), ANY_TIME)
        business.api = bookings.api()
        trace = new_trace()
        reply = business.api.request("POST", "/bookings/", business.wanted("2025-12-05T10:00", "2025-12-05T11:00"),
                                     {**calling(trace), "tracestate": "vendor=opaque"})
        assert reply.status == 201
        until("both have told", lambda: {"POST /bookings", "POST /internal/reads"} <= {span.name for span in collector.of(trace)})
        spans = {span.id: span for span in collector.of(trace)}
        there = [span for span in spans.values() if span.name == "POST /internal/reads"]
        for span in there:
            call = spans[span.parent]
            assert (call.name, call.kind, call.attributes["server.address"]) == ("POST", CLIENT, "127.0.0.1")
            assert call.attributes["http.response.status_code"] == 200 and span.state == "vendor=opaque"
            read = spans[call.parent]
            assert read.attributes["peer.service"] in ("tenant", "resource", "user")
            assert spans[read.parent].name == "POST /bookings"


# --- The validator -------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [
    {"traceId": "0" * 32}, {"spanId": "zz"}, {"kind": "SERVER"}, {"kind": 9}, {"parentSpanId": ""}, {"status": {"code": "ERROR"}},
    {"endTimeUnixNano": "1"}, {"attributes": [{"key": "a", "value": {"intValue": "x"}}]}, {"more": 1}, {"name": ""},
])
def test_a_planted_fault_is_seen(collector, traced, change):
    now = str(time.time_ns())
    good = {"traceId": "1" * 32, "spanId": "2" * 16, "name": "x", "kind": 2, "startTimeUnixNano": now, "endTimeUnixNano": now,
            "attributes": [], "status": {}}
    assert Span({"service.name": "x"}, good)
    with pytest.raises(AssertionError):
        Span({"service.name": "x"}, {**good, **change})
