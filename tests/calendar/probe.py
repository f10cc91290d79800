"""Speaks with calendar_probe: see calendar_probe.c for its requests."""
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def default_path():
    return ROOT / os.environ.get("MARCA_BUILD", "build") / "src/calendar/calendar_probe"


class Probe:
    """One running calendar_probe. Requests go in bulk: many lines out, then as many back."""

    BULK = 200  # lines that surely fit the pipes, so that neither side waits for the other

    def __init__(self, path=None):
        self.process = subprocess.Popen(
            [path or default_path()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.zone = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        status = self.process.wait(timeout=30)
        self.process.stdout.close()
        assert status == 0, f"calendar_probe ended with {status}"

    def ask(self, *requests):
        answers = []
        for i in range(0, len(requests), self.BULK):
            bulk = requests[i : i + self.BULK]
            self.process.stdin.write("".join(f"{request}\n" for request in bulk))
            self.process.stdin.flush()
            answers += [self.answer(request) for request in bulk]
        return answers

    def answer(self, request):
        line = self.process.stdout.readline()
        assert line, f"calendar_probe died of: {request}"
        return line.strip()

    def open_zone(self, name, folder=""):
        if (name, folder) != self.zone:
            assert self.ask(f"zone {name} {folder}") == ["OK"], name
            self.zone = name, folder

    def numbers(self, request):
        (line,) = self.ask(request)
        return [int(word) for word in line.split()]

    def spans(self, request):
        numbers = self.numbers(request)
        return list(zip(numbers[::2], numbers[1::2]))
