"""Clients that book without a pause and keep a journal of what they asked and what they were told, while marca is stopped
and started under them; and what must be true of it afterwards.

A booking's note is its name: so one that was asked for and not answered can be looked for, too.
"""
import collections
import dataclasses
import datetime
import http.client
import json
import socket
import threading

import ledger

FIRST = datetime.date(2025, 12, 3)
SLOTS = [(f"{FIRST + datetime.timedelta(days=n // 23)}T{n % 23:02}:00", f"{FIRST + datetime.timedelta(days=n // 23)}T{n % 23 + 1:02}:00")
         for n in range(23 * 350)]
PATIENCE = 60


@dataclasses.dataclass
class Journal:
    """By the bookings' notes: what was answered 201, and what was asked and never answered. Other outcomes are counted."""
    acknowledged: list = dataclasses.field(default_factory=list)
    unanswered: list = dataclasses.field(default_factory=list)
    outcomes: collections.Counter = dataclasses.field(default_factory=collections.Counter)


class Clients:
    """with Clients(address, business) as clients: ...    The block begins when each has been answered once.

    once: a connection of its own for each request. wait=False: the block begins before.
    """

    def __init__(self, address, business, count=6, once=False, wait=True):
        self.host, port = address.rsplit(":", 1)
        self.port = int(port)
        self.business, self.once, self.wait = business, once, wait
        self.journal = Journal()
        self.stopping = threading.Event()
        self.going = [threading.Event() for _ in range(count)]
        resources = [business.another_resource()["id"] for _ in range(count)]
        self.threads = [threading.Thread(target=self.work, args=(n, resource)) for n, resource in enumerate(resources)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        for going in self.going if self.wait else []:
            assert going.wait(PATIENCE)
        return self

    def __exit__(self, *_):
        self.finish()

    def finish(self):
        """Waits for their last replies, unless the server has told them all to go."""
        self.stopping.set()
        for thread in self.threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()

    def gone(self):
        return not any(thread.is_alive() for thread in self.threads)

    def work(self, number, resource):
        connection = None
        for n, (start, end) in enumerate(SLOTS):
            if self.stopping.is_set():
                break
            if connection is None:
                connection = self.connect()
            if connection is None and self.once:
                self.stopping.wait(0.01)
                continue
            if connection is None:
                return
            note = f"{number}-{n}"
            body = json.dumps(self.business.wanted(start, end, resource_id=resource, notes=note))
            closes = self.ask(connection, note, body)
            self.going[number].set()
            if not self.once and closes:
                break
            if self.once:
                connection.close()
                connection = None
        if connection is not None:
            connection.close()

    def outcomes(self, what):
        self.journal.outcomes[what] += 1

    def connect(self):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)
        try:
            connection.connect()
        except ConnectionError as refused:
            self.outcomes(type(refused).__name__)
            return None
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def ask(self, connection, note, body):
        """Whether this was the last that the connection takes."""
        try:
            connection.request("POST", "/bookings/", body, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            reply.read()
        except (OSError, http.client.HTTPException) as broken:
            self.journal.unanswered.append(note)
            self.outcomes(type(broken).__name__)
            return True
        if reply.status == 201:
            self.journal.acknowledged.append(note)
        self.outcomes(reply.status)
        if reply.will_close:
            self.outcomes("told to go")
        return reply.will_close


def stored(marca, business):
    """The notes of all bookings."""
    return {booking["notes"] for booking in ledger.bookings(marca, business.id)}


def disturbed(journal):
    """What a client noticed besides answers: refused, reset, closed on him."""
    return {what: count for what, count in journal.outcomes.items() if isinstance(what, str) and what != "told to go"}


def faults(journal, found):
    """What must not be: an acknowledged booking that is lost, one that was made and not told, an answer but 201."""
    lost = [f"lost: {note}" for note in journal.acknowledged if note not in found]
    untold = [f"made and not told: {note}" for note in journal.unanswered if note in found]
    wrong = [f"answered {what}" for what in journal.outcomes if isinstance(what, int) and what != 201]
    return lost + untold + wrong
