"""deploy/prometheus and deploy/grafana: each alarm is raised by what it is for, each metric that they ask for is there, and
Prometheus itself takes all of it, beside a marca."""
import http.client
import json
import re
import shutil
import subprocess
import urllib.parse

import yaml

import harness
import page
from business import ANY_TIME, Business

ALERTS = harness.ROOT / "deploy/prometheus/alerts.yml"
CONFIG = harness.ROOT / "deploy/prometheus/prometheus.yml"
DASHBOARD = harness.ROOT / "deploy/grafana/marca.json"
RUNBOOK = harness.ROOT / "docs/operations/alarms.md"
SERIES = harness.ROOT / "tests/insight/alerts.yml"
PLANTED = "marca_requests_totals"


def rules():
    [group] = yaml.safe_load(ALERTS.read_text())["groups"]
    return {rule["alert"]: rule for rule in group["rules"]}


def dashboard():
    """Every expression of it."""
    found = []

    def walk(node):
        if isinstance(node, dict):
            found.extend(value for key, value in node.items() if key == "expr")
            found.extend(value for key, value in node.items() if key == "query" and "label_values" in str(value))
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(json.loads(DASHBOARD.read_text()))
    assert len(found) > 30
    return found


def unknown(expressions):
    """Metrics that are asked for and that nobody has; labels that they do not have."""
    wrong = set()
    for text in expressions:
        for name, labels in re.findall(r'\b((?:marca|process)_\w+)(?:\{([^}]*)\})?', re.sub(r'"[^"]*"', lambda m: m.group().replace("_", "-"), text)):
            if name not in page.series():
                wrong.add(name)
            else:
                asked = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", labels)) - {"job", "instance"}
                wrong |= {f"{name}{{{label}}}" for label in asked - page.series()[name]}
    return wrong


def test_every_metric_is_there():
    assert not unknown([rule["expr"] for rule in rules().values()])
    assert not unknown(dashboard())


def test_a_planted_name_is_seen():
    for expressions in (dashboard(), [rule["expr"] for rule in rules().values()]):
        assert unknown([text.replace("marca_requests_total", PLANTED) for text in expressions]) == {PLANTED}
    assert unknown(['rate(marca_requests_total{state="500"}[5m])']) == {"marca_requests_total{state}"}
    assert unknown(["marca_request_duration_seconds"]) == {"marca_request_duration_seconds"}, "a histogram is no sample"


def test_operations_that_are_left_out_are_there():
    left_out = re.search(r'operation!~"([^"]+)"', rules()["MarcaSlow"]["expr"]).group(1)
    ids = set(re.findall(r'"operationId": ?"(\w+)"', (harness.ROOT / "docs/openapi.json").read_text()))
    assert {name for name in left_out.split("|") if name.isalpha()} <= ids


def test_promtool_takes_the_rules():
    assert page.promtool("check", "rules", ALERTS)[0] == 0


def run_series(folder, text):
    (folder / "rules.yml").write_text(text)
    shutil.copy(SERIES, folder / "test.yml")
    return page.promtool("test", "rules", "test.yml", folder=folder)


def test_alarms_on_real_series(tmp_path):
    status, said = run_series(tmp_path, ALERTS.read_text())
    assert status == 0, said
    tried = {test["name"].split(",")[0] for test in yaml.safe_load(SERIES.read_text())["tests"]}
    assert tried == set(rules()), "an alarm without its series"


def test_each_alarm_is_needed(tmp_path):
    """Where they say nothing, the series of each show it."""
    text = yaml.safe_load(ALERTS.read_text())
    for rule in text["groups"][0]["rules"]:
        rule["expr"] = f"({rule['expr']}) > 1e99"
    status, said = run_series(tmp_path, yaml.safe_dump(text))
    assert status != 0
    assert set(re.findall(r'exp: \{alertname="(\w+)"', said)) == set(rules())


def test_every_alarm_has_its_page():
    """The anchor that GitHub gives a heading; and the page tells of no alarm that is not there."""
    headings = {heading.lower(): heading for heading in re.findall(r"^## (Marca\w+)$", RUNBOOK.read_text(), re.M)}
    for name, rule in rules().items():
        path, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert harness.ROOT / path == RUNBOOK and headings[anchor] == name
        assert {"summary", "description"} <= set(rule["annotations"]) and rule["labels"]["severity"] in ("critical", "warning")
    assert set(headings.values()) == set(rules())


# --- Prometheus itself ------------------------------------------------------------------


class Prometheus:
    """With deploy's configuration, but for the targets, the token and how often it looks."""

    def __init__(self, folder, target, token):
        self.folder, self.port = folder, harness.free_port()
        shutil.copy(ALERTS, folder / "alerts.yml")
        (folder / "metrics_token").write_text(token)
        config = yaml.safe_load(CONFIG.read_text())
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["scrape_configs"][0]["static_configs"][0]["targets"] = [target]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))

    def __enter__(self):
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", "--config.file=prometheus.yml", f"--web.listen-address=127.0.0.1:{self.port}",
                 "--storage.tsdb.path=data"], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def get(self, path, **query):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", f"/api/v1/{path}?{urllib.parse.urlencode(query)}")
            return json.loads(connection.getresponse().read())
        except (OSError, ValueError):  # or it says in words that it is not
            assert self.process.poll() is None, (self.folder / "log").read_text()[-3000:]
            return {"status": "not there yet"}
        finally:
            connection.close()

    def value(self, expression):
        reply = self.get("query", query=expression)
        if reply["status"] != "success" or not reply["data"]["result"]:
            return None
        return float(reply["data"]["result"][0]["value"][1])


def test_configuration(tmp_path):
    """As it lies there; the token's file is the operator's to make."""
    for path in (CONFIG, ALERTS):
        shutil.copy(path, tmp_path)
    status, said = page.promtool("check", "config", "prometheus.yml", folder=tmp_path)
    assert status != 0 and "metrics_token" in said
    (tmp_path / "metrics_token").write_text("t0ken")
    assert page.promtool("check", "config", "prometheus.yml", folder=tmp_path)[0] == 0


def test_prometheus_reads_marca(tmp_path):
    token = "prometheus-asks-by-this-one"
    with harness.Marca(env={"METRICS_TOKEN": token}) as marca, Prometheus(tmp_path, marca.address, token) as prometheus:
        business = Business(marca.api(), ANY_TIME)
        business.book("2025-12-05T10:00", "2025-12-05T11:00")
        harness.until("it has the booking", lambda: prometheus.value(f'marca_bookings_created_total{{tenant="{business.id}"}}') == 1)
        assert prometheus.value('up{job="marca"}') == 1

        [group] = harness.until("the rules have run", lambda: [
            found for found in prometheus.get("rules").get("data", {}).get("groups", [])
            if all(rule["health"] != "unknown" for rule in found["rules"])])
        for rule in group["rules"]:
            assert rule["health"] == "ok", rule
            assert rule["state"] == "inactive", rule

        for text in dashboard():
            if text.startswith("label_values"):
                continue
            text = text.replace("$__rate_interval", "1m").replace("$instance", ".*").replace("$job", "marca")
            assert prometheus.get("query", query=text)["status"] == "success", text
