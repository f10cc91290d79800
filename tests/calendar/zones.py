"""The zones of this machine's tz database as Python's zoneinfo reads them: names, changes, wall clocks.

Instants and wall-clock readings are integers, microseconds since 1970, as in src/base/utime.h.
"""
import functools
import zoneinfo
from datetime import datetime, timedelta, timezone

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
FIRST = (datetime(2000, 1, 1, tzinfo=timezone.utc) - EPOCH) // timedelta(microseconds=1)
LAST = (datetime(2041, 1, 1, tzinfo=timezone.utc) - EPOCH) // timedelta(microseconds=1)

# zoneinfo also lists the machine's own zone, which is no name of the tz database.
NAMES = sorted(zoneinfo.available_timezones() - {"localtime"})

get = functools.lru_cache(maxsize=None)(zoneinfo.ZoneInfo)


def offset(name, at):
    moment = (EPOCH + timedelta(microseconds=at)).astimezone(get(name))
    return moment.utcoffset() // timedelta(microseconds=1)


def wall(name, at):
    return at + offset(name, at)


def change_between(name, low, high):
    """The instant in (low, high] at which the offset changes, where it does so once."""
    before = offset(name, low)
    while high - low > 1:
        middle = (low + high) // 2
        if offset(name, middle) == before:
            low = middle
        else:
            high = middle
    return high


@functools.lru_cache(maxsize=None)
def changes(name):
    """Every change of offset from 2000 to 2040. No two are less than two days apart."""
    found = []
    step = 2 * DAY
    before = offset(name, FIRST)
    for at in range(FIRST, LAST, step):
        after = offset(name, at + step)
        if after != before:
            found.append(change_between(name, at, at + step))
        before = after
    return found


def resolve(name, reading):
    """("unique", at, at), ("fold", first, second) or ("gap", its end, its end), by PEP 495."""
    naive = datetime(1970, 1, 1) + timedelta(microseconds=reading)
    first, second = (
        (naive.replace(tzinfo=get(name), fold=fold) - EPOCH) // timedelta(microseconds=1) for fold in (0, 1)
    )
    if first == second:
        return "unique", first, first
    if first < second:
        return "fold", first, second
    end = change_between(name, second, first)
    return "gap", end, end


@functools.lru_cache(maxsize=20000)
def reaches(name, reading):
    """The first instant at which the wall shows this reading or a later one."""
    hours = range(reading - 27 * HOUR, reading + 27 * HOUR, HOUR)
    offsets = [offset(name, at) for at in hours]
    jumps = [
        change_between(name, at, at + HOUR)
        for at, before, after in zip(hours, offsets, offsets[1:])
        if before != after
    ]
    candidates = [reading - o for o in set(offsets)] + jumps
    return min(at for at in candidates if wall(name, at) >= reading)
