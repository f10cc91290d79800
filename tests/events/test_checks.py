"""The checks of streams.py on planted faults: what they must not let pass."""
import copy

import pytest

import streams


def event(place, subject, version, type_="booking.updated", id_=None):
    return {"sequence": place, "subject_id": subject, "version": version, "type": type_, "event_id": id_ or f"e{place}"}


GOOD = [
    event(1, "a", 1, "booking.created"), event(2, "b", 1, "booking.created"), event(3, "a", 2),
    event(4, "a", 2, "booking.status_changed"), event(5, "b", 2, "booking.cancelled"),
]


def test_what_is_right_passes():
    streams.check_order(GOOD)


FAULTS = {
    "a gap": lambda events: events.pop(2),
    "the first one missing": lambda events: events.pop(0),
    "two swapped": lambda events: events.__setitem__(slice(2, 5), [
        event(3, "a", 2), event(4, "b", 3, "booking.cancelled"), event(5, "b", 2)]),
    "a repeat": lambda events: events.append(event(6, "b", 2, "booking.cancelled", id_="e5")),
    "a version missing": lambda events: events.append(event(6, "a", 4)),
    "created later": lambda events: events.append(event(6, "b", 1, "booking.created")),
    "changed before it was created": lambda events: events.append(event(6, "c", 2)),
    "places that do not rise": lambda events: events.append(event(5, "a", 3)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault):
    events = copy.deepcopy(GOOD)
    FAULTS[fault](events)
    with pytest.raises(AssertionError):
        streams.check_order(events)
