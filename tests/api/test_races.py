"""Many at once want one thing: exactly one gets it, on both stores. One slot is fought for a thousand times; MARCA_FULL=1: all of it.

Every round is its own slot of one day, so that rounds do not help each other.
"""
import asyncio
import datetime
import os
import time

import pytest

import harness
import ledger
import swarm
from business import ANY_TIME, UTC, Business, instant, multiple, zulu

FULL = os.environ.get("MARCA_FULL") == "1"
ROUNDS = 1000 if FULL else 300
SLOT_ROUNDS = 1000
CLIENTS = 64

# Five minutes each, from 10 December on: more than any test here needs.
FIRST = datetime.datetime(2025, 12, 10, tzinfo=UTC)
STEP = datetime.timedelta(minutes=5)


def slot(number):
    """The number-th pair of times; every second one is left free, to move to."""
    start = FIRST + number * STEP
    return {"start_time": zulu(start), "end_time": zulu(start + STEP)}


def lax(api, **more):
    return Business(api, {**ANY_TIME, "booking_interval": 5, "timezone": "UTC"}, **more)


def wish(business, number, **fields):
    return business.wanted(*slot(number).values(), **fields)


def one_wins(answers, wins=1):
    """So many 201 (or 200), and every refusal names the winners and nothing else. The winners' bookings."""
    winners = [answer.json for answer in answers if answer.status in (200, 201)]
    assert len(winners) == wins, [answer.status for answer in answers]
    told = sorted((b["id"], b["start_time"], b["end_time"]) for b in winners)
    for answer in answers:
        if answer.status in (200, 201):
            continue
        assert answer.status == 409 and answer.json["error"] == "conflict", answer
        named = [(c["booking_id"], c["start_time"], c["end_time"]) for c in answer.json["conflicts"]]
        assert sorted(named) == told, (named, told)
    return winners


def one_slot(business, addresses, count=SLOT_ROUNDS):
    async def play(clients):
        for number in range(count):
            body = wish(business, number)
            one_wins(await swarm.gather(clients, lambda client, _, body=body: client.post("/bookings/", body)))

    swarm.rounds(addresses, CLIENTS, play)


def all_kept(marca, business, count):
    """The table has that many bookings, and the events tell the same."""
    events = ledger.check(marca, business.id)
    assert len(events) == count
    return events


def test_one_slot(marca, api):
    business = lax(api)
    one_slot(business, [marca.address])
    all_kept(marca, business, SLOT_ROUNDS)


def test_one_slot_at_two_processes():
    """Two servers, one PostgreSQL database."""
    harness.need_store("postgres")
    with harness.Marca("postgres") as one:
        with harness.Marca("sqlite", env={"DATABASE_URL": one.database.url}) as two:
            business = lax(one.api())
            one_slot(business, [one.address, two.address])
            all_kept(one, business, SLOT_ROUNDS)


@pytest.mark.parametrize("ttl", [0, 1])
def test_what_one_process_has_set_another_obeys(ttl):
    """In its next request when it keeps nothing, else within CACHE_TTL_SECONDS."""
    harness.need_store("postgres")
    keeping = {"CACHE_TTL_SECONDS": str(ttl)}
    with harness.Marca("postgres", env=keeping) as one:
        with harness.Marca("sqlite", env={**keeping, "DATABASE_URL": one.database.url}) as two:
            business = lax(one.api())
            mine, other = one.api(), two.api()
            wanted = business.wanted("2025-12-20T10:00:00Z", "2025-12-20T10:01:00Z")
            for minutes in (10, 15, 5):
                mine.put(f"/tenants/{business.id}/settings", {"booking_interval": minutes})
                obeyed = f"Duração deve ser múltiplo de {minutes} minutos."
                assert mine.post("/bookings/", wanted).json["message"] == obeyed
                deadline = time.monotonic() + 10
                while (told := other.post("/bookings/", wanted).json["message"]) != obeyed:
                    assert ttl > 0 and time.monotonic() < deadline, told
                    time.sleep(0.05)


def test_last_place(marca, api):
    """Five places, sixty-four who want one."""
    business = lax(api, **multiple(5))

    async def play(clients):
        for number in range(ROUNDS // 3):
            body = wish(business, number)
            answers = await swarm.gather(clients, lambda client, _, body=body: client.post("/bookings/", body))
            assert sum(answer.status == 201 for answer in answers) == 5
            taken = {answer.json["id"] for answer in answers if answer.status == 201}
            for answer in answers:
                if answer.status != 201:
                    assert {c["booking_id"] for c in answer.json["conflicts"]} == taken

    swarm.rounds([marca.address], CLIENTS, play)
    all_kept(marca, business, ROUNDS // 3 * 5)


def test_put_against_put(marca, api):
    """Bookings of eight resources' slots all move to one slot of a ninth."""
    business = lax(api)
    homes = [business.another_resource() for _ in range(8)]

    async def play(clients):
        for number in range(ROUNDS // 3):
            made = await swarm.gather(clients, lambda client, n, at=number: client.post(
                "/bookings/", wish(business, at, resource_id=homes[n]["id"])))
            assert {answer.status for answer in made} == {201}
            ids = [answer.json["id"] for answer in made]
            moves = await swarm.gather(clients, lambda client, n, ids=ids: client.put(
                f"/bookings/{ids[n]}", {"resource_id": business.resource["id"]}))
            one_wins(moves)

    swarm.rounds([marca.address], 8, play)
    all_kept(marca, business, ROUNDS // 3 * 8)


def test_put_against_put_of_one_booking(marca, api):
    """Sixteen move one booking to sixteen places: all may, one after the other; it is in one place in the end."""
    business = lax(api)
    booking = business.book(*slot(0).values())

    async def play(clients):
        for _ in range(max(ROUNDS // 10, 1)):
            moves = await swarm.gather(clients, lambda client, n: client.put(f"/bookings/{booking['id']}", slot(2 * n)))
            assert {answer.status for answer in moves} <= {200, 409}
            assert {answer.json["error"] for answer in moves if answer.status == 409} <= {"changed_meanwhile"}
            versions = [answer.version for answer in moves if answer.status == 200]
            assert len(moves) - len(versions) <= 1 and len(set(versions)) >= len(versions) - 1

    swarm.rounds([marca.address], 16, play)
    all_kept(marca, business, 1)


def test_post_against_put(marca, api):
    business = lax(api)
    other = business.another_resource()

    async def play(clients):
        for number in range(ROUNDS):
            made = await clients[0].post("/bookings/", wish(business, number, resource_id=other["id"]))
            ours = made.json["id"]

            async def each(client, n, at=number, ours=ours):
                if n == 0:
                    return await client.put(f"/bookings/{ours}", {"resource_id": business.resource["id"]})
                return await client.post("/bookings/", wish(business, at))

            one_wins(await swarm.gather(clients, each))

    swarm.rounds([marca.address], 4, play)
    ledger.check(marca, business.id)


def test_cancel_against_confirm(marca, api):
    """Both may do it, confirm first; never both the other way round."""
    business = lax(api)

    async def play(clients):
        for number in range(ROUNDS):
            booking = (await clients[0].post("/bookings/", wish(business, number))).json["id"]
            path = f"/bookings/{booking}"
            cancel, confirm = await asyncio.gather(
                clients[0].patch(f"{path}/cancel"), clients[1].patch(f"{path}/status", {"status": "confirmado"}))
            end = (await clients[0].get(path)).json
            assert cancel.status == 200 and end["status"] == "cancelado"
            if confirm.status == 200:
                assert (confirm.version, cancel.version) == (2, 3)
            else:
                assert confirm.status == 409 and confirm.json["error"] == "invalid_transition"
                assert cancel.version == 2

    swarm.rounds([marca.address], 2, play)
    events = all_kept(marca, business, ROUNDS)
    for told in events.values():
        assert [event.type for event in told][-1] == "booking.cancelled"


def test_freed_slot_against_its_next_owners(marca, api):
    """While one cancels, others want the slot: at most one gets it, and whoever is refused names who was there."""
    business = lax(api)

    async def play(clients):
        for number in range(ROUNDS):
            old = (await clients[0].post("/bookings/", wish(business, number))).json

            async def each(client, n, at=number, old=old):
                if n == 0:
                    return await client.patch(f"/bookings/{old['id']}/cancel")
                return await client.post("/bookings/", wish(business, at))

            cancelled, *others = await swarm.gather(clients, each)
            assert cancelled.status == 200
            winners = [answer.json["id"] for answer in others if answer.status == 201]
            assert len(winners) <= 1
            for answer in others:
                if answer.status != 201:
                    assert {c["booking_id"] for c in answer.json["conflicts"]} <= {old["id"], *winners}
            if not winners:
                assert (await clients[0].post("/bookings/", wish(business, number))).status == 201

    swarm.rounds([marca.address], 8, play)
    all_kept(marca, business, 2 * ROUNDS)


def test_if_match_against_if_match(marca, api):
    """Sixteen hold one version, and want different things of it: one gets his, the others 412."""
    business = lax(api)

    async def play(clients):
        for number in range(ROUNDS // 3):
            booking = (await clients[0].post("/bookings/", wish(business, 4 * number))).json
            path, tag = f"/bookings/{booking['id']}", {"If-Match": '"1"'}

            async def each(client, n, path=path, at=number, tag=tag):
                ways = [
                    lambda: client.put(path, {"notes": f"n{n}"}, headers=tag),
                    lambda: client.put(path, slot(4 * at + 2), headers=tag),
                    lambda: client.patch(f"{path}/cancel", headers=tag),
                    lambda: client.patch(f"{path}/status", {"status": "confirmado"}, headers=tag),
                ]
                return await ways[n % 4]()

            answers = await swarm.gather(clients, each)
            assert sorted(answer.status for answer in answers) == [200] + [412] * 15
            winner = next(answer for answer in answers if answer.status == 200)
            assert (await clients[0].get(path)).json == winner.json and winner.version == 2

    swarm.rounds([marca.address], 16, play)
    all_kept(marca, business, ROUNDS // 3)


def test_overlapping_chain(marca, api):
    """Each wants two steps of five, shifted by one: who overlaps nobody who won must have won."""
    business = lax(api)

    async def play(clients):
        for number in range(ROUNDS // 3):
            begin = FIRST + datetime.timedelta(days=number)

            async def each(client, n, begin=begin):
                start = begin + n % 16 * STEP
                return await client.post("/bookings/", business.wanted(zulu(start), zulu(start + 2 * STEP)))

            answers = await swarm.gather(clients, each)
            assert {(a.status, a.json.get("error")) for a in answers} == {(201, None), (409, "conflict")}
            held = sorted(instant(a.json["start_time"]) for a in answers if a.status == 201)
            assert all(after - before >= 2 * STEP for before, after in zip(held, held[1:]))
            for n in range(16):
                start = begin + n * STEP
                assert any(abs(start - at) < 2 * STEP for at in held), "room is left, and was refused"

    swarm.rounds([marca.address], 32, play)
    ledger.check(marca, business.id)
