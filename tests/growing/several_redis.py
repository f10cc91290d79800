"""Several Redis that belong together: a master and its replica, watched by sentinels; a cluster of three masters and a replica."""
import pathlib
import shutil
import subprocess
import tempfile

import redis

import harness

MASTER = "m"
SLOT = 854  # of {marca}, where all of marca's keys lie in a cluster


class Sentinel:
    """A redis-sentinel of its own. One is enough to agree with itself."""

    def __init__(self, watched):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="marca-sentinel-"))
        self.port = harness.free_port()
        self.process = None
        (self.folder / "conf").write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {self.folder}\n"
            f"sentinel monitor {MASTER} 127.0.0.1 {watched} 1\n"
            f"sentinel down-after-milliseconds {MASTER} 1000\nsentinel failover-timeout {MASTER} 2000\n")

    def __enter__(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(["redis-sentinel", self.folder / "conf"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        harness.until("the sentinel knows the replica", lambda: len(self.ask(lambda it: it.sentinel_slaves(MASTER)) or ()) > 0)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)

    def ask(self, question):
        try:
            with redis.Redis(port=self.port, decode_responses=True) as client:
                return question(client)
        except redis.exceptions.RedisError:
            return None

    def master(self):
        """The port of the one that is the master now, and says so itself."""
        host, port = self.ask(lambda it: it.sentinel_get_master_addr_by_name(MASTER)) or (None, 0)
        try:
            with redis.Redis(host or "127.0.0.1", int(port), decode_responses=True) as client:
                return int(port) if client.role()[0] in ("master", b"master") else None
        except redis.exceptions.RedisError:
            return None


def in_step(master):
    """A replica has all that it has had until now."""
    try:
        with master.client() as client:
            return client.wait(1, 1000) == 1
    except redis.exceptions.RedisError:
        return False  # who is made something else closes its connections


def follow(redis_, master):
    """What a sentinel would tell it within ten seconds."""
    with redis_.client() as client:
        client.replicaof("127.0.0.1", str(master.port))
    harness.until("it has all", lambda: in_step(master))


# --- A cluster -----------------------------------------------------------------------


class Node(harness.Redis):
    def __init__(self):
        super().__init__("--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-port", str(harness.free_port()),
                         "--cluster-replica-validity-factor", "0")

    def say(self, *words):
        with self.client() as client:
            return client.execute_command(*words)

    def name(self):
        return self.say("CLUSTER MYID")


class Cluster:
    """masters: three, each with a third of the slots, `home` the one that has marca's; replica: of that one."""

    def __init__(self):
        self.nodes = [Node() for _ in range(4)]
        *self.masters, self.replica = self.nodes
        self.home = self.masters[0]

    @property
    def url(self):
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def __enter__(self):
        for node in self.nodes:
            node.start()
        for number, node in enumerate(self.masters):
            first, last = number * 16384 // 3, (number + 1) * 16384 // 3 - 1
            node.say("CLUSTER ADDSLOTSRANGE", first, last)
        for node in self.nodes[1:]:
            bus = node.options[node.options.index("--cluster-port") + 1]
            self.home.say("CLUSTER MEET", "127.0.0.1", node.port, bus)
        harness.until("all know one another", lambda: all(len(node.say("CLUSTER NODES")) == 4 for node in self.nodes))
        harness.until("it may replicate", self.follow)
        harness.until("the cluster works", lambda: all(node.say("CLUSTER INFO")["cluster_state"] == "ok" for node in self.nodes))
        harness.until("the replica is linked", lambda: self.replica.say("ROLE")[3] in ("connected", b"connected"))
        return self

    def __exit__(self, *_):
        for node in self.nodes:
            node.__exit__(None, None, None)

    def follow(self):
        try:
            self.replica.say("CLUSTER REPLICATE", self.home.name())
            return True
        except redis.exceptions.RedisError:
            return False  # it has not heard of that master yet

    def move(self, from_, to):
        """marca's slot with all its keys, step by step; between the steps the one says ASK, the other MOVED, both TRYAGAIN."""
        to.say("CLUSTER SETSLOT", SLOT, "IMPORTING", from_.name())
        from_.say("CLUSTER SETSLOT", SLOT, "MIGRATING", to.name())
        while keys := from_.say("CLUSTER GETKEYSINSLOT", SLOT, 1):
            from_.say("MIGRATE", "127.0.0.1", to.port, keys[0], 0, 5000)
            yield keys[0]
        for node in (to, from_, *(node for node in self.masters if node not in (to, from_) and node.process is not None)):
            node.say("CLUSTER SETSLOT", SLOT, "NODE", to.name())
