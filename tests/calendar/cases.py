"""Hypothesis strategies: cases that look for trouble, most of them within a day of a change of clocks."""
from hypothesis import strategies as st

import zones
from oracle import Case
from zones import DAY, HOUR, MINUTE, SECOND

# Gaps and folds at midnight, half an hour, two hours, across the date; a day that never was; negative daylight time.
REMARKABLE = [
    "Africa/Cairo", "Africa/Casablanca", "America/Asuncion", "America/Havana", "America/Nuuk", "America/Sao_Paulo",
    "America/St_Johns", "Antarctica/Troll", "Asia/Amman", "Asia/Beirut", "Asia/Gaza", "Asia/Kathmandu", "Asia/Tehran",
    "Atlantic/Azores", "Australia/Lord_Howe", "Europe/Dublin", "Europe/Lisbon", "Pacific/Apia", "Pacific/Chatham", "UTC",
]  # fmt: skip

INTERVALS = st.sampled_from([5, 10, 15, 20, 30, 45, 50, 60, 90, 120, 480]) | st.integers(5, 480)


@st.composite
def zone_and_date(draw):
    """A zone; a date of it; the seconds of that day at which its clocks change, or an afternoon's."""
    name = draw(st.sampled_from(REMARKABLE) | st.sampled_from(zones.NAMES))
    changes = zones.changes(name)
    if not changes or draw(st.integers(0, 9)) == 0:
        return name, draw(st.integers(10957, 25567)), 14 * 3600
    change = draw(st.sampled_from(changes))
    local = draw(st.sampled_from([change + zones.offset(name, change - 1), zones.wall(name, change)]))
    return name, local // DAY + draw(st.sampled_from([0, 0, 0, 0, -1, 1])), local % DAY // SECOND


def clocks(near):
    """A time of day in seconds; often within two hours of `near`."""
    quarters = st.integers(-8, 8).map(lambda n: min(max(near // 900 + n, 0), 96) * 900)
    minutes = st.integers(0, 1440).map(lambda n: n * 60)
    halves = st.integers(0, 2880).map(lambda n: n * 30)
    return st.one_of(quarters, quarters, minutes, halves, st.sampled_from([0, 28800, 64800, 86400]))


@st.composite
def ranges(draw, near):
    low, high = sorted(draw(st.lists(clocks(near), min_size=2, max_size=2, unique=True)))
    return low, high


@st.composite
def paused(draw, near):
    """Open all day, but for a pause of one or two quarters of an hour about `near`."""
    begin = min(max(near // 900 + draw(st.integers(-2, 4)), 1), 93)
    return [(0, begin * 900), ((begin + draw(st.integers(1, 2))) * 900, 86400)]


@st.composite
def busy_lists(draw, day_start, interval):
    """Bookings about that day: many of them as the rules would have it, some of other days' rules."""
    steps = st.integers(-4, max(4, 26 * 60 // interval))
    aligned = st.tuples(steps, st.integers(1, 4)).map(
        lambda pair: (day_start + pair[0] * interval * MINUTE, pair[1] * interval * MINUTE)
    )
    loose = st.tuples(st.integers(-300, 1600), st.integers(0, 600)).map(
        lambda pair: (day_start + pair[0] * MINUTE, pair[1] * MINUTE + 1)
    )
    found = draw(st.lists(aligned | loose, max_size=8))
    return tuple(sorted((start, start + length) for start, length in found))


@st.composite
def cases(draw):
    name, date, near = draw(zone_and_date())
    interval = draw(INTERVALS)
    hours = draw(ranges(near) | st.sampled_from([(0, 86400), (28800, 64800)]))
    weekday = (date + 3) % 7
    some = st.lists(ranges(near), max_size=5)
    days = st.dictionaries(st.sampled_from([weekday, weekday, 0, 6]), some | paused(near), max_size=3)
    day_start = zones.reaches(name, date * DAY + hours[0] * SECOND)
    advance = draw(st.sampled_from([0, 1, 2, 30, 365]))
    before = draw(st.integers(0, (advance + 1) * 24 * 60).map(lambda n: n * MINUTE) | st.integers(-2 * DAY, 2 * DAY))
    return Case(
        zone=name,
        date=date,
        hours=hours,
        interval=interval,
        advance=advance,
        cancellation=draw(st.sampled_from([0, 1, 24, 168])),
        schedule=draw(st.none() | days),
        busy=draw(busy_lists(day_start, interval)),
        capacity=draw(st.sampled_from([1, 1, 2, 3, 5])),
        now=day_start - before,
    )


@st.composite
def wanted(draw, case, spans):
    """A booking that someone may ask for: near the day's openings, mostly of a good length, or of any."""
    edges = [edge for span in spans for edge in span] + [zones.reaches(case.zone, case.date * DAY)]
    edges += [change for change in zones.changes(case.zone) if abs(change - edges[-1]) <= 2 * DAY]
    step = case.interval * MINUTE
    start = draw(st.sampled_from(edges)) + draw(st.integers(-3, 3)) * step + draw(
        st.sampled_from([0, 0, 0, 1, -1, 15 * MINUTE, -HOUR, HOUR, DAY, -DAY])
    )
    length = draw(st.integers(0, 6)) * step + draw(st.sampled_from([0, 0, 0, 0, 1, -1, 5 * MINUTE]))
    return start, start + length
