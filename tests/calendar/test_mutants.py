"""The checkers can fail: each fault below is put into a copy of the sources, and the comparison named beside it
must find it (test_zones.py and test_rules.py see that it finds nothing in the calendar as it is). A fault whose
text is no longer in the source is an error."""
import os
import subprocess

import hypothesis
import pytest

import compare
import properties
import test_zones
from probe import ROOT

CALENDAR = ("hours", "overlap", "rules", "slots", "tzif", "tzrule", "zone")
BASE = ("arena", "base", "errors", "utime")

# name: (file, the text there, what takes its place, the comparison that must see it)
MUTANTS = {
    "an hour off in a fold": (
        "zone", "ret->second = local - periods[i + 1].offset + shift;",
        "ret->second = local - periods[i + 1].offset + shift - UTIME_HOUR;", "zones",
    ),
    "a fold taken for unique": ("zone", "return ZONE_FOLD;", "return ZONE_UNIQUE;", "zones"),
    "a repeated time is its second occurrence": (
        "zone", "ret->second = local - periods[i + 1].offset + shift;",
        "ret->first = ret->second = local - periods[i + 1].offset + shift;", "day",
    ),
    "a gap ends an hour late": (
        "zone", "ret->first = ret->second = periods[i].start + shift;",
        "ret->first = ret->second = periods[i].start + shift + UTIME_HOUR;", "day",
    ),
    "a gap is not told": ("zone", "return ZONE_GAP;", "return ZONE_UNIQUE;", "verdicts"),
    "a change comes a microsecond late": ("zone", "first[half].start <= at", "first[half].start < at", "zones"),
    "a rule's last week is the fourth": (
        "tzrule", "(change->week - 1)",
        "(change->week > 4 ? 3 : change->week - 1)", "zones",
    ),
    "a rule's negative hours are positive": ("tzrule", "(negative ? -1 : 1)", "(negative ? 1 : 1)", "zones"),
    "a rule counts the same wall for both changes": (
        "tzrule", "rule->to_standard.time_s - rule->daylight_s",
        "rule->to_standard.time_s - rule->standard_s", "zones",
    ),
    "the week begins on Sunday": ("hours", "date + 3;", "date + 4;", "day"),
    "ranges are not merged": ("hours", "if (range.open_s > last->close_s)", "if (true)", "day"),
    "a pause inside a gap stays": ("hours", "ret[count - 1].end == open.start", "false", "day"),
    "the schedule is not cut to the working hours": (
        "hours", "open = span_common(open, working);",
        "(void)span_common;", "day",
    ),
    "a day begins by its date on the wall alone": ("hours", "? date + 1 : date", "? date : date", "verdicts"),
    "the grid begins at midnight": (
        "slots", "anchor + (least - anchor + step - 1) / step * step",
        "(least + step - 1) / step * step + 0 * anchor", "day",
    ),
    "the grid of booking begins at midnight": (
        "rules", "(start - anchor) % interval(policy)",
        "start % interval(policy)", "bookable",
    ),
    "a slot may end after closing": ("slots", "at + step <= open.end", "at < open.end", "bookable"),
    "the last slot is forgotten": ("slots", "at + step <= open.end", "at + step < open.end", "bookable"),
    "a slot may begin now": ("slots", "from > now ? from : now + 1", "from >= now ? from : now", "bookable"),
    "touching bookings are in each other's way": (
        "policy", "a.start < b.end && b.start < a.end",
        "a.start <= b.end && b.start <= a.end", "verdicts",
    ),
    "a busy period is passed too soon": (
        "slots", "full->items[*next].end <= slot.start",
        "full->items[*next].end <= slot.end", "day",
    ),
    "capacity is one more": (
        "overlap", "size_t capacity = (size_t)busy->capacity;",
        "size_t capacity = (size_t)busy->capacity + 1;", "day",
    ),
    "a place counts as free when its first booking ends": (
        "overlap", "else if (span.end > latest.at[0])",
        "else if (false)", "day",
    ),
    "a full period ends with its first booking": (
        "overlap", "else if (last[-1].end < span.end)",
        "else if (false)", "day",
    ),
    "the peak keeps those that have ended": (
        "overlap", "active.at[0] <= span.start",
        "active.at[0] < span.start", "verdicts",
    ),
    "the past is bookable": ("rules", "wanted.start <= now", "wanted.start < now - UTIME_DAY", "bookable"),
    "a booking may begin now": ("rules", "wanted.start <= now", "wanted.start < now", "verdicts"),
    "one day further ahead": (
        "rules", "date > last_date(policy, now)",
        "date > last_date(policy, now) + 1", "verdicts",
    ),
    "any length will do": (
        "rules", "% interval(policy) != 0)\n\t\treturn RC_BAD",
        "% interval(policy) < 0)\n\t\treturn RC_BAD", "verdicts",
    ),
    "only the start must be in the hours": (
        "policy", "outer.start <= inner.start && inner.end <= outer.end",
        "outer.start <= inner.start && inner.start < outer.end", "verdicts",
    ),
    "a closed weekday is told as hours": (
        "rules", "return RC_CLOSED_WEEKDAY;",
        "return RC_OUTSIDE_SCHEDULE;", "verdicts",
    ),
    "the window to cancel is open at its edge only": (
        "rules", "start - now >= policy",
        "start - now > policy", "verdicts",
    ),
    "what has begun can be cancelled": ("rules", "return start > now && start", "return start", "verdicts"),
}  # fmt: skip

FLAGS = ["-std=gnu17", "-D_GNU_SOURCE", "-O1"]


def compile_file(source, target, *include):
    compiler = os.environ.get("CC", "cc")
    paths = [f"-I{folder}" for folder in (*include, ROOT / "src")]
    subprocess.run([compiler, *FLAGS, *paths, "-c", source, "-o", target], check=True)
    return target


def link(objects, target):
    subprocess.run([os.environ.get("CC", "cc"), *objects, "-o", target, "-lsodium"], check=True)
    return target


def sources():
    yield "probe", ROOT / "tests/calendar/calendar_probe.c"
    yield from ((f"base_{name}", ROOT / f"src/base/{name}.c") for name in BASE)
    yield from ((name, ROOT / f"src/calendar/{name}.c") for name in CALENDAR)


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    folder = tmp_path_factory.mktemp("objects")
    return {name: compile_file(source, folder / f"{name}.o") for name, source in sources()}


def plant(objects, folder, name, old, new):
    """The path of a calendar_probe with that fault."""
    is_header = name == "policy"
    original = ROOT / f"src/calendar/{name}.{'h' if is_header else 'c'}"
    text = original.read_text(encoding="utf-8")
    assert text.count(old) >= 1, f"{original} no longer has: {old}"
    mutant = folder / "calendar" / original.name
    mutant.parent.mkdir()
    mutant.write_text(text.replace(old, new), encoding="utf-8")
    changed = dict(sources()) if is_header else {name: mutant}
    own = {key: compile_file(source, folder / f"{key}.o", folder) for key, source in changed.items()}
    return link((objects | own).values(), folder / "mutant")


def compare_some_zones(path):
    names = ("Europe/Dublin", "America/New_York", "America/Nuuk", "Australia/Lord_Howe", "Pacific/Apia")
    wrong = [line for name in names for line in test_zones.compare_zone("", name, path)[1]]
    assert not wrong, wrong[0]


def look(comparison, path):
    if comparison == "zones":
        compare_some_zones(path)
        return
    # The first case that fails is enough: none smaller is looked for.
    phases = [hypothesis.Phase.generate]
    properties.run(getattr(compare, f"compare_{comparison}"), path, phases=phases, report_multiple_bugs=False)


@pytest.mark.parametrize("name", MUTANTS)
def test_fault_is_seen(objects, tmp_path, name):
    file, old, new, comparison = MUTANTS[name]
    path = plant(objects, tmp_path, file, old, new)
    with pytest.raises(AssertionError):
        look(comparison, path)
