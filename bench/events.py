"""P9: how long an event takes from its commit to a consumer at Redis, and how fast a backlog drains."""
import datetime
import json
import statistics
import threading
import time

from project import harness
from references import load
from scene import Scene, progress

RATE = 2000
IDLE_ROUNDS = 300
STREAM = "booking-events"


class Arrivals(threading.Thread):
    """Reads the stream as an outside consumer does, and notes when each entry came; counts only, when `light`."""

    def __init__(self, redis, light=False):
        super().__init__(daemon=True)
        self.client = redis.client()
        self.light = light
        info = self.client.xinfo_stream(STREAM) if self.client.exists(STREAM) else {"last-generated-id": "0-0"}
        self.place = info["last-generated-id"]
        self.seen, self.count = [], 0
        self.first = self.last = None
        self.stopping = False
        self.start()

    def run(self):
        while not self.stopping:
            for _, entries in self.client.xread({STREAM: self.place}, count=1000, block=200):
                now = time.time()
                self.first = self.first or now
                self.last = now
                self.place = entries[-1][0]
                self.count += len(entries)
                if not self.light:
                    self.seen += [(now, fields["metadata"]) for _, fields in entries]

    def wait(self, count, seconds):
        end = time.monotonic() + seconds
        while self.count < count:
            assert time.monotonic() < end, f"{self.count} of {count} events have come"
            time.sleep(0.01)

    def stop(self):
        self.stopping = True
        self.join()


def seconds_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def percentile(values, share):
    return sorted(values)[int(share * (len(values) - 1))]


def latencies(arrivals, shift):
    """ms from occurred_at (before the commit, so a little too long) to the arrival."""
    return [(now - (seconds_of(json.loads(metadata)["occurred_at"]) - shift)) * 1000 for now, metadata in arrivals.seen]


def idle(scene, redis, rounds):
    """One booking after another. Also how far marca's clock is from ours: as far as each reply allows."""
    arrivals, least = Arrivals(redis), float("inf")
    api = scene.marca.api()
    text = scene.requests(rounds).read_bytes()
    for request in text.split(b"\0")[:rounds]:
        sent = time.time()
        head, body = request.split(b"\r\n\r\n", 1)
        reply = api.post("/bookings/", body, headers=dict(line.split(": ", 1) for line in head.decode().splitlines()[1:]))
        assert reply.status == 201, reply
        least = min(least, seconds_of(reply.json["created_at"]) - sent)
        time.sleep(0.01)
    arrivals.wait(rounds, 10)
    arrivals.stop()
    return latencies(arrivals, least), least


def p9(table, options):
    with harness.Redis("--appendfsync", "everysec") as redis, \
            Scene(10_000, env={"REDIS_URL": redis.url}, tenants=options.tenants) as scene:
        progress("P9: idle")
        quiet, shift = idle(scene, redis, IDLE_ROUNDS // 10 if options.quick else IDLE_ROUNDS)

        progress(f"P9: {RATE:,} bookings a second")
        seconds = 2 if options.quick else 10
        arrivals = Arrivals(redis)
        done = load(scene.marca.address, scene.requests(RATE * seconds), seconds=seconds, rate=RATE)
        made = done["statuses"].get("201", 0)
        assert set(done["statuses"]) == {"201"}, done
        arrivals.wait(made, 60)
        arrivals.stop()
        busy = latencies(arrivals, shift)
        table.most(f"P9 {made / seconds:,.0f} bookings/s: commit to consumer, p99", percentile(busy, 0.99), "ms", 50)
        table.note(f"P9: p50 {statistics.median(busy):.1f} ms; one at a time p50 {statistics.median(quiet):.1f} ms, "
                   f"p99 {percentile(quiet, 0.99):.1f} ms; booking itself p50 {done['p50']:.1f} ms, p99 {done['p99']:.1f} ms")

        backlog = 5_000 if options.quick else 60_000
        redis.kill()
        progress(f"P9: {backlog:,} bookings while Redis is away")
        done = load(scene.marca.address, scene.requests(backlog), seconds=600)
        assert set(done["statuses"]) == {"201"}, done
        redis.start()
        progress("P9: the backlog")
        arrivals = Arrivals(redis, light=True)
        arrivals.wait(backlog, 120)
        arrivals.stop()
        rate = backlog / max(arrivals.last - arrivals.first, 0.001)
        table.add("P9 backlog drains", f"{rate:,.0f}/s", "", "", ">= 20,000/s", rate >= 20_000)
