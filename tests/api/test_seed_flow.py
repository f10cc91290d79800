"""The example flow of the system's description, word for word: each curl is run by bash as it stands.

seed_flow.sh is that text, unchanged. Only two things are put in at run time: the server's address for
http://localhost:8000, and the ids that this server gave for the sample ones ("# Resposta: {"id": ...").
"""
import datetime
import json
import pathlib
import re
import subprocess

import pytest

import harness

FLOW = pathlib.Path(__file__).with_name("seed_flow.sh").read_text()
STEPS = [step for step in re.split(r"(?m)^(?=# \d+\. )", FLOW) if step]
SAMPLE_ID = re.compile(r'^# Resposta: \{"id": "([0-9a-f-]{36})"', re.M)

# The curl of the text, made to tell its status on a line of its own; nothing else differs.
CURL = 'curl() { command curl --silent --show-error --write-out "\\n%{http_code}\\n" "$@"; }\n'


def run(step, address, ids):
    for sample, real in ids.items():
        step = step.replace(sample, real)
    step = step.replace("http://localhost:8000", f"http://{address}")
    done = subprocess.run(["bash", "-euc", CURL + step], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    body, status = done.stdout.rstrip("\n").rsplit("\n", 1)
    return int(status), json.loads(body)


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def test_the_text_is_whole():
    assert len(STEPS) == 7 and FLOW.count("curl ") == 7


# The tenant allows cancelling up to 24 hours before the start. On 1 December that is days away, so
# can_cancel is true; the text's own `"can_cancel": false` is what it becomes less than 24 hours before.
@pytest.mark.parametrize("clock", ["2025-12-01T12:00:00Z", "2025-12-04T14:05:00Z"])
def test_seed_flow(store, clock):
    with harness.Marca(store, clock=clock) as marca:
        ids, replies = {}, []
        for step in STEPS:
            replies.append(run(step, marca.address, ids))
            if sample := SAMPLE_ID.search(step):
                ids[sample.group(1)] = replies[-1][1]["id"]

    (_, tenant), (_, user), (_, category), (_, resource), (_, booking) = replies[:5]
    assert [status for status, _ in replies] == [201, 201, 201, 201, 201, 409, 200]
    assert all(next(iter(body)) == "id" for _, body in replies[:5]), "objects list their own id first"

    assert tenant["name"] == "Academia Fit" and tenant["settings"]["working_hours_start"] == "06:00:00"
    assert user["permissions"]["can_book"] is True and user["permissions"]["can_manage_users"] is False
    assert resource["category"]["id"] == category["id"] and resource["capacity"] == 20
    assert booking["status"] == "pendente"
    assert booking["start_time"] == "2025-12-05T14:00:00Z" and booking["end_time"] == "2025-12-05T15:00:00Z"

    _, refusal = replies[5]
    assert refusal["success"] is False and refusal["error"] == "conflict" and refusal["status"] == 409
    assert refusal["message"] == "Recurso já possui reserva neste intervalo"
    assert refusal["conflicts"] == [
        {"booking_id": booking["id"], "start_time": booking["start_time"], "end_time": booking["end_time"]}
    ]

    # The rule: start >= now + cancellation_hours. Both clocks are far from the edge, so their first instant will do.
    _, listed = replies[6]
    cancellable = instant(booking["start_time"]) >= instant(clock) + datetime.timedelta(hours=24)
    assert [(b["id"], b["can_cancel"]) for b in listed] == [(booking["id"], cancellable)]
