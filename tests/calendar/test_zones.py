"""R8, time is right: every zone, every change of 2000 to 2040, against Python's zoneinfo, both ways."""
import concurrent.futures
import functools
import os
import pathlib
import shutil
import subprocess

import pytest

import zones
from probe import Probe
from zones import DAY, HOUR, SECOND

AROUND = (-DAY, -2 * HOUR, -HOUR, -SECOND, 0, SECOND, HOUR, 2 * HOUR, DAY)


def readings_around(name, change):
    """Nine readings of the wall: before, on and inside the edges of what is skipped or repeated."""
    edges = sorted((change + zones.offset(name, change - 1), change + zones.offset(name, change)))
    low, high = edges
    return (low - DAY, low - HOUR, low - 1, low, (low + high) // 2, high - 1, high, high + HOUR, high + DAY)


def compare_zone(folder, name, probe_path=None):
    """(checks, [what differs])"""
    requests, expected = [], []
    for change in zones.changes(name):
        for at in (change + distance for distance in AROUND):
            local = zones.wall(name, at)
            requests.append(f"local {at}")
            expected.append(f"{(local - at) // SECOND} {local} {local // DAY}")
        for reading in readings_around(name, change):
            requests.append(f"resolve {reading}")
            expected.append("{} {} {}".format(*zones.resolve(name, reading)))
    with Probe(probe_path) as probe:
        probe.open_zone(name, folder)
        answers = probe.ask(*requests)
    wrong = [
        f"{name} {request}: {answer}, not {wanted}"
        for request, answer, wanted in zip(requests, answers, expected)
        if answer != wanted
    ]
    return len(requests), wrong


def compare_all_zones(label, folder):
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(functools.partial(compare_zone, folder), zones.NAMES, chunksize=8))
    wrong = [line for _, lines in results for line in lines]
    checks = sum(count for count, _ in results)
    print(f"R8, {label}: {len(zones.NAMES)} zones, {checks} checks, {len(wrong)} wrong")
    assert not wrong, "\n".join(wrong[:20])
    assert len(zones.NAMES) > 400 and checks > 300_000


def test_every_change_of_every_zone_agrees_with_zoneinfo():
    compare_all_zones("the machine's tz database", "")


def test_the_same_from_slim_files(tmp_path):
    """Where most of what is asked comes from the rule at the end of the file and not from written changes."""
    zic = shutil.which("zic", path=os.environ["PATH"] + ":/usr/sbin")
    source = pathlib.Path("/usr/share/zoneinfo/tzdata.zi")
    if zic is None or not source.exists():
        pytest.skip("needs zic and tzdata.zi")
    subprocess.run([zic, "-b", "slim", "-d", tmp_path, source], check=True)
    compare_all_zones("slim", str(tmp_path))


@pytest.mark.parametrize("year", [1, 1600, 1900, 1950, 1999, 2041, 2099, 2100, 2399, 2400, 2437, 2438, 4000, 9998])
def test_far_years_agree_with_zoneinfo(year):
    start = (zones.datetime(year, 1, 3, tzinfo=zones.timezone.utc) - zones.EPOCH) // zones.timedelta(microseconds=1)
    with Probe() as probe:
        for name in ("Europe/Lisbon", "Europe/Dublin", "America/Nuuk", "Antarctica/Troll", "America/Sao_Paulo", "UTC"):
            probe.open_zone(name)
            for at in range(start, start + 365 * DAY, 6 * DAY + 5 * HOUR):
                local = zones.wall(name, at)
                assert probe.numbers(f"local {at}") == [(local - at) // SECOND, local, local // DAY], (name, at)
                assert probe.ask(f"resolve {local}") == ["{} {} {}".format(*zones.resolve(name, local))], (name, at)


def test_a_day_of_the_wall_begins_when_the_wall_reaches_it():
    """hours_date() around midnights, against the definition of a day's first instant."""
    names = ("America/Sao_Paulo", "America/St_Johns", "America/Havana", "Asia/Beirut", "Africa/Cairo", "Pacific/Apia")
    with Probe() as probe:
        for name in names:
            probe.open_zone(name)
            for change in zones.changes(name):
                date = zones.wall(name, change) // DAY
                starts = {day: zones.reaches(name, day * DAY) for day in range(date - 3, date + 4)}
                for at in (change + quarter * HOUR // 4 for quarter in range(-108, 108)):
                    day = max(day for day, start in starts.items() if start <= at)
                    assert probe.numbers(f"day {at}") == [day], (name, at)
