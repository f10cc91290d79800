"""bench/load, which all benchmarks measure with: at a rate it counts what waits behind a slow answer, and it goes on where a
connection was closed."""
import json
import socket
import subprocess
import threading
import time

import pytest

import harness

REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
CLOSING = REPLY.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
REQUEST = "GET / HTTP/1.1\r\nHost: a\r\n\r\n\0"
STALL = 0.6  # of the first answer


@pytest.fixture(scope="module")
def tool():
    folder = harness.binary().parent
    subprocess.run(["ninja", "-C", folder, "bench/load"], check=True, stdout=subprocess.DEVNULL)
    return folder / "bench/load"


class Server(threading.Thread):
    """One connection after the other, on each one request after the other; the first answer of all comes late."""

    def __init__(self, reply):
        super().__init__(daemon=True)
        self.reply, self.accepted = reply, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            there, _ = self.listener.accept()
            self.accepted += 1
            time.sleep(STALL if self.accepted == 1 else 0)
            with there:
                while there.recv(4096):
                    there.sendall(self.reply)
                    if self.reply == CLOSING:
                        break


def run(tool, tmp_path, server, *how):
    file = tmp_path / "requests"
    file.write_text(REQUEST * 100, newline="")
    done = subprocess.run(
        [tool, "-c", "1", "-t", "1", *how, str(server.port), file], check=True, capture_output=True, text=True, timeout=60)
    return json.loads(done.stdout)


def test_what_was_due_behind_a_slow_answer_was_late_too(tool, tmp_path):
    told = run(tool, tmp_path, Server(REPLY), "-R", "100")
    assert told["statuses"] == {"200": 100}
    # 60 of the 100 were due before the first was answered: evenly between 0 and 600 ms before. Counted from when it was sent,
    # only that one would have waited.
    assert told["p50"] >= 50
    assert told["max"] >= STALL * 1000


def test_a_closed_connection_is_opened_again(tool, tmp_path):
    server = Server(CLOSING)
    told = run(tool, tmp_path, server, "-R", "100")
    assert told["statuses"] == {"200": 100}
    assert server.accepted >= 100


def test_a_file_that_begins_again(tool, tmp_path):
    told = run(tool, tmp_path, Server(REPLY), "-l", "-R", "250")
    assert told["statuses"] == {"200": 250}
