"""Counts what a marca does between two instants, by thread: instructions, calls of malloc, system calls. By valgrind's callgrind,
so that the same work gives the same figures, however busy the machine is."""
import collections
import pathlib
import re
import shutil
import subprocess
import sys

ALLOCATORS = {"malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign"}

# valgrind has no vDSO: natively these never enter the kernel.
NO_CALLS = re.compile(r"clock_gettime|gettimeofday|time$")
# Where threads meet, it is a matter of chance who waits for whom.
MEETINGS = re.compile(r"__lll_lock_|__futex_|pthread_cond_|sched_yield")

# What a thread is, by functions that it runs: the first row of which it runs one.
ROLES = {"loop": {"connection_run_ready"}, "tasks": {"uv_run"}, "committer": {"sqlite_run"}}


class Counts:
    """Of one thread, or of several together."""

    def __init__(self):
        self.functions = collections.Counter()  # instructions of each, without what it calls
        self.binaries = collections.Counter()  # the same by the program or library that they are of
        self.allocating = collections.Counter()  # calls of malloc and its like, by who calls
        self.entering = collections.Counter()  # system calls, by the function of the C library

    @property
    def role(self):
        """None: a thread that did nothing of interest."""
        return next((role for role, marks in ROLES.items() if marks & self.functions.keys()), None)

    @property
    def instructions(self):
        return self.functions.total()

    @property
    def mallocs(self):
        return self.allocating.total()

    @property
    def calls(self):
        """Of the system, but for waiting on another thread."""
        return sum(times for name, times in self.entering.items() if not MEETINGS.match(name))

    def __iadd__(self, other):
        for name in ("functions", "binaries", "allocating", "entering"):
            getattr(self, name).update(getattr(other, name))
        return self


def read(path):
    """A callgrind.out. Names are compressed: "(7) malloc" where one first stands, then "(7)"."""
    counts, functions, binaries = Counts(), {}, {}
    binary = function = callee = ""
    events, inclusive = [], False

    def name_of(names, text):
        number, _, name = text.partition(" ")
        if name:
            # A function that comes in again while it runs is counted apart: "name'2".
            names[number] = re.sub(r"'\d+$", "", name)
        return names[number]

    for line in path.read_text(errors="replace").splitlines():
        key, _, rest = line.partition("=")
        if key == "fn":
            function = name_of(functions, rest)
        elif key == "cfn":
            callee = name_of(functions, rest)
        elif key == "ob":
            binary = name_of(binaries, rest)
        elif key == "cob":
            name_of(binaries, rest)
        elif key == "calls":
            inclusive = True  # the line that follows
            if callee in ALLOCATORS and function not in ALLOCATORS:
                counts.allocating[function] += int(rest.split()[0])
        elif line.startswith("events: "):
            events = line.split()[1:]
        elif line[:1] in "+-*0123456789" and line:
            costs = dict(zip(events, map(int, line.split()[1:])))
            if not inclusive:
                counts.functions[function] += costs["Ir"]
                counts.binaries[binary] += costs["Ir"]
                if costs.get("sysCount") and not NO_CALLS.match(function):
                    counts.entering[function] += costs["sysCount"]
            inclusive = False
    return counts


class Callgrind:
    """`command` goes before that of a marca with MARCA_CONFINE=off; then attach() to the process."""

    def __init__(self, folder):
        self.out = pathlib.Path(folder) / "callgrind"
        self.part = self.pid = 0
        # Fibers leave a stack for another: what a function calls is not told apart by who called it.
        self.command = [
            "valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", "--separate-threads=yes", "--collect-systime=yes",
            f"--callgrind-out-file={self.out}",
        ]
        if shutil.which("valgrind") is None:
            sys.exit("no valgrind: scripts/setup --test installs it")

    def control(self, *words):
        done = subprocess.run(["vgdb", f"--pid={self.pid}", *words], check=False, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            sys.exit(f"vgdb {' '.join(words)}: {done.stderr}")

    def attach(self, pid):
        self.pid = pid
        self.control("instrumentation", "on")

    def take(self):
        """By role, what was counted since the last take()."""
        self.part += 1
        self.control("dump", "part")
        found = {}
        for path in self.out.parent.glob(f"{self.out.name}.{self.part}-*"):
            counts = read(path)
            if counts.role:
                found.setdefault(counts.role, Counts())
                found[counts.role] += counts
            path.unlink()
        return found
