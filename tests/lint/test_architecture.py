"""The pictures of docs/architecture.md, held to the tables that they are of: tools/lint.py, src/app/neighbours.c."""
import importlib.util
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs/architecture.md").read_text()
PROCESSES = {"t": {"tenant", "audit"}, "u": {"user"}, "r": {"resource"}, "b": {"booking"}}


def tables():
    spec = importlib.util.spec_from_file_location("lint", ROOT / "tools/lint.py")
    lint = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lint)
    return lint


def picture(document, title):
    return re.search(rf"^##+ {re.escape(title)}$.*?^```mermaid\n(.*?)^```$", document, re.S | re.M).group(1)


def arrows(text, line):
    """(from, to) of each arrow drawn as `line`: "a & b --> c"."""
    found = set()
    for left, right in re.findall(rf"^\s*([\w &]+?)\s*{line}(?:\|[^|]*\|)?\s*([\w &]+?)\s*$", text, re.M):
        found |= {(a, b) for a in left.split(" & ") for b in right.split(" & ")}
    return found


def reached(edges, start):
    seen, more = set(), {start}
    while more:
        more = {b for a, b in edges if a in more} - seen
        seen |= more
    return seen


def faults_of_components(document):
    lint = tables()
    text = picture(document, "Components")
    edges = arrows(text, "-->")
    faults = [f"no room {room}" for room in lint.BELOW | lint.SERVICES | {"gateway"} if not re.search(rf"\b{room}\b", text)]
    for room, allowed in lint.LIBRARIES.items():
        drawn = {to for start, to in edges if start == room}
        if drawn | {"base"} != allowed | {"base"}:
            faults.append(f"{room} leads to {drawn}, and may include {allowed}")
    if reached(edges, "services") != lint.BELOW:
        faults.append(f"services lead to {reached(edges, 'services')}")
    return faults


def faults_of_the_fleet(document):
    drawn = arrows(picture(document, "A fleet: four processes"), r"-\.->")
    where = {room: process for process, rooms in PROCESSES.items() for room in rooms}
    needs = re.findall(r"\{ROOM_(\w+), ROOM_(\w+), \"", (ROOT / "src/app/neighbours.c").read_text())
    wanted = {(where[asks], where[asked]) for asks, asked in needs}
    # A tenant's rules are asked for by all, and needed by none.
    return drawn ^ (wanted | {(process, "t") for process in PROCESSES if process != "t"})


def test_components():
    assert faults_of_components(DOCUMENT) == []


def test_the_fleet():
    assert faults_of_the_fleet(DOCUMENT) == set()


@pytest.mark.parametrize("said, instead", [
    ("    trace --> json\n", ""), ("    db --> trace\n", "    db --> trace & events\n"), (" & calendar & mail\n", " & calendar\n"),
    ("booking & resource & user", "booking & resource"),
])
def test_a_planted_fault_is_found(said, instead):
    assert said in DOCUMENT and faults_of_components(DOCUMENT.replace(said, instead))


@pytest.mark.parametrize("said, instead", [('    u -.->|"bookings of an export"| b\n', ""), ("-.->|\"what is taken\"| b", "-.->|\"what is taken\"| u")])
def test_a_planted_fault_of_the_fleet_is_found(said, instead):
    assert said in DOCUMENT and faults_of_the_fleet(DOCUMENT.replace(said, instead))
