"""What was a secret of one request is not in the process's memory once it is answered."""
import os
import re

import pytest

import harness


def memory_has(process, text):
    """Is it in any page that the process can write?"""
    found = 0
    with open(f"/proc/{process.pid}/maps", encoding="utf-8") as maps, open(f"/proc/{process.pid}/mem", "rb") as memory:
        for line in maps:
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if match is None or "[vvar" in line or "[vsyscall" in line:
                continue
            start, end = (int(edge, 16) for edge in match.groups())
            if end - start > 1 << 30:  # a sanitizer's shadow, or a stack's reserve
                continue
            try:
                memory.seek(start)
                found += memory.read(end - start).count(text)
            except OSError:
                continue
    return found


@pytest.fixture
def own():
    """SQLite, and the gcc build: a sanitizer keeps what was freed on purpose."""
    if "asan" in str(harness.binary()):
        pytest.skip("the sanitizers keep freed memory")
    with harness.Marca("sqlite") as marca:
        if not os.access(f"/proc/{marca.process.pid}/mem", os.R_OK):
            pytest.skip("this user may not look into a process's memory")
        yield marca


def gone(process, text):
    """The reply is out a moment before the request's memory is let go."""
    return harness.until("no copy is left", lambda: memory_has(process, text) == 0, 5)


def test_a_password_leaves_no_copy(own):
    api = own.api()
    tenant = harness.make_tenant(api)
    canary = "Xylophon-Wombat-8261-Kanarienvogel"
    user = harness.make_user(api, tenant, password=canary, department="Abteilung-Kaninchen-5512-Wiese")
    assert api.put(f"/users/{user['id']}", {"password": canary[::-1]}).status == 200
    assert api.put(f"/users/{user['id']}", {"password": canary + "x" * 200}).status == 422
    assert memory_has(own.process, b"Abteilung-Kaninchen-5512-Wiese"), "the search finds what is there"
    for secret in (canary, canary[::-1]):
        assert gone(own.process, secret[4:-4].encode())
