"""What must hold of every case; each raises AssertionError where calendar_probe does not. The property tests run
them on the calendar as it is, test_mutants.py on calendars with a fault in them."""
import oracle
import zones
from zones import DAY, HOUR, MINUTE, SECOND


def setup(probe, case):
    probe.open_zone(case.zone)
    assert probe.ask(*case.requests()) == ["OK"] * 3


def compare_day(probe, case, _data):
    """Hours and slots are the oracle's."""
    setup(probe, case)
    assert probe.spans(f"working {case.date}") == [oracle.working(case, case.date)]
    assert probe.spans(f"hours {case.date}") == oracle.hours_of_day(case, case.date)
    assert probe.spans(f"slots {case.date} {case.now}") == oracle.slots(case, case.date)


def compare_bookable(probe, case, _data):
    """What is offered can be booked, and what can be booked is offered: every half minute of the day is tried."""
    setup(probe, case)
    first, last = (zones.reaches(case.zone, (case.date + n) * DAY) for n in (0, 1))
    offered = []
    if probe.ask(f"date {case.date} {case.now}") == ["OK"]:
        offered = [start for start, _ in probe.spans(f"slots {case.date} {case.now}")]
    assert probe.numbers(f"bookable {first} {last} {MINUTE // 2} {case.now}") == offered


def compare_verdicts(probe, case, wanted):
    """Each rule says of a booking what the oracle says."""
    setup(probe, case)
    start, end = wanted
    reading = zones.wall(case.zone, start)
    expected = {
        f"check {start} {end} {case.now}": oracle.verdict(case, start, end),
        f"grid {start}": str(int(oracle.on_grid(case, start))),
        f"day {start}": str(oracle.day_of(case, start)),
        f"date {case.date} {case.now}": oracle.date_verdict(case, case.date),
        f"instant {reading}": oracle.client_instant(case, reading),
        f"instant {case.date * DAY + case.hours[0] * SECOND}": oracle.client_instant(
            case, case.date * DAY + case.hours[0] * SECOND
        ),
    }
    edge = case.now + case.cancellation * HOUR
    for begin in (start, edge - 1, edge, edge + 1):
        expected[f"cancel {begin} {case.now}"] = str(int(oracle.can_cancel(case, begin)))
    if start < end:
        expected[f"conflict {start} {end}"] = oracle.conflict(case, start, end)
        expected[f"peak {start} {end}"] = str(oracle.peak(case, start, end))
    assert dict(zip(expected, probe.ask(*expected))) == expected


COMPARISONS = [compare_day, compare_bookable, compare_verdicts]
