"""Where measurements are kept, for bench/plots: .cache/bench/results-KIND.json, one file a kind.

    {"kind": ..., "measured": when, "machine": {...}, "versions": {...}, "quick": bool, KIND's own: see who calls save()}
"""
import datetime
import json
import os
import pathlib
import platform
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".cache/bench"
# What tells a version, and where in its words.
VERSIONS = {
    "gcc": ["gcc", "-dumpfullversion"],
    "SQLite": ["pkg-config", "--modversion", "sqlite3"],
    "libuv": ["pkg-config", "--modversion", "libuv"],
    "PostgreSQL": ["psql", "--version"],
    "nginx": ["/usr/sbin/nginx", "-v"],
    "marca": ["git", "-C", str(ROOT), "describe", "--always", "--dirty"],
}


def version(command):
    try:
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except (OSError, subprocess.CalledProcessError):
        return "absent"
    numbers = re.search(r"\d+\.[\d.]+\d", done.stdout)
    return numbers.group() if numbers else done.stdout.strip()


def machine():
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())
    return {
        "cpu": cpu.group(1) if cpu else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(int(memory.group(1)) / (1 << 20)),
        "kernel": platform.release(),
        "load_before": os.getloadavg()[0],
    }


BEFORE = machine()  # before anything of ours has begun


def save(kind, quick, **own):
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = json.dumps({
        "kind": kind,
        "measured": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "machine": BEFORE,
        "versions": {name: version(command) for name, command in VERSIONS.items()},
        "quick": quick,
        **own,
    }, indent=1)
    # A list of numbers on one line.
    text = re.sub(r"\[[\s\d.,e+-]+\]", lambda found: re.sub(r"\s+", " ", found.group()).replace("[ ", "[").replace(" ]", "]"), text)
    (FOLDER / f"results-{kind}.json").write_text(text + "\n", encoding="utf-8")
