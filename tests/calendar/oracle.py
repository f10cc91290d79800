"""The rules of a booking and the slots of a day in plain Python, from the text of the wire contract
(sections 4 and 6) and of the design ("Time"): slow, and written without a look at src/calendar."""
import dataclasses

import zones
from zones import DAY, HOUR, MINUTE, SECOND

LONGEST_DAY = 26 * HOUR


@dataclasses.dataclass(frozen=True)
class Case:
    zone: str
    date: int  # days since 1970
    hours: tuple  # (open, close) in seconds since midnight
    interval: int  # minutes
    advance: int  # days
    cancellation: int  # hours
    schedule: dict | None  # weekday -> [(open, close)]; None is the working hours every day
    busy: tuple  # (start, end), sorted
    capacity: int
    now: int

    def requests(self):
        """What sets calendar_probe to this case."""
        ranges = [f"{day} {open_} {close}" for day, list_ in (self.schedule or {}).items() for open_, close in list_]
        return [
            f"policy {self.hours[0]} {self.hours[1]} {self.interval} {self.advance} {self.cancellation}",
            "schedule " + ("always" if self.schedule is None else " ".join(ranges)),
            f"busy {self.capacity} " + " ".join(f"{start} {end}" for start, end in self.busy),
        ]


def instant(case, date, clock):
    return zones.reaches(case.zone, date * DAY + clock * SECOND)


def day_of(case, at):
    """The day whose first instant is the last to have come."""
    date = zones.wall(case.zone, at) // DAY
    return max(day for day in (date - 1, date, date + 1) if instant(case, day, 0) <= at)


def working(case, date):
    start, end = (instant(case, date, clock) for clock in case.hours)
    return start, min(end, start + LONGEST_DAY)


def merged(spans):
    result = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def schedule_of(case, date):
    """The clock ranges of that date's weekday."""
    if case.schedule is None:
        return [case.hours]
    return case.schedule.get((date + 3) % 7, [])


def hours_of_day(case, date):
    opening, closing = working(case, date)
    spans = []
    for open_, close in schedule_of(case, date):
        start, end = max(opening, instant(case, date, open_)), min(closing, instant(case, date, close))
        if start < end:
            spans.append((start, end))
    return merged(spans)


def peak(case, start, end):
    """At how many places the busiest instant of [start, end) is taken. Only starts can make it rise."""
    moments = [start] + [s for s, _ in case.busy if start < s < end]
    return max(sum(s <= moment < e for s, e in case.busy) for moment in moments)


def slots(case, date):
    opening, closing = working(case, date)
    step = case.interval * MINUTE
    spans = hours_of_day(case, date)
    return [
        (at, at + step)
        for at in range(opening, closing, step)
        if at > case.now
        and any(start <= at and at + step <= end for start, end in spans)
        and peak(case, at, at + step) < case.capacity
    ]


def verdict(case, start, end):
    """Rules 2 to 7."""
    date = day_of(case, start)
    opening, closing = working(case, date)
    if end <= start:
        return "END_BEFORE_START"
    if not start > case.now:
        return "IN_THE_PAST"
    if date > day_of(case, case.now) + case.advance:
        return "TOO_FAR_AHEAD"
    if (end - start) % (case.interval * MINUTE):
        return "BAD_DURATION"
    if not (opening <= start and end <= closing):
        return "OUTSIDE_HOURS"
    if not schedule_of(case, date):
        return "CLOSED_WEEKDAY"
    if not any(s <= start and end <= e for s, e in hours_of_day(case, date)):
        return "OUTSIDE_SCHEDULE"
    return "OK"


def conflict(case, start, end):
    return "CONFLICT" if peak(case, start, end) >= case.capacity else "OK"


def on_grid(case, start):
    opening, _ = working(case, day_of(case, start))
    return start >= opening and (start - opening) % (case.interval * MINUTE) == 0


def date_verdict(case, date):
    today = day_of(case, case.now)
    return "DATE_PAST" if date < today else "DATE_TOO_FAR" if date > today + case.advance else "OK"


def can_cancel(case, start):
    return start >= case.now + case.cancellation * HOUR if case.cancellation else start > case.now


def client_instant(case, reading):
    kind, first, _ = zones.resolve(case.zone, reading)
    return "INVALID" if kind == "gap" else str(first)
