"""Many clients at once, on one thread: bytes on sockets, so that the server is what is busy.

    async def each(client, number):
        return await client.post("/bookings/", body)
    answers = swarm.run(marca, 64, each)
"""
import asyncio
import itertools
import json

# Instants of this process's own: what was asked before, what answered after.
ticks = itertools.count(1)


class Answer:
    __slots__ = ("status", "headers", "body", "sent", "got")

    def __init__(self, status, headers, body, sent):
        self.status, self.headers, self.body = status, headers, body
        self.sent, self.got = sent, next(ticks)

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def version(self):
        return int(self.headers["etag"].strip('"'))

    def __repr__(self):
        return f"<Answer {self.status} {self.body[:2000].decode('utf-8', 'replace')}>"


class Client:
    """One keep-alive connection."""

    def __init__(self, address):
        self.address = address

    async def __aenter__(self):
        host, port = self.address.rsplit(":", 1)
        self.reader, self.writer = await asyncio.open_connection(host, int(port))
        return self

    async def __aexit__(self, *_):
        self.writer.close()

    async def request(self, method, path, body=None, headers=None):
        body = b"" if body is None else json.dumps(body).encode()
        more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.address}\r\nContent-Length: {len(body)}\r\n{more}"
        if body:
            head += "Content-Type: application/json\r\n"
        sent = next(ticks)
        self.writer.write(f"{head}\r\n".encode() + body)
        return await self.answer(sent)

    async def answer(self, sent=0):
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:-2]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(lines[0].split()[1]), headers, body, sent)

    async def get(self, path, **more):
        return await self.request("GET", path, **more)

    async def post(self, path, body=None, **more):
        return await self.request("POST", path, body, **more)

    async def put(self, path, body=None, **more):
        return await self.request("PUT", path, body, **more)

    async def patch(self, path, body=None, **more):
        return await self.request("PATCH", path, body, **more)


async def gather(clients, each):
    return await asyncio.gather(*(each(client, number) for number, client in enumerate(clients)))


def rounds(addresses, count, play):
    """play(clients): a coroutine function that is given `count` connections, spread over the addresses."""

    async def main():
        clients = [Client(addresses[number % len(addresses)]) for number in range(count)]
        await asyncio.gather(*(client.__aenter__() for client in clients))
        try:
            return await play(clients)
        finally:
            for client in clients:
                await client.__aexit__()

    return asyncio.run(main())


def run(marca, count, each):
    """each(client, number) by `count` clients at once; the answers."""
    return rounds([marca.address], count, lambda clients: gather(clients, each))
