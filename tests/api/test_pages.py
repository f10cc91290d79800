"""GET /bookings/ where few of a tenant's bookings fit: a page looks at so many, and the next one goes on behind them."""
import datetime
import uuid

import pytest

import ledger
from business import ANY_TIME, UTC, Business, zulu

LOOKS = 2000  # PAGE_LOOK_MAX in src/booking/list.c
MANY = 2 * LOOKS + 1000
RARE = "sem_dados"
FIRST = datetime.datetime(2025, 12, 5, tzinfo=UTC)
# Of those that begin in the first three hours or so, only what lasts long has not ended by then.
LATER = FIRST + datetime.timedelta(hours=12)
STATEMENT = 300  # rows: what fits into one argument of psql
KINDS = ("tenant", "user", "resource", "user at resource")


class Crowd:
    """A tenant with MANY bookings; few are RARE, and these are the ones that last long: at both ends, none between."""

    def __init__(self, marca, business):
        self.marca, self.business = marca, business
        self.users = [business.user["id"], str(uuid.uuid4())]
        self.resources = [business.resource["id"], str(uuid.uuid4())]
        self.rows = []
        self.add([self.row(number) for number in range(MANY)])

    def row(self, number):
        rare = number % 10 == 7 and not 100 < number < MANY - 100
        # Three at each instant, so that LOOKS of them end between two that differ by their ids alone.
        start = FIRST + datetime.timedelta(seconds=number // 3 * 7)
        # A tenth is another user's, another tenth another resource's.
        return {
            "id": str(uuid.uuid4()), "user_id": self.users[number % 10 == 3], "resource_id": self.resources[number % 10 == 5],
            "start": start, "end": start + datetime.timedelta(hours=20 if rare else 1),
            "status": RARE if rare else "cancelado" if number % 5 in (3, 4) else "concluido",
        }

    def add(self, rows):
        for batch in chunks(rows):
            ledger.write(self.marca, "booking",
                         "INSERT INTO bookings (tenant_id, id, resource_id, user_id, start_time, end_time, status, "
                         "confirmation_code, recurring_enabled, version, change_id, created_at, updated_at) VALUES "
                         + ", ".join(map(self.values, batch)))
        self.rows += rows

    def values(self, row):
        ids = [ledger.literal(self.marca, id_) for id_ in (self.business.id, row["id"], row["resource_id"], row["user_id"])]
        times = [str(ledger.micros(zulu(row[name]))) for name in ("start", "end")]
        return f"({', '.join(ids + times)}, '{row['status']}', '{row['id']}', false, 1, {ids[1]}, 0, 0)"

    def of(self, kind):
        """The query of that list, which is also what its rows have."""
        return {name: ids[0] for name, ids in (("user_id", self.users), ("resource_id", self.resources)) if name[:4] in kind}

    def ids(self, **wanted):
        """In the order of the list."""
        found = [row for row in self.rows if all(row[name] == value for name, value in wanted.items())]
        return [row["id"] for row in sorted(found, key=lambda row: (row["start"], row["id"]))]

    def pages(self, limit=1000, cursor=None, **query):
        """Of ids; also checks what each page tells of the next."""
        pages, api = [], self.marca.api()  # a connection that waited for other tests may be closed
        while cursor is not None or not pages:
            reply = api.get("/bookings/", tenant_id=self.business.id, limit=limit, cursor=cursor, **query)
            assert reply.status == 200 and len(reply.json) <= limit, reply
            pages.append([booking["id"] for booking in reply.json])
            cursor = reply.headers["X-Next-Cursor"]
            link = reply.headers["Link"]
            assert link is None if cursor is None else 'rel="next"' in link and cursor in link
        return pages


def chunks(rows):
    return [rows[at:at + STATEMENT] for at in range(0, len(rows), STATEMENT)]


@pytest.fixture(scope="module")
def crowd(marca):
    return Crowd(marca, Business(marca.api(), ANY_TIME))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("query", [
    {"status": RARE}, {"start_date": zulu(LATER)}, {"status": RARE, "start_date": zulu(LATER)},
    {"status": RARE, "end_date": zulu(LATER)},
], ids=lambda query: " ".join(query))
def test_a_page_looks_at_so_many(crowd, kind, query):
    wanted = crowd.ids(status=RARE, **crowd.of(kind))
    pages = crowd.pages(**crowd.of(kind), **query)
    # Each list walks more than two times LOOKS and less than three. Between the ends nothing fits; all the same it goes on.
    assert sum(pages, []) == wanted and [bool(page) for page in pages] == [True, False, True]
    assert sum(crowd.pages(limit=3, **crowd.of(kind), **query), []) == wanted


@pytest.mark.parametrize("kind", KINDS)
def test_a_window_that_ends_before_is_one_page(crowd, kind):
    """What lies behind the window is not looked at."""
    early = crowd.ids(**crowd.of(kind))[:LOOKS]
    wanted = [id_ for id_ in crowd.ids(status=RARE, **crowd.of(kind)) if id_ in early]
    until = zulu(FIRST + datetime.timedelta(minutes=30))
    assert wanted and crowd.pages(status=RARE, end_date=until, **crowd.of(kind)) == [wanted]


@pytest.mark.parametrize("kind", KINDS)
def test_an_early_end_among_several_at_one_instant(crowd, kind):
    """What many have, but fewer than a page holds of those that it looks at."""
    query = {"status": "cancelado", **crowd.of(kind)}
    pages = crowd.pages(**query)
    assert sum(pages, []) == crowd.ids(**query) and len(pages) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_common_comes_in_full_pages(crowd, kind):
    """By a status that many have; and by none, where nothing is left out unless two are named."""
    for query in ({"status": "concluido"}, {}):
        wanted = crowd.ids(**query, **crowd.of(kind))
        pages = crowd.pages(limit=700, **query, **crowd.of(kind))
        assert sum(pages, []) == wanted
        assert {len(page) for page in pages[:-1]} == {700}


def test_a_user_who_has_few_there(crowd):
    """Two that are named walk as far as one of them has: of all that this user has, none is at that resource."""
    query = {"user_id": crowd.users[0], "resource_id": str(uuid.uuid4())}
    assert crowd.pages(**query) == [[], [], []]


def test_a_cursor_of_an_early_end_is_stable(marca):
    """What comes to be before it is not shown, what comes to be behind it is."""
    crowd = Crowd(marca, Business(marca.api(), ANY_TIME))
    reply = crowd.business.api.get("/bookings/", tenant_id=crowd.business.id, status=RARE, limit=1000)
    cursor = reply.headers["X-Next-Cursor"]
    seen = [booking["id"] for booking in reply.json]
    rest = [id_ for id_ in crowd.ids(status=RARE) if id_ not in seen]
    before, behind = ({**crowd.row(7), "id": str(uuid.uuid4()), "start": start}
                      for start in (FIRST, FIRST + datetime.timedelta(hours=15)))
    crowd.add([before, behind])
    assert sum(crowd.pages(cursor=cursor, status=RARE), []) == [*rest, behind["id"]]
