"""A collector of spans: takes OTLP over HTTP, in JSON, and holds it to the specification
(https://opentelemetry.io/docs/specs/otlp/; opentelemetry/proto/trace/v1/trace.proto)."""
import http.server
import json
import re
import threading
import time

FIELDS = {"traceId", "spanId", "parentSpanId", "traceState", "name", "kind", "startTimeUnixNano", "endTimeUnixNano",
          "attributes", "status"}


def attributes(rows):
    """{key: value}; of OTLP's kinds of values, those that marca has."""
    found = {}
    for row in rows:
        assert set(row) == {"key", "value"} and row["key"] not in found, row
        [(kind, value)] = row["value"].items()
        assert (kind == "stringValue" and isinstance(value, str)) or (kind == "intValue" and re.fullmatch(r"-?\d+", value)), row
        found[row["key"]] = int(value) if kind == "intValue" else value
    return found


class Span:
    def __init__(self, resource, row):
        assert set(row) <= FIELDS and {"traceId", "spanId", "name", "kind"} <= set(row), row
        assert re.fullmatch("[0-9a-f]{32}", row["traceId"]) and row["traceId"].strip("0")
        assert re.fullmatch("[0-9a-f]{16}", row["spanId"]) and row["spanId"].strip("0")
        assert re.fullmatch("[0-9a-f]{16}", row.get("parentSpanId", "0" * 16))
        assert row["name"] and row["kind"] in range(1, 6) and row["status"] in ({}, {"code": 2}), row
        self.service = resource["service.name"]
        self.trace, self.id, self.parent = row["traceId"], row["spanId"], row.get("parentSpanId")
        self.name, self.kind, self.state = row["name"], row["kind"], row.get("traceState")
        self.began, self.ended = int(row["startTimeUnixNano"]), int(row["endTimeUnixNano"])
        self.attributes, self.failed = attributes(row["attributes"]), row["status"] != {}
        assert self.began <= self.ended and abs(self.ended / 1e9 - time.time()) < 300, "of the machine's clock"

    def __repr__(self):
        return f"<{self.name} {self.id} of {self.parent} {self.attributes}>"


class Collector:
    """answers: statuses for the first requests; then 200."""

    def __init__(self, answers=()):
        self.spans, self.requests, self.faults = [], [], []
        answers = list(answers)
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = answers.pop(0) if answers else 200
                collector.requests.append((self.path, dict(self.headers), status))
                if status == 200:
                    try:
                        collector.take(self.path, self.headers["Content-Type"], json.loads(body))
                    except Exception as fault:  # told to the test, not to marca
                        collector.faults.append(repr(fault))
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def take(self, path, kind, body):
        assert path == "/v1/traces" and kind == "application/json" and set(body) == {"resourceSpans"}
        for resource in body["resourceSpans"]:
            assert set(resource) == {"resource", "scopeSpans"} and set(resource["resource"]) == {"attributes"}
            about = attributes(resource["resource"]["attributes"])
            assert {"service.name", "service.version"} <= set(about)
            for scope in resource["scopeSpans"]:
                assert set(scope) == {"scope", "spans"} and scope["scope"]["name"] == "marca"
                self.spans += [Span(about, row) for row in scope["spans"]]

    def of(self, trace):
        assert not self.faults, self.faults
        return [span for span in self.spans if span.trace == trace]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        assert not self.faults, self.faults
