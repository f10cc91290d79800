"""docs/security/asvs.md leaves no requirement out: one row for each id of asvs-5.0-l2.txt, whose status is known and
whose places exist."""
import collections
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/security/asvs.md"
IDS = ROOT / "tests/lint/asvs-5.0-l2.txt"

STATUSES = ("met", "met in part", "not met", "does not apply")
NAMED = re.compile(r"`((?:src|tests|tools|docs|web|deploy|scripts)/[\w./-]+|meson\.build)(?:::\w+)?`")
LINKED = re.compile(r"\]\(([^)]+)\)")


def expected():
    """{id: level}; the 253 of levels 1 and 2."""
    return dict(line.split() for line in IDS.read_text().splitlines())


def cells_of(line):
    return [cell.strip() for cell in line.strip()[1:-1].split("|")]


def rows_of(page):
    """[[id, level, what it asks, status, where, test]]"""
    return [cells_of(line) for line in page.splitlines() if re.match(r"\| V\d", line)]


def places(cell):
    return [ROOT / name for name in NAMED.findall(cell)] + [PAGE.parent / name for name in LINKED.findall(cell)]


def faults(page, wanted):
    found = collections.Counter(row[0] for row in rows_of(page))
    yield from (f"{id_}: no row" for id_ in wanted if id_ not in found)
    yield from (f"{id_}: {times} rows" for id_, times in found.items() if times > 1)
    for row in rows_of(page):
        yield from (f"{row[0]}: {fault}" for fault in faults_of_row(row, wanted))


def faults_of_row(row, wanted):
    if len(row) != 6:
        yield f"{len(row)} cells"
        return
    id_, level, asks, status, where, test = row
    if wanted.get(id_) != level:
        yield f"is not of {level}"
    if status not in STATUSES:
        yield f"status {status}"
    if not asks or not where:
        yield "an empty cell"
    if status == "met" and not (places(where) and test):
        yield "met, and no place or test is named"
    yield from (f"there is no {place}" for place in places(where) + places(test) if not place.exists())


def tally(page):
    return collections.Counter((row[1], row[3]) for row in rows_of(page))


def test_every_requirement_has_its_row():
    assert len(expected()) == 253
    assert list(faults(PAGE.read_text(), expected())) == []


def test_the_counts_are_those_of_the_rows():
    page, counts = PAGE.read_text(), tally(PAGE.read_text())
    for level in ("L1", "L2"):
        said = cells_of(next(line for line in page.splitlines() if line.startswith(f"| {level} |")))[1:]
        assert [int(cell) for cell in said] == [counts[level, status] for status in STATUSES]


GOOD = "| V1.1.1 | L2 | decoded once | met | `src/main.c` | `tests/conftest.py` |"


@pytest.mark.parametrize("page, told", [
    (GOOD, []),
    ("", ["V1.1.1: no row"]),
    (GOOD + "\n" + GOOD, ["V1.1.1: 2 rows"]),
    (GOOD.replace("met", "perhaps"), ["V1.1.1: status perhaps"]),
    (GOOD.replace("L2", "L1"), ["V1.1.1: is not of L1"]),
    (GOOD.replace("`src/main.c`", "somewhere"), ["V1.1.1: met, and no place or test is named"]),
    (GOOD.replace("`tests/conftest.py`", ""), ["V1.1.1: met, and no place or test is named"]),
    (GOOD.replace("src/main.c", "src/none.c"), [f"V1.1.1: there is no {ROOT / 'src/none.c'}"]),
    (GOOD.replace("`src/main.c`", "[walls](none.md)"), [f"V1.1.1: there is no {PAGE.parent / 'none.md'}"]),
    (GOOD.replace("| met |", "| met | |"), ["V1.1.1: 7 cells"]),
    (GOOD + "\n" + GOOD.replace("V1.1.1", "V1.1.9"), ["V1.1.9: is not of L2"]),
])
def test_a_planted_fault_is_told(page, told):
    assert list(faults(page, {"V1.1.1": "L2"})) == told
