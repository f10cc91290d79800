"""Many clients book, move, confirm and cancel at random on few resources (targets R1, R2, R3), on both stores.

10,000 operations a store; MARCA_FULL=1: 1,000,000. MARCA_SEED repeats a run's choices (not its timing).
"""
import collections
import datetime
import os
import random

import pytest

import harness
import history
import ledger
import swarm
from business import ANY_TIME, UTC, Business, multiple, zulu

FULL = os.environ.get("MARCA_FULL") == "1"
OPERATIONS = 1_000_000 if FULL else 10_000
SEED = int(os.environ.get("MARCA_SEED") or random.randrange(10**9))
CLIENTS = 64

# Narrow enough that about half of what is asked is refused.
FIRST = datetime.datetime(2025, 12, 10, tzinfo=UTC)
STEP = datetime.timedelta(minutes=30)
STEPS = 40

# More than the capacity at some instant, as the store itself sees it.
OVERFULL = """
SELECT b.id FROM bookings b
 WHERE b.tenant_id = {tenant} AND b.resource_id = {resource} AND b.status IN ('pendente', 'confirmado')
   AND (SELECT COUNT(*) FROM bookings o
         WHERE o.tenant_id = b.tenant_id AND o.resource_id = b.resource_id AND o.status IN ('pendente', 'confirmado')
           AND o.start_time <= b.start_time AND o.end_time > b.start_time) > {capacity}"""


class Play:
    """One kind of business and what its clients do."""

    def __init__(self, api):
        settings = {**ANY_TIME, "booking_interval": 30, "timezone": "UTC", "working_hours_end": "23:00"}
        self.single = Business(api, settings)
        self.shared = Business(api, settings, **multiple(3))
        self.resources = [
            (self.single, self.single.resource["id"]), (self.single, self.single.another_resource()["id"]),
            (self.shared, self.shared.resource["id"]), (self.shared, self.shared.another_resource(capacity=2)["id"]),
        ]
        capacities = dict(zip((id_ for _, id_ in self.resources), (1, 1, 3, 2)))
        self.history = history.History(capacities)
        self.known = []  # (business, id) of bookings that may still be active
        self.counts = collections.Counter()
        self.chance = random.Random(SEED)
        self.left = OPERATIONS

    def period(self):
        start = FIRST + self.chance.randrange(STEPS) * STEP
        return zulu(start), zulu(start + self.chance.randint(1, 3) * STEP)

    async def client(self, client, _):
        while self.left > 0:
            self.left -= 1
            act = self.chance.choices((self.create, self.move, self.cancel, self.confirm), (5, 3, 3, 1))[0]
            if act != self.create and not self.known:
                act = self.create
            await act(client)

    def judge(self, name, answer, resource=None, period=None, except_id=None):
        """Keeps what the answer says."""
        self.counts[name, answer.status] += 1
        body = answer.json
        if answer.status in (200, 201):
            if except_id is None or answer.version > 1:
                self.history.changed(answer, body)
            return body
        assert answer.status in (409, 412) or body["error"] == "outside_working_hours", answer
        if body["error"] == "conflict":
            self.history.refused(answer, resource, *period, except_id)
        return None

    async def create(self, client):
        business, resource = self.chance.choice(self.resources)
        period = self.period()
        answer = await client.post("/bookings/", business.wanted(*period, resource_id=resource))
        booking = self.judge("create", answer, resource, period)
        if booking:
            self.known.append((business, booking["id"]))

    async def move(self, client):
        """With the resource, so that what is asked for is known; and new notes, so that it is always a change."""
        business, id_ = self.chance.choice(self.known)
        resource = self.chance.choice([id_ for owner, id_ in self.resources if owner is business])
        period = self.period()
        answer = await client.put(f"/bookings/{id_}", {
            "resource_id": resource, "start_time": period[0], "end_time": period[1],
            "notes": str(self.chance.random())})
        self.judge("move", answer, resource, period, id_)

    async def cancel(self, client):
        place = self.chance.randrange(len(self.known))
        self.known[place], self.known[-1] = self.known[-1], self.known[place]
        _, id_ = self.known.pop()
        self.judge("cancel", await client.patch(f"/bookings/{id_}/cancel"))

    async def confirm(self, client):
        _, id_ = self.chance.choice(self.known)
        self.judge("confirm", await client.patch(f"/bookings/{id_}/status", {"status": "confirmado"}))


def check(marca, play):
    assert play.history.check_capacity() > 0
    assert play.history.refusals and play.history.check_refusals() == []
    rows = []
    for business in (play.single, play.shared):
        ledger.check(marca, business.id)
        rows += ledger.bookings(marca, business.id)
    assert history.sweep(rows, play.history.capacities) == []
    for business, resource in play.resources:
        sql = OVERFULL.format(tenant=ledger.literal(marca, business.id), resource=ledger.literal(marca, resource),
                              capacity=play.history.capacities[resource])
        assert ledger.rows(marca, "booking", sql) == []
    # The rows are what the clients were told last.
    told = {id_: changes[-1] for id_, changes in play.history.changes.items()}
    assert told.keys() == {row["id"] for row in rows}
    for row in rows:
        version, _, _, resource, start, end, blocks = told[row["id"]]
        assert (row["version"], row["resource_id"]) == (version, resource)
        assert (row["start_time"], row["end_time"]) == (ledger.micros(start), ledger.micros(end))
        assert (row["status"] in ("pendente", "confirmado")) == blocks


def run(marca, addresses):
    print(f"MARCA_SEED={SEED}")
    play = Play(marca.api())
    swarm.rounds(addresses, CLIENTS, lambda clients: swarm.gather(clients, play.client))
    print(dict(play.counts))
    for name, status in (("create", 201), ("create", 409), ("move", 200), ("move", 409), ("cancel", 200),
                         ("confirm", 200)):
        assert play.counts[name, status] > OPERATIONS / 1000, (name, status, play.counts)
    check(marca, play)


def test_random_bookings(marca):
    run(marca, [marca.address])


def test_random_bookings_at_two_processes():
    harness.need_store("postgres")
    with harness.Marca("postgres") as one:
        with harness.Marca("sqlite", env={"DATABASE_URL": one.database.url}) as two:
            run(one, [one.address, two.address])


# --- The checkers can fail: histories with a planted fault ------------------------------------

DAY = "2025-12-10T"
NAMED = ("A", DAY + "10", DAY + "11")


def planted(*changes, capacity=1):
    """changes: (booking, version, sent, got, start, end, blocks) on one resource."""
    past = history.History({"R": capacity})
    for booking, version, sent, got, start, end, blocks in changes:
        past.changes[booking].append((version, sent, got, "R", DAY + start, DAY + end, blocks))
    return past


def test_two_at_once_are_seen():
    one = ("A", 1, 1, 2, "10", "11", True)
    planted(one, ("B", 1, 3, 4, "11", "12", True)).check_capacity()
    planted(one, ("A", 2, 5, 6, "10", "11", False), ("B", 1, 7, 8, "10", "11", True)).check_capacity()
    # The end of one and the start of the other are under way together: the order may have been the good one.
    planted(one, ("A", 2, 5, 9, "10", "11", False), ("B", 1, 6, 8, "10", "11", True)).check_capacity()
    planted(one, ("B", 1, 3, 4, "10", "11", True), capacity=2).check_capacity()
    for second in (("B", 1, 3, 4, "10", "11", True), ("B", 1, 1, 3, "09", "12", True)):
        with pytest.raises(AssertionError):
            planted(one, second).check_capacity()
    with pytest.raises(AssertionError):
        planted(one, ("B", 1, 3, 4, "10", "12", True), ("C", 1, 5, 6, "10", "11", True), capacity=2).check_capacity()
    with pytest.raises(AssertionError):
        planted(one, ("A", 3, 3, 4, "10", "11", True)).check_capacity()  # a version is missing


@pytest.mark.parametrize("sent, got, start, end, named, good", [
    (3, 4, "10", "11", [NAMED], True),
    (1, 4, "10", "11", [NAMED], True),
    (3, 4, "09", "12", [NAMED], True),
    (6, 8, "10", "11", [NAMED], True),     # it was being cancelled
    (8, 9, "10", "11", [NAMED], False),    # it was gone
    (3, 4, "11", "12", [NAMED], False),    # elsewhere
    (3, 4, "10", "11", [], False),
    (3, 4, "10", "11", [NAMED, ("B", DAY + "10", DAY + "11")], False),
    (3, 4, "10", "11", [("A", DAY + "10", DAY + "12")], False),
])
def test_false_refusals_are_seen(sent, got, start, end, named, good):
    past = planted(("A", 1, 1, 2, "10", "11", True), ("A", 2, 5, 7, "10", "11", False))
    past.refusals.append(history.Refusal(sent, got, "R", DAY + start, DAY + end, named, None))
    assert (past.check_refusals() == []) is good


def test_a_refusal_by_itself_is_seen():
    past = planted(("A", 1, 1, 2, "10", "11", True))
    past.refusals.append(history.Refusal(3, 4, "R", DAY + "10", DAY + "11", [NAMED], "A"))
    assert len(past.check_refusals()) == 1


def test_a_place_left_is_seen():
    past = planted(("A", 1, 1, 2, "10", "11", True), ("B", 1, 1, 2, "11", "12", True), capacity=2)
    past.refusals.append(history.Refusal(3, 4, "R", DAY + "10", DAY + "12", [NAMED], None))
    assert len(past.check_refusals()) == 1


def test_sweep_sees_too_many():
    row = {"resource_id": "R", "start_time": 10, "end_time": 12, "status": "pendente"}
    inner, after = {**row, "start_time": 11}, {**row, "start_time": 12, "end_time": 13}
    assert history.sweep([row, after, {**row, "status": "cancelado"}], {"R": 1}) == []
    assert history.sweep([row, inner, after], {"R": 1}) == [("R", 2)]
