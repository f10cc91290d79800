"""Bookings made and changed by several clients, until they are told to stop; what breaks is journalled, not raised."""
import datetime
import http.client
import random
import threading

import harness

FIRST = datetime.date(2025, 12, 3)
DAYS = [(FIRST + datetime.timedelta(days=day)).isoformat() for day in range(360)]
HOURS = range(0, 23)


class Load:
    """with Load([marca, ...], business): ...    Each client has resources of its own, so that every booking is free.

    acknowledged: ids of bookings that a 201 was read for. refused: statuses that were not expected.
    """

    def __init__(self, marcas, business, clients=4, seed=1):
        self.marcas, self.business = marcas, business
        self.acknowledged, self.refused = [], []
        self.stopping = threading.Event()
        self.threads = [
            threading.Thread(target=self.work, args=(marcas[n % len(marcas)], random.Random(f"{seed}-{n}")))
            for n in range(clients)
        ]
        self.resources = [[business.another_resource()["id"] for _ in range(8)] for _ in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def hours(self, mine):
        for resource in mine:
            for day in DAYS:
                for hour in HOURS:
                    yield resource, f"{day}T{hour:02}:00", f"{day}T{hour + 1:02}:00"

    def work(self, marca, chance):
        mine = self.resources.pop()
        hours = self.hours(mine)
        own = []
        while not self.stopping.is_set():
            try:
                self.talk(marca, hours, own, chance)
            except (OSError, http.client.HTTPException):
                self.stopping.wait(0.05)  # killed, or not up yet

    def talk(self, marca, hours, own, chance):
        api = harness.Api(marca.address)
        try:
            while not self.stopping.is_set():
                if own and chance.random() < 0.4:
                    self.change(api, own, chance)
                else:
                    self.book(api, hours, own)
        finally:
            api.close()

    def book(self, api, hours, own):
        resource, start, end = next(hours)
        reply = api.post("/bookings/", self.business.wanted(start, end, resource_id=resource))
        if reply.status == 201:
            self.acknowledged.append(reply.json["id"])
            own.append(reply.json["id"])
        else:
            self.refused.append(reply.status)

    def change(self, api, own, chance):
        booking = chance.choice(own)
        what = chance.random()
        if what < 0.3:
            own.remove(booking)
            reply = api.patch(f"/bookings/{booking}/cancel", {"reason": "chance"})
        elif what < 0.6:
            reply = api.put(f"/bookings/{booking}", {"notes": str(chance.random())})
        else:
            reply = api.patch(f"/bookings/{booking}/status", {"status": "confirmado"})
        # One that was killed in the middle of a change may have made it: then a second one is refused.
        if reply.status not in (200, 409):
            self.refused.append(reply.status)
