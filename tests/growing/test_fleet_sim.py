"""bench/fleet_sim: the same seed gives the same table, and where the answer is known without it, it finds that."""
import re
import subprocess
import sys

import harness


def simulate(**options):
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    return subprocess.run([sys.executable, harness.ROOT / "bench/fleet_sim", *words], check=True, capture_output=True, text=True).stdout


def closed(text):
    return {int(clients): float(rate.replace(",", "")) for clients, rate in re.findall(r"(\d+): ([\d,]+)/s", text)}


def rows(text):
    """(processes, shards, load, loop, shard, p50, p99, lag, refused)"""
    return [[float(word.strip("%").replace(",", "")) for word in line.split()] for line in text.splitlines() if re.match(r" +\d+ +\d+ ", line)]


def test_same_seed_same_table():
    assert simulate(seed=7, seconds=0.5) == simulate(seed=7, seconds=0.5)
    assert simulate(seed=7, seconds=0.5) != simulate(seed=8, seconds=0.5)


def test_one_client_waits_for_each_step():
    """A loop's share, a commit, a script, one after another."""
    rate = closed(simulate(seconds=2, loop_us=1000, commit_ms=2, script_us=1000))[1]
    assert abs(rate - 250) <= 2


def test_a_shard_does_no_more_than_it_can():
    """Under its limit what comes is done, in about that share of its time; over it the answers come later and later."""
    table = rows(simulate(seconds=4, loop_us=10, commit_ms=1, script_us=1000))
    assert len(table) == 20
    for _, shards, load, _, shard, p50, _, _, _ in table:
        wanted = 100 * load * 1e-3 / shards
        if wanted < 90:
            assert wanted - 12 < shard < wanted + 15 and p50 < 100, (load, shards, shard, p50)
        else:
            assert shard > 90 and p50 > 100, (load, shards, shard, p50)


def test_a_full_queue_refuses():
    assert all(row[-1] == 0 for row in rows(simulate(seconds=0.5)))
    full = rows(simulate(seconds=2, loop_us=1, commit_ms=1, script_us=1000, queue_max=150))
    assert all(row[-1] == 0 for row in full if row[2] <= 1000 * row[1]), full
    assert [row[-1] > 0 for row in full if row[0] == 1] == [False, False, False, True], full
