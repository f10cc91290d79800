"""What docs/fleet.md tells to type runs: two processes over SQLite, the bookings apart."""
import os
import re
import subprocess

import harness
from business import ANY_TIME, Business

DOCUMENT = (harness.ROOT / "docs/fleet.md").read_text()


def typed(redis, ports):
    """The first block of shell, for the ports and the binary that there are here; it ends with what it has started."""
    text = re.search(r"```bash\n(.*?)```", DOCUMENT, re.S).group(1)
    there = {"build/marca": harness.binary(), "redis://127.0.0.1:6379": redis.url,
             "127.0.0.1:8001": f"127.0.0.1:{ports[0]}", "127.0.0.1:8002": f"127.0.0.1:{ports[1]}"}
    for said, real in there.items():
        assert said in text, said
        text = text.replace(said, str(real))
    return text + "trap 'kill $(jobs -p)' TERM\nwait; wait\n"


def test_two_processes(tmp_path):
    ports = harness.free_port(), harness.free_port()
    rest, bookings = (f"127.0.0.1:{port}" for port in ports)
    with harness.Redis() as redis, open(tmp_path / "log", "wb") as log:
        (tmp_path / "data").mkdir()
        shell = subprocess.Popen(["bash", "-eu", "-c", typed(redis, ports)], cwd=tmp_path, stdout=log, stderr=log,
                                 env={"PATH": os.environ["PATH"], "MARCA_CLOCK": harness.CLOCK})
        try:
            for address in (rest, bookings):
                harness.until(f"{address} is ready", lambda at=address: shell.poll() is None and harness.is_ready(at))
            business = Business(harness.Api(rest), ANY_TIME)
            business.api = harness.Api(bookings)
            business.book("2025-12-05T10:00", "2025-12-05T11:00")
            assert business.ask("2025-12-05T10:00", "2025-12-05T11:00").status == 409
        finally:
            shell.terminate()
            shell.wait()
        assert not harness.SANITIZER.findall((tmp_path / "log").read_text())
