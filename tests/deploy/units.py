"""Systemd's own word on a unit: what it makes of each line, and how exposed a service is."""
import re
import shutil
import subprocess

import pytest

WORST = 1.5  # of 0 (nothing exposed) to 10 (everything)

if shutil.which("systemd-analyze") is None:
    pytest.fail("no systemd-analyze: scripts/setup --test", pytrace=False)


def analyze(*words):
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False,
                          env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "SYSTEMD_PAGER": ""})


def exposure(unit):
    """The level; and whether systemd-analyze itself says that it is under WORST."""
    done = analyze("security", "--offline=true", f"--threshold={round(WORST * 10)}", "--no-pager", unit)
    level = re.search(r"Overall exposure level for \S+: (\d+\.\d+)", done.stdout)
    assert level, done
    return float(level.group(1)), done.returncode == 0


def settings(path):
    """The lines of a unit, by name, in order."""
    found = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", path.read_text(), re.M):
        found.setdefault(name, []).append(value)
    return found
