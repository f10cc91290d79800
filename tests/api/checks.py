"""What the tests of several services ask in the same way."""
import concurrent.futures
import json
import sqlite3
import uuid


def issues(reply):
    """{"body.name": "missing", ...} of a 422."""
    assert reply.status == 422, reply
    assert reply.json["error"] == "validation_error" and reply.json["success"] is False
    return {".".join(map(str, issue["loc"])): issue["type"] for issue in reply.json["errors"]}


def told(reply, status, message):
    """The answer is that failure, in the words of the contract."""
    assert reply.status == status, reply
    assert reply.headers["Content-Type"].startswith("application/problem+json")
    assert reply.json["message"] == message and reply.json["success"] is False


def is_absent(reply, message):
    told(reply, 404, message)


def walk(api, path, limit, **query):
    """All items of a list, page by page; also checks what each page tells of the next."""
    items, cursor = [], None
    while True:
        reply = api.get(path, limit=limit, cursor=cursor, **query)
        assert reply.status == 200, reply
        assert len(reply.json) <= limit
        items += reply.json
        cursor = reply.headers["X-Next-Cursor"]
        if cursor is None:
            assert reply.headers["Link"] is None
            return items
        assert len(reply.json) == limit
        assert 'rel="next"' in reply.headers["Link"] and cursor in reply.headers["Link"]


def by_id(items):
    """Lists come by id: in the order of creation, to the millisecond."""
    return sorted(items, key=lambda item: item["id"])


def race(marca, count, ask):
    """ask(api, number) from that many connections at once; the replies."""
    apis = [marca.api() for _ in range(count)]
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda number: ask(apis[number], number), range(count)))


def texts(marca, room, sql):
    """One column of text from a room's store, read past marca."""
    database = marca.database_of(room)
    if database is not None:
        return database.sql(database.url, sql).splitlines()
    with sqlite3.connect(f"file:{marca.data / room}.db?mode=ro", uri=True) as connection:
        return [row[0] for row in connection.execute(sql)]


def events(marca, room, name, value):
    """[(type, stream, payload)] of the events whose payload has that id, in order."""
    rows = texts(
        marca, room,
        f"SELECT type || ' ' || stream || ' ' || CAST(payload AS TEXT) FROM {room}_outbox ORDER BY created_at, ordinal",
    )
    split = [row.split(" ", 2) for row in rows]
    found = [(kind, stream, json.loads(payload)) for kind, stream, payload in split]
    return [event for event in found if event[2].get(name) == value]


def some_id():
    return str(uuid.uuid4())
