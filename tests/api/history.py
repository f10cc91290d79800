"""What must be true of a run of many clients, judged from what each asked and heard (targets R1 and R2).

A booking's life is cut into stages: a period on a resource that blocks time, from the change that made it to the
change that ended it. Of each change only this is known: it was committed between its request (sent) and its
answer (got). So a stage was surely there from the first's got to the second's sent, and perhaps there from the
first's sent to the second's got.

    R1  At no instant of the run do stages that were surely there exceed the capacity.
    R2  For each refusal there was an instant between its request and its answer at which stages that were perhaps
        there filled the capacity; and each booking that it names was perhaps there, with those times.
"""
import collections
import heapq

Stage = collections.namedtuple("Stage", "booking resource start end")
Refusal = collections.namedtuple("Refusal", "sent got resource start end named except_id")


def peak(stages):
    """How many of these (resource aside) overlap at most."""
    edges = sorted([(stage.start, 1) for stage in stages] + [(stage.end, -1) for stage in stages])
    most = now = 0
    for _, step in edges:
        now += step
        most = max(most, now)
    return most


def overlapping(stages, start, end):
    """Cut to the period, so that peak() looks at it alone."""
    return [stage._replace(start=max(stage.start, start), end=min(stage.end, end))
            for stage in stages if stage.start < end and stage.end > start]


class History:
    def __init__(self, capacities):
        self.capacities = capacities  # by resource
        self.changes = collections.defaultdict(list)  # booking: [(version, sent, got, resource, start, end, blocks)]
        self.refusals = []

    def changed(self, answer, booking):
        self.changes[booking["id"]].append((
            answer.version, answer.sent, answer.got, booking["resource_id"], booking["start_time"],
            booking["end_time"], booking["status"] in ("pendente", "confirmado")))

    def refused(self, answer, resource, start, end, except_id=None):
        named = [(c["booking_id"], c["start_time"], c["end_time"]) for c in answer.json["conflicts"]]
        self.refusals.append(Refusal(answer.sent, answer.got, resource, start, end, named, except_id))

    def stages(self):
        """[(stage, first instant perhaps, first surely, last surely, last perhaps)]; None: never ended."""
        found = []
        for booking, changes in self.changes.items():
            changes.sort()
            versions = [change[0] for change in changes]
            assert versions == list(range(1, len(versions) + 1)), (booking, versions)
            for change, after in zip(changes, changes[1:] + [None]):
                _, sent, got, resource, start, end, blocks = change
                if blocks:
                    ends = (after[1], after[2]) if after else (None, None)
                    found.append((Stage(booking, resource, start, end), sent, got, *ends))
        return found

    def check_capacity(self):
        """R1. Returns how many instants were looked at."""
        events = []
        for number, (stage, _, surely, until, _) in enumerate(self.stages()):
            if until is None or surely < until:
                events.append((surely, 1, number, stage))
                if until is not None:
                    events.append((until, 0, number, stage))
        there = {resource: {} for resource in self.capacities}
        for _, begins, number, stage in sorted(events, key=lambda event: event[:3]):
            if not begins:
                del there[stage.resource][number]
                continue
            there[stage.resource][number] = stage
            crowd = overlapping(there[stage.resource].values(), stage.start, stage.end)
            assert peak(crowd) <= self.capacities[stage.resource], crowd
        return len(events)

    def check_refusals(self):
        """R2. Returns the refusals that nothing explains."""
        events = []
        for number, (stage, perhaps, _, _, until) in enumerate(self.stages()):
            events.append((perhaps, "begins", number, stage))
            if until is not None:
                events.append((until, "ends", number, stage))
        for number, refusal in enumerate(self.refusals):
            events.append((refusal.sent, "asks", number, refusal))
            events.append((refusal.got, "hears", number, refusal))
        there = {resource: {} for resource in self.capacities}
        open_, full, seen, unexplained = collections.defaultdict(dict), {}, {}, []
        for _, what, number, who in sorted(events, key=lambda event: event[0]):
            if what == "begins":
                there[who.resource][number] = who
                for waiting, refusal in open_[who.resource].items():
                    self.look(waiting, refusal, there, full, seen)
            elif what == "ends":
                del there[who.resource][number]
            elif what == "asks":
                open_[who.resource][number] = who
                seen[number] = set()
                self.look(number, who, there, full, seen)
            else:
                del open_[who.resource][number]
                if not full.pop(number) or not set(who.named) <= seen.pop(number) or not who.named:
                    unexplained.append(who)
        return unexplained

    def look(self, number, refusal, there, full, seen):
        crowd = [stage for stage in there[refusal.resource].values() if stage.booking != refusal.except_id]
        seen[number].update((s.booking, s.start, s.end) for s in crowd if s.start < refusal.end and s.end > refusal.start)
        crowd = overlapping(crowd, refusal.start, refusal.end)
        full[number] = full.get(number, False) or peak(crowd) >= self.capacities[refusal.resource]


def sweep(rows, capacities):
    """How far over its capacity each resource is, in the end: [(resource, most at once)], empty when none is."""
    over = []
    for resource, capacity in capacities.items():
        ends, most = [], 0
        for start, end in sorted((row["start_time"], row["end_time"]) for row in rows
                                 if row["resource_id"] == resource and row["status"] in ("pendente", "confirmado")):
            while ends and ends[0] <= start:
                heapq.heappop(ends)
            heapq.heappush(ends, end)
            most = max(most, len(ends))
        if most > capacity:
            over.append((resource, most))
    return over
