"""A page of /metrics, as Prometheus reads it; and what docs/metrics.md says can stand in one."""
import functools
import re
import subprocess

import harness

SAMPLE = re.compile(r'([a-z_]+)(?:\{(.*)\})? (\S+)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}


class Page:
    def __init__(self, text):
        self.text = text
        self.samples = {}
        for line in text.splitlines():
            if not line.startswith("#"):
                name, labels, value = SAMPLE.fullmatch(line).groups()
                self.samples[name, frozenset(LABEL.findall(labels or ""))] = float(value)

    def get(self, name, default=None, **labels):
        """That sample; without a default it must be there."""
        found = self.samples.get((name, frozenset(labels.items())), default)
        assert found is not None, f"no {name} {labels} in\n{self.text}"
        return found

    def all(self, name):
        """[(labels, value)] of one metric."""
        return [(dict(labels), value) for (found, labels), value in self.samples.items() if found == name]


def read(api, **headers):
    reply = api.get("/metrics", headers=headers)
    assert reply.status == 200, reply
    assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return Page(reply.text)


def promtool(*words, text=None, folder=None):
    """(status, what it said)"""
    done = subprocess.run(["promtool", *map(str, words)], input=text, cwd=folder, capture_output=True, text=True,
                          timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


@functools.cache
def documented():
    """{name: (type, labels)} of docs/metrics.md."""
    text = (harness.ROOT / "docs/metrics.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|(.*?)\| ", text, re.M)
    assert len(rows) > 30
    return {name: (kind, re.findall(r"`(\w+)`", labels)) for name, kind, labels in rows}


@functools.cache
def series():
    """{name of a sample: its labels} that a page may have."""
    found = {}
    for name, (kind, labels) in documented().items():
        for suffix in SUFFIXES[kind]:
            found[name + suffix] = {*labels, *(["le"] if suffix == "_bucket" else [])}
    return found
