"""bench/costs tells what costs more: it is a step of CI, and would be none if it could not fail."""
import importlib.machinery
import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
KIND = "health"


@pytest.fixture(scope="module")
def costs():
    sys.path.insert(0, str(ROOT / "bench"))
    loader = importlib.machinery.SourceFileLoader("costs", str(ROOT / "bench/costs"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("costs", loader))
    loader.exec_module(module)
    return module


def test_each_figure_of_the_table_counts(costs):
    table = costs.recorded(costs.TABLE)
    assert list(table) == list(costs.KINDS)
    for kind, before in table.items():
        assert costs.compare(kind, before, before) == ([], [])
        for key, value in before.items():
            share, besides = costs.TOLERANCE[key]
            dearer, cheaper = ({**before, key: value + sign * (2 * besides + 2 * share * value + 1)} for sign in (1, -1))
            more, less = costs.compare(kind, dearer, before)
            assert len(more) == 1 and kind in more[0] and not less
            more, less = costs.compare(kind, cheaper, before)
            assert len(less) == 1 and not more


def run(table, *words):
    """By the gcc build, since a sanitizer's does not run under valgrind."""
    if not (ROOT / "build/marca").exists():
        pytest.skip("no build/marca; `scripts/build` makes it")
    return subprocess.run(
        ["/usr/bin/python3", ROOT / "bench/costs", "--only", KIND, "--table", table, *words],
        env={**os.environ, "MARCA_BUILD": "build"}, check=False, capture_output=True, text=True, timeout=300,
    )


def test_what_costs_more_fails(costs, tmp_path):
    """A line in the log for each request is such a thing."""
    table = tmp_path / "table.md"
    table.write_text(f"before\n{costs.BEGIN}{costs.END}after\n")
    done = run(table, "--record")
    assert done.returncode == 0, done.stdout + done.stderr
    text = table.read_text()
    assert text.startswith(f"before\n{costs.BEGIN}| request ") and text.endswith(f"{costs.END}after\n")
    done = run(table, "--set", "MARCA_LOG_REQUESTS=all")
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"COSTS MORE: {KIND}: loop: " in done.stdout
    assert table.read_text() == text
