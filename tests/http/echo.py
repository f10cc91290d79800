"""Starts src/http/echo_server.c and talks to it byte by byte over raw sockets. Standard library only."""
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = ROOT / os.environ.get("MARCA_BUILD", "build") / "src" / "http" / "http_echo_server"
SANITIZER = re.compile(r"^.*(?:ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:).*$", re.M)

# Far more than anything here takes, for a busy machine with sanitizers.
PATIENCE = 30

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def post(path, body, *headers):
    head = [b"POST %s HTTP/1.1" % path, b"Host: a", *headers]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def sized(path, body):
    return post(path, body, b"Content-Length: %d" % len(body))


def chunked(path, body):
    return post(path, body, b"Transfer-Encoding: chunked")


class Reply:
    def __init__(self, head, body):
        lines = head.decode("latin-1").split("\r\n")
        self.version, status, _ = lines[0].split(" ", 2)
        self.status = int(status)
        self.headers = dict(line.lower().split(": ", 1) for line in lines[1:])
        self.body = body
        assert len(self.headers) == len(lines) - 1, f"a repeated header: {lines}"

    @property
    def closes(self):
        return self.headers.get("connection") == "close"


class Client:
    def __init__(self, port, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_bytewise(self, data):
        for i in range(len(data)):
            try:
                self.socket.sendall(data[i : i + 1])
            except (BrokenPipeError, ConnectionResetError):
                return

    def more(self):
        data = self.socket.recv(65536)
        self.buffer += data
        return data != b""

    def reply(self, method="GET"):
        """The next reply, or None when the server has closed instead."""
        while b"\r\n\r\n" not in self.buffer:
            if not self.more():
                assert self.buffer == b"", f"closed amid a head: {self.buffer}"
                return None
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        reply = Reply(head, b"")
        length = int(reply.headers.get("content-length", 0))
        if method == "HEAD" or reply.status in (100, 204):
            return reply
        while len(self.buffer) < length:
            assert self.more(), "closed amid a body"
        reply.body, self.buffer = self.buffer[:length], self.buffer[length:]
        return reply

    def closed(self):
        """True when nothing but the end comes; waits for it."""
        try:
            return self.buffer == b"" and not self.more()
        except ConnectionResetError:
            return True

    def still_open(self):
        self.send(GET)
        reply = self.reply()
        return reply is not None and reply.status == 200 and reply.body == b"hello\n"


class Server:
    """An echo server with options; leaving it, it must have ended well and without a sanitizer's report."""

    def __init__(self, **options):
        self.options = options
        self.status = 0  # that it must end with

    def __enter__(self):
        self.log = tempfile.TemporaryFile()
        command = [BINARY, *(f"{name}={value}" for name, value in self.options.items())]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log)
        line = self.process.stdout.readline()
        assert line.startswith(b"port "), f"{command}: {self.text()}"
        self.port = int(line.split()[1])
        return self

    def __exit__(self, kind, value, trace):
        if self.process.poll() is None:
            self.stop()
        try:
            status = self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self.process.stdout.close()
        text = self.text()
        self.log.close()
        if kind is None:
            assert not SANITIZER.search(text), text
            assert status == self.status, f"ended with {status}: {text}"

    def stop(self):
        self.process.send_signal(signal.SIGTERM)

    def text(self):
        self.log.seek(0)
        return self.log.read().decode("utf-8", "replace")

    def client(self, **options):
        return Client(self.port, **options)

    def rss(self):
        """Resident bytes."""
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def seconds_since(began):
    return time.monotonic() - began
